/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of heads on their way (CONTRACT section 5; RELIABILITY B7, E9, G1, G2): the lines
 * that the sandbox gets, and those that the client gets.
 */
#include "config.h"

#include "gateway/forward.h"
#include "http/h1_write.h"

#include "gatewaykit.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const sites[] = {"*.t.localhost", NULL};

#define START "GET /a?b HTTP/1.1\r\nHost: 80-x.t.localhost\r\n"
#define RID "0123456789abcdef0123456789abcdef"

static void
request_lines(char *lines, size_t size, const char *fields)
{
    assert_true((size_t)snprintf(lines, size, "%s%s", START, fields) < size);
}

struct rig {
    struct kit kit;
    struct metrics metrics;
    struct loop loop;
    struct worker_config wc;
    struct proxy *p;
};

/* A request from that peer; 10.0.0.0/8 is trusted. */
static void
rig_open(struct rig *r, const char *peer, const char *lines)
{
    struct listener_config *l;

    memset(r, 0, sizeof(*r));
    kit_open(&r->kit, sites);
    r->loop.metrics = &r->metrics;
    random_seed(&r->loop.random, 1);
    l = &r->kit.config->listener[0];
    assert_int_equal(cidr_parse(SLICE("10.0.0.0/8"), &l->trusted[0]), 0);
    l->trusted_n = 1;
    r->wc.c = r->kit.config;
    r->p = calloc(1, sizeof(*r->p));
    assert_non_null(r->p);
    r->p->wc = &r->wc;
    r->p->site = &r->kit.config->site[0];
    r->p->ex.loop = &r->loop;
    arena_init(&r->p->ex.arena, &r->kit.blocks, 256 * 1024);
    assert_int_equal(endpoint_parse(slice_of(peer), &r->p->ex.peer), 0);
    r->p->ex.peer.port = 4711;
    kit_head(&r->kit, lines);
    r->p->ex.req = r->kit.head;
    r->p->ex.req.fields_cap = r->p->ex.req.fields; /* grows in the exchange's arena */
    memcpy(r->p->request_id, RID, sizeof(RID));
}

static void
rig_close(struct rig *r)
{
    arena_reset(&r->p->ex.arena);
    free(r->p);
    kit_close(&r->kit);
}

static const char *
written(struct buf *b, const struct head *h, bool request)
{
    buf_init(b, 65536);
    assert_int_equal(request ? h1_write_request(b, h, false)
                             : h1_write_answer(b, h, 11, false, false), 0);
    return buf_cstr(b);
}

#define PEER "192.0.2.1"
#define PROXY "10.0.0.1"
#define OURS(client, proto, host)                                                                 \
    "X-Forwarded-For: " client "\r\nX-Forwarded-Proto: " proto "\r\nX-Forwarded-Host: " host      \
    "\r\nVia: 1.1 rouse\r\nX-Request-Id: " RID "\r\n\r\n"
#define PLAIN OURS(PEER, "http", "80-x.t.localhost")

