/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_proxy_header.c: the first bytes of a connection from a balancer. The verdict is the same
 * however they were cut: a beginning says MORE or what the whole says; bytes behind change nothing;
 * and what is announced is an address.
 */
#include "config.h"

#include "base/ensure.h"
#include "net/proxy_header.h"

#include <string.h>

#define LONGEST (PROXY_HEADER_MAX + 64)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
ensure_done(const struct proxy_header *h, const uint8_t *data, size_t size)
{
    char text[ENDPOINT_TEXT];
    struct endpoint again;
    bool line = data[0] == 'P';

    ensure(h->n <= size && h->n <= (line ? PROXY_HEADER_V1_MAX : PROXY_HEADER_MAX));
    ensure(h->n >= (line ? sizeof("PROXY UNKNOWN\r\n") - 1 : 16));
    ensure(!line || memcmp(data + h->n - 2, "\r\n", 2) == 0);
    if (!h->announced) {
        ensure(h->source.family == 0 && h->destination.family == 0);
        return;
    }
    ensure(h->source.family == 4 || h->source.family == 6);
    ensure(h->destination.family == 4 || h->destination.family == 6);
    ensure(endpoint_parse(slice_of(endpoint_text(&h->source, text)), &again) == 0);
    ensure(endpoint_eq(&h->source, &again));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t n = size < LONGEST ? size : LONGEST;
    struct proxy_header whole, h;
    const char *why = NULL;
    enum proxy_header_says verdict = proxy_header_parse((struct slice){(const char *)data, n},
                                                        &whole, &why);
    bool fallen = false;

    if (n == 0)
        return 0;
    ensure(verdict != PROXY_HEADER_MORE || n < PROXY_HEADER_MAX);
    if (verdict == PROXY_HEADER_DONE)
        ensure_done(&whole, data, n);
    for (size_t cut = 0; cut < n; cut++) {
        enum proxy_header_says says = proxy_header_parse((struct slice){(const char *)data, cut},
                                                         &h, &why);

        ensure(says == (fallen ? verdict : PROXY_HEADER_MORE) || says == verdict);
        fallen = says != PROXY_HEADER_MORE;
        if (says == PROXY_HEADER_DONE)
            ensure(memcmp(&h, &whole, sizeof h) == 0);
    }
    return 0;
}
