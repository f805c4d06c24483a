/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_demo.c: rouse demo: a gateway with one local sandbox, a child process of this program
 * (cmd_demo_app.c), and the terminal tells what becomes of it. No file, nothing left behind.
 *
 * The story is told on the control thread, one write a line: the sandbox writes to the same
 * terminal.
 */
#include "config.h"

#include "app/command.h"
#include "app/serve.h"
#include "app/settings.h"
#include "base/units.h"
#include "base/version.h"
#include "net/self_signed.h"
#include "sandbox/keeper.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* The demo's certificate is the default one, for names that OpenSSL takes no wildcard for, too. */
#define CERTIFICATE "default"
#define HOSTS "3000-demo.localhost,*.localhost,localhost,127.0.0.1,::1"
#define PORT 8080
#define PORT_TLS 8443

struct demo {
    const char *address;
    uint64_t port;
    const char *idle, *wake_delay;
    char idle_text[32];
    char certificates[PATH_MAX]; /* with --tls: a directory of ours; empty: none */
    bool started, colour, tls;
};

/* ---- the story ------------------------------------------------------------------------------- */

static void
tell(const struct demo *d, const char *text)
{
    char line[300], now[16];
    time_t t = time(NULL);
    struct tm tm;
    int n;

    strftime(now, sizeof(now), "%H:%M:%S", localtime_r(&t, &tm));
    n = snprintf(line, sizeof(line), d->colour ? "  \033[2m%s\033[0m  \033[32mrouse\033[0m    %s\n"
                                               : "  %s  rouse    %s\n", now, text);
    if (n > 0 && write(STDOUT_FILENO, line, (size_t)n) == -1)
        return;
}

static void
add_ms(struct buf *b, usec_t t)
{
    if (t < 10 * USEC_MS)
        buf_printf(b, "%.1f ms", (double)t / USEC_MS);
    else if (t < USEC_SEC)
        buf_printf(b, "%.0f ms", (double)t / USEC_MS);
    else
        buf_printf(b, "%.2f s", (double)t / USEC_SEC);
}

static void
add_tale(struct demo *d, const struct keeper_tale *t, struct buf *b)
{
    switch (t->what) {
    case STORY_HELD:
        buf_add_str(b, d->started ? "demo is paused; the request is held"
                                  : "demo was never started; the request is held");
        break;
    case STORY_WOKEN:
        buf_printf(b, "%s in ", d->started ? "woken" : "started");
        add_ms(b, t->took);
        buf_add_str(b, ", the request goes on");
        d->started = true;
        break;
    case STORY_WAKE_FAILED:
        buf_printf(b, "not woken: %s", reason_slug(t->reason));
        break;
    case STORY_PAUSED:
        buf_printf(b, "paused after %s without a request", d->idle_text);
        break;
    case STORY_PAUSE_ABORTED:
        buf_add_str(b, "a request came, so it is not paused");
        break;
    case STORY_ASLEEP:
        buf_add_str(b, "demo stands still, though nobody said so");
        break;
    case STORY_GONE:
        buf_add_str(b, "demo is gone for good");
        break;
    case STORY_WAKE:
    case STORY_RELEASED:
    case STORY_PAUSING:
        break;
    }
}

static void
on_story(void *ctx, const struct keeper_tale *t)
{
    char text[200];
    struct buf b;

    buf_init_fixed(&b, text, sizeof(text));
    add_tale(ctx, t, &b);
    if (b.n > 0)
        tell(ctx, buf_cstr(&b));
}

static void
on_ready(void *ctx, struct gateway *g)
{
    struct demo *d = ctx;
    char url[64];

    (void)g;
    snprintf(url, sizeof(url), "http%s://3000-demo.localhost:%u", d->tls ? "s" : "",
             (unsigned)d->port);
    printf("\n  rouse %s demo: everything in memory, nothing leaves this machine\n\n"
           "  The sandbox \"demo\" is a process with a counter in its memory. The first request\n"
           "  starts it; after %s without a request it is paused.%s%s%s\n\n"
           "    open   %s/\n"
           "    or     curl %s%s%s%s/count\n\n"
           "  Ctrl-C ends everything.\n\n",
           version_string(), d->idle_text, d->wake_delay ? " Waking it takes " : "",
           d->wake_delay ? d->wake_delay : "", d->wake_delay ? "." : "", url,
           d->tls ? "--cacert " : "", d->certificates, d->tls ? "/" CERTIFICATE ".crt " : "", url);
    fflush(stdout);
}

