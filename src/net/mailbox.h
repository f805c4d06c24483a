/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mailbox.h: a bounded queue of byte records into one thread, woken through an eventfd in its
 * loop. Many senders, one receiver. It does not know what the records mean.
 *
 * Room: a sender may reserve the room of a later record (a ticket's verdict); such a record never
 * fails. Records are delivered in the order in which each sender posted them. The eventfd is
 * written only when the queue was empty, so a burst costs one system call.
 */
#ifndef ROUSE_NET_MAILBOX_H
#define ROUSE_NET_MAILBOX_H

#include <stdint.h>

#include "net/loop.h"

#define MAILBOX_RECORD_MAX 2048

struct mailbox;

/* on_record is called in the receiver's thread, in the events phase, once a record; the bytes are
 * valid during the call, aligned for any object. At most `budget` records a turn (0: 1024). A
 * record of n bytes takes 16 + n bytes of max_bytes, rounded up to 16. NULL: out of memory or
 * descriptors. */
struct mailbox *mailbox_new(struct loop *receiver, size_t max_bytes, unsigned budget,
                            void (*on_record)(void *ctx, const void *record, size_t n), void *ctx);
/* The receiver's thread, after the senders have ended, not from on_record; undelivered records
 * are dropped. */
void mailbox_free(struct mailbox *m);
/* Copies n <= MAILBOX_RECORD_MAX bytes. 0, or -1 when it is full. Any thread. */
int mailbox_post(struct mailbox *m, const void *record, size_t n) must_check;
/*
 * Sets n bytes aside for one later mailbox_post_reserved of at most n bytes. -1 when full. Any
 * thread.
 */
int mailbox_reserve(struct mailbox *m, size_t n) must_check;
/* Uses the reservation of reserved bytes (the whole of it, also when n is less). Never fails. */
void mailbox_post_reserved(struct mailbox *m, size_t reserved, const void *record, size_t n);
/* Gives a reservation back unused. */
void mailbox_unreserve(struct mailbox *m, size_t reserved);
/* Beyond the bound but for memory: for news that must not be lost and that its sender
 * coalesces. */
int mailbox_post_urgent(struct mailbox *m, const void *record, size_t n) must_check;

#endif
