/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * h2_head.c: from decoded fields to a head, and from a head to fields. What nghttp2 has judged
 * already: order and number of pseudo fields, bytes of names and values, fields that belong to a
 * connection, te, lengths. What it lets through is judged here, with the means of HTTP/1: one
 * host, one form of target, one way of framing (RELIABILITY D1-D6). Pure.
 */
#include "config.h"

#include "http/h2_head_priv.h"

#include "http/field_priv.h"
#include "http/h1_valid_priv.h"
#include "http/host.h"
#include "http/octet.h"
#include "http/tunnel.h"

#include <string.h>

#define TRAILERS_MAX 32
#define TRAILER_BYTES 8192
#define SPARE 2 /* fields: held requests are many; what is added on the way gets its room then */

static struct slice
text_of(nghttp2_rcbuf *r)
{
    nghttp2_vec v = nghttp2_rcbuf_get_buf(r);

    return (struct slice){(const char *)v.base, v.len};
}

static bool
is_pseudo(struct slice name)
{
    return name.n > 0 && name.p[0] == ':';
}

/* --- fields to a head ----------------------------------------------------------------------- */

/* 0, or -1: out of memory. Known names need no copy. */
static int
copy_pair(struct field *f, const struct h2_pair *pair, struct arena *a)
{
    struct slice name = text_of(pair->name);
    enum field_id id = name.n > 0 ? field_lookup(name.p, name.n) : FIELD_OTHER;

    f->id = (uint16_t)id;
    f->plain = id != FIELD_OTHER || slice_index(name, '_') < 0;
    f->name = id != FIELD_OTHER ? field_name_of(id) : arena_copy(a, name);
    f->value = arena_copy(a, text_of(pair->value));
    return f->name.p && f->value.p ? 0 : -1;
}

/* All crumbs in one (RFC 9113 section 8.2.3). */
static int
join_crumbs(const struct h2_block *b, struct field *f, struct arena *a)
{
    size_t size = 0, at = 0;
    char *text;

    for (uint32_t i = 0; i < b->n; i++)
        if (slice_eq(text_of(b->pair[i].name), SLICE("cookie")))
            size += text_of(b->pair[i].value).n + 2;
    text = arena_bytes(a, size);
    if (!text)
        return -1;
    for (uint32_t i = 0; i < b->n; i++) {
        struct slice v = text_of(b->pair[i].value);

        if (!slice_eq(text_of(b->pair[i].name), SLICE("cookie")))
            continue;
        if (at > 0) {
            memcpy(text + at, "; ", 2);
            at += 2;
        }
        memcpy(text + at, v.p, v.n);
        at += v.n;
    }
    *f = (struct field){.name = field_name_of(FIELD_COOKIE), .value = {text, at},
                        .id = FIELD_COOKIE, .plain = true};
    return 0;
}

static int
take_pair(const struct h2_block *b, struct head *h, struct arena *a, uint32_t i, bool *crumbs)
{
    struct field *f = &h->field[h->fields];

    if (is_pseudo(text_of(b->pair[i].name)))
        return 0;
    if (b->crumbs > 1 && slice_eq(text_of(b->pair[i].name), SLICE("cookie"))) {
        if (*crumbs)
            return 0;
        *crumbs = true;
        h->fields++;
        return join_crumbs(b, f, a);
    }
    h->fields++;
    return copy_pair(f, &b->pair[i], a);
}

int
h2_head_fields(const struct h2_block *b, struct head *h, struct arena *a, unsigned spare)
{
    unsigned cap = b->fields + spare;
    bool crumbs = false;

    if (cap == 0)
        return 0;
    h->field = arena_alloc(a, cap * sizeof(*h->field));
    if (!h->field)
        return -1;
    h->fields = 0;
    h->fields_cap = (uint16_t)cap;
    for (uint32_t i = 0; i < b->n; i++)
        if (take_pair(b, h, a, i, &crumbs) < 0)
            return -1;
    return 0;
}

