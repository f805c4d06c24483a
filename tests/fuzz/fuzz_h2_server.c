/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_h2_server.c: frames of a client into an HTTP/2 front session behind a real descriptor, cut
 * where their own bytes decide, with a handler that holds, answers, echoes or breaks off. The first
 * byte says how; the preface goes before the rest. Each exchange must end once, and nothing may be
 * left (loop_fini).
 */
#include "config.h"

#include "base/ensure.h"
#include "base/random.h"
#include "http/h2_server.h"
#include "http/memory_end.h"

#include <nghttp2/nghttp2.h>

#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define INPUT_MAX (256u * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz {
    struct loop loop;
    struct h2_options o;
    struct session *s;
    struct random dice;
    unsigned mode;
    unsigned made, requests, ends, releases;
};

struct fuzz_exchange {
    struct exchange ex;
    struct fuzz *f;
};

/* A back that lives as long as the exchange's arena would not: see on_request. */
struct echo {
    struct exchange_end end;
};

static struct fuzz *
of_exchange(struct exchange *ex)
{
    return container_of(ex, struct fuzz_exchange, ex)->f;
}

static void
on_echo_head(struct exchange_end *end)
{
    struct exchange *ex = end->ex;

    head_init(&ex->resp);
    ex->resp.status = 200;
    ex->resp.framing = FRAMING_CHUNKED;
    exchange_answer_ready(ex);
}

static void
on_echo_kick(struct exchange_end *end)
{
    struct exchange *ex = end->ex;
    struct iovec iov[4];
    int n = pipe_peek(&ex->to_back, iov, 4);

    for (int i = 0; i < n; i++) {
        struct slice s = {iov[i].iov_base, iov[i].iov_len};

        if (pipe_room(&ex->to_front) < s.n)
            break;
        if (pipe_write(&ex->to_front, s) < 0)
            abort();
        exchange_drain(&ex->to_back, s.n, ex->front);
    }
    exchange_signal(ex->front, MARK_KICK);
    if (pipe_at_end(&ex->to_back)) {
        pipe_end(&ex->to_front);
        exchange_back_done(ex);
    } else {
        ex->to_front.thirsty = true;
    }
}

static const struct exchange_end_ops echo_ops = {
    .name = "echo",
    .head = on_echo_head,
    .kick = on_echo_kick,
    .credit = on_echo_kick,
};

static void
attach_echo(struct exchange *ex)
{
    struct echo *e = arena_alloc(&ex->arena, sizeof(*e));

    if (!e) {
        exchange_abort(ex, REASON_OUT_OF_MEMORY);
        return;
    }
    exchange_end_init(&e->end, &echo_ops);
    exchange_attach_back(ex, &e->end, true);
}

/* What is forwarded must be one request: what HTTP/1 could write. */
static void
check(const struct head *h)
{
    ensure(h->host.n > 0 && h->target.n > 0 && h->method_text.n > 0);
    ensure(h->target.p[0] == '/' || (h->target.n == 1 && h->target.p[0] == '*'));
    ensure(slice_index(h->target, ' ') < 0 && slice_index(h->target, '#') < 0);
    for (unsigned i = 0; i < h->fields; i++) {
        struct slice v = h->field[i].value, n = h->field[i].name;

        ensure(n.n > 0 && slice_index(n, ':') < 0 && slice_index(n, '\r') < 0);
        for (size_t at = 0; at < v.n; at++)
            ensure(v.p[at] != '\r' && v.p[at] != '\n' && v.p[at] != '\0');
    }
}

static void
on_request(struct exchange *ex)
{
    struct fuzz *f = of_exchange(ex);

    f->requests++;
    check(&ex->req);
    switch ((f->mode + f->requests) % 4) {
    case 0:
        break; /* held */
    case 1:
        head_init(&ex->resp);
        if (memory_answer(ex, 200, SLICE("text/plain"), SLICE("hello")) < 0)
            exchange_abort(ex, REASON_OUT_OF_MEMORY);
        break;
    case 2:
        attach_echo(ex);
        break;
    default:
        exchange_abort(ex, REASON_SHUTDOWN);
        break;
    }
}

