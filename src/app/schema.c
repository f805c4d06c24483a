/* SPDX-License-Identifier: BSD-2-Clause */
/* schema.c: the settings table as a JSON Schema, for editors. `rouse check` knows more. */
#include "config.h"

#include "app/sample.h"
#include "app/setting.h"
#include "base/jsonw.h"

static const char duration_pattern[] = "^(0|off|[1-9][0-9]*(us|ms|s|m|h|d)|\\$\\{.*\\})$";
static const char size_pattern[] = "^(off|[0-9]+[kmgt]?|\\$\\{.*\\})$";
static const char rate_pattern[] = "^(0|off|[0-9]+/[0-9]*(us|ms|s|min|h|d)|\\$\\{.*\\})$";
static const char variable_pattern[] = "\\$\\{.*\\}";

static void
add_choices(struct jsonw *j, const char *choices)
{
    struct slice rest = slice_of(choices), one;

    jsonw_key(j, "enum");
    jsonw_array(j);
    while (slice_next(&rest, '|', &one)) {
        jsonw_slice(j, one);
        /* YAML 1.1 and JSON users may write off as false, on as true. */
        if (slice_eq(one, SLICE("off")) || slice_eq(one, SLICE("on")))
            jsonw_bool(j, slice_eq(one, SLICE("on")));
    }
    jsonw_array_end(j);
}

static void
add_text(struct jsonw *j, const char *pattern)
{
    jsonw_kv_str(j, "type", "string");
    jsonw_kv_str(j, "pattern", pattern);
}

static void
add_either(struct jsonw *j, const char *simple, const char *pattern)
{
    jsonw_key(j, "anyOf");
    jsonw_array(j);
    jsonw_object(j);
    jsonw_kv_str(j, "type", simple);
    jsonw_object_end(j);
    jsonw_object(j);
    add_text(j, pattern);
    jsonw_object_end(j);
    jsonw_array_end(j);
}

static void
add_secret(struct jsonw *j)
{
    jsonw_key(j, "anyOf");
    jsonw_array(j);
    jsonw_object(j);
    jsonw_kv_str(j, "type", "string");
    jsonw_object_end(j);
    jsonw_object(j);
    jsonw_kv_str(j, "type", "object");
    jsonw_key(j, "properties");
    jsonw_object(j);
    jsonw_key(j, "file");
    jsonw_object(j);
    jsonw_kv_str(j, "type", "string");
    jsonw_object_end(j);
    jsonw_object_end(j);
    jsonw_key(j, "required");
    jsonw_array(j);
    jsonw_str(j, "file");
    jsonw_array_end(j);
    jsonw_kv_bool(j, "additionalProperties", false);
    jsonw_object_end(j);
    jsonw_array_end(j);
}

static void
add_strings(struct jsonw *j, const struct setting *s)
{
    jsonw_kv_str(j, "type", "array");
    if (s->stride)
        jsonw_kv_u64(j, "maxItems", s->size / s->stride);
    jsonw_key(j, "items");
    jsonw_object(j);
    jsonw_kv_str(j, "type", "string");
    jsonw_object_end(j);
}

static void
add_type(struct jsonw *j, const struct setting *s)
{
    switch (s->type) {
    case SETTING_DURATION:
        add_text(j, duration_pattern);
        break;
    case SETTING_SIZE:
        add_either(j, "integer", size_pattern);
        break;
    case SETTING_COUNT:
        add_either(j, "integer", "^(off|[0-9]+|\\$\\{.*\\})$");
        break;
    case SETTING_WORKERS:
    case SETTING_CONNS:
        add_either(j, "integer", "^(auto|[0-9]+|\\$\\{.*\\})$");
        break;
    case SETTING_RATE:
        add_text(j, rate_pattern);
        break;
    case SETTING_BOOL:
        add_either(j, "boolean", variable_pattern);
        break;
    case SETTING_CHOICE:
        add_choices(j, s->choices);
        break;
    case SETTING_SECRET:
        add_secret(j);
        break;
    case SETTING_CIDRS:
    case SETTING_PORTS:
    case SETTING_TEXTS:
    case SETTING_CLASSES:
        add_strings(j, s);
        break;
    case SETTING_TEXT:
    case SETTING_ADDRESS:
    case SETTING_HOST:
    case SETTING_PLATFORM:
    case SETTING_PLUGIN:
    case SETTING_LATER:
    default:
        jsonw_kv_str(j, "type", "string");
        if (s->type != SETTING_PLATFORM && s->type != SETTING_PLUGIN && s->size > 0)
            jsonw_kv_u64(j, "maxLength", s->size - 1);
        break;
    }
}

