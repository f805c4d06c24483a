/* SPDX-License-Identifier: BSD-2-Clause */
/* suggest.h: "did you mean": the nearest of some words, by edit distance. Pure. */
#ifndef ROUSE_APP_SUGGEST_H
#define ROUSE_APP_SUGGEST_H

#include "base/slice.h"

struct suggest {
    struct slice typed, best;
    unsigned distance; /* of best */
};

void suggest_init(struct suggest *s, struct slice typed);
/* Offers a word; it must live as long as s. */
void suggest_offer(struct suggest *s, struct slice word);
/* The nearest word offered, or .p NULL when none is near enough to be meant. */
struct slice suggest_best(const struct suggest *s);
/* Edits (insert, delete, replace, swap of neighbours) between two words, case folded. */
unsigned suggest_distance(struct slice a, struct slice b);

#endif
