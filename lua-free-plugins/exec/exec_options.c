/* SPDX-License-Identifier: BSD-2-Clause */
/* exec_options.c: see exec_options.h. The first mistake ends the reading. */
#include "config.h"

#include "exec/exec_options.h"

#include "kit/kit.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define PLACE "{id}"
#define MINUTE INT64_C(60000000)
#define INHERITED 3
#define OF_CALL 16

enum { INSPECT, RESUME, PAUSE, KILL, ENVIRONMENT, TIMEOUT, OUTPUT_MAX };

const struct rouse_option exec_option_table[] = {
    [INSPECT] = {"inspect", ROUSE_NODE, 1, NULL,
                 "argument list that prints a sandbox's state: [/usr/local/bin/state, \"{id}\"]", 0,
                 0},
    [RESUME] = {"resume", ROUSE_NODE, 0, NULL,
                "argument list that wakes a sandbox; without it a paused one must be resumed by "
                "hand", 0, 0},
    [PAUSE] = {"pause", ROUSE_NODE, 0, NULL,
               "argument list that puts a sandbox to sleep; without it Rouse pauses none", 0, 0},
    [KILL] = {"kill", ROUSE_NODE, 0, NULL, "argument list that ends a sandbox for good", 0, 0},
    [ENVIRONMENT] = {"environment", ROUSE_HEADERS, 0, NULL,
                     "further variables: {NAME: value or {file: PATH}}", 0, 0},
    [TIMEOUT] = {"timeout", ROUSE_DURATION, 0, "20s", "how long a run may take", 1000,
                 15 * MINUTE},
    [OUTPUT_MAX] = {"output_max", ROUSE_SIZE, 0, "64k", "the longest output that is read", 1024,
                    65536},
    {NULL, ROUSE_STRING, 0, NULL, NULL, 0, 0},
};

void
exec_vector_free(char **v)
{
    for (char **x = v; x && *x; x++)
        free(*x);
    free(v);
}

static unsigned
count(const struct rouse_node *n)
{
    unsigned k = 0;

    for (; n; n = n->next)
        k++;
    return k;
}

static int
read_argv(struct exec_options *o, unsigned op, const struct rouse_node *list,
          struct rouse_mistake *m)
{
    const char *name = exec_option_table[op].name;
    static const char hint[] = "[/path/to/program, \"{id}\"]: there is no shell";
    unsigned k = 0;

    if (!list)
        return 0;
    if (list->kind != ROUSE_LIST || !list->child)
        return kit_wrong(m, list, hint, "%s must be a list of arguments", name);
    if (count(list->child) > EXEC_ARGS)
        return kit_wrong(m, list, "", "%s: more than %d arguments", name, EXEC_ARGS);
    o->argv[op] = calloc(EXEC_ARGS + 1, sizeof *o->argv[op]);
    for (const struct rouse_node *n = list->child; o->argv[op] && n; n = n->next) {
        if (n->kind != ROUSE_SCALAR || memchr(n->value.n ? n->value.p : "", 0, n->value.n))
            return kit_wrong(m, n, hint, "%s: an argument must be a text", name);
        if (k == 0 && (n->value.n == 0 || memmem(n->value.p, n->value.n, PLACE, 4)))
            return kit_wrong(m, n, hint, "%s: the first is the program: it may not be empty, nor "
                             "depend on {id}", name);
        o->argv[op][k] = kit_copy(n->value);
        if (!o->argv[op][k++])
            return kit_wrong(m, n, "", "out of memory");
    }
    return o->argv[op] ? 0 : kit_wrong(m, list, "", "out of memory");
}

static char *
variable(struct rouse_text name, struct rouse_text value)
{
    char *out = malloc(name.n + value.n + 2);

    if (!out)
        return NULL;
    memcpy(out, name.p, name.n);
    out[name.n] = '=';
    if (value.n > 0)
        memcpy(out + name.n + 1, value.p, value.n);
    out[name.n + 1 + value.n] = 0;
    return out;
}

static bool
is_variable(struct rouse_text t)
{
    for (size_t i = 0; i < t.n; i++)
        if (!isalnum((unsigned char)t.p[i]) && t.p[i] != '_')
            return false;
    return t.n > 0 && !isdigit((unsigned char)t.p[0]);
}

static bool
names(const struct rouse_node *n, const char *name)
{
    for (; n; n = n->next)
        if (kit_is(n->key, name))
            return true;
    return false;
}

