/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_options.h: the options of one `http` platform: their table, and as they are used. Texts of
 * the configuration are borrowed: they live as long as the platform.
 */
#ifndef ROUSE_HTTP_OPTIONS_H
#define ROUSE_HTTP_OPTIONS_H

#include "rouse/plugin.h"

#define HTTP_OPS (ROUSE_KILL + 1)
#define HTTP_HEADERS 24   /* of the configuration */
#define HTTP_SECRET 128   /* bytes of the key */

extern const struct rouse_option http_option_table[];

struct http_options {
    struct rouse_text url[HTTP_OPS]; /* .p NULL: not given */
    uint8_t key[HTTP_SECRET];
    size_t key_n; /* 0: no secret */
    struct rouse_header header[HTTP_HEADERS];
    unsigned headers;
    int64_t connect_timeout_us, timeout_us;
    size_t answer_max;
    char ca[512]; /* empty: the system's */
};

/* values: as the table. 0, or -1 and *m. */
int http_options_read(struct http_options *o, const struct rouse_services *s,
                      const struct rouse_value *values, struct rouse_mistake *m);
/* url with each {id} replaced, percent-encoded, into out; its length, or -1: it does not fit. */
int http_options_url(struct rouse_text url, struct rouse_text id, char *out, size_t n);

#endif
