/* SPDX-License-Identifier: BSD-2-Clause */
/* Fetches over https: the peer is verified, by the file that is there now. */
#include "config.h"

#include "tls_rig.h"

#include "http/fetch.h"

#include <netinet/in.h>
#include <stdlib.h>

struct world {
    struct tls_rig tls;
    struct tls_server *server;
    struct resolver *resolver;
    struct fetcher *fetcher;
    int listener;
    uint16_t port;
    struct end end;
    bool accepted;
    unsigned connections, done;
    enum reason reason;
    enum delivered_hint sent;
    uint16_t status;
    char detail[160];
};

static int
setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(a);

    assert_non_null(w);
    tls_rig_open(&w->tls);
    tls_rig_pair(&w->tls, "localhost");
    w->server = tls_rig_server(&w->tls, NULL);
    w->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(w->listener, (struct sockaddr *)&a, n), 0);
    assert_int_equal(listen(w->listener, 8), 0);
    assert_int_equal(getsockname(w->listener, (struct sockaddr *)&a, &n), 0);
    w->port = ntohs(a.sin_port);
    w->resolver = resolver_new(&w->tls.loop);
    w->fetcher = fetcher_new(&w->tls.loop, w->resolver, w->tls.lib);
    assert_non_null(w->fetcher);
    *state = w;
    return 0;
}

static void
turns(struct world *w, int n)
{
    while (n-- > 0)
        loop_turn(&w->tls.loop, 2 * USEC_MS);
}

static int
teardown(void **state)
{
    struct world *w = *state;

    fetcher_free(w->fetcher);
    turns(w, 3);
    resolver_free(w->resolver);
    if (w->accepted)
        end_close(&w->end);
    close(w->listener);
    turns(w, 3);
    tls_server_free(w->server);
    tls_rig_close(&w->tls);
    free(w);
    return 0;
}

static void
on_done(void *ctx, const struct fetch_result *r)
{
    struct world *w = ctx;

    w->done++;
    w->reason = r->reason;
    w->sent = r->sent;
    w->status = r->status;
    snprintf(w->detail, sizeof(w->detail), "%s", r->detail ? r->detail : "");
}

/* The origin: accepts with TLS, answers each whole request. */
static void
serve(struct world *w)
{
    int fd = accept4(w->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0) {
        if (w->accepted)
            end_close(&w->end);
        end_open(&w->end, &w->tls, fd);
        assert_int_equal(conn_start_tls_server(&w->end.conn, w->server), 0);
        w->end.read_all = true;
        w->accepted = true;
        w->connections++;
    }
    if (!w->accepted || !memmem(w->end.in, w->end.got, "\r\n\r\n", 4))
        return;
    w->end.got = 0;
    assert_true(end_write(&w->end, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") > 0);
}

static void
fetch(struct world *w, const char *host, const char *ca)
{
    usec_t late = loop_clock() + RIG_PATIENCE;
    const char *why = NULL;
    char url[80];
    struct fetch_options o = {.method = SLICE("GET"), .ca = ca, .timeout = 5 * USEC_SEC};

    snprintf(url, sizeof(url), "https://%s:%u/x", host, w->port);
    o.url = slice_of(url);
    w->done = 0;
    assert_non_null(fetch_start(w->fetcher, &o, on_done, w, &why));
    while (!w->done) {
        loop_turn(&w->tls.loop, 2 * USEC_MS);
        serve(w);
        assert_true(loop_clock() < late);
    }
}

static void
test_answered(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 3; i++) {
        fetch(w, "localhost", w->tls.ca_file);
        assert_int_equal(w->reason, REASON_NONE);
        assert_int_equal(w->status, 200);
    }
    assert_int_equal(w->connections, 1);
}

static void
refused(struct world *w, const char *host, const char *ca, const char *says)
{
    fetch(w, host, ca);
    assert_int_equal(w->reason, REASON_UPSTREAM_UNTRUSTED);
    assert_int_equal(w->sent, FETCH_NOT_SENT);
    if (!strstr(w->detail, says))
        fail_msg("%s", w->detail);
}

static void
test_not_trusted(void **state)
{
    struct world *w = *state;

    refused(w, "localhost", NULL, "certificate"); /* not by the system's authorities */
    refused(w, "localhost", tls_rig_path(&w->tls, "none.pem"), "none.pem");
}

/* Who is trusted now counts, also for connections that are kept. */
static void
test_another_authority(void **state)
{
    struct world *w = *state;
    const char *file = tls_rig_path(&w->tls, "changing.pem");
    struct made other;

    made_write(&w->tls.ca, NULL, file, NULL);
    fetch(w, "localhost", file);
    assert_int_equal(w->reason, REASON_NONE);
    made_new(&other, &(struct make){.name = "other CA", .ca = true}, NULL);
    assert_int_equal(unlink(file), 0);
    made_write(&other, NULL, file, NULL);
    refused(w, "localhost", file, "certificate");
    made_free(&other);
}

static void
test_cancelled_in_the_handshake(void **state)
{
    struct world *w = *state;
    const char *why = NULL;
    char url[80];
    struct fetch_options o = {.method = SLICE("GET"), .ca = w->tls.ca_file};
    struct fetch *x;

    snprintf(url, sizeof(url), "https://localhost:%u/", w->port);
    o.url = slice_of(url);
    w->done = 0;
    x = fetch_start(w->fetcher, &o, on_done, w, &why);
    assert_non_null(x);
    turns(w, 10);
    fetch_cancel(x);
    turns(w, 3);
    assert_int_equal(w->done, 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_answered),
        T(test_not_trusted),
        T(test_another_authority),
        T(test_cancelled_in_the_handshake),
    };

    return cmocka_run_group_tests_name("fetch_tls", tests, NULL, NULL);
}
