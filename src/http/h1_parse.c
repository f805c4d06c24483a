/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h1_parse.c: start lines, and what a head as a whole must be. The validator cuts and judges;
 * llhttp is asked for a second opinion wherever a reader that disagreed could find another
 * message: requests that carry a body, answers in chunks.
 */
#include "config.h"

#include "http/h1_parse.h"

#include "http/h1_agree_priv.h"
#include "http/h1_valid_priv.h"
#include "http/host.h"
#include "http/octet.h"
#include "http/octet_priv.h"

#include <string.h>

#define VERSION_SIZE 8 /* "HTTP/1.1" */

struct start {
    struct slice method, target, version;
};

static int
refuse(struct h1_verdict *v, enum reason reason, const char *detail)
{
    *v = (struct h1_verdict){reason, detail};
    return -1;
}

/*
 * The line from p, without its CRLF; *rest is what follows. n == 0 with p == NULL: there is
 * none.
 */
static struct slice
first_line(const char *p, const char *end, const char **rest)
{
    const char *cr = memchr(p, '\r', (size_t)(end - p));

    if (!cr || cr + 2 > end || cr[1] != '\n')
        return SLICE_NONE;
    *rest = cr + 2;
    return (struct slice){p, (size_t)(cr - p)};
}

/*
 * method SP target SP version, with single spaces: the target holds none, and a version has
 * VERSION_SIZE bytes.
 */
static int
cut_start(struct slice line, struct start *s)
{
    size_t method = octet_find(line.p, line.n, ' ');

    if (method == 0 || line.n < method + 1 + 1 + 1 + VERSION_SIZE)
        return -1;
    size_t target = line.n - method - 2 - VERSION_SIZE;
    s->method = (struct slice){line.p, method};
    s->target = (struct slice){line.p + method + 1, target};
    s->version = (struct slice){line.p + line.n - VERSION_SIZE, VERSION_SIZE};
    return s->version.p[-1] == ' ' ? 0 : -1;
}

static int
judge_start(struct head *h, struct slice line, struct slice *target, struct h1_verdict *v)
{
    struct start s;

    if (cut_start(line, &s) != 0)
        return refuse(v, REASON_REQUEST_INVALID, "request line");
    if (!octet_all_target(s.target))
        return refuse(v, REASON_REQUEST_INVALID, "byte in the target");
    uint8_t version = h1_valid_version(s.version);
    if (version < 10)
        return version == 0 ? refuse(v, REASON_REQUEST_INVALID, "protocol version")
                            : refuse(v, REASON_VERSION_UNSUPPORTED, "HTTP version");
    h->version = version;
    *target = s.target;
    return h1_valid_method(h, s.method, v);
}

/* "http://host:port/path?query" to its origin-form; the authority must be the Host. */
static int
judge_absolute(struct head *h, struct arena *a, struct slice target, const struct host *host,
               struct h1_verdict *v)
{
    struct host named;
    size_t scheme = slice_istarts(target, SLICE("http://"))    ? 7
                    : slice_istarts(target, SLICE("https://")) ? 8
                                                               : 0;

    if (scheme == 0)
        return refuse(v, REASON_REQUEST_INVALID, "form of the target");
    size_t end = scheme;
    while (end < target.n && target.p[end] != '/' && target.p[end] != '?')
        end++;
    if (host_parse(slice_sub(target, scheme, end), &named) != 0 || !host_same(&named, host))
        return refuse(v, REASON_REQUEST_INVALID, "authority of the target is not the host");

    h->target = slice_sub(target, end, target.n);
    if (h->target.n == 0) {
        h->target = h->method == METHOD_OPTIONS ? SLICE("*") : SLICE("/");
    } else if (h->target.p[0] == '?') {
        char *text = arena_bytes(a, h->target.n + 1);
        if (!text)
            return refuse(v, REASON_OUT_OF_MEMORY, "out of memory");
        text[0] = '/';
        memcpy(text + 1, h->target.p, h->target.n);
        h->target = (struct slice){text, h->target.n + 1};
    }
    return 0;
}

static int
judge_target(struct head *h, struct arena *a, struct slice target, const struct host *host,
             struct h1_verdict *v)
{
    h->target = target;
    if (target.p[0] == '/')
        return 0;
    if (target.n == 1 && target.p[0] == '*')
        return h->method == METHOD_OPTIONS
                   ? 0
                   : refuse(v, REASON_REQUEST_INVALID, "asterisk without OPTIONS");
    return judge_absolute(h, a, target, host, v);
}

static int
judge_host(struct head *h, const struct h1_facts *facts, struct host *host, struct h1_verdict *v)
{
    if (facts->hosts != 1)
        return refuse(v, REASON_BAD_HOST, facts->hosts == 0 ? "no host" : "repeated host");
    if (host_parse(facts->host, host) != 0)
        return refuse(v, REASON_BAD_HOST, "host");
    h->host = facts->host;
    return 0;
}

