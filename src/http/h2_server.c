/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h2_server.c: the life of an HTTP/2 front session: what it announces, when it ends. GOAWAY is said
 * only when no stream is open, or when a client will not let go: there are clients that destroy
 * their connection on any GOAWAY, calls in flight included. Owner: the gateway's worker; one loop.
 */
#include "config.h"

#include "http/h2_server_priv.h"

#include <stddef.h>
#include <stdlib.h>

/* Seconds, probes, and how long bytes may stay unacknowledged: a client that vanished without a
 * word, while a stream of its waits for something. */
#define KEEP_IDLE 60
#define KEEP_INTERVAL 15
#define KEEP_PROBES 4
#define KEEP_USER (120 * USEC_SEC)
#define FIRST_REQUEST USEC_SEC /* while draining: who has not sent one yet gets so long */
/* Nobody was served for so long: hardly is a request on its way that GOAWAY would meet. */
#define QUIET (100 * USEC_MS)

struct h2_server *
h2_server_of(struct h2 *h)
{
    return container_of(h, struct h2_server, h);
}

/* --- deadlines ------------------------------------------------------------------------------ */

/* When it will have been busy for so long beyond its age, or its requests, that it is told to
 * go. */
static usec_t
too_old(const struct h2_server *sv)
{
    if (sv->leaving)
        return USEC_NEVER;
    if (sv->session.requests / 2 >= sv->h.o->max_requests)
        return 0;
    return sv->old == USEC_NEVER ? USEC_NEVER
                                 : usec_add(sv->old, (sv->old - sv->h.opened) / 10);
}

/* Does it end as soon as nobody is served? */
static bool
is_worn_out(const struct h2_server *sv)
{
    return sv->draining || sv->leaving || sv->h.worn ||
           sv->session.requests >= sv->h.o->max_requests || sv->old <= sv->h.loop->now;
}

/* Nobody is served: when does it end? */
static usec_t
end_at(const struct h2_server *sv)
{
    const struct h2 *h = &sv->h;

    if (sv->draining && sv->session.requests == 0)
        return usec_add(h->since, FIRST_REQUEST);
    if (is_worn_out(sv))
        return usec_add(h->since, QUIET);
    return usec_min(usec_add(h->since, h->o->idle), usec_max(sv->old, usec_add(h->since, QUIET)));
}

static usec_t
first_at(const struct list *of)
{
    struct list *first = list_first(of);

    return first ? container_of(first, struct h2_stream, todo)->at : USEC_NEVER;
}

static usec_t
on_due_at(struct h2 *h)
{
    const struct h2_server *sv = h2_server_of(h);
    usec_t due = usec_min(too_old(sv), usec_min(first_at(&sv->waiting), first_at(&sv->early)));

    return h->open > 0 ? due : usec_min(due, end_at(sv));
}

static void
on_due(struct h2 *h)
{
    struct h2_server *sv = h2_server_of(h);

    h2_server_announce(sv);
    h2_server_dismiss(sv);
    if (too_old(sv) <= h->loop->now) {
        sv->leaving = true;
        nghttp2_submit_goaway(h->ng, NGHTTP2_FLAG_NONE,
                              nghttp2_session_get_last_proc_stream_id(h->ng), NGHTTP2_NO_ERROR,
                              NULL, 0);
        loop_queue_flush(h->loop, &h->flush);
    }
    if (h->open > 0 || end_at(sv) > h->loop->now)
        return;
    h2_end(h, NGHTTP2_NO_ERROR, sv->draining      ? REASON_SHUTDOWN
                                : is_worn_out(sv) ? REASON_NONE
                                                  : REASON_IDLE);
}

/* --- hooks of the core ---------------------------------------------------------------------- */

static void
on_stream_free(struct h2_stream *s)
{
    struct buf *text = s->more;

    h2_server_of(s->h)->session.open = s->h->open;
    h2_server_of(s->h)->head_bytes -= s->head_bytes;
    if (!text)
        return;
    buf_fini(text);
    free(text);
    s->more = NULL;
}

/* Its last request takes it past a limit: a deadline comes nearer. */
static void
on_idle(struct h2 *h)
{
    h2_arm(h, end_at(h2_server_of(h)));
}

