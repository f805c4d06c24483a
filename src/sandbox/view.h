/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * view.h: what one worker knows of (sandbox, port) pairs, and when it must ask. Pure; one thread. A
 * hit costs one hash look-up and touches nothing shared.
 */
#ifndef ROUSE_SANDBOX_VIEW_H
#define ROUSE_SANDBOX_VIEW_H

#include "base/map.h"
#include "sandbox/mail.h"

struct view;
struct view_sandbox; /* one sandbox in use here: open requests, activity, version */

/* Where a request may go. */
struct view_route {
    struct endpoint to;
    uint64_t incarnation, version, sandbox;
    struct record_manner manner;
};

enum view_says {
    VIEW_GO,          /* route is filled in */
    VIEW_ASK,         /* not known, or not open */
    VIEW_NEEDS_TOKEN, /* open, but a token is needed and none came: auth_required */
    VIEW_BAD_TOKEN,   /* auth_invalid */
};

struct view *view_new(size_t max_sandboxes, uint64_t seed0, uint64_t seed1);
void view_free(struct view *v);
/* token: TOKEN_DIGEST bytes or NULL. */
enum view_says view_route(struct view *v, const struct sandbox_key *key, uint16_t port,
                          const uint8_t *token, struct view_route *route);
/*
 * Is this version still the newest heard of for the sandbox? To be asked when a connect completes.
 */
bool view_current(const struct view *v, uint64_t sandbox, uint64_t version);

/*
 * A request starts (or ends) being relayed to a sandbox. begin may fail (NULL) only out of memory.
 * Both may make an ACTIVITY due: see view_activity.
 */
struct view_sandbox *view_begin(struct view *v, uint64_t sandbox, usec_t now);
void view_end(struct view *v, struct view_sandbox *s, uint64_t bytes, usec_t now);
/* One of its open requests became a stream (+1), or is none any more (-1). */
void view_stream(struct view_sandbox *s, int change);
uint32_t view_open(const struct view_sandbox *s);
/* The same by control's number; 0 when it is not known. */
uint32_t view_open_at(const struct view *v, uint64_t sandbox);
/* Fills the next ACTIVITY that is due at now: true; or false, and *next is when to ask again. */
bool view_activity(struct view *v, usec_t now, struct mail *out, usec_t *next);

/* STATE, VERDICT GO, QUIESCE, CLOSE_STREAMS. Older versions are ignored. What the worker has to
 * do comes back: VIEW_DROP_IDLE: close idle back connections of m->sandbox (all of them on
 * QUIESCE, those of other incarnations on STATE). VIEW_CLOSE_STREAMS: of m->sandbox, with the code
 * of m. For QUIESCE, *reply is the QUIESCED to post. */
enum view_todo { VIEW_NOTHING = 0, VIEW_DROP_IDLE = 1, VIEW_REPLY = 2, VIEW_CLOSE_STREAMS = 4 };
unsigned view_on_mail(struct view *v, const struct mail *m, usec_t now, struct mail *reply);

#endif
