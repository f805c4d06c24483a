/* SPDX-License-Identifier: BSD-2-Clause */
/* Listening sockets: addresses, budget, running out of descriptors, closing in the callback. */
#include "config.h"

#include "net/listener.h"

#include "base/metric.h"
#include "net_rig.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>

#define MANY (2 * LISTENER_ACCEPT_BUDGET + 10)

struct rig {
    struct loop loop;
    struct metrics metrics;
    unsigned fds;
    struct listener *listener;
    struct endpoint at;
    int fd[MANY];
    unsigned accepted, enough;
    bool done, close_at_once;
    struct endpoint peer;
};

static void
on_accept(void *ctx, struct listener *l, int fd, const struct endpoint *peer)
{
    struct rig *r = ctx;

    assert_true(r->accepted < MANY);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    r->fd[r->accepted++] = fd;
    r->peer = *peer;
    if (r->accepted == r->enough)
        r->done = true;
    if (r->close_at_once)
        listener_close(l);
}

static const struct listener_owner owner = {on_accept};

static int
set_up(void **state)
{
    struct rig *r = calloc(1, sizeof(*r));
    struct loop_options o = {.tick = USEC_MS, .metrics = &r->metrics};

    r->fds = rig_open_fds();
    assert_int_equal(loop_init(&r->loop, &o), 0);
    *state = r;
    return 0;
}

static int
tear_down(void **state)
{
    struct rig *r = *state;

    for (unsigned i = 0; i < r->accepted; i++)
        close(r->fd[i]);
    listener_close(r->listener);
    loop_fini(&r->loop);
    assert_int_equal(rig_open_fds(), r->fds);
    free(r);
    return 0;
}

static int
bind_fine(const char *address, bool reuseport)
{
    char text[200];
    struct buf why;
    int fd;

    buf_init_fixed(&why, text, sizeof(text));
    fd = listener_bind(slice_of(address), reuseport, &why);
    if (fd == -1)
        fail_msg("%s: %.*s", address, SLICE_ARG(buf_slice(&why)));
    return fd;
}

static void
address_of(int fd, char *text, size_t size)
{
    struct buf b;

    buf_init_fixed(&b, text, size - 1);
    listener_address(fd, &b);
    assert_false(b.full);
    text[b.n] = '\0';
}

static void
listen_on(struct rig *r, const char *address)
{
    char text[200];
    int fd = bind_fine(address, true);

    address_of(fd, text, sizeof(text));
    r->at.family = 0;
    if (endpoint_parse(slice_of(text), &r->at) != 0)
        assert_memory_equal(text, "unix:", 5);
    r->listener = listener_new(&r->loop, fd, &owner, r);
    assert_non_null(r->listener);
}

static void
test_accepts_up_to_its_budget_a_turn(void **state)
{
    struct rig *r = *state;
    int client[MANY];

    listen_on(r, "127.0.0.1:0");
    for (int i = 0; i < MANY; i++)
        client[i] = rig_connect(&r->at);
    r->enough = MANY;
    loop_turn(&r->loop, USEC_SEC);
    assert_int_equal(r->accepted, LISTENER_ACCEPT_BUDGET);
    rig_until(&r->loop, &r->done);
    assert_int_equal(r->peer.family, 4);
    assert_true(endpoint_is_loopback(&r->peer));
    assert_int_not_equal(r->peer.port, 0);
    for (int i = 0; i < MANY; i++)
        close(client[i]);
}

static void
test_accepted_sockets_inherit_options(void **state)
{
    struct rig *r = *state;
    int client, value = 0;
    socklen_t n = sizeof(value);

    listen_on(r, "127.0.0.1:0");
    client = rig_connect(&r->at);
    r->enough = 1;
    rig_until(&r->loop, &r->done);
    assert_int_equal(getsockopt(r->fd[0], IPPROTO_TCP, TCP_NODELAY, &value, &n), 0);
    assert_int_equal(value, 1);
    assert_int_equal(getsockopt(r->fd[0], SOL_SOCKET, SO_KEEPALIVE, &value, &n), 0);
    assert_int_equal(value, 1);
    assert_int_equal(getsockopt(r->fd[0], IPPROTO_TCP, TCP_KEEPIDLE, &value, &n), 0);
    assert_int_equal(value, 60);
    close(client);
}

