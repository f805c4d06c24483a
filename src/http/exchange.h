/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exchange.h: one request and its answer, joining a front (towards the client) and a back (towards
 * the sandbox), neither of which knows the other's protocol: two heads, two bounded pipes, two
 * ends.
 *
 *     front end  --- req, to_back --->  back end
 *     front end  <-- resp, to_front ---  back end
 *
 * An end is what a session (h1 server, h1 client, later h2) or the memory end plugs in. Its four
 * ops, and all of the handler's callbacks, are only ever called from the loop's run list (on_end
 * and release: from its reap phase): exchange_signal marks and queues, nothing recurses, nothing
 * frees underfoot. Order within one run: reset, head, kick, credit. kick and credit may come
 * without need; head and reset never do.
 *
 * Held: no back is attached and to_back's window is 0. Attaching a back opens the window: the front
 * gets `credit`, reads on, and if the client waits for it, sends 100 Continue (never for a memory
 * back).
 *
 * How it ends, and who says so:
 *     the front sent the whole answer         front: exchange_front_done     END_ANSWERED
 *     the back broke within the answer        back: exchange_back_lost; the front drains what the
 *                                             aborted pipe holds, then front_done  END_ABORTED
 *     the client left, or its request broke   front: exchange_front_lost     END_CLIENT_LEFT
 *     we gave up                              handler: exchange_abort        END_ABORTED
 * Whoever is still attached then gets `reset`. on_end follows in the same turn's reap phase and
 * release right behind it. A kick may come before the head was taken: an HTTP/2 session that cannot
 * stop decoding keeps a head for itself until interim_here is clear.
 */
#ifndef ROUSE_HTTP_EXCHANGE_H
#define ROUSE_HTTP_EXCHANGE_H

#include "base/buf.h"
#include "base/endpoint.h"
#include "http/head.h"
#include "http/pipe.h"
#include "net/loop.h"

struct exchange;
struct exchange_end;
struct tunnel;

struct exchange_end_ops {
    const char *name;                     /* "h1 server", "h1 client", "memory" */
    void (*head)(struct exchange_end *);  /* the head you must send is ready (again for each 1xx) */
    void (*kick)(struct exchange_end *);  /* the pipe you drain has bytes, or has ended */
    /* the pipe you fill has room, or its reader wants no more */
    void (*credit)(struct exchange_end *);
    /* stop; the end has been detached already. May be NULL: nothing to stop. */
    void (*reset)(struct exchange_end *, enum reason);
};

enum exchange_mark { MARK_HEAD = 1, MARK_KICK = 2, MARK_CREDIT = 4, MARK_RESET = 8 };

#define EXCHANGE_INTERIMS_MAX 16

struct exchange_end {
    const struct exchange_end_ops *ops;
    struct exchange *ex; /* NULL while detached */
    struct task task;    /* on the loop's run list while marks are set */
    unsigned marks;
    enum reason reset_reason;
};

/* Did a byte of the request reach a connected socket? Decides whether it may be sent again. */
enum __attribute__((packed)) delivered { DELIVERED_NO, DELIVERED_MAYBE, DELIVERED_YES };

enum __attribute__((packed)) exchange_end_kind {
    END_NONE, END_ANSWERED, END_ABORTED, END_CLIENT_LEFT
};

/* Whoever runs exchanges: proxy, fetch, tests. All are called from the loop, never nested. */
struct exchange_handler {
    /* The request's head is complete and valid; its body may follow. Attach a back, or hold. */
    void (*on_request)(struct exchange *ex);
    /* A head came from the back (ex->resp), interim (may be NULL) or final, before the front sends
     * it: adapt it. */
    void (*on_interim)(struct exchange *ex);
    void (*on_answer)(struct exchange *ex);
    /* The back ended before its answer's head was complete; it is detached, the request's pipe is
     * intact as far as pipe_can_rewind says. Attach another back or hold again where
     * exchange_can_resend allows it, or answer. */
    void (*on_back_lost)(struct exchange *ex, enum reason why);
    /* The request was sent and no byte came back for a second (once). May be NULL. */
    void (*on_silence)(struct exchange *ex);
    /* The request's body broke off, or is over a limit, before a byte of an answer went out; the
     * front calls exchange_front_lost next, and says this to its client: a whole head (status,
     * framing, fields in a) and body. Not from the run list: nothing may change but counters. -1,
     * or NULL: the front says it by itself. */
    int (*on_broken)(struct exchange *ex, enum reason why, struct head *h, struct arena *a,
                     struct buf *body);
    /* Exactly once for each on_request, at the end, with ex->outcome and ex->reason; afterwards
     * the exchange is reaped. Free what hangs on it; the struct itself is given back by
     * `release`, which is all that an exchange sees whose client left before on_request. */
    void (*on_end)(struct exchange *ex);
    void (*release)(struct exchange *ex);
};

