/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * answer_grpc.c: failure as gRPC clients read it: "Trailers-Only", one head with status 200 and
 * grpc-status and grpc-message in it, and no body. gRPC-Web, where browsers' code sees headers only
 * if CORS exposes them: the trailers as the body's one frame (flag 0x80, length, lines), in base64
 * for the -text kinds. Pure but for the arena.
 */
#include "config.h"

#include "gateway/answer_priv.h"

#define TRAILER_FRAME 0x80

/* grpc-status by name: gRPC's statuses and Connect's codes are the same list. */
static unsigned
number_of(const char *code)
{
    static const char *const name[] = {
        "", "canceled", "unknown", "invalid_argument", "deadline_exceeded", "not_found",
        "already_exists", "permission_denied", "resource_exhausted", "failed_precondition",
        "aborted", "out_of_range", "unimplemented", "internal", "unavailable", "data_loss",
        "unauthenticated",
    };

    for (unsigned i = 1; i < sizeof(name) / sizeof(name[0]); i++)
        if (slice_eq(slice_of(name[i]), slice_of(code)))
            return i;
    return 2;
}

/* gRPC over HTTP/2, "Percent-Byte": all but printable ASCII, and % itself. */
static void
add_percent_encoded(struct buf *out, struct slice s)
{
    static const char digit[] = "0123456789ABCDEF";

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c >= 0x20 && c <= 0x7e && c != '%') {
            buf_add_char(out, (char)c);
            continue;
        }
        buf_add_char(out, '%');
        buf_add_char(out, digit[c >> 4]);
        buf_add_char(out, digit[c & 15]);
    }
}

int
answer_grpc_fields(struct head *h, struct arena *arena, const struct answer *a,
                   unsigned retry_after)
{
    char plain[768], text[sizeof(plain) * 3];
    struct buf message, b;
    struct slice status, words, pushback;

    buf_init_fixed(&message, plain, sizeof(plain));
    answer_message(&message, a);
    buf_init_fixed(&b, text, sizeof(text));
    add_percent_encoded(&b, buf_slice(&message));
    words = arena_copy(arena, buf_slice(&b));
    buf_clear(&b);
    buf_add_u64(&b, number_of(answer_code(a)));
    status = arena_copy(arena, buf_slice(&b));
    if (!words.p || !status.p ||
        head_add(h, arena, FIELD_OTHER, SLICE("grpc-status"), status) < 0 ||
        head_add(h, arena, FIELD_OTHER, SLICE("grpc-message"), words) < 0)
        return -1;
    if (retry_after == 0)
        return 0;
    buf_clear(&b); /* what clients with a retry policy wait for instead of their own back-off */
    buf_add_u64(&b, (uint64_t)retry_after * 1000);
    pushback = arena_copy(arena, buf_slice(&b));
    return pushback.p ? head_add(h, arena, FIELD_OTHER,
                                 SLICE("grpc-retry-pushback-ms"), pushback)
                      : -1;
}

static void
add_base64(struct buf *out, struct slice s)
{
    static const char digit[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < s.n; i += 3) {
        unsigned v = (unsigned)(unsigned char)s.p[i] << 16;

        if (i + 1 < s.n)
            v |= (unsigned)(unsigned char)s.p[i + 1] << 8;
        if (i + 2 < s.n)
            v |= (unsigned char)s.p[i + 2];
        buf_add_char(out, digit[v >> 18]);
        buf_add_char(out, digit[v >> 12 & 63]);
        buf_add_char(out, i + 1 < s.n ? digit[v >> 6 & 63] : '=');
        buf_add_char(out, i + 2 < s.n ? digit[v & 63] : '=');
    }
}

void
answer_grpc_web(struct buf *out, const struct answer *a, struct slice message)
{
    char text[4096], framed[sizeof(text) + 5];
    struct buf lines, frame;

    buf_init_fixed(&lines, text, sizeof(text));
    buf_printf(&lines, "grpc-status: %u\r\ngrpc-message: ", number_of(answer_code(a)));
    add_percent_encoded(&lines, message);
    buf_add_str(&lines, "\r\n");
    buf_init_fixed(&frame, framed, sizeof(framed));
    buf_add_char(&frame, (char)TRAILER_FRAME);
    for (int shift = 24; shift >= 0; shift -= 8)
        buf_add_char(&frame, (char)(lines.n >> shift & 0xff));
    buf_add_slice(&frame, buf_slice(&lines));
    out->full = out->full || lines.full || frame.full;
    if (slice_istarts(a->type, SLICE("application/grpc-web-text")))
        add_base64(out, buf_slice(&frame));
    else
        buf_add_slice(out, buf_slice(&frame));
}
