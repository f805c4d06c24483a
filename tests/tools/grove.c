/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * grove: a process tree of the awkward kinds, for the tests of whoever pauses process trees.
 *
 *     grove FILE WORD...
 *
 * Each word is one process (or more) below the first, which is in the tree as well:
 *     plain       a child
 *     setsid      a child in a session of its own
 *     daemon      forks twice: an orphan in a session of its own
 *     stubborn    ignores TERM, INT, HUP and the rest
 *     threads     four threads that count
 *     deep        a chain of five, each the child of the one before, in sessions of their own
 *     bomb        forks and ends and forks; at most 50 at a time, for ever
 *     vanish      the leader ends at once, with status 7
 * Each counts in a slot of its own of FILE, which it shares as memory (grove.h): a process that
 * runs is a number that grows. When all have begun, `ready` is set there.
 */
#include "config.h"

#include "grove.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static struct grove_slot *
take_slot(struct grove *g)
{
    unsigned n = atomic_fetch_add(&g->slots, 1);

    if (n >= GROVE_SLOTS)
        _exit(3);
    atomic_store(&g->slot[n].pid, getpid());
    return &g->slot[n];
}

_Noreturn static void
count_for_ever(struct grove_slot *s)
{
    for (;;) {
        atomic_fetch_add(&s->count, 1);
        poll(NULL, 0, 1);
    }
}

static void *
count_in_thread(void *arg)
{
    count_for_ever(take_slot(arg));
}

_Noreturn static void
run_threads(struct grove *g)
{
    pthread_t t;

    for (int i = 0; i < 3; i++)
        if (pthread_create(&t, NULL, count_in_thread, g) != 0)
            _exit(4);
    count_for_ever(take_slot(g));
}

_Noreturn static void
run_stubborn(struct grove *g)
{
    for (int sig = 1; sig < NSIG; sig++)
        signal(sig, SIG_IGN);
    count_for_ever(take_slot(g));
}

_Noreturn static void
run_deep(struct grove *g)
{
    setsid();
    for (int left = 4; left > 0 && fork() == 0; left--)
        setsid();
    count_for_ever(take_slot(g));
}

/* Ends after a few rounds; its children go on in its place. */
static void
breed(struct grove *g)
{
    atomic_fetch_add(&g->bred, 1);
    for (int i = 0; i < 5; i++) {
        poll(NULL, 0, 3);
        if (atomic_fetch_add(&g->alive, 1) >= GROVE_BOMB)
            atomic_fetch_sub(&g->alive, 1);
        else if (fork() == 0) {
            i = -1;
            atomic_fetch_add(&g->bred, 1);
        }
    }
    atomic_fetch_sub(&g->alive, 1);
    _exit(0);
}

/* One that is never killed by its own kind keeps it going. */
_Noreturn static void
run_bomb(struct grove *g)
{
    struct grove_slot *s = take_slot(g);

    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        atomic_fetch_add(&s->count, 1);
        if (atomic_fetch_add(&g->alive, 1) >= GROVE_BOMB) {
            atomic_fetch_sub(&g->alive, 1);
            poll(NULL, 0, 1);
        } else if (fork() == 0) {
            setsid();
            breed(g);
        }
    }
}

static void
become(struct grove *g, const char *word)
{
    if (strcmp(word, "setsid") == 0)
        setsid();
    else if (strcmp(word, "stubborn") == 0)
        run_stubborn(g);
    else if (strcmp(word, "threads") == 0)
        run_threads(g);
    else if (strcmp(word, "deep") == 0)
        run_deep(g);
    else if (strcmp(word, "bomb") == 0)
        run_bomb(g);
    else if (strcmp(word, "daemon") == 0) {
        setsid();
        if (fork() != 0)
            _exit(0);
    } else if (strcmp(word, "plain") != 0)
        _exit(2);
    count_for_ever(take_slot(g));
}

static unsigned
slots_of(const char *word)
{
    if (strcmp(word, "threads") == 0)
        return 4;
    return strcmp(word, "deep") == 0 ? 5 : 1;
}

int
main(int argc, char **argv)
{
    struct grove_slot *mine;
    struct grove *g;
    unsigned expected = 1;
    int fd = argc > 1 ? open(argv[1], O_RDWR | O_CLOEXEC) : -1;

    if (fd == -1)
        return 2;
    g = mmap(NULL, sizeof(*g), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (g == MAP_FAILED)
        return 2;
    mine = take_slot(g);
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "vanish") == 0)
            return 7;
        expected += slots_of(argv[i]);
        if (fork() == 0)
            become(g, argv[i]);
    }
    while (atomic_load(&g->slots) < expected)
        poll(NULL, 0, 1);
    atomic_store(&g->ready, 1);
    count_for_ever(mine);
}
