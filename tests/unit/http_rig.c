/* SPDX-License-Identifier: BSD-2-Clause */
/* http_rig.c: see http_rig.h. */
#include "config.h"

#include "http_rig.h"

#include "http/memory_end.h"
#include "net/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define GOT_MAX (8u << 20)

struct rig_exchange {
    struct exchange ex;
    struct rig *rig;
};

void
rig_pair(int *ours, int *theirs)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(a);
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(listener, (struct sockaddr *)&a, n), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &n), 0);
    *theirs = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(*theirs, (struct sockaddr *)&a, n), 0);
    *ours = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(*ours >= 0);
    setsockopt(*theirs, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    assert_int_equal(fcntl(*theirs, F_SETFL, O_NONBLOCK), 0);
    close(listener);
}

static void
pair_for(const struct rig *r, int *ours, int *theirs)
{
    int fd[2];

    if (!r->local) {
        rig_pair(ours, theirs);
        return;
    }
    assert_int_equal(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd), 0);
    *ours = fd[0];
    *theirs = fd[1];
}

/* --- far ends ------------------------------------------------------------------------------- */

static void
peer_open(struct rig_peer *p, int fd)
{
    buf_fini(&p->got);
    buf_init(&p->got, GOT_MAX);
    p->fd = fd;
    p->eof = p->reset = false;
}

static void
peer_read(struct rig_peer *p)
{
    char bytes[65536];
    ssize_t n;

    while (p->fd >= 0 && !p->eof && !p->reset) {
        n = recv(p->fd, bytes, sizeof(bytes), 0);
        if (n > 0)
            assert_int_equal(buf_add(&p->got, bytes, (size_t)n), 0);
        else if (n == 0)
            p->eof = true;
        else if (errno == EAGAIN)
            return;
        else
            p->reset = true;
    }
}

void
peer_send_bytes(struct rig_peer *p, const char *bytes, size_t n)
{
    assert_int_equal(send(p->fd, bytes, n, MSG_NOSIGNAL), (ssize_t)n);
}

void
peer_send(struct rig_peer *p, const char *text)
{
    peer_send_bytes(p, text, strlen(text));
}

void
peer_fin(struct rig_peer *p)
{
    shutdown(p->fd, SHUT_WR);
}

void
peer_close(struct rig_peer *p)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
}

void
peer_reset(struct rig_peer *p)
{
    struct linger hard = {.l_onoff = 1, .l_linger = 0};

    setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    peer_close(p);
}

bool
peer_has(const struct rig_peer *p, const char *text)
{
    return p->got.n > 0 && memmem(p->got.p, p->got.n, text, strlen(text)) != NULL;
}

bool
peer_got(struct rig_peer *p, const char *text)
{
    if (!slice_eq(buf_slice(&p->got), slice_of(text)))
        return false;
    buf_clear(&p->got);
    return true;
}

/* --- back sessions -------------------------------------------------------------------------- */

static void
on_room(void *ctx, struct back *b)
{
    struct rig *r = ctx;

    assert_ptr_equal(b, r->session);
    r->session_idle = true;
}

static void
on_session_closed(void *ctx, struct back *b, enum reason why)
{
    struct rig *r = ctx;

    if (b != r->session)
        return;
    r->session = NULL;
    r->session_idle = false;
    r->session_why = why;
}

static const struct back_owner session_owner = {
    .on_room = on_room,
    .on_closed = on_session_closed,
};

static void
on_plain_event(struct conn *c, unsigned events)
{
    (void)c;
    (void)events;
}

static const struct conn_owner plain_owner = {.name = "rig", .on_event = on_plain_event};

static void
relay(struct rig *r, struct exchange *ex)
{
    struct conn c;
    int ours, theirs;

    if (r->session && r->session_idle) {
        r->session_idle = false;
        back_serve(r->session, ex);
        return;
    }
    pair_for(r, &ours, &theirs);
    peer_close(&r->origin);
    peer_open(&r->origin, theirs);
    assert_int_equal(conn_open_accepted(&c, &r->loop, ours, NULL, &plain_owner), 0);
    r->session = h1_client_open(&r->loop, &c, &r->back, &session_owner, r);
    assert_non_null(r->session);
    r->backs++;
    back_serve(r->session, ex);
}

