/* SPDX-License-Identifier: BSD-2-Clause */
/* wake.c: the states of a flight and their table. It must not know platforms, stores or waiters. */
#include "config.h"

#include "sandbox/wake.h"

#include "base/ensure.h"

#define BIT(s) (1u << FLIGHT_##s)

static const unsigned moves[FLIGHT_STATE_COUNT] = {
    [FLIGHT_NONE] = BIT(LEASE) | BIT(REST),
    [FLIGHT_LEASE] = BIT(NONE) | BIT(HELD) | BIT(REREAD) | BIT(CALL) | BIT(REST),
    [FLIGHT_HELD] = BIT(NONE) | BIT(LEASE),
    [FLIGHT_REREAD] = BIT(NONE) | BIT(LEASE) | BIT(CALL),
    [FLIGHT_CALL] = BIT(NONE) | BIT(HELD) | BIT(SETTLE) | BIT(REST) | BIT(PUBLISH),
    [FLIGHT_SETTLE] = BIT(NONE) | BIT(LEASE) | BIT(REST) | BIT(PUBLISH),
    [FLIGHT_REST] = BIT(NONE) | BIT(LEASE) | BIT(CALL),
    [FLIGHT_PUBLISH] = BIT(NONE) | BIT(HELD),
};

const char *
flight_state_name(enum flight_state s)
{
    static const char *const name[FLIGHT_STATE_COUNT] = {
#define X(sym, text) text,
        FLIGHT_STATES(X)
#undef X
    };

    ensure(s < FLIGHT_STATE_COUNT);
    return name[s];
}

bool
flight_may_move(enum flight_state from, enum flight_state to)
{
    ensure(from < FLIGHT_STATE_COUNT && to < FLIGHT_STATE_COUNT);
    return (moves[from] >> to) & 1;
}

void
flight_moves_text(struct buf *out)
{
    for (unsigned from = 0; from < FLIGHT_STATE_COUNT; from++) {
        buf_printf(out, "%s -->", flight_state_name((enum flight_state)from));
        for (unsigned to = 0; to < FLIGHT_STATE_COUNT; to++) {
            if ((moves[from] >> to) & 1)
                buf_printf(out, " %s", flight_state_name((enum flight_state)to));
        }
        buf_add_char(out, '\n');
    }
}

usec_t
flight_backoff(struct flight *f, usec_t first, usec_t most, uint64_t random)
{
    f->backoff = usec_min(most, f->backoff > 0 ? f->backoff * 2 : first);
    return f->backoff + (usec_t)(random % (uint64_t)(f->backoff / 4 + 1));
}

bool
flight_leased(const struct flight *f, usec_t now)
{
    return f->epoch != 0 && now < f->lease_until;
}
