/* SPDX-License-Identifier: BSD-2-Clause */
/* kit.c: see kit.h. Pure but for the host's JSON services. */
#include "config.h"

#include "kit/kit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct rouse_text
kit_text(const char *s)
{
    return (struct rouse_text){s, s ? strlen(s) : 0};
}

bool
kit_is(struct rouse_text t, const char *word)
{
    return t.n == strlen(word) && memcmp(t.n ? t.p : "", word, t.n) == 0;
}

bool
kit_is_nocase(struct rouse_text t, const char *word)
{
    return t.n == strlen(word) && strncasecmp(t.n ? t.p : "", word, t.n) == 0;
}

bool
kit_starts(struct rouse_text t, const char *with)
{
    size_t n = strlen(with);

    return t.n >= n && memcmp(t.n ? t.p : "", with, n) == 0;
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct rouse_text
kit_trim(struct rouse_text t)
{
    while (t.n > 0 && is_blank(t.p[t.n - 1]))
        t.n--;
    while (t.n > 0 && is_blank(t.p[0])) {
        t.p++;
        t.n--;
    }
    return t;
}

char *
kit_copy(struct rouse_text t)
{
    char *out = malloc(t.n + 1);

    if (!out)
        return NULL;
    if (t.n > 0)
        memcpy(out, t.p, t.n);
    out[t.n] = 0;
    return out;
}

/* ---- lines ----------------------------------------------------------------------------------- */

void
kit_line_init(struct kit_line *l, char *space, size_t size)
{
    *l = (struct kit_line){.p = space, .max = size - 1};
    space[0] = 0;
}

void
kit_line_add(struct kit_line *l, struct rouse_text t)
{
    size_t n = t.n;

    if (n > l->max - l->n) {
        n = l->max - l->n;
        l->full = true;
    }
    if (n > 0)
        memcpy(l->p + l->n, t.p, n);
    l->n += n;
    l->p[l->n] = 0;
}

void
kit_line_printf(struct kit_line *l, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(l->p + l->n, l->max - l->n + 1, format, args);
    va_end(args);
    if (n < 0 || (size_t)n > l->max - l->n) {
        l->full = true;
        l->n += strlen(l->p + l->n);
        return;
    }
    l->n += (size_t)n;
}

void
kit_line_quote(struct kit_line *l, struct rouse_text t, size_t most)
{
    for (size_t i = 0; i < t.n && i < most; i++) {
        char c = t.p[i];
        if (c < ' ' || c > '~')
            c = '?';
        kit_line_add(l, (struct rouse_text){&c, 1});
    }
    if (t.n > most)
        kit_line_add(l, kit_text("..."));
}

struct rouse_text
kit_line_text(const struct kit_line *l)
{
    return (struct rouse_text){l->p, l->n};
}

int
kit_wrong(struct rouse_mistake *m, const struct rouse_node *at, const char *hint,
          const char *format, ...)
{
    va_list args;

    m->line = at ? at->line : 0;
    m->column = at ? at->column : 0;
    va_start(args, format);
    vsnprintf(m->text, sizeof m->text, format, args);
    va_end(args);
    snprintf(m->hint, sizeof m->hint, "%s", hint);
    return -1;
}

/* ---- the sandbox in an answer ---------------------------------------------------------------- */

static bool
names_other(const struct rouse_services *s, struct rouse_json *json, const char *key,
            struct rouse_text expected)
{
    struct rouse_text said = s->json_text(json, key);

    return said.p && (said.n != expected.n || memcmp(said.p, expected.p, said.n) != 0);
}

/* Of what it says besides the sandbox's state. */
static enum kit_said
judge(struct kit_reply *r, const struct rouse_services *s, struct rouse_json *json,
      struct rouse_text id, uint64_t epoch)
{
    char number[24];

    snprintf(number, sizeof number, "%" PRIu64, epoch);
    if (names_other(s, json, "id", id) || names_other(s, json, "sandboxId", id)) {
        snprintf(r->why, sizeof r->why, "the answer is about another sandbox");
        return KIT_OTHER;
    }
    if (epoch != 0 && names_other(s, json, "epoch", kit_text(number))) {
        snprintf(r->why, sizeof r->why, "the answer is to a call with another epoch");
        return KIT_OLD;
    }
    return s->json_text(json, "state").p ? KIT_SANDBOX : KIT_NOTHING;
}

enum kit_said
kit_reply_read(struct kit_reply *r, const struct rouse_services *s, struct rouse_host *host,
               struct rouse_text id, uint64_t epoch, struct rouse_text body)
{
    struct rouse_json *json;
    enum kit_said said;

    r->json = NULL;
    r->why[0] = 0;
    body = kit_trim(body);
    if (body.n == 0)
        return KIT_NOTHING;
    json = s->json_parse(host, body, r->why, sizeof r->why);
    if (!json)
        return KIT_NONSENSE;
    said = judge(r, s, json, id, epoch);
    s->json_free(json);
    if (said != KIT_SANDBOX)
        return said;
    if (s->sandbox_from_json(host, body, &r->sandbox, &r->json, r->why, sizeof r->why) == 0)
        return KIT_SANDBOX;
    r->json = NULL;
    return KIT_NONSENSE;
}

void
kit_reply_fini(struct kit_reply *r, const struct rouse_services *s)
{
    if (r->json)
        s->json_free(r->json);
    r->json = NULL;
}
