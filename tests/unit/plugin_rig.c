/* SPDX-License-Identifier: BSD-2-Clause */
/* plugin_rig.c: see plugin_rig.h. */
#include "config.h"

#include "plugin_rig.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <strings.h>

struct rouse_json {
    json_t *root;
    char number[32];
};

static struct rouse_text
text_of(const char *s)
{
    return (struct rouse_text){s, s ? strlen(s) : 0};
}

static void
copy(char *to, size_t size, struct rouse_text t)
{
    assert_true(t.n < size);
    if (t.n > 0)
        memcpy(to, t.p, t.n);
    to[t.n] = 0;
}

/* ---- what the plugin asks for ---------------------------------------------------------------- */

static void
on_finish(struct rouse_host *h, struct rouse_job *j, const struct rouse_result *r)
{
    assert_true(j->open);
    assert_int_equal(r->size, sizeof *r);
    j->open = false;
    j->finished = true;
    j->result = *r;
    copy(j->detail, sizeof j->detail, r->detail);
    assert_null(strchr(j->detail, '\n'));
    j->address[0] = 0;
    if (r->sandbox) {
        copy(j->address, sizeof j->address, r->sandbox->address);
        j->state = r->sandbox->state;
    }
    h->rig->finished++;
}

static void
on_news(struct rouse_host *h, struct rouse_text id, const struct rouse_sandbox *s)
{
    (void)h, (void)id, (void)s;
    fail();
}

static void
on_log(struct rouse_host *h, enum rouse_level level, struct rouse_text t)
{
    h->rig->logs++;
    h->rig->level = level;
    copy(h->rig->log, sizeof h->rig->log, t);
}

static int64_t
on_now(struct rouse_host *h)
{
    return h->rig->now;
}

static int64_t
on_wall(struct rouse_host *h)
{
    return h->rig->wall;
}

static struct rouse_fetch *
on_fetch(struct rouse_host *h, const struct rouse_fetch_request *q,
         void (*fn)(void *arg, const struct rouse_fetch_result *r), void *arg)
{
    struct rig *r = h->rig;
    struct rouse_fetch *f;

    assert_true(r->fetches < RIG_CALLS && q->headers <= 40);
    if (r->refuse)
        return NULL;
    f = r->fetch[r->fetches++] = test_calloc(1, sizeof *f);
    f->open = true;
    copy(f->method, sizeof f->method, q->method);
    copy(f->url, sizeof f->url, q->url);
    copy(f->body, sizeof f->body, q->body);
    for (f->headers = 0; f->headers < q->headers; f->headers++) {
        copy(f->header[f->headers].name, 64, q->header[f->headers].name);
        copy(f->header[f->headers].value, 256, q->header[f->headers].value);
    }
    f->connect_timeout_us = q->connect_timeout_us;
    f->timeout_us = q->timeout_us;
    f->answer_max = q->answer_max;
    f->fn = fn;
    f->arg = arg;
    return f;
}

static void
on_fetch_stop(struct rouse_host *h, struct rouse_fetch *f)
{
    (void)h;
    assert_true(f->open);
    f->open = false;
    f->stopped = true;
}

static void
join(char *to, size_t size, char *const *v)
{
    size_t n = 0;

    to[0] = 0;
    for (; v && *v; v++) {
        n += (size_t)snprintf(to + n, size - n, "%s\n", *v);
        assert_true(n < size);
    }
}

static struct rouse_run *
on_run(struct rouse_host *h, const struct rouse_run_request *q,
       void (*fn)(void *arg, const struct rouse_run_result *r), void *arg)
{
    struct rig *r = h->rig;
    struct rouse_run *x;

    assert_true(r->runs < RIG_CALLS);
    if (r->refuse)
        return NULL;
    x = r->run[r->runs++] = test_calloc(1, sizeof *x);
    x->open = true;
    join(x->argv, sizeof x->argv, q->argv);
    join(x->envp, sizeof x->envp, q->envp);
    copy(x->input, sizeof x->input, q->input);
    x->timeout_us = q->timeout_us;
    x->output_max = q->output_max;
    x->fn = fn;
    x->arg = arg;
    return x;
}

static void
on_run_stop(struct rouse_host *h, struct rouse_run *x)
{
    (void)h;
    assert_true(x->open);
    x->open = false;
    x->stopped = true;
}

static struct rouse_json *
on_json_parse(struct rouse_host *h, struct rouse_text t, char *why, size_t why_n)
{
    json_error_t e;
    json_t *root = json_loadb(t.p, t.n, JSON_REJECT_DUPLICATES, &e);
    struct rouse_json *json;

    (void)h;
    if (!root) {
        snprintf(why, why_n, "%s", e.text);
        return NULL;
    }
    json = test_calloc(1, sizeof *json);
    json->root = root;
    return json;
}

