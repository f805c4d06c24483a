/* SPDX-License-Identifier: BSD-2-Clause */
/* What the witness does with one request. */
#ifndef WITNESS_PLAN_H
#define WITNESS_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "toolbuf.h"

enum plan_framing { PLAN_LENGTH, PLAN_CHUNKED, PLAN_CLOSE, PLAN_NONE };
enum plan_end { PLAN_KEEP, PLAN_FIN, PLAN_RST, PLAN_HANG };

struct plan {
    struct plan *next;
    char id[80];                /* named plans: of the requests it is for */
    int status;
    int64_t size;               /* of the body; -1: one canary line */
    enum plan_framing framing;
    int64_t chunk;              /* bytes a chunk */
    int64_t delay;              /* ns before the head */
    int64_t body_delay;         /* ns between head and body */
    int interim;                /* a 1xx code, interim_n times, interim_delay ns before each */
    int interim_n;
    int64_t interim_delay;
    bool early;                 /* answer when the head is there, not the whole request */
    bool noread;                /* read nothing more after the head */
    bool never;                 /* no answer */
    int64_t cut;                /* send so many bytes of the answer, then end; -1: all */
    enum plan_end end;          /* after the answer */
    int times;                  /* answers to send for the one request */
    int64_t drip;               /* bytes a step; 0: as fast as it goes */
    int64_t drip_delay;         /* ns between steps */
    struct toolbuf cuts;        /* size_t offsets at which to pause for drip_delay, rising */
    struct toolbuf fields;      /* more header lines, with CRLF */
    struct toolbuf raw;         /* if not empty, sent verbatim instead of an answer */
    bool has_raw;
    char idle[64];              /* sent idle_delay ns after the answer, on the idle connection */
    int64_t idle_delay;
};

void plan_init(struct plan *plan);
/* Applies "key=value&..." to PLAN; returns NULL, or the key that is wrong. */
const char *plan_apply(struct plan *plan, const char *text, size_t len);
struct plan *plan_copy(const struct plan *plan);
void plan_free(struct plan *plan);
/* Finds KEY in "k=v&k=v", decodes its value into OUT; false if it is absent or too long. */
bool plan_find(const char *text, size_t len, const char *key, char *out, size_t room);
/* Decodes %XX of TEXT onto OUT. */
void plan_decode(const char *text, size_t len, struct toolbuf *out);

#endif
