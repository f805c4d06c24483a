/* SPDX-License-Identifier: BSD-2-Clause */
/* The mailbox: order, bounds, reservations, one wake-up a burst, and four threads at once. */
#include "config.h"

#include "net/mailbox.h"

#include "net_rig.h"

#include <pthread.h>

#define SENDERS 4
#define EACH 20000u

/* What the tests send: who, the how manieth, and as many bytes of filling as the number asks
 * for. */
struct letter {
    uint32_t sender, number;
    unsigned char filling[MAILBOX_RECORD_MAX - 8];
};

struct rig {
    struct loop loop;
    struct mailbox *box;
    uint32_t next[SENDERS];
    unsigned got;
    bool all;
    unsigned expected;
    unsigned post_more; /* post that many to ourselves from within the callback */
};

static size_t
filling(uint32_t number)
{
    return number * 37 % (MAILBOX_RECORD_MAX - 8);
}

static size_t
write_letter(struct letter *l, uint32_t sender, uint32_t number)
{
    size_t n = filling(number);

    l->sender = sender;
    l->number = number;
    memset(l->filling, (int)(number & 0xff), n);
    return 8 + n;
}

static void
on_letter(void *ctx, const void *record, size_t n)
{
    struct rig *r = ctx;
    const struct letter *l = record;

    assert_int_equal((uintptr_t)record % 16, 0);
    assert_true(l->sender < SENDERS);
    assert_int_equal(l->number, r->next[l->sender]);
    r->next[l->sender]++;
    assert_int_equal(n, 8 + filling(l->number));
    for (size_t i = 0; i < n - 8; i++)
        if (l->filling[i] != (l->number & 0xff))
            fail_msg("letter %u of %u is damaged at %zu", l->number, l->sender, i);
    if (++r->got == r->expected)
        r->all = true;
    if (r->post_more > 0) {
        struct letter more;
        size_t size = write_letter(&more, 0, r->next[0]);

        r->post_more--;

        assert_int_equal(mailbox_post(r->box, &more, size), 0);
    }
}

static void
rig_open(struct rig *r, size_t max, unsigned budget)
{
    *r = (struct rig){.got = 0};
    rig_loop(&r->loop);
    r->box = mailbox_new(&r->loop, max, budget, on_letter, r);
    assert_non_null(r->box);
}

static void
rig_close(struct rig *r)
{
    mailbox_free(r->box);
    loop_fini(&r->loop);
}

/* Posts letters of sender 0 until it is full. */
static uint32_t
fill(struct rig *r, uint32_t from)
{
    struct letter l;

    for (;;) {
        size_t n = write_letter(&l, 0, from);

        if (mailbox_post(r->box, &l, n) != 0)
            return from;
        from++;
    }
}

static void
test_full_empty_and_full_again(void **state)
{
    struct rig r;
    uint32_t sent = 0;

    (void)state;
    rig_open(&r, 10000, 0);
    for (int round = 0; round < 500; round++) {
        uint32_t before = sent;

        sent = fill(&r, sent);
        assert_true(sent > before);
        loop_turn(&r.loop, USEC_SEC);
        assert_int_equal(r.got, sent);
    }
    fill(&r, sent);
    rig_close(&r); /* undelivered ones are dropped */
}

static void
test_partly_emptied_wraps_round(void **state)
{
    struct rig r;
    uint32_t sent = 0;

    (void)state;
    rig_open(&r, 20000, 3);
    for (int round = 0; round < 3000; round++) {
        sent = fill(&r, sent);
        loop_turn(&r.loop, USEC_SEC);
        assert_int_equal(r.got, 3 * (round + 1));
    }
    r.expected = sent;
    rig_until(&r.loop, &r.all);
    rig_close(&r);
}

static void
test_reserved_room_is_kept(void **state)
{
    struct rig r;
    struct letter l;
    uint32_t sent;

    (void)state;
    rig_open(&r, 8000, 0);
    assert_int_equal(mailbox_reserve(r.box, MAILBOX_RECORD_MAX), 0);
    assert_int_equal(mailbox_reserve(r.box, 100), 0);
    assert_int_equal(mailbox_reserve(r.box, 100), 0);
    sent = fill(&r, 0);
    assert_int_equal(mailbox_reserve(r.box, MAILBOX_RECORD_MAX), -1);
    write_letter(&l, 1, 0);
    mailbox_post_reserved(r.box, MAILBOX_RECORD_MAX, &l, 8); /* less than promised */
    write_letter(&l, 1, 1);
    mailbox_post_reserved(r.box, 100, &l, 8 + filling(1));
    mailbox_unreserve(r.box, 100);
    loop_turn(&r.loop, USEC_SEC);
    assert_int_equal(r.got, sent + 2);
    for (int i = 0; i < 1000; i++) { /* nothing leaks from the account */
        assert_int_equal(mailbox_reserve(r.box, 1000), 0);
        mailbox_unreserve(r.box, 1000);
    }
    sent += fill(&r, sent) - sent;
    loop_turn(&r.loop, USEC_SEC);
    assert_int_equal(r.got, sent + 2);
    rig_close(&r);
}

