/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The crowd: many clients of one address, and what became of each request.
 *
 * Without --rate each client connects and sends one request at once.  With it, keep-alive clients
 * send so many requests a second; a request that finds no idle client waits, and its latency
 * counts from when it was due.  With --h2 so many clients share a connection.  Lines of JSON on
 * standard output: {"event":"sent"} when every request is out, at the end the result.  SIGTERM: no
 * further requests, then the result.
 */
#include "config.h"

#include "crowd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static volatile sig_atomic_t told_to_stop;

static void
on_term(int number)
{
    (void)number;
    told_to_stop = 1;
}

uint64_t
crowd_random(struct crowd *crowd, uint64_t limit)
{
    crowd->seed ^= crowd->seed << 13;
    crowd->seed ^= crowd->seed >> 7;
    crowd->seed ^= crowd->seed << 17;
    return crowd->seed % limit;
}

void
crowd_sent(struct crowd *crowd)
{
    if (crowd->said_sent || crowd->sent + crowd->finished - crowd->answered < crowd->total)
        return;
    crowd->said_sent = true;
    printf("{\"event\":\"sent\",\"sent\":%" PRIu64 "}\n", crowd->sent);
    fflush(stdout);
}

/* Starts further clients while few enough are connecting. */
static void
advance(struct crowd *crowd)
{
    while (crowd->rate <= 0 && crowd->begun < crowd->total && crowd->idle &&
           crowd->connecting < crowd->concurrent) {
        struct crowd_client *client = crowd->idle;

        crowd->idle = client->next;
        crowd_client_begin(client, tool_now());
    }
}

static void
dispatch(struct crowd *crowd)
{
    while (crowd->idle && crowd->waiting.len) {
        struct crowd_client *client = crowd->idle;
        int64_t due;

        memcpy(&due, crowd->waiting.data, sizeof due);
        toolbuf_drop(&crowd->waiting, sizeof due);
        crowd->idle = client->next;
        crowd_client_begin(client, due);
    }
}

void
crowd_over(struct crowd *crowd, struct crowd_client *client)
{
    client->next = crowd->idle;
    crowd->idle = client;
    crowd_sent(crowd);
    if (crowd->finished >= crowd->total)
        crowd->loop.stop = true;
}

/* The heartbeat: starts what is due, every 0.2 ms or at the next request's time. */
static void
on_pace(struct tooltimer *timer)
{
    struct crowd *crowd = tool_container(timer, struct crowd, pace);
    int64_t now = tool_now(), next = now + 200000;

    if (told_to_stop) {
        crowd->waiting.len = 0;
        crowd->total = crowd->begun;
        crowd->loop.stop = crowd->finished >= crowd->total;
    }
    advance(crowd);
    while (crowd->rate > 0 && crowd->begun + crowd->waiting.len / sizeof now < crowd->total) {
        uint64_t count = crowd->begun + crowd->waiting.len / sizeof now;
        int64_t due = crowd->began + (int64_t)((double)count * 1e9 / crowd->rate);

        if (due > now) {
            next = due;
            break;
        }
        if (!crowd->idle)
            crowd->late++;
        toolbuf_add(&crowd->waiting, &due, sizeof due);
        dispatch(crowd);
    }
    dispatch(crowd);
    crowd_h2_flush(crowd);
    if (crowd->waiting.len && next > now + 200000)
        next = now + 200000;
    if (!crowd->loop.stop)
        toolloop_arm(&crowd->loop, &crowd->pace, next);
}

static void
on_deadline(struct tooltimer *timer)
{
    struct crowd *crowd = tool_container(timer, struct crowd, deadline);

    crowd->silent = crowd->total - crowd->finished;
    crowd->loop.stop = true;
}

static int
compare(const void *a, const void *b)
{
    uint32_t one = *(const uint32_t *)a, two = *(const uint32_t *)b;

    return one < two ? -1 : one > two;
}