static void
take_facts(struct head *h, const struct h1_facts *facts)
{
    h->keep_alive = !facts->close && (h->version >= 11 || facts->keep_alive);
    h->upgrade = h->version >= 11 && facts->upgrade && facts->has_upgrade;
    h->te_trailers = facts->te_trailers;
}

static int
parse_request(struct head *h, struct arena *a, struct slice block, struct h1_verdict *v)
{
    struct h1_facts facts = {0};
    struct host host;
    struct slice target;
    const char *end = block.p + block.n, *p = block.p;

    struct slice line = first_line(block.p, end, &p);
    if (line.p && line.n == 0)
        line = first_line(p, end, &p);
    if (judge_start(h, line, &target, v) != 0)
        return -1;
    p = h1_valid_fields(h, a, p, end, &facts, v);
    if (!p)
        return -1;
    if (p != end)
        return refuse(v, REASON_REQUEST_INVALID, "bytes behind the head");
    if (judge_host(h, &facts, &host, v) != 0 || judge_target(h, a, target, &host, v) != 0 ||
        h1_valid_framing(h, &facts, v) != 0 || h1_valid_expect(h, &facts, v) != 0)
        return -1;
    take_facts(h, &facts);
    if (h->framing != FRAMING_NONE) {
        const char *objection = h1_agree(h, block, true, target);
        if (objection)
            return refuse(v, REASON_REQUEST_INVALID, objection);
    }
    return 0;
}

enum reason
h1_parse_request(struct head *h, struct arena *a, struct slice block, const char **detail)
{
    struct h1_verdict v = {REASON_NONE, NULL};

    head_init(h);
    if (parse_request(h, a, block, &v) != 0)
        *detail = v.detail;
    return v.reason;
}

/* HTTP/1.x SP 3DIGIT [SP [phrase]] */
static int
judge_status(struct head *h, struct slice line, struct h1_verdict *v)
{
    unsigned status = 0;

    h->version = h1_valid_version(slice_sub(line, 0, 8));
    if (h->version < 10)
        return refuse(v, REASON_UPSTREAM_MALFORMED, "protocol version");
    if (line.n < 12 || line.p[8] != ' ' || (line.n > 12 && line.p[12] != ' ') ||
        !octet_all(slice_sub(line, 9, 12), OCTET_DIGIT))
        return refuse(v, REASON_UPSTREAM_MALFORMED, "status line");
    for (size_t i = 9; i < 12; i++)
        status = status * 10 + (unsigned)(line.p[i] - '0');
    if (status < 100 || status > 599)
        return refuse(v, REASON_UPSTREAM_MALFORMED, "status code");
    h->status = (uint16_t)status;
    h->phrase = slice_sub(line, line.n < 13 ? line.n : 13, line.n);
    return 0;
}

static int
parse_answer(struct head *h, struct arena *a, struct slice block, const struct head *request,
             struct h1_verdict *v)
{
    struct h1_facts facts = {0};
    const char *end = block.p + block.n, *p = block.p;

    if (judge_status(h, first_line(block.p, end, &p), v) != 0)
        return -1;
    p = h1_valid_fields(h, a, p, end, &facts, v);
    if (!p)
        return -1;
    if (p != end)
        return refuse(v, REASON_UPSTREAM_MALFORMED, "bytes behind the head");
    if (h1_valid_framing(h, &facts, v) != 0)
        return -1;
    take_facts(h, &facts);
    if (h->framing == FRAMING_CHUNKED) {
        const char *objection = h1_agree(h, block, false, SLICE_NONE);
        if (objection)
            return refuse(v, REASON_UPSTREAM_MALFORMED, objection);
    }
    if (h->status < 200 || h->status == 204) {
        /* Who announces a body here may send one: it would be read as the next answer. */
        if (h->framing == FRAMING_CHUNKED || h->length > 0)
            h->keep_alive = false;
        h->framing = FRAMING_NONE;
        h->length = 0;
    } else if (h->framing == FRAMING_NONE && !head_bodiless(h, request->method)) {
        h->framing = FRAMING_CLOSE;
        h->keep_alive = false;
    }
    return 0;
}

enum reason
h1_parse_answer(struct head *h, struct arena *a, struct slice block, const struct head *request,
                const char **detail)
{
    struct h1_verdict v = {REASON_NONE, NULL};

    head_init(h);
    if (parse_answer(h, a, block, request, &v) == 0)
        return REASON_NONE;
    *detail = v.detail;
    return v.reason == REASON_OUT_OF_MEMORY ? v.reason : REASON_UPSTREAM_MALFORMED;
}
