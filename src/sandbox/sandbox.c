/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sandbox.c: the states of a sandbox and the table of legal moves; comparisons of records. It must
 * not know waiters, wakes or workers.
 */
#include "config.h"

#include "sandbox/sandbox.h"

#include <string.h>

#define BIT(s) (1u << SANDBOX_##s)

/* Killed is added for all: any --> killed. */
static const unsigned moves[SANDBOX_STATE_COUNT] = {
    [SANDBOX_RUNNING] = BIT(PAUSING),
    [SANDBOX_PAUSING] = BIT(PAUSED) | BIT(RUNNING),
    [SANDBOX_PAUSED] = BIT(RESUMING),
    [SANDBOX_RESUMING] = BIT(RUNNING) | BIT(PAUSED),
};

bool
sandbox_may_move(enum sandbox_state from, enum sandbox_state to)
{
    ensure(from < SANDBOX_STATE_COUNT && to < SANDBOX_STATE_COUNT);
    if (to == SANDBOX_KILLED)
        return from != SANDBOX_KILLED;
    return (moves[from] >> to) & 1;
}

bool
sandbox_rising(enum sandbox_state s)
{
    return s == SANDBOX_STARTING || s == SANDBOX_RESUMING || s == SANDBOX_RUNNING;
}

void
sandbox_moves_text(struct buf *out)
{
    for (unsigned from = 0; from < SANDBOX_STATE_COUNT; from++) {
        if (moves[from] == 0)
            continue;
        buf_printf(out, "%s -->", sandbox_state_name((enum sandbox_state)from));
        for (unsigned to = 0; to < SANDBOX_STATE_COUNT; to++) {
            if (to != SANDBOX_KILLED && ((moves[from] >> to) & 1))
                buf_printf(out, " %s", sandbox_state_name((enum sandbox_state)to));
        }
        buf_add_char(out, '\n');
    }
    buf_add_str(out, "any --> killed\n");
}

struct slice
sandbox_key_slice(const struct sandbox_key *k)
{
    return (struct slice){(const char *)k, offsetof(struct sandbox_key, id) + k->n};
}

bool
sandbox_is_older(const struct sandbox *s, const struct record *r)
{
    uint64_t known, said;

    if (!s->known || !name_eq(&s->record.instance, &r->instance))
        return false;
    if (slice_u64(name_slice(&s->record.generation), UINT64_MAX, &known) < 0 ||
        slice_u64(name_slice(&r->generation), UINT64_MAX, &said) < 0)
        return false;
    return said < known;
}

bool
sandbox_route_differs(const struct record *a, const struct record *b)
{
    if (!name_eq(&a->generation, &b->generation) || !name_eq(&a->instance, &b->instance))
        return true;
    if (!endpoint_eq(&a->address, &b->address) || a->ports_n != b->ports_n)
        return true;
    if (a->manner.speaks != b->manner.speaks || a->manner.tls != b->manner.tls)
        return true;
    if (a->tokens_n != b->tokens_n ||
        memcmp(a->tokens, b->tokens, a->tokens_n * sizeof(a->tokens[0])) != 0)
        return true;
    for (unsigned i = 0; i < a->ports_n; i++) {
        if (a->ports[i].port != b->ports[i].port ||
            !endpoint_eq(&a->ports[i].at, &b->ports[i].at))
            return true;
    }
    return false;
}
