/* SPDX-License-Identifier: BSD-2-Clause */
/* test_h2_refusals.c: what an HTTP/2 front refuses, and the one protocol that it tunnels. */
#include "config.h"

#include "h2_server_rig.h"

#include "http/tunnel.h"
#include "unit.h"

/* --- refusals -------------------------------------------------------------------------------- */

struct refusal {
    const char *fields[16];
    int status; /* or RST_STREAM: what nghttp2 judges itself changed over the years */
};

static const struct refusal refusals[] = {
    {{":method", "GET", ":scheme", "http", ":path", "/"}, 0},
    {{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "h.test", "host", "g"}, 400},
    {{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "u@h.test"}, 400},
    {{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a,b"}, 400},
    {{":method", "GET", ":scheme", "http", ":path", "/", "host", "a", "host", "a"}, 0},
    {{":method", "GET", ":scheme", "https", ":path", "/", ":authority", "h.test"}, 400},
    {{":method", "GET", ":scheme", "ftp", ":path", "/", ":authority", "h.test"}, 400},
    {{":method", "GET", ":scheme", "http", ":path", "/#a", ":authority", "h.test"}, 400},
    {{":method", "GET", ":scheme", "http", ":path", "/a b", ":authority", "h.test"}, 400},
    {{":method", "GET", ":scheme", "http", ":path", "a", ":authority", "h.test"}, 0},
    {{":method", "GET", ":scheme", "http", ":path", "*", ":authority", "h.test"}, 0},
    {{":method", "GET", ":scheme", "http", ":path", "http://h.test/", ":authority", "h.test"}, 0},
    {{":method", "G T", ":scheme", "http", ":path", "/", ":authority", "h.test"}, 0},
    {{":method", "BREW", ":scheme", "http", ":path", "/", ":authority", "h.test"}, 501},
    {{":method", "TRACE", ":scheme", "http", ":path", "/", ":authority", "h.test"}, 405},
    {{":method", "CONNECT", ":authority", "h.test:80"}, 405},
    {{":method", "CONNECT", ":protocol", "ip", ":scheme", "http", ":path", "/", ":authority",
      "h.test"}, 501},
    {{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "h.test", "expect", "x"},
     417},
    {{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "h.test", "te", "gzip"}, 0},
    {{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "h.test", "connection",
      "close"}, 0},
    {{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "h.test",
      "transfer-encoding", "chunked"}, 0},
    {{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "h.test", "upgrade",
      "websocket"}, 0},
    {{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "h.test", "x", "a\rb"}, 0},
    {{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "h.test", "X", "a"}, 0},
    {{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "h.test", "x y", "a"}, 0},
    {{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "h.test", "", "a"}, 0},
    {{":method", "GET", ":scheme", "http", ":path", "/", "x", "a", ":authority", "h.test"}, 0},
    {{":method", "GET", ":method", "GET", ":scheme", "http", ":path", "/", ":authority", "h"}, 0},
    {{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "h", ":unknown", "h"}, 0},
    {{":method", "GET", ":path", "/", ":authority", "h"}, 0},
    {{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "h", "content-length", "1"},
     0},
    {{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "h", "content-length", "-1"},
     0},
};

static void
test_refusals(void **state)
{
    struct h2_rig *r = *state;

    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        int32_t id = (int32_t)(1 + 2 * i);
        struct rig_stream *s = rig_stream(r, id);

        rig_fields(r, id, NGHTTP2_FLAG_END_STREAM, refusals[i].fields);
        rig_quiet(r);
        if (s->resets != 1 && (!s->end || s->status != refusals[i].status))
            fail_msg("refusal %zu: status %d, %u resets", i, s->status, s->resets);
    }
    assert_int_equal(r->requests, 0);
    assert_int_equal(r->goaway, -1);
}

static void
test_refused_head(void **state)
{
    struct h2_rig *r = *state;
    struct rig_stream *s = rig_stream(r, 1);

    RIG_FIELDS(r, 1, NGHTTP2_FLAG_END_STREAM, ":method", "HEAD", ":scheme", "ftp", ":path", "/",
               ":authority", "h.test");
    UNTIL(r, s->end);
    assert_int_equal(s->status, 400);
    assert_int_equal(s->data, 0);
    assert_non_null(strstr(s->fields, "content-length: 2\n"));
    assert_non_null(strstr(s->fields, "x-request-id: aaaa"));
    r->no_exchange = true;
    rig_get(r, 3);
    UNTIL(r, rig_stream(r, 3)->end);
    assert_int_equal(rig_stream(r, 3)->status, 503);
    assert_string_equal(rig_stream(r, 3)->body, "{}");
}

static void
test_bad_preface(void **state)
{
    struct h2_rig *r = *state;

    rig_open_early(r, SLICE("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    UNTIL(r, !r->s);
    assert_int_equal(r->requests, 0);
}

/* --- WebSockets ------------------------------------------------------------------------------ */

#define WEBSOCKET(v) \
    ":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":path", "/ws", \
        ":authority", "h.test", "sec-websocket-version", v, "x-id", "1"

static void
test_websocket(void **state)
{
    struct h2_rig *r = *state;
    struct rig_stream *s = rig_stream(r, 1);
    struct rig_exchange *x;

    RIG_FIELDS(r, 1, 0, WEBSOCKET("13"));
    rig_frame(r, NGHTTP2_DATA, 0, 1, "early", 5);
    UNTIL(r, r->requests == 1);
    x = rig_exchange(r, 1);
    assert_true(x->ex.req.upgrade);
    assert_int_equal(x->ex.req.method, METHOD_GET);
    assert_slice(head_value(&x->ex.req, FIELD_UPGRADE), "websocket");
    assert_int_equal(x->ex.req.framing, FRAMING_NONE);
    r->lazy = true;
    rig_attach(x);
    rig_quiet(r);
    head_init(&x->ex.resp);
    x->ex.resp.status = 101;
    assert_int_equal(tunnel_open(&x->ex), 0);
    UNTIL(r, s->status == 200);
    assert_null(strstr(s->fields, "content-length"));
    assert_false(s->end);
    assert_int_equal(pipe_pending(&x->ex.to_back), 5);
    assert_int_equal(pipe_write(&x->ex.to_front, SLICE("\x81\x01x")), 0);
    exchange_signal(x->ex.front, MARK_KICK);
    UNTIL(r, s->bytes == 3);
    rig_frame(r, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, NULL, 0);
    UNTIL(r, x->ex.to_back.ended);
    assert_false(s->end); /* half closed only */
    r->lazy = false;
    exchange_drain(&x->ex.to_back, 5, x->ex.front);
    rig_finish(x);
    UNTIL(r, s->end);
    rig_quiet(r);
    assert_int_equal(r->outcomes[END_ANSWERED], 1);
}

static void
test_websocket_refused(void **state)
{
    struct h2_rig *r = *state;
    struct rig_stream *s = rig_stream(r, 3);

    RIG_FIELDS(r, 1, 0, WEBSOCKET("12"));
    UNTIL(r, rig_stream(r, 1)->end);
    assert_int_equal(rig_stream(r, 1)->status, 426);
    assert_non_null(strstr(rig_stream(r, 1)->fields, "sec-websocket-version: 13"));
    r->mode = RIG_BACK;
    RIG_FIELDS(r, 3, 0, WEBSOCKET("13"));
    UNTIL(r, rig_exchange(r, 1));
    rig_answer(rig_exchange(r, 1), 200, FRAMING_LENGTH, 2); /* a page, no tunnel */
    rig_send(rig_exchange(r, 1), 2);
    rig_finish(rig_exchange(r, 1));
    UNTIL(r, s->end);
    assert_int_equal(s->status, 502);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        OPEN(test_refusals),
        OPEN(test_refused_head),
        BARE(test_bad_preface),
        OPEN(test_websocket),
        OPEN(test_websocket_refused),
    };

    return cmocka_run_group_tests_name("h2_refusals", tests, NULL, NULL);
}
