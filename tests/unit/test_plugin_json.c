/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON, records, signatures and loading: the pure half of what plugins get. */
#include "config.h"

#include "gateway/plugin_crypto.h"
#include "gateway/plugin_load.h"
#include "gateway/plugin_priv.h"
#include "gateway/record_json.h"
#include "unit.h"

#include <stdio.h>

#define A64 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static struct rouse_text
text_of(const char *s)
{
    return (struct rouse_text){s, strlen(s)};
}

static int
read_sandbox(const char *text, struct rouse_sandbox *s, struct rouse_json **j, char why[200])
{
    why[0] = 0;
    return plugin_sandbox_from_json(NULL, text_of(text), s, j, why, 200);
}

static void
test_sandbox(void **state)
{
    static const char text[] =
        "{\"state\":\"paused\",\"generation\":\"7\",\"instance\":\"c0ffee\",\"address\":\"h:1\","
        "\"ports\":{\"3000\":\"10.1.4.7:31000\"},\"auto_resume\":false,\"tenant\":\"t1\","
        "\"traffic_token_sha256\":[\"00ff000000000000000000000000000000000000000000000000000000"
        "00aA01\"],\"wake_rules\":[{\"port\":3000,\"path_prefix\":\"/x\",\"methods\":[\"GET\","
        "\"HEAD\"],\"wake\":true},{\"wake\":false}],\"protocol\":\"h2c\",\"tls\":true,"
        "\"unknown\":{}}";
    struct rouse_sandbox s;
    struct rouse_json *j;
    struct record r;
    struct buf why;
    char say[200];

    (void)state;
    assert_int_equal(read_sandbox(text, &s, &j, say), 0);
    assert_int_equal(s.state, ROUSE_STATE_PAUSED);
    assert_slice(plugin_slice(s.generation), "7");
    assert_slice(plugin_slice(s.address), "h:1");
    assert_int_equal(s.ports_n, 1);
    assert_int_equal(s.ports[0].port, 3000);
    assert_int_equal(s.auto_resume, 0);
    assert_int_equal(s.tokens_n, 1);
    assert_int_equal(s.tokens[0][1], 0xff);
    assert_int_equal(s.tokens[0][30], 0xaa);
    buf_init_fixed(&why, say, sizeof say);
    assert_int_equal(record_json_fill(&r, &s, &why), 0);
    assert_int_equal(r.state, SANDBOX_PAUSED);
    assert_int_equal(r.rules_n, 2);
    assert_slice(name_slice(&r.rules[0].methods), "GET,HEAD");
    assert_true(record_may_wake(&r, 3000, SLICE("GET"), SLICE("/x/y")));
    assert_false(record_may_wake(&r, 3000, SLICE("POST"), SLICE("/x/y")));
    assert_int_equal(r.tokens_n, 1);
    assert_int_equal(r.manner.speaks, SPEAKS_H2);
    assert_true(r.manner.tls);
    record_fini(&r);
    plugin_json_free(j);
}

static void
test_only_state_is_required(void **state)
{
    struct rouse_sandbox s;
    struct rouse_json *j;
    char why[200];

    (void)state;
    assert_int_equal(read_sandbox("{\"state\":\"running\"}", &s, &j, why), 0);
    assert_int_equal(s.auto_resume, 1);
    assert_int_equal(s.tokens_n + s.ports_n, 0);
    assert_null(s.address.p);
    plugin_json_free(j);
    /* An unknown state is no mistake: it holds. */
    assert_int_equal(read_sandbox("{\"state\":\"meditating\",\"ports\":null}", &s, &j, why), 0);
    assert_int_equal(s.state, ROUSE_STATE_UNKNOWN);
    plugin_json_free(j);
}