static struct rouse_text
on_json_text(struct rouse_json *json, const char *path)
{
    json_t *v = json_object_get(json->root, path);

    if (json_is_string(v))
        return text_of(json_string_value(v));
    if (!json_is_integer(v))
        return (struct rouse_text){NULL, 0};
    snprintf(json->number, sizeof json->number, "%lld", (long long)json_integer_value(v));
    return text_of(json->number);
}

static void
on_json_free(struct rouse_json *json)
{
    json_decref(json->root);
    test_free(json);
}

static int
on_sandbox(struct rouse_host *h, struct rouse_text t, struct rouse_sandbox *out,
           struct rouse_json **json, char *why, size_t why_n)
{
    static const char *const names[] = {"unknown", "starting", "running", "pausing",
                                        "snapshotting", "paused", "resuming", "failed", "killed"};
    struct rouse_text state;

    *json = on_json_parse(h, t, why, why_n);
    if (!*json)
        return -1;
    memset(out, 0, sizeof *out);
    out->size = sizeof *out;
    state = on_json_text(*json, "state");
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (state.p && strcmp(state.p, names[i]) == 0)
            out->state = (enum rouse_state)i;
    out->address = on_json_text(*json, "address");
    if (state.p && strcmp(state.p, "nonsense") == 0) {
        on_json_free(*json);
        snprintf(why, why_n, "not a sandbox");
        return -1;
    }
    return 0;
}

static int
on_request(struct rouse_host *h, const struct rouse_request *q, char *out, size_t n)
{
    int k = snprintf(out, n, "{\"op\":%d,\"id\":\"%.*s\"}", (int)q->op, (int)q->id.n, q->id.p);

    (void)h;
    return k >= (int)n ? -1 : k;
}

static void
on_hmac(struct rouse_text key, struct rouse_text data, uint8_t out[32])
{
    unsigned n = 32;

    HMAC(EVP_sha256(), key.p, (int)key.n, (const unsigned char *)data.p, data.n, out, &n);
}

static int
on_encode(struct rouse_text in, char *out, size_t n)
{
    if (n < (in.n + 2) / 3 * 4 + 1)
        return -1;
    return EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)in.p, (int)in.n);
}

static int
on_decode(struct rouse_text in, uint8_t *out, size_t n)
{
    unsigned char plain[512];
    size_t pad = 0;
    int k;

    if (in.n == 0 || in.n % 4 != 0 || in.n > 512)
        return -1;
    while (pad < 2 && in.p[in.n - 1 - pad] == '=')
        pad++;
    k = EVP_DecodeBlock(plain, (const unsigned char *)in.p, (int)in.n);
    if (k < 0 || (size_t)k - pad > n)
        return -1;
    memcpy(out, plain, (size_t)k - pad);
    return k - (int)pad;
}

static const struct rouse_services services = {
    .size = sizeof services,
    .finish = on_finish,
    .news = on_news,
    .log = on_log,
    .now_us = on_now,
    .fetch = on_fetch,
    .fetch_stop = on_fetch_stop,
    .run = on_run,
    .run_stop = on_run_stop,
    .sandbox_from_json = on_sandbox,
    .json_parse = on_json_parse,
    .json_text = on_json_text,
    .json_free = on_json_free,
    .request_to_json = on_request,
    .hmac_sha256 = on_hmac,
    .base64_encode = on_encode,
    .base64_decode = on_decode,
    .wall_clock_s = on_wall,
};

/* ---- what the test does ---------------------------------------------------------------------- */

static struct rouse_node *
add_node(struct rouse_node *of, struct rouse_node *last, const char *key, const char *value)
{
    struct rouse_node *n = test_calloc(1, sizeof *n);

    n->line = of->line;
    n->column = last ? last->column + 1 : 1;
    n->kind = ROUSE_SCALAR;
    n->key = text_of(key);
    n->value = text_of(value);
    if (last)
        last->next = n;
    else
        of->child = n;
    return n;
}

static struct rouse_node *
new_node(void)
{
    struct rouse_node *n = test_calloc(1, sizeof *n);

    n->line = 7;
    n->column = 1;
    return n;
}

struct rouse_node *
rig_map(const char *const *pairs)
{
    struct rouse_node *map = new_node(), *last = NULL;

    map->kind = ROUSE_MAP;
    for (; *pairs; pairs += 2)
        last = add_node(map, last, pairs[0], pairs[1]);
    return map;
}

struct rouse_node *
rig_list(const char *const *items)
{
    struct rouse_node *list = new_node(), *last = NULL;

    list->kind = ROUSE_LIST;
    for (; *items; items++)
        last = add_node(list, last, NULL, *items);
    return list;
}

