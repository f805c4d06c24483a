/* SPDX-License-Identifier: BSD-2-Clause */
/* http_call.c: see http_call.h. */
#include "config.h"

#include "http/http_call.h"

#include "kit/kit.h"

#include <inttypes.h>
#include <stdio.h>

static void
add(struct http_call *c, const char *name, struct rouse_text value)
{
    if (value.n > 0)
        c->header[c->request.headers++] = (struct rouse_header){kit_text(name), value};
}

int
http_call_sign(const struct rouse_services *s, struct rouse_text key, const char *id,
               const char *when, struct rouse_text body, char *space, size_t space_n, char out[64])
{
    struct kit_line text, signature;
    char base64[48];
    uint8_t mac[32];

    kit_line_init(&text, space, space_n);
    kit_line_printf(&text, "%s.%s.", id, when);
    kit_line_add(&text, body);
    s->hmac_sha256(key, kit_line_text(&text), mac);
    if (text.full || s->base64_encode((struct rouse_text){(const char *)mac, sizeof mac}, base64,
                                      sizeof base64) != 44)
        return -1;
    kit_line_init(&signature, out, 64);
    kit_line_printf(&signature, "v1,%.44s", base64);
    return 0;
}

static int
sign(struct http_call *c, const struct http_options *o, const struct rouse_services *s,
     struct rouse_host *host)
{
    struct rouse_text key = {(const char *)o->key, o->key_n};

    snprintf(c->when, sizeof c->when, "%" PRId64, s->wall_clock_s(host));
    if (http_call_sign(s, key, c->key, c->when, c->request.body, c->signed_text,
                       sizeof c->signed_text, c->signature) != 0)
        return -1;
    add(c, "webhook-id", kit_text(c->key));
    add(c, "webhook-timestamp", kit_text(c->when));
    add(c, "webhook-signature", kit_text(c->signature));
    return 0;
}

int
http_call_make(struct http_call *c, const struct http_options *o, const struct rouse_services *s,
               struct rouse_host *host, const struct rouse_request *q, uint64_t key_base,
               uint64_t number, const char **why)
{
    struct rouse_fetch_request *r = &c->request;
    bool post = q->op != ROUSE_INSPECT || o->key_n > 0;
    int n;

    *r = (struct rouse_fetch_request){.size = sizeof *r, .header = c->header};
    r->method = kit_text(post ? "POST" : "GET");
    n = http_options_url(o->url[q->op], q->id, c->url, sizeof c->url);
    *why = "the URL would be too long";
    if (n < 0)
        return -1;
    r->url = (struct rouse_text){c->url, (size_t)n};
    n = post ? s->request_to_json(host, q, c->body, sizeof c->body) : 0;
    *why = "the body would be too long";
    if (n < 0)
        return -1;
    r->body = (struct rouse_text){c->body, (size_t)n};
    r->connect_timeout_us = o->connect_timeout_us;
    r->timeout_us = o->timeout_us;
    if (q->deadline_us > 0 && q->deadline_us < r->timeout_us)
        r->timeout_us = q->deadline_us;
    r->answer_max = o->answer_max;
    r->ca = o->ca[0] ? o->ca : NULL;

    snprintf(c->key, sizeof c->key, "%016" PRIx64 "-%" PRIu64, key_base, number);
    snprintf(c->epoch, sizeof c->epoch, "%" PRIu64, q->epoch);
    add(c, "Accept", kit_text("application/json"));
    if (post)
        add(c, "Content-Type", kit_text("application/json"));
    add(c, "User-Agent", kit_text("rouse"));
    add(c, "X-Request-Id", q->request_id);
    add(c, "traceparent", q->traceparent);
    add(c, "Rouse-Epoch", kit_text(c->epoch));
    add(c, "Idempotency-Key", kit_text(c->key));
    *why = "it cannot be signed";
    if (o->key_n > 0 && sign(c, o, s, host) != 0)
        return -1;
    for (unsigned i = 0; i < o->headers; i++)
        c->header[r->headers++] = o->header[i];
    return 0;
}
