/* SPDX-License-Identifier: BSD-2-Clause */
/* The resolver against a name server of our own on loopback, which counts what it is asked. */
#include "config.h"

#include "net/resolver.h"

#include "net_rig.h"

#include <netinet/in.h>
#include <stdio.h>

#define TYPE_A 1
#define TYPE_AAAA 28

struct rig {
    struct loop loop;
    unsigned fds;
    int server;
    struct resolver *resolver;
    unsigned asked; /* questions for A records the server saw */
    unsigned told;
    bool done;
    size_t n;
    struct endpoint e[RESOLVER_MAX_ADDRESSES];
    char why[100];
    struct resolver_query *cancel_too;
};

static int
set_up(void **state)
{
    struct rig *r = calloc(1, sizeof(*r));
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(a);
    char servers[64];

    r->fds = rig_open_fds();
    rig_loop(&r->loop);
    r->server = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(r->server, (struct sockaddr *)&a, n), 0);
    assert_int_equal(getsockname(r->server, (struct sockaddr *)&a, &n), 0);
    snprintf(servers, sizeof(servers), "127.0.0.1:%u", ntohs(a.sin_port));
    r->resolver = resolver_new(&r->loop);
    assert_non_null(r->resolver);
    assert_int_equal(resolver_set_servers(r->resolver, servers), 0);
    *state = r;
    return 0;
}

static int
tear_down(void **state)
{
    struct rig *r = *state;

    resolver_free(r->resolver);
    assert_int_equal(r->loop.wheel.armed, 0);
    loop_fini(&r->loop);
    close(r->server);
    assert_int_equal(rig_open_fds(), r->fds);
    free(r);
    return 0;
}

static void
on_done(void *ctx, const struct endpoint *e, size_t n, const char *why)
{
    struct rig *r = ctx;

    r->told++;
    r->done = true;
    r->n = n;
    if (n > 0)
        memcpy(r->e, e, n * sizeof(*e));
    assert_true((n > 0) == (why == NULL));
    snprintf(r->why, sizeof(r->why), "%s", why ? why : "");
    if (r->cancel_too) {
        resolver_cancel(r->cancel_too);
        r->cancel_too = NULL;
    }
}

/* The question's name as text; returns the question's type. */
static unsigned
question(const unsigned char *q, size_t n, char *name, size_t *end)
{
    size_t at = 12, out = 0;

    while (at < n && q[at] != 0) {
        memcpy(name + out, q + at + 1, q[at]);
        out += q[at];
        name[out++] = '.';
        at += 1u + q[at];
    }
    name[out] = '\0';
    *end = at + 5;
    return (unsigned)q[at + 1] << 8 | q[at + 2];
}

static size_t
add_address(unsigned char *p, unsigned type, unsigned ttl, unsigned last)
{
    static const unsigned char four[] = {10, 1, 2, 3};
    static const unsigned char six[] = {0xfd, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3};
    size_t size = type == TYPE_A ? sizeof(four) : sizeof(six);

    memcpy(p, "\xc0\x0c\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00", 12);
    p[3] = (unsigned char)type;
    p[9] = (unsigned char)ttl;
    p[11] = (unsigned char)size;
    memcpy(p + 12, type == TYPE_A ? four : six, size);
    p[11 + size] = (unsigned char)last;
    return 12 + size;
}

/* one.: 10.1.2.3, one second. six.: only IPv6. many.: twenty. no.: there is none. silent.:
 * nothing. */
