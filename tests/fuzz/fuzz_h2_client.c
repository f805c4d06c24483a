/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_h2_client.c: frames of a sandbox into an HTTP/2 back behind a real descriptor, cut where
 * their own bytes decide; a few exchanges wait for what comes: GET, HEAD, POST with a body and with
 * an unfinished one, a WebSocket. The first byte says how their fronts behave. What goes on to a
 * client must be one answer, each exchange must end once, and nothing may be left (loop_fini).
 */
#include "config.h"

#include "base/ensure.h"
#include "base/random.h"
#include "http/h2_client.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define INPUT_MAX (256u * 1024)
#define CALLS 6

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct call {
    struct exchange ex;
    struct exchange_end front;
    bool lazy, head;
    unsigned finals, ends, releases;
    uint64_t bytes;
};

struct fuzz {
    struct loop loop;
    struct h2_options o;
    struct back *back;
    struct random dice;
    unsigned mode;
    struct call call[CALLS];
};

/* --- a front that judges what it is to send ------------------------------------------------- */

static void
check(const struct head *h)
{
    ensure(h->status >= 100 && h->status <= 599);
    ensure(h->fields <= 200);
    for (unsigned i = 0; i < h->fields; i++) {
        struct slice v = h->field[i].value, n = h->field[i].name;

        ensure(n.n > 0 && slice_index(n, ':') < 0 && slice_index(n, '\r') < 0);
        ensure(h->field[i].id != FIELD_CONNECTION && h->field[i].id != FIELD_TRANSFER_ENCODING);
        for (size_t at = 0; at < v.n; at++)
            ensure(v.p[at] != '\r' && v.p[at] != '\n' && v.p[at] != '\0');
    }
}

static void
on_head(struct exchange_end *end)
{
    struct call *c = container_of(end, struct call, front);

    check(&c->ex.resp);
    if (!c->ex.answer_here) {
        ensure(c->ex.resp.status < 200 && c->ex.resp.status != 100);
        return;
    }
    ensure(c->finals++ == 0);
    ensure((c->ex.resp.status == 101) == (c->ex.tunnel != NULL));
    c->head = true;
}

static void
on_kick(struct exchange_end *end)
{
    struct call *c = container_of(end, struct call, front);
    struct pipe *p = &c->ex.to_front;
    const struct head *h = &c->ex.resp;
    struct iovec v;

    if (!c->head || (c->lazy && !pipe_closed(p)))
        return;
    while (pipe_peek(p, &v, 1) == 1) {
        c->bytes += v.iov_len;
        exchange_drain(p, v.iov_len, c->ex.back);
    }
    if (!pipe_closed(p))
        return;
    if (p->ended && !c->ex.tunnel) { /* complete: as long as it said */
        ensure(h->framing != FRAMING_LENGTH || head_bodiless(h, c->ex.req.method) ||
               c->bytes == h->length);
        ensure(!head_bodiless(h, c->ex.req.method) || c->bytes == 0);
        ensure(h->trailers <= 32);
    }
    if (!c->ex.back || p->aborted)
        exchange_front_done(&c->ex);
}

static void
on_credit(struct exchange_end *end)
{
    (void)end;
}

static const struct exchange_end_ops front_ops = {
    .name = "fuzz",
    .head = on_head,
    .kick = on_kick,
    .credit = on_credit,
};

/* --- the handler ---------------------------------------------------------------------------- */

static void
on_nothing(struct exchange *ex)
{
    (void)ex;
}

static void
on_back_lost(struct exchange *ex, enum reason why)
{
    ensure(why != REASON_NONE);
    exchange_abort(ex, why);
}

static void
on_end(struct exchange *ex)
{
    container_of(ex, struct call, ex)->ends++;
}

static void
release(struct exchange *ex)
{
    container_of(ex, struct call, ex)->releases++;
}

static const struct exchange_handler handler = {
    .on_request = on_nothing,
    .on_answer = on_nothing,
    .on_back_lost = on_back_lost,
    .on_silence = on_nothing,
    .on_end = on_end,
    .release = release,
};

static void
ask(struct fuzz *f, unsigned n)
{
    static const char *const methods[CALLS] = {"GET", "POST", "HEAD", "POST", "GET", "PUT"};
    struct call *c = &f->call[n];
    struct head *h = &c->ex.req;

    exchange_init(&c->ex, &f->loop, &handler);
    exchange_end_init(&c->front, &front_ops);
    exchange_attach_front(&c->ex, &c->front);
    exchange_request_ready(&c->ex);
    h->method_text = slice_of(methods[n]);
    h->method = method_of(h->method_text);
    h->target = SLICE("/");
    h->host = SLICE("h");
    h->te_trailers = n & 1;
    h->upgrade = n == 4;
    if (n & 1) {
        h->framing = n == 1 ? FRAMING_LENGTH : FRAMING_CHUNKED;
        h->length = 4;
        if (pipe_write(&c->ex.to_back, SLICE("body")) < 0)
            abort();
    }
    if (n < 3 || n == 5)
        pipe_end(&c->ex.to_back);
    c->lazy = f->mode >> n & 1;
    if (f->back && back_room(f->back) > 0)
        back_serve(f->back, &c->ex);
}

/* --- the far end ---------------------------------------------------------------------------- */

static void
on_room(void *ctx, struct back *b)
{
    struct fuzz *f = ctx;

    ensure(f->back == b);
}

static void
on_closed(void *ctx, struct back *b, enum reason why)
{
    struct fuzz *f = ctx;

    (void)why;
    ensure(f->back == b);
    f->back = NULL;
}

static const struct back_owner owner = {.on_room = on_room, .on_closed = on_closed};

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
    bool reads = (f->mode & 64) == 0;

    while (size > 0 && f->back) {
        size_t n = 1 + random_u64(&f->dice) % (f->mode & 128 ? 20 : 4000);
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

static void
finish(struct fuzz *f)
{
    for (int i = 0; i < 4; i++)
        loop_turn(&f->loop, 0);
    if (f->back)
        back_close(f->back, REASON_SHUTDOWN);
    for (int i = 0; i < 3; i++)
        loop_turn(&f->loop, 0);
    for (unsigned i = 0; i < CALLS; i++)
        if (f->call[i].releases == 0)
            exchange_front_lost(&f->call[i].ex, REASON_CLIENT_LEFT);
    for (int i = 0; i < 3; i++)
        loop_turn(&f->loop, 0);
    for (unsigned i = 0; i < CALLS; i++)
        ensure(f->call[i].ends == 1 && f->call[i].releases == 1);
    loop_fini(&f->loop);
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
    h2_options_client(&f.o);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0 ||
        conn_open_accepted(&c, &f.loop, pair[0], NULL, NULL) < 0)
        abort();
    f.back = h2_client_open(&f.loop, &c, &f.o, &owner, &f);
    if (!f.back)
        abort();
    for (unsigned i = 0; i < CALLS; i++)
        ask(&f, i);
    turn(&f, pair[1], true);
    play(&f, pair[1], data + 1, size - 1);
    close(pair[1]);
    finish(&f);
    return 0;
}
