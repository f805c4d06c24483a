/* SPDX-License-Identifier: BSD-2-Clause */
/* forward.c: see forward.h. Owner: the exchange's worker. Must not know where the request goes. */
#include "config.h"

#include "gateway/forward.h"
#include "gateway/caller.h"
#include "gateway/foreign.h"
#include "gateway/subprotocol.h"
#include "http/host.h"

#include <openssl/sha.h>
#include <string.h>
#include <time.h>

#define VIA_MARK "rouse"
#define VIA_LIMIT 3
/* Shorter holds without a wake are questions to control, and nothing to tell of. */
#define HOLD_TOLD (10 * USEC_MS)

static bool
is_hex32(struct slice s)
{
    if (s.n != REQUEST_ID_LEN)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
            return false;
    return true;
}

/* RFC 9562 section 5.7: 48 bits of Unix milliseconds, then random, version 7, variant 10. */
void
forward_new_id(struct random *r, char *out)
{
    static const char digit[] = "0123456789abcdef";
    struct timespec t;
    uint64_t hi, lo = random_u64(r), ms;

    clock_gettime(CLOCK_REALTIME_COARSE, &t);
    ms = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
    hi = ms << 16 | 0x7000 | (random_u64(r) & 0xfff);
    lo = (lo & 0x3fffffffffffffff) | 0x8000000000000000;
    for (int i = 15; i >= 0; i--, hi >>= 4)
        out[i] = digit[hi & 15];
    for (int i = 31; i >= 16; i--, lo >>= 4)
        out[i] = digit[lo & 15];
    out[REQUEST_ID_LEN] = '\0';
}

void
forward_request_id(struct proxy *p)
{
    struct slice given = head_value(&p->ex.req, FIELD_X_REQUEST_ID);

    if (is_hex32(given))
        slice_copy(given, p->request_id, sizeof(p->request_id));
    else
        forward_new_id(&p->ex.loop->random, p->request_id);
}

int
forward_token(struct proxy *p)
{
    uint8_t *digest;
    struct slice t = head_value(&p->ex.req, FIELD_E2B_TRAFFIC_ACCESS_TOKEN);

    if (t.n == 0)
        t = head_value(&p->ex.req, FIELD_ROUSE_ACCESS_TOKEN);
    if (t.n == 0 && p->ex.req.upgrade)
        t = subprotocol_token(&p->ex.req);
    if (t.n == 0)
        return 0;
    digest = arena_alloc(&p->ex.arena, TOKEN_DIGEST);
    if (!digest)
        return -1;
    SHA256((const unsigned char *)t.p, t.n, digest);
    p->token = digest;
    return 0;
}

/* Does one member of Via ("1.1 rouse", "HTTP/1.1 rouse (comment)") carry our mark? */
static bool
is_our_via(struct slice member)
{
    ptrdiff_t blank = slice_index(member, ' ');
    struct slice by = slice_trim(slice_sub(member, (size_t)(blank + 1), member.n));

    blank = slice_index(by, ' ');
    return slice_eq(blank < 0 ? by : slice_sub(by, 0, (size_t)blank), SLICE(VIA_MARK));
}

bool
forward_is_loop(const struct head *h)
{
    unsigned seen = 0;

    for (unsigned i = 0; i < h->fields; i++) {
        struct slice rest = h->field[i].value, one;

        if (h->field[i].id != FIELD_VIA)
            continue;
        while (slice_next(&rest, ',', &one))
            seen += is_our_via(one);
    }
    return seen >= VIA_LIMIT;
}

void
forward_source(const struct endpoint *peer, uint8_t source[16])
{
    memset(source, 0, 16);
    if (peer->family == 6)
        memcpy(source, peer->ip, 8);
    else {
        source[10] = source[11] = 0xff;
        memcpy(source + 12, peer->ip, 4);
    }
}

/* All values of a field and then last as one list, in the arena; .p is NULL without memory. */
static struct slice
joined_value(const struct head *h, struct arena *a, enum field_id id, struct slice last)
{
    struct slice all = {NULL, last.n};
    char *to;

    for (unsigned i = 0; i < h->fields; i++)
        if (h->field[i].id == id && h->field[i].value.n > 0)
            all.n += h->field[i].value.n + 2;
    if (all.n == last.n)
        return last;
    to = arena_bytes(a, all.n);
    all.p = to;
    for (unsigned i = 0; to && i < h->fields; i++) {
        struct slice one = h->field[i].value;

        if (h->field[i].id != id || one.n == 0)
            continue;
        memcpy(to, one.p, one.n);
        memcpy(to + one.n, ", ", 2);
        to += one.n + 2;
    }
    if (to)
        memcpy(to, last.p, last.n);
    return all;
}