void
rig_free_node(struct rouse_node *n)
{
    const struct rouse_node *next;

    for (struct rouse_node *c = (struct rouse_node *)(uintptr_t)n->child; c;
         c = (struct rouse_node *)(uintptr_t)next) {
        next = c->next;
        test_free(c);
    }
    test_free(n);
}

/* "20s", "64k", "500ms": enough for fallbacks and tests. */
static int64_t
number(const char *text)
{
    char *unit;
    int64_t n = strtol(text, &unit, 10);

    if (strcmp(unit, "s") == 0)
        return n * 1000000;
    if (strcmp(unit, "ms") == 0)
        return n * 1000;
    return strcmp(unit, "k") == 0 ? n * 1024 : n;
}

void
rig_open(struct rig *r, const struct rouse_plugin *p, const struct rig_option *o)
{
    struct rouse_value values[16] = {{0}};

    memset(r, 0, sizeof *r);
    r->plugin = p;
    r->services = &services;
    r->host.rig = r;
    r->now = 1000000;
    r->wall = 1614265330;
    for (unsigned i = 0; p->options[i].name; i++) {
        const char *text = p->options[i].fallback;
        for (const struct rig_option *x = o; x->name; x++) {
            if (strcmp(x->name, p->options[i].name) != 0)
                continue;
            values[i].given = 1;
            values[i].node = x->node;
            text = x->text;
        }
        if (text) {
            values[i].text = text_of(text);
            values[i].number = number(text);
        }
    }
    /* Values stay valid until close in a real host; the texts do here. */
    r->self = p->open(&services, &r->host, text_of("own"), values, 0, &r->mistake);
}

void
rig_close(struct rig *r)
{
    unsigned before = r->finished;

    r->plugin->close(r->self);
    assert_int_equal(r->finished, before);
    for (unsigned i = 0; i < r->fetches; i++) {
        assert_false(r->fetch[i]->open);
        test_free(r->fetch[i]);
    }
    for (unsigned i = 0; i < r->runs; i++) {
        assert_false(r->run[i]->open);
        test_free(r->run[i]);
    }
}

struct rouse_job *
rig_start(struct rig *r, enum rouse_op op, const struct rouse_request *q)
{
    struct rouse_request made = q ? *q : (struct rouse_request){.size = sizeof made};
    struct rouse_job *j = &r->job[r->jobs % RIG_CALLS];

    r->jobs++;
    memset(j, 0, sizeof *j);
    j->open = true;
    made.size = sizeof made;
    made.op = op;
    if (!made.id.p)
        made.id = text_of("blog");
    if (!made.generation.p)
        made.generation = text_of("g3");
    if (made.deadline_us == 0)
        made.deadline_us = 10000000;
    r->plugin->start(r->self, j, &made);
    return j;
}

struct rouse_fetch *
rig_fetch(struct rig *r)
{
    assert_true(r->fetches > 0);
    return r->fetch[r->fetches - 1];
}

struct rouse_run *
rig_run(struct rig *r)
{
    assert_true(r->runs > 0);
    return r->run[r->runs - 1];
}

const char *
rig_header(const struct rouse_fetch *f, const char *name)
{
    const char *found = NULL;

    for (unsigned i = 0; i < f->headers; i++)
        if (strcasecmp(f->header[i].name, name) == 0) {
            assert_null(found);
            found = f->header[i].value;
        }
    return found;
}

void
rig_answer(struct rouse_fetch *f, int status, const char *body, const char *const *headers)
{
    struct rouse_header header[8];
    struct rouse_fetch_result r = {.size = sizeof r, .status = status, .header = header};

    for (; headers && *headers; headers += 2)
        header[r.headers++] = (struct rouse_header){text_of(headers[0]), text_of(headers[1])};
    r.sent = ROUSE_ANSWERED;
    r.body = text_of(body);
    assert_true(f->open);
    f->open = false;
    f->fn(f->arg, &r);
}

void
rig_no_answer(struct rouse_fetch *f, bool maybe_sent, const char *detail)
{
    struct rouse_fetch_result r = {.size = sizeof r, .detail = detail};

    r.sent = maybe_sent ? ROUSE_MAYBE_SENT : ROUSE_NOT_SENT;
    assert_true(f->open);
    f->open = false;
    f->fn(f->arg, &r);
}

void
rig_exit(struct rouse_run *x, int code, const char *output, const char *errors)
{
    struct rouse_run_result r = {.size = sizeof r, .exit_code = code};

    r.output = text_of(output);
    r.errors = text_of(errors);
    assert_true(x->open);
    x->open = false;
    x->fn(x->arg, &r);
}

void
rig_ended(struct rouse_run *x, int signal, const char *detail)
{
    struct rouse_run_result r = {.size = sizeof r, .exit_code = -1, .signal = signal};

    r.detail = detail;
    assert_true(x->open);
    x->open = false;
    x->fn(x->arg, &r);
}
