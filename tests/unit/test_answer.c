/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers that are made up (CONTRACT section 5): which shape whom, and each shape's words. */
#include "config.h"

#include "gateway/answer.h"

#include "gatewaykit.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static const char *const sites[] = {"*.localhost", NULL};

static const struct {
    const char *start, *fields;
    uint16_t port;
    enum traffic_class klass;
    enum answer_shape shape;
    bool e2b;
    const char *type; /* given back */
} fit[] = {
    {"GET / ", "", 80, CLASS_OTHER, ANSWER_JSON, 0, NULL},
    {"GET / ", "", 80, CLASS_NAVIGATION, ANSWER_HTML, 0, NULL},
    {"POST / ", "Content-Type: text/plain\r\n", 80, CLASS_FORM, ANSWER_HTML, 0, NULL},
    {"GET /files ", "", 49983, CLASS_SDK, ANSWER_JSON, 0, NULL},
    {"GET / ", "E2b-Sandbox-Id: x\r\n", 80, CLASS_SDK, ANSWER_JSON, 1, NULL},
    {"GET / ", "e2b-sandbox-port: 80\r\n", 80, CLASS_NAVIGATION, ANSWER_HTML, 1, NULL},
    /* gRPC */
    {"POST /s/m ", "Content-Type: application/grpc\r\n", 80, CLASS_SDK, ANSWER_GRPC, 0, NULL},
    {"POST /s/m ", "Content-Type: application/grpc+proto\r\n", 80, CLASS_SDK, ANSWER_GRPC, 0, NULL},
    {"POST /s/m ", "content-type: Application/gRPC+JSON; a=b\r\n", 80, CLASS_SDK, ANSWER_GRPC, 0,
     NULL},
    {"POST /s/m ", "Content-Type: application/grpc\r\n", 49983, CLASS_SDK, ANSWER_GRPC, 1, NULL},
    {"POST /s/m ", "Content-Type: application/grpc\r\nConnect-Protocol-Version: 1\r\n", 80,
     CLASS_SDK, ANSWER_GRPC, 0, NULL},
    {"POST /s/m ", "Content-Type: application/grpcx\r\n", 80, CLASS_SDK, ANSWER_JSON, 0, NULL},
    {"POST /s/m ", "Content-Type: application/grpc+\r\n", 80, CLASS_SDK, ANSWER_JSON, 0, NULL},
    /* gRPC-Web */
    {"POST /s/m ", "Content-Type: application/grpc-web\r\n", 80, CLASS_SDK, ANSWER_GRPC_WEB, 0,
     "application/grpc-web"},
    {"POST /s/m ", "Content-Type: application/grpc-web-text+proto ; q\r\n", 80, CLASS_SDK,
     ANSWER_GRPC_WEB, 0, "application/grpc-web-text+proto"},
    {"POST /s/m ", "Content-Type: application/grpc-web+a,b\r\n", 80, CLASS_SDK, ANSWER_JSON, 0,
     NULL},
    /* Connect */
    {"POST /s/m ", "Content-Type: application/connect+json\r\n", 80, CLASS_SDK,
     ANSWER_CONNECT_STREAM, 0, "application/connect+json"},
    {"POST /s/m ", "Content-Type: application/connect+proto\r\nConnect-Protocol-Version: 1\r\n",
     49999, CLASS_SDK, ANSWER_CONNECT_STREAM, 1, "application/connect+proto"},
    {"POST /s/m ", "Content-Type: application/connect\r\n", 80, CLASS_SDK, ANSWER_JSON, 0, NULL},
    {"POST /s/m ", "Content-Type: application/connect+<b>\r\n", 80, CLASS_SDK, ANSWER_JSON, 0,
     NULL},
    {"POST /s/m ", "Content-Type: application/json\r\nConnect-Protocol-Version: 1\r\n", 80,
     CLASS_SDK, ANSWER_CONNECT, 0, NULL},
    {"POST /s/m ", "Content-Type: application/proto\r\nConnect-Protocol-Version: 1\r\n", 49983,
     CLASS_SDK, ANSWER_CONNECT, 1, NULL},
    {"POST /s/m ", "Content-Type: application/proto\r\n", 80, CLASS_SDK, ANSWER_JSON, 0, NULL},
    {"GET /s/m?connect=v1&encoding=json&message=%7B%7D ", "", 80, CLASS_OTHER, ANSWER_CONNECT, 0,
     NULL},
    {"GET /s/m?xconnect=v1&encoding=json ", "", 80, CLASS_OTHER, ANSWER_JSON, 0, NULL},
    {"GET /s/m?connect=v1 ", "", 80, CLASS_OTHER, ANSWER_JSON, 0, NULL},
};

