/* SPDX-License-Identifier: BSD-2-Clause */
/* local_spec.c: see local_spec.h. The first mistake ends the reading. */
#include "config.h"

#include "local/local_spec.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static __attribute__((format(printf, 4, 5))) int
wrong(struct rouse_mistake *m, const struct rouse_node *at, const char *hint, const char *format,
      ...)
{
    va_list args;

    m->line = at->line;
    m->column = at->column;
    va_start(args, format);
    vsnprintf(m->text, sizeof(m->text), format, args);
    va_end(args);
    snprintf(m->hint, sizeof(m->hint), "%s", hint);
    return -1;
}

static bool
is(struct rouse_text t, const char *word)
{
    return t.n == strlen(word) && memcmp(t.p, word, t.n) == 0;
}

static char *
copy(struct rouse_text t)
{
    return strndup(t.n ? t.p : "", t.n);
}

static int
no_memory(struct rouse_mistake *m, const struct rouse_node *at)
{
    return wrong(m, at, "", "out of memory");
}

static int
need_scalar(const struct rouse_node *n, struct rouse_mistake *m)
{
    if (n->kind != ROUSE_SCALAR)
        return wrong(m, n, "", "%.*s must be a single value", (int)n->key.n, n->key.p);
    if (memchr(n->value.n ? n->value.p : "", 0, n->value.n))
        return wrong(m, n, "", "%.*s holds a NUL byte", (int)n->key.n, n->key.p);
    return 0;
}

static int
take_text(char **out, const struct rouse_node *n, struct rouse_mistake *m)
{
    if (need_scalar(n, m) != 0)
        return -1;
    if (n->value.n == 0)
        return wrong(m, n, "", "%.*s is empty", (int)n->key.n, n->key.p);
    free(*out);
    *out = copy(n->value);
    return *out ? 0 : no_memory(m, n);
}

/* A decimal number without sign or leading zeros, of at most 18 digits; -1: it is none. */
static int64_t
number(struct rouse_text t)
{
    int64_t v = 0;

    if (t.n == 0 || t.n > 18 || (t.p[0] == '0' && t.n > 1))
        return -1;
    for (size_t i = 0; i < t.n; i++) {
        if (!isdigit((unsigned char)t.p[i]))
            return -1;
        v = v * 10 + (t.p[i] - '0');
    }
    return v;
}

static int
take_duration(int64_t *out, const struct rouse_node *n, bool may_be_off, struct rouse_mistake *m)
{
    static const struct {
        const char *name;
        int64_t us;
    } units[] = {{"us", 1}, {"ms", 1000}, {"s", 1000000}, {"m", 60000000}, {"h", 3600000000}};
    struct rouse_text digits, unit;
    int64_t v;

    if (need_scalar(n, m) != 0)
        return -1;
    if (may_be_off && is(n->value, "off")) {
        *out = -1;
        return 0;
    }
    digits = n->value;
    for (digits.n = 0; digits.n < n->value.n && isdigit((unsigned char)digits.p[digits.n]);)
        digits.n++;
    unit = (struct rouse_text){digits.p + digits.n, n->value.n - digits.n};
    v = number(digits);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (v >= 0 && v <= 86400000 && is(unit, units[i].name)) {
            *out = v * units[i].us;
            return 0;
        }
    return wrong(m, n, may_be_off ? "250ms, 60s, 10m, 1h or off" : "250ms, 60s, 10m or 1h",
                 "%.*s is no duration: \"%.*s\"", (int)n->key.n, n->key.p, (int)n->value.n,
                 n->value.p);
}

static int
take_idle(struct local_spec *s, const struct rouse_node *n, struct rouse_mistake *m)
{
    if (take_duration(&s->idle_us, n, true, m) != 0)
        return -1;
    if (s->idle_us == 0)
        return wrong(m, n, "leave it out for the site's idle.pause_after, or write off",
                     "idle must be more than 0");
    return 0;
}

/* ---- command, environment, ports ------------------------------------------------------------- */

