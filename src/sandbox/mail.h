/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mail.h: everything that data workers and the control side tell each other: one kind, one
 * paragraph. Only ids and values travel. `ticket` is the worker's number for one ASK; `sandbox` is
 * control's number for one sandbox (never reused); `version` is the route_version: control mints a
 * higher one with every change of a sandbox's address, generation or state, and news about an older
 * one is ignored by whoever gets it.
 */
#ifndef ROUSE_SANDBOX_MAIL_H
#define ROUSE_SANDBOX_MAIL_H

#include <stddef.h>

#include "base/reason.h"
#include "sandbox/record.h"

enum mail_kind {
    /* worker -> control. A request cannot go on by what the worker knows. Gets exactly one VERDICT,
     * whatever happens to the request. Carries all that deciding needs: why, who, which token,
     * whether its class may wake, how long the client is willing to wait. */
    MAIL_ASK,
    /* control -> worker. The answer to one ASK: GO to this endpoint, NO for this reason, or
     * STAY: go on waiting for the answer that you are waiting for. Its room is reserved when the
     * ASK is posted. */
    MAIL_VERDICT,
    /* worker -> control. The request behind the ticket is gone (client left, page shown, deadline).
     * Before the verdict: the waiter is dropped, though the VERDICT still comes (NO). After a GO
     * that asked for reports and before CONNECTED: the terminal message, its place in the window is
     * free. */
    MAIL_LEAVE,
    /* worker -> control. A released ticket has its connection; it counts against the window
     * until ANSWERED. took: how long the connect took. Terminal. */
    MAIL_CONNECTED,
    /* worker -> control. A released ticket gave up connecting: refused past its limit, silent,
     * or the route was withdrawn under it. The worker answers the request or asks again.
     * Terminal. */
    MAIL_CONNECT_FAILED,
    /* worker -> control. A CONNECTED ticket's answer head came (ok), or it ended without one.
     * Exactly one for each CONNECTED. Widens the window when ok. */
    MAIL_ANSWERED,
    /* worker -> control. This sandbox is in use here: open requests, bytes since the last
     * report. At most one per sandbox, worker and second, and one when open falls to 0. */
    MAIL_ACTIVITY,
    /* control -> worker. What a worker that asked may know of (sandbox, port): open = go there
     * directly, with endpoint, incarnation and the tokens that are admitted; otherwise ask.
     * Coalesced per worker. */
    MAIL_STATE,
    /* control -> worker. The sandbox is about to be paused: forget its routes, close its idle
     * back connections, answer QUIESCED. */
    MAIL_QUIESCE,
    /* worker -> control. Done, with what is still in flight here: requests and streams. */
    MAIL_QUIESCED,
    /* control -> worker. Close the long-lived streams of a sandbox with a WebSocket code: it is
     * being paused, asleep already, or was killed (why). */
    MAIL_CLOSE_STREAMS,
    MAIL_KINDS
};

/* Why a worker asks: ASK_WHY(symbol, name). */
enum ask_why {
    /* nothing is known of (sandbox, port) here, or it is not open: paused, ramping */
    ASK_UNKNOWN,
    ASK_REFUSED,   /* it was open, and connecting was refused or reset */
    ASK_SILENT,    /* it was open, and connecting got no answer for 250 ms */
    /* the request was sent, no byte came back for 1 s: asleep? STAY or NO come back */
    ASK_NO_ANSWER,
};

enum verdict {
    VERDICT_GO_DIRECT, /* connect once; on failure ask again */
    VERDICT_GO_PROBE,  /* just woken: connect until the deadline, with the rhythm since `since` */
    VERDICT_GO_RETRY,  /* running, its port is not: connect until `until`, then port_closed */
    VERDICT_NO,        /* answer with reason */
    VERDICT_STAY,      /* ASK_NO_ANSWER only: keep waiting; it is running, or is being woken */
};

