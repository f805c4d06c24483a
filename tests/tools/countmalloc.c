/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countmalloc.c: LD_PRELOAD=countmalloc.so COUNTMALLOC=file=PATH program...
 *
 * Counts what each thread of the program allocates, in a page that a test reads while it runs: a
 * header {magic, pid, slots used}, then a slot for each thread that ever allocated (struct slot).
 * Live bytes are usable sizes, which is what malloc really spends, without its own 8 or 16 bytes a
 * block. A block freed by another thread lowers that thread's count; the sum is right.
 *
 * What is allocated before this library is set up is not counted. Children are not counted.
 */
#include "config.h"

#include "preload.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC INT64_C(0x316d636573756f72) /* "rousecm1" */
#define SLOTS 1000

/* One thread's counts. */
struct slot {
    int64_t tid, mallocs, callocs, reallocs, frees, live, total, unused;
};

struct page {
    int64_t magic, pid, used, unused[5];
    struct slot slot[SLOTS];
};

/* glibc's own names of the real ones: no dlsym(), which allocates. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);
void __libc_free(void *p);

static struct page *page;
static __thread struct slot *mine __attribute__((tls_model("initial-exec")));

static void
on_child(void)
{
    page = NULL;
}

__attribute__((constructor)) static void
set_up(void)
{
    struct page *p = preload_page("COUNTMALLOC", sizeof *p);

    if (!p)
        return;
    preload_forget("COUNTMALLOC");
    pthread_atfork(NULL, NULL, on_child);
    p->pid = getpid();
    p->magic = MAGIC;
    page = p;
}

/* This thread's slot, or NULL: nobody counts. The last slot is for all threads beyond. */
static struct slot *
slot(void)
{
    if (!page)
        return NULL;
    if (!mine) {
        int64_t n = __atomic_fetch_add(&page->used, 1, __ATOMIC_RELAXED);
        mine = &page->slot[n < SLOTS ? n : SLOTS - 1];
        __atomic_store_n(&mine->tid, gettid(), __ATOMIC_RELEASE);
    }
    return mine;
}

static void
add(int64_t *cell, int64_t n)
{
    __atomic_fetch_add(cell, n, __ATOMIC_RELAXED);
}

static void
got(struct slot *s, void *p)
{
    if (p) {
        int64_t n = (int64_t)malloc_usable_size(p);
        add(&s->live, n);
        add(&s->total, n);
    }
}

static void
gone(struct slot *s, void *p)
{
    if (p)
        add(&s->live, -(int64_t)malloc_usable_size(p));
}

void *
malloc(size_t n)
{
    struct slot *s = slot();
    void *p = __libc_malloc(n);

    if (s) {
        add(&s->mallocs, 1);
        got(s, p);
    }
    return p;
}

void *
calloc(size_t n, size_t size)
{
    struct slot *s = slot();
    void *p = __libc_calloc(n, size);

    if (s) {
        add(&s->callocs, 1);
        got(s, p);
    }
    return p;
}

void *
realloc(void *old, size_t n)
{
    struct slot *s = slot();

    if (!s)
        return __libc_realloc(old, n);
    int64_t before = old ? (int64_t)malloc_usable_size(old) : 0;
    void *p = __libc_realloc(old, n);
    add(&s->reallocs, 1);
    if (p || n == 0)
        add(&s->live, -before);
    got(s, p);
    return p;
}

void *
reallocarray(void *old, size_t n, size_t size)
{
    size_t all;

    if (__builtin_mul_overflow(n, size, &all)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(old, all);
}

void
free(void *p)
{
    struct slot *s = p ? slot() : NULL;

    if (s) {
        add(&s->frees, 1);
        gone(s, p);
    }
    __libc_free(p);
}

void *
memalign(size_t align, size_t n)
{
    struct slot *s = slot();
    void *p = __libc_memalign(align, n);

    if (s) {
        add(&s->mallocs, 1);
        got(s, p);
    }
    return p;
}

void *
aligned_alloc(size_t align, size_t n)
{
    return memalign(align, n);
}

int
posix_memalign(void **p, size_t align, size_t n)
{
    if (align < sizeof(void *) || (align & (align - 1)) != 0)
        return EINVAL;
    void *got_one = memalign(align, n);
    if (!got_one)
        return ENOMEM;
    *p = got_one;
    return 0;
}