struct exchange {
    struct loop *loop;
    const struct exchange_handler *handler;
    struct arena arena;
    struct head req, resp;
    struct pipe to_back, to_front;
    struct exchange_end *front, *back;
    struct task run, reap;
    struct tunnel *tunnel;       /* in the arena, from tunnel_open on (tunnel.h); else NULL */
    /* of the request line; of its head; request on the wire; answer */
    usec_t began, head_done, sent, first_byte;
    struct endpoint peer;        /* the client */
    struct endpoint back_peer;
    unsigned todo;               /* callbacks due, exchange.c */
    enum reason lost;            /* for on_back_lost */
    enum exchange_end_kind outcome;
    enum reason reason;          /* why it was aborted or left, or which answer Rouse made up */
    enum delivered delivered;
    bool answer_started;         /* a byte of the final answer went to the front */
    bool answer_here;            /* the final answer's head is in resp */
    bool interim_here;           /* an interim head is in resp, the front has not taken it yet */
    bool unprocessed;            /* HTTP/2 said so: safe to send again */
    bool back_is_real;           /* false: memory: no 100 Continue */
    bool announced;              /* on_request was called */
    bool half_close_waits;       /* the handler's: FIN from the client does not mean gone */
    bool ended;
    uint8_t interims;            /* 1xx seen; limit 16 */
};

#define EXCHANGE_ARENA_MAX (192u * 1024)

/* Fills a fresh exchange; the memory is the handler's. window of to_back is 0: held. */
void exchange_init(struct exchange *ex, struct loop *l, const struct exchange_handler *h);

/* For ends. Marks the end and queues it. NULL and detached ends are ignored. */
void exchange_signal(struct exchange_end *end, unsigned marks);
/* Takes n bytes out of p and signals `writer` credit when it was thirsty and there is room
 * again. */
void exchange_drain(struct pipe *p, size_t n, struct exchange_end *writer);
/* The reader of p wants no more: what comes is discarded; `writer` gets credit. */
void exchange_stop(struct pipe *p, struct exchange_end *writer);
void exchange_end_init(struct exchange_end *end, const struct exchange_end_ops *ops);

/*
 * Front sessions: attach at birth; then the head is in ex->req: on_request follows from the run
 * list.
 */
void exchange_attach_front(struct exchange *ex, struct exchange_end *front);
void exchange_request_ready(struct exchange *ex);
/* The head was no good: gives the exchange back by `release` alone. */
void exchange_discard(struct exchange *ex);
/* The client is gone, or its request broke: the back is reset so that the request cannot look
 * complete, on_end follows. The end is detached before this returns. */
void exchange_front_lost(struct exchange *ex, enum reason why);
/* The answer's last byte was taken by the kernel, or the pipe was aborted and is drained: the
 * exchange is over; the front is detached. The rest of the request, if any, is the session's to
 * discard. */
void exchange_front_done(struct exchange *ex);

/* The handler: gives the exchange a back: opens to_back's window, signals head. */
void exchange_attach_back(struct exchange *ex, struct exchange_end *back, bool real);
/* Takes the back away without on_back_lost (its session is reset): the route was withdrawn. */
void exchange_detach_back(struct exchange *ex, enum reason why);
/* Ends the exchange from our side: before the answer started the handler should attach a memory
 * back instead; afterwards this cuts the answer so that it cannot look complete. */
void exchange_abort(struct exchange *ex, enum reason why);

/*
 * Back sessions: an interim answer (1xx, not 100, not 101) is in ex->resp; the front forwards it.
 * The back leaves resp alone while interim_here; it gets `credit` when the front has taken it.
 */
void exchange_interim_ready(struct exchange *ex);
/* The final head is in ex->resp: on_answer, then the front gets `head`. */
void exchange_answer_ready(struct exchange *ex);
/* The connection ended: before the answer's head: on_back_lost; within it: the answer is cut
 * (END_ABORTED). The end is detached before this returns. */
void exchange_back_lost(struct exchange *ex, enum reason why);
/* Nothing came back for a while: on_silence, while no answer is here. */
void exchange_silence(struct exchange *ex);
/* The answer is complete in the pipe and the back wants nothing more: it is detached. */
void exchange_back_done(struct exchange *ex);

/*
 * May this request be sent again on another connection, by DESIGN section 3 (Retry)? Never once a
 * byte of an answer came, an interim one's among them.
 */
bool exchange_can_resend(const struct exchange *ex);

/*
 * Has its answer begun, and nobody knows when it ends (events, messages, a tunnel)? Then neither
 * side's silence means that it is broken: TCP's keepalive finds who is dead.
 */
static inline bool
exchange_streams(const struct exchange *ex)
{
    return ex->tunnel || (ex->answer_here && (ex->resp.framing == FRAMING_CHUNKED ||
                                              ex->resp.framing == FRAMING_CLOSE) &&
                          !head_bodiless(&ex->resp, ex->req.method));
}

#endif
