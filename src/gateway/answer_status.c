/* SPDX-License-Identifier: BSD-2-Clause */
/* answer_status.c: what a reason is called: HTTP status, RPC code, proxy error type. Pure. */
#include "config.h"

#include "gateway/answer_priv.h"

unsigned
answer_table_status(const struct answer *a)
{
    const struct reason_row *row = reason_row(a->reason);
    short s = a->e2b ? row->e2b_status : row->status;

    /* CONTRACT section 5: these two use the native column but for this. */
    if (a->reason == REASON_SANDBOX_PAUSED && !a->e2b &&
        (a->dialect == DIALECT_SANDBOX0 || a->dialect == DIALECT_OPENSANDBOX))
        return 503;
    return s > 0 ? (unsigned)s : 500;
}

/*
 * Connect unary keeps the table's status, although the protocol pairs each code with one: its
 * clients take the code from the body and look at the status only for want of one (the protocol's
 * "Error Codes"), and whoever stands in between sees the truth.
 */
unsigned
answer_http_status(const struct answer *a)
{
    switch (a->shape) {
    case ANSWER_CONNECT_STREAM:
    case ANSWER_GRPC:
    case ANSWER_GRPC_WEB:
        return 200;
    case ANSWER_JSON:
    case ANSWER_HTML:
    case ANSWER_TEXT:
    case ANSWER_CONNECT:
        break;
    }
    return answer_table_status(a);
}

const char *
answer_code(const struct answer *a)
{
    const struct reason_row *row = reason_row(a->reason);
    const char *code = a->e2b ? row->e2b_code : row->code;

    return code[0] ? code : "internal";
}

const char *
answer_proxy_error(enum reason r)
{
    switch ((int)r) {
    case REASON_PORT_CLOSED:
        return "connection_refused";
    case REASON_CONNECT_TIMEOUT:
        return "connection_timeout";
    case REASON_UPSTREAM_RESET:
        return "connection_terminated";
    case REASON_UPSTREAM_TIMEOUT:
        return "http_response_timeout";
    case REASON_UPSTREAM_MALFORMED:
        return "http_protocol_error";
    case REASON_UPSTREAM_UNTRUSTED:
        return "tls_certificate_error";
    case REASON_TUNNEL_UNSUPPORTED:
        return "http_upgrade_failed";
    case REASON_UNKNOWN_SITE:
    case REASON_SANDBOX_NOT_FOUND:
    case REASON_SANDBOX_GONE:
        return "destination_not_found";
    case REASON_CONNECTION_LIMIT:
        return "connection_limit_reached";
    case REASON_LOOP_DETECTED:
        return "proxy_loop_detected";
    case REASON_INTERNAL_ERROR:
    case REASON_OUT_OF_MEMORY:
        return "proxy_internal_error";
    case REASON_AUTH_REQUIRED:
    case REASON_AUTH_INVALID:
    case REASON_INTERNAL_ROUTE:
    case REASON_WAKE_NOT_ALLOWED:
    case REASON_WAKE_DENIED:
    case REASON_WAKE_RATE_LIMITED:
        return "http_request_denied";
    case REASON_BAD_HOST:
    case REASON_MISDIRECTED:
    case REASON_REQUEST_INVALID:
    case REASON_METHOD_NOT_ALLOWED:
    case REASON_NOT_IMPLEMENTED:
    case REASON_VERSION_UNSUPPORTED:
    case REASON_EXPECTATION_FAILED:
    case REASON_HEADER_TOO_LARGE:
    case REASON_URI_TOO_LONG:
    case REASON_BODY_TOO_LARGE:
    case REASON_REQUEST_TIMEOUT:
    case REASON_UPGRADE_REFUSED:
        return "http_request_error";
    default:
        return "destination_unavailable";
    }
}
