/* SPDX-License-Identifier: BSD-2-Clause */
/* fetch against an origin that the test scripts byte by byte. */
#include "config.h"

#include "http/fetch.h"
#include "net/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
    struct loop loop;
    struct resolver *resolver;
    struct fetcher *fetcher;
    int listener, origin; /* origin: the latest accepted connection, or -1 */
    unsigned accepted;
    struct buf asked;
    char url[64];
    unsigned done;
    enum reason reason;
    enum delivered_hint sent;
    uint16_t status;
    struct buf body;
    char detail[128];
};

static int
setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(a);

    assert_non_null(w);
    assert_int_equal(loop_init(&w->loop, &(struct loop_options){.tick = 1000}), 0);
    w->resolver = resolver_new(&w->loop);
    assert_non_null(w->resolver);
    w->fetcher = fetcher_new(&w->loop, w->resolver, NULL);
    assert_non_null(w->fetcher);
    w->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(w->listener, (struct sockaddr *)&a, n), 0);
    assert_int_equal(listen(w->listener, 8), 0);
    assert_int_equal(getsockname(w->listener, (struct sockaddr *)&a, &n), 0);
    snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%u/hook?x=1", ntohs(a.sin_port));
    w->origin = -1;
    buf_init(&w->asked, 1u << 20);
    buf_init(&w->body, 1u << 20);
    *state = w;
    return 0;
}

static int
teardown(void **state)
{
    struct world *w = *state;

    fetcher_free(w->fetcher);
    for (int i = 0; i < 3; i++)
        loop_turn(&w->loop, 0);
    resolver_free(w->resolver);
    loop_turn(&w->loop, 0);
    if (w->origin >= 0)
        close(w->origin);
    close(w->listener);
    buf_fini(&w->asked);
    buf_fini(&w->body);
    loop_fini(&w->loop);
    free(w);
    return 0;
}

static void
on_done(void *ctx, const struct fetch_result *r)
{
    struct world *w = ctx;

    w->done++;
    w->reason = r->reason;
    w->sent = r->sent;
    w->status = r->status;
    buf_clear(&w->body);
    buf_add_slice(&w->body, r->body);
    snprintf(w->detail, sizeof(w->detail), "%s", r->detail ? r->detail : "");
    assert_true((r->reason == REASON_NONE) == (r->head != NULL));
}

static struct fetch_options
options(const struct world *w)
{
    return (struct fetch_options){
        .method = SLICE("GET"),
        .url = slice_of(w->url),
        .connect_timeout = USEC_SEC,
        .timeout = 5 * USEC_SEC,
        .answer_max = 1024,
    };
}

static struct fetch *
start(struct world *w, const struct fetch_options *o)
{
    const char *why = NULL;
    struct fetch *x = fetch_start(w->fetcher, o, on_done, w, &why);

    assert_non_null(x);
    return x;
}

static void
turn(struct world *w)
{
    char bytes[4096];
    ssize_t n;
    int fd;

    loop_turn(&w->loop, 5 * USEC_MS);
    fd = accept4(w->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        if (w->origin >= 0)
            close(w->origin);
        w->origin = fd;
        w->accepted++;
    }
    while (w->origin >= 0 && (n = recv(w->origin, bytes, sizeof(bytes), 0)) > 0)
        buf_add(&w->asked, bytes, (size_t)n);
}