static size_t
answer(struct rig *r, unsigned char *q, size_t n)
{
    char name[300];
    size_t end;
    unsigned type = question(q, n, name, &end), count = 0;

    r->asked += type == TYPE_A;
    if (strncmp(name, "silent.", 7) == 0)
        return 0;
    q[2] = 0x81;
    q[3] = 0x80;
    memset(q + 6, 0, 6); /* no EDNS in the answer */
    if (strncmp(name, "no.", 3) == 0)
        q[3] |= 3;
    else if (strncmp(name, "six.", 4) == 0)
        count = type == TYPE_AAAA;
    else if (strncmp(name, "many.", 5) == 0)
        count = type == TYPE_A ? 20 : 0;
    else
        count = type == TYPE_A;
    for (unsigned i = 0; i < count; i++)
        end += add_address(q + end, type, 1, 3 + i);
    q[7] = (unsigned char)count;
    return end;
}

static void
serve(struct rig *r)
{
    struct sockaddr_in from;
    socklen_t size = sizeof(from);
    unsigned char q[2048];
    ssize_t n;

    while ((n = recvfrom(r->server, q, 512, 0, (struct sockaddr *)&from, &size)) > 12) {
        size_t len = answer(r, q, (size_t)n);

        if (len > 0)
            assert_int_equal(sendto(r->server, q, len, 0, (struct sockaddr *)&from, size), len);
    }
}

static void
until(struct rig *r, unsigned told)
{
    usec_t end = loop_clock() + RIG_PATIENCE;

    while (r->told < told) {
        serve(r);
        loop_turn(&r->loop, USEC_MS);
        assert_true(loop_clock() < end);
    }
}

static struct resolver_query *
ask(struct rig *r, const char *host, usec_t timeout)
{
    unsigned before = r->told;
    struct resolver_query *q = resolver_ask(r->resolver, slice_of(host), 8080, timeout, on_done, r);

    assert_non_null(q);
    assert_int_equal(r->told, before); /* never from within */
    return q;
}

static void
expect(struct rig *r, const char *const *addresses)
{
    size_t i = 0;

    for (; addresses[i]; i++) {
        char text[ENDPOINT_TEXT];

        assert_true(i < r->n);
        assert_string_equal(endpoint_text(&r->e[i], text), addresses[i]);
    }
    assert_int_equal(r->n, i);
}

static void
test_numbers_need_no_question(void **state)
{
    struct rig *r = *state;

    ask(r, "10.9.8.7", USEC_SEC);
    until(r, 1);
    expect(r, (const char *const[]){"10.9.8.7:8080", NULL});
    ask(r, "::1", USEC_SEC);
    ask(r, "[fd00::5]", USEC_SEC);
    until(r, 3);
    expect(r, (const char *const[]){"[fd00::5]:8080", NULL});
    assert_int_equal(r->asked, 0);
}

static void
test_what_is_not_a_name(void **state)
{
    static const char *const bad[] = {
        "", ".", "a..b", ".a", "a b", " a", "a ", "10.1.2.3:80", "127.1",
        "2130706433", "a/b", "a.1", "a\x80", "[::1", "0177.0.0.1", "a\n",
    };
    struct rig *r = *state;
    char longest[300];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (resolver_ask(r->resolver, slice_of(bad[i]), 1, USEC_SEC, on_done, r))
            fail_msg("\"%s\" was taken for a name", bad[i]);
    memset(longest, 'a', sizeof(longest));
    assert_null(resolver_ask(r->resolver, (struct slice){longest, 64}, 1, USEC_SEC, on_done, r));
    for (size_t i = 50; i < sizeof(longest); i += 50)
        longest[i] = '.';
    assert_null(resolver_ask(r->resolver, (struct slice){longest, 255}, 1, USEC_SEC, on_done, r));
    ask(r, "o-n_e.x9.", USEC_SEC);
    until(r, 1);
}

static void
test_a_name_and_its_cache(void **state)
{
    struct rig *r = *state;

    ask(r, "one.test", USEC_SEC);
    ask(r, "ONE.test", USEC_SEC); /* waits for the same answer */
    until(r, 2);
    expect(r, (const char *const[]){"10.1.2.3:8080", NULL});
    assert_int_equal(r->asked, 1);
    ask(r, "one.test", USEC_SEC);
    until(r, 3);
    assert_int_equal(r->asked, 1);
    while (r->asked == 1) { /* the record lives one second */
        ask(r, "one.test", USEC_SEC);
        until(r, r->told + 1);
        loop_turn(&r->loop, 100 * USEC_MS);
    }
    expect(r, (const char *const[]){"10.1.2.3:8080", NULL});
}

