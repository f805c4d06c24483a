/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * setting.h: the settings table: every key of the configuration, once. It drives the reader, the
 * checks, `rouse show config`, conf/rouse.yaml and conf/rouse.schema.json. Defaults are not in it:
 * they are what gateway_config_init and site_init leave.
 *
 * To add a setting: one row in setting_table.c, a field to hold it, its default in
 * gateway_config.c; then `rouse config sample` and `rouse config schema` write the two files anew.
 */
#ifndef ROUSE_APP_SETTING_H
#define ROUSE_APP_SETTING_H

#include "app/config_tree.h"
#include "gateway/gateway_config.h"

enum setting_scope {
    SCOPE_GATEWAY,  /* top level */
    SCOPE_LISTENER, /* listen[] */
    SCOPE_PLATFORM, /* platforms.NAME */
    SCOPE_SITE,     /* sites[] */
    SCOPES,
};

enum setting_type {
    SETTING_DURATION, /* usec_t */
    SETTING_SIZE,     /* uint32_t, uint64_t, size_t, by size; off: the type's maximum */
    SETTING_COUNT,    /* the same without units */
    SETTING_RATE,     /* struct rate */
    SETTING_BOOL,
    SETTING_TEXT,     /* char[] */
    SETTING_SECRET,   /* char[] */
    SETTING_CHOICE,   /* an index into choices, in 1 or 4 bytes; without a field: fixed */
    SETTING_ADDRESS,  /* char[]: where to listen */
    SETTING_WORKERS,  /* unsigned, or auto */
    SETTING_CONNS,    /* uint32_t, or auto */
    SETTING_CIDRS,    /* struct cidr[], and a count */
    SETTING_TEXTS,    /* char[][stride], and a count */
    SETTING_PORTS,    /* uint16_t[], and a count */
    SETTING_CLASSES,  /* a mask of enum traffic_class: those named are added */
    SETTING_HOST,     /* a site's host pattern */
    SETTING_PLATFORM, /* a site's platform, by name */
    SETTING_PLUGIN,   /* a platform's plugin, by name */
    SETTING_LATER,    /* known, but not in this version */
};

enum setting_flag {
    SETTING_REQUIRED = 1 << 0,
    SETTING_OFF = 1 << 1,     /* off is allowed: unlimited, or never */
    SETTING_RESTART = 1 << 2, /* a reload does not change it */
};

struct setting {
    const char *path; /* within its scope: "hold.timeout" */
    enum setting_scope scope;
    enum setting_type type;
    size_t offset, size; /* of the field in the scope's struct */
    unsigned flags;
    int64_t min, max;    /* of numbers; both 0: any */
    size_t stride, count; /* lists: size of an element; offset of the uint8_t count */
    const char *choices; /* "a|b|c" */
    const char *later;   /* choices of later versions, or what the key is for */
    const char *fallback; /* the default as text, when the field does not tell: "auto" */
    const char *example; /* what the sample shows when there is no default */
    const char *help;
};

/* The rows, in the order of the sample, and how many. */
const struct setting *setting_table(unsigned *n);
const struct setting *setting_find(enum setting_scope scope, struct slice path);
/* Whether settings lie under it: "hold" for "hold.timeout". */
bool setting_is_group(enum setting_scope scope, struct slice path);
/* "sites[].hold.timeout" */
void setting_add_path(struct buf *out, const struct setting *s);
/* One line on what may be written: "a duration from 1s to 1h, or off". */
void setting_add_expects(struct buf *out, const struct setting *s);

/*
 * Reads a value into the scope's struct. Mistakes are noted and leave the field as it was; -1 then.
 * HOST, PLATFORM, PLUGIN are the callers'.
 */
int setting_read(const struct setting *s, const struct config_node *n, void *scope,
                 struct arena *a, struct mistakes *m);
/* The value as it may be written in a configuration; secrets as "***". */
void setting_add_value(struct buf *out, const struct setting *s, const void *scope);

/* Shared with plugins' options. */
int setting_read_bool(struct slice s, bool *out) must_check;
/* Text as a YAML scalar, in quotes when needed. */
void setting_add_scalar(struct buf *out, struct slice s);
/* A scalar, or {file: PATH}: the secret, .p NULL when a mistake was noted. */
struct slice setting_read_secret(const struct config_node *n, const char *what, struct arena *a,
                                 struct mistakes *m);

#endif