static void
test_fits_its_caller(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(fit) / sizeof(fit[0]); i++) {
        struct kit k;
        struct answer a = {.port = fit[i].port};
        char lines[512];

        kit_open(&k, sites);
        snprintf(lines, sizeof(lines), "%sHTTP/1.1\r\nHost: 80-x.localhost\r\nOrigin: o:\r\n%s",
                 fit[i].start, fit[i].fields);
        kit_head(&k, lines);
        answer_fit(&a, &k.head, fit[i].klass);
        if (a.shape != fit[i].shape || a.e2b != fit[i].e2b)
            print_error("%s: shape %d\n", lines, (int)a.shape);
        assert_int_equal(a.shape, fit[i].shape);
        assert_int_equal(a.e2b, fit[i].e2b);
        assert_true(slice_eq(a.origin, SLICE("o:")));
        if (fit[i].type)
            assert_true(slice_eq(a.type, slice_of(fit[i].type)));
        kit_close(&k);
    }
}

/* The dialects whose whole traffic is E2B's, and those of another column. */
static void
test_dialects(void **state)
{
    struct kit k;

    (void)state;
    kit_open(&k, sites);
    kit_head(&k, "GET / HTTP/1.1\r\nHost: 80-x.localhost\r\n");
    for (enum dialect d = 0; d < DIALECTS; d++) {
        struct answer a = {.dialect = d};

        answer_fit(&a, &k.head, CLASS_OTHER);
        assert_int_equal(a.e2b, d == DIALECT_E2B || d == DIALECT_OPENKRUISE);
    }
    kit_close(&k);
}

static struct answer
example(enum reason r, enum answer_shape shape)
{
    return (struct answer){.reason = r, .shape = shape, .sandbox = SLICE("i7k2p"), .port = 3000,
                           .waited = 45 * USEC_SEC, .request_id = SLICE("0193a7"),
                           .type = SLICE("application/grpc-web")};
}

static void
check_body(const struct answer *a, unsigned retry_after, struct slice wanted)
{
    struct buf out;

    buf_init(&out, 65536);
    answer_body(&out, a, retry_after);
    assert_false(out.full);
    if (!slice_eq(buf_slice(&out), wanted))
        print_error("%.*s\n", SLICE_ARG(buf_slice(&out)));
    assert_true(slice_eq(buf_slice(&out), wanted));
    buf_fini(&out);
}

static void
test_json(void **state)
{
    struct answer a = example(REASON_RESUME_TIMEOUT, ANSWER_JSON);

    (void)state;
    check_body(&a, 2,
               SLICE("{\"code\":504,\"error\":\"resume_timeout\",\"message\":\"Sandbox"
                     " i7k2p is still"
                     " resuming after 45 s. It goes on resuming; try again"
                     " shortly.\",\"sandboxId\":"
                     "\"i7k2p\",\"port\":3000,\"retryable\":true,\"retryAfter\":2,\"delivered\":"
                     "\"no\",\"requestId\":\"0193a7\"}\n"));
    a = example(REASON_PORT_CLOSED, ANSWER_JSON);
    a.e2b = true;
    check_body(&a, 1,
               SLICE("{\"sandboxId\":\"i7k2p\",\"message\":\"The sandbox is running but port is not"
                     " open\",\"port\":3000,\"code\":502,\"error\":\"port_closed\",\"retryable\":"
                     "true,\"retryAfter\":1,\"delivered\":\"no\",\"requestId\":\"0193a7\"}\n"));
    a.reason = REASON_SANDBOX_GONE;
    check_body(&a, 0,
               SLICE("{\"sandboxId\":\"i7k2p\",\"message\":\"The sandbox was not"
                     " found\",\"code\":502,"
                     "\"error\":\"sandbox_gone\",\"retryable\":false,\"delivered\":\"no\","
                     "\"requestId\":\"0193a7\"}\n"));
    a = example(REASON_SANDBOX_PAUSED, ANSWER_JSON);
    a.dialect = DIALECT_OPENSANDBOX;
    a.sandbox = SLICE_NONE;
    a.port = 0;
    check_body(&a, 0,
               SLICE("{\"code\":503,\"error\":\"sandbox_paused\",\"message\":\"The sandbox"
                     " is paused"
                     " and must be resumed by its"
                     " owner.\",\"retryable\":false,\"delivered\":\"no\","
                     "\"requestId\":\"0193a7\"}\n"));
}