void
forward_caller(struct proxy *p)
{
    struct caller c;

    caller_find(&c, &p->ex.req, &p->wc->c->listener[p->listener], &p->ex.peer, p->https);
    p->client = c.client;
}

/* A hop as X-Forwarded-For has it: IPv6 without brackets. */
static struct slice
hop_text(struct arena *a, const struct endpoint *hop)
{
    char text[ENDPOINT_TEXT];
    struct endpoint e = *hop;

    e.port = 0;
    return e.family ? arena_copy(a, slice_of(endpoint_text(&e, text))) : SLICE("unknown");
}

/* RFC 7239: the hop that we are the end of: for, host and proto of what came here. */
static struct slice
forwarded_element(struct proxy *p)
{
    char text[2 * ENDPOINT_TEXT + HOST_MAX + 64];
    struct endpoint peer = p->ex.peer;
    struct buf b;

    peer.port = 0;
    buf_init_fixed(&b, text, sizeof(text));
    buf_add_str(&b, peer.family == 6 ? "for=\"[" : "for=");
    if (peer.family)
        endpoint_add(&b, &peer);
    else
        buf_add_str(&b, "unknown");
    buf_add_str(&b, peer.family == 6 ? "]\"" : "");
    buf_printf(&b, ";host=\"%.*s\";proto=%s", SLICE_ARG(p->ex.req.host),
               p->https ? "https" : "http");
    return arena_copy(&p->ex.arena, b.full ? SLICE("for=unknown") : buf_slice(&b));
}

/* The list of hops; a client that only Forwarded names stands in it too. */
static struct slice
hops_of(struct proxy *p, const struct caller *c)
{
    struct arena *a = &p->ex.arena;
    struct head *h = &p->ex.req;
    struct slice peer = hop_text(a, &p->ex.peer), client;

    if (!peer.p || !c->trusted)
        return peer;
    if (c->forwarded && !c->listed) {
        client = hop_text(a, &c->client);
        if (!client.p || head_set(h, a, FIELD_X_FORWARDED_FOR, SLICE("X-Forwarded-For"),
                                  client) < 0)
            return SLICE_NONE;
    }
    return joined_value(h, a, FIELD_X_FORWARDED_FOR, peer);
}

/* What is ours to say; of a stranger also X-Forwarded-Port and its kin. */
static void
remove_claims(struct head *h, bool trusted)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < h->fields; i++) {
        const struct field *f = &h->field[i];

        if (f->id == FIELD_FORWARDED || field_traits_of(f->id) & OURS ||
            (f->id == FIELD_OTHER && !trusted && slice_istarts(f->name, SLICE("x-forwarded-"))))
            continue;
        if (kept != i)
            h->field[kept] = *f;
        kept++;
    }
    h->fields = (uint16_t)kept;
}

/*
 * X-Forwarded-For, -Proto, -Host and Forwarded: appended to for trusted peers, else replaced or
 * removed (RELIABILITY G2). A Forwarded that is not believed goes, whoever sent it: whoever reads
 * it behind us would take our name for a promise.
 */
static int
identity_fields(struct proxy *p)
{
    struct head *h = &p->ex.req;
    struct arena *a = &p->ex.arena;
    struct caller c;
    struct slice hops, forwarded = SLICE_NONE;

    caller_find(&c, h, &p->wc->c->listener[p->listener], &p->ex.peer, p->https);
    hops = hops_of(p, &c);
    if (c.forwarded) {
        forwarded = forwarded_element(p);
        if (forwarded.p)
            forwarded = joined_value(h, a, FIELD_FORWARDED, forwarded);
    }
    if (!hops.p || (c.forwarded && !forwarded.p))
        return -1;
    remove_claims(h, c.trusted);
    if (c.forwarded &&
        head_add(h, a, FIELD_FORWARDED, SLICE("Forwarded"), forwarded) < 0)
        return -1;
    if (head_add(h, a, FIELD_X_FORWARDED_FOR, SLICE("X-Forwarded-For"), hops) < 0 ||
        head_add(h, a, FIELD_X_FORWARDED_PROTO, SLICE("X-Forwarded-Proto"),
                 c.https ? SLICE("https") : SLICE("http")) < 0 ||
        head_add(h, a, FIELD_X_FORWARDED_HOST, SLICE("X-Forwarded-Host"),
                 c.host.n > 0 ? c.host : h->host) < 0)
        return -1;
    return 0;
}

