/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_websocket.c: a relayed WebSocket. The watch agrees with a reading of the whole stream on
 * where each frame ends, however the bytes are cut; and keys are what the alphabet allows.
 */
#include "config.h"

#include "base/ensure.h"
#include "http/websocket.h"
#include "websocket_reference.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* To the end of the stream or of its sense: the frames' ends, one by one. */
static struct websocket_watch
walk(const uint8_t *p, size_t n)
{
    struct websocket_watch w = {0};
    size_t at = 0;

    while (at < n && !w.closed) {
        uint64_t size = 0;
        enum reference_frame is = reference_frame(p + at, n - at, &size);
        struct slice rest = {(const char *)p + at, n - at};

        websocket_watch_feed(&w, (struct slice){rest.p, 1});
        size_t got = 1 + websocket_watch_finish(&w, (struct slice){rest.p + 1, rest.n - 1});
        ensure(w.lost == (is == REFERENCE_BAD));
        if (is == REFERENCE_BAD)
            break;
        ensure(got == (is == REFERENCE_WHOLE ? size : n - at));
        ensure(websocket_watch_between(&w) == (is == REFERENCE_WHOLE));
        ensure(w.closed == (is == REFERENCE_WHOLE && (p[at] & 15) == 8));
        at += got;
    }
    return w;
}

/* As the first byte says: one way of cutting for each input. */
static struct websocket_watch
in_pieces(const uint8_t *p, size_t n)
{
    struct websocket_watch w = {0};
    size_t step = n > 0 ? 1u + p[0] % 7u : 1;

    for (size_t at = 0; at < n; at += step) {
        size_t k = n - at < step ? n - at : step;

        websocket_watch_feed(&w, (struct slice){(const char *)p + at, k});
    }
    return w;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct websocket_watch a = walk(data, size), b = in_pieces(data, size);
    struct slice key = {(const char *)data, size};
    char accept[WEBSOCKET_ACCEPT + 1];

    ensure(a.lost == b.lost && a.closed == b.closed);
    ensure(a.lost || (a.at == b.at && a.left == b.left && a.more == b.more));
    if (websocket_key_ok(key)) {
        ensure(websocket_accept(key, accept) == 0);
        ensure(strlen(accept) == WEBSOCKET_ACCEPT);
    }
    return 0;
}
