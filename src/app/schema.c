/* SPDX-License-Identifier: BSD-2-Clause */
/* schema.c: the settings table as a JSON Schema, for editors. `rouse check` knows more. */
#include "config.h"

#include "app/sample.h"
#include "app/setting.h"
#include "base/json.h"

static const char duration_pattern[] = "^(0|off|[1-9][0-9]*(us|ms|s|m|h|d)|\\$\\{.*\\})$";
static const char size_pattern[] = "^(off|[0-9]+[kmgt]?|\\$\\{.*\\})$";
static const char rate_pattern[] = "^(0|off|[0-9]+/[0-9]*(us|ms|s|min|h|d)|\\$\\{.*\\})$";
static const char variable_pattern[] = "\\$\\{.*\\}";

static void
add_choices(struct json *j, const char *choices)
{
    struct slice rest = slice_of(choices), one;

    json_key(j, "enum");
    json_array(j);
    while (slice_next(&rest, '|', &one)) {
        json_slice(j, one);
        /* YAML 1.1 and JSON users may write off as false. */
        if (slice_eq(one, SLICE("off")))
            json_bool(j, false);
    }
    json_array_end(j);
}

static void
add_either(struct json *j, const char *simple, const char *pattern)
{
    json_key(j, "anyOf");
    json_array(j);
    json_object(j);
    json_kv_str(j, "type", simple);
    json_object_end(j);
    json_object(j);
    json_kv_str(j, "type", "string");
    json_kv_str(j, "pattern", pattern);
    json_object_end(j);
    json_array_end(j);
}

static void
add_secret(struct json *j)
{
    json_key(j, "anyOf");
    json_array(j);
    json_object(j);
    json_kv_str(j, "type", "string");
    json_object_end(j);
    json_object(j);
    json_kv_str(j, "type", "object");
    json_key(j, "properties");
    json_object(j);
    json_key(j, "file");
    json_object(j);
    json_kv_str(j, "type", "string");
    json_object_end(j);
    json_object_end(j);
    json_key(j, "required");
    json_array(j);
    json_str(j, "file");
    json_array_end(j);
    json_kv_bool(j, "additionalProperties", false);
    json_object_end(j);
    json_array_end(j);
}

static void
add_strings(struct json *j, const struct setting *s)
{
    json_kv_str(j, "type", "array");
    if (s->stride)
        json_kv_u64(j, "maxItems", s->size / s->stride);
    json_key(j, "items");
    json_object(j);
    json_kv_str(j, "type", "string");
    json_object_end(j);
}

static void
add_type(struct json *j, const struct setting *s)
{
    switch (s->type) {
    case SETTING_DURATION:
        add_either(j, "string", duration_pattern);
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
        add_either(j, "string", rate_pattern);
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
        json_kv_str(j, "type", "string");
        if (s->type != SETTING_PLATFORM && s->type != SETTING_PLUGIN && s->size > 0)
            json_kv_u64(j, "maxLength", s->size - 1);
        break;
    }
}

static void
add_leaf(struct json *j, const struct setting *s, const void *scope)
{
    char text[512];
    struct buf b;

    json_object(j);
    json_kv_str(j, "description", s->help);
    add_type(j, s);
    buf_init_fixed(&b, text, sizeof text);
    if (s->fallback)
        buf_add_str(&b, s->fallback);
    else if (s->size > 0 && s->type != SETTING_PLATFORM && !s->stride &&
             s->type != SETTING_CLASSES && !(s->flags & SETTING_REQUIRED))
        setting_add_value(&b, s, scope);
    if (b.n > 0 && !slice_eq(buf_slice(&b), SLICE("\"\"")))
        json_kv_slice(j, "default", buf_slice(&b));
    json_object_end(j);
}

/* The rows under prefix as properties; the caller has opened "properties". */
static void
add_group(struct json *j, enum setting_scope scope, const void *target, struct slice prefix)
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
        json_key(j, key);
        if (dot < 0) {
            add_leaf(j, &t[i], target);
            continue;
        }
        last = slice_sub(name, 0, (size_t)dot);
        json_object(j);
        json_kv_str(j, "type", "object");
        json_kv_bool(j, "additionalProperties", false);
        json_key(j, "properties");
        json_object(j);
        add_group(j, scope, target, slice_sub(path, 0, prefix.n + (size_t)dot + 1));
        json_object_end(j);
        json_object_end(j);
    }
}

static void
add_required(struct json *j, enum setting_scope scope)
{
    unsigned rows;
    const struct setting *t = setting_table(&rows);

    json_key(j, "required");
    json_array(j);
    if (scope == SCOPE_GATEWAY) {
        json_str(j, "listen");
        json_str(j, "platforms");
        json_str(j, "sites");
    }
    for (unsigned i = 0; i < rows; i++)
        if (t[i].scope == scope && (t[i].flags & SETTING_REQUIRED))
            json_str(j, t[i].path);
    json_array_end(j);
}

static void
add_entries(struct json *j, const char *key, enum setting_scope scope, const void *target)
{
    json_key(j, key);
    json_object(j);
    json_kv_str(j, "type", scope == SCOPE_PLATFORM ? "object" : "array");
    json_kv_i64(j, scope == SCOPE_PLATFORM ? "minProperties" : "minItems", 1);
    json_key(j, scope == SCOPE_PLATFORM ? "additionalProperties" : "items");
    json_object(j);
    json_kv_str(j, "type", "object");
    /* A platform takes its plugin's options too. */
    json_kv_bool(j, "additionalProperties", scope == SCOPE_PLATFORM);
    add_required(j, scope);
    json_key(j, "properties");
    json_object(j);
    add_group(j, scope, target, SLICE(""));
    json_object_end(j);
    json_object_end(j);
    json_object_end(j);
}

void
sample_schema(struct buf *out)
{
    static const struct listener_config listener;
    static const struct platform_config platform;
    struct gateway_config c;
    struct site site;
    struct json j;

    gateway_config_init(&c);
    site_init(&site);
    json_init(&j, out);
    json_object(&j);
    json_kv_str(&j, "$schema", "https://json-schema.org/draft/2020-12/schema");
    json_kv_str(&j, "title", "rouse.yaml");
    json_kv_str(&j, "type", "object");
    json_kv_bool(&j, "additionalProperties", false);
    add_required(&j, SCOPE_GATEWAY);
    json_key(&j, "properties");
    json_object(&j);
    add_entries(&j, "listen", SCOPE_LISTENER, &listener);
    add_group(&j, SCOPE_GATEWAY, &c, SLICE(""));
    add_entries(&j, "platforms", SCOPE_PLATFORM, &platform);
    add_entries(&j, "sites", SCOPE_SITE, &site);
    json_object_end(&j);
    json_object_end(&j);
    buf_add_char(out, '\n');
}