static int
take_command(struct local_spec *s, const struct rouse_node *n, struct rouse_mistake *m)
{
    unsigned count = 0;

    if (n->kind != ROUSE_LIST || !n->child)
        return wrong(m, n, "[python3, app.py]; for a shell: [sh, -c, \"...\"]",
                     "command must be a list of words");
    s->argv = calloc(SPEC_ARGS + 1, sizeof(*s->argv));
    if (!s->argv)
        return no_memory(m, n);
    for (const struct rouse_node *c = n->child; c; c = c->next) {
        if (c->kind != ROUSE_SCALAR || memchr(c->value.n ? c->value.p : "", 0, c->value.n))
            return wrong(m, c, "", "a word of the command must be a single value");
        if (count == SPEC_ARGS)
            return wrong(m, c, "", "the command has more than %d words", SPEC_ARGS);
        s->argv[count] = copy(c->value);
        if (!s->argv[count++])
            return no_memory(m, c);
    }
    if (s->argv[0][0] == '\0')
        return wrong(m, n->child, "", "the command's first word is empty");
    return 0;
}

/* Sets name=value among the first n of envp; -1: no room. */
static int
set_variable(char **envp, struct rouse_text name, struct rouse_text value)
{
    char *entry;
    unsigned i;

    if (asprintf(&entry, "%.*s=%.*s", (int)name.n, name.p, (int)value.n, value.p) < 0)
        return -1;
    for (i = 0; envp[i]; i++)
        if (strncmp(envp[i], entry, name.n + 1) == 0)
            break;
    if (i == SPEC_VARIABLES) {
        free(entry);
        return -1;
    }
    free(envp[i]);
    envp[i] = entry;
    return 0;
}

/* What a program may need of ours to run at all; nothing that could be a secret. */
static int
begin_environment(struct local_spec *s)
{
    static const char *const kept[] = {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG",
                                       "LC_ALL", "TZ", "TMPDIR", "XDG_RUNTIME_DIR"};

    s->envp = calloc(SPEC_VARIABLES + 1, sizeof(*s->envp));
    if (!s->envp)
        return -1;
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        const char *v = getenv(kept[i]);

        if (v && set_variable(s->envp, (struct rouse_text){kept[i], strlen(kept[i])},
                              (struct rouse_text){v, strlen(v)}) != 0)
            return -1;
    }
    return set_variable(s->envp, (struct rouse_text){"ROUSE_SANDBOX", 13}, s->id);
}

static int
take_environment(struct local_spec *s, const struct rouse_node *n, struct rouse_mistake *m)
{
    if (n->kind != ROUSE_MAP)
        return wrong(m, n, "{ NAME: value }", "environment must be a map");
    for (const struct rouse_node *c = n->child; c; c = c->next) {
        if (need_scalar(c, m) != 0)
            return -1;
        if (c->key.n == 0 || memchr(c->key.p, '=', c->key.n) || memchr(c->key.p, 0, c->key.n))
            return wrong(m, c, "", "a variable's name must not be empty or hold =");
        if (set_variable(s->envp, c->key, c->value) != 0)
            return wrong(m, c, "", "more than %d variables", SPEC_VARIABLES);
    }
    return 0;
}

/* IP:PORT with an address in numbers. */
static bool
is_address(struct rouse_text t)
{
    char text[80], *colon, *ip = text;
    unsigned char bytes[16];
    int family = AF_INET;
    int64_t port;

    if (t.n == 0 || t.n >= sizeof(text))
        return false;
    memcpy(text, t.p, t.n);
    text[t.n] = '\0';
    colon = strrchr(text, ':');
    if (!colon)
        return false;
    *colon = '\0';
    port = number((struct rouse_text){colon + 1, strlen(colon + 1)});
    if (ip[0] == '[' && colon[-1] == ']') {
        ip++;
        colon[-1] = '\0';
        family = AF_INET6;
    }
    return port >= 1 && port <= 65535 && inet_pton(family, ip, bytes) == 1;
}

