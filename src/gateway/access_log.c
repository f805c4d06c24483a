/* SPDX-License-Identifier: BSD-2-Clause */
/* access_log.c: see access_log.h. Owner: the exchange's worker. */
#include "config.h"

#include "gateway/access_log.h"
#include "gateway/classify.h"
#include "http/tunnel.h"

#define PATH_MAX_LOGGED 256
#define AGENT_MAX_LOGGED 160

static unsigned
status_of(const struct exchange *ex)
{
    if (ex->outcome == END_CLIENT_LEFT && !ex->tunnel)
        return 499;
    return ex->resp.status;
}

static const char *
role_of(const struct proxy *p)
{
    if (p->leader)
        return "leader";
    if (p->woken)
        return "joined";
    return p->ex.reason == REASON_WAKE_NOT_ALLOWED ? "ignored" : "none";
}

/* Who ended it, and in which phase: HAProxy's two letters, spelled out. */
static const char *
ended_by(const struct exchange *ex)
{
    if (ex->outcome == END_CLIENT_LEFT)
        return "client";
    if (ex->outcome == END_ANSWERED)
        return ex->reason == REASON_NONE ? "-" : "gateway";
    if (ex->tunnel && ex->tunnel->closing && ex->tunnel->code != TUNNEL_BAD_GATEWAY)
        return "gateway";
    return "upstream";
}

static const char *
phase_of(const struct proxy *p)
{
    if (p->ex.outcome == END_ANSWERED && p->ex.reason == REASON_NONE)
        return "-";
    if (p->ex.answer_started && p->tries > 0)
        return "body";
    if (p->tries > 0)
        return "headers";
    if (p->connect_began > 0)
        return "connect";
    return p->held_for > 0 ? "hold" : "route";
}

static void
times(struct log_line *l, const struct proxy *p)
{
    const struct exchange *ex = &p->ex;
    usec_t now = ex->loop->now;

    log_usec(l, LF_T_REQUEST, ex->head_done - ex->began);
    if (p->held_for > 0)
        log_usec(l, LF_T_HOLD, p->held_for);
    if (p->wake_took > 0)
        log_usec(l, LF_T_WAKE, p->wake_took);
    if (p->woken_at > 0 && ex->sent > p->woken_at)
        log_usec(l, LF_T_READY, ex->sent - p->woken_at);
    if (p->connect_began > 0)
        log_usec(l, LF_T_CONNECT, p->connect_took);
    if (ex->first_byte > 0 && ex->sent > 0)
        log_usec(l, LF_T_FIRST_BYTE, ex->first_byte - ex->sent);
    log_usec(l, LF_T_TOTAL, now - ex->began);
}

static void
readable(struct log_line *l, const struct proxy *p)
{
    const struct exchange *ex = &p->ex;
    char text[640], client[ENDPOINT_TEXT];
    struct buf b;
    usec_t total = ex->loop->now - ex->began;

    buf_init_fixed(&b, text, sizeof(text));
    buf_printf(&b, "%u %-4.*s %.*s:%u %.*s  ", status_of(ex), SLICE_ARG(ex->req.method_text),
               SLICE_ARG(p->id), p->port,
               SLICE_ARG(slice_sub(classify_path(&ex->req), 0, PATH_MAX_LOGGED)));
    if (p->held_for > 0)
        buf_printf(&b, "held %lld.%02llds (%s)  ", (long long)(p->held_for / USEC_SEC),
                   (long long)(p->held_for % USEC_SEC / 10000), role_of(p));
    if (p->splash)
        buf_add_str(&b, "waiting page  ");
    else if (ex->reason != REASON_NONE)
        buf_printf(&b, "%s  ", reason_slug(ex->reason));
    buf_printf(&b, "%lld.%lldms  %s", (long long)(total / 1000), (long long)(total % 1000 / 100),
               endpoint_text(&p->client, client));
    log_text(l, buf_slice(&b));
}

