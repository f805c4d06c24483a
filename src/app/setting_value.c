/* SPDX-License-Identifier: BSD-2-Clause */
/* setting_value.c: reads the values of settings into their fields. */
#include "config.h"

#include "app/config_expand.h"
#include "app/setting.h"
#include "app/suggest.h"
#include "sandbox/mail.h"

#include <string.h>

struct value {
    const struct setting *s;
    const struct config_node *n;
    struct slice text; /* of a scalar */
    void *field;       /* NULL: the setting has none */
    uint8_t *count;    /* of lists */
    struct arena *arena;
    struct mistakes *m;
};

static void
note(struct value *v, const struct config_node *n, const char *hint)
{
    char path[128], expects[256];
    struct buf b;

    if (n->unset)
        return;
    buf_init_fixed(&b, path, sizeof path);
    setting_add_path(&b, v->s);
    (void)buf_cstr(&b);
    buf_init_fixed(&b, expects, sizeof expects);
    setting_add_expects(&b, v->s);
    (void)buf_cstr(&b);
    if (n->pub.kind == ROUSE_SCALAR && !config_node_is_null(n)) {
        struct slice t = config_node_text(n);
        if (n->secret || v->s->type == SETTING_SECRET)
            t = SLICE("(not shown)");
        mistakes_add(v->m, n->pub.line, n->pub.column, "%s: \"%.*s\" is not %s", path,
                     t.n > 60 ? 60 : SLICE_ARG(t), expects);
    } else {
        mistakes_add(v->m, n->pub.line, n->pub.column, "%s must be %s, not %s", path, expects,
                     config_node_kind(n));
    }
    if (hint)
        mistakes_hint(v->m, "%s", hint);
}

/* True when v is off or within the range; otherwise the mistake is noted. */
static bool
in_range(struct value *v, bool off, int64_t number)
{
    const struct setting *s = v->s;

    if (off) {
        if (s->flags & SETTING_OFF)
            return true;
        note(v, v->n, "this limit cannot be off");
        return false;
    }
    if ((s->min == 0 && s->max == 0) || (number >= s->min && number <= s->max))
        return true;
    note(v, v->n, number < s->min ? "that is too little" : "that is too much");
    return false;
}

static int
read_duration(struct value *v)
{
    const char *hint;
    usec_t d;

    if (units_duration(v->text, &d, &hint)) {
        note(v, v->n, hint);
        return -1;
    }
    if (!in_range(v, d == USEC_OFF, d))
        return -1;
    memcpy(v->field, &d, sizeof d);
    return 0;
}

/* A number into a field of its size; off is the field's maximum. */
static int
store_number(struct value *v, bool off, uint64_t number)
{
    uint32_t small = off ? UINT32_MAX : (uint32_t)number;

    if (!in_range(v, off, number > INT64_MAX ? INT64_MAX : (int64_t)number))
        return -1;
    if (v->s->size == sizeof small) {
        if (!off && number >= UINT32_MAX) {
            note(v, v->n, "that is too much");
            return -1;
        }
        memcpy(v->field, &small, sizeof small);
    } else {
        ensure(v->s->size == sizeof number);
        number = off ? UINT64_MAX : number;
        memcpy(v->field, &number, sizeof number);
    }
    return 0;
}

static int
read_size(struct value *v)
{
    const char *hint;
    uint64_t n;

    if (units_size(v->text, &n, &hint)) {
        note(v, v->n, hint);
        return -1;
    }
    return store_number(v, n == UNITS_SIZE_OFF, n);
}

static int
read_count(struct value *v)
{
    uint64_t n = 0;
    bool off = slice_eq(v->text, SLICE("off"));

    if (!off && slice_u64(v->text, UINT64_MAX, &n)) {
        note(v, v->n, "write it in plain digits");
        return -1;
    }
    return store_number(v, off, n);
}

/* WORKERS and CONNS: the field holds what auto means already. */
static int
read_count_or_auto(struct value *v)
{
    return slice_eq(v->text, SLICE("auto")) ? 0 : read_count(v);
}

static int
read_rate(struct value *v)
{
    const char *hint;
    struct rate r;

    if (units_rate(v->text, &r, &hint)) {
        note(v, v->n, hint);
        return -1;
    }
    if (!in_range(v, r.count == UINT32_MAX, r.count))
        return -1;
    memcpy(v->field, &r, sizeof r);
    return 0;
}

static int
read_bool(struct value *v)
{
    bool b;

    if (setting_read_bool(v->text, &b)) {
        note(v, v->n, "write true or false");
        return -1;
    }
    memcpy(v->field, &b, sizeof b);
    return 0;
}

int
setting_read_bool(struct slice s, bool *out)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on", "off"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (slice_ieq(s, slice_of(words[i]))) {
            *out = i % 2 == 0;
            return 0;
        }
    }
    return -1;
}

static int
store_text(struct value *v, char *field, size_t size, struct slice t, const struct config_node *n)
{
    if (t.n >= size || memchr(t.p, 0, t.n)) {
        char hint[48];
        snprintf(hint, sizeof hint, "it may have at most %zu bytes", size - 1);
        note(v, n, hint);
        return -1;
    }
    slice_copy(t, field, size);
    return 0;
}