static void
report(struct crowd *crowd)
{
    const char *comma = "";
    uint64_t n = crowd->answered;

    qsort(crowd->latency, n, sizeof *crowd->latency, compare);
    printf("{\"event\":\"result\",\"total\":%" PRIu64 ",\"opened\":%" PRIu64 ",\"sent\":%" PRIu64
           ",\"answered\":%" PRIu64 ",\"left\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"reset\":%" PRIu64
           ",\"connect_failed\":%" PRIu64 ",\"silent\":%" PRIu64 ",\"wrong\":%" PRIu64
           ",\"late\":%" PRIu64 ",\"interims\":%" PRIu64 ",\"tls_failed\":%" PRIu64
           ",\"goaways\":%" PRIu64 ",\"status\":{", crowd->total,
           crowd->opened, crowd->sent, n, crowd->left, crowd->lost, crowd->reset, crowd->refused,
           crowd->silent, crowd->wrong, crowd->late, crowd->interims, crowd->insecure,
           crowd->goaways);
    for (int i = 0; i < 1000; i++) {
        if (!crowd->status[i])
            continue;
        printf("%s\"%d\":%" PRIu64, comma, i, crowd->status[i]);
        comma = ",";
    }
    printf("},\"p50_us\":%u,\"p99_us\":%u,\"max_us\":%u,\"began_ns\":%" PRId64 ",\"last_sent_ns\":%"
           PRId64 ",\"first_answer_ns\":%" PRId64 ",\"last_answer_ns\":%" PRId64
           ",\"span_ms\":%.3f}\n",
           n ? crowd->latency[n / 2] : 0, n ? crowd->latency[n - 1 - n / 100] : 0,
           n ? crowd->latency[n - 1] : 0, crowd->began, crowd->last_sent, crowd->first, crowd->last,
           (double)(crowd->last - crowd->first) / 1e6);
}

static void
usage(void)
{
    puts("usage: crowd --port N --host NAME [--address 127.0.0.1] [--clients N] [--total N]\n"
         "             [--rate REQUESTS_A_SECOND] [--method GET] [--path /{id}] [--body BYTES]\n"
         "             [--field 'Name: value']... [--prefix ID] [--check] [--keep-open]\n"
         "             [--concurrent CONNECTS] [--abort PERCENT] [--abort-wait MS] [--seed N]\n"
         "             [--timeout MS] [--times FILE] [--tls] [--fresh] [--h2 STREAMS]\n"
         "             [--window BYTES] [--source 127.0.0.1]");
}

static void
set_option(struct crowd *crowd, int letter, const char *value)
{
    switch (letter) {
    case 'p':
        crowd->to.sin_port = htons((uint16_t)tool_number("--port", value, 1, 65535));
        break;
    case 'a':
        if (inet_pton(AF_INET, value, &crowd->to.sin_addr) != 1)
            tool_die(0, "'%s' is not an IPv4 address", value);
        break;
    case 'O':
        crowd->from.sin_family = AF_INET;
        if (inet_pton(AF_INET, value, &crowd->from.sin_addr) != 1)
            tool_die(0, "'%s' is not an IPv4 address", value);
        break;
    case 'h': crowd->host = value; break;
    case 'c': crowd->clients = (uint64_t)tool_number("--clients", value, 1, 1000000); break;
    case 'n': crowd->total = (uint64_t)tool_number("--total", value, 1, 100000000); break;
    case 'r': crowd->rate = (double)tool_number("--rate", value, 1, 1000000); break;
    case 'm': crowd->method = value; break;
    case 'u': crowd->path = value; break;
    case 'b': crowd->body = (size_t)tool_number("--body", value, 0, 1 << 30); break;
    case 'f': toolbuf_printf(&crowd->fields, "%s\r\n", value); break;
    case 'i': crowd->prefix = value; break;
    case 'k': crowd->check = true; break;
    case 'o': crowd->keep_open = true; break;
    case 'C': crowd->concurrent = (uint64_t)tool_number("--concurrent", value, 1, 60000); break;
    case 'A': crowd->abort_percent = (uint64_t)tool_number("--abort", value, 0, 100); break;
    case 'w': crowd->abort_wait = tool_number("--abort-wait", value, 0, 600000) * 1000000; break;
    case 's': crowd->seed = (uint64_t)tool_number("--seed", value, 1, INT64_MAX); break;
    case 't': crowd->timeout = tool_number("--timeout", value, 1, 3600000) * 1000000; break;
    case 'S': crowd->want_tls = true; break;
    case 'F': crowd->fresh = true; break;
    case '2': crowd->streams = (uint64_t)tool_number("--h2", value, 1, 100000); break;
    case 'W': crowd->window = (uint32_t)tool_number("--window", value, 0, INT32_MAX); break;
    case 'T':
        crowd->times = fopen(value, "w");
        if (!crowd->times)
            tool_die(errno, "%s", value);
        break;
    default:
        usage();
        exit(letter == '?' ? 2 : 0);
    }
}

