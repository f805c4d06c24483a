/* SPDX-License-Identifier: BSD-2-Clause */
/* record_json.c: see record_json.h. Pure. */
#include "config.h"

#include "gateway/record_json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The states in the order of enum rouse_state, which is that of enum sandbox_state. */
_Static_assert((int)ROUSE_STATE_KILLED == (int)SANDBOX_KILLED, "states differ");

static int
wrong(char *why, size_t n, const char *member, const char *wanted)
{
    snprintf(why, n, "member \"%s\" is not %s", member, wanted);
    return -1;
}

/* ---- reading ---------------------------------------------------------------------- */

static int
read_text(json_t *root, const char *member, struct rouse_text *out, char *why, size_t n)
{
    json_t *v = json_object_get(root, member);

    *out = (struct rouse_text){NULL, 0};
    if (!v || json_is_null(v))
        return 0;
    if (!json_is_string(v))
        return wrong(why, n, member, "a string");
    if (json_string_length(v) > SANDBOX_NAME_MAX)
        return wrong(why, n, member, "at most 128 bytes long");
    *out = (struct rouse_text){json_string_value(v), json_string_length(v)};
    return 0;
}

static int
read_state(json_t *root, struct rouse_sandbox *out, char *why, size_t n)
{
    json_t *v = json_object_get(root, "state");
    enum sandbox_state s;

    if (!json_is_string(v))
        return wrong(why, n, "state", "there, or not a string");
    if (sandbox_state_parse(slice_of(json_string_value(v)), &s) < 0)
        s = SANDBOX_UNKNOWN;
    out->state = (enum rouse_state)s;
    return 0;
}