static int
read_text(struct value *v)
{
    return store_text(v, v->field, v->s->size, v->text, v->n);
}

struct slice
setting_read_secret(const struct config_node *n, const char *what, struct arena *a,
                    struct mistakes *m)
{
    const struct config_node *file = config_node_get(n, "file");

    if (n->pub.kind == ROUSE_SCALAR && !config_node_is_null(n))
        return config_node_text(n);
    if (!file || n->pub.kind != ROUSE_MAP || config_node_next(config_node_child(n)) ||
        file->pub.kind != ROUSE_SCALAR || config_node_is_null(file)) {
        mistakes_add(m, n->pub.line, n->pub.column, "%s must be a text or {file: PATH}, not %s",
                     what, config_node_kind(n));
        return SLICE_NONE;
    }
    return config_secret_file(file->pub.value.p, file->pub.line, file->pub.column, a, m);
}

static int
read_secret(struct value *v)
{
    struct slice t = setting_read_secret(v->n, v->s->path, v->arena, v->m);

    return t.p ? store_text(v, v->field, v->s->size, t, v->n) : -1;
}

/* Index of word in "a|b|c", or -1; every word is offered to g. */
static int
choice(const char *choices, struct slice word, struct suggest *g)
{
    struct slice rest = choices ? slice_of(choices) : SLICE_NONE, one;

    for (int i = 0; slice_next(&rest, '|', &one); i++) {
        if (slice_eq(word, one))
            return i;
        suggest_offer(g, one);
    }
    return -1;
}

static int
later(struct value *v, const char *what)
{
    char path[128];
    struct buf b;

    buf_init_fixed(&b, path, sizeof path);
    setting_add_path(&b, v->s);
    mistakes_add(v->m, v->n->pub.line, v->n->pub.column, "%s: %s is not available in this version",
                 buf_cstr(&b), what);
    if (v->s->choices)
        mistakes_hint(v->m, "available: %s", v->s->choices);
    else
        mistakes_hint(v->m, "remove it");
    return -1;
}

/* The word that was chosen: a scalar, off and on also as other words for them; of a map its first
 * key (state: { redis: ... }). -1: none. */
static int
chosen(const struct value *v, struct slice *word)
{
    bool b;

    *word = v->text;
    if (v->n->pub.kind == ROUSE_MAP && v->s->later && config_node_child(v->n))
        *word = config_node_key(config_node_child(v->n));
    else if (v->n->pub.kind != ROUSE_SCALAR || config_node_is_null(v->n))
        return -1;
    if (strcmp(v->s->choices, "off|on") == 0 && setting_read_bool(*word, &b) == 0)
        *word = b ? SLICE("on") : SLICE("off");
    return 0;
}

static int
read_choice(struct value *v)
{
    struct suggest g;
    struct slice word;
    char what[64], hint[96];
    int i;

    suggest_init(&g, v->text);
    if (chosen(v, &word)) {
        note(v, v->n, NULL);
        return -1;
    }
    if (v->s->later && choice(v->s->later, word, &g) >= 0) {
        slice_copy(word, what, sizeof what);
        return later(v, what);
    }
    i = choice(v->s->choices, word, &g);
    if (i < 0) {
        struct slice best = suggest_best(&g);
        if (best.p)
            snprintf(hint, sizeof hint, "did you mean \"%.*s\"?", SLICE_ARG(best));
        note(v, v->n, best.p ? hint : NULL);
        return -1;
    }
    if (v->field && v->s->size == 1)
        *(uint8_t *)v->field = (uint8_t)i;
    else if (v->field)
        memcpy(v->field, &i, sizeof i);
    return 0;
}

/* Why s is no address to listen on, or NULL. */
static const char *
address_slip(struct slice s)
{
    struct endpoint e;
    uint64_t port;
    ptrdiff_t colon = slice_rindex(s, ':');

    if (slice_starts(s, SLICE("unix:")))
        return s.n > 5 && s.p[5] == '/' ? NULL : "the path of a unix socket begins with /";
    if (slice_u64(s, 65535, &port) == 0)
        return "add the address: 127.0.0.1:8080, or 0.0.0.0:8080 for all";
    if (colon < 0 || endpoint_parse(s, &e) == -1) {
        if (colon == 0)
            return "for all addresses write 0.0.0.0 before the port, or \"[::]\"";
        if (colon < 0 || slice_u64(slice_sub(s, (size_t)colon + 1, s.n), 65535, &port))
            return "add a port from 0 to 65535: 127.0.0.1:8080";
        if (endpoint_parse(slice_sub(s, 0, (size_t)colon), &e) || port != 0)
            return "names are not looked up here: write an IP address, 127.0.0.1:8080";
        return NULL;
    }
    if (e.port == 0)
        return "add a port: \"[::1]:8080\"";
    return NULL;
}

