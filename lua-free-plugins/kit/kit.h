/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kit.h: what plugins share: texts, a bounded line, mistakes in options, and reading the sandbox
 * that a platform answered with. Linked into each plugin; knows rouse/plugin.h only.
 */
#ifndef ROUSE_KIT_H
#define ROUSE_KIT_H

#include <stdbool.h>

#include "rouse/plugin.h"

#define KIT_WHY 160

struct rouse_text kit_text(const char *s);
bool kit_is(struct rouse_text t, const char *word);
bool kit_is_nocase(struct rouse_text t, const char *word);
bool kit_starts(struct rouse_text t, const char *with);
/* Without blanks, tabs and line ends at both ends. */
struct rouse_text kit_trim(struct rouse_text t);
/* A NUL-terminated copy on the heap; NULL: out of memory. */
char *kit_copy(struct rouse_text t);

/* Text that grows in a buffer of fixed size and says when it did not fit. */
struct kit_line {
    char *p;
    size_t n, max; /* p[n] is always NUL */
    bool full;     /* something was left out */
};
void kit_line_init(struct kit_line *l, char *space, size_t size);
void kit_line_add(struct kit_line *l, struct rouse_text t);
void kit_line_printf(struct kit_line *l, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Up to most bytes of t, what is not printable as '?': words of a stranger in a log line. */
void kit_line_quote(struct kit_line *l, struct rouse_text t, size_t most);
struct rouse_text kit_line_text(const struct kit_line *l);

/* Fills *m with the place of `at` (NULL: the platform) and returns -1. hint may be "". */
int kit_wrong(struct rouse_mistake *m, const struct rouse_node *at, const char *hint,
              const char *format, ...) __attribute__((format(printf, 4, 5)));

/* ---- the sandbox in an answer --------------------------------------------------------------- */

enum kit_said {
    KIT_NOTHING,  /* empty, or JSON without a state: look again */
    KIT_SANDBOX,  /* reply.sandbox */
    KIT_NONSENSE, /* no JSON, or not a sandbox: reply.why */
    KIT_OTHER,    /* about another sandbox: not to be believed */
    KIT_OLD,      /* an answer to a call with another epoch */
};

struct kit_reply {
    struct rouse_sandbox sandbox; /* valid until kit_reply_fini */
    struct rouse_json *json;
    char why[KIT_WHY];
};

/*
 * Reads an answer's body. An answer may name `id` (or `sandboxId`) and `epoch`; then they must be
 * those of the call (epoch 0: any). To be ended by kit_reply_fini whatever it returns.
 */
enum kit_said kit_reply_read(struct kit_reply *r, const struct rouse_services *s,
                             struct rouse_host *host, struct rouse_text id, uint64_t epoch,
                             struct rouse_text body);
void kit_reply_fini(struct kit_reply *r, const struct rouse_services *s);

#endif
