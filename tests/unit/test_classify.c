/* SPDX-License-Identifier: BSD-2-Clause */
/* Traffic classes (CONTRACT section 4), and where the waiting page may stand. */
#include "config.h"

#include "gateway/classify.h"

#include "gatewaykit.h"
#include "unit.h"

#include <stdio.h>

static const char *const sites[] = {"*.localhost", NULL};

static const struct {
    const char *start, *fields;
    uint16_t port;
    enum traffic_class wanted;
    bool page;
} row[] = {
    {"GET / ", "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n", 80, CLASS_NAVIGATION, 1},
    {"GET / ", "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n", 80, CLASS_NAVIGATION, 1},
    {"GET / ", "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: embed\r\n", 80, CLASS_NAVIGATION, 0},
    {"GET / ", "Accept: text/html,*/*\r\n", 80, CLASS_NAVIGATION, 1},
    {"HEAD / ", "Accept: text/html\r\n", 80, CLASS_NAVIGATION, 1},
    {"GET / ", "Accept: text/html, application/json\r\n", 80, CLASS_NAVIGATION, 0},
    {"POST / ", "Sec-Fetch-Mode: navigate\r\nContent-Length: 3\r\n", 80, CLASS_FORM, 0},
    {"POST / ", "Sec-Fetch-Mode: navigate\r\n", 80, CLASS_FORM, 0},
    {"POST / ", "Accept: text/html\r\nContent-Length: 3\r\n", 80, CLASS_FORM, 0},
    {"GET /a ", "Sec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n", 80, CLASS_FETCH, 0},
    {"GET /a.js ", "Sec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: script\r\n", 80,
     CLASS_SUBRESOURCE, 0},
    {"GET /ws ", "Connection: Upgrade\r\nUpgrade: websocket\r\n", 80, CLASS_WEBSOCKET, 0},
    {"GET /ev ", "Accept: text/event-stream\r\n", 80, CLASS_SSE, 0},
    {"POST /x ", "Connect-Protocol-Version: 1\r\n", 80, CLASS_SDK, 0},
    {"POST /x ", "Content-Type: application/grpc+proto\r\n", 80, CLASS_SDK, 0},
    {"POST /x ", "Content-Type: application/connect+json\r\n", 80, CLASS_SDK, 0},
    {"GET /files ", "", 49983, CLASS_SDK, 0},
    {"GET / ", "", 80, CLASS_OTHER, 0},
    {"GET / ", "Accept: */*\r\nUser-Agent: curl/8\r\n", 80, CLASS_OTHER, 0},
    {"GET / ", "Sec-Purpose: prefetch;prerender\r\nSec-Fetch-Mode: navigate\r\n", 80,
     CLASS_PREFETCH, 0},
    {"GET / ", "Purpose: prefetch\r\n", 80, CLASS_PREFETCH, 0},
    {"GET / ", "X-Moz: prefetch\r\n", 80, CLASS_PREFETCH, 0},
    {"GET /favicon.ico ", "Sec-Fetch-Mode: no-cors\r\n", 80, CLASS_HOUSEKEEPING, 0},
    {"GET /robots.txt?x ", "", 80, CLASS_HOUSEKEEPING, 0},
    {"GET /apple-touch-icon-57x57.png ", "", 80, CLASS_HOUSEKEEPING, 0},
    {"POST /robots.txt ", "", 80, CLASS_OTHER, 0},
    {"GET / ", "User-Agent: kube-probe/1.30\r\n", 80, CLASS_PROBE, 0},
    {"GET / ", "User-Agent: ELB-HealthChecker/2.0\r\n", 80, CLASS_PROBE, 0},
    {"OPTIONS / ", "Origin: https://a\r\nAccess-Control-Request-Method: PUT\r\n", 80,
     CLASS_PREFLIGHT, 0},
    {"OPTIONS / ", "Origin: https://a\r\n", 80, CLASS_OTHER, 0},
};

static void
test_classes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct kit k;
        struct route r = {.port = row[i].port};
        char lines[512];
        enum traffic_class got;

        kit_open(&k, sites);
        r.site = &k.config->site[0];
        snprintf(lines, sizeof(lines), "%sHTTP/1.1\r\nHost: 80-x.localhost\r\n%s", row[i].start,
                 row[i].fields);
        kit_head(&k, lines);
        got = classify(&k.head, &r);
        if (got != row[i].wanted)
            print_error("%s is %s\n", lines, traffic_class_name(got));
        assert_int_equal(got, row[i].wanted);
        assert_int_equal(classify_page_fits(&k.head, got), row[i].page);
        kit_close(&k);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
    };

    return cmocka_run_group_tests_name("classify", tests, NULL, NULL);
}
