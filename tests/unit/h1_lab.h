/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h1_lab.h: the HTTP/1 codec as a session would use it, for tests and fuzz targets: reads one
 * message that arrives in given pieces, and tells all that came of it as text, so that two
 * readings are compared by comparing texts. Each piece lies in memory of exactly its size.
 *
 * ensure() guards what must hold for any input: what is written is read again as the same,
 * llhttp reads it in the same way, and it has no byte that could split it.
 */
#ifndef ROUSE_TESTS_H1_LAB_H
#define ROUSE_TESTS_H1_LAB_H

#include "base/buf.h"
#include "base/random.h"
#include "http/h1_parse.h"
#include "http/h1_scan.h"

enum lab_kind {
    LAB_REQUEST,
    LAB_ANSWER,      /* to GET */
    LAB_ANSWER_HEAD, /* to HEAD */
    LAB_CHUNKED,     /* a chunked body alone */
};

struct lab {
    struct pool pool;
    struct arena arena, again;
    enum lab_kind kind;
    struct h1_limits limits;
    struct buf told; /* what was told last */
    bool quick;      /* lab_cut leaves out the cuts at every place */
};

/* With the default limits of the kind. */
void lab_init(struct lab *l, enum lab_kind kind);
void lab_fini(struct lab *l);

/*
 * Reads in, of which cut[0], cut[1], ... bytes have come after each piece, rising; then all.
 * l->told is for one whole head:
 *
 *     GET /x HTTP/11 host=[a] framing=0 length=0 keep
 *     | Name: value
 *     > what is written, line by line
 *     body [hello] end 78            (or: more, bad, close)
 *     trailer Name: value
 *
 * otherwise "refused SLUG: DETAIL" or "more".
 */
void lab_read(struct lab *l, struct slice in, const size_t *cut, size_t cuts);
/* ensure()s that each reading tells the same as the whole one, which is left in l->told: byte by
 * byte, cut once at every place (in long inputs at some), cut at random places. */
void lab_cut(struct lab *l, struct slice in, struct random *r, unsigned rounds);

#endif