static void
test_ipv6_only_and_too_many(void **state)
{
    struct rig *r = *state;

    ask(r, "six.test", USEC_SEC);
    until(r, 1);
    expect(r, (const char *const[]){"[fd00:1::3]:8080", NULL});
    ask(r, "many.test", USEC_SEC);
    until(r, 2);
    assert_int_equal(r->n, RESOLVER_MAX_ADDRESSES);
}

static void
test_no_such_name_is_remembered(void **state)
{
    struct rig *r = *state;

    ask(r, "no.test.", 10 * USEC_SEC);
    until(r, 1);
    assert_int_equal(r->n, 0);
    assert_true(strlen(r->why) > 0);
    assert_int_equal(r->asked, 1);
    ask(r, "no.test.", 10 * USEC_SEC);
    until(r, 2);
    assert_int_equal(r->asked, 1);
}

static void
test_silence_ends_with_the_timeout(void **state)
{
    struct rig *r = *state;

    ask(r, "silent.test", 50 * USEC_MS);
    ask(r, "silent.test", 200 * USEC_MS);
    until(r, 1);
    assert_string_equal(r->why, "timed out");
    until(r, 2);
    assert_int_equal(r->n, 0);
    ask(r, "silent.test", RIG_PATIENCE); /* dropped by resolver_free */
}

static void
test_cancelling(void **state)
{
    struct rig *r = *state;
    struct resolver_query *q = ask(r, "one.test", USEC_SEC);

    resolver_cancel(q);
    resolver_cancel(ask(r, "10.0.0.1", USEC_SEC));
    resolver_cancel(NULL);
    ask(r, "two.test", USEC_SEC);
    r->cancel_too = ask(r, "two.test", USEC_SEC);
    until(r, 1);
    serve(r);
    rig_settle(&r->loop);
    assert_int_equal(r->told, 1);
    ask(r, "silent.test", USEC_SEC);
    ask(r, "10.0.0.1", USEC_SEC); /* both are open when the resolver goes */
}

static void
test_more_names_than_are_kept(void **state)
{
    struct rig *r = *state;

    for (unsigned i = 0; i < 1500; i++) {
        char name[32];

        snprintf(name, sizeof(name), "n%u.test", i);
        ask(r, name, RIG_PATIENCE);
        until(r, i + 1);
        assert_int_equal(r->n, 1);
    }
    assert_int_equal(r->asked, 1500);
    ask(r, "n1499.test", USEC_SEC);
    until(r, 1501);
    assert_int_equal(r->asked, 1500);
    ask(r, "n0.test", USEC_SEC);
    until(r, 1502);
    assert_int_equal(r->asked, 1501);
}

static void
test_hosts_file(void **state)
{
    struct rig *r = *state;

    ask(r, "localhost", USEC_SEC); /* answered from within c-ares' call */
    until(r, 1);
    assert_true(r->n >= 1);
    for (size_t i = 0; i < r->n; i++)
        assert_true(endpoint_is_loopback(&r->e[i]));
    assert_int_equal(r->asked, 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_numbers_need_no_question),
        TEST(test_what_is_not_a_name),
        TEST(test_a_name_and_its_cache),
        TEST(test_ipv6_only_and_too_many),
        TEST(test_no_such_name_is_remembered),
        TEST(test_silence_ends_with_the_timeout),
        TEST(test_cancelling),
        TEST(test_more_names_than_are_kept),
        TEST(test_hosts_file),
    };
    return cmocka_run_group_tests_name("resolver", tests, NULL, NULL);
}