static void
test_how_its_ports_speak(void **state)
{
    static const struct {
        const char *text;
        int rc, speaks;
    } cases[] = {
        {"{\"state\":\"running\"}", 0, SPEAKS_UNSAID},
        {"{\"state\":\"running\",\"protocol\":null,\"tls\":null}", 0, SPEAKS_UNSAID},
        {"{\"state\":\"running\",\"protocol\":\"h1\",\"tls\":false}", 0, SPEAKS_H1},
        {"{\"state\":\"running\",\"protocol\":\"h2c\"}", 0, SPEAKS_H2},
        {"{\"state\":\"running\",\"protocol\":\"h3\"}", -1, 0},
        {"{\"state\":\"running\",\"protocol\":2}", -1, 0},
        {"{\"state\":\"running\",\"tls\":\"yes\"}", -1, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rouse_sandbox s;
        struct rouse_json *j;
        struct record r;
        char say[200];
        struct buf why;

        assert_int_equal(read_sandbox(cases[i].text, &s, &j, say), 0);
        buf_init_fixed(&why, say, sizeof say);
        assert_int_equal(record_json_fill(&r, &s, &why), cases[i].rc);
        assert_int_equal(r.manner.speaks, cases[i].speaks);
        assert_false(r.manner.tls);
        record_fini(&r);
        plugin_json_free(j);
    }
}

static void
test_bad_sandboxes(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "not JSON"},
        {"{", "not JSON: line 1"},
        {"[]", "object"},
        {"\"running\"", "not JSON"},
        {"{}", "\"state\""},
        {"{\"state\":7}", "\"state\""},
        {"{\"state\":\"running\",\"state\":\"paused\"}", "duplicate"},
        {"{\"state\":\"running\",\"address\":7}", "\"address\""},
        {"{\"state\":\"running\",\"generation\":7}", "\"generation\""},
        {"{\"state\":\"running\",\"auto_resume\":\"yes\"}", "\"auto_resume\""},
        {"{\"state\":\"running\",\"ports\":[]}", "\"ports\""},
        {"{\"state\":\"running\",\"ports\":{\"0\":\"10.0.0.1\"}}", "\"ports\""},
        {"{\"state\":\"running\",\"ports\":{\"65536\":\"10.0.0.1\"}}", "\"ports\""},
        {"{\"state\":\"running\",\"ports\":{\"080\":\"10.0.0.1\"}}", "\"ports\""},
        {"{\"state\":\"running\",\"ports\":{\"80\":80}}", "\"ports\""},
        {"{\"state\":\"running\",\"traffic_token_sha256\":\"x\"}", "traffic_token_sha256"},
        {"{\"state\":\"running\",\"traffic_token_sha256\":[\"00\"]}", "traffic_token_sha256"},
        {"{\"state\":\"running\",\"traffic_token_sha256\":[1]}", "traffic_token_sha256"},
        {"{\"state\":\"running\"} x", "not JSON"},
        {"{\"state\":\"run\\u0000ning\"}", "not JSON"},
        {"{\"state\":\"\xff\"}", "not JSON"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rouse_sandbox s;
        struct rouse_json *j = NULL;
        char why[200];
        int rc = read_sandbox(cases[i].text, &s, &j, why);
        if (rc == 0 || !strstr(why, cases[i].says))
            fprintf(stderr, "# %s: %d %s\n", cases[i].text, rc, why);
        assert_int_equal(rc, -1);
        assert_null(j);
        assert_non_null(strstr(why, cases[i].says));
    }
}

static void
test_bad_rules(void **state)
{
    static const char *const rules[] = {
        "[{}]", "[7]", "{}", "7", "[{\"wake\":1}]",
        "[{\"wake\":true,\"methods\":[7]}]", "[{\"wake\":true,\"port\":\"80\"}]",
        "[{\"wake\":true,\"port\":65616}]", "[{\"wake\":true,\"port\":-1}]",
        "[{\"wake\":true,\"methods\":\"GET\"}]", "[{\"wake\":true,\"path_prefix\":7}]",
        "[{\"wake\":true},{\"wake\":true},{\"wake\":true},{\"wake\":true},{\"wake\":true},"
        "{\"wake\":true},{\"wake\":true},{\"wake\":true},{\"wake\":true}]",
        "[{\"wake\":true,\"methods\":[\"" A64 A64 A64 "\"]}]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        char text[1024], say[200];
        struct rouse_sandbox s;
        struct rouse_json *j;
        struct record r;
        struct buf why;
        snprintf(text, sizeof text, "{\"state\":\"running\",\"wake_rules\":%s}", rules[i]);
        assert_int_equal(read_sandbox(text, &s, &j, say), 0);
        buf_init_fixed(&why, say, sizeof say);
        if (record_json_fill(&r, &s, &why) == 0)
            fprintf(stderr, "# taken: %s\n", rules[i]);
        assert_int_equal(record_json_fill(&r, &s, &why), -1);
        assert_true(why.n > 0);
        plugin_json_free(j);
    }
}

/* Hostile: deep, long. */
static void
test_bounds(void **state)
{
    static char text[100000];
    struct rouse_sandbox s;
    struct rouse_json *j;
    char why[200];

    (void)state;
    memset(text, '[', sizeof text - 1);
    text[60000] = 0;
    assert_int_equal(read_sandbox(text, &s, &j, why), -1);
    memset(text, ' ', sizeof text - 1);
    assert_int_equal(read_sandbox(text, &s, &j, why), -1);
    assert_non_null(strstr(why, "64 KiB"));
}

