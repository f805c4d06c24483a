/* SPDX-License-Identifier: BSD-2-Clause */
/* suggest.c: optimal string alignment distance over short words. */
#include "config.h"

#include "app/suggest.h"

#define WORD 63 /* longer words are compared by their beginnings */

static unsigned
least(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;

    return m < c ? m : c;
}

unsigned
suggest_distance(struct slice a, struct slice b)
{
    unsigned row[3][WORD + 1];
    size_t an = a.n < WORD ? a.n : WORD, bn = b.n < WORD ? b.n : WORD;

    for (size_t j = 0; j <= bn; j++)
        row[0][j] = (unsigned)j;
    for (size_t i = 1; i <= an; i++) {
        unsigned *now = row[i % 3], *before = row[(i - 1) % 3];
        char x = slice_lower(a.p[i - 1]);
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= bn; j++) {
            char y = slice_lower(b.p[j - 1]);
            now[j] = least(before[j] + 1, now[j - 1] + 1, before[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == slice_lower(b.p[j - 2]) && slice_lower(a.p[i - 2]) == y) {
                unsigned swapped = row[(i - 2) % 3][j - 2] + 1;
                now[j] = swapped < now[j] ? swapped : now[j];
            }
        }
    }
    return row[an % 3][bn];
}

void
suggest_init(struct suggest *s, struct slice typed)
{
    s->typed = typed;
    s->best = SLICE_NONE;
    s->distance = 0;
}

void
suggest_offer(struct suggest *s, struct slice word)
{
    unsigned d = suggest_distance(s->typed, word);

    if (!s->best.p || d < s->distance) {
        s->best = word;
        s->distance = d;
    }
}

struct slice
suggest_best(const struct suggest *s)
{
    size_t n = s->typed.n > s->best.n ? s->typed.n : s->best.n;

    /* A third of the word may be wrong; "a" is not near "b". */
    return s->best.p && s->distance < n && s->distance <= (n + 2) / 3 ? s->best : SLICE_NONE;
}
