/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tunnels under a random client, a random origin and a random handler: a seed decides every cut,
 * pause, departure, close and failing allocation. What arrives is what was said, from its first
 * byte on; each exchange ends once; nothing is left, and (under ASan) nothing is touched that was
 * freed.
 */
#include "config.h"

#include "http/tunnel.h"

#include "failalloc.h"
#include "tunnel_rig.h"

#include <sys/socket.h>

#define SEEDS 1500
#define STEPS 120
#define SCRIPT 200000

/* Frames of all sizes, one behind the other; after the handshake. */
static struct buf script[2];
enum { UP, DOWN };

static struct {
    unsigned opened, answered, aborted, left, closed;
} tally;

struct side {
    struct rig_peer *peer;
    const char *start; /* the handshake */
    int way;
    size_t said;
};

static size_t
below(struct rig *r, size_t n)
{
    return (size_t)random_below(&r->loop.random, n);
}

static void
write_scripts(void)
{
    struct random dice;

    random_seed(&dice, 1);
    for (int way = UP; way <= DOWN; way++) {
        buf_init(&script[way], SCRIPT + 100000);
        while (script[way].n < SCRIPT) {
            static const size_t sizes[] = {0, 1, 2, 7, 125, 126, 130, 4000, 66000};
            size_t n = sizes[random_below(&dice, 9)];
            char head[14] = {(char)0x82};
            size_t used = 2;

            head[1] = (char)(way == UP ? 0x80 : 0);
            if (n > 65535) {
                head[1] = (char)(head[1] | 127);
                memcpy(head + 2, (char[8]){0, 0, 0, 0, 0, 1, (char)(n >> 8), (char)n}, 8);
                used = 10;
            } else if (n > 125) {
                head[1] = (char)(head[1] | 126);
                head[2] = (char)(n >> 8);
                head[3] = (char)n;
                used = 4;
            } else {
                head[1] = (char)(head[1] | (char)n);
            }
            assert_int_equal(buf_add(&script[way], head, used + (way == UP ? 4 : 0)), 0);
            for (size_t i = 0; i < n; i++)
                assert_int_equal(buf_add(&script[way], (char[]){(char)(i * 7 + n)}, 1), 0);
        }
    }
}

static void
say(struct rig *r, struct side *s)
{
    struct slice all = slice_of(s->start);
    size_t n = 1 + below(r, below(r, 2) ? 9 : 20000);
    struct slice part;
    ssize_t put;

    if (s->peer->fd < 0)
        return;
    part = s->said < all.n ? slice_sub(all, s->said, s->said + n)
                           : slice_sub(buf_slice(&script[s->way]), s->said - all.n,
                                       s->said - all.n + n);
    if (part.n == 0)
        return;
    put = send(s->peer->fd, part.p, part.n, MSG_NOSIGNAL);
    if (put > 0)
        s->said += (size_t)put;
}

static void
leave(struct rig *r, struct side *s)
{
    if (s->peer->fd < 0)
        return;
    if (below(r, 40) == 0)
        peer_fin(s->peer);
    else if (below(r, 80) == 0)
        peer_reset(s->peer);
    else if (below(r, 80) == 0)
        peer_close(s->peer);
}

static bool
is_held(const struct exchange *ex)
{
    return ex && ex->announced && !ex->ended && !ex->back && !ex->answer_here && !ex->todo;
}

static void
handler_acts(struct rig *r)
{
    struct exchange *ex = r->ex;

    if (is_held(ex) && below(r, 3) == 0)
        rig_release(r);
    if (!ex || !ex->tunnel || ex->ended)
        return;
    if (below(r, 50) == 0) {
        tunnel_close(ex, TUNNEL_RESTART, SLICE("restart"), REASON_SHUTDOWN);
        tally.closed++;
    } else if (below(r, 100) == 0) {
        exchange_abort(ex, REASON_SHUTDOWN);
    } else if (below(r, 100) == 0) {
        exchange_detach_back(ex, REASON_GENERATION_OVER);
    } else if (r->session && below(r, 100) == 0) {
        back_close(r->session, REASON_GENERATION_OVER);
    }
}

/* What came is how the other side's words begin; behind that at most a Close frame of ours. */
static void
check(const struct rig_peer *p, const char *start, int way)
{
    size_t skip = strlen(start), n;

    if (p->got.n < skip)
        return;
    assert_memory_equal(p->got.p, start, skip);
    for (n = 0; skip + n < p->got.n && p->got.p[skip + n] == script[way].p[n];)
        n++;
    if (skip + n == p->got.n)
        return;
    assert_int_equal((uint8_t)p->got.p[skip + n], 0x88);
    assert_true(p->got.n - skip - n <= WEBSOCKET_CLOSE_MAX);
}

static void
one_life(uint64_t seed)
{
    struct rig r;
    struct side client = {&r.client, ASK, UP, 0}, origin = {&r.origin, YES, DOWN, 0};
    bool opened = false;

    rig_init(&r, seed % 4 != 0);
    random_seed(&r.loop.random, seed);
    r.half_close_waits = seed % 3 == 0;
    r.mode = seed % 5 == 0 ? RIG_HOLD : RIG_RELAY;
    for (int i = 0; i < STEPS; i++) {
        say(&r, &client);
        if (r.origin.got.n >= strlen(ASKED))
            say(&r, &origin);
        if (i > 10) {
            leave(&r, &client);
            leave(&r, &origin);
        }
        handler_acts(&r);
        opened |= r.ex && r.ex->tunnel;
        if (r.ex && r.ex->tunnel && below(&r, 20) == 0)
            failalloc_from(1 + (unsigned)below(&r, 6));
        loop_turn(&r.loop, 0);
        failalloc_from(0);
        if (below(&r, 4) != 0)
            rig_turn_now(&r);
    }
    rig_turn_now(&r);
    check(&r.origin, ASKED, UP);
    if (opened)
        check(&r.client, TOLD, DOWN);
    tally.opened += opened;
    tally.answered += r.outcomes[END_ANSWERED];
    tally.aborted += r.outcomes[END_ABORTED];
    tally.left += r.outcomes[END_CLIENT_LEFT];
    rig_fini(&r);
}

static void
test_lives(void **state)
{
    (void)state;
    write_scripts();
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        one_life(seed);
    print_message("%u opened, %u answered, %u aborted, %u left, %u closed\n", tally.opened,
                  tally.answered, tally.aborted, tally.left, tally.closed);
    assert_true(tally.opened > SEEDS / 2 && tally.answered > 5 && tally.aborted > 50 &&
                tally.left > 20 && tally.closed > 50);
    buf_fini(&script[UP]);
    buf_fini(&script[DOWN]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lives),
    };
    return cmocka_run_group_tests_name("tunnel_random", tests, NULL, NULL);
}
