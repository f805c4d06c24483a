/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * failsys.c: LD_PRELOAD=failsys.so FAILSYS=[file=PATH,][idle,]KIND:CALLS:EFFECT,... program...
 *
 *   KIND    one of failsys.h
 *   CALLS   7 (the seventh), 7-9, 7- (from the seventh on), counted over all threads
 *   EFFECT  an errno by name (ECONNRESET) or number, short (one byte), short=N, eof
 *   idle    counting begins when the test says so, in the page
 *
 * Example: FAILSYS=accept:1:EMFILE,send:3-:short
 *
 * This file reads the rules and judges; the wrapped calls are failsys_calls.c. A mistake in the
 * variable ends the program with status 99, so that no test passes for want of a fault.
 */
#include "config.h"

#include "failsys.h"

#include "preload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct failsys_page *page;

static const char *const kinds[] = {
    "",
#define X(sym, name) name,
    FAILSYS_KINDS(X)
#undef X
};

static const struct {
    const char *name;
    int number;
} errors[] = {
#define E(name) {#name, name}
    E(EINTR),      E(EAGAIN),      E(ENOMEM),      E(EMFILE),       E(ENFILE),    E(ENOBUFS),
    E(EPIPE),      E(ECONNRESET),  E(ECONNREFUSED), E(ECONNABORTED), E(ETIMEDOUT), E(ENETUNREACH),
    E(EHOSTUNREACH), E(EADDRNOTAVAIL), E(EADDRINUSE), E(EACCES),    E(EPERM),     E(EIO),
    E(ENOSPC),     E(EINVAL),      E(EBADF),       E(EPROTO),       E(EINPROGRESS),
#undef E
};

static void
complain(const char *text)
{
    static const char before[] = "failsys: bad rule: ";
    ssize_t ignored = write(STDERR_FILENO, before, sizeof before - 1);

    ignored = write(STDERR_FILENO, text, strlen(text));
    ignored = write(STDERR_FILENO, "\n", 1);
    (void)ignored;
    _exit(99);
}

static bool
same(const char *name, const char *at, size_t n)
{
    return strlen(name) == n && memcmp(name, at, n) == 0;
}

static bool
read_effect(struct failsys_rule *r, const char *at, size_t n)
{
    char *end;

    if (n >= 5 && memcmp(at, "short", 5) == 0) {
        r->effect = FAILSYS_SHORT;
        r->value = n > 6 && at[5] == '=' ? strtoll(at + 6, &end, 10) : 1;
        return (n == 5 || n > 6) && r->value > 0;
    }
    if (same("eof", at, n)) {
        r->effect = FAILSYS_EOF;
        return true;
    }
    r->effect = FAILSYS_ERRNO;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (same(errors[i].name, at, n))
            r->value = errors[i].number;
    if (r->value == 0)
        r->value = strtoll(at, &end, 10);
    return r->value > 0;
}

/* KIND:CALLS:EFFECT */
static bool
read_rule(struct failsys_rule *r, const char *at, size_t n)
{
    const char *calls = memchr(at, ':', n);
    const char *effect = calls ? memchr(calls + 1, ':', n - (size_t)(calls + 1 - at)) : NULL;
    int64_t kind = 0;
    char *end;

    if (!effect)
        return false;
    for (int64_t i = 1; i < FAILSYS_KIND_COUNT; i++)
        if (same(kinds[i], at, (size_t)(calls - at)))
            kind = i;
    r->from = r->to = strtoll(calls + 1, &end, 10);
    if (*end == '-')
        r->to = end[1] == ':' ? (end++, INT64_MAX) : strtoll(end + 1, &end, 10);
    if (kind == 0 || end != effect || r->from < 1 || r->to < r->from)
        return false;
    if (!read_effect(r, effect + 1, n - (size_t)(effect + 1 - at)))
        return false;
    r->kind = kind;
    return true;
}

__attribute__((constructor)) static void
set_up(void)
{
    struct failsys_page *p = preload_page("FAILSYS", sizeof *p);
    const char *at = getenv("FAILSYS");
    size_t rules = 0, n;

    if (!at)
        return;
    if (!p)
        complain("its page cannot be made");
    p->armed = 1;
    for (; at; at = at[n] ? at + n + 1 : NULL) {
        n = strcspn(at, ",");
        if (n == 0 || (n > 5 && memcmp(at, "file=", 5) == 0))
            continue;
        if (same("idle", at, n))
            p->armed = 0;
        else if (rules == FAILSYS_RULES || !read_rule(&p->rule[rules++], at, n))
            complain(at);
    }
    preload_forget("FAILSYS");
    p->pid = getpid();
    p->magic = FAILSYS_MAGIC;
    page = p;
}

bool
failsys_strikes(enum failsys_kind kind, enum failsys_effect *effect, int64_t *value)
{
    if (!page || !__atomic_load_n(&page->armed, __ATOMIC_ACQUIRE))
        return false;
    int64_t n = __atomic_add_fetch(&page->count[kind], 1, __ATOMIC_RELAXED);
    for (size_t i = 0; i < FAILSYS_RULES; i++) {
        struct failsys_rule *r = &page->rule[i];
        if (__atomic_load_n(&r->kind, __ATOMIC_ACQUIRE) != kind || n < r->from || n > r->to)
            continue;
        __atomic_fetch_add(&r->fired, 1, __ATOMIC_RELAXED);
        *effect = (enum failsys_effect)r->effect;
        *value = r->value;
        return true;
    }
    return false;
}
