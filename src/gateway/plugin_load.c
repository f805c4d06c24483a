/* SPDX-License-Identifier: BSD-2-Clause */
/* plugin_load.c: dlopen of plugins, and what keeps a wrong one out. */
#include "config.h"

#include "gateway/plugin_load.h"

#include "gateway/plugin_crypto.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLACES 3
#define PLACE_MAX 4096

/* The directories, in the order of the search; an empty one is left out. */
struct places {
    char dir[PLACES][PLACE_MAX];
};

static void
find_places(struct places *p)
{
    const char *env = secure_getenv("ROUSE_PLUGIN_DIR");
    ssize_t n;
    char *slash;

    memset(p, 0, sizeof *p);
    if (env)
        slice_copy(slice_of(env), p->dir[0], PLACE_MAX);
    n = readlink("/proc/self/exe", p->dir[1], PLACE_MAX - sizeof "/plugins");
    if (n > 0 && (slash = memrchr(p->dir[1], '/', (size_t)n)) != NULL)
        memcpy(slash, "/plugins", sizeof "/plugins");
    else
        p->dir[1][0] = 0;
    slice_copy(SLICE(ROUSE_PLUGIN_DIR), p->dir[2], PLACE_MAX);
}

static bool
is_name(const char *s)
{
    return s[0] && strlen(s) < 64 && s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-_")] == 0;
}

/* NULL, or what is wrong with a plugin that was loaded. */
static const char *
judge(const struct rouse_plugin *p)
{
    if (!p)
        return "it does not define " ROUSE_PLUGIN_SYMBOL;
    if (p->abi != ROUSE_PLUGIN_ABI)
        return "it was built for another version of rouse/plugin.h";
    if (p->size < sizeof *p)
        return "its struct rouse_plugin is too short";
    if (!p->name || !is_name(p->name) || !p->open || !p->close || !p->start || !p->cancel)
        return "its struct rouse_plugin is not filled";
    return NULL;
}

const struct rouse_plugin *
plugin_load(const char *name, struct buf *why)
{
    struct places places;
    struct buf path;
    char text[PLACE_MAX + 80];

    if (!is_name(name)) {
        buf_add_str(why, "names of plugins are made of a-z, 0-9, - and _");
        return NULL;
    }
    find_places(&places);
    for (int i = 0; i < PLACES; i++) {
        buf_init_fixed(&path, text, sizeof text);
        buf_printf(&path, "%s/%s.so", places.dir[i], name);
        if (!places.dir[i][0] || access(buf_cstr(&path), F_OK))
            continue;
        void *handle = dlopen(buf_cstr(&path), RTLD_NOW | RTLD_LOCAL);
        if (!handle) {
            buf_printf(why, "cannot load it: %s", dlerror());
            return NULL;
        }
        const struct rouse_plugin *p = dlsym(handle, ROUSE_PLUGIN_SYMBOL);
        const char *slip = judge(p);
        if (slip) {
            buf_printf(why, "%s: %s", buf_cstr(&path), slip);
            dlclose(handle);
            return NULL;
        }
        return p;
    }
    buf_add_str(why, "there is no such plugin");
    return NULL;
}

void
plugin_list(struct buf *out)
{
    struct places places;
    size_t start = out->n;

    find_places(&places);
    for (int i = 0; i < PLACES; i++) {
        DIR *d = places.dir[i][0] ? opendir(places.dir[i]) : NULL;
        struct dirent *e;
        while (d && (e = readdir(d)) != NULL) {
            struct slice name = slice_of(e->d_name);
            struct slice rest = slice_sub(buf_slice(out), start, out->n);
            bool known = false;
            if (!slice_ends(name, SLICE(".so")))
                continue;
            name.n -= 3;
            for (struct slice one; slice_next(&rest, ',', &one);)
                known = known || slice_eq(one, name);
            if (!known)
                buf_printf(out, "%s%.*s", out->n > start ? ", " : "", SLICE_ARG(name));
        }
        if (d)
            closedir(d);
    }
}

/* ---- trying options: a host that starts nothing ----------------------------------- */

static void
no_finish(struct rouse_host *h, struct rouse_job *j, const struct rouse_result *r)
{
    (void)h, (void)j, (void)r;
}

static void
no_news(struct rouse_host *h, struct rouse_text id, const struct rouse_sandbox *s)
{
    (void)h, (void)id, (void)s;
}

static void
no_log(struct rouse_host *h, enum rouse_level l, struct rouse_text t)
{
    (void)h, (void)l, (void)t;
}

static int64_t
no_time(struct rouse_host *h)
{
    (void)h;
    return 0;
}

static struct rouse_timer *
no_timer(struct rouse_host *h, int64_t after, void (*fn)(void *arg), void *arg)
{
    (void)h, (void)after, (void)fn, (void)arg;
    return NULL;
}

static void
no_timer_stop(struct rouse_host *h, struct rouse_timer *t)
{
    (void)h, (void)t;
}

static struct rouse_fetch *
no_fetch(struct rouse_host *h, const struct rouse_fetch_request *q,
         void (*fn)(void *arg, const struct rouse_fetch_result *r), void *arg)
{
    (void)h, (void)q, (void)fn, (void)arg;
    return NULL;
}

static void
no_fetch_stop(struct rouse_host *h, struct rouse_fetch *f)
{
    (void)h, (void)f;
}

static struct rouse_run *
no_run(struct rouse_host *h, const struct rouse_run_request *q,
       void (*fn)(void *arg, const struct rouse_run_result *r), void *arg)
{
    (void)h, (void)q, (void)fn, (void)arg;
    return NULL;
}

static void
no_run_stop(struct rouse_host *h, struct rouse_run *r)
{
    (void)h, (void)r;
}

static struct rouse_watch *
no_watch(struct rouse_host *h, int fd, void (*fn)(void *arg), void *arg)
{
    (void)h, (void)fd, (void)fn, (void)arg;
    return NULL;
}

static void
no_watch_stop(struct rouse_host *h, struct rouse_watch *w)
{
    (void)h, (void)w;
}

static const struct rouse_services checking = {
    .size = sizeof checking,
    .finish = no_finish,
    .news = no_news,
    .log = no_log,
    .now_us = no_time,
    .timer = no_timer,
    .timer_stop = no_timer_stop,
    .fetch = no_fetch,
    .fetch_stop = no_fetch_stop,
    .run = no_run,
    .run_stop = no_run_stop,
    .watch = no_watch,
    .watch_stop = no_watch_stop,
    .hmac_sha256 = plugin_hmac_sha256,
    .base64_encode = plugin_base64_encode,
    .base64_decode = plugin_base64_decode,
    .wall_clock_s = no_time,
};

int
plugin_check(const struct rouse_plugin *p, const char *platform, const struct rouse_value *values,
             struct rouse_mistake *m)
{
    struct rouse_text name = {platform, strlen(platform)};

    memset(m, 0, sizeof *m);
    void *self = p->open(&checking, NULL, name, values, 1, m);
    if (!self) {
        m->text[sizeof m->text - 1] = m->hint[sizeof m->hint - 1] = 0;
        if (!m->text[0])
            memcpy(m->text, "the plugin refuses these options", 33);
        return -1;
    }
    p->close(self);
    return 0;
}