int
h2_head_trailers(const struct h2_block *b, struct arena *a, struct field **f)
{
    *f = NULL;
    if (b->why != REASON_NONE || b->n > TRAILERS_MAX || b->bytes > TRAILER_BYTES)
        return -1;
    if (b->n == 0)
        return 0;
    *f = arena_alloc(a, b->n * sizeof(**f));
    if (!*f)
        return -1;
    for (uint32_t i = 0; i < b->n; i++)
        if (copy_pair(&(*f)[i], &b->pair[i], a) < 0)
            return -1;
    return (int)b->n;
}

/* --- a request's head ----------------------------------------------------------------------- */

struct request {
    const struct h2_block *b;
    const struct h2_options *o;
    struct head *h;
    struct arena *a;
    struct h1_facts facts;
    bool tls;
};

static int
refuse(struct h1_verdict *v, enum reason reason, const char *detail)
{
    *v = (struct h1_verdict){reason, detail};
    return -1;
}

static struct slice
copy(const struct request *r, struct slice s, struct h1_verdict *v)
{
    struct slice made = arena_copy(r->a, s);

    if (!made.p)
        refuse(v, REASON_OUT_OF_MEMORY, "out of memory");
    return made;
}

/* RFC 8441: the model of what asks for a tunnel is HTTP/1's. */
static int
judge_connect(struct request *r, struct h1_verdict *v)
{
    struct slice protocol = h2_block_pseudo(r->b, SLICE(":protocol"));

    if (!protocol.p)
        return refuse(v, REASON_METHOD_NOT_ALLOWED, "method is not allowed");
    if (!slice_eq(protocol, SLICE("websocket")))
        return refuse(v, REASON_NOT_IMPLEMENTED, "unknown protocol to connect to");
    r->h->method = METHOD_GET;
    r->h->method_text = SLICE("GET");
    r->h->upgrade = true;
    return 0; /* its Upgrade field is added behind the others */
}

static int
judge_method(struct request *r, struct h1_verdict *v)
{
    struct slice text = h2_block_pseudo(r->b, SLICE(":method"));
    enum method m = method_of(text);

    if (m == METHOD_CONNECT)
        return judge_connect(r, v);
    text = copy(r, text, v);
    if (!text.p || h1_valid_method(r->h, text, v) < 0)
        return -1;
    return 0;
}

static int
judge_scheme(const struct request *r, struct h1_verdict *v)
{
    struct slice scheme = h2_block_pseudo(r->b, SLICE(":scheme"));

    if (!slice_ieq(scheme, r->tls ? SLICE("https") : SLICE("http")))
        return refuse(v, REASON_REQUEST_INVALID, "scheme");
    return 0;
}

static int
judge_path(struct request *r, struct h1_verdict *v)
{
    struct slice path = h2_block_pseudo(r->b, SLICE(":path"));

    if (path.n == 0 || !octet_all_target(path))
        return refuse(v, REASON_REQUEST_INVALID, "byte in the target");
    if (path.p[0] != '/' && !(slice_eq(path, SLICE("*")) && r->h->method == METHOD_OPTIONS))
        return refuse(v, REASON_REQUEST_INVALID, "form of the target");
    r->h->target = copy(r, path, v);
    return r->h->target.p ? 0 : -1;
}

/* :authority, or else Host; both must name the same. */
static int
judge_host(struct request *r, struct h1_verdict *v)
{
    struct slice authority = h2_block_pseudo(r->b, SLICE(":authority"));
    struct host host, named;

    if (!authority.p && r->facts.hosts == 0)
        return refuse(v, REASON_BAD_HOST, "no host");
    if (r->facts.hosts > 1)
        return refuse(v, REASON_BAD_HOST, "repeated host");
    if (host_parse(authority.p ? authority : r->facts.host, &host) != 0)
        return refuse(v, REASON_BAD_HOST, "host");
    if (authority.p && r->facts.hosts == 1 &&
        (host_parse(r->facts.host, &named) != 0 || !host_same(&host, &named)))
        return refuse(v, REASON_BAD_HOST, "host differs from :authority");
    r->h->host = authority.p ? copy(r, authority, v) : r->facts.host;
    return r->h->host.p ? 0 : -1;
}

