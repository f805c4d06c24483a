/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_caller.c: X-Forwarded-* and Forwarded by a trusted proxy: lines "F...", "X...", "P...",
 * "H..." are values of the four. Whatever they are: the client is the peer or one they name; what a
 * client writes before what the proxy adds changes nothing; a Forwarded that is believed still
 * reads the same when it is one hop longer.
 */
#include "config.h"

#include "gateway/caller.h"
#include "gateway/forwarded.h"

#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FIELDS 16

struct lines {
    struct field field[FIELDS];
    struct head head;
};

static void
read_lines(struct lines *l, struct slice in)
{
    struct slice line;

    memset(l, 0, sizeof(*l));
    l->head.field = l->field;
    while (slice_next(&in, '\n', &line) && l->head.fields < FIELDS) {
        enum field_id id = FIELD_FORWARDED;

        if (line.n == 0)
            continue;
        if (line.p[0] == 'X')
            id = FIELD_X_FORWARDED_FOR;
        else if (line.p[0] == 'P')
            id = FIELD_X_FORWARDED_PROTO;
        else if (line.p[0] == 'H')
            id = FIELD_X_FORWARDED_HOST;
        l->field[l->head.fields++] = (struct field){
            .name = field_name_of(id),
            .value = slice_trim(slice_sub(line, 1, line.n)),
            .id = (uint16_t)id,
        };
    }
}

/* The values of one field as one list, between before and behind. */
static struct slice
one_list(struct buf *b, const struct head *h, enum field_id id, const char *before,
         const char *behind)
{
    buf_clear(b);
    buf_add_str(b, before);
    for (const struct field *f = head_find(h, id); f; f = head_find_next(h, f)) {
        if (b->n > 0)
            buf_add_str(b, ", ");
        buf_add_slice(b, f->value);
    }
    if (behind[0] && b->n > 0)
        buf_add_str(b, ", ");
    buf_add_str(b, behind);
    ensure(!b->full);
    return buf_slice(b);
}

static struct caller
alone(const struct listener_config *l, const struct endpoint *peer, enum field_id id,
      struct slice value)
{
    struct field f = {.name = field_name_of(id), .value = value, .id = (uint16_t)id};
    struct head h = {.field = &f, .fields = 1};
    struct caller c;

    caller_find(&c, &h, l, peer, false);
    return c;
}

static void
check_listed(struct buf *b, const struct listener_config *l, const struct endpoint *peer,
             const struct head *h)
{
    struct caller c = alone(l, peer, FIELD_X_FORWARDED_FOR,
                            one_list(b, h, FIELD_X_FORWARDED_FOR, "", ""));
    struct caller more;

    if (!c.listed)
        return;
    if (!listener_trusts(l, &c.client)) {
        more = alone(l, peer, FIELD_X_FORWARDED_FOR,
                     one_list(b, h, FIELD_X_FORWARDED_FOR, "203.0.113.66", ""));
        ensure(endpoint_eq(&c.client, &more.client));
    }
    more = alone(l, peer, FIELD_X_FORWARDED_FOR,
                 one_list(b, h, FIELD_X_FORWARDED_FOR, "", "192.0.2.1"));
    ensure(more.client.family == 4 && more.client.ip[0] == 192);
}

static void
check_forwarded(struct buf *b, const struct listener_config *l, const struct endpoint *peer,
                const struct head *h)
{
    struct caller c =
        alone(l, peer, FIELD_FORWARDED, one_list(b, h, FIELD_FORWARDED, "", "")), more;

    if (!c.forwarded)
        return;
    if (!listener_trusts(l, &c.client)) {
        more = alone(l, peer, FIELD_FORWARDED,
                     one_list(b, h, FIELD_FORWARDED, "for=203.0.113.66;proto=https", ""));
        ensure(endpoint_eq(&c.client, &more.client) && c.https == more.https);
    }
    more = alone(l, peer, FIELD_FORWARDED,
                 one_list(b, h, FIELD_FORWARDED, "", "for=192.0.2.1;host=\"a:1\";proto=https"));
    ensure(more.forwarded && more.https && more.client.family == 4 && more.client.ip[0] == 192);
    ensure(slice_eq(more.host, SLICE("a:1")));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct listener_config l = {.trusted_n = 1};
    struct endpoint peer = {4, 4711, {10, 0, 0, 1}};
    struct lines in;
    struct caller c;
    struct buf b;

    if (size > 65536 || cidr_parse(SLICE("10.0.0.0/8"), &l.trusted[0]) < 0)
        return 0;
    read_lines(&in, (struct slice){(const char *)data, size});
    caller_find(&c, &in.head, &l, &peer, false);
    ensure(c.trusted && c.client.family && c.client.port == 0);
    ensure(c.listed || c.forwarded || memcmp(c.client.ip, peer.ip, 4) == 0);
    buf_init(&b, 262144);
    check_listed(&b, &l, &peer, &in.head);
    check_forwarded(&b, &l, &peer, &in.head);
    buf_fini(&b);
    return 0;
}
