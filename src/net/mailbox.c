/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mailbox.c: see mailbox.h. A ring of records behind a mutex that is held for a copy or for
 * moving the tail, never during a callback; the receiver reads records where they lie.
 *
 * The ring is a little larger than the bound, so that the gap left at its end by a record that
 * did not fit there never eats room that was promised. What is urgent and finds no room waits in
 * a list of its own; numbers keep the order between the two.
 *
 * The eventfd is edge-triggered and never read. `signalled` is true from the first record until
 * the receiver has found the queue empty.
 */
#include "config.h"

#include "net/mailbox.h"

#include "base/ensure.h"
#include "base/metric.h"

#include <event2/event.h>
#include <event2/event_struct.h>

#include <errno.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define DEFAULT_BUDGET 1024

/* Before each record. A gap has number 0. */
struct record {
    alignas(16) uint64_t number;
    uint32_t size; /* of the whole entry, this head included */
    uint32_t n;    /* bytes of the record */
};

struct overflow {
    struct list link;
    struct record record; /* the bytes follow */
};

#define ENTRY_MAX (sizeof(struct record) + MAILBOX_RECORD_MAX)

struct mailbox {
    struct event ev;
    struct loop *loop;
    void (*on_record)(void *ctx, const void *record, size_t n);
    void *ctx;
    struct task again;
    unsigned budget;
    int fd;
    bool delivering;

    pthread_mutex_t lock; /* what follows */
    unsigned char *ring;
    size_t size;       /* of the ring */
    size_t head, tail; /* where the next record is put; where the oldest is. Equal: empty */
    size_t used;       /* bytes of records in the ring, without gaps */
    size_t reserved;   /* bytes promised */
    size_t max;        /* used + reserved never exceed it */
    uint64_t number;
    struct list overflow;
    bool signalled;
};

static size_t
entry_size(size_t n)
{
    return sizeof(struct record) + ((n + 15) & ~(size_t)15);
}

/* The oldest record, or NULL. Skips the gap. */
static struct record *
ring_oldest(struct mailbox *m)
{
    struct record *r;

    if (m->head == m->tail)
        return NULL;
    r = (struct record *)(void *)(m->ring + m->tail);
    if (r->number == 0) {
        m->tail = 0;
        ensure(m->head != m->tail);
        r = (struct record *)(void *)m->ring;
    }
    return r;
}

static void
ring_drop(struct mailbox *m, size_t size)
{
    m->tail += size;
    m->used -= size;
    if (m->tail == m->size)
        m->tail = 0;
    if (m->head == m->tail)
        m->head = m->tail = 0; /* stays in the memory that is warm */
}

/* The accounting has said that there is room. */
static void
ring_put(struct mailbox *m, const void *bytes, size_t n)
{
    size_t size = entry_size(n);
    struct record *r;

    if (m->head + size > m->size) {
        ensure(m->head >= m->tail && size < m->tail);
        if (m->head < m->size)
            ((struct record *)(void *)(m->ring + m->head))->number = 0;
        m->head = 0;
    }
    ensure(m->head >= m->tail || m->head + size < m->tail);
    r = (struct record *)(void *)(m->ring + m->head);
    r->number = ++m->number;
    r->size = (uint32_t)size;
    r->n = (uint32_t)n;
    if (n > 0)
        memcpy(r + 1, bytes, n);
    m->used += size;
    m->head += size;
    if (m->head == m->size && m->tail > 0)
        m->head = 0;
}

static void
lock(struct mailbox *m)
{
    ensure(pthread_mutex_lock(&m->lock) == 0);
}

static void
unlock(struct mailbox *m)
{
    ensure(pthread_mutex_unlock(&m->lock) == 0);
}

/* Lets go of the lock and wakes the receiver if nobody has. */
static void
unlock_and_signal(struct mailbox *m)
{
    static const uint64_t one = 1;
    bool signal = !m->signalled;

    m->signalled = true;
    unlock(m);
    if (signal) {
        ssize_t n = write(m->fd, &one, sizeof(one));

        (void)n; /* cannot fill up: 2^64 bursts */
    }
}

int
mailbox_post(struct mailbox *m, const void *record, size_t n)
{
    size_t size = entry_size(n);

    ensure(n <= MAILBOX_RECORD_MAX);
    lock(m);
    if (m->used + m->reserved + size > m->max) {
        unlock(m);
        return -1;
    }
    ring_put(m, record, n);
    unlock_and_signal(m);
    return 0;
}

