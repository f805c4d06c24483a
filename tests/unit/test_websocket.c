/* SPDX-License-Identifier: BSD-2-Clause */
/* WebSockets: the words of the handshake, frames cut everywhere, and the Close that we write. */
#include "config.h"

#include "http/websocket.h"

#include "unit.h"
#include "websocket_reference.h"

#define HUGE_FRAME 70000

/* --- handshake --- */

static void
test_keys(void **state)
{
    static const char *good[] = {
        "dGhlIHNhbXBsZSBub25jZQ==", "x3JJHMbDL1EzLkh9GBhXDw==", "AAAAAAAAAAAAAAAAAAAAAA==",
        "//////////////////////==", "++++++++++++++++++++++==", "0123456789abcdefghijkl==",
    };
    static const char *bad[] = {
        "", "=", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ===",
        "dGhlIHNhbXBsZSBub25jZQ= ", " dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQAA",
        "dGhlIHNhbXBsZSBub25jZ===", "dGhlIHNhbXBsZSBub25jZ-==", "dGhlIHNhbXBsZSBub25jZ_==",
        "dGhlIHNhbXBsZSBub25 ZQ==", "dGhlIHNhbXBsZSBub25\nZQ==", "dGhlIHNhbXBs=SBub25jZQ==",
        "dGhlIHNhbXBsZSBub25jZWUxMjM0", "dGhlIHNhbXBsZSBub25jZ\xff==",
    };
    char out[WEBSOCKET_ACCEPT + 1];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(websocket_key_ok(slice_of(good[i])));
        assert_int_equal(websocket_accept(slice_of(good[i]), out), 0);
        assert_int_equal(strlen(out), WEBSOCKET_ACCEPT);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (websocket_key_ok(slice_of(bad[i])))
            fail_msg("taken: %s", bad[i]);
        assert_int_equal(websocket_accept(slice_of(bad[i]), out), -1);
    }
    assert_false(websocket_key_ok(SLICE("dGhlIHNhbXBsZSBub25jZ\0==")));
}

