/* SPDX-License-Identifier: BSD-2-Clause */
/* local_rig.c: see local_rig.h. */
#include "config.h"

#include "local_rig.h"

#include "unit.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int64_t
rig_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* ---- services -------------------------------------------------------------------------------- */

static void
put(char *out, size_t n, struct rouse_text t)
{
    assert_true(t.n < n);
    if (t.n)
        memcpy(out, t.p, t.n);
    out[t.n] = '\0';
}

static void
keep(struct rouse_job *j, const struct rouse_sandbox *s)
{
    assert_int_equal(s->size, sizeof(*s));
    j->state = s->state;
    j->idle_us = s->idle_us;
    put(j->generation, sizeof(j->generation), s->generation);
    put(j->instance, sizeof(j->instance), s->instance);
    put(j->address, sizeof(j->address), s->ports[0].address);
}

static void
on_finish(struct rouse_host *h, struct rouse_job *job, const struct rouse_result *r)
{
    (void)h;
    assert_false(job->done);
    job->done = true;
    job->outcome = r->outcome;
    job->took_us = rig_now() - job->started_us;
    put(job->detail, sizeof(job->detail), r->detail);
    if (r->sandbox)
        keep(job, r->sandbox);
}

static void
on_news(struct rouse_host *h, struct rouse_text id, const struct rouse_sandbox *s)
{
    assert_true(id.n == 4 && memcmp(id.p, "blog", 4) == 0);
    keep(&h->last_news, s);
    h->news++;
}

static void
on_log(struct rouse_host *h, enum rouse_level level, struct rouse_text text)
{
    size_t n = strlen(h->log);

    (void)level;
    snprintf(h->log + n, sizeof(h->log) - n, "%.*s\n", (int)text.n, text.p);
}

static int64_t
service_now(struct rouse_host *h)
{
    (void)h;
    return rig_now();
}

static int64_t
service_wall(struct rouse_host *h)
{
    (void)h;
    return 1700000000;
}

static struct rouse_watch *
service_watch(struct rouse_host *h, int fd, void (*fn)(void *arg), void *arg)
{
    for (int i = 0; i < RIG_ITEMS; i++)
        if (!h->watch[i].used) {
            h->watch[i] = (struct rouse_watch){true, fd, fn, arg};
            return &h->watch[i];
        }
    return NULL;
}

static void
service_watch_stop(struct rouse_host *h, struct rouse_watch *w)
{
    (void)h;
    assert_true(w->used);
    w->used = false;
}

static struct rouse_timer *
service_timer(struct rouse_host *h, int64_t after_us, void (*fn)(void *arg), void *arg)
{
    for (int i = 0; i < RIG_ITEMS; i++)
        if (!h->timer[i].used) {
            h->timer[i] = (struct rouse_timer){true, rig_now() + after_us, fn, arg};
            return &h->timer[i];
        }
    return NULL;
}

static void
service_timer_stop(struct rouse_host *h, struct rouse_timer *t)
{
    (void)h;
    assert_true(t->used);
    t->used = false;
}

static const struct rouse_services services = {
    .size = sizeof(services),
    .finish = on_finish,
    .news = on_news,
    .log = on_log,
    .now_us = service_now,
    .wall_clock_s = service_wall,
    .watch = service_watch,
    .watch_stop = service_watch_stop,
    .timer = service_timer,
    .timer_stop = service_timer_stop,
};

/* ---- the loop -------------------------------------------------------------------------------- */

static void
enter(struct rouse_host *h, void (*fn)(void *arg), void *arg)
{
    int64_t from = rig_now(), took;

    fn(arg);
    took = rig_now() - from;
    if (took > h->longest_us)
        h->longest_us = took;
}