/* ---- the certificate ------------------------------------------------------------------------- */

static int
make_certificate(struct demo *d)
{
    const char *tmp = getenv("TMPDIR");
    char text[PATH_MAX + 100];
    struct buf why;

    buf_init_fixed(&why, text, sizeof(text));
    snprintf(d->certificates, sizeof(d->certificates), "%s/rouse-demo-XXXXXX",
             tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(d->certificates)) {
        fprintf(stderr, "rouse: error: cannot make %s: %s\nhint: TMPDIR says where\n",
                d->certificates, strerror(errno));
        d->certificates[0] = 0;
        return -1;
    }
    if (self_signed_write(d->certificates, CERTIFICATE, SLICE(HOSTS), &why) == 0)
        return 0;
    fprintf(stderr, "rouse: error: %s\n", buf_cstr(&why));
    return -1;
}

static void
remove_certificate(const struct demo *d)
{
    static const char *const files[] = {CERTIFICATE ".crt", CERTIFICATE ".key"};
    char path[PATH_MAX + 32];

    if (!d->certificates[0])
        return;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", d->certificates, files[i]);
        unlink(path);
    }
    rmdir(d->certificates);
}

/* ---- the configuration ----------------------------------------------------------------------- */

/* A port of 127.0.0.1 where nobody listens now; 0: none. */
static unsigned
free_port(void)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(sin);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unsigned port = 0;

    if (fd == -1)
        return 0;
    if (bind(fd, (struct sockaddr *)&sin, n) == 0 &&
        getsockname(fd, (struct sockaddr *)&sin, &n) == 0)
        port = ntohs(sin.sin_port);
    close(fd);
    return port;
}

static struct gateway_config *
configure(const struct demo *d)
{
    unsigned app = free_port();
    struct gateway_config *c;
    struct mistakes m;
    struct buf text;

    buf_init(&text, 4096);
    /* This program by its place in /proc: found wherever it is and whatever its name. */
    buf_printf(&text,
               "listen: [{ address: \"%s:%u\"%s%s%s }]\n"
               "admin: { socket: \"\" }\n"
               "workers: 1\n"
               "log: { level: warn, access: false }\n"
               "platforms:\n"
               "  demo:\n"
               "    plugin: local\n"
               "    sandboxes:\n"
               "      demo: { command: [/proc/%d/exe, demo-app, \"%u\"], output: inherit,\n"
               "              ports: { 3000: 127.0.0.1:%u }, idle: %s, wake_delay: %s,\n"
               "              environment: %s }\n"
               "sites:\n"
               "  - { host: \"*.localhost\", platform: demo,\n"
               "      wake: { limit_per_sandbox: off, limit_per_client: off } }\n",
               d->address, (unsigned)d->port, d->tls ? ", tls: { certificates: \"" : "",
               d->certificates, d->tls ? "\" }" : "", (int)getpid(), app, app, d->idle,
               d->wake_delay ? d->wake_delay : "0s", d->colour ? "{}" : "{ NO_COLOR: \"1\" }");
    mistakes_init(&m);
    c = settings_parse("demo", buf_slice(&text), NULL, &m);
    if (!c)
        mistakes_print(&m, stderr);
    mistakes_fini(&m);
    buf_fini(&text);
    return c;
}

/* ---- the command ----------------------------------------------------------------------------- */

enum { OPTION_IDLE = 256, OPTION_WAKE_DELAY, OPTION_ADDRESS, OPTION_PLUGIN_DIR, OPTION_TLS };

static const struct option options[] = {
    {"help", no_argument, NULL, 'h'},
    {"port", required_argument, NULL, 'p'},
    {"idle", required_argument, NULL, OPTION_IDLE},
    {"wake-delay", required_argument, NULL, OPTION_WAKE_DELAY},
    {"address", required_argument, NULL, OPTION_ADDRESS},
    {"tls", no_argument, NULL, OPTION_TLS},
    {"plugin-dir", required_argument, NULL, OPTION_PLUGIN_DIR},
    {NULL, 0, NULL, 0},
};