/* --- the handler ---------------------------------------------------------------------------- */

static struct rig *
rig_of(struct exchange *ex)
{
    return container_of(ex, struct rig_exchange, ex)->rig;
}

/* True: the session was closed here, as the test wants it. */
static bool
closes(struct rig *r, enum rig_place place)
{
    if (r->close_at != place || !r->server)
        return false;
    session_close(r->server, REASON_SHUTDOWN);
    return true;
}

static void
answer(struct exchange *ex, uint16_t status, const char *body)
{
    head_init(&ex->resp);
    if (memory_answer(ex, status, SLICE("text/plain"), slice_of(body)) < 0)
        exchange_abort(ex, REASON_OUT_OF_MEMORY);
}

static void
on_request(struct exchange *ex)
{
    struct rig *r = rig_of(ex);

    r->requests++;
    r->upgrade = ex->req.upgrade;
    head_strip(&ex->req, true);
    ex->half_close_waits = r->half_close_waits;
    if (closes(r, RIG_ON_REQUEST))
        return;
    if (r->retain)
        pipe_retain(&ex->to_back);
    if (r->mode == RIG_RELAY)
        relay(r, ex);
    else if (r->mode == RIG_ANSWER)
        answer(ex, 200, r->answer);
}

void
rig_release(struct rig *r)
{
    assert_non_null(r->ex);
    relay(r, r->ex);
}

static void
on_answer(struct exchange *ex)
{
    struct rig *r = rig_of(ex);

    r->answers++;
    if (closes(r, RIG_ON_ANSWER))
        return;
    head_strip(&ex->resp, false);
}

static void
on_back_lost(struct exchange *ex, enum reason why)
{
    struct rig *r = rig_of(ex);

    r->losses++;
    r->lost_why = why;
    if (closes(r, RIG_ON_BACK_LOST))
        return;
    if (r->resend && exchange_can_resend(ex))
        relay(r, ex);
    else
        answer(ex, 502, reason_slug(why));
}

static void
on_silence(struct exchange *ex)
{
    rig_of(ex)->silences++;
}

static void
on_end(struct exchange *ex)
{
    struct rig *r = rig_of(ex);

    r->ends++;
    r->outcome = ex->outcome;
    r->outcomes[ex->outcome]++;
    r->reason = ex->reason;
    r->delivered = ex->delivered;
    closes(r, RIG_ON_END);
}

static void
release(struct exchange *ex)
{
    struct rig *r = rig_of(ex);

    r->releases++;
    if (r->ex == ex)
        r->ex = NULL;
    free(container_of(ex, struct rig_exchange, ex));
}

static const struct exchange_handler handler = {
    .on_request = on_request,
    .on_answer = on_answer,
    .on_back_lost = on_back_lost,
    .on_silence = on_silence,
    .on_end = on_end,
    .release = release,
};

/* --- the front session ---------------------------------------------------------------------- */

static struct exchange *
new_exchange(void *ctx, struct session *s)
{
    struct rig *r = ctx;
    struct rig_exchange *x = calloc(1, sizeof(*x));

    assert_ptr_equal(s, r->server);
    assert_non_null(x);
    x->rig = r;
    exchange_init(&x->ex, &r->loop, &handler);
    r->ex = &x->ex;
    closes(r, RIG_NEW_EXCHANGE);
    return &x->ex;
}

static void
on_bad_request(void *ctx, struct session *s, enum reason why, const char *detail,
               struct buf *body, char request_id[REQUEST_ID_SIZE])
{
    struct rig *r = ctx;

    (void)request_id;
    assert_ptr_equal(s, r->server);
    assert_non_null(detail);
    r->refusals++;
    r->refused_why = why;
    buf_add_str(body, "{}\n");
    closes(r, RIG_ON_BAD_REQUEST);
}

static void
on_closed(void *ctx, struct session *s, enum reason why)
{
    struct rig *r = ctx;

    assert_ptr_equal(s, r->server);
    r->server = NULL;
    r->server_why = why;
}

