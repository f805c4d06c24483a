/* SPDX-License-Identifier: BSD-2-Clause */
/* plugin_json.c: JSON for plugins, by jansson: strict, bounded, with positions in mistakes. */
#include "config.h"

#include "base/jsonw.h"
#include "gateway/plugin_priv.h"
#include "gateway/record_json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (64u * 1024)
#define NUMBER_MAX 32

struct rouse_json {
    json_t *root;
    char number[NUMBER_MAX]; /* the text of the number asked for last */
};

struct rouse_json *
plugin_json_parse(struct rouse_host *host, struct rouse_text text, char *why, size_t why_n)
{
    struct rouse_json *j;
    json_error_t e;

    (void)host;
    if (text.n > TEXT_MAX) {
        snprintf(why, why_n, "the JSON is longer than 64 KiB");
        return NULL;
    }
    j = calloc(1, sizeof(*j));
    if (!j) {
        snprintf(why, why_n, "out of memory");
        return NULL;
    }
    j->root = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &e);
    if (j->root)
        return j;
    snprintf(why, why_n, "not JSON: line %d, column %d: %s", e.line, e.column, e.text);
    free(j);
    return NULL;
}

void
plugin_json_free(struct rouse_json *json)
{
    if (!json)
        return;
    json_decref(json->root);
    free(json);
}

static struct rouse_text
text_of(struct rouse_json *j, json_t *v)
{
    int n = 0;

    if (json_is_string(v))
        return (struct rouse_text){json_string_value(v), json_string_length(v)};
    if (json_is_integer(v))
        n = snprintf(j->number, NUMBER_MAX, "%lld", (long long)json_integer_value(v));
    else if (json_is_real(v))
        n = snprintf(j->number, NUMBER_MAX, "%.6f", json_real_value(v));
    else if (json_is_boolean(v))
        n = snprintf(j->number, NUMBER_MAX, "%s", json_is_true(v) ? "true" : "false");
    return n > 0 ? (struct rouse_text){j->number, (size_t)n} : (struct rouse_text){NULL, 0};
}

struct rouse_text
plugin_json_text(struct rouse_json *json, const char *path)
{
    struct slice rest = slice_of(path), one;
    json_t *v = json->root;
    char member[128];

    while (v && slice_next(&rest, '.', &one)) {
        slice_copy(one, member, sizeof(member));
        v = json_object_get(v, member);
    }
    return text_of(json, v);
}

int
plugin_sandbox_from_json(struct rouse_host *host, struct rouse_text text,
                         struct rouse_sandbox *out, struct rouse_json **json, char *why,
                         size_t why_n)
{
    *json = plugin_json_parse(host, text, why, why_n);
    if (!*json)
        return -1;
    if (record_json_read((*json)->root, out, why, why_n) == 0) {
        out->rest = text;
        return 0;
    }
    plugin_json_free(*json);
    *json = NULL;
    return -1;
}

static const char *
op_name(enum rouse_op op)
{
    static const char *const name[] = {"inspect", "resume", "pause", "kill"};

    return name[op];
}

static void
kv(struct jsonw *j, const char *key, struct rouse_text t)
{
    if (t.n)
        jsonw_kv_slice(j, key, plugin_slice(t));
}

static void
caller(struct jsonw *j, const struct rouse_request *q)
{
    jsonw_key(j, "caller");
    jsonw_object(j);
    kv(j, "client", q->client);
    kv(j, "method", q->method);
    kv(j, "host", q->host);
    kv(j, "path", q->path);
    kv(j, "token_sha256", q->token_sha256);
    jsonw_object_end(j);
}

int
plugin_request_to_json(struct rouse_host *host, const struct rouse_request *q, char *out, size_t n)
{
    struct buf b;
    struct jsonw j;

    (void)host;
    buf_init_fixed(&b, out, n);
    jsonw_init(&j, &b);
    jsonw_object(&j);
    jsonw_kv_str(&j, "op", op_name(q->op));
    jsonw_kv_slice(&j, "id", plugin_slice(q->id));
    if (q->port)
        jsonw_kv_u64(&j, "port", q->port);
    kv(&j, "class", q->klass);
    kv(&j, "generation", q->generation);
    kv(&j, "reason", q->reason);
    if (q->epoch)
        jsonw_kv_u64(&j, "epoch", q->epoch);
    jsonw_kv_i64(&j, "deadline_ms", q->deadline_us / 1000);
    if (q->op == ROUSE_RESUME)
        caller(&j, q);
    jsonw_object_end(&j);
    return b.full ? -1 : (int)b.n;
}