static int
gather_facts(struct request *r, struct h1_verdict *v)
{
    for (unsigned i = 0; i < r->h->fields; i++) {
        const struct field *f = &r->h->field[i];

        if ((field_known[f->id].traits & JUDGED) == 0)
            continue;
        /* nghttp2 refuses them; should it ever not do so, we must not read a meaning into them */
        if (f->id == FIELD_CONNECTION || f->id == FIELD_TRANSFER_ENCODING ||
            f->id == FIELD_UPGRADE)
            return refuse(v, REASON_REQUEST_INVALID, "field of a connection");
        if (h1_valid_note(&r->facts, f) != 0)
            return refuse(v, REASON_REQUEST_INVALID, "field");
    }
    return 0;
}

static int
judge_framing(struct request *r, bool end, struct h1_verdict *v)
{
    struct head *h = r->h;

    if (h1_valid_framing(h, &r->facts, v) != 0)
        return -1;
    if (h->upgrade) {
        v->detail = "CONNECT with END_STREAM";
        v->reason = end ? REASON_REQUEST_INVALID : tunnel_judge(h, false, &v->detail);
        if (v->reason != REASON_NONE)
            return -1;
        if (head_add(h, r->a, FIELD_UPGRADE, SLICE("upgrade"), SLICE("websocket")) < 0)
            return refuse(v, REASON_OUT_OF_MEMORY, "out of memory");
    } else if (h->framing == FRAMING_NONE && !end) {
        h->framing = FRAMING_CHUNKED; /* it ends when it ends */
    }
    return 0;
}

static int
judge_request(struct request *r, bool end, struct h1_verdict *v)
{
    struct head *h = r->h;

    if (judge_method(r, v) != 0 || judge_scheme(r, v) != 0 || judge_path(r, v) != 0)
        return -1;
    if (h2_head_fields(r->b, h, r->a, SPARE) != 0)
        return refuse(v, REASON_OUT_OF_MEMORY, "out of memory");
    if (gather_facts(r, v) != 0 || judge_host(r, v) != 0 || judge_framing(r, end, v) != 0)
        return -1;
    h->te_trailers = r->facts.te_trailers;
    h->keep_alive = true;
    return h1_valid_expect(h, &r->facts, v);
}

enum reason
h2_head_request(const struct h2_block *b, const struct h2_options *o, bool tls, bool end,
                struct head *h, struct arena *a, const char **detail)
{
    struct h1_verdict v = {REASON_NONE, NULL};
    struct request r = {.b = b, .o = o, .h = h, .a = a, .tls = tls};

    head_init(h);
    h->version = 20;
    if (judge_request(&r, end, &v) != 0)
        *detail = v.detail;
    return v.reason;
}

/* --- a head to fields ----------------------------------------------------------------------- */

size_t
h2_head_nv(nghttp2_nv *nv, size_t n, size_t max, const struct field *f, unsigned fields)
{
    for (unsigned i = 0; i < fields; i++) {
        const struct slice name = f[i].name, value = f[i].value;

        if ((field_known[f[i].id].traits & HOP) != 0 || f[i].id == FIELD_HOST ||
            f[i].id == FIELD_CONTENT_LENGTH)
            continue;
        if (n == max || name.n == 0 || octet_find_control(value.p, value.n) < value.n)
            return 0;
        nv[n++] = (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name.p,
                               .value = (uint8_t *)(uintptr_t)value.p,
                               .namelen = name.n, .valuelen = value.n};
    }
    return n;
}