int
mailbox_reserve(struct mailbox *m, size_t n)
{
    size_t size = entry_size(n);
    int rc = -1;

    ensure(n <= MAILBOX_RECORD_MAX);
    lock(m);
    if (m->used + m->reserved + size <= m->max) {
        m->reserved += size;
        rc = 0;
    }
    unlock(m);
    return rc;
}

void
mailbox_post_reserved(struct mailbox *m, size_t reserved, const void *record, size_t n)
{
    size_t size = entry_size(reserved);

    ensure(n <= reserved);
    lock(m);
    ensure(m->reserved >= size);
    m->reserved -= size;
    ring_put(m, record, n);
    unlock_and_signal(m);
}

void
mailbox_unreserve(struct mailbox *m, size_t reserved)
{
    size_t size = entry_size(reserved);

    lock(m);
    ensure(m->reserved >= size);
    m->reserved -= size;
    unlock(m);
}

int
mailbox_post_urgent(struct mailbox *m, const void *record, size_t n)
{
    struct overflow *o;

    if (mailbox_post(m, record, n) == 0)
        return 0;
    o = malloc(sizeof(*o) + n);
    if (!o)
        return -1;
    list_init(&o->link);
    o->record.size = 0;
    o->record.n = (uint32_t)n;
    if (n > 0)
        memcpy(o + 1, record, n);
    lock(m);
    o->record.number = ++m->number;
    list_push_back(&m->overflow, &o->link);
    unlock_and_signal(m);
    return 0;
}

static struct overflow *
overflow_oldest(struct mailbox *m)
{
    struct list *n = list_first(&m->overflow);

    return n ? container_of(n, struct overflow, link) : NULL;
}

/* Delivers the oldest record. False: there was none, and the next post will signal. Locked. */
static bool
deliver_one(struct mailbox *m)
{
    struct record *r = ring_oldest(m);
    struct overflow *o = overflow_oldest(m);

    if (!r && !o) {
        m->signalled = false;
        return false;
    }
    if (o && (!r || o->record.number < r->number)) {
        list_unlink(&o->link);
        unlock(m);
        m->on_record(m->ctx, o + 1, o->record.n);
        free(o);
        lock(m);
    } else {
        size_t size = r->size;

        unlock(m);
        m->on_record(m->ctx, r + 1, r->n);
        lock(m);
        ring_drop(m, size);
    }
    return true;
}

static void
deliver(struct mailbox *m)
{
    unsigned done = 0;

    m->delivering = true;
    lock(m);
    while (done < m->budget && deliver_one(m))
        done++;
    if (done == m->budget)
        loop_queue_again(m->loop, &m->again);
    unlock(m);
    m->delivering = false;
    metric_add(m->loop->metrics, METRIC_MAIL, done);
}

static void
on_mail(evutil_socket_t fd, short what, void *arg)
{
    struct mailbox *m = arg;

    (void)fd;
    (void)what;
    loop_enter(m->loop);
    if (!list_linked(&m->again.link))
        deliver(m);
}

static void
on_again(struct task *t)
{
    deliver(container_of(t, struct mailbox, again));
}

struct mailbox *
mailbox_new(struct loop *receiver, size_t max_bytes, unsigned budget,
            void (*on_record)(void *ctx, const void *record, size_t n), void *ctx)
{
    struct mailbox *m = calloc(1, sizeof(*m));

    if (!m)
        return NULL;
    m->loop = receiver;
    m->on_record = on_record;
    m->ctx = ctx;
    m->budget = budget > 0 ? budget : DEFAULT_BUDGET;
    m->max = max_bytes;
    m->size = ((max_bytes + 15) & ~(size_t)15) + 2 * ENTRY_MAX;
    m->ring = malloc(m->size);
    m->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    list_init(&m->overflow);
    task_init(&m->again, on_again);
    if (!m->ring || m->fd == -1 || pthread_mutex_init(&m->lock, NULL) != 0)
        goto fail;
    event_assign(&m->ev, receiver->base, m->fd, EV_READ | EV_PERSIST | EV_ET, on_mail, m);
    if (event_add(&m->ev, NULL) == 0)
        return m;
    pthread_mutex_destroy(&m->lock);
fail:
    if (m->fd != -1)
        close(m->fd);
    free(m->ring);
    free(m);
    return NULL;
}

void
mailbox_free(struct mailbox *m)
{
    struct list *n;

    if (!m)
        return;
    ensure(!m->delivering);
    task_cancel(&m->again);
    event_del(&m->ev);
    close(m->fd);
    while ((n = list_pop_front(&m->overflow)) != NULL)
        free(container_of(n, struct overflow, link));
    pthread_mutex_destroy(&m->lock);
    free(m->ring);
    free(m);
}
