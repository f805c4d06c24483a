/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_explain.c: rouse explain: what would happen to a request, step by step, by the very code that
 * serves requests, waking nothing: the configuration is read here, and a gateway that runs is asked
 * only what it knows.
 */
#include "config.h"

#include "app/admin_client.h"
#include "app/settings.h"
#include "app/table.h"
#include "gateway/classify.h"
#include "http/h1_parse.h"
#include "http/h1_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_MAX 65536u

struct explain {
    const struct command_args *a;
    struct gateway_config *config;
    struct pool pool;
    struct arena arena;
    struct buf request;
    struct head head;
    struct route route;
    struct route_table *table;
    json_t *steps;  /* of {step, result, detail} */
    int status;
};

static void
step(struct explain *x, const char *name, const char *result, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void
step(struct explain *x, const char *name, const char *result, const char *fmt, ...)
{
    char detail[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(detail, sizeof detail, fmt, ap);
    va_end(ap);
    json_array_append_new(x->steps, json_pack("{ss,ss,ss}", "step", name, "result", result,
                                              "detail", detail));
}

/* The end: the request would be refused. */
static void
refused(struct explain *x, const char *name, enum reason why, const char *detail)
{
    const struct reason_row *row = reason_row(why);

    step(x, name, row->slug, "answered %d: %s", row->status, detail ? detail : row->slug);
    x->status = EXIT_FAILED;
}

/* URL and -H to a request as a client would send it. -1: not a URL. */
static int
write_request(struct explain *x)
{
    struct slice url = slice_of(x->a->word[0]), host;
    bool has_host = false;

    if (slice_istarts(url, SLICE("http://")))
        url = slice_sub(url, 7, url.n);
    else if (slice_istarts(url, SLICE("https://")))
        url = slice_sub(url, 8, url.n);
    ptrdiff_t slash = slice_index(url, '/');
    host = slice_sub(url, 0, slash < 0 ? url.n : (size_t)slash);
    url = slash < 0 ? SLICE("/") : slice_sub(url, (size_t)slash, url.n);
    if (host.n == 0)
        return -1;
    for (unsigned i = 0; i < x->a->headers; i++)
        has_host = has_host || slice_istarts(slice_of(x->a->header[i]), SLICE("host:"));
    buf_printf(&x->request, "GET %.*s HTTP/1.1\r\n", SLICE_ARG(url));
    if (!has_host)
        buf_printf(&x->request, "Host: %.*s\r\n", SLICE_ARG(host));
    for (unsigned i = 0; i < x->a->headers; i++)
        buf_printf(&x->request, "%s\r\n", x->a->header[i]);
    buf_add_str(&x->request, "\r\n");
    return x->request.full ? -1 : 0;
}

static bool
explain_head(struct explain *x)
{
    const struct h1_limits *limits = &x->config->front.limits;
    struct slice block = buf_slice(&x->request);
    enum reason why = REASON_NONE;
    const char *detail = NULL;
    struct h1_scan scan;

    h1_scan_init(&scan);
    ptrdiff_t n = h1_scan_run(&scan, limits, block, true, &why);
    head_init(&x->head);
    if (n == (ptrdiff_t)block.n)
        why = h1_parse_request(&x->head, &x->arena, block, &detail);
    else if (why == REASON_NONE)
        why = REASON_REQUEST_INVALID;
    if (why != REASON_NONE) {
        refused(x, "request", why, detail);
        return false;
    }
    step(x, "request", "valid", "%u header field%s", x->head.fields,
         x->head.fields == 1 ? "" : "s");
    return true;
}

static bool
explain_route(struct explain *x)
{
    const char *detail = NULL;
    enum reason why = route_find(x->table, &x->head, &x->route, &detail);

    if (x->route.site)
        step(x, "site", x->route.site->host, "dialect %s, platform %s",
             dialect_name(x->route.site->dialect),
             x->config->platform[x->route.site->platform].name);
    if (why != REASON_NONE) {
        refused(x, "route", why, detail);
        return false;
    }
    char id[SANDBOX_ID_MAX + 1];
    slice_copy(x->route.id, id, sizeof id);
    step(x, "sandbox", id, "port %u, named by %s", x->route.port,
         x->route.by_header ? "headers" : "the host");
    return true;
}

static bool
explain_class(struct explain *x)
{
    const struct site *s = x->route.site;
    enum traffic_class k = classify(&x->head, &x->route);
    bool wakes = !(s->wake_ignore & UINT32_C(1) << k);

    char text[64];
    struct buf b;

    buf_init_fixed(&b, text, sizeof text);
    units_add_duration(&b, s->keep.hold_timeout);
    if (!wakes)
        step(x, "class", traffic_class_name(k), "never wakes; relayed when the sandbox runs");
    else
        step(x, "class", traffic_class_name(k), "wakes the sandbox, held at most %s", buf_cstr(&b));
    if (wakes && s->page_after != USEC_OFF && classify_page_fits(&x->head, k)) {
        buf_clear(&b);
        units_add_duration(&b, s->page_after);
        step(x, "page", "waiting page", "after %s, should it not be awake by then", buf_cstr(&b));
    }
    return wakes;
}

/* What the running gateway knows, if there is one: never asks the platform. */
static const char *
known_state(struct explain *x, struct admin_answer *answer)
{
    char path[SANDBOX_ID_MAX + 128], socket_path[128];
    const struct gateway_config *c = x->config;

    if (admin_socket(x->a, socket_path, sizeof socket_path) != EXIT_FINE ||
        admin_probe(socket_path))
        return NULL;
    snprintf(path, sizeof path, "/sandboxes/%.*s?platform=%s", SLICE_ARG(x->route.id),
             c->platform[x->route.site->platform].name);
    (void)admin_ask(socket_path, "GET", path, answer);
    const char *state = json_string_value(json_object_get(answer->json, "state"));
    return state ? state : "unknown";
}

static void
explain_state(struct explain *x, bool wakes)
{
    struct admin_answer answer;

    memset(&answer, 0, sizeof answer);
    buf_init(&answer.body, REQUEST_MAX * 64);
    const char *state = known_state(x, &answer);
    if (!state) {
        step(x, "state", "not known", "no gateway runs here that could be asked");
    } else if (strcmp(state, "running") == 0) {
        step(x, "state", state, "the request goes straight to the sandbox");
    } else if (strcmp(state, "killed") == 0) {
        refused(x, "state", REASON_SANDBOX_GONE, "it was killed");
    } else if (strcmp(state, "unknown") == 0) {
        step(x, "state", state, "the platform would be asked (inspect) first");
    } else if (!wakes && strcmp(state, "paused") == 0) {
        refused(x, "state", REASON_WAKE_NOT_ALLOWED, "requests of this class never wake");
    } else {
        step(x, "state", state, "%s", strcmp(state, "paused") == 0
             ? "held; the platform would be asked to resume it" : "held until it runs");
    }
    admin_answer_fini(&answer);
}

static void
explain_rest(struct explain *x)
{
    bool wakes = explain_class(x);

    if (x->status == EXIT_FINE)
        explain_state(x, wakes);
}

static void
print_steps(const struct explain *x)
{
    if (x->a->json) {
        json_dumpf(x->steps, stdout, TABLE_JSON);
        putchar('\n');
        return;
    }
    for (size_t i = 0; i < json_array_size(x->steps); i++) {
        const json_t *s = json_array_get(x->steps, i);
        char result[320], detail[520];
        printf("%-8s %s: %s\n", json_string_value(json_object_get(s, "step")),
               table_value(json_object_get(s, "result"), TABLE_TEXT, result, sizeof result),
               table_value(json_object_get(s, "detail"), TABLE_TEXT, detail, sizeof detail));
    }
}

static int
explain(struct explain *x, const struct command *c)
{
    if (write_request(x))
        return command_usage(c, "\"%.80s\" is not a URL", x->a->word[0]);
    x->table = route_table_new(x->config, 0);
    x->steps = json_array();
    if (!x->table || !x->steps) {
        fputs("rouse: out of memory\n", stderr);
        return EXIT_FAILED;
    }
    if (explain_head(x) && explain_route(x))
        explain_rest(x);
    print_steps(x);
    return x->status;
}

static int
run_explain(const struct command *c, const struct command_args *a)
{
    struct explain x = {.a = a};
    struct mistakes m;
    int status;

    mistakes_init(&m);
    x.config = settings_load(a->config, NULL, &m);
    if (!x.config) {
        mistakes_print(&m, stderr);
        mistakes_fini(&m);
        return EXIT_CONFIG;
    }
    mistakes_fini(&m);
    pool_init(&x.pool, 4096, 0, 0);
    arena_init(&x.arena, &x.pool, (size_t)1 << 20);
    buf_init(&x.request, REQUEST_MAX);
    status = explain(&x, c);
    json_decref(x.steps);
    route_table_free(x.table);
    buf_fini(&x.request);
    arena_reset(&x.arena);
    pool_fini(&x.pool);
    gateway_config_unref(x.config);
    return status;
}

const struct command cmd_explain = {
    .name = "explain", .args = "URL", .summary = "what would happen to a request, and why",
    .help = "Walks the way of a GET of URL with the headers of -H: site, sandbox, port, class,\n"
            "and, when a gateway runs here, what it knows of the sandbox. Wakes nothing and asks\n"
            "no platform. Exits 1 when the request would be refused.",
    .takes = TAKES_CONFIG | TAKES_SOCKET | TAKES_OUTPUT | TAKES_HEADER,
    .min_words = 1, .max_words = 1, .run = run_explain,
};
