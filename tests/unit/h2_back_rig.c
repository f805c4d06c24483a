/* SPDX-License-Identifier: BSD-2-Clause */
/* h2_back_rig.c: see h2_back_rig.h. */
#include "config.h"

#include "h2_back_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PREFACE 24

/* --- calls: the front and the handler ------------------------------------------------------- */

static struct call *
of_exchange(struct exchange *ex)
{
    return container_of(ex, struct call, ex);
}

static void
take_body(struct call *c)
{
    struct pipe *p = &c->ex.to_front;
    struct iovec v;

    if (!c->head || c->hold)
        return;
    while (pipe_peek(p, &v, 1) == 1) {
        assert_int_equal(buf_add(&c->body, v.iov_base, v.iov_len), 0);
        exchange_drain(p, v.iov_len, c->ex.back);
    }
    if (!pipe_closed(p))
        return;
    c->trailers = c->ex.resp.trailers;
    if (c->trailers > 0)
        snprintf(c->trailer, sizeof(c->trailer), "%.*s=%.*s", SLICE_ARG(c->ex.resp.trailer->name),
                 SLICE_ARG(c->ex.resp.trailer->value));
    exchange_front_done(&c->ex);
}

static void
on_front_head(struct exchange_end *end)
{
    struct call *c = container_of(end, struct call, front);

    if (c->ex.answer_here) {
        c->head = true;
        c->status = c->ex.resp.status;
    } else {
        buf_printf(&c->interims, "%u ", c->ex.resp.status);
    }
}

static void
on_front_kick(struct exchange_end *end)
{
    take_body(container_of(end, struct call, front));
}

static void
on_front_credit(struct exchange_end *end)
{
    (void)end;
}

static const struct exchange_end_ops front_ops = {
    .name = "call",
    .head = on_front_head,
    .kick = on_front_kick,
    .credit = on_front_credit,
};

static void
on_request(struct exchange *ex)
{
    (void)ex;
}

static void
on_answer(struct exchange *ex)
{
    (void)ex;
}

static void
on_back_lost(struct exchange *ex, enum reason why)
{
    struct call *c = of_exchange(ex);

    c->lost++;
    c->why = why;
    c->again = exchange_can_resend(ex);
    c->delivered = ex->delivered;
    exchange_abort(ex, why);
}

static void
on_silence(struct exchange *ex)
{
    of_exchange(ex)->silent++;
}

static void
on_end(struct exchange *ex)
{
    struct call *c = of_exchange(ex);

    c->over = true;
    c->outcome = ex->outcome;
    c->reason = ex->reason;
}

static void
release(struct exchange *ex)
{
    of_exchange(ex)->over = true;
}

static const struct exchange_handler handler = {
    .on_request = on_request,
    .on_answer = on_answer,
    .on_back_lost = on_back_lost,
    .on_silence = on_silence,
    .on_end = on_end,
    .release = release,
};

struct call *
call_new(struct bench *b, const char *method, const char *path)
{
    struct call *c = &b->call[b->calls++];

    assert_true(b->calls <= CALLS);
    memset(c, 0, sizeof(*c));
    c->bench = b;
    buf_init(&c->body, 8u << 20);
    buf_init(&c->interims, 4096);
    exchange_init(&c->ex, &b->loop, &handler);
    exchange_end_init(&c->front, &front_ops);
    exchange_attach_front(&c->ex, &c->front);
    exchange_request_ready(&c->ex);
    c->ex.req.method_text = slice_of(method);
    c->ex.req.method = method_of(slice_of(method));
    c->ex.req.target = slice_of(path);
    c->ex.req.host = SLICE("sandbox.test");
    c->ex.req.version = 11;
    return c;
}

void
call_write(struct call *c, const char *bytes, size_t n, bool end)
{
    struct pipe *p = &c->ex.to_back;

    assert_int_equal(pipe_write(p, (struct slice){bytes, n}), 0);
    if (end)
        pipe_end(p);
    exchange_signal(c->ex.back, MARK_KICK);
}

void
call_serve(struct call *c, const char *body, bool more)
{
    struct pipe *p = &c->ex.to_back;

    if (body) {
        pipe_retain(p);
        assert_int_equal(pipe_write(p, slice_of(body)), 0);
    }
    c->ex.req.framing = !body ? FRAMING_NONE : more ? FRAMING_CHUNKED : FRAMING_LENGTH;
    c->ex.req.length = body && !more ? strlen(body) : 0;
    if (!more)
        pipe_end(p);
    back_serve(c->bench->back, &c->ex);
}

