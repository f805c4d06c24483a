/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * answer_words.c: what a reason is for people: one or two sentences. Fixed texts that name no
 * internal address. Pure.
 */
#include "config.h"

#include "gateway/answer_priv.h"
#include "gateway/route.h"

#include <string.h>

static const char *
words(enum reason r)
{
    switch ((int)r) {
    case REASON_BAD_HOST:
        return "This host name is not of the form that sandboxes have here.";
    case REASON_UNKNOWN_SITE:
        return "Nothing is served under this host name.";
    case REASON_SANDBOX_NOT_FOUND:
        return "There is no such sandbox.";
    case REASON_SANDBOX_GONE:
        return "This sandbox was ended and does not come back.";
    case REASON_AUTH_REQUIRED:
        return "This sandbox needs an access token.";
    case REASON_AUTH_INVALID:
        return "The access token does not fit this sandbox.";
    case REASON_SANDBOX_PAUSED:
        return "The sandbox is paused and must be resumed by its owner.";
    case REASON_WAKE_NOT_ALLOWED:
        return "The sandbox is paused, and requests of this kind do not wake it.";
    case REASON_WAKE_DENIED:
        return "The sandbox is paused, and you may not wake it.";
    case REASON_RESUME_FAILED:
        return "The sandbox could not be resumed.";
    case REASON_CAPACITY_EXHAUSTED:
        return "The platform has no room to resume the sandbox now. Try again later.";
    case REASON_WAKE_RATE_LIMITED:
        return "Too many wakes in a short time. Try again later.";
    case REASON_PLATFORM_UNREACHABLE:
        return "The platform that runs the sandbox does not answer. Try again shortly.";
    case REASON_HOLD_QUEUE_FULL:
        return "Too many requests are waiting already. Try again shortly.";
    case REASON_STATE_UNAVAILABLE:
        return "The sandbox's state is not known right now. Try again shortly.";
    case REASON_SANDBOX_REPLACED:
        return "The sandbox was replaced by another one while this request waited.";
    case REASON_PORT_CLOSED:
        return "The sandbox is running, but nothing listens on this port. Is the server started, "
               "and bound to 0.0.0.0?";
    case REASON_CONNECT_TIMEOUT:
        return "The sandbox is running, but its port does not answer.";
    case REASON_UPSTREAM_RESET:
        return "The sandbox closed the connection before it answered.";
    case REASON_UPSTREAM_TIMEOUT:
        return "The sandbox did not answer in time.";
    case REASON_UPSTREAM_MALFORMED:
        return "The sandbox's answer was not valid HTTP.";
    case REASON_UPSTREAM_UNTRUSTED:
        return "The sandbox's certificate could not be verified.";
    case REASON_TUNNEL_UNSUPPORTED:
        return "The server in the sandbox takes no WebSockets over HTTP/2.";
    case REASON_CONNECTION_LIMIT:
        return "Too many connections to this sandbox.";
    case REASON_DRAINING:
        return "The gateway is shutting down. Try again.";
    case REASON_UPGRADE_REFUSED:
        return "Only version 13 of the WebSocket protocol is spoken here.";
    case REASON_LOOP_DETECTED:
        return "The request came through this gateway too many times: a loop.";
    case REASON_REQUEST_TIMEOUT:
        return "The request did not come in time.";
    case REASON_BODY_TOO_LARGE:
        return "The request's body is too large.";
    case REASON_HEADER_TOO_LARGE:
        return "The request's header is too large.";
    case REASON_URI_TOO_LONG:
        return "The request's address is too long.";
    case REASON_INTERNAL_ERROR:
        return "The gateway failed; this is a bug in it.";
    case REASON_OUT_OF_MEMORY:
        return "The gateway is out of memory. Try again shortly.";
    default:
        return "The request was refused.";
    }
}

/* Where E2B has words of its own for this, its SDK's users know them; NULL: ours. */
static const char *
words_e2b(enum reason r, const char *detail)
{
    switch ((int)r) {
    case REASON_BAD_HOST:
        return route_e2b_words(detail);
    case REASON_SANDBOX_NOT_FOUND:
    case REASON_SANDBOX_GONE:
        return "The sandbox was not found";
    case REASON_PORT_CLOSED:
        return "The sandbox is running but port is not open";
    case REASON_AUTH_REQUIRED:
        return "Sandbox is secured with traffic access token. Token header "
               "'e2b-traffic-access-token' is missing";
    case REASON_AUTH_INVALID:
        return "Sandbox is secured with traffic access token. Provided token in header "
               "'e2b-traffic-access-token' is invalid";
    case REASON_WAKE_DENIED:
        return "This sandbox can't be resumed with the credentials provided. Check your access "
               "token and try again.";
    case REASON_CAPACITY_EXHAUSTED:
        return "Sandbox limit reached";
    default:
        return NULL;
    }
}

void
answer_message(struct buf *out, const struct answer *a)
{
    const char *e2b = a->e2b ? words_e2b(a->reason, a->detail) : NULL;

    if (e2b) {
        buf_add_str(out, e2b);
        return;
    }
    if (a->reason == REASON_RESUME_TIMEOUT) {
        buf_printf(out, "Sandbox %.*s is still resuming after %lld s. It goes on resuming; ",
                   SLICE_ARG(a->sandbox), (long long)(a->waited / USEC_SEC));
        buf_add_str(out, "try again shortly.");
        return;
    }
    struct slice text = slice_of(words(a->reason));
    /* "The request was refused: repeated content-length."  Advice has the last word. */
    const char *advice = a->detail ? strstr(text.p, ". ") : NULL;

    if (!a->detail) {
        buf_add_slice(out, text);
        return;
    }
    buf_add_slice(out, slice_sub(text, 0, advice ? (size_t)(advice - text.p) : text.n - 1));
    buf_printf(out, ": %s.%s", a->detail, advice ? advice + 1 : "");
}

