/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record.c: what is known of a sandbox, as plain values. It must not know where a record came from.
 */
#include "config.h"

#include "sandbox/record.h"

#include "base/ensure.h"

#include <stdlib.h>
#include <string.h>

static const char *const state_name[SANDBOX_STATE_COUNT] = {
#define X(sym, text) text,
    SANDBOX_STATES(X)
#undef X
};

const char *
sandbox_state_name(enum sandbox_state s)
{
    ensure(s < SANDBOX_STATE_COUNT);
    return state_name[s];
}

int
sandbox_state_parse(struct slice name, enum sandbox_state *out)
{
    for (unsigned i = 0; i < SANDBOX_STATE_COUNT; i++) {
        if (slice_eq(name, slice_of(state_name[i]))) {
            *out = (enum sandbox_state)i;
            return 0;
        }
    }
    return -1;
}

struct slice
name_slice(const struct name *n)
{
    return (struct slice){n->text, n->n};
}

void
name_set(struct name *n, struct slice s)
{
    size_t len = s.n < SANDBOX_NAME_MAX ? s.n : SANDBOX_NAME_MAX;

    if (len > 0)
        memcpy(n->text, s.p, len);
    n->n = (uint8_t)len;
}

bool
name_eq(const struct name *a, const struct name *b)
{
    return slice_eq(name_slice(a), name_slice(b));
}

void
record_init(struct record *r)
{
    memset(r, 0, sizeof(*r));
    r->state = SANDBOX_UNKNOWN;
    r->auto_resume = true;
}

void
record_fini(struct record *r)
{
    free(r->rules);
    r->rules = NULL;
    r->rules_n = 0;
}

int
record_copy(struct record *dst, const struct record *src)
{
    struct wake_rule *rules = NULL;

    if (src->rules_n > 0) {
        rules = malloc(src->rules_n * sizeof(*rules));
        if (!rules) {
            record_init(dst);
            return -1;
        }
        memcpy(rules, src->rules, src->rules_n * sizeof(*rules));
    }
    *dst = *src;
    dst->rules = rules;
    return 0;
}

bool
record_endpoint(const struct record *r, uint16_t port, struct endpoint *out)
{
    for (unsigned i = 0; i < r->ports_n; i++) {
        if (r->ports[i].port != port)
            continue;
        *out = r->ports[i].at;
        if (out->port == 0)
            out->port = port;
        return out->family != 0;
    }
    if (r->address.family == 0)
        return false;
    *out = r->address;
    if (out->port == 0)
        out->port = port;
    return true;
}

bool
record_admits(const struct record *r, const uint8_t *digest)
{
    static const uint8_t none[TOKEN_DIGEST];
    const uint8_t *given = digest ? digest : none;
    unsigned fits = 0;

    if (r->tokens_n == 0)
        return true;
    for (unsigned i = 0; i < r->tokens_n; i++) {
        struct slice a = {(const char *)r->tokens[i], TOKEN_DIGEST};
        struct slice b = {(const char *)given, TOKEN_DIGEST};

        fits |= (unsigned)slice_eq_secret(a, b);
    }
    return digest && fits != 0;
}

static bool
rule_has_method(const struct wake_rule *rule, struct slice method)
{
    struct slice rest = name_slice(&rule->methods);
    struct slice one;

    if (rest.n == 0)
        return true;
    while (slice_next(&rest, ',', &one)) {
        if (slice_eq(one, method))
            return true;
    }
    return false;
}

bool
record_may_wake(const struct record *r, uint16_t port, struct slice method, struct slice path)
{
    for (unsigned i = 0; i < r->rules_n; i++) {
        const struct wake_rule *rule = &r->rules[i];

        if (rule->port != 0 && rule->port != port)
            continue;
        if (!slice_starts(path, name_slice(&rule->path_prefix)))
            continue;
        if (rule_has_method(rule, method))
            return rule->wake;
    }
    return true;
}
