/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both HTTP/1 sessions under a random client, a random origin and a random handler, over real
 * connections: a seed decides every cut, pause, answer and departure. Each request that was
 * announced ends once, no block, buffer or descriptor is left, and (under ASan) nothing is touched
 * that was freed.
 */
#include "config.h"

#include "http_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define SEEDS 500
#define STEPS 150

static const char *const requests[] = {
    "GET /a HTTP/1.1\r\nHost: h\r\n\r\n",
    "HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET /a HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n",
    "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789",
    "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
    ("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
     "5\r\nabcde\r\n1\r\nf\r\n0\r\nX-T: 1\r\n\r\n"),
    "POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nwxyz",
    "GET /a HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
};
static const char *const bad_requests[] = {
    "GET /a HTTP/1.1\r\nHost: h\r\nA : b\r\n\r\n",
    "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX\r\n",
    "\r\n\r\n",
};
static const char *const answers[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "HTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
    "HTTP/1.1 200 OK\r\n\r\nuntil the end",
    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 304 Not Modified\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n",
    "nonsense\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxyz",
};
#define COUNT(a) (sizeof(a) / sizeof(a[0]))

static struct {
    unsigned answered, aborted, left, refused;
} tally;

struct script {
    struct buf text; /* what a far end has still to say */
};

static size_t
below(struct rig *r, size_t n)
{
    return (size_t)random_below(&r->loop.random, n);
}

/* Says up to n bytes of the script; a far end that is gone says nothing. */
static void
say(struct rig_peer *p, struct script *s, size_t n)
{
    ssize_t put;

    if (n > s->text.n)
        n = s->text.n;
    if (n == 0 || p->fd < 0)
        return;
    put = send(p->fd, s->text.p, n, MSG_NOSIGNAL);
    if (put > 0)
        buf_consume(&s->text, (size_t)put);
    else
        buf_clear(&s->text);
}

static void
client_acts(struct rig *r, struct script *s)
{
    static char fill[30000];

    if (s->text.n == 0 && below(r, 3) == 0)
        buf_add_str(&s->text, requests[below(r, COUNT(requests))]);
    if (below(r, 60) == 0)
        buf_add_str(&s->text, bad_requests[below(r, COUNT(bad_requests))]);
    if (below(r, 60) == 0) {
        buf_add_str(&s->text, "POST /big HTTP/1.1\r\nHost: h\r\nContent-Length: 30000\r\n\r\n");
        buf_add(&s->text, fill, sizeof(fill));
    }
    say(&r->client, s, 1 + below(r, below(r, 2) ? 8 : 9000));
    if (below(r, 120) == 0 && r->client.fd >= 0)
        peer_fin(&r->client);
    if (below(r, 120) == 0 && r->client.fd >= 0)
        peer_reset(&r->client);
}

static void
origin_acts(struct rig *r, struct script *s)
{
    static char fill[40000];

    if (r->origin.fd < 0)
        return;
    if (s->text.n == 0 && r->origin.got.n > 0 && below(r, 3) == 0) {
        size_t which = below(r, below(r, 4) ? 5 : COUNT(answers));

        buf_clear(&r->origin.got);
        buf_add_str(&s->text, answers[which]);
        if (strstr(answers[which], "40000"))
            buf_add(&s->text, fill, sizeof(fill));
    }
    say(&r->origin, s, 1 + below(r, below(r, 2) ? 8 : 9000));
    if (below(r, 60) == 0)
        peer_close(&r->origin);
    else if (below(r, 100) == 0)
        peer_reset(&r->origin);
}

/* Announced, and without anything that answers it. */
static bool
is_held(const struct exchange *ex)
{
    return ex->announced && !ex->ended && !ex->back && !ex->answer_here && !ex->todo;
}

static void
exchange_acts(struct rig *r, struct exchange *ex)
{
    if (is_held(ex) && !exchange_can_resend(ex))
        exchange_abort(ex, REASON_UPSTREAM_RESET);
    else if (is_held(ex) && below(r, 3) == 0)
        rig_release(r);
    else if (below(r, 80) == 0)
        exchange_abort(ex, REASON_SHUTDOWN);
    else if (below(r, 80) == 0)
        exchange_detach_back(ex, REASON_GENERATION_OVER);
}

static void
handler_acts(struct rig *r)
{
    r->mode = (enum rig_mode)below(r, 3);
    if (r->ex && r->ex->announced)
        exchange_acts(r, r->ex);
    if (below(r, 200) == 0)
        rig_drain(r);
    if (below(r, 200) == 0)
        rig_close(r);
    if (r->session && below(r, 200) == 0)
        back_close(r->session, REASON_GENERATION_OVER);
}

static void
one_life(uint64_t seed)
{
    struct script client, origin;
    struct rig r;

    rig_init(&r, true);
    random_seed(&r.loop.random, seed);
    r.front.max_body = 35000;
    r.half_close_waits = seed % 3 == 0;
    r.front.max_requests = 20;
    r.resend = r.retain = seed % 2;
    buf_init(&client.text, 1u << 20);
    buf_init(&origin.text, 1u << 20);
    for (int i = 0; i < STEPS; i++) {
        unsigned backs = r.backs;

        client_acts(&r, &client);
        origin_acts(&r, &origin);
        handler_acts(&r);
        loop_turn(&r.loop, 0);
        if (below(&r, 4) != 0)
            rig_turn_now(&r);
        if (r.backs != backs)
            buf_clear(&origin.text);
        if (!rig_is_open(&r)) {
            buf_clear(&client.text);
            rig_connect(&r);
        }
    }
    tally.answered += r.outcomes[END_ANSWERED];
    tally.aborted += r.outcomes[END_ABORTED];
    tally.left += r.outcomes[END_CLIENT_LEFT];
    tally.refused += r.refusals;
    buf_fini(&client.text);
    buf_fini(&origin.text);
    rig_fini(&r);
}

static void
test_random_lives(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        one_life(seed);
    print_message("answered %u, aborted %u, left %u, refused %u\n", tally.answered, tally.aborted,
                  tally.left, tally.refused);
    assert_in_range(tally.answered, SEEDS * 2, SEEDS * STEPS);
    assert_in_range(tally.aborted, SEEDS / 10, SEEDS * STEPS);
    assert_in_range(tally.left, SEEDS / 10, SEEDS * STEPS);
    assert_in_range(tally.refused, SEEDS / 10, SEEDS * STEPS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_lives),
    };
    return cmocka_run_group_tests_name("h1_random", tests, NULL, NULL);
}