static const struct {
    const char *peer, *fields, *wanted; /* all lines behind Host */
    bool https;
} request[] = {
    {PEER, "", PLAIN, 0},
    {PEER, "", OURS(PEER, "https", "80-x.t.localhost"), 1},
    {"2001:db8::1", "", OURS("2001:db8::1", "http", "80-x.t.localhost"), 0},
    {PEER, "Accept: */*\r\nCookie: a=b\r\n", "Accept: */*\r\nCookie: a=b\r\n" PLAIN, 0},
    /* hop-by-hop, and what Connection names; protected ones stay */
    {PEER, "Connection: close, x-a\r\nX-A: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\n", PLAIN, 0},
    {PEER, "Proxy-Authorization: x\r\nProxy-Connection: y\r\nProxy-Authentication-Info: z\r\n",
     PLAIN, 0},
    {PEER, "Connection: authorization, cookie, traceparent\r\nAuthorization: a\r\nCookie: c\r\n"
           "traceparent: t\r\n", "Authorization: a\r\nCookie: c\r\ntraceparent: t\r\n" PLAIN, 0},
    {PEER, "traceparent: 00-1-2-3\r\ntracestate: a=1\r\n",
     "traceparent: 00-1-2-3\r\ntracestate: a=1\r\n" PLAIN, 0},
    /* aliases */
    {PEER, "X_Forwarded_For: 1\r\nX_Forwarded-Proto: https\r\nx_real_ip: 1\r\n", PLAIN, 0},
    /* tokens stay here */
    {PEER, "E2b-Traffic-Access-Token: s\r\nRouse-Access-Token: s\r\nX-Access-Token: envd\r\n",
     "X-Access-Token: envd\r\n" PLAIN, 0},
    /* strangers' claims */
    {PEER, "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: a\r\n"
           "X-Forwarded-Port: 443\r\nx-forwarded-ssl: on\r\nX-Real-IP: 1.1.1.1\r\n"
           "Forwarded: for=1.1.1.1\r\nX-Request-Id: mine\r\nX-Forwarded: 1\r\n",
     "X-Forwarded: 1\r\n" PLAIN, 0},
    /* a trusted proxy's */
    {PROXY, "X-Forwarded-For: 1.1.1.1, 198.51.100.7\r\nX-Forwarded-For: 10.0.0.9\r\n"
            "X-Forwarded-Proto: https\r\nX-Forwarded-Host: a.b\r\nX-Forwarded-Port: 443\r\n"
            "X-Real-IP: 1.1.1.1\r\n",
     "X-Forwarded-Port: 443\r\n"
     OURS("1.1.1.1, 198.51.100.7, 10.0.0.9, 10.0.0.1", "https", "a.b"), 0},
    {PROXY, "X-Forwarded-Proto: http\r\n", OURS(PROXY, "http", "80-x.t.localhost"), 1},
    {PROXY, "Forwarded: for=\"[2001:db8::7]\";host=a;proto=https\r\n",
     "Forwarded: for=\"[2001:db8::7]\";host=a;proto=https, "
     "for=10.0.0.1;host=\"80-x.t.localhost\";proto=http\r\n"
     OURS("2001:db8::7, 10.0.0.1", "https", "a"), 0},
    {PROXY, "Forwarded: for=\"\r\nX-Forwarded-For: 198.51.100.7\r\n",
     OURS("198.51.100.7, 10.0.0.1", "http", "80-x.t.localhost"), 0},
    /* via */
    {PEER, "Via: 1.0 fred, 1.1 rouse\r\nVia: 2.0 x (y)\r\n",
     "X-Forwarded-For: " PEER "\r\nX-Forwarded-Proto: http\r\n"
     "X-Forwarded-Host: 80-x.t.localhost\r\n"
     "Via: 1.0 fred, 1.1 rouse, 2.0 x (y), 1.1 rouse\r\nX-Request-Id: " RID "\r\n\r\n", 0},
};

static void
test_requests(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(request) / sizeof(request[0]); i++) {
        struct rig r;
        struct buf b;
        char lines[2048];
        const char *got;

        request_lines(lines, sizeof(lines), request[i].fields);
        rig_open(&r, request[i].peer, lines);
        r.p->https = request[i].https;
        assert_int_equal(forward_request(r.p), 0);
        got = written(&b, &r.p->ex.req, true);
        assert_true(slice_starts(slice_of(got), SLICE(START)));
        got += strlen(START);
        assert_string_equal(got, request[i].wanted);
        buf_fini(&b);
        rig_close(&r);
    }
}