static void
fields(struct log_line *l, const struct proxy *p)
{
    const struct exchange *ex = &p->ex;
    char text[ENDPOINT_TEXT];
    struct endpoint peer = ex->peer;

    peer.port = 0;
    log_str(l, LF_REQUEST_ID, p->request_id);
    log_str(l, LF_CLIENT_ADDRESS, endpoint_text(&p->client, text));
    if (!endpoint_eq(&peer, &p->client))
        log_str(l, LF_PEER_ADDRESS, endpoint_text(&peer, text));
    log_slice(l, LF_METHOD, ex->req.method_text);
    log_slice(l, LF_HOST, ex->req.host);
    log_slice(l, LF_PATH, slice_sub(classify_path(&ex->req), 0, PATH_MAX_LOGGED));
    if (p->https)
        log_str(l, LF_SCHEME, "https");
    log_str(l, LF_PROTOCOL, ex->req.version == 20   ? "2"
                            : ex->req.version == 10 ? "1.0"
                                                    : "1.1");
    log_slice(l, LF_USER_AGENT,
              slice_sub(head_value(&ex->req, FIELD_USER_AGENT), 0, AGENT_MAX_LOGGED));
    log_i64(l, LF_STATUS, status_of(ex));
    log_i64(l, LF_BYTES_IN, (int64_t)ex->to_back.written);
    log_i64(l, LF_BYTES_OUT, (int64_t)ex->to_front.drained);
    if (p->site)
        log_str(l, LF_SITE, p->site->host);
    log_str(l, LF_CLASS, traffic_class_name(p->klass));
    log_slice(l, LF_SANDBOX, p->id);
    log_i64(l, LF_SANDBOX_PORT, p->port);
    if (p->tries > 0)
        log_str(l, LF_BACK_ADDRESS, endpoint_text(&ex->back_peer, text));
    if (p->up_proto)
        log_str(l, LF_BACK_PROTOCOL, p->up_proto);
    log_bool(l, LF_HELD, p->held_for > 0);
    if (p->held_for > 0)
        log_str(l, LF_WAKE_ROLE, role_of(p));
    if (p->splash)
        log_bool(l, LF_SPLASH, true);
    times(l, p);
    log_str(l, LF_END_BY, ended_by(ex));
    log_str(l, LF_END_PHASE, phase_of(p));
    if (ex->reason != REASON_NONE) {
        log_str(l, LF_ERROR, reason_slug(ex->reason));
        log_str(l, LF_DELIVERED,
                ex->delivered == DELIVERED_NO    ? "no"
                : ex->delivered == DELIVERED_YES ? "yes"
                                                 : "maybe");
    }
    if (p->tries > 1)
        log_i64(l, LF_ATTEMPTS, p->tries);
}

void
access_log_write(const struct proxy *p)
{
    struct log *log = p->ex.loop->log;
    bool failed = p->ex.outcome == END_ANSWERED && reason_row(p->ex.reason)->status >= 500;
    enum log_level level = failed ? LOG_WARN : LOG_INFO; /* also where RPC says it in a 200 */
    struct log_line l;

    if (!p->wc->c->log_access || !log_enabled(log, level))
        return;
    log_open(&l, log, level, LOG_ACCESS, "request");
    if (log_format(log) == LOG_READABLE)
        readable(&l, p);
    else
        fields(&l, p);
    log_close(&l);
}

void
access_log_refused(struct worker *w, const struct endpoint *peer, const char *request_id,
                   enum reason why, const char *detail, unsigned status)
{
    struct log_line l;
    char text[ENDPOINT_TEXT];

    if (!w->config->c->log_access || !log_enabled(w->loop.log, LOG_INFO))
        return;
    log_open(&l, w->loop.log, LOG_INFO, LOG_ACCESS, "refused");
    log_str(&l, LF_REQUEST_ID, request_id);
    log_str(&l, LF_CLIENT_ADDRESS, endpoint_text(peer, text));
    log_i64(&l, LF_STATUS, status);
    log_str(&l, LF_ERROR, reason_slug(why));
    if (detail)
        log_str(&l, LF_DETAIL, detail);
    log_close(&l);
}
