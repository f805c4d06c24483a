/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h2_priv.h: what both roles of HTTP/2 share, for the h2_*.c files only. A connection of either
 * role embeds a struct h2; each of its streams is a struct h2_stream, the exchange's end on that
 * side. The core moves frames, bodies, windows and budgets; the role knows heads and exchanges:
 *
 *     h2.c         life: input, states, deadlines        h2_frame.c  what nghttp2 tells of input
 *     h2_output.c  the flush: heads, DATA, what is left  h2_flow.c   windows, both ways
 *     h2_budget.c  what a peer may do how often          h2_block.c  fields while they are decoded
 *     h2_head.c    fields to a head and back
 *
 * nghttp2's callbacks for input only mark, queue and fill pipes; frames are made (mem_send) in the
 * loop's flush phase alone, once a turn, and nothing is freed before the rearm phase.
 */
#ifndef ROUSE_HTTP_H2_PRIV_H
#define ROUSE_HTTP_H2_PRIV_H

#include <nghttp2/nghttp2.h>

#include "http/exchange.h"
#include "http/h2.h"
#include "http/pace.h"
#include "net/conn.h"

struct h2;
struct h2_block;
struct h2_stream;
/* What a role does; all are called with the core in a state that allows anything but freeing. */
struct h2_role {
    bool server;
    enum reason left, broken; /* the peer went away; it did what it must not */
    /* A block is complete in h->block (judge why first). s: NULL: it begins a stream, see
     * h2_stream_new. end: END_STREAM; on_end follows for a stream that there is. */
    void (*on_head)(struct h2 *h, struct h2_stream *s, int32_t id, bool end);
    /* The peer's message is complete: its body is in the pipe. */
    void (*on_end)(struct h2_stream *s);
    /* In the flush: submit the head that h2_queue_head was called for. */
    void (*on_out)(struct h2_stream *s);
    /* Our END_STREAM was taken by the kernel. */
    void (*on_sent)(struct h2_stream *s);
    /* Trailers to be sent with the body's end: submit them. False: there are none. May be NULL. */
    bool (*trailers)(struct h2_stream *s);
    /* It broke (code: NGHTTP2_*): the stream is gone, or the peer's message is not acceptable, or
     * the whole connection is over: let go of the exchange, in that reason's way. */
    void (*on_lost)(struct h2_stream *s, enum reason why, uint32_t code);
    /* The peer said GOAWAY, or its SETTINGS came. May be NULL. */
    void (*on_goaway)(struct h2 *h, int32_t last, uint32_t code);
    void (*on_settings)(struct h2 *h);
    /* A stream is over and forgotten. */
    void (*on_stream_free)(struct h2_stream *s);
    /* Behind a flush: no stream, and nothing to be written. May be NULL. */
    void (*on_idle)(struct h2 *h);
    /* The role's next deadline, and the moment that it, or another, has come. */
    usec_t (*due)(struct h2 *h);
    void (*on_due)(struct h2 *h);
    /* It is closed: tell the owner. Then, in the reap phase: free everything. */
    void (*on_closed)(struct h2 *h, enum reason why);
    void (*on_reap)(struct h2 *h);
};

/*
 *   open -> ending -> linger -> closed
 * ending: GOAWAY goes out, no stream is left; linger: FIN is sent, input is discarded for a second
 */
enum h2_state { H2_OPEN, H2_ENDING, H2_LINGER, H2_CLOSED };

struct h2 {
    const struct h2_role *role;
    struct conn *conn; /* of the session or back that embeds this */
    struct loop *loop;
    const struct h2_options *o;
    nghttp2_session *ng;
    struct list streams;         /* all of them */
    struct list due, sent, lent; /* streams: head to be made; END_STREAM on its way; settle */
    struct list dead;            /* freed at rearm */
    struct task run, flush, rearm, reap;
    struct wheel_timer timer;
    enum h2_state state;
    enum reason why;           /* it ended */
    uint32_t goaway;           /* code to be said when ending */
    struct h2_block *block;    /* being decoded; a small read buffer */
    struct pool *in_pool;
    char *in;                  /* read in this turn: loans point here */
    char *out;                 /* only within the flush */
    size_t out_n;
    struct buf left;           /* what the kernel did not take; then nothing more is made */
    struct buf early;          /* read by somebody else, not yet looked at */
    struct pace writing;       /* to the kernel */
    usec_t since, opened;      /* since: of the state, or without streams */
    uint32_t open, discarded;  /* streams; bytes while lingering */
    uint32_t stream_window, windows; /* a stream's first one; sum of what all may send us now */
    uint32_t crossing, crossed; /* bytes, resets that may be on their way to streams we reset */
    struct bucket resets, glitches, pings, settings;
    uint32_t counted;          /* resets of ours that are counted already */
    uint32_t updates_free, pings_free, priorities_free, empties, skip; /* skip: to the next frame */
    uint32_t unheard, unheard_data, unheard_bytes; /* frames that nghttp2 did not tell of */
    uint8_t head[9], head_n;   /* of the frame that begins */
    bool large, acked;         /* the last read was full; our SETTINGS are known */
    bool more;                 /* the last flush filled its buffer */
    bool worn;                 /* three quarters of the budget for glitches are used */
    bool dying, spoiled;       /* to be ended behind a callback; nghttp2 ran out of memory */
};