static int
read_environment(struct exec_options *o, const struct rouse_node *map, struct rouse_mistake *m)
{
    static const char *const inherited[INHERITED][2] = {
        {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        {"HOME", "/"},
        {"LANG", "C.UTF-8"},
    };
    const struct rouse_node *first = map ? map->child : NULL;
    unsigned k = 0;

    if (count(first) > EXEC_VARIABLES)
        return kit_wrong(m, map, "", "environment: more than %d variables", EXEC_VARIABLES);
    o->envp = calloc(INHERITED + EXEC_VARIABLES + 1, sizeof *o->envp);
    if (!o->envp)
        return kit_wrong(m, map, "", "out of memory");
    for (unsigned i = 0; i < INHERITED; i++) {
        const char *value = getenv(inherited[i][0]);
        if (names(first, inherited[i][0]))
            continue;
        o->envp[k] = variable(kit_text(inherited[i][0]), kit_text(value ? value : inherited[i][1]));
        if (!o->envp[k++])
            return kit_wrong(m, map, "", "out of memory");
    }
    for (const struct rouse_node *n = first; n; n = n->next) {
        if (!is_variable(n->key) || kit_starts(n->key, "ROUSE_"))
            return kit_wrong(m, n, "letters, digits and _; ROUSE_* is set for each call",
                             "environment: \"%.*s\" cannot be set", (int)n->key.n, n->key.p);
        if (n->kind != ROUSE_SCALAR || memchr(n->value.n ? n->value.p : "", 0, n->value.n))
            return kit_wrong(m, n, "", "environment: %.*s must be a text", (int)n->key.n,
                             n->key.p);
        o->envp[k] = variable(n->key, kit_trim(n->value));
        if (!o->envp[k++])
            return kit_wrong(m, n, "", "out of memory");
    }
    return 0;
}

int
exec_options_read(struct exec_options *o, const struct rouse_value *values,
                  struct rouse_mistake *m)
{
    memset(o, 0, sizeof *o);
    for (unsigned op = 0; op < EXEC_OPS; op++)
        if (read_argv(o, op, values[op].node, m) != 0)
            return -1;
    /* Tells one run's keys from another's; nothing secret. */
    if (getrandom(&o->key_base, sizeof o->key_base, GRND_NONBLOCK) < 0)
        o->key_base = (uint64_t)(uintptr_t)o;
    o->timeout_us = values[TIMEOUT].number;
    o->output_max = (size_t)values[OUTPUT_MAX].number;
    return read_environment(o, values[ENVIRONMENT].node, m);
}

void
exec_options_fini(struct exec_options *o)
{
    for (unsigned op = 0; op < EXEC_OPS; op++)
        exec_vector_free(o->argv[op]);
    exec_vector_free(o->envp);
    memset(o, 0, sizeof *o);
}

bool
exec_options_unsafe(const struct exec_options *o, enum rouse_op op, struct rouse_text id)
{
    if (id.n == 0 || memchr(id.p, 0, id.n))
        return true;
    for (char **a = o->argv[op]; a && *a; a++)
        if (id.p[0] == '-' && strncmp(*a, PLACE, 4) == 0)
            return true;
    return false;
}

static char *
replace(const char *text, struct rouse_text id)
{
    size_t n = strlen(text) + 1;
    const char *place;
    struct kit_line l;
    char *out;

    for (const char *c = text; (c = strstr(c, PLACE)) != NULL; c += 4)
        n += id.n;
    out = malloc(n);
    if (!out)
        return NULL;
    kit_line_init(&l, out, n);
    for (; (place = strstr(text, PLACE)) != NULL; text = place + 4) {
        kit_line_add(&l, (struct rouse_text){text, (size_t)(place - text)});
        kit_line_add(&l, id);
    }
    kit_line_add(&l, kit_text(text));
    return out;
}

char **
exec_options_argv(const struct exec_options *o, enum rouse_op op, struct rouse_text id)
{
    char **v = calloc(EXEC_ARGS + 1, sizeof *v);

    for (unsigned i = 0; v && o->argv[op][i]; i++) {
        v[i] = replace(o->argv[op][i], id);
        if (!v[i]) {
            exec_vector_free(v);
            return NULL;
        }
    }
    return v;
}

char **
exec_options_envp(const struct exec_options *o, const struct rouse_request *q)
{
    char port[8], epoch[24], key[48], deadline[24];

    snprintf(port, sizeof port, "%u", q->port);
    snprintf(epoch, sizeof epoch, "%" PRIu64, q->epoch);
    snprintf(key, sizeof key, "%016" PRIx64 "-%" PRIu64, o->key_base, q->idempotency);
    snprintf(deadline, sizeof deadline, "%" PRId64, q->deadline_us / 1000);
    const struct rouse_header of_call[OF_CALL] = {
        {kit_text("ROUSE_OP"), kit_text(exec_option_table[q->op].name)},
        {kit_text("ROUSE_ID"), q->id},
        {kit_text("ROUSE_PORT"), kit_text(port)},
        {kit_text("ROUSE_EPOCH"), kit_text(epoch)},
        {kit_text("ROUSE_IDEMPOTENCY_KEY"), kit_text(key)},
        {kit_text("ROUSE_DEADLINE_MS"), kit_text(deadline)},
        {kit_text("ROUSE_CLASS"), q->klass},
        {kit_text("ROUSE_GENERATION"), q->generation},
        {kit_text("ROUSE_REASON"), q->reason},
        {kit_text("ROUSE_REQUEST_ID"), q->request_id},
        {kit_text("ROUSE_TRACEPARENT"), q->traceparent},
    };
    char **v = calloc(INHERITED + EXEC_VARIABLES + OF_CALL + 1, sizeof *v);
    unsigned k = 0;

    for (char **e = o->envp; v && *e; e++) {
        v[k] = kit_copy(kit_text(*e));
        if (!v[k++])
            goto fail;
    }
    for (unsigned i = 0; v && i < OF_CALL && of_call[i].name.p; i++) {
        if (of_call[i].value.n == 0 || memchr(of_call[i].value.p, 0, of_call[i].value.n))
            continue;
        v[k] = variable(of_call[i].name, of_call[i].value);
        if (!v[k++])
            goto fail;
    }
    return v;
fail:
    exec_vector_free(v);
    return NULL;
}
