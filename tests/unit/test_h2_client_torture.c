/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory runs out at every point of an HTTP/2 back's life: every exchange ends, nothing is left. */
#include "config.h"

#include "h2_back_rig.h"

#include "failalloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define POINTS 120

static void
on_event(struct conn *c, unsigned events)
{
    (void)c;
    (void)events;
}

static const struct conn_owner conn_owner = {.name = "test", .on_event = on_event};
static const struct back_owner nobody;

static void
test_opening(void **state)
{
    struct bench *b = malloc(sizeof(*b));

    (void)state;
    assert_non_null(b);
    bench_init(b);
    for (unsigned n = 1; n < 12; n++) {
        struct conn c;
        struct back *made;
        int fd[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
        assert_int_equal(conn_open_accepted(&c, &b->loop, fd[0], NULL, &conn_owner), 0);
        failalloc_from(n);
        made = h2_client_open(&b->loop, &c, &b->o, &nobody, NULL);
        failalloc_from(0);
        if (made) {
            h2_options_client(&b->o);
            made->owner = b->back->owner; /* that hears of its end */
            made->ctx = b;
            back_close(b->back, REASON_SHUTDOWN);
            b->back = made;
            close(b->far);
            b->far = fd[1];
            b->greeted = false;
            buf_clear(&b->got);
        } else {
            char byte;

            assert_int_equal(recv(fd[1], &byte, 1, MSG_DONTWAIT), 0); /* it was closed */
            close(fd[1]);
        }
        bench_quiet(b);
    }
    bench_fini(b);
    free(b);
}

/* What the sandbox says to two requests, written before memory runs out. */
static void
say_all(struct bench *b)
{
    char block[2000], bytes[9000];
    size_t n = 1;

    block[0] = (char)0x88;
    for (int i = 0; i < 30; i++)
        n = far_field(block, n, "x-name", "a value of some length, so that the arena grows");
    memset(bytes, 'b', sizeof(bytes));
    far_settings(b, 0, 0);
    far_status(b, 1, "103", false);
    far_head(b, 1, block, n, false);
    far_frame(b, NGHTTP2_DATA, 0, 1, bytes, sizeof(bytes));
    far_status(b, 3, "200", false);
    far_frame(b, NGHTTP2_DATA, 0, 3, bytes, sizeof(bytes));
    n = far_field(block, 0, "x-trailer", "1");
    far_head(b, 1, block, n, true);
    far_head(b, 3, block, n, true);
}

static void
run_out(struct bench *b, unsigned n)
{
    struct call *one, *two;

    b->calls = 0;
    if (b->back)
        back_close(b->back, REASON_SHUTDOWN);
    bench_quiet(b);
    bench_connect(b);
    one = call_new(b, "GET", "/");
    two = call_new(b, "POST", "/");
    one->hold = two->hold = true; /* what collects bodies needs memory, too */
    two->ex.req.framing = FRAMING_CHUNKED;
    say_all(b);
    failalloc_from(n);
    back_serve(b->back, &one->ex);
    if (b->back)
        back_serve(b->back, &two->ex);
    for (int i = 0; i < 6; i++)
        loop_turn(&b->loop, 0);
    failalloc_from(0);
    one->hold = two->hold = false;
    exchange_signal(&one->front, MARK_KICK);
    exchange_signal(&two->front, MARK_KICK);
    for (int i = 0; i < 50 && !(one->over && two->over); i++)
        bench_turn(b);
    if (!one->over || !two->over) /* still asked, and never answered: as said to nobody */
        back_close(b->back, REASON_SHUTDOWN);
    bench_quiet(b);
    assert_true(one->over && two->over);
    assert_true(one->outcome != END_ANSWERED || one->body.n == 9000);
    buf_fini(&one->body);
    buf_fini(&one->interims);
    buf_fini(&two->body);
    buf_fini(&two->interims);
}

static void
test_answers(void **state)
{
    struct bench *b = malloc(sizeof(*b));

    (void)state;
    assert_non_null(b);
    bench_init(b);
    for (unsigned n = 1; n <= POINTS; n++)
        run_out(b, n);
    b->calls = 0;
    bench_fini(b);
    free(b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opening),
        cmocka_unit_test(test_answers),
    };

    return cmocka_run_group_tests_name("h2_client_torture", tests, NULL, NULL);
}
