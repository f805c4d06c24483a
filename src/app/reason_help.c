/* SPDX-License-Identifier: BSD-2-Clause */
/* reason_help.c: the texts of `rouse help SLUG`. A test proves that none is missing. */
#include "config.h"

#include "app/reason_help.h"

#include "base/ensure.h"

#define HELP(sym, what, how) [REASON_##sym] = {(what), (how)}

static const struct reason_help table[REASON_COUNT] = {
    HELP(BAD_HOST, "The request's host, or its routing headers, do not name a sandbox and a port.",
         "Native hosts look like 3000-myid.preview.example.com: port, dash, id. Ids are made of\n"
         "a-z, 0-9 and -; ports are 1 to 65535 without leading zeros."),
    HELP(UNKNOWN_SITE, "No site of the configuration answers for this host.",
         "Add a site for it, or check DNS. `rouse explain URL` shows which sites were tried."),
    HELP(MISDIRECTED, "The connection was opened for another site than the request names.",
         "The client should open a new connection; browsers do by themselves."),
    HELP(SANDBOX_NOT_FOUND, "The platform does not know this sandbox.",
         "Check the id. `rouse forget ID` makes the next request ask the platform again."),
    HELP(SANDBOX_GONE, "The sandbox was killed; it will not come back.",
         "Create a new one on the platform."),
    HELP(INTERNAL_ROUTE, "This host or path is reserved by the platform.",
         "Use another port or name."),
    HELP(AUTH_REQUIRED, "The sandbox wants a traffic token and none came with the request.",
         "Send it in Rouse-Access-Token (or e2b-traffic-access-token)."),
    HELP(AUTH_INVALID, "A traffic token came, but not one that this sandbox accepts.",
         "Tokens belong to one sandbox: ask the platform for its own."),
    HELP(SANDBOX_PAUSED, "The sandbox is paused and may only be resumed by hand.",
         "Resume it on the platform, or switch auto-resume on there."),
    HELP(WAKE_NOT_ALLOWED, "The sandbox sleeps, and requests of this class never wake one: "
         "prefetches, health checks, favicons, or what wake.ignore adds.",
         "A request of a person or a program wakes it. `rouse explain URL` shows the class."),
    HELP(WAKE_DENIED, "The platform does not let this caller wake the sandbox.",
         "Check the caller's token and its rights on the platform."),
    HELP(RESUME_TIMEOUT, "The sandbox was still waking when the hold ended. It goes on waking.",
         "Try again shortly. If it happens often, raise hold.timeout or make resumes faster."),
    HELP(RESUME_FAILED, "The platform gave a final no to the resume.",
         "Its own log knows why; ours has the status it answered: look for wake_failed."),
    HELP(CAPACITY_EXHAUSTED, "The platform has no room to run this sandbox now.",
         "Try again after Retry-After; raise the platform's quota or pause others."),
    HELP(WAKE_RATE_LIMITED, "This sandbox, or this client, was woken too often.",
         "Wait for Retry-After. The limits are wake.limit_per_sandbox and limit_per_client."),
    HELP(PLATFORM_UNREACHABLE, "The platform did not answer, also when asked again.",
         "Check the URLs under platforms: and that the platform runs. `rouse status` shows the\n"
         "last failure."),
    HELP(HOLD_QUEUE_FULL, "Too many requests are being held already.",
         "Try again shortly. The limits are hold.per_sandbox, per_tenant, per_source and total."),
    HELP(STATE_UNAVAILABLE, "What is known of the sandbox cannot be read, or makes no sense.",
         "Check the store, and what inspect answers: `rouse get ID`."),
    HELP(SANDBOX_REPLACED, "While the request was held, another sandbox took the same id.",
         "Send the request again if it is meant for the new one."),
    HELP(SANDBOX_BUSY, "The sandbox was not paused: requests were still using it.",
         "Pause it again when they are done; `rouse get ID` shows what keeps it awake."),
    HELP(PORT_CLOSED, "The sandbox runs, but nothing listens on this port.",
         "Start the server there, listening on 0.0.0.0. connect.refused_for and wake_grace say\n"
         "how long a closed port is tried."),
    HELP(CONNECT_TIMEOUT, "The sandbox is said to run, but its address does not answer.",
         "Check its network and firewall, and the address: `rouse get ID`."),
    HELP(UPSTREAM_RESET, "The sandbox closed the connection before it answered.",
         "Look at the server in the sandbox. `delivered` says whether the request reached it."),
    HELP(UPSTREAM_TIMEOUT, "The sandbox took the request, but no answer began in time.",
         "Look at the server in the sandbox, or raise limits.answer_time."),
    HELP(UPSTREAM_MALFORMED, "What the sandbox answered is not HTTP that may be passed on.",
         "The log line's detail says what was wrong with it."),
    HELP(UPSTREAM_UNTRUSTED, "The sandbox's certificate is not good for its name, or could not be\n"
         "checked.",
         "Look at the log line's detail, connect.tls_ca and connect.tls_name. Certificates that\n"
         "sandboxes make themselves need connect.tls_verify: off."),
    HELP(TUNNEL_UNSUPPORTED, "The sandbox's HTTP/2 server takes no WebSockets (RFC 8441).",
         "Switch them on there, or let it speak HTTP/1: connect.protocol, or in its record."),
    HELP(CONNECTION_LIMIT, "Too many connections to this sandbox are open.",
         "Try again; the limit is limits.sandbox_connections."),
    HELP(DRAINING, "The gateway is shutting down and takes no new work.",
         "Try again: another one answers, or this one when it is back."),
    HELP(REQUEST_INVALID, "The request is not valid HTTP, or could be read in two ways.",
         "The log line's detail says which rule it broke."),
    HELP(METHOD_NOT_ALLOWED, "This method is not allowed here.", "Use one that is."),
    HELP(NOT_IMPLEMENTED, "The request uses a method or a transfer coding that is not known.",
         "Use a standard one."),
    HELP(VERSION_UNSUPPORTED, "The request is of an HTTP version that is not spoken.",
         "Use HTTP/1.1."),
    HELP(EXPECTATION_FAILED, "The request expects something else than 100-continue.",
         "Remove the Expect header."),
    HELP(HEADER_TOO_LARGE, "The request's header is longer than allowed.",
         "Often a cookie grew. limits.request_field, request_header and request_fields."),
    HELP(URI_TOO_LONG, "The request line is longer than allowed.",
         "Shorten it, or raise limits.request_line."),
    HELP(BODY_TOO_LARGE, "The request's body is longer than allowed.",
         "Send less, or raise limits.request_body."),
    HELP(REQUEST_TIMEOUT, "The request's header did not arrive in time.",
         "The client or its network is slow; the limit is limits.request_header_time."),
    HELP(UPGRADE_REFUSED, "A WebSocket handshake in another version than 13, or in none.",
         "The client must send Sec-WebSocket-Version: 13, as every browser does."),
    HELP(LOOP_DETECTED, "The request came through this gateway before, several times.",
         "A site points back at the gateway: check addresses and DNS."),
    HELP(INTERNAL_ERROR, "A bug in Rouse.", "Please report it with the log line."),
    HELP(OUT_OF_MEMORY, "There was no memory for this request.",
         "Give the gateway more, or lower limits.connections and the hold limits."),
    HELP(CLIENT_LEFT, "The client closed its connection before the answer was complete.",
         "Nothing to do here; many of them may mean that answers take too long."),
    HELP(CLIENT_TRUNCATED, "The client's body ended before its announced end.",
         "The client or its network broke off."),
    HELP(CLIENT_STALLED, "The client did not take, or send, bytes for too long.",
         "Its network is slow; limits.stall, body_rate and body_grace."),
    HELP(UPSTREAM_TRUNCATED, "The sandbox's answer ended before its announced end.",
         "Look at the server in the sandbox."),
    HELP(UPSTREAM_STALLED, "The sandbox's answer made no progress for too long.",
         "Look at the server in the sandbox, or raise limits.answer_stall."),
    HELP(UPSTREAM_EXTRA, "The sandbox sent bytes that no request asked for.",
         "The connection was destroyed. Look at the server in the sandbox."),
    HELP(CONNECT_REFUSED, "A connection to the sandbox was refused.",
         "Normal just after a wake; otherwise see port_closed."),
    HELP(CONNECT_UNREACHABLE, "There is no route to the sandbox's address.",
         "Check the address (`rouse get ID`) and the routes of this machine."),
    HELP(ADDRESS_REFUSED, "The platform named an address that sandboxes may not have here.",
         "If it is right, add its block to connect.allow. Metadata services and the gateway's\n"
         "own listeners are never allowed."),
    HELP(IDLE, "A connection was closed because nothing happened on it.",
         "Nothing to do; limits.keepalive and pool_idle."),
    HELP(POOL_STALE, "A kept connection to a sandbox had gone bad and was closed unused.",
         "Nothing to do."),
    HELP(POOL_FULL, "A connection to a sandbox was not kept: enough are.",
         "Nothing to do; limits.pool and pool_per_sandbox."),
    HELP(GENERATION_OVER, "A connection belonged to an earlier life of the sandbox.",
         "Nothing to do."),
    HELP(SHUTDOWN, "The gateway ended.", "Nothing to do."),
    HELP(NO_DESCRIPTORS, "The process has no file descriptor left.",
         "Raise its limit (ulimit -n, LimitNOFILE=), or lower limits.connections."),
    HELP(PROXY_HEADER, "A connection to a listener with proxy_protocol did not begin with a PROXY\n"
         "header, or with a malformed one, or it came too late.",
         "Let the balancer in front send one (send-proxy, proxy_protocol on); or turn\n"
         "proxy_protocol off for this listener."),
    HELP(TLS_HANDSHAKE, "A client's TLS handshake failed, or took too long.",
         "The log line's detail says how; limits.handshake_time. Many of them: a scanner, or a\n"
         "certificate that clients do not trust."),
    HELP(PAGE_SHOWN, "A browser was given the waiting page; it asks again by itself.",
         "Nothing to do; hold.page_after says when."),
    HELP(PEER_FLOODS, "An HTTP/2 peer did more than its share of what costs it nothing.",
         "Nothing to do; ordinary clients stay far below."),
};

struct reason_help
reason_help(enum reason r)
{
    static const struct reason_help none = {"(not described)", "(not described)"};

    ensure(r > REASON_NONE && r < REASON_COUNT);
    return table[r].meaning && table[r].remedy ? table[r] : none;
}