/* 0, or the exit status plus one. */
static int
take_duration(const struct command *c, const char **out)
{
    const char *hint;
    usec_t t;

    if (units_duration(slice_of(optarg), &t, &hint) != 0 || t == USEC_OFF || t == 0)
        return 1 + command_usage(c, "\"%.40s\" is no time to wait: write 500ms, 10s, 1m", optarg);
    *out = optarg;
    return 0;
}

static int
take_option(const struct command *c, struct demo *d, int option, const char *word)
{
    switch (option) {
    case 'h':
        command_print_help(c);
        return 1 + EXIT_FINE;
    case 'p':
        if (slice_u64(slice_of(optarg), 65535, &d->port) != 0 || d->port == 0)
            return 1 + command_usage(c, "\"%.40s\" is no port: 1 to 65535", optarg);
        return 0;
    case OPTION_IDLE:
        return take_duration(c, &d->idle);
    case OPTION_WAKE_DELAY:
        return take_duration(c, &d->wake_delay);
    case OPTION_ADDRESS:
        d->address = optarg;
        return 0;
    case OPTION_TLS:
        d->tls = true;
        return 0;
    case OPTION_PLUGIN_DIR:
        setenv("ROUSE_PLUGIN_DIR", optarg, 1);
        return 0;
    default:
        return 1 + command_usage(c, option == ':' ? "%s needs a value" : "no option %s", word);
    }
}

/* "10s" as people write it: "10 s". */
static void
spell_idle(struct demo *d)
{
    size_t digits = strspn(d->idle, "0123456789");

    snprintf(d->idle_text, sizeof(d->idle_text), "%.*s %s", (int)digits, d->idle,
             d->idle + digits);
}

static int
serve_demo(struct demo *d)
{
    struct serve s = {.story = on_story, .story_ctx = d, .on_ready = on_ready};
    struct gateway_config *config = configure(d);
    int status;

    if (!config)
        return EXIT_FAILED;
    status = serve_run(&s, config);
    if (!s.gateway)
        fprintf(stderr, "hint: take another port: rouse demo%s --port %u\n", d->tls ? " --tls" : "",
                d->port == 65535 ? PORT : (unsigned)d->port + 1);
    gateway_config_unref(config);
    return status;
}

static int
run_demo(const struct command *c, const struct command_args *a)
{
    struct demo d = {.address = "127.0.0.1", .idle = "10s"};
    int option, status;

    while ((option = getopt_long(a->words, a->word, ":hp:", options, NULL)) != -1)
        if ((status = take_option(c, &d, option, a->word[optind - 1])) != 0)
            return status - 1;
    if (optind < a->words)
        return command_usage(c, "too much: \"%.60s\"", a->word[optind]);
    spell_idle(&d);
    d.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    if (d.port == 0)
        d.port = d.tls ? PORT_TLS : PORT;
    status = d.tls && make_certificate(&d) < 0 ? EXIT_FAILED : serve_demo(&d);
    remove_certificate(&d);
    return status;
}

const struct command cmd_demo = {
    .name = "demo", .args = "", .summary = "play: a local sandbox that pauses and wakes",
    .help = "A gateway and one sandbox, a child process with a counter in its memory. No file, no\n"
            "platform, no root. It is reached at http://3000-demo.localhost:PORT/ (browsers and\n"
            "curl take *.localhost for this machine); the terminal tells what happens to it.\n\n"
            "  -p, --port PORT        where to listen; 8080, with --tls 8443\n"
            "  --tls                  https and HTTP/2, with a certificate made for this run\n"
            "  --address ADDRESS      on which address; 127.0.0.1\n"
            "  --idle TIME            pause it after so long without a request; 10s\n"
            "  --wake-delay TIME      pretend that waking takes so long\n"
            "  --plugin-dir DIR       look for plugins there first",
    .takes = TAKES_OWN, .run = run_demo,
};