static void
test_urgent_goes_beyond_the_bound_in_order(void **state)
{
    struct rig r;
    struct letter l;
    uint32_t sent;

    (void)state;
    rig_open(&r, 6000, 5);
    assert_int_equal(mailbox_reserve(r.box, 8), 0);
    sent = fill(&r, 0);
    for (int i = 0; i < 20; i++) {
        size_t n = write_letter(&l, 0, sent++);

        assert_int_equal(mailbox_post_urgent(r.box, &l, n), 0);
    }
    l.sender = 1;
    l.number = 0;
    mailbox_post_reserved(r.box, 8, &l, 8);
    r.expected = sent + 1;
    rig_until(&r.loop, &r.all);
    assert_int_equal(mailbox_post_urgent(r.box, &l, write_letter(&l, 0, sent++)), 0);
    assert_int_equal(r.next[1], 1);
    loop_turn(&r.loop, USEC_SEC);
    assert_int_equal(r.next[0], sent);
    for (int i = 0; i < 20; i++) {
        size_t n = write_letter(&l, 0, sent++);

        assert_int_equal(mailbox_post_urgent(r.box, &l, n), 0);
    }
    rig_close(&r);
}

static void
test_posting_from_the_callback(void **state)
{
    struct rig r;
    struct letter l;

    (void)state;
    rig_open(&r, 100000, 4);
    r.post_more = 50;
    r.expected = 51;
    assert_int_equal(mailbox_post(r.box, &l, write_letter(&l, 0, 0)), 0);
    loop_turn(&r.loop, USEC_SEC);
    assert_int_equal(r.got, 4); /* the budget */
    rig_until(&r.loop, &r.all);
    rig_close(&r);
}

static void
test_an_empty_record(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r, 64, 0);
    assert_int_equal(mailbox_reserve(r.box, 0), 0);
    mailbox_unreserve(r.box, 0);
    assert_int_equal(mailbox_reserve(r.box, 65), -1);
    rig_close(&r);
}

struct sender {
    struct rig *rig;
    uint32_t who;
};

/* Takes turns between the three ways of posting; waits (by trying again) when it is full. */
static void *
send_letters(void *arg)
{
    const struct sender *s = arg;
    struct mailbox *box = s->rig->box;
    struct letter l;

    for (uint32_t i = 0; i < EACH; i++) {
        size_t n = write_letter(&l, s->who, i);

        if (i % 7 == 0) {
            while (mailbox_reserve(box, n + 5 <= MAILBOX_RECORD_MAX ? n + 5 : n) != 0)
                sched_yield();
            mailbox_post_reserved(box, n + 5 <= MAILBOX_RECORD_MAX ? n + 5 : n, &l, n);
        } else if (i % 101 == 0) {
            if (mailbox_post_urgent(box, &l, n) != 0)
                return arg; /* out of memory */
        } else {
            while (mailbox_post(box, &l, n) != 0)
                sched_yield();
        }
    }
    return NULL;
}

static void
test_four_threads(void **state)
{
    struct rig r;
    pthread_t thread[SENDERS];
    struct sender sender[SENDERS];
    void *why = NULL;

    (void)state;
    rig_open(&r, 200000, 64);
    r.expected = SENDERS * EACH;
    for (uint32_t i = 0; i < SENDERS; i++) {
        sender[i] = (struct sender){&r, i};
        assert_int_equal(pthread_create(&thread[i], NULL, send_letters, &sender[i]), 0);
    }
    rig_until(&r.loop, &r.all);
    for (int i = 0; i < SENDERS; i++) {
        assert_int_equal(pthread_join(thread[i], &why), 0);
        assert_null(why);
        assert_int_equal(r.next[i], EACH);
    }
    rig_close(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_empty_and_full_again),
        cmocka_unit_test(test_partly_emptied_wraps_round),
        cmocka_unit_test(test_reserved_room_is_kept),
        cmocka_unit_test(test_urgent_goes_beyond_the_bound_in_order),
        cmocka_unit_test(test_posting_from_the_callback),
        cmocka_unit_test(test_an_empty_record),
        cmocka_unit_test(test_four_threads),
    };
    return cmocka_run_group_tests_name("mailbox", tests, NULL, NULL);
}