/* RFC 9110 section 7.6.3: the protocol in which it came here. */
static struct slice
via_mark(uint8_t version)
{
    if (version == 20)
        return SLICE("2.0 " VIA_MARK);
    return version == 10 ? SLICE("1.0 " VIA_MARK) : SLICE("1.1 " VIA_MARK);
}

int
forward_request(struct proxy *p)
{
    struct head *h = &p->ex.req;
    struct arena *a = &p->ex.arena;
    struct slice via = joined_value(h, a, FIELD_VIA, via_mark(h->version));
    unsigned dropped = head_strip(h, true);

    if (dropped)
        metric_add(p->ex.loop->metrics, METRIC_UNDERSCORE, dropped);
    head_remove(h, FIELD_E2B_TRAFFIC_ACCESS_TOKEN);
    head_remove(h, FIELD_ROUSE_ACCESS_TOKEN);
    head_remove(h, FIELD_EXPECT);
    if (h->upgrade && subprotocol_strip(h, a, &p->subprotocol) < 0)
        return -1;
    if (identity_fields(p) < 0)
        return -1;
    if (!via.p || head_set(h, a, FIELD_VIA, SLICE("Via"), via) < 0)
        return -1;
    return head_set(h, a, FIELD_X_REQUEST_ID, SLICE("X-Request-Id"), slice_of(p->request_id));
}

static int
add_server_timing(struct proxy *p)
{
    char text[128];
    struct buf b;
    struct slice copy;
    usec_t port = p->woken_at > 0 && p->ex.sent > p->woken_at ? p->ex.sent - p->woken_at : 0;

    buf_init_fixed(&b, text, sizeof(text));
    buf_printf(&b, "hold;dur=%lld.%lld", (long long)(p->held_for / 1000),
               (long long)(p->held_for % 1000 / 100));
    if (p->wake_took > 0)
        buf_printf(&b, ", wake;dur=%lld.%lld", (long long)(p->wake_took / 1000),
                   (long long)(p->wake_took % 1000 / 100));
    if (port > 0)
        buf_printf(&b, ", port;dur=%lld.%lld", (long long)(port / 1000),
                   (long long)(port % 1000 / 100));
    copy = arena_copy(&p->ex.arena, buf_slice(&b));
    return copy.p ? head_add(&p->ex.resp, &p->ex.arena, FIELD_SERVER_TIMING,
                             SLICE("Server-Timing"), copy)
                  : -1;
}

/* RFC 9209: each hop adds itself at the end; so the last word is ours, not the sandbox's. */
static int
add_proxy_status(struct proxy *p)
{
    char text[48];
    struct buf b;
    struct slice copy;

    buf_init_fixed(&b, text, sizeof(text));
    buf_printf(&b, "rouse; received-status=%u", p->ex.resp.status);
    copy = arena_copy(&p->ex.arena, buf_slice(&b));
    return copy.p ? head_add(&p->ex.resp, &p->ex.arena, FIELD_PROXY_STATUS, SLICE("Proxy-Status"),
                             copy)
                  : -1;
}

int
forward_interim(struct proxy *p)
{
    struct head *h = &p->ex.resp;

    head_strip(h, false);
    return p->site->foreign_pass ? 0 : foreign_strip(h, &p->ex.arena, p->ex.req.host);
}

int
forward_answer(struct proxy *p)
{
    struct head *h = &p->ex.resp;

    head_strip(h, false);
    if (!p->site->foreign_pass && foreign_strip(h, &p->ex.arena, p->ex.req.host) < 0)
        return -1;
    if (head_set(h, &p->ex.arena, FIELD_X_REQUEST_ID, SLICE("X-Request-Id"),
                 slice_of(p->request_id)) < 0)
        return -1;
    if (subprotocol_answer(h, &p->ex.arena, p->subprotocol) < 0)
        return -1;
    if (head_find(h, FIELD_PROXY_STATUS) && add_proxy_status(p) < 0)
        return -1;
    return p->woken || p->held_for >= HOLD_TOLD ? add_server_timing(p) : 0;
}
