/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_name.c: see tls_name.h. Pure; any thread. */
#include "config.h"

#include "net/tls_name.h"

#define LABEL_MAX 63

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The byte as a name has it; 0: no name has it. */
static char
name_byte(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c | 0x20);
    if ((c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_' || c == '.')
        return c;
    return '\0';
}

/* Whether browsers take a name with this last label for an IPv4 address. */
static bool
is_number(const char *label, size_t n)
{
    bool hex = n >= 2 && label[0] == '0' && label[1] == 'x';

    for (size_t i = hex ? 2 : 0; i < n; i++) {
        if (!is_digit(label[i]) && !(hex && label[i] >= 'a' && label[i] <= 'f'))
            return false;
    }
    return true;
}

int
tls_name_parse(struct slice s, char out[TLS_NAME_MAX + 1], size_t *n)
{
    size_t label = 0;

    if (s.n > 0 && s.p[s.n - 1] == '.')
        s.n--;
    if (s.n == 0 || s.n > TLS_NAME_MAX)
        return -1;
    for (size_t i = 0; i < s.n; i++) {
        out[i] = name_byte(s.p[i]);
        if (out[i] == '\0')
            return -1;
        if (out[i] == '.') {
            if (i == label)
                return -1;
            label = i + 1;
        } else if (i - label >= LABEL_MAX) {
            return -1;
        }
    }
    if (label == s.n || is_number(out + label, s.n - label))
        return -1;
    out[s.n] = '\0';
    *n = s.n;
    return 0;
}
