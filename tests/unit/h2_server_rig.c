/* SPDX-License-Identifier: BSD-2-Clause */
/* h2_server_rig.c: see h2_server_rig.h. */
#include "config.h"

#include "h2_server_rig.h"

#include "http/memory_end.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define GOT_MAX (8u << 20)
#define TEXT "hello"

/* --- the handler, and a back that does as it is told ----------------------------------------- */

static struct rig_exchange *
of_exchange(struct exchange *ex)
{
    return container_of(ex, struct rig_exchange, ex);
}

static void
echo(struct rig_exchange *x)
{
    struct iovec iov[8];
    int n = pipe_peek(&x->ex.to_back, iov, 8);

    if (!x->answered)
        rig_answer(x, 200, FRAMING_CHUNKED, 0);
    for (int i = 0; i < n && x->rig->mode == RIG_ECHO; i++)
        if (pipe_write(&x->ex.to_front, (struct slice){iov[i].iov_base, iov[i].iov_len}) < 0)
            fail();
    exchange_signal(x->ex.front, MARK_KICK);
}

static void
on_back_kick(struct exchange_end *end)
{
    struct exchange *ex = end->ex;
    struct rig_exchange *x = of_exchange(ex);
    size_t n = pipe_pending(&ex->to_back);

    if (x->rig->lazy)
        return;
    if (x->rig->mode == RIG_ECHO)
        echo(x);
    x->got += n;
    if (n > 0)
        exchange_drain(&ex->to_back, n, ex->front);
    if (!pipe_at_end(&ex->to_back) || x->ended)
        return;
    x->ended = true;
    if (x->rig->mode == RIG_ECHO)
        rig_finish(x);
}

static void
on_back_nothing(struct exchange_end *end)
{
    (void)end;
}

static void
on_back_reset(struct exchange_end *end, enum reason why)
{
    (void)why;
    container_of(end, struct rig_back, end)->rig->resets++;
}

static const struct exchange_end_ops back_ops = {
    .name = "rig",
    .head = on_back_nothing,
    .kick = on_back_kick,
    .credit = on_back_nothing,
    .reset = on_back_reset,
};

void
rig_attach(struct rig_exchange *x)
{
    struct rig_back *b = calloc(1, sizeof(*b));

    assert_non_null(b);
    b->rig = x->rig;
    list_push_back(&x->rig->backs, &b->link);
    exchange_end_init(&b->end, &back_ops);
    exchange_attach_back(&x->ex, &b->end, true);
}

void
rig_answer(struct rig_exchange *x, uint16_t status, enum framing f, uint64_t length)
{
    head_init(&x->ex.resp);
    x->ex.resp.status = status;
    x->ex.resp.framing = f;
    x->ex.resp.length = length;
    assert_int_equal(head_add(&x->ex.resp, &x->ex.arena, FIELD_OTHER, SLICE("X-Rig"),
                              SLICE("yes")), 0);
    x->answered = true;
    exchange_answer_ready(&x->ex);
}

void
rig_send(struct rig_exchange *x, size_t n)
{
    static const char text[1024];

    while (n > 0) {
        size_t part = n < sizeof(text) ? n : sizeof(text);

        assert_int_equal(pipe_write(&x->ex.to_front, (struct slice){text, part}), 0);
        n -= part;
    }
    exchange_signal(x->ex.front, MARK_KICK);
}

void
rig_finish(struct rig_exchange *x)
{
    pipe_end(&x->ex.to_front);
    exchange_back_done(&x->ex);
}

void
rig_break(struct rig_exchange *x, enum reason why)
{
    exchange_back_lost(&x->ex, why);
}

static int32_t
id_of(const struct head *h)
{
    const struct field *f = head_find_name(h, SLICE("x-id"));
    uint64_t id = 0;

    return f && slice_u64(f->value, INT32_MAX, &id) == 0 ? (int32_t)id : 0;
}

static void
on_request(struct exchange *ex)
{
    struct rig_exchange *x = of_exchange(ex);
    struct h2_rig *r = x->rig;

    x->id = id_of(&ex->req);
    r->requests++;
    r->alive++;
    if (r->alive > r->alive_max)
        r->alive_max = r->alive;
    if (r->mode == RIG_ANSWER) {
        head_init(&ex->resp);
        if (memory_answer(ex, 200, SLICE("text/plain"), SLICE(TEXT)) < 0)
            exchange_abort(ex, REASON_OUT_OF_MEMORY);
    } else if (r->mode != RIG_HOLD) {
        rig_attach(x);
    }
}

