/* SPDX-License-Identifier: BSD-2-Clause */
/* http_options.c: see http_options.h. The first mistake ends the reading. */
#include "config.h"

#include "http/http_options.h"

#include "kit/kit.h"

#include <ctype.h>
#include <string.h>

#define PLACE "{id}"
#define KEY_LEAST 16
#define MINUTE INT64_C(60000000)

enum { INSPECT, RESUME, PAUSE, KILL, SECRET, HEADERS, CONNECT_TIMEOUT, TIMEOUT, ANSWER_MAX, CA };

const struct rouse_option http_option_table[] = {
    [INSPECT] = {"inspect", ROUSE_URL, 1, NULL,
                 "where a sandbox's state is asked for: GET, or POST with a secret; {id} is the "
                 "sandbox's", 0, 0},
    [RESUME] = {"resume", ROUSE_URL, 0, NULL,
                "POST: wakes a sandbox; without it a paused one must be resumed by hand", 0, 0},
    [PAUSE] = {"pause", ROUSE_URL, 0, NULL,
               "POST: puts a sandbox to sleep; without it Rouse pauses none", 0, 0},
    [KILL] = {"kill", ROUSE_URL, 0, NULL, "POST: ends a sandbox for good", 0, 0},
    [SECRET] = {"secret", ROUSE_SECRET, 0, NULL,
                "whsec_ and base64: signs the calls (Standard Webhooks)", 0, 0},
    [HEADERS] = {"headers", ROUSE_HEADERS, 0, NULL,
                 "further request headers: {name: value or {file: PATH}}", 0, 0},
    [CONNECT_TIMEOUT] = {"connect_timeout", ROUSE_DURATION, 0, "1s",
                         "how long connecting to the hook may take", 1000, MINUTE},
    [TIMEOUT] = {"timeout", ROUSE_DURATION, 0, "20s", "how long a call may take altogether", 1000,
                 15 * MINUTE},
    [ANSWER_MAX] = {"answer_max", ROUSE_SIZE, 0, "64k", "the longest answer that is read", 1024,
                    65536},
    [CA] = {"ca", ROUSE_STRING, 0, NULL,
            "https: a file of authorities (PEM) that the hook's certificate is verified by; none: "
            "the system's", 0, 0},
    {NULL, ROUSE_STRING, 0, NULL, NULL, 0, 0},
};

static const char *
find(const char *in, size_t n, const char *what)
{
    return memmem(in, n, what, strlen(what));
}

static int
read_url(struct http_options *o, unsigned op, const struct rouse_value *v, struct rouse_mistake *m)
{
    const char *name = http_option_table[op].name, *end, *path;
    struct rouse_text u = v->text;
    size_t scheme;

    if (!u.p)
        return 0;
    o->url[op] = u;
    scheme = kit_starts(u, "http://") ? 7 : 8;
    if (scheme == 8 && !kit_starts(u, "https://"))
        return kit_wrong(m, v->node, "https://host/path/" PLACE,
                         "%s: the URL must start with http:// or https://", name);
    end = u.p + u.n;
    path = memchr(u.p + scheme, '/', u.n - scheme);
    for (const char *c = u.p; c < end; c++) {
        if (*c != '{' && *c != '}')
            continue;
        if ((size_t)(end - c) < 4 || memcmp(c, PLACE, 4) != 0)
            return kit_wrong(m, v->node, "write " PLACE ", or %7B and %7D for braces",
                             "%s: only {id} may stand in braces", name);
        if (!path || c < path)
            return kit_wrong(m, v->node, "http://host:port/path/" PLACE,
                             "%s: {id} may stand in the path only", name);
        c += 3;
    }
    return 0;
}

static int
read_secret(struct http_options *o, const struct rouse_services *s, const struct rouse_value *v,
            struct rouse_mistake *m)
{
    static const char hint[] = "whsec_ and 24 or more random bytes in base64: "
                               "echo \"whsec_$(head -c 32 /dev/urandom | base64 -w0)\"";
    struct rouse_text t = kit_trim(v->text);
    int n;

    if (!v->given)
        return 0;
    if (!kit_starts(t, "whsec_"))
        return kit_wrong(m, v->node, hint, "secret: it must begin with whsec_");
    t = (struct rouse_text){t.p + 6, t.n - 6};
    n = s->base64_decode(t, o->key, sizeof o->key);
    if (n < 0)
        return kit_wrong(m, v->node, hint, "secret: what follows whsec_ is not base64");
    if (n < KEY_LEAST)
        return kit_wrong(m, v->node, hint, "secret: %d bytes are too few to be a secret", n);
    o->key_n = (size_t)n;
    return 0;
}