void
rig_turn(struct rouse_host *h, int ms)
{
    struct pollfd p[RIG_ITEMS];

    for (int i = 0; i < RIG_ITEMS; i++)
        p[i] = (struct pollfd){.fd = h->watch[i].used ? h->watch[i].fd : -1, .events = POLLIN};
    poll(p, RIG_ITEMS, ms);
    for (int i = 0; i < RIG_ITEMS; i++)
        if (p[i].revents && h->watch[i].used && h->watch[i].fd == p[i].fd)
            enter(h, h->watch[i].fn, h->watch[i].arg);
    for (int i = 0; i < RIG_ITEMS; i++)
        if (h->timer[i].used && rig_now() >= h->timer[i].due) {
            h->timer[i].used = false;
            enter(h, h->timer[i].fn, h->timer[i].arg);
        }
}

void
rig_until_done(struct rouse_host *h, const struct rouse_job *job)
{
    int64_t end = rig_now() + RIG_PATIENCE_US;

    while (!job->done) {
        rig_turn(h, 50);
        assert_true(rig_now() < end);
    }
}

/* ---- instances ------------------------------------------------------------------------------- */

struct rouse_host *
rig_new(void)
{
    struct rouse_host *h = calloc(1, sizeof(*h));
    const char *built = getenv("TOP_BUILDDIR");
    char path[4096];
    void *module;
    int fd;

    assert_non_null(h);
    snprintf(path, sizeof(path), "%s/plugins/local.so", built ? built : ".");
    module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!module)
        fail_msg("%s", dlerror());
    h->plugin = dlsym(module, ROUSE_PLUGIN_SYMBOL);
    assert_non_null(h->plugin);
    assert_int_equal(h->plugin->abi, ROUSE_PLUGIN_ABI);
    snprintf(h->file, sizeof(h->file), "/tmp/rouse-grove.XXXXXX");
    fd = mkostemp(h->file, O_CLOEXEC);
    assert_true(fd != -1 && ftruncate(fd, sizeof(struct grove)) == 0);
    h->grove = mmap(NULL, sizeof(*h->grove), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(h->grove != MAP_FAILED);
    close(fd);
    return h;
}

void
rig_adopt(void)
{
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
}

/* Nobody is left below us, dead or alive. */
static void
until_childless(void)
{
    int64_t end = rig_now() + RIG_PATIENCE_US;

    while (waitpid(-1, NULL, WNOHANG) != -1) {
        poll(NULL, 0, 1);
        assert_true(rig_now() < end);
    }
    assert_int_equal(errno, ECHILD);
}

void
rig_free(struct rouse_host *h)
{
    if (h->instance)
        h->plugin->close(h->instance);
    until_childless();
    for (int i = 0; i < RIG_ITEMS; i++)
        assert_false(h->watch[i].used || h->timer[i].used);
    munmap(h->grove, sizeof(*h->grove));
    unlink(h->file);
    free(h);
}

void *
rig_try(struct rouse_host *h, const struct rouse_node *sandboxes, struct rouse_mistake *m)
{
    struct rouse_value value = {.given = 1, .node = sandboxes};

    memset(m, 0, sizeof(*m));
    return h->plugin->open(&services, h, (struct rouse_text){"dev", 3}, &value, 0, m);
}

static struct rouse_text
text(const char *s)
{
    return (struct rouse_text){s, strlen(s)};
}

void
rig_open(struct rouse_host *h, const char *extra, const char *const *words)
{
    const char *built = getenv("TOP_BUILDDIR");
    struct rouse_node list[RIG_WORDS] = {{0}}, port = {0}, keys[8] = {{0}};
    struct rouse_node blog = {.kind = ROUSE_MAP, .key = text("blog"), .child = keys};
    struct rouse_node all = {.kind = ROUSE_MAP, .child = &blog};
    struct rouse_mistake m;
    char program[4096], more[256];
    unsigned n = 0, k = 2;

    snprintf(program, sizeof(program), "%s/tests/tools/grove", built ? built : ".");
    list[n++].value = text(program);
    list[n++].value = text(h->file);
    for (; *words; words++)
        list[n++].value = text(*words);
    for (unsigned i = 0; i + 1 < n; i++)
        list[i].next = &list[i + 1];
    port = (struct rouse_node){.key = text("3000"), .value = text("127.0.0.1:3999")};
    keys[0] = (struct rouse_node){.kind = ROUSE_LIST, .key = text("command"), .child = list};
    keys[1] = (struct rouse_node){.kind = ROUSE_MAP, .key = text("ports"), .child = &port};
    snprintf(more, sizeof(more), "%s", extra ? extra : "");
    for (char *at = more, *end; *at; at = end, k++) {
        char *colon = strstr(at, ": ");

        end = strchrnul(at, '|');
        if (*end)
            *end++ = '\0';
        *colon = '\0';
        keys[k] = (struct rouse_node){.key = text(at), .value = text(colon + 2)};
    }
    for (unsigned i = 0; i + 1 < k; i++)
        keys[i].next = &keys[i + 1];
    h->instance = rig_try(h, &all, &m);
    if (!h->instance)
        fail_msg("%s", m.text);
}

