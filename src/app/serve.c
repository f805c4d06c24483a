/* SPDX-License-Identifier: BSD-2-Clause */
/* serve.c: the log, the gateway, and the configuration read anew. Owner: the main thread. */
#include "config.h"

#include "app/serve.h"

#include "app/command.h"
#include "app/descriptors.h"
#include "app/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of each thread; touched only as far as it fills. */
#define RING_BYTES ((size_t)4 << 20)

static struct gateway_config *
on_reload(void *ctx, struct buf *why)
{
    struct serve *s = ctx;
    struct gateway_config *old = gateway_config_now(s->gateway), *new = NULL;
    struct mistakes m;
    char text[512];
    struct buf restart;

    mistakes_init(&m);
    if (s->path)
        new = settings_load(s->path, old, &m);
    if (new) {
        buf_init_fixed(&restart, text, sizeof text);
        settings_restart_needed(old, new, &restart);
        if (restart.n > 0)
            log_event(s->log, LOG_WARN, "restart_needed", "these change with a restart only: %s",
                      buf_cstr(&restart));
    } else if (m.n > 0) {
        mistakes_log(&m, s->log);
        buf_printf(why, "%s:%d:%d: %s", m.file, m.list[0].line, m.list[0].column, m.list[0].what);
    } else {
        buf_add_str(why, "there is no file to read anew");
    }
    mistakes_fini(&m);
    gateway_config_unref(old);
    return new;
}

static void
on_story(void *ctx, const struct keeper_tale *t)
{
    struct serve *s = ctx;

    s->story(s->story_ctx, t);
}

/*
 * Stderr so that writing to it never blocks. Pipes and terminals are opened anew, since others
 * share theirs; a socket is ours alone; files do not block.
 */
static int
open_log_fd(void)
{
    struct stat st;
    int fd = -1;

    if (fstat(STDERR_FILENO, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)))
        fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    else if (S_ISSOCK(st.st_mode))
        fcntl(STDERR_FILENO, F_SETFL, fcntl(STDERR_FILENO, F_GETFL) | O_NONBLOCK);
    return fd >= 0 ? fd : STDERR_FILENO;
}

static struct log_hub *
open_log(const struct gateway_config *c)
{
    bool terminal = isatty(STDERR_FILENO) == 1;
    enum log_format f = terminal ? LOG_READABLE : LOG_JSON;

    if (c->log_format == CONFIG_LOG_JSON)
        f = LOG_JSON;
    else if (c->log_format == CONFIG_LOG_LOGFMT)
        f = LOG_LOGFMT;
    else if (c->log_format == CONFIG_LOG_READABLE)
        f = LOG_READABLE;
    return log_hub_new(f, c->log_level, terminal && !getenv("NO_COLOR"), RING_BYTES);
}

static void
say_failure(const struct serve *s, const char *why)
{
    fprintf(stderr, "rouse: error: %s\n", why);
    if (s->story)
        return; /* rouse demo has a hint of its own */
    if (strstr(why, strerror(EADDRINUSE)))
        fputs("hint: another program has it, perhaps another rouse: listen, admin.socket and\n"
              "      admin.address say where this one listens\n", stderr);
    else if (strstr(why, "admin.sock"))
        fputs("hint: this user may not create it: name another admin.socket, or \"\" for none\n",
              stderr);
}

int
serve_run(struct serve *s, struct gateway_config *config)
{
    struct gateway_options o = {.config = config, .reload = on_reload, .ctx = s};
    struct buf why;
    int status = EXIT_FAILED;

    descriptors_raise();
    s->hub = open_log(config);
    if (!s->hub || !(s->log = log_new(s->hub))) {
        fputs("rouse: out of memory\n", stderr);
        log_hub_free(s->hub);
        return EXIT_FAILED;
    }
    o.hub = s->hub;
    o.log_fd = open_log_fd();
    o.story = s->story ? on_story : NULL;
    buf_init(&why, 4096);
    s->gateway = gateway_start(&o, &why);
    if (s->gateway) {
        if (s->on_ready)
            s->on_ready(s->story_ctx, s->gateway);
        status = gateway_run(s->gateway) == 0 ? EXIT_FINE : EXIT_FAILED;
        gateway_free(s->gateway);
    } else {
        say_failure(s, why.n > 0 ? buf_cstr(&why) : "out of memory");
    }
    buf_fini(&why);
    log_hub_drain(s->hub, o.log_fd);
    log_hub_free(s->hub);
    return status;
}
