/* SPDX-License-Identifier: BSD-2-Clause */
/* method.c: the methods that mean something to a proxy (RFC 9110 section 9, RFC 5789). */
#include "config.h"

#include "http/head.h"

#include <string.h>

static enum method
same(struct slice text, const char *name, enum method m)
{
    return memcmp(text.p, name, text.n) == 0 ? m : METHOD_OTHER;
}

enum method
method_of(struct slice text)
{
    switch (text.n) {
    case 3:
        return text.p[0] == 'G' ? same(text, "GET", METHOD_GET) : same(text, "PUT", METHOD_PUT);
    case 4:
        return text.p[0] == 'P' ? same(text, "POST", METHOD_POST)
                                : same(text, "HEAD", METHOD_HEAD);
    case 5:
        return text.p[0] == 'P' ? same(text, "PATCH", METHOD_PATCH)
                                : same(text, "TRACE", METHOD_TRACE);
    case 6:
        return same(text, "DELETE", METHOD_DELETE);
    case 7:
        return text.p[0] == 'O' ? same(text, "OPTIONS", METHOD_OPTIONS)
                                : same(text, "CONNECT", METHOD_CONNECT);
    default:
        return METHOD_OTHER;
    }
}

bool
method_safe(enum method m)
{
    return m == METHOD_GET || m == METHOD_HEAD || m == METHOD_OPTIONS || m == METHOD_TRACE;
}

bool
method_idempotent(enum method m)
{
    return method_safe(m) || m == METHOD_PUT || m == METHOD_DELETE;
}