static void
parse(struct crowd *crowd, int argc, char **argv)
{
    static const struct option options[] = {
        {"port", 1, NULL, 'p'}, {"address", 1, NULL, 'a'}, {"host", 1, NULL, 'h'},
        {"clients", 1, NULL, 'c'}, {"total", 1, NULL, 'n'}, {"rate", 1, NULL, 'r'},
        {"method", 1, NULL, 'm'}, {"path", 1, NULL, 'u'}, {"body", 1, NULL, 'b'},
        {"field", 1, NULL, 'f'}, {"prefix", 1, NULL, 'i'}, {"check", 0, NULL, 'k'},
        {"keep-open", 0, NULL, 'o'}, {"concurrent", 1, NULL, 'C'}, {"abort", 1, NULL, 'A'},
        {"abort-wait", 1, NULL, 'w'}, {"seed", 1, NULL, 's'}, {"timeout", 1, NULL, 't'},
        {"times", 1, NULL, 'T'}, {"tls", 0, NULL, 'S'}, {"fresh", 0, NULL, 'F'},
        {"h2", 1, NULL, '2'}, {"window", 1, NULL, 'W'}, {"source", 1, NULL, 'O'},
        {"help", 0, NULL, 'H'}, {NULL, 0, NULL, 0}};
    int letter;

    while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1)
        set_option(crowd, letter, optarg);
    if (!crowd->to.sin_port || !crowd->host) {
        usage();
        exit(2);
    }
    if (!crowd->total)
        crowd->total = crowd->clients;
}

static void
defaults(struct crowd *crowd)
{
    crowd->to.sin_family = AF_INET;
    crowd->to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    crowd->path = "/{id}";
    crowd->method = "GET";
    crowd->prefix = "c";
    crowd->clients = 1;
    crowd->concurrent = 256;
    crowd->seed = 88172645463325252u;
    crowd->abort_wait = 100000000;
    crowd->timeout = 60000000000;
    crowd->window = UINT32_MAX;
    crowd->pace.on_due = on_pace;
    crowd->deadline.on_due = on_deadline;
}

int
main(int argc, char **argv)
{
    struct crowd *crowd = tool_alloc(sizeof *crowd);
    struct rlimit limit;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, on_term);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    toolloop_init(&crowd->loop);
    defaults(crowd);
    parse(crowd, argc, argv);
    if (crowd->want_tls)
        crowd_tls_init(crowd);
    if (crowd->streams)
        crowd_h2_init(crowd);
    crowd->client = tool_alloc(crowd->clients * sizeof *crowd->client);
    crowd->latency = tool_alloc(crowd->total * sizeof *crowd->latency);
    for (uint64_t i = crowd->clients; i-- > 0;) {
        crowd->client[i].crowd = crowd;
        crowd->client[i].wire.watch.fd = -1;
        crowd->client[i].next = crowd->idle;
        crowd->idle = &crowd->client[i];
    }
    crowd->began = tool_now();
    toolloop_arm(&crowd->loop, &crowd->pace, crowd->began);
    toolloop_arm(&crowd->loop, &crowd->deadline, crowd->began + crowd->timeout);
    toolloop_run(&crowd->loop);
    report(crowd);
    for (uint64_t i = 0; i < crowd->clients; i++)
        crowd_client_fini(&crowd->client[i]);
    crowd_h2_fini(crowd);
    SSL_CTX_free(crowd->tls);
    toolloop_fini(&crowd->loop);
    toolbuf_fini(&crowd->waiting);
    toolbuf_fini(&crowd->fields);
    free(crowd->client);
    free(crowd->latency);
    free(crowd);
    return 0;
}
