/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gateway_config.h: what a running gateway was told: an immutable snapshot that app/settings fills
 * from the settings table and that all threads share by reference. Modules see only their own
 * options structs in it.
 *
 * Numbers of sites and platforms are stable over reloads: the same host pattern (or name) keeps its
 * number, new ones get new numbers, a removed one leaves a gap (`used` false): so a message that
 * crosses a reload never names another site.
 */
#ifndef ROUSE_GATEWAY_GATEWAY_CONFIG_H
#define ROUSE_GATEWAY_GATEWAY_CONFIG_H

#include "base/endpoint.h"
#include "base/log.h"
#include "http/back_pool.h"
#include "http/h1_server.h"
#include "http/h2.h"
#include "sandbox/attempt.h"
#include "sandbox/keeper.h"

#define CONFIG_LISTENERS 16
#define CONFIG_SITES 1024
#define CONFIG_PLATFORMS 64
#define CONFIG_CIDRS 32
#define CONFIG_PROBES 16
#define CONFIG_PORTS 32

/*
 * CONTRACT section 3. Only NATIVE routes today; the others are refused by `rouse check` as not
 * there yet.
 */
enum dialect {
    DIALECT_NATIVE,
    DIALECT_E2B,
    DIALECT_OPENKRUISE,
    DIALECT_SANDBOX0,
    DIALECT_OPENSANDBOX,
    DIALECTS,
};
const char *dialect_name(enum dialect d);

/* AUTO: readable on a terminal, JSON otherwise. */
enum config_log_format { CONFIG_LOG_AUTO, CONFIG_LOG_JSON, CONFIG_LOG_LOGFMT, CONFIG_LOG_READABLE };

enum site_speaks { SITE_SPEAKS_AUTO, SITE_SPEAKS_H1, SITE_SPEAKS_H2 };
enum site_kind { SITE_EXACT, SITE_WILDCARD, SITE_DEFAULT };

struct site {
    bool used;
    uint16_t number;
    enum site_kind kind;
    /* as configured: "*.preview.example.com", "app.example.com", "default" */
    char host[256];
    /* lower case: "preview.example.com"; for exact: the host; default: "" */
    char domain[256];
    enum dialect dialect;
    uint16_t platform;
    struct keeper_site keep; /* hold, wake, idle: the control side's part */
    struct attempt_limits connect;
    /* How its sandboxes are spoken to, where their records do not say it. */
    enum site_speaks protocol;
    uint16_t h2_port[CONFIG_PORTS]; /* these speak HTTP/2 anyway */
    uint8_t h2_ports;
    bool tls, tls_verify;
    char tls_ca[256];   /* a file of authorities; empty: the system's */
    char tls_name[256]; /* whom certificates must be for; empty: the request's host */
    usec_t page_after;       /* USEC_OFF: no waiting page */
    bool half_close_waits;
    bool foreign_pass;       /* answers may reach beyond their host: foreign.h lets them be */
    uint32_t wake_ignore;    /* bit (1 << enum traffic_class): never wakes */
    struct cidr allow[CONFIG_CIDRS];
    uint8_t allow_n;
    char probe_path[CONFIG_PROBES][128]; /* exact paths of health checks */
    uint8_t probe_paths;
    char probe_agent[CONFIG_PROBES][64]; /* prefixes of User-Agent */
    uint8_t probe_agents;
    uint32_t hold_total;     /* hold.total; the largest of all sites counts for all together */
    usec_t hold_ssh;         /* hold.ssh: hold_timeout of ssh tunnels, which come later */
    usec_t idle_tunnel, idle_stream;
    char client_ca[512];     /* file; empty: no client certificate is asked for */
};

struct listener_config {
    char address[128];
    struct cidr trusted[CONFIG_CIDRS]; /* peers whose X-Forwarded-* count */
    uint8_t trusted_n;
    char certificates[512];            /* tls.certificates: a directory; empty: no TLS */
    bool http2;
    bool proxy_protocol;               /* every connection begins with a PROXY header */
};

struct platform_config {
    bool used;
    uint16_t number;
    char name[64];
    char plugin[64];
    bool loopback;            /* the plugin's sandboxes may be on loopback */
    int line, column;
    const struct rouse_plugin *module; /* loaded; see plugin_host.h */
    /* in the order of the module's options; lives with the snapshot */
    const struct rouse_value *values;
    uint64_t hash; /* of plugin and options: equal means the same, over reloads */
};

struct gateway_config {
    int refs;
    uint64_t hash;            /* of the text it came from: config.hash */
    char source[512];         /* its file, or "defaults" */
    struct listener_config listener[CONFIG_LISTENERS];
    unsigned listeners;
    char admin_socket[108];   /* empty: none */
    char admin_address[128];  /* empty: none */
    char admin_token[256];
    bool admin_socket_given;  /* written out; otherwise doing without it is no failure */
    unsigned workers;         /* >= 1 */
    enum config_log_format log_format;
    enum log_level log_level;
    bool log_access;
    struct site *site;        /* sites slots */
    unsigned sites;
    struct platform_config *platform;
    unsigned platforms;
    /* Limits (RELIABILITY section 3). */
    uint32_t tls_minimum;         /* 0: TLS 1.2, 1: TLS 1.3 */
    char ticket_key[256];         /* empty: a random one */
    usec_t ticket_rotation;       /* 12 h */
    uint32_t handshakes;          /* under way at once in one worker, 1,000 */
    usec_t handshake_time;        /* 10 s */
    uint32_t conn_max;            /* over all workers */
    uint32_t conn_per_source;     /* open at once, 200 */
    struct rate conn_rate;        /* new ones of one source: 200/4s */
    struct h1_server_options front;
    struct h2_options front_h2;
    struct back_pool_options back;
    uint32_t sandbox_conns;       /* connections to one sandbox from one worker: connection_limit */
    uint32_t hold_total;
    uint64_t hold_bytes;
    uint32_t wakes_in_flight;
    struct rate wakes_global;
    size_t max_sandboxes;
    usec_t fresh;
    usec_t drain;                 /* 30 s: then the rest is cut */
    usec_t drain_tunnels;         /* 10 min: but for tunnels */
    void *owned;                  /* the settings' arena: freed with the last reference */
    void (*free_owned)(void *owned);
};

/* Snapshots are shared between threads: counted atomically. */
struct gateway_config *gateway_config_ref(struct gateway_config *c);
void gateway_config_unref(struct gateway_config *c);
/* Defaults of everything; one reference; listeners, sites and platforms empty. */
void gateway_config_init(struct gateway_config *c);
/* After reading: limits that HTTP/1 and HTTP/2 share, which are read once, go to both. */
void gateway_config_settle(struct gateway_config *c);
/* min(20,000, (descriptors this process may have - 512) / 3), at least 64: by the hard limit, to
 * which app/serve.c raises the soft one. */
uint32_t gateway_config_conn_max(void);
/* The peer is one of the listener's trusted_proxies. */
bool listener_trusts(const struct listener_config *l, const struct endpoint *peer);
/* Defaults of one site (hold 50 s, ..., connect.allow as CONTRACT section 2). */
void site_init(struct site *s);
void listener_config_init(struct listener_config *l);

#endif