static void
test_connect(void **state)
{
    struct answer a = example(REASON_SANDBOX_GONE, ANSWER_CONNECT);
    static const char unary[] = "{\"code\":\"not_found\",\"message\":\"This sandbox was ended and "
                                "does not come back.\"}";
    static const char end[] = "{\"error\":{\"code\":\"unavailable\",\"message\":\"The sandbox was "
                              "not found\"}}";
    char framed[sizeof(end) + 5] = {2, 0, 0, 0, (char)(sizeof(end) - 1)};

    (void)state;
    check_body(&a, 0, SLICE(unary));
    a.shape = ANSWER_CONNECT_STREAM;
    a.e2b = true;
    memcpy(framed + 5, end, sizeof(end));
    check_body(&a, 0, (struct slice){framed, sizeof(end) + 4});
}

static void
test_grpc(void **state)
{
    struct answer a = example(REASON_WAKE_NOT_ALLOWED, ANSWER_GRPC);
    static const char lines[] =
        "grpc-status: 10\r\ngrpc-message: The sandbox is paused, and requests of this kind do not "
        "wake it: 100%25 %C3%A9.\r\n";
    char framed[sizeof(lines) + 5] = {(char)0x80, 0, 0, 0, (char)(sizeof(lines) - 1)};

    (void)state;
    check_body(&a, 0, SLICE_NONE); /* trailers only: all of it is in the head */
    a.shape = ANSWER_GRPC_WEB;
    a.detail = "100% \xc3\xa9";
    memcpy(framed + 5, lines, sizeof(lines));
    check_body(&a, 0, (struct slice){framed, sizeof(lines) + 4});
    a.type = SLICE("application/grpc-web-text+proto");
    a.detail = NULL;
    check_body(&a, 0,
               SLICE("gAAAAGFncnBjLXN0YXR1czogMTANCmdycGMtbWVzc2FnZTogVGhlIHNhbmRib3ggaXMgcGF1"
                     "c2VkLCBhbmQgcmVxdWVzdHMgb2YgdGhpcyBraW5kIGRvIG5vdCB3YWtlIGl0Lg0K"));
}

/* Each reason has a body in every shape, and an RPC code that clients know. */
static void
test_every_reason(void **state)
{
    (void)state;
    for (enum reason r = REASON_NONE + 1; r < REASON_COUNT; r++)
        for (enum answer_shape s = ANSWER_JSON; s <= ANSWER_GRPC_WEB; s++)
            for (int e2b = 0; e2b < 2; e2b++) {
                struct answer a = example(r, s);
                struct buf out;

                a.e2b = e2b;
                a.detail = "a clause";
                buf_init(&out, 65536);
                answer_body(&out, &a, 1);
                assert_false(out.full);
                assert_true(s == ANSWER_GRPC ? out.n == 0 : out.n > 20);
                if (s == ANSWER_GRPC_WEB) /* 2 is what an unknown name becomes */
                    assert_false(slice_starts(slice_sub(buf_slice(&out), 5, out.n),
                                              SLICE("grpc-status: 2\r")));
                buf_fini(&out);
            }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fits_its_caller), cmocka_unit_test(test_dialects),
        cmocka_unit_test(test_json),            cmocka_unit_test(test_connect),
        cmocka_unit_test(test_grpc),            cmocka_unit_test(test_every_reason),
    };

    return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
