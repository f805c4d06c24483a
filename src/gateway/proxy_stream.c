/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxy_stream.c: see proxy_stream.h. A look every 15 s, or four in a site's idle.tunnel and
 * idle.stream: bytes cost nothing here. It must not know how a stream is carried. Owner: the
 * worker's thread.
 *
 *     moving -- nothing moved for the site's limit --> closing (tunnels: Close 1001) --> cut
 *     half open, or ended and not drained, nothing moved for a minute --> cut
 *     told to end --> closing (tunnels: with a code at a frame boundary) --> cut a second later
 *
 * An answer is cut by taking its back away: what came of it is still sent, and then it breaks off
 * so that it does not look complete.
 */
#include "config.h"

#include "gateway/proxy_stream.h"

#include "gateway/proxy.h"
#include "http/tunnel.h"

#define LOOK_EVERY (15 * USEC_SEC)
#define HALF_OPEN_FOR (60 * USEC_SEC)
#define CLOSING_FOR USEC_SEC
/* An answer without length that has lasted so long is a stream, whatever it calls itself. */
#define LASTS (10 * USEC_SEC)

static struct proxy *
of_link(struct list *n)
{
    return container_of(n, struct proxy_stream, link)->p;
}

/* --- what it is ----------------------------------------------------------------------------- */

static bool
is_events(struct slice type)
{
    return slice_istarts(type, SLICE("text/event-stream")) ||
           slice_istarts(type, SLICE("application/grpc")) ||
           slice_istarts(type, SLICE("application/connect+"));
}

static enum stream_kind
kind_of(const struct exchange *ex)
{
    const struct head *h = &ex->resp;

    if (ex->tunnel)
        return STREAM_TUNNEL;
    if (head_bodiless(h, ex->req.method) ||
        (h->framing != FRAMING_CHUNKED && h->framing != FRAMING_CLOSE))
        return STREAM_NONE;
    return is_events(head_value(h, FIELD_CONTENT_TYPE)) ? STREAM_EVENTS : STREAM_ANSWER;
}

/* --- ends ----------------------------------------------------------------------------------- */

/* It does not end by itself, or has had its time for that. */
static void
cut(struct proxy *p, enum reason why)
{
    if (p->stream->kind == STREAM_TUNNEL)
        exchange_abort(&p->ex, why);
    else
        exchange_detach_back(&p->ex, why);
}

static void
end_stream(struct proxy *p, uint16_t code, struct slice text, enum reason why)
{
    struct proxy_stream *s = p->stream;

    if (s->closing || p->ex.ended)
        return;
    s->closing = true;
    if (s->kind != STREAM_TUNNEL) {
        cut(p, why);
        return;
    }
    tunnel_close(&p->ex, code, text, why);
    loop_timer_set(p->ex.loop, &s->timer, p->ex.loop->now + CLOSING_FOR);
}

/* --- is it in use? -------------------------------------------------------------------------- */

static usec_t
idle_limit(const struct proxy *p)
{
    return p->stream->kind == STREAM_TUNNEL ? p->site->idle_tunnel : p->site->idle_stream;
}

static uint64_t
moved(const struct exchange *ex)
{
    return ex->to_back.written + ex->to_back.drained + ex->to_front.written +
           ex->to_front.drained;
}

static bool
is_half_open(const struct proxy *p)
{
    return p->stream->kind == STREAM_TUNNEL &&
           (pipe_closed(&p->ex.to_back) || pipe_closed(&p->ex.to_front));
}

/* When to look again: never at an answer that may stay as long as it likes. */
static void
arm(struct proxy *p)
{
    usec_t limit = idle_limit(p), every = p->stream->kind == STREAM_TUNNEL ? LOOK_EVERY : USEC_OFF;

    if (limit != USEC_OFF)
        every = usec_min(every, limit / 4);
    if (every != USEC_OFF)
        loop_timer_set(p->ex.loop, &p->stream->timer, usec_add(p->ex.loop->now, every));
}

static void
on_timer(struct wheel_timer *t)
{
    struct proxy_stream *s = container_of(t, struct proxy_stream, timer);
    struct proxy *p = s->p;
    usec_t now = p->ex.loop->now;
    uint64_t bytes = moved(&p->ex);

    if (p->ex.ended)
        return;
    if (s->closing) {
        cut(p, p->ex.tunnel ? p->ex.tunnel->why : REASON_IDLE);
        return;
    }
    if (bytes != s->moved) {
        s->moved = bytes;
        s->since = now;
    }
    if (now - s->since >= idle_limit(p))
        end_stream(p, TUNNEL_GOING_AWAY, SLICE("idle"), REASON_IDLE);
    else if (is_half_open(p) && now - s->since >= HALF_OPEN_FOR)
        cut(p, REASON_IDLE);
    else
        arm(p);
}

/* --- its life ------------------------------------------------------------------------------- */

int
proxy_stream_begin(struct proxy *p)
{
    enum stream_kind kind = kind_of(&p->ex);
    struct proxy_stream *s;

    if (kind == STREAM_NONE || !p->use)
        return 0;
    s = arena_alloc(&p->ex.arena, sizeof(*s));
    if (!s)
        return -1;
    *s = (struct proxy_stream){.p = p, .kind = kind, .moved = moved(&p->ex)};
    s->began = s->since = p->ex.loop->now;
    wheel_timer_init(&s->timer, on_timer);
    p->stream = s;
    list_push_back(&p->w->streams, &s->link);
    if (kind != STREAM_ANSWER)
        view_stream(p->use, 1);
    if (kind == STREAM_TUNNEL)
        metric_add(p->ex.loop->metrics, METRIC_TUNNELS_OPEN, 1);
    arm(p);
    return 0;
}

void
proxy_stream_end(struct proxy *p)
{
    struct proxy_stream *s = p->stream;

    if (!s)
        return;
    if (p->use && s->kind != STREAM_ANSWER)
        view_stream(p->use, -1);
    if (s->kind == STREAM_TUNNEL)
        metric_add(p->ex.loop->metrics, METRIC_TUNNELS_OPEN, -1);
    list_unlink(&s->link);
    loop_timer_cancel(p->ex.loop, &s->timer);
    p->stream = NULL;
}

/* --- all of them ---------------------------------------------------------------------------- */

static struct slice
text_of(enum reason why)
{
    return why == REASON_SANDBOX_PAUSED ? SLICE("sandbox paused") : SLICE("sandbox gone");
}

void
proxy_streams_close(struct worker *w, uint64_t sandbox, uint16_t code, enum reason why)
{
    list_each_safe(n, next, &w->streams) {
        struct proxy *p = of_link(n);

        if (p->route.sandbox != sandbox)
            continue;
        if (p->stream->kind == STREAM_ANSWER && w->loop.now - p->stream->began < LASTS)
            continue;
        end_stream(p, code, text_of(why), why);
    }
}

void
proxy_streams_restart(struct worker *w)
{
    list_each_safe(n, next, &w->streams) {
        struct proxy *p = of_link(n);

        if (p->stream->kind == STREAM_TUNNEL)
            end_stream(p, TUNNEL_RESTART, SLICE("restart"), REASON_SHUTDOWN);
    }
}

unsigned
proxy_streams_spare(struct worker *w)
{
    unsigned tunnels = 0;

    list_each(n, &w->streams) {
        struct proxy *p = of_link(n);

        if (p->stream->kind != STREAM_TUNNEL || p->ex.ended)
            continue;
        p->session->spared = true;
        tunnels++;
    }
    return tunnels;
}
