/* SPDX-License-Identifier: BSD-2-Clause */
/* setting_text.c: settings and their values as text. */
#include "config.h"

#include "app/setting.h"
#include "base/jsonw.h"
#include "sandbox/mail.h"

#include <string.h>

void
setting_add_path(struct buf *out, const struct setting *s)
{
    static const char *const prefix[SCOPES] = {"", "listen[].", "platforms.*.", "sites[]."};

    buf_add_str(out, prefix[s->scope]);
    buf_add_str(out, s->path);
}

static void
add_number(struct buf *out, enum setting_type t, uint64_t v, bool off)
{
    if (t == SETTING_DURATION)
        units_add_duration(out, off ? USEC_OFF : (usec_t)v);
    else if (off)
        buf_add_str(out, "off");
    else if (t == SETTING_SIZE)
        units_add_size(out, v);
    else
        buf_add_u64(out, v);
}

static void
add_range(struct buf *out, const struct setting *s)
{
    if (s->min != 0 || s->max != 0) {
        buf_add_str(out, " from ");
        add_number(out, s->type, (uint64_t)s->min, false);
        buf_add_str(out, " to ");
        add_number(out, s->type, (uint64_t)s->max, false);
    }
    if (s->flags & SETTING_OFF)
        buf_add_str(out, " or off");
}

static void
add_choices(struct buf *out, const char *choices)
{
    struct slice rest = slice_of(choices), one;
    bool first = true;

    while (slice_next(&rest, '|', &one)) {
        if (!first)
            buf_add_str(out, rest.p ? ", " : " or ");
        buf_add_slice(out, one);
        first = false;
    }
}

void
setting_add_expects(struct buf *out, const struct setting *s)
{
    static const char *const names[] = {
        [SETTING_DURATION] = "a duration",
        [SETTING_SIZE] = "a size",
        [SETTING_COUNT] = "a number",
        [SETTING_RATE] = "a rate",
        [SETTING_BOOL] = "true or false",
        [SETTING_TEXT] = "a text",
        [SETTING_SECRET] = "a text or {file: PATH}",
        [SETTING_CHOICE] = "",
        [SETTING_ADDRESS] = "an address with a port",
        [SETTING_WORKERS] = "auto or a number",
        [SETTING_CONNS] = "auto or a number",
        [SETTING_CIDRS] = "a list of address blocks",
        [SETTING_TEXTS] = "a list of texts",
        [SETTING_PORTS] = "a list of ports",
        [SETTING_CLASSES] = "a list of traffic classes",
        [SETTING_HOST] = "a host name",
        [SETTING_PLATFORM] = "the name of a platform",
        [SETTING_PLUGIN] = "the name of a plugin",
        [SETTING_LATER] = "left out",
    };

    buf_add_str(out, names[s->type]);
    if (s->type == SETTING_CHOICE)
        add_choices(out, s->choices);
    else
        add_range(out, s);
    if (s->stride)
        buf_printf(out, ", at most %zu", s->size / s->stride);
    else if (s->type == SETTING_TEXT || s->type == SETTING_ADDRESS)
        buf_printf(out, " of at most %zu bytes", s->size - 1);
}

/* A plain scalar that reads back as the same text: no indicator, no null, no surprise. */
static bool
is_plain(struct slice s)
{
    static const char more[] = "-_./:+*";

    if (s.n == 0 || slice_eq(s, SLICE("~")) || slice_ieq(s, SLICE("null")) ||
        !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/", s.p[0]))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = slice_lower(s.p[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr(more, c)) || c == 0)
            return false;
    }
    return s.p[s.n - 1] != ':';
}

void
setting_add_scalar(struct buf *out, struct slice s)
{
    if (is_plain(s)) {
        buf_add_slice(out, s);
        return;
    }
    buf_add_char(out, '"');
    jsonw_escape(out, s);
    buf_add_char(out, '"');
}

static void
add_count(struct buf *out, const struct setting *s, const void *field)
{
    uint64_t wide = 0;
    uint32_t narrow = 0;
    bool off;

    if (s->size == sizeof narrow) {
        memcpy(&narrow, field, sizeof narrow);
        wide = narrow;
        off = narrow == UINT32_MAX;
    } else {
        memcpy(&wide, field, sizeof wide);
        off = wide == UINT64_MAX;
        if (s->type == SETTING_DURATION)
            off = wide == (uint64_t)USEC_OFF;
    }
    add_number(out, s->type, wide, off);
}

static void
add_list(struct buf *out, const struct setting *s, const void *scope)
{
    unsigned n = *((const uint8_t *)scope + s->count);

    buf_add_char(out, '[');
    for (unsigned i = 0; i < n; i++) {
        const char *at = (const char *)scope + s->offset + i * s->stride;
        if (i > 0)
            buf_add_str(out, ", ");
        if (s->type == SETTING_TEXTS) {
            setting_add_scalar(out, slice_of(at));
            continue;
        }
        if (s->type == SETTING_PORTS) {
            buf_add_u64(out, *(const uint16_t *)(const void *)at);
            continue;
        }
        const struct cidr *c = (const void *)at;
        struct endpoint e = {.family = c->family};
        memcpy(e.ip, c->ip, sizeof e.ip);
        char text[ENDPOINT_TEXT];
        struct slice t = slice_of(endpoint_text(&e, text));
        buf_printf(out, c->family == 6 ? "\"%.*s/%u\"" : "%.*s/%u", SLICE_ARG(t), c->bits);
    }
    buf_add_char(out, ']');
}

static void
add_classes(struct buf *out, const void *field)
{
    uint32_t mask;
    bool first = true;

    memcpy(&mask, field, sizeof mask);
    buf_add_char(out, '[');
    for (int k = 0; k < CLASS_COUNT; k++) {
        if (!(mask & UINT32_C(1) << k))
            continue;
        buf_printf(out, "%s%s", first ? "" : ", ", traffic_class_name((enum traffic_class)k));
        first = false;
    }
    buf_add_char(out, ']');
}

static void
add_choice(struct buf *out, const struct setting *s, const void *field)
{
    struct slice rest = slice_of(s->choices), one;
    unsigned i = 0;

    if (s->size == 1)
        i = *(const uint8_t *)field;
    else
        memcpy(&i, field, sizeof i);
    while (slice_next(&rest, '|', &one))
        if (i-- == 0)
            buf_add_slice(out, one);
}

void
setting_add_value(struct buf *out, const struct setting *s, const void *scope)
{
    const char *field = (const char *)scope + s->offset;

    if (s->size == 0) {
        buf_add_str(out, s->fallback ? s->fallback : "~");
        return;
    }
    if (s->type == SETTING_RATE) {
        struct rate r;
        memcpy(&r, field, sizeof r);
        units_add_rate(out, r);
    } else if (s->type == SETTING_BOOL) {
        buf_add_str(out, *field ? "true" : "false");
    } else if (s->type == SETTING_CHOICE) {
        add_choice(out, s, field);
    } else if (s->type == SETTING_CLASSES) {
        add_classes(out, field);
    } else if (s->type == SETTING_SECRET) {
        buf_add_str(out, *field ? "\"***\"" : "\"\"");
    } else if (s->stride) {
        add_list(out, s, scope);
    } else if (s->type == SETTING_TEXT || s->type == SETTING_ADDRESS || s->type == SETTING_HOST) {
        setting_add_scalar(out, slice_of(field));
    } else {
        add_count(out, s, field);
    }
}