static int
take_ports(struct local_spec *s, const struct rouse_node *n, struct rouse_mistake *m)
{
    static const char hint[] = "{ 3000: 127.0.0.1:3000 }";

    if (n->kind != ROUSE_MAP || !n->child)
        return wrong(m, n, hint, "ports must be a map of port to address");
    for (const struct rouse_node *c = n->child; c; c = c->next) {
        int64_t port = number(c->key);

        if (port < 1 || port > 65535)
            return wrong(m, c, hint, "\"%.*s\" is no port: 1 to 65535", (int)c->key.n, c->key.p);
        if (c->kind != ROUSE_SCALAR || !is_address(c->value))
            return wrong(m, c, hint, "port %d needs an address and a port, in numbers", (int)port);
        for (unsigned i = 0; i < s->ports_n; i++)
            if (s->ports[i].port == port)
                return wrong(m, c, "", "port %d is there twice", (int)port);
        if (s->ports_n == ROUSE_PORTS)
            return wrong(m, c, "", "more than %d ports", ROUSE_PORTS);
        s->ports[s->ports_n].port = (uint16_t)port;
        s->ports[s->ports_n++].address = c->value;
    }
    return 0;
}

static int
take_user(struct local_spec *s, const struct rouse_node *n, struct rouse_mistake *m)
{
    const struct passwd *pw;

    if (take_text(&s->user, n, m) != 0)
        return -1;
    pw = getpwnam(s->user);
    if (!pw)
        return wrong(m, n, "", "there is no user \"%s\"", s->user);
    if (geteuid() != 0 && pw->pw_uid != geteuid())
        return wrong(m, n, "leave it out, or start rouse as root",
                     "only root may run a sandbox as another user");
    return 0;
}

static int
take_directory(struct local_spec *s, const struct rouse_node *n, struct rouse_mistake *m)
{
    return take_text(&s->directory, n, m);
}

static int
take_output(struct local_spec *s, const struct rouse_node *n, struct rouse_mistake *m)
{
    if (need_scalar(n, m) != 0)
        return -1;
    s->inherit = is(n->value, "inherit");
    if (s->inherit || is(n->value, "discard"))
        return 0;
    if (n->value.n == 0 || n->value.p[0] != '/')
        return wrong(m, n, "inherit, discard, or a file: /var/log/blog.log",
                     "output must be an absolute path");
    return take_text(&s->output, n, m);
}

static int
take_freezer(struct local_spec *s, const struct rouse_node *n, struct rouse_mistake *m)
{
    s->signals_only = n->kind == ROUSE_SCALAR && is(n->value, "signals");
    if (s->signals_only || (n->kind == ROUSE_SCALAR && is(n->value, "auto")))
        return 0;
    return wrong(m, n, "auto (a cgroup where possible) or signals (SIGSTOP)",
                 "freezer must be auto or signals");
}

static int
take_wake_delay(struct local_spec *s, const struct rouse_node *n, struct rouse_mistake *m)
{
    return take_duration(&s->wake_delay_us, n, false, m);
}

/* ---- sandboxes ------------------------------------------------------------------------------- */

static const struct key {
    const char *name;
    int (*take)(struct local_spec *s, const struct rouse_node *n, struct rouse_mistake *m);
} keys[] = {
    {"command", take_command},   {"ports", take_ports}, {"idle", take_idle},
    {"directory", take_directory}, {"environment", take_environment},
    {"user", take_user},         {"output", take_output}, {"freezer", take_freezer},
    {"wake_delay", take_wake_delay},
};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

/* Hints at the key that shares the most with what was written. */
static int
unknown_key(const struct rouse_node *n, struct rouse_mistake *m)
{
    const char *best = NULL;
    size_t most = 2;
    char hint[100];

    for (size_t k = 0; k < KEYS; k++) {
        size_t same = 0;

        for (size_t i = 0; i < n->key.n && i < strlen(keys[k].name); i++)
            same += tolower((unsigned char)n->key.p[i]) == keys[k].name[i];
        if (same > most || (same == most && !best)) {
            most = same;
            best = keys[k].name;
        }
    }
    if (best)
        snprintf(hint, sizeof(hint), "did you mean \"%s\"?", best);
    else
        snprintf(hint, sizeof(hint), "command, ports, idle, directory, environment, user, output");
    return wrong(m, n, hint, "a sandbox has no key \"%.*s\"", (int)n->key.n, n->key.p);
}