/* Traffic classes, CONTRACT section 4: TRAFFIC(symbol, name, wakes by default). */
#define TRAFFIC_CLASSES(X)                                                                         \
    X(NAVIGATION, "navigation", true)                                                              \
    X(FORM, "form", true)                                                                          \
    X(FETCH, "fetch", true)                                                                        \
    X(SUBRESOURCE, "subresource", true)                                                            \
    X(WEBSOCKET, "websocket", true)                                                                \
    X(SSE, "sse", true)                                                                            \
    X(SDK, "sdk", true)                                                                            \
    X(SSH, "ssh", true)                                                                            \
    X(OTHER, "other", true)                                                                        \
    X(PREFLIGHT, "preflight", true)                                                                \
    X(PREFETCH, "prefetch", false)                                                                 \
    X(PROBE, "probe", false)                                                                       \
    X(HOUSEKEEPING, "housekeeping", false)

enum __attribute__((packed)) traffic_class {
#define X(sym, name, wakes) CLASS_##sym,
    TRAFFIC_CLASSES(X)
#undef X
    CLASS_COUNT
};
const char *traffic_class_name(enum traffic_class c);

#define MAIL_METHOD_MAX 32
#define MAIL_HOST_MAX 255
#define MAIL_PATH_MAX 256

struct mail_ask {
    enum ask_why why;
    uint16_t site, port;
    enum traffic_class klass;
    bool may_wake;   /* class, site rules, and not woken once before for this request */
    bool keep_alive; /* the client's connection persists: released first */
    bool has_token;
    uint8_t token[TOKEN_DIGEST];
    uint8_t source[16]; /* client address for limits; IPv6 cut to /64 */
    usec_t arrived;     /* when the request's head was complete */
    usec_t wait;        /* how long the client is willing to be held; USEC_OFF: no wish */
    uint32_t bytes;     /* of body kept with it */
    struct sandbox_key key;
    /* For the platform's `caller`; borrowed, copied by who keeps them. */
    struct slice client, method, host, path;
};

struct mail_verdict {
    enum verdict verdict;
    enum reason reason;    /* NO */
    usec_t retry_after;    /* NO, with RA_GIVEN */
    struct endpoint to;    /* GO */
    struct record_manner manner; /* GO: how to speak to it */
    uint64_t incarnation;  /* GO: which life of the sandbox; keys the back connections */
    bool report;           /* GO: send CONNECTED / CONNECT_FAILED / LEAVE, then ANSWERED */
    usec_t since;          /* PROBE, RETRY: when the port first refused anybody; 0: not yet */
    usec_t until;          /* GO_*: give up then */
    usec_t wake_took;      /* for Server-Timing and the log; 0: was not woken */
    usec_t woken_at;       /* when it was running again; 0 */
    bool leader;           /* this request led the wake */
    bool held;             /* it waited in the hold */
};

struct mail_connected {
    usec_t took;
};

struct mail_connect_failed {
    bool silent;  /* no answer, else refused */
    usec_t since; /* first failure, for who inherits the rhythm */
};

struct mail_activity {
    uint32_t open;
    uint64_t bytes;
};

struct mail_state {
    uint16_t port;
    bool open;
    struct endpoint to;
    struct record_manner manner;
    uint64_t incarnation;
    uint8_t tokens_n;
    uint8_t tokens[RECORD_TOKENS][TOKEN_DIGEST];
    struct sandbox_key key;
};

struct mail {
    enum mail_kind kind;
    uint64_t ticket;  /* ASK, VERDICT, LEAVE, CONNECTED, CONNECT_FAILED, ANSWERED */
    uint64_t sandbox; /* all but ASK */
    uint64_t version;
    union {
        struct mail_ask ask;
        struct mail_verdict verdict;
        struct mail_connected connected;
        struct mail_connect_failed failed;
        struct { bool ok; } answered;
        struct mail_activity activity;
        struct mail_state state;
        struct { uint32_t in_flight, streams; } quiesced;
        struct { uint16_t code; enum reason why; } close;
    } u;
};

/* Upper bound of a packed record; a VERDICT's exact reservation. */
#define MAIL_PACKED_MAX 1536
#define MAIL_VERDICT_ROOM 256

/*
 * Flat bytes for the mailbox: writes at most MAIL_PACKED_MAX, returns the length. Longer texts are
 * cut.
 */
size_t mail_pack(const struct mail *m, void *out);
/* The reverse; texts point into `record`. Records come from mail_pack only: ensure()s. */
void mail_unpack(const void *record, size_t n, struct mail *m);
const char *mail_kind_name(enum mail_kind k);

#endif