static int
read_ports(json_t *root, struct rouse_sandbox *out, char *why, size_t n)
{
    json_t *ports = json_object_get(root, "ports"), *v;
    const char *key;

    if (!ports || json_is_null(ports))
        return 0;
    if (!json_is_object(ports) || json_object_size(ports) > ROUSE_PORTS)
        return wrong(why, n, "ports", "an object of at most 16 members");
    json_object_foreach(ports, key, v)
    {
        uint64_t port;

        if (slice_u64(slice_of(key), 65535, &port) < 0 || port == 0)
            return wrong(why, n, "ports", "keyed by numbers from 1 to 65535");
        if (!json_is_string(v))
            return wrong(why, n, "ports", "of strings, each an address");
        out->ports[out->ports_n].port = (uint16_t)port;
        out->ports[out->ports_n++].address =
            (struct rouse_text){json_string_value(v), json_string_length(v)};
    }
    return 0;
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int
read_digest(const char *hex, size_t len, uint8_t out[TOKEN_DIGEST])
{
    if (len != 2 * TOKEN_DIGEST)
        return -1;
    for (size_t i = 0; i < TOKEN_DIGEST; i++) {
        int hi = hex_digit(hex[2 * i]), lo = hex_digit(hex[2 * i + 1]);

        if (hi < 0 || lo < 0)
            return -1;
        out[i] = (uint8_t)(hi << 4 | lo);
    }
    return 0;
}

static int
read_tokens(json_t *root, struct rouse_sandbox *out, char *why, size_t n)
{
    json_t *list = json_object_get(root, "traffic_token_sha256"), *v;
    size_t i;

    if (!list || json_is_null(list))
        return 0;
    if (!json_is_array(list) || json_array_size(list) > ROUSE_TOKENS)
        return wrong(why, n, "traffic_token_sha256", "a list of at most 4");
    json_array_foreach(list, i, v)
        if (!json_is_string(v) || read_digest(json_string_value(v), json_string_length(v),
                                              out->tokens[out->tokens_n++]) < 0)
            return wrong(why, n, "traffic_token_sha256", "of strings of 64 hex digits");
    return 0;
}

int
record_json_read(struct json_t *root, struct rouse_sandbox *out, char *why, size_t n)
{
    json_t *v = json_object_get(root, "auto_resume");

    *out = (struct rouse_sandbox){.size = sizeof(*out), .auto_resume = 1};
    if (!json_is_object(root)) {
        snprintf(why, n, "a sandbox is a JSON object");
        return -1;
    }
    if (v && !json_is_null(v) && !json_is_boolean(v))
        return wrong(why, n, "auto_resume", "true or false");
    out->auto_resume = !v || !json_is_false(v);
    if (read_state(root, out, why, n) < 0 ||
        read_text(root, "generation", &out->generation, why, n) < 0 ||
        read_text(root, "instance", &out->instance, why, n) < 0 ||
        read_text(root, "tenant", &out->tenant, why, n) < 0 ||
        read_text(root, "address", &out->address, why, n) < 0 ||
        read_ports(root, out, why, n) < 0 || read_tokens(root, out, why, n) < 0)
        return -1;
    return 0;
}

/* ---- to a record ------------------------------------------------------------------ */

static struct slice
of_text(struct rouse_text t)
{
    return (struct slice){t.p, t.n};
}

static bool
is_or_absent(json_t *v, json_type type)
{
    return !v || json_typeof(v) == type;
}

/* The methods as "GET,HEAD". -1: more than a name holds, or not texts. */
static int
read_methods(json_t *methods, struct wake_rule *r)
{
    char text[SANDBOX_NAME_MAX + 1];
    struct buf b;
    json_t *m;
    size_t i;

    buf_init_fixed(&b, text, sizeof(text));
    json_array_foreach(methods, i, m)
    {
        if (!json_is_string(m))
            return -1;
        if (i > 0)
            buf_add_char(&b, ',');
        buf_add_str(&b, json_string_value(m));
    }
    r->methods_n = (uint8_t)(json_array_size(methods) > 0);
    name_set(&r->methods, buf_slice(&b));
    return b.full ? -1 : 0;
}

static int
read_rule(json_t *v, struct wake_rule *r, struct buf *why)
{
    json_t *port = json_object_get(v, "port"), *path = json_object_get(v, "path_prefix");
    json_t *methods = json_object_get(v, "methods"), *wake = json_object_get(v, "wake");
    json_int_t number = json_integer_value(port);

    if (!json_is_boolean(wake) || !is_or_absent(port, JSON_INTEGER) || number < 0 ||
        number > 65535 || !is_or_absent(path, JSON_STRING) || !is_or_absent(methods, JSON_ARRAY)) {
        buf_add_str(why, "member \"wake_rules\" holds {port, path_prefix, methods, wake}");
        return -1;
    }
    if (json_string_length(path) > SANDBOX_NAME_MAX || read_methods(methods, r) < 0) {
        buf_add_str(why, "a rule of \"wake_rules\" is too long, or its methods are no strings");
        return -1;
    }
    r->wake = json_is_true(wake);
    r->port = (uint16_t)number;
    name_set(&r->path_prefix, path ? slice_of(json_string_value(path)) : SLICE_NONE);
    return 0;
}

static int
read_manner(const json_t *root, struct record *r, struct buf *why)
{
    json_t *protocol = json_object_get(root, "protocol"), *tls = json_object_get(root, "tls");
    const char *name = json_string_value(protocol);

    if (protocol && !json_is_null(protocol)) {
        if (name && strcmp(name, "h1") == 0) {
            r->manner.speaks = SPEAKS_H1;
        } else if (name && strcmp(name, "h2c") == 0) {
            r->manner.speaks = SPEAKS_H2;
        } else {
            buf_add_str(why, "member \"protocol\" is neither \"h1\" nor \"h2c\"");
            return -1;
        }
    }
    if (tls && !json_is_null(tls) && !json_is_boolean(tls)) {
        buf_add_str(why, "member \"tls\" is not true or false");
        return -1;
    }
    r->manner.tls = json_is_true(tls);
    return 0;
}

static int
read_rules(const json_t *root, struct record *r, struct buf *why)
{
    json_t *list = json_object_get(root, "wake_rules"), *v;
    size_t i, n = json_array_size(list);
    int rc = 0;

    if (!is_or_absent(list, JSON_ARRAY) && !json_is_null(list)) {
        buf_add_str(why, "member \"wake_rules\" is not a list");
        rc = -1;
    } else if (n > RECORD_RULES) {
        buf_add_str(why, "member \"wake_rules\" has more than 8 rules");
        rc = -1;
    } else if (n > 0) {
        r->rules = calloc(n, sizeof(*r->rules));
        rc = r->rules ? 0 : -1;
        json_array_foreach(list, i, v)
            if (rc == 0)
                rc = read_rule(v, &r->rules[r->rules_n++], why);
    }
    return rc;
}

/* These have no member in the plugins' struct: they are read from the JSON it came from. */
static int
read_rest(struct record *r, struct rouse_text rest, struct buf *why)
{
    json_error_t e;
    json_t *root = rest.n ? json_loadb(rest.p, rest.n, JSON_REJECT_DUPLICATES, &e) : NULL;
    int rc = read_manner(root, r, why) == 0 && read_rules(root, r, why) == 0 ? 0 : -1;

    json_decref(root);
    return rc;
}

int
record_json_fill(struct record *r, const struct rouse_sandbox *s, struct buf *why)
{
    record_init(r);
    r->state = (enum sandbox_state)s->state;
    name_set(&r->generation, of_text(s->generation));
    name_set(&r->instance, of_text(s->instance));
    name_set(&r->tenant, of_text(s->tenant));
    r->auto_resume = s->auto_resume != 0;
    r->idle = s->idle_us < 0 ? USEC_OFF : s->idle_us;
    r->tokens_n = (uint8_t)(s->tokens_n > RECORD_TOKENS ? RECORD_TOKENS : s->tokens_n);
    memcpy(r->tokens, s->tokens, sizeof(r->tokens));
    if (read_rest(r, s->rest, why) == 0)
        return 0;
    record_fini(r);
    return -1;
}

/* ---- writing ---------------------------------------------------------------------- */

void
record_json_write(struct jsonw *j, const struct record *r)
{
    char text[ENDPOINT_TEXT], port[8];

    jsonw_object(j);
    jsonw_kv_str(j, "state", sandbox_state_name(r->state));
    if (r->generation.n)
        jsonw_kv_slice(j, "generation", name_slice(&r->generation));
    if (r->instance.n)
        jsonw_kv_slice(j, "instance", name_slice(&r->instance));
    if (r->tenant.n)
        jsonw_kv_slice(j, "tenant", name_slice(&r->tenant));
    if (r->address.family)
        jsonw_kv_str(j, "address", endpoint_text(&r->address, text));
    if (r->ports_n) {
        jsonw_key(j, "ports");
        jsonw_object(j);
        for (unsigned i = 0; i < r->ports_n; i++) {
            snprintf(port, sizeof(port), "%u", r->ports[i].port);
            jsonw_kv_str(j, port, endpoint_text(&r->ports[i].at, text));
        }
        jsonw_object_end(j);
    }
    if (r->manner.speaks != SPEAKS_UNSAID)
        jsonw_kv_str(j, "protocol", r->manner.speaks == SPEAKS_H2 ? "h2c" : "h1");
    if (r->manner.tls)
        jsonw_kv_bool(j, "tls", true);
    jsonw_kv_bool(j, "auto_resume", r->auto_resume);
    jsonw_kv_u64(j, "tokens", r->tokens_n);
    jsonw_kv_u64(j, "wake_rules", r->rules_n);
    jsonw_object_end(j);
}
