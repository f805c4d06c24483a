/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What to do with one request: a list "key=value&key=value" from the request's own query or
 * from the control port.  tests/tools/README.md lists the keys.
 */
#include "config.h"

#include "witness.h"

#include <stdlib.h>
#include <string.h>

void
plan_init(struct plan *plan)
{
    *plan = (struct plan){
        .status = 200, .size = -1, .chunk = WITNESS_BLOCK, .cut = -1, .times = 1, .interim_n = 1,
        .drip_delay = 1000000,
    };
}

static int
unhex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void
plan_decode(const char *text, size_t len, struct toolbuf *out)
{
    for (size_t i = 0; i < len; i++) {
        char c = text[i];

        if (c == '%' && i + 2 < len && unhex(text[i + 1]) >= 0 && unhex(text[i + 2]) >= 0) {
            c = (char)(unhex(text[i + 1]) * 16 + unhex(text[i + 2]));
            i += 2;
        }
        toolbuf_add(out, &c, 1);
    }
}

bool
plan_find(const char *text, size_t len, const char *key, char *out, size_t room)
{
    const char *end = text + len;
    size_t size = strlen(key);

    while (text < end) {
        const char *stop = memchr(text, '&', (size_t)(end - text));

        if (!stop)
            stop = end;
        if ((size_t)(stop - text) > size && text[size] == '=' && !memcmp(text, key, size)) {
            struct toolbuf value = {0};
            bool fits;

            plan_decode(text + size + 1, (size_t)(stop - text) - size - 1, &value);
            fits = value.len < room;
            if (fits && value.len)
                memcpy(out, value.data, value.len);
            if (fits)
                out[value.len] = '\0';
            toolbuf_fini(&value);
            return fits;
        }
        text = stop + 1;
    }
    return false;
}

enum kind { NUMBER, MILLIS, FLAG, INT };

static const struct plan_key {
    const char *name;
    enum kind kind;
    size_t offset;
} plan_keys[] = {
    {"status", INT, offsetof(struct plan, status)},
    {"size", NUMBER, offsetof(struct plan, size)},
    {"chunk", NUMBER, offsetof(struct plan, chunk)},
    {"delay", MILLIS, offsetof(struct plan, delay)},
    {"body_delay", MILLIS, offsetof(struct plan, body_delay)},
    {"interim", INT, offsetof(struct plan, interim)},
    {"interim_n", INT, offsetof(struct plan, interim_n)},
    {"interim_delay", MILLIS, offsetof(struct plan, interim_delay)},
    {"early", FLAG, offsetof(struct plan, early)},
    {"noread", FLAG, offsetof(struct plan, noread)},
    {"never", FLAG, offsetof(struct plan, never)},
    {"cut", NUMBER, offsetof(struct plan, cut)},
    {"times", INT, offsetof(struct plan, times)},
    {"drip", NUMBER, offsetof(struct plan, drip)},
    {"drip_delay", MILLIS, offsetof(struct plan, drip_delay)},
    {"idle_delay", MILLIS, offsetof(struct plan, idle_delay)},
};

static const char *const framing_name[] = {"cl", "chunked", "close", "none"};
static const char *const end_name[] = {"keep", "fin", "rst", "hang"};

static int
name_index(const char *const *names, int count, const char *value)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(names[i], value))
            return i;
    return -1;
}

/* Reads "12.5" milliseconds, a number or a flag into its field. */
static bool
set_number(struct plan *plan, const struct plan_key *key, const char *value)
{
    char *field = (char *)plan + key->offset, *end;
    double number = strtod(value, &end);
    int64_t whole = (int64_t)(key->kind == MILLIS ? number * 1e6 : number);

    if (end == value || *end)
        return false;
    if (key->kind == FLAG) {
        bool flag = whole != 0;

        memcpy(field, &flag, sizeof flag);
    } else if (key->kind == INT) {
        int small = (int)whole;

        memcpy(field, &small, sizeof small);
    } else {
        memcpy(field, &whole, sizeof whole);
    }
    return true;
}

static bool
set_text(struct plan *plan, const char *name, const char *value)
{
    int index;

    if (!strcmp(name, "framing")) {
        index = name_index(framing_name, 4, value);
        plan->framing = (enum plan_framing)(index < 0 ? 0 : index);
        return index >= 0;
    }
    if (!strcmp(name, "end")) {
        index = name_index(end_name, 4, value);
        plan->end = (enum plan_end)(index < 0 ? 0 : index);
        return index >= 0;
    }
    if (!strcmp(name, "h")) {
        toolbuf_printf(&plan->fields, "%s\r\n", value);
        return true;
    }
    if (!strcmp(name, "idle")) {
        size_t len = strlen(value);

        if (len >= sizeof plan->idle)
            return false;
        memcpy(plan->idle, value, len + 1);
        return true;
    }
    if (!strcmp(name, "cuts")) {
        for (char *end; *value; value = *end == ',' ? end + 1 : end) {
            size_t at = strtoul(value, &end, 10);

            if (end == value)
                return false;
            toolbuf_add(&plan->cuts, &at, sizeof at);
        }
        return true;
    }
    return false;
}

static bool
set(struct plan *plan, const char *name, const char *value)
{
    for (size_t i = 0; i < sizeof plan_keys / sizeof *plan_keys; i++)
        if (!strcmp(plan_keys[i].name, name))
            return set_number(plan, &plan_keys[i], value);
    return set_text(plan, name, value);
}

/* The keys a plan does not know are the application's own ("rid=7"). */
static bool
known(const char *name)
{
    static const char *const text[] = {"framing", "end", "h", "idle", "cuts"};

    for (size_t i = 0; i < sizeof plan_keys / sizeof *plan_keys; i++)
        if (!strcmp(plan_keys[i].name, name))
            return true;
    return name_index(text, 5, name) >= 0;
}

const char *
plan_apply(struct plan *plan, const char *text, size_t len)
{
    const char *end = text + len;

    while (text < end) {
        const char *stop = memchr(text, '&', (size_t)(end - text)), *equals;
        struct toolbuf name = {0}, value = {0};
        bool fine = true;

        if (!stop)
            stop = end;
        equals = memchr(text, '=', (size_t)(stop - text));
        if (equals) {
            toolbuf_add(&name, text, (size_t)(equals - text));
            plan_decode(equals + 1, (size_t)(stop - equals) - 1, &value);
            toolbuf_add(&name, "", 1);
            toolbuf_add(&value, "", 1);
            fine = !known(name.data) || set(plan, name.data, value.data);
        }
        toolbuf_fini(&name);
        toolbuf_fini(&value);
        if (!fine)
            return text;
        text = stop + 1;
    }
    return NULL;
}

static void
copy_buf(struct toolbuf *to, const struct toolbuf *from)
{
    *to = (struct toolbuf){NULL, 0, 0};
    if (from->len)
        toolbuf_add(to, from->data, from->len);
}

struct plan *
plan_copy(const struct plan *plan)
{
    struct plan *copy = tool_alloc(sizeof *copy);

    *copy = *plan;
    copy->next = NULL;
    copy_buf(&copy->cuts, &plan->cuts);
    copy_buf(&copy->fields, &plan->fields);
    copy_buf(&copy->raw, &plan->raw);
    return copy;
}

void
plan_free(struct plan *plan)
{
    if (!plan)
        return;
    toolbuf_fini(&plan->cuts);
    toolbuf_fini(&plan->fields);
    toolbuf_fini(&plan->raw);
    free(plan);
}