static void
on_nothing(struct exchange *ex)
{
    (void)ex;
}

static void
on_back_lost(struct exchange *ex, enum reason why)
{
    exchange_abort(ex, why);
}

static void
on_end(struct exchange *ex)
{
    of_exchange(ex)->ends++;
}

static void
release(struct exchange *ex)
{
    of_exchange(ex)->releases++;
    free(container_of(ex, struct fuzz_exchange, ex));
}

static const struct exchange_handler handler = {
    .on_request = on_request,
    .on_answer = on_nothing,
    .on_back_lost = on_back_lost,
    .on_end = on_end,
    .release = release,
};

static struct exchange *
new_exchange(void *ctx, struct session *s)
{
    struct fuzz_exchange *x = calloc(1, sizeof(*x));

    (void)s;
    if (!x)
        abort();
    x->f = ctx;
    x->f->made++;
    exchange_init(&x->ex, &x->f->loop, &handler);
    return &x->ex;
}

static void
on_bad_request(void *ctx, struct session *s, enum reason why, const char *detail,
               struct buf *body, char request_id[REQUEST_ID_SIZE])
{
    (void)ctx;
    (void)s;
    (void)request_id;
    ensure(detail && reason_row(why)->status >= 400);
    buf_add_str(body, detail);
}

static void
on_closed(void *ctx, struct session *s, enum reason why)
{
    struct fuzz *f = ctx;

    (void)why;
    ensure(f->s == s);
    f->s = NULL;
}

static const struct session_owner owner = {
    .new_exchange = new_exchange,
    .on_bad_request = on_bad_request,
    .on_closed = on_closed,
};

static void
turn(struct fuzz *f, int fd, bool reads)
{
    char block[65536];

    loop_turn(&f->loop, 0);
    while (reads && read(fd, block, sizeof(block)) > 0) {
    }
}

static void
play(struct fuzz *f, int fd, const uint8_t *data, size_t size)
{
    bool reads = (f->mode & 4) == 0;

    while (size > 0 && f->s) {
        size_t n = 1 + random_u64(&f->dice) % (f->mode & 8 ? 20 : 4000);
        ssize_t put = send(fd, data, n < size ? n : size, MSG_NOSIGNAL);

        turn(f, fd, reads);
        if (put <= 0)
            break;
        data += put;
        size -= (size_t)put;
    }
    for (int i = 0; i < 4; i++)
        turn(f, fd, true);
}

static uint64_t
seed_of(const uint8_t *data, size_t size)
{
    uint64_t seed = size;

    for (size_t i = 0; i < size; i++)
        seed = seed * UINT64_C(1099511628211) + data[i];
    return seed;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz f = {.mode = size > 0 ? data[0] : 0};
    struct conn c;
    int pair[2];

    if (size < 1 || size > INPUT_MAX || loop_init(&f.loop, &(struct loop_options){0}) < 0)
        return 0;
    random_seed(&f.dice, seed_of(data, size));
    h2_options_server(&f.o);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0 ||
        conn_open_accepted(&c, &f.loop, pair[0], NULL, NULL) < 0)
        abort();
    f.s = h2_server_open(&f.loop, &c, SLICE(NGHTTP2_CLIENT_MAGIC), &f.o, &owner, &f);
    if (!f.s)
        abort();
    turn(&f, pair[1], true);
    play(&f, pair[1], data + 1, size - 1);
    if (f.s && f.mode & 16)
        session_drain(f.s);
    close(pair[1]);
    for (int i = 0; i < 4; i++)
        loop_turn(&f.loop, 0);
    if (f.s)
        session_close(f.s, REASON_SHUTDOWN);
    for (int i = 0; i < 3; i++)
        loop_turn(&f.loop, 0);
    ensure(f.made == f.releases && f.requests == f.ends);
    loop_fini(&f.loop);
    return 0;
}