static int
read_address(struct value *v)
{
    bool none = v->text.n == 0 && !(v->s->flags & SETTING_REQUIRED);
    const char *slip = none ? NULL : address_slip(v->text);

    if (slip) {
        note(v, v->n, slip);
        return -1;
    }
    return read_text(v);
}

static int
store_port(struct value *v, uint16_t *at, struct slice t, const struct config_node *n)
{
    uint64_t port;

    if (slice_u64(t, 65535, &port) != 0 || port == 0) {
        note(v, n, "ports are numbers from 1 to 65535");
        return -1;
    }
    *at = (uint16_t)port;
    return 0;
}

static int
read_element(struct value *v, const struct config_node *n, unsigned i)
{
    struct slice t = config_node_text(n);
    char *at = (char *)v->field + i * v->s->stride;

    if (n->pub.kind != ROUSE_SCALAR || config_node_is_null(n)) {
        note(v, n, NULL);
        return -1;
    }
    if (v->s->type == SETTING_TEXTS)
        return store_text(v, at, v->s->stride, t, n);
    if (v->s->type == SETTING_PORTS)
        return store_port(v, (uint16_t *)(void *)at, t, n);
    if (cidr_parse(t, (struct cidr *)(void *)at)) {
        note(v, n, "write blocks of addresses as 10.0.0.0/8 or fc00::/7");
        return -1;
    }
    return 0;
}

static int
read_list(struct value *v)
{
    size_t max = v->s->size / v->s->stride;
    unsigned i = 0;
    int bad = 0;

    if (v->n->pub.kind != ROUSE_LIST) {
        note(v, v->n, "lists stand in brackets: [a, b]");
        return -1;
    }
    for (const struct config_node *n = config_node_child(v->n); n; n = config_node_next(n)) {
        if (i == max) {
            mistakes_add(v->m, n->pub.line, n->pub.column, "%s: more than %zu entries",
                         v->s->path, max);
            return -1;
        }
        if (read_element(v, n, i))
            bad = -1;
        else
            i++;
    }
    *v->count = (uint8_t)i;
    return bad;
}

static int
read_classes(struct value *v)
{
    uint32_t mask;
    int bad = 0;

    memcpy(&mask, v->field, sizeof mask);
    if (v->n->pub.kind != ROUSE_LIST) {
        note(v, v->n, "lists stand in brackets: [prefetch, probe]");
        return -1;
    }
    for (const struct config_node *n = config_node_child(v->n); n; n = config_node_next(n)) {
        struct suggest g;
        char hint[64];
        int k = 0;
        suggest_init(&g, config_node_text(n));
        for (; k < CLASS_COUNT; k++) {
            struct slice name = slice_of(traffic_class_name((enum traffic_class)k));
            if (n->pub.kind == ROUSE_SCALAR && slice_eq(config_node_text(n), name))
                break;
            suggest_offer(&g, name);
        }
        if (k < CLASS_COUNT) {
            mask |= UINT32_C(1) << k;
            continue;
        }
        struct slice best = suggest_best(&g);
        if (best.p)
            snprintf(hint, sizeof hint, "did you mean \"%.*s\"?", SLICE_ARG(best));
        note(v, n, best.p ? hint : NULL);
        bad = -1;
    }
    memcpy(v->field, &mask, sizeof mask);
    return bad;
}

static int
read_later(struct value *v)
{
    return later(v, v->s->later);
}

int
setting_read(const struct setting *s, const struct config_node *n, void *scope,
             struct arena *a, struct mistakes *m)
{
    static const struct {
        int (*read)(struct value *v);
        bool any; /* not only scalars */
    } types[] = {
        [SETTING_DURATION] = {read_duration, false},
        [SETTING_SIZE] = {read_size, false},
        [SETTING_COUNT] = {read_count, false},
        [SETTING_RATE] = {read_rate, false},
        [SETTING_BOOL] = {read_bool, false},
        [SETTING_TEXT] = {read_text, false},
        [SETTING_SECRET] = {read_secret, true},
        [SETTING_CHOICE] = {read_choice, true},
        [SETTING_ADDRESS] = {read_address, false},
        [SETTING_WORKERS] = {read_count_or_auto, false},
        [SETTING_CONNS] = {read_count_or_auto, false},
        [SETTING_CIDRS] = {read_list, true},
        [SETTING_TEXTS] = {read_list, true},
        [SETTING_PORTS] = {read_list, true},
        [SETTING_CLASSES] = {read_classes, true},
        [SETTING_HOST] = {read_text, false},
        [SETTING_PLATFORM] = {NULL, false},
        [SETTING_PLUGIN] = {NULL, false},
        [SETTING_LATER] = {read_later, true},
    };
    struct value v = {
        .s = s, .n = n, .arena = a, .m = m,
        .field = s->size ? (char *)scope + s->offset : NULL,
        .count = s->stride ? (uint8_t *)scope + s->count : NULL,
    };

    if (n->pub.kind == ROUSE_SCALAR)
        v.text = config_node_text(n);
    if (!types[s->type].any && (n->pub.kind != ROUSE_SCALAR || config_node_is_null(n))) {
        note(&v, n, NULL);
        return -1;
    }
    return types[s->type].read(&v);
}
