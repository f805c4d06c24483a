/* SPDX-License-Identifier: BSD-2-Clause */
/* TLS under conn: both roles on one loop; bytes in all sizes, back-pressure, ends of all kinds. */
#include "config.h"

#include "tls_rig.h"

static int
set_up(void **state)
{
    struct tls_rig *r = malloc(sizeof(*r));

    tls_rig_open(r);
    *state = r;
    return 0;
}

static int
tear_down(void **state)
{
    tls_rig_close(*state);
    free(*state);
    return 0;
}

/* A server, a client, and a connection between them that is open. */
struct link {
    struct tls_server *server;
    struct tls_client *client;
    struct end front, back;
};

static struct link *
link_open(struct tls_rig *r)
{
    struct link *l = calloc(1, sizeof(*l));

    l->server = tls_rig_server(r, NULL);
    l->client = tls_rig_client(r, 0);
    ends_handshake(r, &l->front, l->server, &l->back, l->client, "a.example");
    if (l->front.failed || l->back.failed)
        fail_msg("%s / %s", conn_tls_error(&l->front.conn), conn_tls_error(&l->back.conn));
    return l;
}

static void
link_close(struct link *l)
{
    end_close(&l->front);
    end_close(&l->back);
    tls_server_free(l->server);
    tls_client_free(l->client);
    free(l);
}

static void
test_bytes_go_both_ways(void **state)
{
    struct tls_rig *r = *state;
    struct link *l = link_open(r);
    const struct tls_info *info = conn_tls(&l->front.conn);

    assert_false(l->front.conn.connecting);
    assert_true(l->front.conn.writable);
    assert_non_null(info);
    assert_string_equal(info->version, "TLSv1.3");
    assert_string_equal(info->cipher, "TLS_AES_128_GCM_SHA256");
    assert_int_equal(info->sni.n, 9);
    assert_memory_equal(info->sni.p, "a.example", 9);
    assert_false(info->resumed || info->verified || info->h2);
    assert_true(conn_tls(&l->back.conn)->verified);
    assert_int_equal(end_write(&l->back, "hello"), 5);
    end_expect(r, &l->front, "hello");
    assert_int_equal(end_write(&l->front, "answer"), 6);
    end_expect(r, &l->back, "answer");
    assert_int_equal(l->front.conn.bytes_in, 5);
    assert_int_equal(l->front.conn.bytes_out, 6);
    assert_int_equal(tls_library_handshakes(r->lib), 0);
    link_close(l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bytes_go_both_ways, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("tls_conn", tests, NULL, NULL);
}