/* Those of the connection, and those that Rouse sets itself. */
static bool
is_ours(struct rouse_text name)
{
    static const char *const ours[] = {
        "connection", "content-length", "content-type", "expect", "host", "idempotency-key",
        "keep-alive", "rouse-epoch", "te", "traceparent", "trailer", "transfer-encoding",
        "upgrade", "webhook-id", "webhook-signature", "webhook-timestamp", "x-request-id",
    };

    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (kit_is_nocase(name, ours[i]))
            return true;
    return false;
}

static bool
is_token(struct rouse_text t)
{
    for (size_t i = 0; i < t.n; i++)
        if (!isalnum((unsigned char)t.p[i]) && !memchr("!#$%&'*+-.^_`|~", t.p[i], 15))
            return false;
    return t.n > 0;
}

static bool
is_value(struct rouse_text t)
{
    for (size_t i = 0; i < t.n; i++)
        if (((unsigned char)t.p[i] < ' ' && t.p[i] != '\t') || t.p[i] == 0x7f)
            return false;
    return true;
}

static int
read_headers(struct http_options *o, const struct rouse_node *map, struct rouse_mistake *m)
{
    for (const struct rouse_node *n = map ? map->child : NULL; n; n = n->next) {
        struct rouse_text value = kit_trim(n->value);

        if (!is_token(n->key))
            return kit_wrong(m, n, "", "headers: \"%.*s\" is no name of a header", (int)n->key.n,
                             n->key.p);
        if (is_ours(n->key))
            return kit_wrong(m, n, "", "headers: %.*s is set by Rouse", (int)n->key.n, n->key.p);
        if (n->kind != ROUSE_SCALAR || !is_value(value))
            return kit_wrong(m, n, "one line, without control characters",
                             "headers: the value of %.*s cannot be sent", (int)n->key.n, n->key.p);
        if (o->headers == HTTP_HEADERS)
            return kit_wrong(m, n, "", "headers: more than %d", HTTP_HEADERS);
        o->header[o->headers++] = (struct rouse_header){n->key, value};
    }
    return 0;
}

static int
read_ca(struct http_options *o, const struct rouse_value *v, struct rouse_mistake *m)
{
    struct rouse_text t = kit_trim(v->text);

    if (t.n >= sizeof o->ca || (t.n > 0 && memchr(t.p, 0, t.n)))
        return kit_wrong(m, v->node, "", "ca: that is no file name");
    if (t.n > 0)
        memcpy(o->ca, t.p, t.n);
    o->ca[t.n] = 0;
    return 0;
}

int
http_options_read(struct http_options *o, const struct rouse_services *s,
                  const struct rouse_value *values, struct rouse_mistake *m)
{
    memset(o, 0, sizeof *o);
    for (unsigned op = 0; op < HTTP_OPS; op++)
        if (read_url(o, op, &values[op], m) != 0)
            return -1;
    if (read_secret(o, s, &values[SECRET], m) != 0 ||
        read_headers(o, values[HEADERS].node, m) != 0)
        return -1;
    if (o->key_n == 0 && o->url[INSPECT].p && !find(o->url[INSPECT].p, o->url[INSPECT].n, PLACE))
        return kit_wrong(m, values[INSPECT].node, "http://host:port/sandboxes/" PLACE,
                         "inspect: without {id} the hook cannot know which sandbox is meant");
    o->connect_timeout_us = values[CONNECT_TIMEOUT].number;
    o->timeout_us = values[TIMEOUT].number;
    o->answer_max = (size_t)values[ANSWER_MAX].number;
    if (read_ca(o, &values[CA], m) != 0)
        return -1;
    return 0;
}

static void
add_encoded(struct kit_line *l, struct rouse_text id)
{
    for (size_t i = 0; i < id.n; i++) {
        unsigned char c = (unsigned char)id.p[i];
        if (isalnum(c) || (c && strchr("-._~", c)))
            kit_line_add(l, (struct rouse_text){&id.p[i], 1});
        else
            kit_line_printf(l, "%%%02X", c);
    }
}

int
http_options_url(struct rouse_text url, struct rouse_text id, char *out, size_t n)
{
    struct kit_line l;
    const char *place;

    kit_line_init(&l, out, n);
    while (url.n > 0 && (place = find(url.p, url.n, PLACE)) != NULL) {
        size_t before = (size_t)(place - url.p);
        kit_line_add(&l, (struct rouse_text){url.p, before});
        add_encoded(&l, id);
        url = (struct rouse_text){place + 4, url.n - before - 4};
    }
    kit_line_add(&l, url);
    return l.full ? -1 : (int)l.n;
}
