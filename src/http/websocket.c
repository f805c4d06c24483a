/* SPDX-License-Identifier: BSD-2-Clause */
/* websocket.c: see websocket.h. It must not know exchanges, pipes or heads. No state of its own. */
#include "config.h"

#include "http/websocket.h"

#include "net/digest.h"

#include <string.h>

#define NONCE 16
#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define CONTROL_MAX 125 /* bytes of payload */

_Static_assert(sizeof(struct websocket_watch) <= 32, "two of them in each tunnel");
_Static_assert(WEBSOCKET_KEY == DIGEST_BASE64(NONCE), "key");
_Static_assert(WEBSOCKET_ACCEPT == DIGEST_BASE64(DIGEST_SHA1), "accept");

enum { OPCODE_CLOSE = 8 };

/* --- handshake ------------------------------------------------------------------------------ */

static bool
is_base64(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           c == '+' || c == '/';
}

bool
websocket_key_ok(struct slice key)
{
    if (key.n != WEBSOCKET_KEY || !slice_ends(key, SLICE("==")))
        return false;
    for (size_t i = 0; i < WEBSOCKET_KEY - 2; i++)
        if (!is_base64(key.p[i]))
            return false;
    return true;
}

bool
websocket_version_ok(struct slice version)
{
    return slice_eq(version, SLICE("13"));
}

void
websocket_key(struct random *r, char out[WEBSOCKET_KEY + 1])
{
    uint64_t nonce[2] = {random_u64(r), random_u64(r)};
    uint8_t bytes[NONCE];

    memcpy(bytes, nonce, NONCE);
    digest_base64(bytes, NONCE, out);
}

int
websocket_accept(struct slice key, char out[WEBSOCKET_ACCEPT + 1])
{
    char text[WEBSOCKET_KEY + sizeof(GUID) - 1];
    uint8_t sum[DIGEST_SHA1];

    if (!websocket_key_ok(key))
        return -1;
    memcpy(text, key.p, WEBSOCKET_KEY);
    memcpy(text + WEBSOCKET_KEY, GUID, sizeof(GUID) - 1);
    if (digest_sha1((struct slice){text, sizeof(text)}, sum) < 0)
        return -1;
    digest_base64(sum, DIGEST_SHA1, out);
    return 0;
}

/* --- frames --------------------------------------------------------------------------------- */

/* FIN, three reserved bits, opcode. */
static void
take_first(struct websocket_watch *w, uint8_t c)
{
    bool fin = c & 0x80, control = c & 0x08;

    w->opcode = c & 0x0f;
    if ((w->opcode & 0x07) > 2 || (control && !fin))
        w->lost = true;
    w->at = WEBSOCKET_SECOND;
}

static void
end_frame(struct websocket_watch *w)
{
    w->at = WEBSOCKET_BETWEEN;
    w->closed = w->opcode == OPCODE_CLOSE;
}

/* The length is known: what is left is the mask and the payload. */
static void
start_payload(struct websocket_watch *w)
{
    w->left += w->masked ? 4 : 0; /* below 2^63: no overflow */
    w->at = WEBSOCKET_PAYLOAD;
    if (w->left == 0)
        end_frame(w);
}

/* Mask bit and length; 126: two bytes of it follow, 127: eight. */
static void
take_second(struct websocket_watch *w, uint8_t c)
{
    uint8_t length = c & 0x7f;

    w->masked = c & 0x80;
    if (length > CONTROL_MAX && (w->opcode & 0x08)) {
        w->lost = true;
        return;
    }
    w->left = length > CONTROL_MAX ? 0 : length;
    w->more = length == 126 ? 2 : length == 127 ? 8 : 0;
    w->at = WEBSOCKET_LENGTH;
    if (w->more == 0)
        start_payload(w);
}

/* `more` starts at 2 or 8, and the shortest form decides which: the first byte of eight must leave
 * the highest bit clear, and the first six not be zero all of them. */
static void
take_length(struct websocket_watch *w, uint8_t c)
{
    w->left = w->left << 8 | c;
    w->more--;
    if (w->more == 7 && c > 0x7f)
        w->lost = true;
    if (w->more == 2 && w->left == 0)
        w->lost = true; /* of eight: two would have done */
    if (w->more == 0 && w->left <= CONTROL_MAX)
        w->lost = true;
    if (w->more == 0)
        start_payload(w);
}

static void
take_byte(struct websocket_watch *w, uint8_t c)
{
    switch ((enum websocket_place)w->at) {
    case WEBSOCKET_BETWEEN:
        take_first(w, c);
        break;
    case WEBSOCKET_SECOND:
        take_second(w, c);
        break;
    case WEBSOCKET_LENGTH:
        take_length(w, c);
        break;
    case WEBSOCKET_PAYLOAD:
        break;
    }
}

/* The rest of the frame under way, or as much of it as has come. */
static size_t
pass_frame(struct websocket_watch *w, struct slice s)
{
    size_t i = 0;

    while (i < s.n && w->at != WEBSOCKET_BETWEEN && !w->lost) {
        size_t n;

        if (w->at != WEBSOCKET_PAYLOAD) {
            take_byte(w, (uint8_t)s.p[i++]);
            continue;
        }
        n = w->left < s.n - i ? (size_t)w->left : s.n - i;
        i += n;
        w->left -= n;
        if (w->left == 0)
            end_frame(w);
    }
    return i;
}

void
websocket_watch_feed(struct websocket_watch *w, struct slice s)
{
    size_t i = 0;

    while (i < s.n && !w->lost && !w->closed) {
        if (w->at == WEBSOCKET_BETWEEN)
            take_byte(w, (uint8_t)s.p[i++]);
        i += pass_frame(w, (struct slice){s.p + i, s.n - i});
    }
}

size_t
websocket_watch_finish(struct websocket_watch *w, struct slice s)
{
    return w->lost ? 0 : pass_frame(w, s);
}

/* --- Close ---------------------------------------------------------------------------------- */

/* s, at most max bytes of it, cut before a character rather than within. */
static struct slice
cut_utf8(struct slice s, size_t max)
{
    size_t n = s.n < max ? s.n : max;

    if (n < s.n)
        while (n > 0 && ((uint8_t)s.p[n] & 0xc0) == 0x80)
            n--;
    return (struct slice){s.p, n};
}

size_t
websocket_write_close(char out[WEBSOCKET_CLOSE_MAX], uint16_t code, struct slice reason,
                      struct random *mask)
{
    struct slice text = cut_utf8(reason, WEBSOCKET_REASON);
    size_t at = mask ? 6 : 2, n = 2 + text.n;
    uint32_t key;

    out[0] = (char)(0x80 | OPCODE_CLOSE);
    out[1] = (char)((mask ? 0x80 : 0) | n);
    out[at] = (char)(code >> 8);
    out[at + 1] = (char)(code & 0xff);
    if (text.n > 0)
        memcpy(out + at + 2, text.p, text.n);
    if (mask) {
        key = (uint32_t)random_u64(mask);
        memcpy(out + 2, &key, sizeof(key));
        for (size_t i = 0; i < n; i++)
            out[at + i] = (char)(out[at + i] ^ out[2 + i % 4]);
    }
    return at + n;
}
