/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * answer_connect.c: failure as clients of the Connect protocol read it. Unary: a JSON error as the
 * body. Streaming: the end-of-stream message, a JSON object in an envelope of five bytes: flags
 * (0x02: end of stream, not compressed) and the length. Pure.
 */
#include "config.h"

#include "gateway/answer_priv.h"
#include "base/jsonw.h"

#define END_STREAM 0x02

static void
add_error(struct jsonw *j, const struct answer *a, struct slice message)
{
    jsonw_object(j);
    jsonw_kv_str(j, "code", answer_code(a));
    jsonw_kv_slice(j, "message", message);
    jsonw_object_end(j);
}

void
answer_connect_unary(struct buf *out, const struct answer *a, struct slice message)
{
    struct jsonw j;

    jsonw_init(&j, out);
    add_error(&j, a, message);
}

void
answer_connect_stream(struct buf *out, const struct answer *a, struct slice message)
{
    char text[4096];
    struct buf json;
    struct jsonw j;

    buf_init_fixed(&json, text, sizeof(text));
    jsonw_init(&j, &json);
    jsonw_object(&j);
    jsonw_key(&j, "error");
    add_error(&j, a, message);
    jsonw_object_end(&j);
    out->full = out->full || json.full;
    buf_add_char(out, END_STREAM);
    for (int shift = 24; shift >= 0; shift -= 8)
        buf_add_char(out, (char)(json.n >> shift & 0xff));
    buf_add_slice(out, buf_slice(&json));
}