static const struct session_owner server_owner = {
    .new_exchange = new_exchange,
    .on_bad_request = on_bad_request,
    .on_closed = on_closed,
};

static bool
on_announced(void *ctx, struct arrival *a)
{
    (void)ctx;
    (void)a;
    fail_msg("nobody was announced");
    return false;
}

static void
on_ready(void *ctx, struct arrival *a, struct conn *c, enum arrival_protocol protocol,
         struct slice early)
{
    struct rig *r = ctx;

    assert_ptr_equal(a, r->arrival);
    assert_int_equal(protocol, ARRIVAL_H1);
    r->arrival = NULL;
    r->server = h1_server_adopt(&r->loop, c, early, a->first, &r->front, &server_owner, r);
    assert_non_null(r->server);
}

static void
on_gone(void *ctx, struct arrival *a, enum reason why, const char *detail)
{
    struct rig *r = ctx;

    (void)detail;
    assert_ptr_equal(a, r->arrival);
    r->arrival = NULL;
    r->server_why = why;
}

static const struct arrival_owner arrival_owner = {
    .on_announced = on_announced,
    .on_ready = on_ready,
    .on_gone = on_gone,
};

static void
open_arrival(struct rig *r, int fd)
{
    r->arrival_options.idle = r->front.idle;
    r->arrival_options.head_time = r->front.head_time;
    r->arrival = arrival_open(&r->hall, fd, NULL, &r->arrival_options, &arrival_owner, r);
    assert_non_null(r->arrival);
}

static void
open_session(struct rig *r, int fd)
{
    r->server = h1_server_open(&r->loop, fd, NULL, &r->front, &server_owner, r);
    assert_non_null(r->server);
}

void
rig_connect(struct rig *r)
{
    int ours, theirs;

    assert_false(rig_is_open(r));
    peer_close(&r->client);
    pair_for(r, &ours, &theirs);
    peer_open(&r->client, theirs);
    (RIG_ARRIVES ? open_arrival : open_session)(r, ours);
}

bool
rig_is_open(const struct rig *r)
{
    return r->server || r->arrival;
}

void
rig_drain(struct rig *r)
{
    if (r->server)
        session_drain(r->server);
    if (r->arrival)
        arrival_drain(r->arrival);
}

void
rig_close(struct rig *r)
{
    if (r->server)
        session_close(r->server, REASON_SHUTDOWN);
    if (r->arrival)
        arrival_close(r->arrival, REASON_SHUTDOWN);
}

void
rig_init(struct rig *r, bool local)
{
    *r = (struct rig){.local = local, .client.fd = -1, .origin.fd = -1, .answer = "hello"};
    assert_int_equal(loop_init(&r->loop, &(struct loop_options){.tick = 1000}), 0);
    buf_init(&r->client.got, GOT_MAX);
    buf_init(&r->origin.got, GOT_MAX);
    h1_server_options_init(&r->front);
    h1_client_options_init(&r->back);
    arrival_hall_init(&r->hall, &r->loop);
    arrival_options_init(&r->arrival_options);
    r->arrival_options.h2 = true;
    rig_connect(r);
}

static void
turn(struct rig *r, usec_t wait)
{
    loop_turn(&r->loop, wait);
    peer_read(&r->client);
    peer_read(&r->origin);
}

void
rig_turn(struct rig *r)
{
    turn(r, 5 * USEC_MS);
}

void
rig_turn_now(struct rig *r)
{
    turn(r, 0);
}

void
rig_quiet(struct rig *r)
{
    for (int i = 0; i < 6; i++)
        rig_turn(r);
}

void
rig_fini(struct rig *r)
{
    rig_close(r);
    if (r->session)
        back_close(r->session, REASON_SHUTDOWN);
    for (int i = 0; i < 4; i++)
        loop_turn(&r->loop, 0);
    assert_int_equal(r->requests, r->ends);
    assert_null(r->ex);
    peer_close(&r->client);
    peer_close(&r->origin);
    buf_fini(&r->client.got);
    buf_fini(&r->origin.got);
    arrival_hall_fini(&r->hall);
    loop_fini(&r->loop); /* ensures that no block, buffer or handle is out */
}
