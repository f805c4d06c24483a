/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mail.c: messages as flat bytes for the mailbox and back. Both ends are one process: numbers
 * travel in the machine's own form; only texts and ids are cut to their length.
 */
#include "config.h"

#include "sandbox/mail.h"

#include "base/ensure.h"

#include <string.h>

#define MAIL_CLIENT_MAX 64

/* Everything of a struct mail that stands before the union. */
struct mail_head {
    uint64_t ticket, sandbox, version;
    uint32_t kind;
    uint32_t pad;
};

struct writer {
    char *p;
    size_t n;
};

struct reader {
    const char *p;
    size_t left;
};

static void
put(struct writer *w, const void *p, size_t n)
{
    ensure(w->n + n <= MAIL_PACKED_MAX);
    if (n > 0)
        memcpy(w->p + w->n, p, n);
    w->n += n;
}

static void
put_text(struct writer *w, struct slice s, size_t max)
{
    uint16_t n = (uint16_t)(s.n < max ? s.n : max);

    put(w, &n, sizeof(n));
    put(w, s.p, n);
}

static void
put_key(struct writer *w, const struct sandbox_key *k)
{
    ensure(k->n <= SANDBOX_ID_MAX);
    put(w, &k->platform, sizeof(k->platform));
    put_text(w, (struct slice){k->id, k->n}, SANDBOX_ID_MAX);
}

static void
get(struct reader *r, void *p, size_t n)
{
    ensure(r->left >= n);
    if (n > 0)
        memcpy(p, r->p, n);
    r->p += n;
    r->left -= n;
}

static struct slice
get_text(struct reader *r)
{
    uint16_t n;
    struct slice s;

    get(r, &n, sizeof(n));
    ensure(r->left >= n);
    s = (struct slice){r->p, n};
    r->p += n;
    r->left -= n;
    return s;
}

static void
get_key(struct reader *r, struct sandbox_key *k)
{
    struct slice id;

    get(r, &k->platform, sizeof(k->platform));
    id = get_text(r);
    ensure(id.n <= SANDBOX_ID_MAX);
    k->n = (uint16_t)id.n;
    slice_copy(id, k->id, sizeof(k->id));
}

/* How many bytes of the union travel as they are. */
static size_t
fixed_size(const struct mail *m)
{
    switch (m->kind) {
    case MAIL_ASK:
        return offsetof(struct mail_ask, key);
    case MAIL_VERDICT:
        return sizeof(m->u.verdict);
    case MAIL_CONNECTED:
        return sizeof(m->u.connected);
    case MAIL_CONNECT_FAILED:
        return sizeof(m->u.failed);
    case MAIL_ANSWERED:
        return sizeof(m->u.answered);
    case MAIL_ACTIVITY:
        return sizeof(m->u.activity);
    case MAIL_STATE:
        return offsetof(struct mail_state, key);
    case MAIL_QUIESCED:
        return sizeof(m->u.quiesced);
    case MAIL_CLOSE_STREAMS:
        return sizeof(m->u.close);
    case MAIL_LEAVE:
    case MAIL_QUIESCE:
        return 0;
    case MAIL_KINDS:
        break;
    }
    ensure(m->kind < MAIL_KINDS);
    return 0;
}

size_t
mail_pack(const struct mail *m, void *out)
{
    struct writer w = {out, 0};
    struct mail_head h = {m->ticket, m->sandbox, m->version, (uint32_t)m->kind, 0};

    put(&w, &h, sizeof(h));
    put(&w, &m->u, fixed_size(m));
    if (m->kind == MAIL_ASK) {
        put_key(&w, &m->u.ask.key);
        put_text(&w, m->u.ask.client, MAIL_CLIENT_MAX);
        put_text(&w, m->u.ask.method, MAIL_METHOD_MAX);
        put_text(&w, m->u.ask.host, MAIL_HOST_MAX);
        put_text(&w, m->u.ask.path, MAIL_PATH_MAX);
    } else if (m->kind == MAIL_STATE) {
        put_key(&w, &m->u.state.key);
    }
    ensure(m->kind != MAIL_VERDICT || w.n <= MAIL_VERDICT_ROOM);
    return w.n;
}

void
mail_unpack(const void *record, size_t n, struct mail *m)
{
    struct reader r = {record, n};
    struct mail_head h;

    get(&r, &h, sizeof(h));
    ensure(h.kind < MAIL_KINDS);
    m->kind = (enum mail_kind)h.kind;
    m->ticket = h.ticket;
    m->sandbox = h.sandbox;
    m->version = h.version;
    get(&r, &m->u, fixed_size(m));
    if (m->kind == MAIL_ASK) {
        get_key(&r, &m->u.ask.key);
        m->u.ask.client = get_text(&r);
        m->u.ask.method = get_text(&r);
        m->u.ask.host = get_text(&r);
        m->u.ask.path = get_text(&r);
    } else if (m->kind == MAIL_STATE) {
        get_key(&r, &m->u.state.key);
    }
    ensure(r.left == 0);
}

const char *
mail_kind_name(enum mail_kind k)
{
    static const char *const name[MAIL_KINDS] = {
        "ask",      "verdict", "leave",   "connected", "connect_failed", "answered",
        "activity", "state",   "quiesce", "quiesced",  "close_streams",
    };

    ensure(k < MAIL_KINDS);
    return name[k];
}

const char *
traffic_class_name(enum traffic_class c)
{
    static const char *const name[CLASS_COUNT] = {
#define X(sym, text, wakes) text,
        TRAFFIC_CLASSES(X)
#undef X
    };

    ensure(c < CLASS_COUNT);
    return name[c];
}