static void
test_accept(void **state)
{
    char out[WEBSOCKET_ACCEPT + 1];

    (void)state; /* RFC 6455 sections 1.3 and 4.2.2 */
    assert_int_equal(websocket_accept(SLICE("dGhlIHNhbXBsZSBub25jZQ=="), out), 0);
    assert_string_equal(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_int_equal(websocket_accept(SLICE("x3JJHMbDL1EzLkh9GBhXDw=="), out), 0);
    assert_string_equal(out, "HSmrc0sMlYUkAGmm5OPpG2HaGWk=");
}

static void
test_own_keys(void **state)
{
    char key[WEBSOCKET_KEY + 1], before[WEBSOCKET_KEY + 1] = "";
    struct random r;

    (void)state;
    random_seed(&r, 1);
    for (int i = 0; i < 100; i++) {
        websocket_key(&r, key);
        assert_true(websocket_key_ok(slice_of(key)));
        assert_string_not_equal(key, before);
        memcpy(before, key, sizeof key);
    }
}

static void
test_version(void **state)
{
    static const char *bad[] = {"", "1", "12", "14", "013", "13 ", " 13", "13,8", "13a", "8"};

    (void)state;
    assert_true(websocket_version_ok(SLICE("13")));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(websocket_version_ok(slice_of(bad[i])));
}

/* --- frames --- */

/* Appends a frame's header (the shortest form); returns its size. */
static size_t
put_header(uint8_t *p, uint8_t first, uint64_t length, bool masked)
{
    size_t n = 2, bytes = length > 65535 ? 8 : length > 125 ? 2 : 0;

    p[0] = first;
    p[1] = (uint8_t)((masked ? 128 : 0) | (bytes == 8 ? 127 : bytes == 2 ? 126 : length));
    for (size_t i = 0; i < bytes; i++)
        p[n++] = (uint8_t)(length >> 8 * (bytes - 1 - i));
    if (masked)
        for (size_t i = 0; i < 4; i++)
            p[n++] = (uint8_t)(0x80 + i);
    return n;
}

static struct websocket_watch
feed(const uint8_t *p, size_t n)
{
    struct websocket_watch w = {0};

    websocket_watch_feed(&w, (struct slice){(const char *)p, n});
    return w;
}

static void
assert_same(const struct websocket_watch *a, const struct websocket_watch *b)
{
    assert_int_equal(a->lost, b->lost);
    assert_int_equal(a->closed, b->closed);
    assert_int_equal(websocket_watch_between(a), websocket_watch_between(b));
    if (!a->lost && !websocket_watch_between(a)) {
        assert_int_equal(a->at, b->at);
        assert_int_equal(a->left, b->left);
    }
}

/* A frame and the beginning of the next, cut at every byte near an edge: the boundary is found at
 * the frame's end, from everywhere before it. */
static void
check_frame(const uint8_t *p, size_t frame, size_t n)
{
    for (size_t cut = 0; cut <= n; cut++) {
        struct websocket_watch w = feed(p, cut), whole;
        size_t rest;

        if (cut > 200 && cut + 200 < frame)
            continue;
        assert_false(w.lost);
        assert_int_equal(websocket_watch_between(&w), cut == 0 || cut == frame);
        if (cut < frame) {
            rest = websocket_watch_finish(&w, (struct slice){(const char *)p + cut, n - cut});
            assert_int_equal(rest, cut == 0 ? 0 : frame - cut);
            assert_true(websocket_watch_between(&w));
            websocket_watch_feed(&w, (struct slice){(const char *)p + cut + rest, n - cut - rest});
        } else {
            websocket_watch_feed(&w, (struct slice){(const char *)p + cut, n - cut});
        }
        whole = feed(p, n);
        assert_same(&w, &whole);
    }
}

static void
test_frames_of_every_size(void **state)
{
    static const size_t sizes[] = {0, 1, 2, 124, 125, 126, 127, 128, 255, 256, 65534, 65535, 65536,
                                   HUGE_FRAME};
    static const uint8_t firsts[] = {0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0xc1, 0xf2, 0x41, 0x10};
    uint8_t *p = malloc(HUGE_FRAME + 64);

    (void)state;
    assert_non_null(p);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (size_t k = 0; k < sizeof firsts; k++)
            for (int masked = 0; masked < 2; masked++) {
                size_t n = put_header(p, firsts[k], sizes[i], masked);

                memset(p + n, 0xff, sizes[i]); /* would be no frame */
                p[n + sizes[i]] = 0x81;
                check_frame(p, n + sizes[i], n + sizes[i] + 1);
                if (k > 0 && sizes[i] > 1000)
                    break;
            }
    free(p);
}

static void
test_control_frames(void **state)
{
    uint8_t p[200];

    (void)state;
    for (unsigned opcode = 8; opcode <= 10; opcode++)
        for (size_t size = 0; size <= 125; size += size < 3 ? 1 : 61) {
            size_t n = put_header(p, (uint8_t)(0x80 | opcode), size, true);
            struct websocket_watch w;

            memset(p + n, 0, size);
            p[n + size] = 0x82;
            if (opcode != 8)
                check_frame(p, n + size, n + size + 1);
            for (size_t cut = 0; cut < n + size; cut++)
                assert_false(feed(p, cut).closed);
            w = feed(p, n + size);
            assert_int_equal(w.closed, opcode == 8);
            assert_true(websocket_watch_between(&w));
        }
}

static void
test_nothing_counts_after_close(void **state)
{
    struct websocket_watch w = feed((const uint8_t *)"\x88\x02\x03\xe9\xff\xff\xff", 7);

    (void)state;
    assert_true(w.closed && !w.lost && websocket_watch_between(&w));
    websocket_watch_feed(&w, SLICE("\x0f"));
    assert_true(websocket_watch_between(&w));
    assert_int_equal(websocket_watch_finish(&w, SLICE("\x0f")), 0);
}

struct stray {
    const char *p;
    size_t n;
};
#define STRAY(text) {text, sizeof(text) - 1}

/* Lost with the last byte, and not before; and for good. */
static void
test_what_is_no_frame(void **state)
{
    static const struct stray rows[] = {
        STRAY("\x83"), STRAY("\x84"), STRAY("\x85"), STRAY("\x86"), STRAY("\x87"), STRAY("\x03"),
        STRAY("\x8b"), STRAY("\x8c"), STRAY("\x8d"), STRAY("\x8e"), STRAY("\x8f"), STRAY("\x0b"),
        /* control frames in pieces, or too long */
        STRAY("\x08"), STRAY("\x09"), STRAY("\x0a"), STRAY("\x88\x7e"), STRAY("\x89\x7f"),
        STRAY("\x8a\xfe"),
        /* sizes that are not in their shortest form, or negative */
        STRAY("\x82\x7e\x00\x7d"), STRAY("\x82\xfe\x00\x00"), STRAY("\x82\x7f\x80"),
        STRAY("\x82\x7f\xff"), STRAY("\x82\x7f\x00\x00\x00\x00\x00\x00"),
        /* HTTP, TLS, JSON, SSH */
        STRAY("G"), STRAY("H"), STRAY("\r"), STRAY("\x16"), STRAY("{"), STRAY("S"),
        /* behind good frames */
        STRAY("\x81\x01" "a\x83"), STRAY("\x89\x80" "mask\x0c"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct websocket_watch w = feed((const uint8_t *)rows[i].p, rows[i].n - 1);

        assert_false(w.lost);
        websocket_watch_feed(&w, (struct slice){rows[i].p + rows[i].n - 1, 1});
        assert_true(w.lost);
        websocket_watch_feed(&w, SLICE("\x81\x00"));
        assert_false(websocket_watch_between(&w));
        assert_int_equal(websocket_watch_finish(&w, SLICE("\x81\x00")), 0);
    }
}

static void
test_largest_frame(void **state)
{
    uint8_t p[14];
    size_t n = put_header(p, 0x82, INT64_MAX, true);
    struct websocket_watch w = feed(p, n);

    (void)state;
    assert_false(w.lost);
    assert_true(w.left == (uint64_t)INT64_MAX);
    assert_int_equal(websocket_watch_finish(&w, SLICE("abc")), 3);
    assert_true(w.left == (uint64_t)INT64_MAX - 3);
    assert_false(websocket_watch_between(&w));
}

/* --- against the reference --- */

/* Bytes that are mostly frames: whole ones, of all kinds, and now and then a byte of noise. */
static size_t
random_stream(struct random *r, uint8_t *p, size_t max)
{
    static const uint8_t firsts[] = {0x81, 0x82, 0x00, 0x80, 0x89, 0x8a, 0x88, 0xc1};
    size_t n = 0;

    while (n + 400 < max && random_below(r, 12) > 0) {
        uint8_t first = firsts[random_below(r, 100) ? random_below(r, 6) : random_below(r, 8)];
        size_t size = (size_t)random_below(r, first & 8 ? 126 : 300);

        n += put_header(p + n, first, size, random_below(r, 2));
        for (size_t i = 0; i < size; i++)
            p[n++] = (uint8_t)random_u64(r);
        if (random_below(r, 8) == 0)
            p[n - 1 - random_below(r, n < 300 ? n : 300)] ^= (uint8_t)(1u << random_below(r, 8));
    }
    return n;
}

/* Where the frames end that the reference sees; `lost` when it stops for another reason than the
 * end of the bytes. */
static size_t
reference_run(const uint8_t *p, size_t n, bool *is_end, bool *lost, bool *closed)
{
    size_t at = 0, ends = 0;
    uint64_t size;

    memset(is_end, 0, n + 1);
    is_end[0] = true;
    *lost = *closed = false;
    while (at < n && !*closed) {
        switch (reference_frame(p + at, n - at, &size)) {
        case REFERENCE_WHOLE:
            *closed = (p[at] & 15) == 8;
            at += (size_t)size;
            is_end[at] = true;
            ends++;
            continue;
        case REFERENCE_BAD:
            *lost = true;
            return ends;
        case REFERENCE_CUT:
            return ends;
        }
    }
    return ends;
}

static void
check_stream(struct random *r, const uint8_t *p, size_t n, bool *is_end)
{
    struct websocket_watch w = {0}, pieces = {0};
    bool lost, closed;
    size_t ends = reference_run(p, n, is_end, &lost, &closed), found = 0;

    for (size_t i = 0; i < n && !w.closed; i++) {
        websocket_watch_feed(&w, (struct slice){(const char *)p + i, 1});
        assert_int_equal(websocket_watch_between(&w), !w.lost && is_end[i + 1]);
        found += websocket_watch_between(&w);
    }
    assert_int_equal(found, ends);
    assert_int_equal(w.lost, lost);
    assert_int_equal(w.closed, closed);
    for (size_t i = 0; i < n;) {
        size_t k = 1 + (size_t)random_below(r, n - i);

        websocket_watch_feed(&pieces, (struct slice){(const char *)p + i, k});
        i += k;
    }
    assert_same(&w, &pieces);
}

static void
test_random_streams(void **state)
{
    static uint8_t p[4096];
    static bool is_end[4097];
    struct random r;

    (void)state;
    random_seed(&r, 6455);
    for (int i = 0; i < 20000; i++) {
        size_t n = random_stream(&r, p, sizeof p);

        check_stream(&r, p, n, is_end);
    }
}

static void
test_random_bytes(void **state)
{
    uint8_t p[64];
    bool is_end[65];
    struct random r;

    (void)state;
    random_seed(&r, 1);
    for (int i = 0; i < 200000; i++) {
        size_t n = (size_t)random_below(&r, sizeof p);

        for (size_t k = 0; k < n; k++)
            p[k] = random_below(&r, 2) ? (uint8_t)random_u64(&r) : (uint8_t)random_below(&r, 3);
        if (n > 2 && random_below(&r, 2)) {
            p[0] = 0x82;
            p[1] = (uint8_t)(126 + random_below(&r, 2));
        }
        check_stream(&r, p, n, is_end);
    }
}

/* --- Close --- */

static void
check_close(uint16_t code, const char *reason, size_t want, struct random *mask)
{
    char frame[WEBSOCKET_CLOSE_MAX], *p = frame + (mask ? 6 : 2);
    size_t n = websocket_write_close(frame, code, slice_of(reason), mask);
    struct websocket_watch w = feed((const uint8_t *)frame, n);

    assert_true(w.closed && websocket_watch_between(&w));
    assert_int_equal((uint8_t)frame[0], 0x88);
    assert_int_equal((uint8_t)frame[1] & 128, mask ? 128 : 0);
    assert_int_equal(n, want + 2 + (mask ? 6 : 2));
    if (mask)
        for (size_t i = 0; i < want + 2; i++)
            p[i] = (char)(p[i] ^ frame[2 + i % 4]);
    assert_int_equal((uint8_t)p[0] << 8 | (uint8_t)p[1], code);
    assert_memory_equal(p + 2, reason, want);
}

static void
test_close_frames(void **state)
{
    static const struct {
        const char *end;
        size_t n;
    } cut[] = {
        {"xyz", 123}, {"\xc3\xa4z", 122}, {"x\xc3\xa4", 123}, {"\xe2\x82\xac", 122},
        {"x\xe2\x82\xac", 123}, {"\xf0\x9f\x98\xb4", 122},
    };
    char reason[300];
    struct random r;

    (void)state;
    random_seed(&r, 2);
    for (int masked = 0; masked < 2; masked++) {
        check_close(1001, "sandbox paused", 14, masked ? &r : NULL);
        check_close(1012, "", 0, masked ? &r : NULL);
        for (size_t n = 0; n < sizeof reason; n++) {
            memset(reason, 'a', n);
            reason[n] = '\0';
            check_close(4999, reason, n < 123 ? n : 123, masked ? &r : NULL);
        }
        for (size_t i = 0; i < sizeof cut / sizeof cut[0]; i++) {
            memset(reason, 'a', 122);
            memcpy(reason + 122, cut[i].end, strlen(cut[i].end) + 1);
            check_close(1013, reason, cut[i].n, masked ? &r : NULL);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_accept),
        cmocka_unit_test(test_own_keys),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_frames_of_every_size),
        cmocka_unit_test(test_control_frames),
        cmocka_unit_test(test_nothing_counts_after_close),
        cmocka_unit_test(test_what_is_no_frame),
        cmocka_unit_test(test_largest_frame),
        cmocka_unit_test(test_random_streams),
        cmocka_unit_test(test_random_bytes),
        cmocka_unit_test(test_close_frames),
    };

    return cmocka_run_group_tests_name("websocket", tests, NULL, NULL);
}