static void
test_paths(void **state)
{
    char why[200];
    struct rouse_json *j = plugin_json_parse(
        NULL,
        text_of("{\"error\":{\"code\":\"no_room\",\"n\":5},\"ok\":true,\"x\":null,\"l\":[1]}"),
        why, sizeof why);

    (void)state;
    assert_non_null(j);
    assert_slice(plugin_slice(plugin_json_text(j, "error.code")), "no_room");
    assert_slice(plugin_slice(plugin_json_text(j, "error.n")), "5");
    assert_slice(plugin_slice(plugin_json_text(j, "ok")), "true");
    assert_null(plugin_json_text(j, "error").p);
    assert_null(plugin_json_text(j, "x").p);
    assert_null(plugin_json_text(j, "l.0").p);
    assert_null(plugin_json_text(j, "error.code.more").p);
    assert_null(plugin_json_text(j, "nowhere.at.all").p);
    plugin_json_free(j);
    plugin_json_free(NULL);
}

static void
test_request(void **state)
{
    struct rouse_request q = {
        .size = sizeof q, .op = ROUSE_RESUME, .id = {"a\"b", 3}, .port = 3000, .epoch = 5,
        .deadline_us = 1500000, .klass = {"sdk", 3}, .client = {"10.0.0.1", 8},
        .method = {"GET", 3}, .host = {"h", 1}, .path = {"/\n", 2},
    };
    char out[512], small[20];

    (void)state;
    int n = plugin_request_to_json(NULL, &q, out, sizeof out);
    assert_true(n > 0);
    assert_slice(((struct slice){out, (size_t)n}),
                 "{\"op\":\"resume\",\"id\":\"a\\\"b\",\"port\":3000,\"class\":\"sdk\",\"epoch\":5,"
                 "\"deadline_ms\":1500,\"caller\":{\"client\":\"10.0.0.1\",\"method\":\"GET\","
                 "\"host\":\"h\",\"path\":\"/\\u000a\"}}");
    assert_int_equal(plugin_request_to_json(NULL, &q, small, sizeof small), -1);
}

/* RFC 4231 test case 2; RFC 4648 section 10. */
static void
test_crypto(void **state)
{
    static const uint8_t mac[] = {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e,
                                  0x6a, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7,
                                  0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27, 0x39, 0x83,
                                  0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43};
    static const char *const pairs[][2] = {
        {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"},
    };
    static const char *const bad[] = {"Z", "Zg", "Zg=", "Zg==Zg==", "Z===", "Zg=a", "Zm9 ", "Zm\n9",
                                      "====", "Zm9v!!!!", "_-_-"};
    uint8_t out[32];
    char text[16];

    (void)state;
    plugin_hmac_sha256(text_of("Jefe"), text_of("what do ya want for nothing?"), out);
    assert_memory_equal(out, mac, sizeof mac);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        int n = plugin_base64_encode(text_of(pairs[i][0]), text, sizeof text);
        assert_slice(((struct slice){text, (size_t)n}), pairs[i][1]);
        n = plugin_base64_decode(text_of(pairs[i][1]), out, sizeof out);
        assert_slice(((struct slice){(char *)out, (size_t)n}), pairs[i][0]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(plugin_base64_decode(text_of(bad[i]), out, sizeof out), -1);
    assert_int_equal(plugin_base64_encode(text_of("foobar"), text, 8), -1);
    assert_int_equal(plugin_base64_decode(text_of("Zm9vYmFy"), out, 5), -1);
}

static void
test_load(void **state)
{
    static const char *const bad[] = {"", "../http", "http.so", "/tmp/x", "HTTP", "no-such-plugin",
                                      ("-" A64)};
    char text[512], names[512];
    struct buf why, list;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        buf_init_fixed(&why, text, sizeof text);
        assert_null(plugin_load(bad[i], &why));
        assert_true(why.n > 0);
    }
    buf_init_fixed(&why, text, sizeof text);
    const struct rouse_plugin *p = plugin_load("http", &why);
    assert_non_null(p);
    assert_ptr_equal(plugin_load("http", &why), p);
    buf_init_fixed(&list, names, sizeof names);
    plugin_list(&list);
    assert_non_null(strstr(buf_cstr(&list), "http"));
    assert_non_null(strstr(buf_cstr(&list), "exec"));
}

static int
find_plugins(void **state)
{
    const char *top = getenv("TOP_BUILDDIR");
    char dir[4096];

    (void)state;
    snprintf(dir, sizeof dir, "%s/plugins", top ? top : ".");
    return setenv("ROUSE_PLUGIN_DIR", dir, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sandbox),      cmocka_unit_test(test_only_state_is_required),
        cmocka_unit_test(test_how_its_ports_speak),
        cmocka_unit_test(test_bad_sandboxes), cmocka_unit_test(test_bad_rules),
        cmocka_unit_test(test_bounds),       cmocka_unit_test(test_paths),
        cmocka_unit_test(test_request),      cmocka_unit_test(test_crypto),
        cmocka_unit_test(test_load),
    };

    return cmocka_run_group_tests(tests, find_plugins, NULL);
}