static void
on_answer(struct exchange *ex)
{
    (void)ex;
}

static void
on_back_lost(struct exchange *ex, enum reason why)
{
    (void)why;
    exchange_abort(ex, REASON_UPSTREAM_RESET);
}

static void
on_end(struct exchange *ex)
{
    struct h2_rig *r = of_exchange(ex)->rig;

    r->ends++;
    r->alive--;
    r->outcomes[ex->outcome]++;
    r->last_reason = ex->reason;
}

static void
release(struct exchange *ex)
{
    struct rig_exchange *x = of_exchange(ex);

    x->rig->releases++;
    list_unlink(&x->link);
    free(x);
}

static const struct exchange_handler handler = {
    .on_request = on_request,
    .on_answer = on_answer,
    .on_back_lost = on_back_lost,
    .on_end = on_end,
    .release = release,
};

static struct exchange *
new_exchange(void *ctx, struct session *s)
{
    struct h2_rig *r = ctx;
    struct rig_exchange *x = r->no_exchange ? NULL : calloc(1, sizeof(*x));

    assert_ptr_equal(s, r->s);
    if (!x)
        return NULL;
    r->made++;
    x->rig = r;
    exchange_init(&x->ex, &r->loop, &handler);
    list_push_back(&r->exchanges, &x->link);
    return &x->ex;
}

static void
on_bad_request(void *ctx, struct session *s, enum reason why, const char *detail,
               struct buf *body, char request_id[REQUEST_ID_SIZE])
{
    struct h2_rig *r = ctx;

    (void)s;
    assert_non_null(detail);
    memset(request_id, 'a', REQUEST_ID_SIZE - 1);
    request_id[REQUEST_ID_SIZE - 1] = '\0';
    r->refusals++;
    r->refused_why = why;
    buf_add_str(body, "{}");
}

static void
on_closed(void *ctx, struct session *s, enum reason why)
{
    struct h2_rig *r = ctx;

    assert_ptr_equal(s, r->s);
    r->s = NULL;
    r->why = why;
}

static const struct session_owner owner = {
    .new_exchange = new_exchange,
    .on_bad_request = on_bad_request,
    .on_closed = on_closed,
};

/* --- what comes back ------------------------------------------------------------------------- */

static uint32_t
get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

struct rig_stream *
rig_stream(struct h2_rig *r, int32_t id)
{
    struct rig_stream *s = &r->stream[(id / 2) % RIG_STREAMS];

    if (id > s->id)
        *s = (struct rig_stream){.id = id};
    return s;
}

static void
take_field(struct rig_stream *s, const nghttp2_nv *nv)
{
    size_t n = strlen(s->fields);

    if (nv->namelen == 7 && memcmp(nv->name, ":status", 7) == 0) {
        s->status = (int)strtol((const char *)nv->value, NULL, 10);
        return;
    }
    snprintf(s->fields + n, sizeof(s->fields) - n, "%.*s: %.*s\n", (int)nv->namelen,
             (const char *)nv->name, (int)nv->valuelen, (const char *)nv->value);
}

static void
take_head(struct h2_rig *r, struct rig_stream *s, const uint8_t *p, size_t n)
{
    s->heads++;
    s->trailers = s->status >= 200;
    for (;;) {
        nghttp2_nv nv;
        int flags = 0;
        ssize_t used = nghttp2_hd_inflate_hd2(r->in, &nv, &flags, p, n, 1);

        assert_true(used >= 0);
        p += used;
        n -= (size_t)used;
        if (flags & NGHTTP2_HD_INFLATE_EMIT)
            take_field(s, &nv);
        if (flags & NGHTTP2_HD_INFLATE_FINAL)
            break;
    }
    nghttp2_hd_inflate_end_headers(r->in);
    s->interims += s->status < 200;
}