static void
add_leaf(struct jsonw *j, const struct setting *s, const void *scope)
{
    char text[512];
    struct buf b;

    jsonw_object(j);
    jsonw_kv_str(j, "description", s->help);
    add_type(j, s);
    buf_init_fixed(&b, text, sizeof text);
    if (s->fallback)
        buf_add_str(&b, s->fallback);
    else if (s->size > 0 && s->type != SETTING_PLATFORM && !s->stride &&
             s->type != SETTING_CLASSES && !(s->flags & SETTING_REQUIRED))
        setting_add_value(&b, s, scope);
    if (b.n > 0 && !slice_eq(buf_slice(&b), SLICE("\"\"")))
        jsonw_kv_slice(j, "default", buf_slice(&b));
    jsonw_object_end(j);
}

/* The rows under prefix as properties; the caller has opened "properties". */
static void
add_group(struct jsonw *j, enum setting_scope scope, const void *target, struct slice prefix)
{
    struct slice last = SLICE_NONE;
    unsigned rows;
    const struct setting *t = setting_table(&rows);

    for (unsigned i = 0; i < rows; i++) {
        struct slice path = slice_of(t[i].path), name;
        if (t[i].scope != scope || t[i].type == SETTING_LATER || !slice_starts(path, prefix))
            continue;
        name = slice_sub(path, prefix.n, path.n);
        ptrdiff_t dot = slice_index(name, '.');
        char key[64];
        slice_copy(dot < 0 ? name : slice_sub(name, 0, (size_t)dot), key, sizeof key);
        if (slice_eq(slice_of(key), last))
            continue;
        jsonw_key(j, key);
        if (dot < 0) {
            add_leaf(j, &t[i], target);
            continue;
        }
        last = slice_sub(name, 0, (size_t)dot);
        jsonw_object(j);
        jsonw_kv_str(j, "type", "object");
        jsonw_kv_bool(j, "additionalProperties", false);
        jsonw_key(j, "properties");
        jsonw_object(j);
        add_group(j, scope, target, slice_sub(path, 0, prefix.n + (size_t)dot + 1));
        jsonw_object_end(j);
        jsonw_object_end(j);
    }
}

static void
add_required(struct jsonw *j, enum setting_scope scope)
{
    unsigned rows;
    const struct setting *t = setting_table(&rows);

    jsonw_key(j, "required");
    jsonw_array(j);
    if (scope == SCOPE_GATEWAY) {
        jsonw_str(j, "listen");
        jsonw_str(j, "platforms");
        jsonw_str(j, "sites");
    }
    for (unsigned i = 0; i < rows; i++)
        if (t[i].scope == scope && (t[i].flags & SETTING_REQUIRED))
            jsonw_str(j, t[i].path);
    jsonw_array_end(j);
}

static void
add_entries(struct jsonw *j, const char *key, enum setting_scope scope, const void *target)
{
    jsonw_key(j, key);
    jsonw_object(j);
    jsonw_kv_str(j, "type", scope == SCOPE_PLATFORM ? "object" : "array");
    jsonw_kv_i64(j, scope == SCOPE_PLATFORM ? "minProperties" : "minItems", 1);
    jsonw_key(j, scope == SCOPE_PLATFORM ? "additionalProperties" : "items");
    jsonw_object(j);
    jsonw_kv_str(j, "type", "object");
    /* A platform takes its plugin's options too. */
    jsonw_kv_bool(j, "additionalProperties", scope == SCOPE_PLATFORM);
    add_required(j, scope);
    jsonw_key(j, "properties");
    jsonw_object(j);
    add_group(j, scope, target, SLICE(""));
    jsonw_object_end(j);
    jsonw_object_end(j);
    jsonw_object_end(j);
}

void
sample_schema(struct buf *out)
{
    struct listener_config listener;
    static const struct platform_config platform;
    struct gateway_config c;
    struct site site;
    struct jsonw j;

    gateway_config_init(&c);
    site_init(&site);
    listener_config_init(&listener);
    jsonw_init(&j, out);
    jsonw_object(&j);
    jsonw_kv_str(&j, "$schema", "https://json-schema.org/draft/2020-12/schema");
    jsonw_kv_str(&j, "title", "rouse.yaml");
    jsonw_kv_str(&j, "type", "object");
    jsonw_kv_bool(&j, "additionalProperties", false);
    add_required(&j, SCOPE_GATEWAY);
    jsonw_key(&j, "properties");
    jsonw_object(&j);
    add_entries(&j, "listen", SCOPE_LISTENER, &listener);
    add_group(&j, SCOPE_GATEWAY, &c, SLICE(""));
    add_entries(&j, "platforms", SCOPE_PLATFORM, &platform);
    add_entries(&j, "sites", SCOPE_SITE, &site);
    jsonw_object_end(&j);
    jsonw_object_end(&j);
    buf_add_char(out, '\n');
}
