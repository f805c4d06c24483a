/* SPDX-License-Identifier: BSD-2-Clause */
/* forwarded.c: see forwarded.h. */
#include "config.h"

#include "gateway/forwarded.h"
#include "http/octet.h"

#include <string.h>

struct reader {
    const char *p, *end;
};

static bool
take(struct reader *r, char c)
{
    if (r->p == r->end || *r->p != c)
        return false;
    r->p++;
    return true;
}

static void
skip_blanks(struct reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\t'))
        r->p++;
}

/* Bytes of a token, and of addresses and hosts where they should have been quoted. */
static struct slice
token(struct reader *r, const char *more)
{
    const char *start = r->p;

    while (r->p < r->end && *r->p && (octet_is(*r->p, OCTET_TOKEN) || strchr(more, *r->p)))
        r->p++;
    return (struct slice){start, (size_t)(r->p - start)};
}

/*
 * The inside of a string whose opening quote was read. Nothing that we look for needs a backslash:
 * a value with one is passed over. 0, or -1: it does not end.
 */
static int
quoted(struct reader *r, struct slice *out)
{
    const char *start = r->p;
    bool escaped = false;

    for (; r->p < r->end; r->p++) {
        if (*r->p == '"') {
            *out = escaped ? SLICE_NONE : (struct slice){start, (size_t)(r->p - start)};
            r->p++;
            return 0;
        }
        if (*r->p == '\\') {
            escaped = true;
            if (++r->p == r->end)
                return -1;
        }
    }
    return -1;
}

/* name=value into *out. 0, or -1: not a pair, or the second of its name. */
static int
pair(struct reader *r, struct forwarded *out, unsigned *seen)
{
    static const struct slice name[] = {{"for", 3}, {"proto", 5}, {"host", 4}, {"by", 2}};
    struct slice *const place[] = {&out->node, &out->proto, &out->host, NULL};
    struct slice key = token(r, ""), value;

    if (key.n == 0 || !take(r, '='))
        return -1;
    if (take(r, '"')) {
        if (quoted(r, &value) < 0)
            return -1;
    } else {
        value = token(r, ":[]");
        if (value.n == 0)
            return -1;
    }
    for (unsigned i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
        if (!slice_ieq(key, name[i]))
            continue;
        if (*seen & 1u << i)
            return -1;
        *seen |= 1u << i;
        if (place[i])
            *place[i] = value;
    }
    return 0;
}

int
forwarded_next(struct slice *rest, struct forwarded *out)
{
    struct reader r = {rest->p, rest->p + rest->n};
    unsigned seen = 0, pairs = 0;
    bool more;

    *out = (struct forwarded){0};
    if (rest->n == 0)
        return 0;
    do {
        do {
            skip_blanks(&r);
            if (r.p < r.end && *r.p != ',' && *r.p != ';') {
                if (pair(&r, out, &seen) < 0)
                    return -1;
                pairs++;
                skip_blanks(&r);
            }
        } while (take(&r, ';'));
        more = take(&r, ',');
        if (!more && r.p < r.end)
            return -1;
    } while (more && pairs == 0);
    *rest = (struct slice){r.p, (size_t)(r.end - r.p)};
    return pairs > 0;
}

int
forwarded_address(struct slice node, struct endpoint *out)
{
    ptrdiff_t close = slice_index(node, ']'), colon = slice_rindex(node, ':');

    /* node-port may be hidden as well ("_x"), and is of no interest. */
    if (node.n > 0 && node.p[0] == '[') {
        if (close < 0 || ((size_t)close + 1 < node.n && node.p[close + 1] != ':'))
            return -1;
        node = slice_sub(node, 0, (size_t)close + 1);
    } else if (colon >= 0 && slice_index(node, ':') == colon) {
        node = slice_sub(node, 0, (size_t)colon);
    }
    return endpoint_parse(node, out);
}
