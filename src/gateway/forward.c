/* SPDX-License-Identifier: BSD-2-Clause */
/* forward.c: see forward.h. Owner: the exchange's worker. Must not know where the request goes. */
#include "config.h"

#include "gateway/forward.h"

#include <openssl/sha.h>
#include <string.h>
#include <time.h>

#define VIA_MARK "rouse"
#define VIA_LIMIT 3

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

void
forward_token(struct proxy *p)
{
    struct slice t = head_value(&p->ex.req, FIELD_E2B_TRAFFIC_ACCESS_TOKEN);

    if (t.n == 0)
        t = head_value(&p->ex.req, FIELD_ROUSE_ACCESS_TOKEN);
    p->has_token = t.n > 0;
    if (p->has_token)
        SHA256((const unsigned char *)t.p, t.n, p->token);
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

static bool
is_trusted(const struct proxy *p)
{
    const struct listener_config *l = &p->wc->c->listener[p->listener];

    for (unsigned i = 0; i < l->trusted_n; i++)
        if (cidr_has(&l->trusted[i], &p->ex.peer))
            return true;
    return false;
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

/* X-Forwarded-For, -Proto, -Host: appended to for trusted peers, else replaced (RELIABILITY G2). */
static int
identity_fields(struct proxy *p)
{
    struct head *h = &p->ex.req;
    struct arena *a = &p->ex.arena;
    bool trusted = is_trusted(p);
    struct slice proto = SLICE("http"), host = h->host, client;
    char text[ENDPOINT_TEXT];
    struct endpoint peer = p->ex.peer;

    peer.port = 0;
    client = arena_copy(a, slice_of(endpoint_text(&peer, text)));
    if (peer.family == 6 && client.n > 2 && client.p[0] == '[')
        client = slice_sub(client, 1, client.n - 1);
    if (trusted) {
        const struct field *f = head_find(h, FIELD_X_FORWARDED_PROTO);

        client = client.p ? joined_value(h, a, FIELD_X_FORWARDED_FOR, client) : client;
        proto = f ? f->value : proto;
        f = head_find(h, FIELD_X_FORWARDED_HOST);
        host = f ? f->value : host;
    }
    if (!client.p)
        return -1;
    if (!trusted)
        head_remove(h, FIELD_FORWARDED);
    head_remove(h, FIELD_X_REAL_IP);
    if (head_set(h, a, FIELD_X_FORWARDED_FOR, SLICE("X-Forwarded-For"), client) < 0 ||
        head_set(h, a, FIELD_X_FORWARDED_PROTO, SLICE("X-Forwarded-Proto"), proto) < 0 ||
        head_set(h, a, FIELD_X_FORWARDED_HOST, SLICE("X-Forwarded-Host"), host) < 0)
        return -1;
    return 0;
}

int
forward_request(struct proxy *p)
{
    struct head *h = &p->ex.req;
    struct arena *a = &p->ex.arena;
    struct slice mark = h->version == 10 ? SLICE("1.0 " VIA_MARK) : SLICE("1.1 " VIA_MARK);
    struct slice via = joined_value(h, a, FIELD_VIA, mark);
    unsigned dropped = head_strip(h, true);

    if (dropped)
        metric_add(p->ex.loop->metrics, METRIC_UNDERSCORE, dropped);
    head_remove(h, FIELD_E2B_TRAFFIC_ACCESS_TOKEN);
    head_remove(h, FIELD_ROUSE_ACCESS_TOKEN);
    head_remove(h, FIELD_EXPECT);
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

int
forward_answer(struct proxy *p)
{
    struct head *h = &p->ex.resp;

    head_strip(h, false);
    head_remove(h, FIELD_ALT_SVC); /* would speak for more than the sandbox's own host (E12) */
    if (head_set(h, &p->ex.arena, FIELD_X_REQUEST_ID, SLICE("X-Request-Id"),
                 slice_of(p->request_id)) < 0)
        return -1;
    return p->woken ? add_server_timing(p) : 0;
}