static const struct {
    const char *fields, *wanted;
    bool pass;
} answer[] = {
    {"", "", 0},
    {"A: 1\r\nConnection: a\r\nKeep-Alive: 1\r\nUpgrade: x\r\nTrailer: y\r\n", "", 0},
    {"Proxy-Authenticate: a\r\nProxy-Authentication-Info: b\r\nProxy-Connection: c\r\n", "", 0},
    {"X_Y: kept\r\n", "X_Y: kept\r\n", 0},
    {"Alt-Svc: x\r\nSet-Cookie: a=b; Domain=localhost\r\nA: 1\r\n", "A: 1\r\n", 0},
    {"Alt-Svc: x\r\nSet-Cookie: a=b; Domain=localhost\r\nA: 1\r\n",
     "Alt-Svc: x\r\nSet-Cookie: a=b; Domain=localhost\r\nA: 1\r\n", 1},
    {"X-Request-Id: theirs\r\n", "", 0},
};

static void
test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(answer) / sizeof(answer[0]); i++) {
        struct rig r;
        struct kit k;
        struct buf b, wanted;
        char lines[1024];

        rig_open(&r, PEER, START);
        kit_open(&k, sites);
        /* Parsed as a request: fields are fields. */
        request_lines(lines, sizeof(lines), answer[i].fields);
        kit_head(&k, lines);
        assert_int_equal(head_remove(&k.head, FIELD_HOST), 1);
        r.p->ex.resp = k.head;
        r.p->ex.resp.fields_cap = k.head.fields;
        r.p->ex.resp.status = 200;
        r.p->ex.resp.phrase = SLICE("OK");
        r.kit.config->site[0].foreign_pass = answer[i].pass;
        assert_int_equal(forward_answer(r.p), 0);
        buf_init(&wanted, 4096);
        buf_printf(&wanted, "HTTP/1.1 200 OK\r\n%sX-Request-Id: " RID "\r\n"
                   "Content-Length: 0\r\n\r\n", answer[i].wanted);
        assert_string_equal(written(&b, &r.p->ex.resp, false), buf_cstr(&wanted));
        buf_fini(&b);
        buf_fini(&wanted);
        kit_close(&k);
        rig_close(&r);
    }
}

static void
test_times(void **state)
{
    static const struct {
        usec_t held, wake, woken_at, sent;
        const char *wanted; /* NULL: no field */
    } row[] = {
        {0, 0, 0, 100, NULL},
        {9999, 0, 0, 100, NULL},
        {10000, 0, 0, 5000, "hold;dur=10.0"},
        {1234567, 1000999, 1000, 6100, "hold;dur=1234.5, wake;dur=1000.9, port;dur=5.1"},
        {50, 0, 1000, 900, "hold;dur=0.0"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct rig r;
        struct slice got;

        rig_open(&r, PEER, START);
        r.p->held_for = row[i].held;
        r.p->wake_took = row[i].wake;
        r.p->woken_at = row[i].woken_at;
        r.p->woken = row[i].woken_at > 0;
        r.p->ex.sent = row[i].sent;
        head_init(&r.p->ex.resp);
        assert_int_equal(forward_answer(r.p), 0);
        got = head_value(&r.p->ex.resp, FIELD_SERVER_TIMING);
        assert_true(slice_eq(got, slice_of(row[i].wanted)));
        rig_close(&r);
    }
}

static void
test_loops(void **state)
{
    static const struct {
        const char *via;
        bool loop;
    } row[] = {
        {"", 0},
        {"Via: 1.1 rouse, 1.1 rouse\r\n", 0},
        {"Via: 1.1 rouse, 1.1 rouse, 1.1 rouse\r\n", 1},
        {"Via: 1.1 rouse\r\nVia: HTTP/2.0 rouse (x)\r\nA: b\r\nVia: 2.0  rouse\r\n", 1},
        {"Via: 1.1 rousette, 1.1 xrouse, rouse, 1.1 rouse:80, 1.1 Rouse\r\n", 0},
        {"Via: 1.1 a (rouse), 1.1 b (rouse), 1.1 c (rouse)\r\n", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct kit k;
        char lines[512];

        kit_open(&k, sites);
        request_lines(lines, sizeof(lines), row[i].via);
        kit_head(&k, lines);
        assert_int_equal(forward_is_loop(&k.head), row[i].loop);
        kit_close(&k);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_loops),
    };

    return cmocka_run_group_tests_name("forward", tests, NULL, NULL);
}
