/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h1_agree.c: runs llhttp, strictly, over a whole head block and compares what it finds with
 * ours. All its spans are slices of the block, each in one piece because the block is given at
 * once.
 */
#include "config.h"

#include "http/h1_agree_priv.h"

#include <llhttp.h>

#include <string.h>

_Static_assert(LLHTTP_VERSION_MAJOR * 10000 + LLHTTP_VERSION_MINOR * 100 + LLHTTP_VERSION_PATCH >=
                   90201, "llhttp older than 9.2.1 accepts known smuggling payloads");

struct second {
    llhttp_t parser;
    const struct head *head;
    struct slice target;
    unsigned names, values;
    const char *differs;
    bool complete;
};

static struct second *
second_of(llhttp_t *p)
{
    return p->data;
}

static int
differ(struct second *s, const char *what)
{
    s->differs = what;
    return HPE_USER;
}

static bool
same(struct slice ours, const char *at, size_t n)
{
    struct slice theirs = slice_trim((struct slice){at, n});

    return theirs.n == ours.n && (ours.n == 0 || theirs.p == ours.p);
}

static int
on_url(llhttp_t *p, const char *at, size_t n)
{
    struct second *s = second_of(p);

    return same(s->target, at, n) ? 0 : differ(s, "parsers differ on the target");
}

static int
on_name(llhttp_t *p, const char *at, size_t n)
{
    struct second *s = second_of(p);

    if (s->names >= s->head->fields || !same(s->head->field[s->names].name, at, n))
        return differ(s, "parsers differ on a field name");
    s->names++;
    return 0;
}

static int
on_value(llhttp_t *p, const char *at, size_t n)
{
    struct second *s = second_of(p);

    if (s->names == 0 || !same(s->head->field[s->names - 1].value, at, n))
        return differ(s, "parsers differ on a field value");
    return 0;
}

static int
on_value_complete(llhttp_t *p)
{
    second_of(p)->values++;
    return 0;
}

static int
on_complete(llhttp_t *p)
{
    second_of(p)->complete = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_header_field = on_name,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete = on_complete,
};

static const char *
compare(const struct second *s, bool request)
{
    const llhttp_t *p = &s->parser;
    const struct head *h = s->head;
    bool chunked = (p->flags & F_CHUNKED) != 0;
    bool counted = (p->flags & F_CONTENT_LENGTH) != 0;

    if (s->names != h->fields || s->values != h->fields)
        return "parsers differ on the number of fields";
    if (p->http_major * 10 + p->http_minor != h->version)
        return "parsers differ on the version";
    if (!request && p->status_code != h->status)
        return "parsers differ on the status";
    if (chunked != (h->framing == FRAMING_CHUNKED) || counted != (h->framing == FRAMING_LENGTH) ||
        (counted && p->content_length != h->length))
        return "parsers differ on the framing";
    return NULL;
}

const char *
h1_agree(const struct head *head, struct slice block, bool request, struct slice target)
{
    struct second s = {.head = head, .target = target};

    llhttp_init(&s.parser, request ? HTTP_REQUEST : HTTP_RESPONSE, &settings);
    s.parser.data = &s;
    llhttp_errno_t e = llhttp_execute(&s.parser, block.p, block.n);
    if (s.differs)
        return s.differs;
    if (e != HPE_PAUSED || !s.complete)
        return "llhttp refuses it";
    if (llhttp_get_error_pos(&s.parser) != block.p + block.n)
        return "parsers differ on the end of the head";
    return compare(&s, request);
}

bool
h1_agree_method(struct slice method)
{
#define METHOD_NAME(number, name, text) SLICE(#text),
    static const struct slice known[] = {HTTP_METHOD_MAP(METHOD_NAME)};
#undef METHOD_NAME

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (slice_eq(known[i], method))
            return true;
    return false;
}
