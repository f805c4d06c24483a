/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_host.c: a Host. What is taken is lower case, of the bytes that names have, within the
 * limits, and taken again as the same; a trailing dot or another case changes nothing.
 */
#include "config.h"

#include "base/ensure.h"
#include "http/host.h"
#include "http/octet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
ensure_same(const struct host *h, const char *text, size_t n)
{
    struct host again;

    ensure(host_parse((struct slice){text, n}, &again) == 0);
    ensure(slice_eq(host_name(h), host_name(&again)));
    ensure(h->port == again.port && h->has_port == again.has_port);
    ensure(h->literal == again.literal);
}

static void
ensure_name(const struct host *h)
{
    size_t label = 0;

    for (size_t i = 0; i < h->n; i++) {
        ensure(octet_is(h->name[i], OCTET_HOST) && slice_lower(h->name[i]) == h->name[i]);
        label = h->name[i] == '.' ? 0 : label + 1;
        ensure(label <= 63 && (label > 0 || i > 0));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct host h;
    char text[HOST_MAX + 64];

    if (host_parse((struct slice){(const char *)data, size}, &h) != 0)
        return 0;
    ensure(h.n > 0 && h.n <= HOST_MAX && h.name[h.n] == '\0' && strlen(h.name) == h.n);
    ensure(h.has_port == (h.port > 0));
    bool six = strchr(h.name, ':') != NULL;
    ensure(!six || h.literal);
    if (!six)
        ensure_name(&h);

    int n = snprintf(text, sizeof text, six ? "[%s]" : "%s", h.name);
    if (h.has_port)
        n += snprintf(text + n, sizeof text - (size_t)n, ":%u", h.port);
    ensure_same(&h, text, (size_t)n);
    for (int i = 0; i < n; i++)
        if (text[i] >= 'a' && text[i] <= 'z')
            text[i] = (char)(text[i] - 32);
    ensure_same(&h, text, (size_t)n);
    if (!h.has_port && !six) {
        text[n] = '.';
        ensure_same(&h, text, (size_t)n + 1);
    }
    return 0;
}