static void
test_closing_in_the_callback(void **state)
{
    struct rig *r = *state;
    int client[3];

    listen_on(r, "127.0.0.1:0");
    for (int i = 0; i < 3; i++)
        client[i] = rig_connect(&r->at);
    r->close_at_once = true;
    rig_settle(&r->loop);
    assert_int_equal(r->accepted, 1);
    r->listener = NULL; /* reaped */
    for (int i = 0; i < 3; i++)
        close(client[i]);
}

static void
limit_descriptors(rlim_t n, struct rlimit *old)
{
    struct rlimit now;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, old), 0);
    now = *old;
    now.rlim_cur = n;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
}

/* The number the next descriptor gets is the limit: there is none to be had. */
static rlim_t
next_descriptor(void)
{
    int fd = dup(0);

    assert_true(fd != -1);
    close(fd);
    return (rlim_t)fd;
}

static void
test_pauses_without_descriptors_and_recovers(void **state)
{
    struct rig *r = *state;
    struct rlimit old;
    unsigned turns = 0;
    int client[2];

    listen_on(r, "127.0.0.1:0");
    client[0] = rig_connect(&r->at);
    client[1] = rig_connect(&r->at);
    limit_descriptors(next_descriptor(), &old);
    loop_turn(&r->loop, USEC_SEC);
    assert_int_equal(metric_get(&r->metrics, METRIC_ACCEPT_PAUSED), 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    r->enough = 2;
    while (!r->done) {
        loop_turn(&r->loop, USEC_SEC);
        turns++;
    }
    assert_true(turns < 20); /* it waited, it did not spin */
    assert_int_equal(metric_get(&r->metrics, METRIC_CONNS_REJECTED), 0);
    close(client[0]);
    close(client[1]);
}

static void
test_lets_callers_down_when_the_pause_did_not_help(void **state)
{
    struct rig *r = *state;
    struct rlimit old;
    int client[3];
    char byte;

    listen_on(r, "127.0.0.1:0");
    for (int i = 0; i < 3; i++)
        client[i] = rig_connect(&r->at);
    limit_descriptors(next_descriptor(), &old);
    while (metric_get(&r->metrics, METRIC_CONNS_REJECTED) == 0)
        loop_turn(&r->loop, USEC_SEC);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_int_equal(metric_get(&r->metrics, METRIC_CONNS_REJECTED), 3);
    assert_int_equal(metric_get(&r->metrics, METRIC_ACCEPT_PAUSED), 2);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(recv(client[i], &byte, 1, 0), 0); /* FIN, no reset */
        close(client[i]);
    }
    assert_int_equal(r->accepted, 0);
    client[0] = rig_connect(&r->at);
    r->enough = 1;
    rig_until(&r->loop, &r->done);
    close(client[0]);
}

static void
test_closing_while_paused(void **state)
{
    struct rig *r = *state;
    struct rlimit old;
    int client;

    listen_on(r, "127.0.0.1:0");
    client = rig_connect(&r->at);
    limit_descriptors(next_descriptor(), &old);
    loop_turn(&r->loop, USEC_SEC);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_int_equal(metric_get(&r->metrics, METRIC_ACCEPT_PAUSED), 1);
    listener_close(r->listener);
    r->listener = NULL;
    for (int i = 0; i < 3; i++)
        loop_turn(&r->loop, LISTENER_PAUSE);
    close(client);
}

static void
test_workers_share_a_port(void **state)
{
    char text[100];
    struct buf why;
    int a = bind_fine("127.0.0.1:0", true), b;

    (void)state;
    address_of(a, text, sizeof(text));
    b = bind_fine(text, true);
    close(b);
    buf_init_fixed(&why, text + 50, 50);
    assert_int_equal(listener_bind(slice_of(text), false, &why), -1);
    close(a);
}