static void
on_closed(struct h2 *h, enum reason why)
{
    struct session *session = &h2_server_of(h)->session;

    session->owner->on_closed(session->ctx, session, why);
}

static void
on_reap(struct h2 *h)
{
    free(h2_server_of(h));
}

static const struct h2_role role = {
    .server = true,
    .left = REASON_CLIENT_LEFT,
    .broken = REASON_REQUEST_INVALID,
    .on_head = h2_server_on_head,
    .on_end = h2_server_on_end,
    .on_out = h2_server_on_out,
    .on_sent = h2_server_on_sent,
    .trailers = h2_server_trailers,
    .on_lost = h2_server_on_lost,
    .on_stream_free = on_stream_free,
    .on_idle = on_idle,
    .due = on_due_at,
    .on_due = on_due,
    .on_closed = on_closed,
    .on_reap = on_reap,
};

/* --- a session's ---------------------------------------------------------------------------- */

static void
on_event(struct conn *c, unsigned events)
{
    h2_on_event(&container_of(c, struct h2_server, session.conn)->h, events);
}

static const struct conn_owner conn_owner = {.name = "front", .on_event = on_event};

static void
on_drain(struct session *session)
{
    struct h2_server *sv = container_of(session, struct h2_server, session);
    struct h2 *h = &sv->h;

    if (sv->draining)
        return;
    sv->draining = true;
    if (h->open > 0 || h->state != H2_OPEN)
        return;
    if (session->requests == 0)
        h->since = h->loop->now;
    h2_arm(h, end_at(sv));
}

static void
on_close(struct session *session, enum reason why)
{
    struct h2_server *sv = container_of(session, struct h2_server, session);

    h2_say_goaway(&sv->h, NGHTTP2_NO_ERROR);
    h2_close(&sv->h, why);
}

static const struct session_ops session_ops = {.name = "h2", .drain = on_drain, .close = on_close};

static int
announce(struct h2 *h)
{
    const struct h2_options *o = h->o;
    const nghttp2_settings_entry entries[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, o->streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, h->stream_window},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, o->list_bytes},
        {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };

    if (nghttp2_submit_settings(h->ng, NGHTTP2_FLAG_NONE, entries,
                                sizeof(entries) / sizeof(entries[0])) != 0)
        return -1;
    return nghttp2_session_set_local_window_size(h->ng, NGHTTP2_FLAG_NONE, 0,
                                                 (int32_t)o->conn_window);
}

/* Give or take a tenth, so that those who came together do not go together. */
static usec_t
age_of(struct h2 *h)
{
    usec_t age = h->o->age;

    if (age == USEC_OFF || age < 10)
        return age == USEC_OFF ? USEC_NEVER : h->loop->now;
    return usec_add(h->loop->now,
                    age - age / 10 + (usec_t)(random_u64(&h->loop->random) % (uint64_t)(age / 5)));
}

static int
open_parts(struct h2_server *sv, struct loop *l, struct slice early, const struct h2_options *o)
{
    struct h2 *h = &sv->h;

    list_init(&sv->session.link);
    list_init(&sv->waiting);
    list_init(&sv->early);
    h->role = &role;
    h->conn = &sv->session.conn;
    h->loop = l;
    h->o = o;
    if (h2_init(h) < 0)
        return -1;
    sv->old = age_of(h);
    h2_arm(h, on_due_at(h));
    if (announce(h) == 0 && h2_early(h, early) == 0)
        return 0;
    h2_abandon(h);
    return -1;
}

struct session *
h2_server_open(struct loop *l, struct conn *c, struct slice early, const struct h2_options *o,
               const struct session_owner *owner, void *ctx)
{
    struct h2_server *sv = calloc(1, sizeof(*sv));

    if (!sv || open_parts(sv, l, early, o) < 0) {
        conn_close(c, true);
        free(sv);
        return NULL;
    }
    sv->session.ops = &session_ops;
    sv->session.owner = owner;
    sv->session.ctx = ctx;
    if (conn_move(&sv->session.conn, c, &conn_owner) < 0) {
        h2_abandon(&sv->h);
        free(sv);
        return NULL;
    }
    conn_keep_alive(&sv->session.conn, KEEP_IDLE, KEEP_INTERVAL, KEEP_PROBES, KEEP_USER);
    return &sv->session;
}