static void
take_data(struct rig_stream *s, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n && s->bytes + i < sizeof(s->body) - 1; i++)
        s->body[s->bytes + i] = (char)p[i];
    s->bytes += n;
    s->data++;
}

static void
take_frame(struct h2_rig *r, uint8_t type, uint8_t flags, int32_t id, const uint8_t *p, size_t n)
{
    struct rig_stream *s = rig_stream(r, id);

    if (type < RIG_TYPES)
        r->frames[type]++;
    if (type == NGHTTP2_HEADERS) {
        assert_true(flags & NGHTTP2_FLAG_END_HEADERS);
        take_head(r, s, p, n);
    } else if (type == NGHTTP2_DATA) {
        take_data(s, p, n);
    } else if (type == NGHTTP2_RST_STREAM) {
        s->resets++;
        s->code = get32(p);
    } else if (type == NGHTTP2_GOAWAY) {
        r->goaway_last = (int32_t)get32(p);
        r->goaway = get32(p + 4);
    } else if (type == NGHTTP2_WINDOW_UPDATE && id == 0) {
        r->window += get32(p);
    } else if (type == NGHTTP2_WINDOW_UPDATE) {
        r->stream_window[(id / 2) % RIG_STREAMS] += get32(p);
    }
    if ((type == NGHTTP2_HEADERS || type == NGHTTP2_DATA) && flags & NGHTTP2_FLAG_END_STREAM) {
        assert_false(s->end);
        s->end = true;
    }
}

static void
take_frames(struct h2_rig *r)
{
    while (r->got.n >= 9) {
        const uint8_t *p = (const uint8_t *)r->got.p;
        size_t n = (size_t)p[0] << 16 | (size_t)p[1] << 8 | p[2];

        if (r->got.n < 9 + n)
            return;
        assert_true(n <= 16384);
        take_frame(r, p[3], p[4], (int32_t)get32(p + 5), p + 9, n);
        buf_consume(&r->got, 9 + n);
    }
}

static void
read_all(struct h2_rig *r)
{
    char block[65536];
    ssize_t n;

    while (!r->mute && !r->eof && r->fd != -1) {
        n = read(r->fd, block, sizeof(block));
        if (n > 0) {
            assert_int_equal(buf_add(&r->got, block, (size_t)n), 0);
            take_frames(r);
            continue;
        }
        r->eof = n == 0 || errno == ECONNRESET;
        return;
    }
}

void
rig_turn(struct h2_rig *r)
{
    loop_turn(&r->loop, 5 * USEC_MS);
    read_all(r);
}

void
rig_quiet(struct h2_rig *r)
{
    for (int i = 0; i < 6; i++) {
        loop_turn(&r->loop, i < 4 ? 0 : 2 * USEC_MS);
        read_all(r);
    }
}

struct rig_exchange *
rig_exchange(struct h2_rig *r, int32_t id)
{
    list_each_safe(n, next, &r->exchanges) {
        struct rig_exchange *x = container_of(n, struct rig_exchange, link);

        if (x->id == id)
            return x;
    }
    return NULL;
}

/* --- sending --------------------------------------------------------------------------------- */

void
rig_bytes(struct h2_rig *r, const void *p, size_t n)
{
    const char *at = p;

    for (int turns = 0; n > 0; turns++) {
        ssize_t put = send(r->fd, at, n, MSG_NOSIGNAL);

        if (put < 0 && errno == EAGAIN && turns < 10000) {
            loop_turn(&r->loop, 0);
            read_all(r);
            continue;
        }
        if (put < 0)
            return; /* it was cut off */
        at += put;
        n -= (size_t)put;
    }
}

