/* SPDX-License-Identifier: BSD-2-Clause */
/* setting_table.c: the rows of setting.h. */
#include "config.h"

#include "app/setting.h"

#define FIELD(type, member) \
    .offset = offsetof(struct type, member), .size = sizeof(((struct type *)NULL)->member)
#define LIST(type, member, n) \
    FIELD(type, member), .stride = sizeof(((struct type *)NULL)->member[0]), \
    .count = offsetof(struct type, n)
#define GATEWAY(p, t, ...) {.path = (p), .scope = SCOPE_GATEWAY, .type = SETTING_##t, __VA_ARGS__}
#define LISTENER(p, t, ...) {.path = (p), .scope = SCOPE_LISTENER, .type = SETTING_##t, __VA_ARGS__}
#define PLATFORM(p, t, ...) {.path = (p), .scope = SCOPE_PLATFORM, .type = SETTING_##t, __VA_ARGS__}
#define SITE(p, t, ...) {.path = (p), .scope = SCOPE_SITE, .type = SETTING_##t, __VA_ARGS__}
#define RANGE(from, to) .min = (from), .max = (to)
#define G(f) FIELD(gateway_config, f)
#define S(f) FIELD(site, f)

#define HOUR (3600 * USEC_SEC)
#define DAY (24 * HOUR)
#define MILLION 1000000