struct h2_stream {
    struct exchange_end end;
    struct h2 *h;
    struct list link; /* h->streams, h->dead */
    struct list todo; /* h->due, h->sent */
    struct list lent;
    struct exchange *lent_to; /* in this turn */
    void *more;               /* the role's */
    uint64_t credited;        /* bytes given back to the window */
    struct pace reading, writing;
    usec_t at;                /* the role's */
    int32_t id;
    uint32_t window;          /* counted in h->windows */
    uint32_t head_bytes;      /* the role's */
    bool known;      /* nghttp2 knows it */
    bool ended;      /* the peer's message is complete */
    bool head_out;   /* our head was submitted */
    bool head_made;  /* a frame of it was made */
    bool deferred;   /* nghttp2 waits for h2_kick */
    bool end_out;    /* our END_STREAM was made */
    bool end_sent;   /* and the kernel has it */
    bool excused;    /* a reset of ours is not the peer's fault */
    bool peer_reset; /* RST_STREAM came */
    bool gone;       /* forgotten: freed at the end of the turn */
    bool patient;    /* what comes may pause for as long as it likes */
    bool flag[4];    /* the role's */
};
_Static_assert(sizeof(struct h2_stream) <= LOOP_PIECE, "LOOP_PIECE is too small");

/* The exchange has all that this end owes it: what comes to the stream now does not matter. */
static inline bool
h2_is_through(const struct h2_stream *s)
{
    if (s->end.ex && s->end.ex->tunnel)
        return s->end_out && s->ended;
    return s->h->role->server ? s->end_out : s->ended;
}

/* h2.c. conn (open; not closed on failure), loop, o and role are set, the rest is zero. */
int h2_init(struct h2 *h) must_check;
/* The session will not be opened after all: frees what h2_init made. */
void h2_abandon(struct h2 *h);
/* Bytes that were read before, copied; looked at, with what is readable, from the run list. */
int h2_early(struct h2 *h, struct slice bytes) must_check;
void h2_on_event(struct h2 *h, unsigned events);
/* GOAWAY with that code, all exchanges are lost, then FIN. */
void h2_end(struct h2 *h, uint32_t code, enum reason why);
/* The same from within a callback; always false. */
bool h2_doom(struct h2 *h, uint32_t code, enum reason why);
/* Closes now. After h2_say_goaway, if it can be written at once. */
void h2_close(struct h2 *h, enum reason why);
void h2_arm(struct h2 *h, usec_t due);
/* A stream for nghttp2's id; 0: of a request that is still to be submitted, with the stream as its
 * user data: then set id and known. NULL: out of memory. */
struct h2_stream *h2_stream_new(struct h2 *h, int32_t id, const struct exchange_end_ops *ops);
/* Its exchange has let go: RST_STREAM(code) unless it is closed. Forgotten when nghttp2 has let go
 * too. excused: not the peer's fault. */
void h2_stream_drop(struct h2_stream *s, uint32_t code, bool excused);
void h2_stream_release(struct h2_stream *s); /* the same, without RST_STREAM */
void h2_stream_closed(struct h2_stream *s, uint32_t code);

/* h2_output.c */
void h2_queue_head(struct h2_stream *s);
/* ops.kick: there is something in the pipe that we drain, or in *more. */
void h2_kick(struct h2_stream *s);
/* To be given to nghttp2_submit_response or _request: DATA out of the pipe that we drain, or when
 * the end has no exchange, out of *(struct buf *)s->more. */
nghttp2_data_provider h2_body(struct h2_stream *s);
void h2_flush(struct h2 *h);
void h2_say_goaway(struct h2 *h, uint32_t code);
int h2_send_data(nghttp2_session *ng, nghttp2_frame *frame, const uint8_t *head, size_t n,
                 nghttp2_data_source *source, void *arg);

/* h2_flow.c. in: what comes, we fill it; out: what goes, we drain it. */
struct pipe *h2_pipe_in(const struct h2_stream *s);
struct pipe *h2_pipe_out(const struct h2_stream *s);
struct exchange_end *h2_other(const struct h2_stream *s);
int h2_take_data(struct h2_stream *s, struct slice data);
/* ops.credit: gives windows back; widens the stream's when its reader is a real one. */
void h2_credit(struct h2_stream *s);

/* h2_frame.c: to be deleted by the caller. NULL: out of memory. */
nghttp2_session_callbacks *h2_callbacks_new(void);

/* h2_budget.c. False: over the budget, it is ending. bytes: before mem_recv, hear: in it, heard:
 * behind it. */
void h2_count_bytes(struct h2 *h, struct slice s);
void h2_hear(struct h2 *h, const nghttp2_frame_hd *hd);
void h2_allow_crossing(struct h2 *h, const struct h2_stream *s); /* we reset it */
bool h2_count_heard(struct h2 *h);
bool h2_count_reset(struct h2 *h);
bool h2_count_glitch(struct h2 *h);
bool h2_count_frame(struct h2 *h, const nghttp2_frame_hd *hd);
/* Half of the budget for resets is used: new streams wait a little (C2). */
bool h2_is_suspect(const struct h2 *h);

#endif