static int
connect_path(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(a.sun_path, path, strlen(path) + 1);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

static void
test_a_unix_socket(void **state)
{
    struct rig *r = *state;
    char dir[] = "/tmp/test_listener.XXXXXX", address[64], text[64];
    struct stat st;
    struct buf why;
    int client, left_over;

    assert_non_null(mkdtemp(dir));
    snprintf(address, sizeof(address), "unix:%s/s", dir);
    left_over = bind_fine(address, false);
    address_of(left_over, text, sizeof(text));
    assert_string_equal(text, address);
    assert_int_equal(stat(address + 5, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    buf_init_fixed(&why, text, sizeof(text));
    assert_int_equal(listener_bind(slice_of(address), false, &why), -1); /* in use */
    close(left_over);                                                    /* as after a crash */
    listen_on(r, address);
    client = connect_path(address + 5);
    r->enough = 1;
    rig_until(&r->loop, &r->done);
    assert_int_equal(r->peer.family, 0);
    close(client);
    unlink(address + 5);
    rmdir(dir);
}

static void
test_a_file_is_not_taken_for_a_left_over_socket(void **state)
{
    char path[] = "/tmp/test_listener.XXXXXX", address[64], text[200];
    int file = mkstemp(path);
    struct buf why;

    (void)state;
    snprintf(address, sizeof(address), "unix:%s", path);
    buf_init_fixed(&why, text, sizeof(text));
    assert_int_equal(listener_bind(slice_of(address), false, &why), -1);
    assert_int_equal(errno, EADDRINUSE);
    assert_int_equal(unlink(path), 0);
    close(file);
}

static void
test_ipv6_takes_ipv4_too(void **state)
{
    struct rig *r = *state;
    int probe = socket(AF_INET6, SOCK_STREAM, 0), client;
    struct endpoint four = {.family = 4, .ip = {127, 0, 0, 1}};

    if (probe == -1)
        skip();
    close(probe);
    listen_on(r, "[::]:0");
    assert_int_equal(r->at.family, 6);
    four.port = r->at.port;
    client = rig_connect(&four);
    r->enough = 1;
    rig_until(&r->loop, &r->done);
    assert_int_equal(r->peer.family, 4);
    close(client);
}

static void
test_what_is_no_address(void **state)
{
    static const char *const bad[] = {"", "127.0.0.1", "localhost:80", "::1", "::1:0", "[::1]",
                                      "1.2.3.4:99999", "1.2.3.4:80:0", "unix:", ":80", "1.2.3.4:"};
    char text[200];
    struct buf why;
    char path[200] = "unix:/";

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        buf_init_fixed(&why, text, sizeof(text));
        if (listener_bind(slice_of(bad[i]), false, &why) != -1)
            fail_msg("%s was bound", bad[i]);
        assert_true(why.n > 0);
    }
    memset(path + 6, 'x', sizeof(path) - 7);
    buf_init_fixed(&why, text, sizeof(text));
    assert_int_equal(listener_bind(slice_of(path), false, &why), -1);
    buf_init_fixed(&why, text, sizeof(text));
    assert_int_equal(listener_bind(slice_of("203.0.113.7:0"), false, &why), -1);
    assert_true(slice_starts(buf_slice(&why), SLICE("cannot bind to 203.0.113.7:0: ")));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_accepts_up_to_its_budget_a_turn),
        TEST(test_accepted_sockets_inherit_options),
        TEST(test_closing_in_the_callback),
        TEST(test_pauses_without_descriptors_and_recovers),
        TEST(test_lets_callers_down_when_the_pause_did_not_help),
        TEST(test_closing_while_paused),
        TEST(test_workers_share_a_port),
        TEST(test_a_unix_socket),
        TEST(test_a_file_is_not_taken_for_a_left_over_socket),
        TEST(test_ipv6_takes_ipv4_too),
        TEST(test_what_is_no_address),
    };
    return cmocka_run_group_tests_name("listener", tests, NULL, NULL);
}