static int
read_key(struct local_spec *s, const struct rouse_node *n, unsigned *seen, struct rouse_mistake *m)
{
    for (size_t k = 0; k < KEYS; k++)
        if (is(n->key, keys[k].name)) {
            if (*seen & (1u << k))
                return wrong(m, n, "", "%s is there twice", keys[k].name);
            *seen |= 1u << k;
            return keys[k].take(s, n, m);
        }
    return unknown_key(n, m);
}

static bool
is_id(struct rouse_text t)
{
    if (t.n == 0 || t.n > 63)
        return false;
    for (size_t i = 0; i < t.n; i++)
        if (!islower((unsigned char)t.p[i]) && !isdigit((unsigned char)t.p[i]) && t.p[i] != '-')
            return false;
    return true;
}

/* FNV-1a over what makes this sandbox another one. */
static void
mix(uint64_t *h, const char *text)
{
    do {
        *h = (*h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    } while (*text++);
}

static void
name_instance(struct local_spec *s)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (char **a = s->argv; *a; a++)
        mix(&h, *a);
    mix(&h, s->directory);
    mix(&h, s->user);
    for (char **e = s->envp; *e; e++)
        mix(&h, *e);
    snprintf(s->instance, sizeof(s->instance), "%016llx", (unsigned long long)h);
}

static int
read_sandbox(struct local_spec *s, const struct rouse_node *n, struct rouse_mistake *m)
{
    unsigned seen = 0;

    s->id = n->key;
    if (!is_id(n->key))
        return wrong(m, n, "lower-case letters, digits and dashes, at most 63",
                     "\"%.*s\" is no sandbox id", (int)n->key.n, n->key.p);
    if (n->kind != ROUSE_MAP)
        return wrong(m, n, "{ command: [...], ports: { 3000: 127.0.0.1:3000 } }",
                     "sandbox %.*s must be a map", (int)n->key.n, n->key.p);
    s->directory = strdup("");
    s->user = strdup("");
    s->inherit = isatty(STDERR_FILENO);
    if (!s->directory || !s->user || begin_environment(s) != 0)
        return no_memory(m, n);
    for (const struct rouse_node *c = n->child; c; c = c->next)
        if (read_key(s, c, &seen, m) != 0)
            return -1;
    if (!s->argv)
        return wrong(m, n, "command: [python3, app.py]", "sandbox %.*s has no command",
                     (int)n->key.n, n->key.p);
    if (s->ports_n == 0)
        return wrong(m, n, "ports: { 3000: 127.0.0.1:3000 }", "sandbox %.*s has no ports",
                     (int)n->key.n, n->key.p);
    name_instance(s);
    return 0;
}

int
local_specs_read(struct local_specs *s, const struct rouse_node *sandboxes,
                 struct rouse_mistake *m)
{
    unsigned n = 0;

    *s = (struct local_specs){0};
    if (sandboxes->kind != ROUSE_MAP)
        return wrong(m, sandboxes, "{ blog: { command: [...], ports: { ... } } }",
                     "sandboxes must be a map");
    for (const struct rouse_node *c = sandboxes->child; c; c = c->next)
        n++;
    s->spec = calloc(n ? n : 1, sizeof(*s->spec));
    if (!s->spec)
        return no_memory(m, sandboxes);
    for (const struct rouse_node *c = sandboxes->child; c; c = c->next) {
        int r = read_sandbox(&s->spec[s->n++], c, m);

        for (unsigned i = 0; r == 0 && i + 1 < s->n; i++)
            if (s->spec[i].id.n == c->key.n && memcmp(s->spec[i].id.p, c->key.p, c->key.n) == 0)
                r = wrong(m, c, "", "sandbox %.*s is there twice", (int)c->key.n, c->key.p);
        if (r != 0) {
            local_specs_free(s);
            return -1;
        }
    }
    return 0;
}

static void
free_list(char **list)
{
    for (char **t = list; t && *t; t++)
        free(*t);
    free(list);
}

void
local_specs_free(struct local_specs *s)
{
    for (unsigned i = 0; i < s->n; i++) {
        free_list(s->spec[i].argv);
        free_list(s->spec[i].envp);
        free(s->spec[i].directory);
        free(s->spec[i].user);
        free(s->spec[i].output);
    }
    free(s->spec);
    *s = (struct local_specs){0};
}