struct call *
call_get(struct bench *b, const char *path)
{
    struct call *c = call_new(b, "GET", path);

    call_serve(c, NULL, false);
    bench_turn(b);
    return c;
}

/* --- the far end ---------------------------------------------------------------------------- */

void
far_bytes(struct bench *b, const void *p, size_t n)
{
    while (n > 0 && b->far != -1) {
        ssize_t put = send(b->far, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (put < 0 && errno == EAGAIN) {
            bench_turn(b);
            continue;
        }
        if (put < 0) /* it was closed under us */
            return;
        p = (const char *)p + put;
        n -= (size_t)put;
    }
}

static void
put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static uint32_t
get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

void
far_frame(struct bench *b, uint8_t type, uint8_t flags, int32_t id, const void *p, size_t n)
{
    uint8_t head[9];

    put32(head, (uint32_t)n << 8 | type);
    head[4] = flags;
    put32(head + 5, (uint32_t)id);
    far_bytes(b, head, sizeof(head));
    far_bytes(b, p, n);
}

void
far_settings(struct bench *b, uint16_t name, uint32_t value)
{
    uint8_t entry[6] = {(uint8_t)(name >> 8), (uint8_t)name};

    put32(entry + 2, value);
    far_frame(b, NGHTTP2_SETTINGS, 0, 0, entry, name ? sizeof(entry) : 0);
}

void
far_head(struct bench *b, int32_t id, const char *block, size_t n, bool end)
{
    far_frame(b, NGHTTP2_HEADERS, (uint8_t)(NGHTTP2_FLAG_END_HEADERS | end), id, block, n);
}

void
far_status(struct bench *b, int32_t id, const char *status, bool end)
{
    char block[8] = {0x08, 0x03};

    memcpy(block + 2, status, 3);
    far_head(b, id, block, 5, end);
}

void
far_data(struct bench *b, int32_t id, const char *text, bool end)
{
    far_frame(b, NGHTTP2_DATA, end, id, text, strlen(text));
}

void
far_reset(struct bench *b, int32_t id, uint32_t code)
{
    uint8_t p[4];

    put32(p, code);
    far_frame(b, NGHTTP2_RST_STREAM, 0, id, p, sizeof(p));
}

void
far_goaway(struct bench *b, int32_t last, uint32_t code)
{
    uint8_t p[8];

    put32(p, (uint32_t)last);
    put32(p + 4, code);
    far_frame(b, NGHTTP2_GOAWAY, 0, 0, p, sizeof(p));
}

void
far_window(struct bench *b, int32_t id, uint32_t n)
{
    uint8_t p[4];

    put32(p, n);
    far_frame(b, NGHTTP2_WINDOW_UPDATE, 0, id, p, sizeof(p));
}

size_t
far_field(char *block, size_t at, const char *name, const char *value)
{
    size_t n = strlen(name), v = strlen(value);

    assert_true(n < 127 && v < 127);
    block[at++] = 0;
    block[at++] = (char)n;
    memcpy(block + at, name, n);
    at += n;
    block[at++] = (char)v;
    memcpy(block + at, value, v);
    return at + v;
}

void
far_close(struct bench *b, bool reset)
{
    static const struct linger hard = {.l_onoff = 1, .l_linger = 0};

    if (reset)
        setsockopt(b->far, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    close(b->far);
    b->far = -1;
}

static void
read_fields(struct bench *b, const uint8_t *p, size_t n)
{
    int flags = 0;

    buf_clear(&b->fields);
    while (!(flags & NGHTTP2_HD_INFLATE_FINAL)) {
        nghttp2_nv nv;
        ssize_t used = nghttp2_hd_inflate_hd2(b->inflater, &nv, &flags, p, n, 1);

        assert_true(used >= 0);
        p += used;
        n -= (size_t)used;
        if (flags & NGHTTP2_HD_INFLATE_EMIT)
            assert_int_equal(buf_printf(&b->fields, "%.*s: %.*s\n", (int)nv.namelen,
                                        (const char *)nv.name, (int)nv.valuelen,
                                        (const char *)nv.value),
                             0);
    }
    nghttp2_hd_inflate_end_headers(b->inflater);
}

static void
take_frame(struct bench *b, const uint8_t *head, const uint8_t *p, size_t n)
{
    b->frames[head[3] & 31]++;
    switch (head[3]) {
    case NGHTTP2_HEADERS:
        b->last_id = (int32_t)get32(head + 5);
        b->last_flags = head[4];
        assert_true(head[4] & NGHTTP2_FLAG_END_HEADERS);
        read_fields(b, p + (head[4] & NGHTTP2_FLAG_PRIORITY ? 5 : 0),
                    n - (head[4] & NGHTTP2_FLAG_PRIORITY ? 5 : 0));
        break;
    case NGHTTP2_DATA:
        b->last_flags = head[4];
        assert_int_equal(buf_add(&b->text, p, n), 0);
        break;
    case NGHTTP2_RST_STREAM:
        b->reset_code = get32(p);
        break;
    case NGHTTP2_GOAWAY:
        b->goaway_code = get32(p + 4);
        break;
    default:
        break;
    }
}

static void
take_apart(struct bench *b)
{
    size_t at = 0;

    if (!b->greeted && b->got.n >= PREFACE) {
        assert_memory_equal(b->got.p, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", PREFACE);
        b->greeted = true;
        at = PREFACE;
    }
    while (b->greeted && b->got.n - at >= 9) {
        const uint8_t *head = (const uint8_t *)b->got.p + at;
        size_t n = get32(head) >> 8;

        if (b->got.n - at < 9 + n)
            break;
        take_frame(b, head, head + 9, n);
        at += 9 + n;
    }
    buf_consume(&b->got, at);
}

static void
read_far(struct bench *b)
{
    char bytes[65536];
    ssize_t n = 1;

    while (b->far != -1 && n > 0) {
        n = recv(b->far, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (n > 0)
            assert_int_equal(buf_add(&b->got, bytes, (size_t)n), 0);
        else if (n == 0 || errno != EAGAIN)
            b->eof = true;
    }
    take_apart(b);
}

/* --- the bench ------------------------------------------------------------------------------ */

static void
on_room(void *ctx, struct back *back)
{
    struct bench *b = ctx;

    assert_ptr_equal(back, b->back);
    b->rooms++;
}

static void
on_closed(void *ctx, struct back *back, enum reason why)
{
    struct bench *b = ctx;

    assert_ptr_equal(back, b->back);
    b->back = NULL;
    b->closed_why = why;
}

static const struct back_owner owner = {.on_room = on_room, .on_closed = on_closed};

static void
on_event(struct conn *c, unsigned events)
{
    (void)c;
    (void)events;
}

static const struct conn_owner conn_owner = {.name = "bench", .on_event = on_event};

void
bench_connect(struct bench *b)
{
    struct conn c;
    int fd[2];

    assert_null(b->back);
    if (b->far != -1)
        close(b->far);
    if (b->inflater)
        nghttp2_hd_inflate_del(b->inflater);
    assert_int_equal(nghttp2_hd_inflate_new(&b->inflater), 0);
    b->greeted = b->eof = false;
    b->reset_code = b->goaway_code = UINT32_MAX;
    memset(b->frames, 0, sizeof(b->frames));
    buf_clear(&b->got);
    buf_clear(&b->text);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd), 0);
    b->far = fd[1];
    assert_int_equal(conn_open_accepted(&c, &b->loop, fd[0], NULL, &conn_owner), 0);
    b->back = h2_client_open(&b->loop, &c, &b->o, &owner, b);
    assert_non_null(b->back);
}

void
bench_init(struct bench *b)
{
    memset(b, 0, sizeof(*b));
    b->far = -1;
    assert_int_equal(loop_init(&b->loop, &(struct loop_options){.tick = 1000}), 0);
    buf_init(&b->got, 8u << 20);
    buf_init(&b->text, 8u << 20);
    buf_init(&b->fields, 64u << 10);
    h2_options_client(&b->o);
    bench_connect(b);
}

void
bench_turn(struct bench *b)
{
    loop_turn(&b->loop, 2 * USEC_MS);
    read_far(b);
}

void
bench_quiet(struct bench *b)
{
    for (int i = 0; i < 8; i++)
        bench_turn(b);
}

void
bench_fini(struct bench *b)
{
    if (b->back)
        back_close(b->back, REASON_SHUTDOWN);
    for (unsigned i = 0; i < b->calls; i++)
        if (!b->call[i].over)
            exchange_front_lost(&b->call[i].ex, REASON_CLIENT_LEFT);
    bench_quiet(b);
    for (unsigned i = 0; i < b->calls; i++) {
        assert_true(b->call[i].over);
        buf_fini(&b->call[i].body);
        buf_fini(&b->call[i].interims);
    }
    if (b->far != -1)
        close(b->far);
    buf_fini(&b->got);
    buf_fini(&b->text);
    buf_fini(&b->fields);
    nghttp2_hd_inflate_del(b->inflater);
    assert_int_equal(b->loop.small_reads.out, 0);
    assert_int_equal(b->loop.large_reads.out, 0);
    assert_int_equal(b->loop.pieces.out, 0);
    loop_fini(&b->loop);
}
