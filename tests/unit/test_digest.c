/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-1 against FIPS 180-2's examples, base64 against RFC 4648 section 10. */
#include "config.h"

#include "net/digest.h"

#include "unit.h"

static void
assert_sha1(const char *text, const char *hex)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t sum[DIGEST_SHA1];
    char got[2 * DIGEST_SHA1 + 1] = "";

    assert_int_equal(digest_sha1(slice_of(text), sum), 0);
    for (size_t i = 0; i < DIGEST_SHA1; i++) {
        got[2 * i] = digits[sum[i] >> 4];
        got[2 * i + 1] = digits[sum[i] & 15];
    }
    assert_string_equal(got, hex);
}

static void
test_sha1(void **state)
{
    (void)state;
    assert_sha1("", "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    assert_sha1("abc", "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_sha1("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
}

static void
assert_base64(const char *text, const char *want)
{
    size_t n = strlen(text);
    char out[64];

    memset(out, 'x', sizeof(out));
    digest_base64((const uint8_t *)text, n, out);
    assert_string_equal(out, want);
    assert_int_equal(strlen(out), DIGEST_BASE64(n));
}

static void
test_base64(void **state)
{
    (void)state;
    assert_base64("", "");
    assert_base64("f", "Zg==");
    assert_base64("fo", "Zm8=");
    assert_base64("foo", "Zm9v");
    assert_base64("foob", "Zm9vYg==");
    assert_base64("fooba", "Zm9vYmE=");
    assert_base64("foobar", "Zm9vYmFy");
    assert_base64("\xff\xfe\xfd", "//79");
    assert_base64("\xfb\xef\xbe", "++++");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha1),
        cmocka_unit_test(test_base64),
    };

    return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