static const struct setting table[] = {
    LISTENER("address", ADDRESS, FIELD(listener_config, address),
             .flags = SETTING_REQUIRED | SETTING_RESTART, .example = "127.0.0.1:8080",
             .help = "IP address and port, \"[::]:8080\", or unix:/path"),
    LISTENER("tls.certificates", TEXT, FIELD(listener_config, certificates),
             .example = "/etc/rouse/certs",
             .help = "https: a directory of NAME.crt and NAME.key, chosen by SNI; *.NAME.crt for "
                     "one label more, default.crt for all others; re-read when files change"),
    LISTENER("http2", BOOL, FIELD(listener_config, http2),
             .help = "HTTP/2: by ALPN with tls, by prior knowledge without"),
    LISTENER("trusted_proxies", CIDRS, LIST(listener_config, trusted, trusted_n),
             .help = "only these peers may set X-Forwarded-* and Forwarded; with proxy_protocol, "
                     "and unless empty, nobody else may connect"),
    LISTENER("proxy_protocol", CHOICE, FIELD(listener_config, proxy_protocol),
             .choices = "off|on",
             .help = "on: every connection must begin with a PROXY header, v1 or v2; the client "
                     "it names counts as the peer"),

    GATEWAY("admin.socket", TEXT, G(admin_socket), .flags = SETTING_RESTART,
            .help = "unix socket of the admin side, mode 0660; \"\" for none"),
    GATEWAY("admin.address", ADDRESS, G(admin_address), .flags = SETTING_RESTART,
            .example = "127.0.0.1:9090", .help = "TCP address for reading status and metrics"),
    GATEWAY("admin.token", SECRET, G(admin_token), .example = "{ file: /etc/rouse/admin.token }",
            .help = "who shows it (Authorization: Bearer) may change things over TCP too"),
    GATEWAY("workers", WORKERS, G(workers), .flags = SETTING_RESTART, RANGE(1, 256),
            .fallback = "auto", .help = "threads that carry traffic; auto: one a processor"),
    GATEWAY("log.format", CHOICE, G(log_format), .flags = SETTING_RESTART,
            .choices = "auto|json|logfmt|readable",
            .help = "auto: readable on a terminal, JSON otherwise"),
    GATEWAY("log.level", CHOICE, G(log_level), .choices = "debug|info|warn|error",
            .help = "the least level that is logged"),
    GATEWAY("log.access", BOOL, G(log_access), .help = "a line for each request"),
    GATEWAY("tls.minimum", CHOICE, G(tls_minimum), .choices = "1.2|1.3",
            .help = "oldest version of TLS that clients may speak"),
    GATEWAY("tls.ticket_key", SECRET, G(ticket_key), .example = "{ file: /etc/rouse/tickets.key }",
            .flags = SETTING_RESTART,
            .help = "32 bytes or more of secret text from which session tickets are sealed: the "
                    "same for all gateways of one name; none: a random one"),
    GATEWAY("tls.ticket_rotation", DURATION, G(ticket_rotation), .flags = SETTING_RESTART,
            RANGE(60 * USEC_SEC, 30 * DAY), .help = "how often the keys made of it change"),
    GATEWAY("state", CHOICE, .choices = "memory", .later = "redis", .fallback = "memory",
            .flags = SETTING_RESTART, .help = "where what is known of sandboxes lives"),

    GATEWAY("limits.connections", CONNS, G(conn_max), RANGE(1, MILLION), .fallback = "auto",
            .help = "client connections open at once; auto: 20000 or what descriptors allow"),
    GATEWAY("limits.connections_per_source", COUNT, G(conn_per_source), RANGE(1, MILLION),
            .flags = SETTING_OFF, .help = "of one client address (IPv6: /64) open at once"),
    GATEWAY("limits.connection_rate", RATE, G(conn_rate), .flags = SETTING_OFF,
            .help = "new connections of one client address; bursts up to the count"),
    GATEWAY("limits.handshakes", COUNT, G(handshakes), RANGE(1, MILLION), .flags = SETTING_OFF,
            .help = "TLS handshakes under way at once, of one worker"),
    GATEWAY("limits.handshake_time", DURATION, G(handshake_time), RANGE(100 * USEC_MS, HOUR),
            .help = "of a TLS handshake as a whole, from the connection on"),
    GATEWAY("limits.sandbox_connections", COUNT, G(sandbox_conns), RANGE(1, MILLION),
            .flags = SETTING_OFF, .help = "connections of one worker to one sandbox"),
    GATEWAY("limits.request_line", SIZE, G(front.limits.line), RANGE(256, 65536),
            .help = "longest request line"),
    GATEWAY("limits.request_field", SIZE, G(front.limits.field), RANGE(256, 65536),
            .help = "longest header field of a request"),
    GATEWAY("limits.request_header", SIZE, G(front.limits.block), RANGE(1024, 262144),
            .help = "whole header of a request"),
    GATEWAY("limits.request_fields", COUNT, G(front.limits.fields), RANGE(8, 1000),
            .help = "header fields of a request"),
    GATEWAY("limits.request_header_time", DURATION, G(front.head_time),
            RANGE(100 * USEC_MS, HOUR), .help = "from a request's first byte to its blank line"),
    GATEWAY("limits.request_body", SIZE, G(front.max_body), .flags = SETTING_OFF,
            .help = "longest body of a request"),
    GATEWAY("limits.keepalive", DURATION, G(front.idle), RANGE(0, DAY), .flags = SETTING_OFF,
            .help = "how long a client connection may wait for its next request"),
    GATEWAY("limits.keepalive_requests", COUNT, G(front.max_requests), RANGE(1, 1000 * MILLION),
            .flags = SETTING_OFF, .help = "requests on one client connection"),
    GATEWAY("limits.body_rate", SIZE, G(front.min_rate), RANGE(0, 1 << 30),
            .help = "bytes a second that a body must reach, either way; 0: any"),
    GATEWAY("limits.body_grace", DURATION, G(front.grace), RANGE(0, HOUR),
            .help = "before body_rate counts"),
    GATEWAY("limits.stall", DURATION, G(front.stall), RANGE(USEC_SEC, DAY), .flags = SETTING_OFF,
            .help = "without any progress towards or from a client in the middle of a body"),
    GATEWAY("limits.http2_streams", COUNT, G(front_h2.streams), RANGE(1, 100000),
            .help = "HTTP/2: streams at once on one client connection"),
    GATEWAY("limits.http2_stream_window", SIZE, G(front_h2.stream_window),
            RANGE(1024, 1 << 24),
            .help = "bytes of a body that a client may send before it has a taker"),
    GATEWAY("limits.http2_stream_window_on", SIZE, G(front_h2.stream_window_on),
            RANGE(1024, 1 << 24), .help = "the same from then on"),
    GATEWAY("limits.http2_window", SIZE, G(front_h2.conn_window), RANGE(65535, 1 << 30),
            .help = "the same for all streams of a connection together"),
    GATEWAY("limits.http2_header", SIZE, G(front_h2.list_bytes), RANGE(1024, 262144),
            .help = "whole header of a request, with 32 bytes more a field"),
    GATEWAY("limits.http2_cookies", COUNT, G(front_h2.crumbs), RANGE(1, 10000),
            .help = "Cookie fields of a request; they are joined into one"),
    GATEWAY("limits.http2_resets", RATE, G(front_h2.resets), .flags = SETTING_OFF,
            .help = "streams that are reset, by the client or because of it; then it is cut off"),
    GATEWAY("limits.http2_glitches", RATE, G(front_h2.glitches), .flags = SETTING_OFF,
            .help = "frames that carry nothing: empty, unknown, tiny windows, priorities"),
    GATEWAY("limits.http2_pings", RATE, G(front_h2.pings), .flags = SETTING_OFF,
            .help = "PING frames of a client"),
    GATEWAY("limits.http2_settings", RATE, G(front_h2.settings), .flags = SETTING_OFF,
            .help = "SETTINGS frames of a client"),
    GATEWAY("limits.http2_queue_frames", COUNT, G(front_h2.out_frames), RANGE(16, MILLION),
            .help = "control frames that a client leaves unread"),
    GATEWAY("limits.http2_queue", SIZE, G(front_h2.out_bytes), RANGE(16384, 1 << 30),
            .help = "bytes of frames that a client leaves unread"),
    GATEWAY("limits.http2_requests", COUNT, G(front_h2.max_requests), RANGE(1, 1000 * MILLION),
            .flags = SETTING_OFF, .help = "requests on one client connection"),
    GATEWAY("limits.http2_idle", DURATION, G(front_h2.idle), RANGE(USEC_SEC, DAY),
            .flags = SETTING_OFF, .help = "a client connection without a stream"),
    GATEWAY("limits.http2_age", DURATION, G(front_h2.age), RANGE(USEC_SEC, 365 * DAY),
            .flags = SETTING_OFF, .help = "after which a client connection ends when it is idle"),
    GATEWAY("limits.http2_stream_stall", DURATION, G(front_h2.stream_stall),
            RANGE(USEC_SEC, DAY), .flags = SETTING_OFF,
            .help = "a stream with data to send and no window"),
    GATEWAY("limits.http2_stall", DURATION, G(front_h2.conn_stall), RANGE(USEC_SEC, DAY),
            .flags = SETTING_OFF, .help = "a connection with data to send and no window"),
    GATEWAY("limits.answer_header", SIZE, G(back.client.limits.block), RANGE(1024, 1 << 20),
            .help = "whole header of a sandbox's answer"),
    GATEWAY("limits.answer_fields", COUNT, G(back.client.limits.fields), RANGE(8, 1000),
            .help = "header fields of an answer"),
    GATEWAY("limits.answer_time", DURATION, G(back.client.first_byte), RANGE(USEC_SEC, DAY),
            .flags = SETTING_OFF, .help = "until the first byte of an answer"),
    GATEWAY("limits.answer_stall", DURATION, G(back.client.stall), RANGE(USEC_SEC, DAY),
            .flags = SETTING_OFF,
            .help = "without progress in the body of an answer that told its length"),
    GATEWAY("limits.pool_per_sandbox", COUNT, G(back.per_key), RANGE(0, 10000),
            .help = "idle connections to one port of a sandbox that a worker keeps"),
    GATEWAY("limits.pool", COUNT, G(back.total), RANGE(0, MILLION),
            .help = "idle connections to sandboxes that a worker keeps in all"),
    GATEWAY("limits.pool_idle", DURATION, G(back.idle), RANGE(0, HOUR),
            .help = "how long it keeps one"),
    GATEWAY("limits.hold_bytes", SIZE, G(hold_bytes),
            .help = "request bodies kept for all held requests together"),
    GATEWAY("limits.wakes_in_flight", COUNT, G(wakes_in_flight), RANGE(1, 100000),
            .help = "resume calls at once"),
    GATEWAY("limits.wakes", RATE, G(wakes_global), .flags = SETTING_OFF,
            .help = "resume calls in all"),
    GATEWAY("limits.sandboxes", COUNT, G(max_sandboxes), .flags = SETTING_RESTART,
            RANGE(16, 10 * MILLION),
            .help = "sandboxes remembered; the longest unused is forgotten first"),
    GATEWAY("limits.fresh", DURATION, G(fresh), RANGE(0, HOUR),
            .help = "how long an inspected state is believed without news"),
    GATEWAY("limits.drain", DURATION, G(drain), RANGE(0, HOUR),
            .help = "at the end: how long requests in service may go on"),
    GATEWAY("limits.drain_tunnels", DURATION, G(drain_tunnels), RANGE(0, DAY),
            .help = "at the end: how long WebSockets may go on; then they are closed with 1012"),

    PLATFORM("plugin", PLUGIN, .flags = SETTING_REQUIRED, .example = "http",
             .help = "which plugin drives it: http, exec, local, or your own"),

    SITE("host", HOST, S(host), .flags = SETTING_REQUIRED, .example = "\"*.preview.localhost\"",
         .help = "an exact name, one leading \"*.\" (the sandbox's label), or default"),
    SITE("dialect", CHOICE, S(dialect), .choices = "native",
         .later = "e2b|openkruise|sandbox0|opensandbox",
         .help = "how hosts and headers name sandbox and port; native: <port>-<id>.<domain>"),
    SITE("platform", PLATFORM, S(platform), .flags = SETTING_REQUIRED, .example = "own",
         .help = "whose sandboxes these are: a name under platforms"),
    SITE("tls.client_ca", TEXT, S(client_ca), .example = "/etc/rouse/clients.pem",
         .help = "clients must show a certificate that one of these authorities signed"),
    SITE("hold.timeout", DURATION, S(keep.hold_timeout), RANGE(0, HOUR),
         .help = "longest wait for a sandbox to wake"),
    SITE("hold.ssh", DURATION, S(hold_ssh), RANGE(0, HOUR),
         .help = "the same for ssh tunnels, which are not there yet"),
    SITE("hold.pausing", DURATION, S(keep.hold_pausing), RANGE(0, DAY),
         .help = "longest wait when the sandbox was just being paused"),
    SITE("hold.per_sandbox", COUNT, S(keep.hold_per_sandbox), RANGE(0, MILLION),
         .flags = SETTING_OFF, .help = "requests held for one sandbox"),
    SITE("hold.per_tenant", COUNT, S(keep.hold_per_tenant), RANGE(0, MILLION),
         .flags = SETTING_OFF, .help = "requests held for the sandboxes of one tenant"),
    SITE("hold.per_source", COUNT, S(keep.hold_per_source), RANGE(0, MILLION),
         .flags = SETTING_OFF, .help = "requests held of one client address"),
    SITE("hold.total", COUNT, S(hold_total), RANGE(0, MILLION),
         .help = "requests held in all; the largest of all sites counts"),
    SITE("hold.page_after", DURATION, S(page_after), RANGE(0, HOUR), .flags = SETTING_OFF,
         .help = "a browser's navigation gets the waiting page after this long"),
    SITE("hold.half_close", CHOICE, S(half_close_waits), .choices = "gone|wait",
         .help = "a held client that closes its sending side: gone, or wait for it"),
    SITE("wake.ignore", CLASSES, S(wake_ignore),
         .help = "classes of traffic that never wake; those named are added"),
    SITE("wake.limit_per_sandbox", RATE, S(keep.wake_per_sandbox), .flags = SETTING_OFF,
         .help = "wakes of one sandbox"),
    SITE("wake.limit_per_client", RATE, S(keep.wake_per_client), .flags = SETTING_OFF,
         .help = "wakes by one client address without a token"),
    SITE("wake.lease", DURATION, S(keep.lease), RANGE(USEC_SEC, HOUR),
         .help = "a gateway that dies leading a wake is replaced after this long"),
    SITE("wake.resume_timeout", DURATION, S(keep.resume_timeout), RANGE(100 * USEC_MS, HOUR),
         .help = "of one resume call to the platform"),
    SITE("wake.inspect_timeout", DURATION, S(keep.inspect_timeout), RANGE(100 * USEC_MS, HOUR),
         .help = "of one inspect call to the platform"),
    SITE("wake.rules", LATER, .later = "wake rules", .help = "port, path, methods -> wake or not"),
    SITE("wake.health", LATER, .later = "wake.health", .help = "of the E2B dialect"),
    SITE("connect.timeout", DURATION, S(connect.timeout), RANGE(10 * USEC_MS, HOUR),
         .help = "of a connection to a running sandbox"),
    SITE("connect.wake_grace", DURATION, S(keep.wake_grace), RANGE(0, HOUR),
         .help = "after a wake, a closed port is expected to open for this long"),
    SITE("connect.refused_for", DURATION, S(keep.refused_for), RANGE(0, HOUR),
         .help = "how long a running sandbox's closed port is tried again"),
    SITE("connect.allow", CIDRS, LIST(site, allow, allow_n),
         .help = "a platform may name only these addresses; add 127.0.0.0/8 for sandboxes on "
                 "this machine (plugin local: there already)"),
    SITE("connect.protocol", CHOICE, S(protocol), .choices = "auto|h1|h2",
         .help = "what sandboxes speak that do not say it; auto: HTTP/1.1, gRPC over HTTP/2, with "
                 "TLS as ALPN chooses"),
    SITE("connect.h2_ports", PORTS, LIST(site, h2_port, h2_ports), .example = "[50051]",
         .help = "ports that speak HTTP/2, whatever connect.protocol says of the others"),
    SITE("connect.tls", CHOICE, S(tls), .choices = "off|on",
         .help = "TLS to all sandboxes; off: only to those that say so"),
    SITE("connect.tls_verify", CHOICE, S(tls_verify), .choices = "off|on",
         .help = "whether their certificates must be good"),
    SITE("connect.tls_ca", TEXT, S(tls_ca), .example = "/etc/rouse/sandboxes.pem",
         .help = "authorities of their certificates; \"\": the system's"),
    SITE("connect.tls_name", TEXT, S(tls_name), .example = "sandbox.internal",
         .help = "the name in their certificates; \"\": the one that the client asked for"),
    SITE("answers.foreign_fields", CHOICE, S(foreign_pass), .choices = "strip|pass",
         .help = "of answers, what reaches beyond the sandbox's host: Alt-Svc, a parent's cookies"),
    SITE("idle.pause_after", DURATION, S(keep.pause_after), RANGE(USEC_SEC, 365 * DAY),
         .flags = SETTING_OFF, .help = "pause a sandbox that nobody has used for this long"),
    SITE("idle.tunnel", DURATION, S(idle_tunnel), RANGE(USEC_SEC, 365 * DAY),
         .flags = SETTING_OFF, .help = "close a WebSocket when nothing moved for this long"),
    SITE("idle.stream", DURATION, S(idle_stream), RANGE(USEC_SEC, 365 * DAY),
         .flags = SETTING_OFF,
         .help = "cut an event stream, or other answer without length, when nothing moved for "
                 "this long"),
    SITE("probes.paths", TEXTS, LIST(site, probe_path, probe_paths),
         .example = "[/healthz]", .help = "exact paths of health checks: they never wake"),
    SITE("probes.agents", TEXTS, LIST(site, probe_agent, probe_agents),
         .help = "beginnings of User-Agent that mean a health check"),
};

const struct setting *
setting_table(unsigned *n)
{
    *n = sizeof table / sizeof table[0];
    return table;
}

const struct setting *
setting_find(enum setting_scope scope, struct slice path)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].scope == scope && slice_eq(path, slice_of(table[i].path)))
            return &table[i];
    return NULL;
}

bool
setting_is_group(enum setting_scope scope, struct slice path)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct slice p = slice_of(table[i].path);
        if (table[i].scope == scope && p.n > path.n && slice_starts(p, path) &&
            p.p[path.n] == '.')
            return true;
    }
    return false;
}