struct rouse_job *
rig_start_as(struct rouse_host *h, enum rouse_op op, const char *id, const char *generation,
             uint64_t epoch)
{
    struct rouse_job *job = &h->job[h->jobs++ % RIG_JOBS];
    struct rouse_request q = {.size = sizeof(q), .op = op, .id = text(id), .port = 3000,
                              .epoch = epoch, .generation = text(generation)};
    int64_t took;

    *job = (struct rouse_job){.started_us = rig_now()};
    h->plugin->start(h->instance, job, &q);
    took = rig_now() - job->started_us;
    if (took > h->longest_us)
        h->longest_us = took;
    return job;
}

struct rouse_job *
rig_start(struct rouse_host *h, enum rouse_op op)
{
    return rig_start_as(h, op, "blog", "", ++h->epoch);
}

struct rouse_job *
rig_do(struct rouse_host *h, enum rouse_op op, enum rouse_outcome outcome)
{
    struct rouse_job *job = rig_start(h, op);

    rig_until_done(h, job);
    if (job->outcome != outcome)
        print_message("# %s\n", job->detail);
    assert_int_equal(job->outcome, outcome);
    return job;
}

/* ---- the tree -------------------------------------------------------------------------------- */

void
rig_until_ready(struct rouse_host *h)
{
    int64_t end = rig_now() + RIG_PATIENCE_US;

    while (!atomic_load(&h->grove->ready)) {
        rig_turn(h, 1);
        assert_true(rig_now() < end);
    }
}

static void
look(struct rouse_host *h, unsigned long *count)
{
    for (int i = 0; i < GROVE_SLOTS; i++)
        count[i] = atomic_load(&h->grove->slot[i].count);
    count[GROVE_SLOTS] = atomic_load(&h->grove->bred);
}

bool
rig_grows(struct rouse_host *h)
{
    unsigned long before[GROVE_SLOTS + 1], after[GROVE_SLOTS + 1];

    look(h, before);
    poll(NULL, 0, 20);
    look(h, after);
    return memcmp(before, after, sizeof(before)) != 0;
}

void
rig_until_all_grow(struct rouse_host *h)
{
    unsigned long before[GROVE_SLOTS + 1], after[GROVE_SLOTS + 1];
    int64_t end = rig_now() + RIG_PATIENCE_US;
    unsigned n = atomic_load(&h->grove->slots), grown;

    look(h, before);
    do {
        rig_turn(h, 1);
        look(h, after);
        grown = 0;
        for (unsigned i = 0; i < n; i++)
            grown += after[i] > before[i];
        assert_true(rig_now() < end);
    } while (grown < n);
}

void
rig_until_gone(struct rouse_host *h)
{
    int64_t end = rig_now() + RIG_PATIENCE_US;

    for (unsigned i = 0; i < atomic_load(&h->grove->slots); i++)
        while (kill(atomic_load(&h->grove->slot[i].pid), 0) == 0) {
            /* Zombies of a killed warden may be ours. */
            waitpid(atomic_load(&h->grove->slot[i].pid), NULL, WNOHANG);
            rig_turn(h, 1);
            assert_true(rig_now() < end);
        }
}