#define UNTIL(w, cond) \
    do { \
        for (int turns_ = 0; !(cond); turns_++) { \
            if (turns_ > 400) \
                fail_msg("never: %s; asked: %s; %s", #cond, buf_cstr(&(w)->asked), (w)->detail); \
            turn(w); \
        } \
    } while (0)

static bool
asked(const struct world *w, const char *text)
{
    return w->asked.n > 0 && memmem(w->asked.p, w->asked.n, text, strlen(text)) != NULL;
}

static void
say(struct world *w, const char *text)
{
    assert_int_equal(send(w->origin, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void
hang_up(struct world *w)
{
    close(w->origin);
    w->origin = -1;
}

static void
test_get_and_keep_the_connection(void **state)
{
    struct world *w = *state;
    struct fetch_options o = options(w);
    struct fetch_field field = {SLICE("X-A"), SLICE("b")};

    o.field = &field;
    o.fields = 1;
    for (unsigned i = 1; i <= 3; i++) {
        start(w, &o);
        assert_int_equal(w->done, i - 1); /* never from within */
        UNTIL(w, asked(w, "GET /hook?x=1 HTTP/1.1\r\nHost: 127.0.0.1:") &&
                     asked(w, "X-A: b\r\n\r\n"));
        buf_clear(&w->asked);
        say(w, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        UNTIL(w, w->done == i);
        assert_int_equal(w->reason, REASON_NONE);
        assert_int_equal(w->sent, FETCH_ANSWERED);
        assert_int_equal(w->status, 200);
        assert_true(slice_eq(buf_slice(&w->body), SLICE("hello")));
    }
    assert_int_equal(w->accepted, 1);
}

static void
test_post_and_any_status(void **state)
{
    struct world *w = *state;
    struct fetch_options o = options(w);

    o.method = SLICE("POST");
    o.body = SLICE("{\"op\":\"resume\"}");
    start(w, &o);
    UNTIL(w, asked(w, "Content-Length: 15\r\n\r\n{\"op\":\"resume\"}"));
    say(w, "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
           "Transfer-Encoding: chunked\r\n\r\n"
           "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
    UNTIL(w, w->done == 1);
    assert_int_equal(w->status, 302); /* not followed */
    assert_true(slice_eq(buf_slice(&w->body), SLICE("abc")));
}

static void
test_refused(void **state)
{
    struct world *w = *state;
    struct fetch_options o = options(w);

    close(w->listener);
    w->listener = -1;
    start(w, &o);
    UNTIL(w, w->done == 1);
    assert_int_equal(w->reason, REASON_CONNECT_REFUSED);
    assert_int_equal(w->sent, FETCH_NOT_SENT);
    assert_string_equal(w->detail, "connection refused");
}

static void
test_closed_after_the_request(void **state)
{
    struct world *w = *state;
    struct fetch_options o = options(w);

    o.method = SLICE("POST");
    o.body = SLICE("x");
    start(w, &o);
    UNTIL(w, asked(w, "\r\n\r\nx"));
    hang_up(w);
    UNTIL(w, w->done == 1);
    assert_int_equal(w->reason, REASON_UPSTREAM_RESET);
    assert_int_equal(w->sent, FETCH_MAYBE_SENT);
    assert_int_equal(w->accepted, 1); /* not tried again */
}

static void
test_stale_kept_connection(void **state)
{
    struct world *w = *state;
    struct fetch_options o = options(w);

    start(w, &o);
    UNTIL(w, asked(w, "\r\n\r\n"));
    say(w, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    UNTIL(w, w->done == 1);
    buf_clear(&w->asked);
    start(w, &o);
    UNTIL(w, asked(w, "\r\n\r\n"));
    buf_clear(&w->asked);
    hang_up(w); /* the kept one dies under the request: a GET is tried again */
    UNTIL(w, w->accepted == 2 && asked(w, "\r\n\r\n"));
    say(w, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    UNTIL(w, w->done == 2);
    assert_int_equal(w->reason, REASON_NONE);
}

static void
test_too_long(void **state)
{
    struct world *w = *state;
    struct fetch_options o = options(w);
    char body[2000];

    start(w, &o);
    UNTIL(w, asked(w, "\r\n\r\n"));
    memset(body, 'a', sizeof(body));
    body[sizeof(body) - 1] = '\0';
    say(w, "HTTP/1.1 200 OK\r\n\r\n");
    say(w, body);
    UNTIL(w, w->done == 1);
    assert_int_equal(w->reason, REASON_UPSTREAM_MALFORMED);
    assert_string_equal(w->detail, "answer longer than 1024 bytes");
}

static void
test_not_http(void **state)
{
    struct world *w = *state;
    struct fetch_options o = options(w);

    start(w, &o);
    UNTIL(w, asked(w, "\r\n\r\n"));
    say(w, "hello\r\n\r\n");
    UNTIL(w, w->done == 1);
    assert_int_equal(w->reason, REASON_UPSTREAM_MALFORMED);
    assert_int_equal(w->sent, FETCH_MAYBE_SENT);
}

static void
test_truncated(void **state)
{
    struct world *w = *state;
    struct fetch_options o = options(w);

    start(w, &o);
    UNTIL(w, asked(w, "\r\n\r\n"));
    say(w, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello");
    hang_up(w);
    UNTIL(w, w->done == 1);
    assert_int_equal(w->reason, REASON_UPSTREAM_TRUNCATED);
}

static void
test_deadline(void **state)
{
    struct world *w = *state;
    struct fetch_options o = options(w);

    o.timeout = 40 * USEC_MS;
    start(w, &o);
    UNTIL(w, w->done == 1);
    assert_int_equal(w->reason, REASON_UPSTREAM_TIMEOUT);
    assert_string_equal(w->detail, "not answered within 40 ms");
}

static void
test_cancel(void **state)
{
    struct world *w = *state;
    struct fetch_options o = options(w);
    struct fetch *x = start(w, &o);

    fetch_cancel(x); /* before it began */
    turn(w);
    x = start(w, &o);
    UNTIL(w, asked(w, "\r\n\r\n"));
    fetch_cancel(x);
    for (int i = 0; i < 5; i++)
        turn(w);
    assert_int_equal(w->done, 0);
    start(w, &o); /* for fetcher_free */
    turn(w);
}

static void
test_bad_urls(void **state)
{
    static const char *const urls[] = {
        "https:///", "ftp://h/", "h", "http://", "http:///x", "http://h/a b", "http://a@h/",
        "http://h:0/", "http://h/\xc3\xa9", "http://h/#x",
    };
    struct world *w = *state;
    struct fetch_options o = options(w);

    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        const char *why = NULL;

        o.url = slice_of(urls[i]);
        assert_null(fetch_start(w->fetcher, &o, on_done, w, &why));
        assert_non_null(why);
    }
    turn(w);
    assert_int_equal(w->done, 0);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_get_and_keep_the_connection),
        T(test_post_and_any_status),
        T(test_refused),
        T(test_closed_after_the_request),
        T(test_stale_kept_connection),
        T(test_too_long),
        T(test_not_http),
        T(test_truncated),
        T(test_deadline),
        T(test_cancel),
        T(test_bad_urls),
    };
    return cmocka_run_group_tests_name("fetch", tests, NULL, NULL);
}
