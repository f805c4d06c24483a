/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * head.h: the model of a request's or answer's head, whatever the protocol that carried it.
 * Everything sent onward is written from this model. Text lives in the exchange's arena (or is
 * static).
 */
#ifndef ROUSE_HTTP_HEAD_H
#define ROUSE_HTTP_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/reason.h"
#include "base/slice.h"

enum field_id {
    FIELD_OTHER = 0,
#define FIELD(sym, name, traits) FIELD_##sym,
#include "http/field.def"
#undef FIELD
    FIELD_COUNT
};
enum field_traits { HOP = 1, KEEP = 2, OURS = 4, JUDGED = 8, FOREIGN = 16 };

struct field {
    struct slice name; /* as it came; compared without case */
    struct slice value; /* without blanks at the ends */
    uint16_t id; /* enum field_id */
    bool plain;  /* the name is known to be of letters, digits and '-' only */
};

enum __attribute__((packed)) method {
    METHOD_OTHER, METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_PUT, METHOD_DELETE, METHOD_OPTIONS,
    METHOD_PATCH, METHOD_TRACE, METHOD_CONNECT
};

/* How a message's end is known (RFC 9112 section 6.3). */
enum __attribute__((packed)) framing {
    FRAMING_NONE, FRAMING_LENGTH, FRAMING_CHUNKED, FRAMING_CLOSE
};

struct head {
    /* requests */
    struct slice method_text;
    struct slice target; /* origin-form, byte-identical to what came; "*" for OPTIONS * */
    struct slice host;   /* the one Host (or authority), validated, as it came */
    /* answers */
    struct slice phrase;
    uint16_t status;
    /* both */
    uint16_t fields, fields_cap;
    uint16_t trailers;
    struct field *field;
    struct field *trailer; /* set before the pipe ends */
    uint64_t length;       /* FRAMING_LENGTH */
    uint8_t version;       /* 10, 11, 20 */
    enum method method;
    enum framing framing;
    bool keep_alive;      /* the peer lets its connection live */
    bool expect_continue; /* requests: 100-continue is expected */
    bool upgrade;         /* Connection: upgrade with an Upgrade field */
    bool te_trailers;     /* requests: TE: trailers */
};

void head_init(struct head *h);
enum field_id field_id_of(struct slice name);
unsigned field_traits_of(enum field_id id);
/* In lower case; static. */
struct slice field_name_of(enum field_id id);
enum method method_of(struct slice text);
/* RFC 9110 section 9.2.2. Unknown methods are not. */
bool method_idempotent(enum method m);
bool method_safe(enum method m);

/* The first field with that id, or name; NULL. */
const struct field *head_find(const struct head *h, enum field_id id);
const struct field *head_find_name(const struct head *h, struct slice name);
/* The next one with the same id (or name, when that is FIELD_OTHER); NULL. */
const struct field *head_find_next(const struct head *h, const struct field *behind);
/* Its value, or the empty slice. */
struct slice head_value(const struct head *h, enum field_id id);
/* Appends; the slices must outlive the head. -1: out of arena. */
int head_add(struct head *h, struct arena *a, enum field_id id, struct slice name,
             struct slice value) __attribute__((warn_unused_result));
/* Room for one more at the end, for the caller to fill. NULL: out of arena. */
struct field *head_slot(struct head *h, struct arena *a);
/* Removes all with that id or name; keeps the order of the others. Returns how many. */
unsigned head_remove(struct head *h, enum field_id id);
unsigned head_remove_name(struct head *h, struct slice name);
/* remove, then add. */
int head_set(struct head *h, struct arena *a, enum field_id id, struct slice name,
             struct slice value) __attribute__((warn_unused_result));
/*
 * Removes what must not go further: hop-by-hop fields, those that Connection names (but
 * protected ones, RELIABILITY G1), and in requests names with an underscore (B7). Returns how
 * many were dropped for an underscore. Framing fields go too (the serialiser writes its own),
 * and a request's Expect (ours).
 */
unsigned head_strip(struct head *h, bool request);
/*
 * No body follows this answer to a request with that method, whatever its fields tell: 1xx, 204,
 * 304, HEAD.
 */
bool head_bodiless(const struct head *answer, enum method asked);

#endif
