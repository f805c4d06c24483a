/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_demo.c: rouse demo: a gateway with one local sandbox, and its story on the terminal. The
 * sandbox is this program again, as `rouse demo-sandbox` (cmd_demo_sandbox.c).
 */
#include "config.h"

#include "app/command.h"
#include "app/serve.h"
#include "app/settings.h"
#include "base/version.h"
#include "sandbox/keeper.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct demo {
    char port[8];
    char dir[64];
    char socket[96];
    bool colour;
};

/* "12:00:05  woken      in 34 ms": one write, so that lines of two processes do not mix. */
static void
tell(const struct demo *d, const char *colour, const char *word, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void
tell(const struct demo *d, const char *colour, const char *word, const char *fmt, ...)
{
    char line[400], rest[256], clock[16];
    time_t now = time(NULL);
    struct tm tm;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(rest, sizeof rest, fmt, ap);
    va_end(ap);
    if (!localtime_r(&now, &tm) || strftime(clock, sizeof clock, "%H:%M:%S", &tm) == 0)
        clock[0] = 0;
    if (d->colour)
        snprintf(line, sizeof line, "\033[2m%s\033[0m  \033[%sm%-9s\033[0m  %s\n", clock, colour,
                 word, rest);
    else
        snprintf(line, sizeof line, "%s  %-9s  %s\n", clock, word, rest);
    fputs(line, stdout);
    fflush(stdout);
}

/* On the control thread. */
static void
on_story(void *ctx, const struct keeper_tale *t)
{
    const struct demo *d = ctx;
    double ms = (double)t->took / 1000;

    switch (t->what) {
    case STORY_HELD:
        tell(d, "33", "held", "a request came while it slept; it waits");
        break;
    case STORY_WAKE:
        tell(d, "33", "waking", "the platform was asked to resume it");
        break;
    case STORY_WOKEN:
        tell(d, "32", "woken", "in %.1f ms", ms);
        break;
    case STORY_WAKE_FAILED:
        tell(d, "31", "failed", "it could not be woken: %s %s", reason_slug(t->reason),
             t->detail ? t->detail : "");
        break;
    case STORY_RELEASED:
        tell(d, "32", "forwarded", "%u request%s, %.1f ms after it was awake", t->count,
             t->count == 1 ? "" : "s", ms);
        break;
    case STORY_PAUSING:
        tell(d, "36", "pausing", "nobody has called for a while");
        break;
    case STORY_PAUSED:
        tell(d, "36", "paused", "its processes are stopped, their memory stays");
        break;
    case STORY_PAUSE_ABORTED:
        tell(d, "36", "awake", "a request came just then: it is not paused");
        break;
    case STORY_ASLEEP:
        tell(d, "36", "asleep", "it was found asleep");
        break;
    case STORY_GONE:
        tell(d, "31", "gone", "the sandbox ended");
        break;
    default:
        break;
    }
}

static void
on_ready(void *ctx, struct gateway *g)
{
    const struct demo *d = ctx;

    (void)g;
    printf("rouse %s demo: one sandbox, asleep until somebody calls\n"
           "  http://3000-demo.localhost:%s/        a counter that lives in the sandbox's memory\n"
           "  rouse status -s %s\n"
           "  (pauses after %s without a request; Ctrl-C ends everything)\n\n",
           version_string(), d->port, d->socket, getenv("ROUSE_DEMO_IDLE"));
    fflush(stdout);
}

/* A port of loopback that nobody listens on now. */
static unsigned
free_port(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof in;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return 0;
    if (bind(fd, (struct sockaddr *)&in, sizeof in) ||
        getsockname(fd, (struct sockaddr *)&in, &n))
        in.sin_port = 0;
    close(fd);
    return ntohs(in.sin_port);
}

static int
prepare(struct demo *d)
{
    char self[4096], origin[16];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    unsigned port = free_port();

    if (n <= 0 || port == 0)
        return -1;
    self[n] = 0;
    snprintf(origin, sizeof origin, "%u", port);
    snprintf(d->dir, sizeof d->dir, "/tmp/rouse-demo.XXXXXX");
    if (!mkdtemp(d->dir))
        return -1;
    snprintf(d->socket, sizeof d->socket, "%s/admin.sock", d->dir);
    d->colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    return setenv("ROUSE_DEMO_PROGRAM", self, 1) || setenv("ROUSE_DEMO_ORIGIN", origin, 1) ||
           setenv("ROUSE_DEMO_PORT", d->port, 1) || setenv("ROUSE_DEMO_SOCKET", d->socket, 1) ||
           setenv("ROUSE_DEMO_IDLE", "5s", 0);
}

static int
run_demo(const struct command *c, const struct command_args *a)
{
    struct demo d = {.port = "8080"};
    struct mistakes m;
    uint64_t port;
    int status = EXIT_FAILED;

    if (a->words > 0 && (slice_u64(slice_of(a->word[0]), 65535, &port) || port == 0))
        return command_usage(c, "\"%.20s\" is not a port", a->word[0]);
    if (a->words > 0)
        slice_copy(slice_of(a->word[0]), d.port, sizeof d.port);
    if (prepare(&d)) {
        perror("rouse: demo");
        return EXIT_FAILED;
    }
    mistakes_init(&m);
    struct gateway_config *config =
        settings_parse("demo", slice_of(settings_demo()), NULL, &m);
    if (config) {
        struct serve s = {.story = on_story, .story_ctx = &d, .on_ready = on_ready};
        status = serve_run(&s, config);
        if (!s.gateway)
            fprintf(stderr, "hint: another port?  rouse demo 8088\n");
    } else {
        mistakes_print(&m, stderr);
    }
    gateway_config_unref(config);
    mistakes_fini(&m);
    rmdir(d.dir);
    return status;
}

const struct command cmd_demo = {
    .name = "demo", .args = "[PORT]",
    .summary = "play: a real local sandbox that pauses when idle, everything in memory",
    .help = "Needs no file, no root, no DNS. The sandbox is a process whose memory holds a\n"
            "counter; it starts with the first request, is stopped after 5 s without one, and\n"
            "goes on where it was with the next. PORT is 8080 unless given.",
    .max_words = 1, .run = run_demo,
};