void
rig_frame(struct h2_rig *r, uint8_t type, uint8_t flags, int32_t id, const void *p, size_t n)
{
    uint8_t bytes[9 + 20000] = {(uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n, type, flags,
                                (uint8_t)((uint32_t)id >> 24), (uint8_t)(id >> 16),
                                (uint8_t)(id >> 8), (uint8_t)id};

    assert_true(n <= 20000);
    if (n > 0 && p)
        memcpy(bytes + 9, p, n);
    rig_bytes(r, bytes, 9 + n);
}

void
rig_frame32(struct h2_rig *r, uint8_t type, uint8_t flags, int32_t id, uint32_t v)
{
    uint8_t p[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

    rig_frame(r, type, flags, id, p, 4);
}

void
rig_data(struct h2_rig *r, int32_t id, size_t n, bool end)
{
    rig_frame(r, NGHTTP2_DATA, end ? NGHTTP2_FLAG_END_STREAM : 0, id, NULL, n);
}

void
rig_fields(struct h2_rig *r, int32_t id, uint8_t flags, const char *const *fields)
{
    nghttp2_nv nv[320];
    uint8_t block[16384];
    size_t n = 0;
    ssize_t len;

    for (; fields[2 * n]; n++)
        nv[n] = (nghttp2_nv){.name = (uint8_t *)(uintptr_t)fields[2 * n],
                             .value = (uint8_t *)(uintptr_t)fields[2 * n + 1],
                             .namelen = strlen(fields[2 * n]),
                             .valuelen = strlen(fields[2 * n + 1])};
    len = nghttp2_hd_deflate_hd(r->out, block, sizeof(block), nv, n);
    assert_true(len >= 0);
    rig_frame(r, NGHTTP2_HEADERS, flags | NGHTTP2_FLAG_END_HEADERS, id, block, (size_t)len);
}

void
rig_get(struct h2_rig *r, int32_t id)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", id);
    RIG_FIELDS(r, id, NGHTTP2_FLAG_END_STREAM, RIG_REQUEST("GET", "/"), "x-id", text);
}

void
rig_post(struct h2_rig *r, int32_t id)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", id);
    RIG_FIELDS(r, id, 0, RIG_REQUEST("POST", "/"), "x-id", text);
}

/* --- life ------------------------------------------------------------------------------------ */

void
rig_init(struct h2_rig *r)
{
    *r = (struct h2_rig){.fd = -1, .goaway = -1};
    assert_int_equal(loop_init(&r->loop, &(struct loop_options){.tick = 1000}), 0);
    h2_options_server(&r->o);
    buf_init(&r->got, GOT_MAX);
    list_init(&r->exchanges);
    list_init(&r->backs);
    assert_int_equal(nghttp2_hd_deflate_new(&r->out, 4096), 0);
    assert_int_equal(nghttp2_hd_inflate_new(&r->in), 0);
}

struct session *
rig_try_open(struct h2_rig *r, struct slice early)
{
    struct conn c;
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    r->fd = pair[1];
    if (conn_open_accepted(&c, &r->loop, pair[0], NULL, NULL) < 0)
        return NULL;
    r->s = h2_server_open(&r->loop, &c, early, &r->o, &owner, r);
    return r->s;
}

void
rig_open_early(struct h2_rig *r, struct slice early)
{
    assert_non_null(rig_try_open(r, early));
}

void
rig_open(struct h2_rig *r)
{
    rig_open_early(r, SLICE(NGHTTP2_CLIENT_MAGIC));
    rig_frame(r, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
    rig_quiet(r);
    assert_int_equal(r->frames[NGHTTP2_SETTINGS], 2);
    rig_frame(r, NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, NULL, 0);
    rig_quiet(r);
}

void
rig_fini(struct h2_rig *r)
{
    if (r->s)
        session_close(r->s, REASON_SHUTDOWN);
    for (int i = 0; i < 4; i++)
        loop_turn(&r->loop, 0);
    assert_null(r->s);
    assert_int_equal(r->requests, r->ends);
    assert_int_equal(r->made, r->releases);
    assert_true(list_empty(&r->exchanges));
    list_each_safe(n, next, &r->backs)
        free(container_of(n, struct rig_back, link));
    if (r->fd != -1)
        close(r->fd);
    nghttp2_hd_deflate_del(r->out);
    nghttp2_hd_inflate_del(r->in);
    buf_fini(&r->got);
    loop_fini(&r->loop); /* ensures that no block, buffer or handle is out */
}

int
rig_set_up(void **state)
{
    struct h2_rig *r = malloc(sizeof(*r));

    assert_non_null(r);
    rig_init(r);
    *state = r;
    return 0;
}

int
rig_set_up_open(void **state)
{
    rig_set_up(state);
    rig_open(*state);
    return 0;
}

int
rig_tear_down(void **state)
{
    rig_fini(*state);
    free(*state);
    return 0;
}
