/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole configurations: hosts, numbers over reloads, plugins' options, secrets, what is shown. */
#include "config.h"

#include "app/show_config.h"
#include "settings_rig.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define BASE "listen: [{ address: \"127.0.0.1:0\" }]\n" \
    "platforms: { own: { plugin: http, inspect: \"http://h/{id}\" } }\n"

static char work[64];

/* Reads text as the new configuration after `previous`. */
static struct gateway_config *
read_text(struct rig *r, struct gateway_config *previous, const char *text)
{
    rig_fini(r);
    rig_init(r);
    rig_add(r, "%s", text);
    r->config = settings_parse("rig.yaml", buf_slice(&r->text), previous, &r->m);
    return r->config;
}

static void
assert_mistake(struct rig *r, const char *text, const char *says, int line)
{
    read_text(r, NULL, text);
    const struct mistake *x = rig_find(r, says);
    if (!x || r->config || (line > 0 && x->line != line)) {
        fprintf(stderr, "# wanted \"%s\" on line %d of\n%s\n", says, line, text);
        mistakes_print(&r->m, stderr);
    }
    assert_null(r->config);
    assert_non_null(x);
    if (line > 0)
        assert_int_equal(x->line, line);
}

static void
test_hosts(void **state)
{
    static const struct {
        const char *host, *domain;
        enum site_kind kind;
    } good[] = {
        {"*.Preview.Example.COM", "preview.example.com", SITE_WILDCARD},
        {"app.example.com.", "app.example.com", SITE_EXACT},
        {"default", "", SITE_DEFAULT},
        {"localhost", "localhost", SITE_EXACT},
        {"127.0.0.1", "127.0.0.1", SITE_EXACT},
        {"xn--bcher-kva.example", "xn--bcher-kva.example", SITE_EXACT},
    };
    static const char *const bad[] = {
        "*", "*.*.example.com", "a.*.example.com", "example.com:80", "http://example.com",
        "example..com", ("b\xc3\xbc" "cher.example"), "a b", ".example.com", "exa%mple.com",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example",
    };
    char text[1024];
    struct rig r;

    (void)state;
    rig_init(&r);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        snprintf(text, sizeof text, BASE "sites: [{ host: \"%s\", platform: own }]\n",
                 good[i].host);
        assert_non_null(read_text(&r, NULL, text));
        assert_int_equal(r.config->site[0].kind, good[i].kind);
        assert_string_equal(r.config->site[0].domain, good[i].domain);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(text, sizeof text, BASE "sites: [{ host: \"%s\", platform: own }]\n", bad[i]);
        assert_mistake(&r, text, "is not a host for a site", 3);
        assert_true(r.m.list[0].hint[0]);
    }
    assert_mistake(&r, BASE "sites:\n  - { host: a.b, platform: own }\n"
                            "  - { host: A.b., platform: own }\n",
                   "two sites have the host \"a.b\"", 5);
    rig_fini(&r);
}

static void
test_references(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r);
    assert_mistake(&r, BASE "sites:\n  - host: a.b\n    platform: owm\n", "there is no platform",
                   5);
    assert_string_equal(r.m.list[0].hint, "did you mean \"own\"?");
    assert_mistake(&r, "listen: [{ address: \"127.0.0.1:1\" }]\nplatforms:\n  own:\n"
                       "    plugin: htpp\nsites: [{ host: a.b, platform: own }]\n",
                   "there is no such plugin", 4);
    assert_string_equal(r.m.list[0].hint, "did you mean \"http\"?");
    assert_mistake(&r, "listen: [{ address: \"127.0.0.1:1\" }]\nplatforms:\n  own:\n"
                       "    plugin: ../http\nsites: [{ host: a.b, platform: own }]\n",
                   "names of plugins", 4);
    assert_mistake(&r, "listen:\n  - address: 127.0.0.1:1\n  - address: 127.0.0.1:1\n"
                       "platforms: { own: { plugin: http, inspect: \"http://h/{id}\" } }\n"
                       "sites: [{ host: a.b, platform: own }]\n",
                   "is listened on twice", 3);
    assert_mistake(&r, BASE "sites: []\n", "at least one entry", 3);
    assert_mistake(&r, BASE "sites: 5\n", "at least one entry", 3);
    assert_mistake(&r, BASE "sites: [5]\n", "must be a map of settings", 3);
    assert_mistake(&r, "listen: [5]\nplatforms: 5\nsites: 5\n", "a listener must be a map", 1);
    assert_mistake(&r, "- a\n", "a configuration is a map", 1);
    assert_mistake(&r, "{}\n", "listen is missing", 1);
    assert_int_equal(r.m.n, 3);
    assert_mistake(&r, "listen: [{ address: \"127.0.0.1:1\" }]\n"
                       "platforms: { \"a b\": { plugin: http }, c: 5 }\nsites: []\n",
                   "is not a name for a platform", 2);
    rig_fini(&r);
}

static void
test_options(void **state)
{
    static const char head[] = "listen: [{ address: \"127.0.0.1:1\" }]\n"
                               "sites: [{ host: a.b, platform: own }]\n"
                               "platforms:\n  own:\n    plugin: http\n";
    char text[1024];
    static const struct {
        const char *lines, *says;
        int line;
    } bad[] = {
        {"", "inspect is missing here: plugin http needs it", 5},
        {"    inspect: http://h/{id}\n    inspekt: http://h/\n", "did you mean \"inspect\"?", 7},
        {"    inspect: ftp://h/{id}\n", "is not a URL", 6},
        {"    inspect: https:///{id}\n", "is not a URL", 6},
        {"    inspect: http://h/{id}\n    timeout: 5\n", "add a unit", 7},
        {"    inspect: http://h/{id}\n    timeout: { a: 1 }\n", "must be a duration, not a map", 7},
        {"    inspect: http://h/{id}\n    headers: 5\n", "a map of names to texts", 7},
        {"    inspect: http://h/{id}\n    headers: { a: [1] }\n", "must be a text or {file: PATH}",
         7},
        {"    inspect: http://h/{id}\n    secret: { fil: x }\n", "must be a text or {file: PATH}",
         7},
        {"    inspect: http://h/{id}\n    inspect: http://h/{id}\n", "is given twice", 7},
    };
    struct rig r;

    (void)state;
    rig_init(&r);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(text, sizeof text, "%s%s", head, bad[i].lines);
        assert_mistake(&r, text, bad[i].says, bad[i].line);
    }
    snprintf(text, sizeof text, "%s    inspect: http://h/{id}\n    timeout: 7s\n"
             "    headers: { Authorization: \"Bearer x\" }\n", head);
    assert_non_null(read_text(&r, NULL, text));
    const struct platform_config *p = &r.config->platform[0];
    assert_string_equal(p->plugin, "http");
    for (unsigned i = 0; p->module->options[i].name; i++) {
        const struct rouse_value *v = &p->values[i];
        if (strcmp(p->module->options[i].name, "timeout") == 0)
            assert_int_equal(v->number, 7000000);
        if (strcmp(p->module->options[i].name, "connect_timeout") == 0) {
            assert_int_equal(v->given, 0);
            assert_int_equal(v->number, 1000000);
        }
        if (strcmp(p->module->options[i].name, "headers") == 0)
            assert_slice(config_node_text(config_node_of(v->node->child)), "Bearer x");
    }
    rig_fini(&r);
}

/* Sites and platforms keep their numbers; what went leaves a gap and gets it back. */
static void
test_numbers(void **state)
{
    static const char platforms[] =
        "listen: [{ address: \"127.0.0.1:0\" }]\n"
        "platforms: { a: { plugin: http, inspect: \"http://h/{id}\" },\n"
        "             b: { plugin: http, inspect: \"http://h/{id}\" } }\n";
    char text[1024];
    struct rig r[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        rig_init(&r[i]);
    snprintf(text, sizeof text, "%ssites: [{ host: x.y, platform: a },\n"
             "        { host: z.y, platform: b }]\n", platforms);
    assert_non_null(read_text(&r[0], NULL, text));
    assert_string_equal(r[0].config->site[1].host, "z.y");
    assert_int_equal(r[0].config->site[1].platform, 1);
    /* x.y goes, new.y comes before z.y; platform a goes, c comes. */
    assert_non_null(read_text(&r[1], r[0].config,
        "listen: [{ address: \"127.0.0.1:0\" }]\n"
        "platforms: { c: { plugin: http, inspect: \"http://h/{id}\" },\n"
        "             b: { plugin: http, inspect: \"http://h/{id}\" } }\n"
        "sites: [{ host: new.y, platform: c }, { host: z.y, platform: b }]\n"));
    assert_int_equal(r[1].config->sites, 3);
    assert_false(r[1].config->site[0].used);
    assert_string_equal(r[1].config->site[1].host, "z.y");
    assert_string_equal(r[1].config->site[2].host, "new.y");
    assert_int_equal(r[1].config->site[2].number, 2);
    assert_false(r[1].config->platform[0].used);
    assert_int_equal(r[1].config->site[1].platform, 1);
    assert_int_equal(r[1].config->site[2].platform, 2);
    assert_string_equal(r[1].config->platform[2].name, "c");
    /* The same options: the same instance. */
    assert_true(r[1].config->platform[1].hash == r[0].config->platform[1].hash);
    /* Everything as at first again. */
    assert_non_null(read_text(&r[2], r[1].config, text));
    assert_true(r[2].config->site[0].used);
    assert_string_equal(r[2].config->site[0].host, "x.y");
    assert_false(r[2].config->site[2].used);
    assert_int_equal(r[2].config->site[0].platform, 0);
    for (int i = 0; i < 4; i++)
        rig_fini(&r[i]);
}

/* A thousand new hosts, reload after reload: gaps are used again when there is no more room. */
static void
test_number_churn(void **state)
{
    struct gateway_config *before = NULL;
    struct rig r[2];

    (void)state;
    rig_init(&r[0]);
    rig_init(&r[1]);
    for (int round = 0; round < 6; round++) {
        struct rig *x = &r[round % 2];
        rig_fini(x);
        rig_init(x);
        rig_add(x, BASE "sites:\n  - { host: always.y, platform: own }\n");
        for (int i = 0; i < 400; i++)
            rig_add(x, "  - { host: h%d-%d.y, platform: own }\n", round, i);
        x->config = settings_parse("rig.yaml", buf_slice(&x->text), before, &x->m);
        assert_non_null(x->config);
        before = x->config;
        unsigned used = 0;
        for (unsigned i = 0; i < before->sites; i++)
            used += before->site[i].used;
        assert_int_equal(used, 401);
        assert_string_equal(before->site[0].host, "always.y");
        assert_true(before->site[0].used);
    }
    rig_fini(&r[0]);
    rig_fini(&r[1]);
}

static const char *
file_with(const char *name, const char *text, mode_t mode)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", work, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    return path;
}

static const char *
with_token(const char *file)
{
    static char text[512];

    snprintf(text, sizeof text, BASE "sites: [{ host: a.b, platform: own }]\n"
             "admin:\n  token: { file: %s }\n", file);
    return text;
}

static void
test_secrets(void **state)
{
    char shown[65536], longer[5000];
    struct buf out;
    struct rig r;

    (void)state;
    rig_init(&r);
    assert_non_null(read_text(&r, NULL, with_token(file_with("right", "hush-hush\n", 0600))));
    assert_string_equal(r.config->admin_token, "hush-hush");
    buf_init_fixed(&out, shown, sizeof shown);
    show_config_yaml(&out, r.config, "");
    assert_null(strstr(buf_cstr(&out), "hush"));
    assert_non_null(strstr(buf_cstr(&out), "token: \"***\""));
    buf_clear(&out);
    show_config_json(&out, r.config, "");
    assert_null(strstr(buf_cstr(&out), "hush"));
    assert_mistake(&r, with_token("/nowhere/at/all"), "No such file", 5);
    assert_int_equal(r.m.list[0].column, 18);
    assert_mistake(&r, with_token(file_with("open", "hush\n", 0644)),
                   "is open to every user (mode 0644)", 5);
    assert_mistake(&r, with_token(file_with("empty", "\n", 0600)), "is empty", 5);
    assert_mistake(&r, with_token(work), "is not a file", 5);
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    assert_mistake(&r, with_token(file_with("long", longer, 0600)), "is longer than", 5);
    /* A secret that is wrong is not printed either. */
    longer[400] = 0;
    assert_mistake(&r, with_token(file_with("long", longer, 0600)), "admin.token", 5);
    assert_null(strstr(r.m.list[0].what, "xxx"));
    rig_fini(&r);
}

static void
test_shown_reads_back(void **state)
{
    static const char *const text =
        "listen:\n  - { address: \"[::1]:80\", trusted_proxies: [10.0.0.0/8, \"fc00::/7\"] }\n"
        "  - address: unix:/run/x.sock\n"
        "platforms: { own: { plugin: http, inspect: \"http://h/{id}\", timeout: 3s } }\n"
        "sites:\n  - { host: \"*.b\", platform: own, hold: { timeout: 7s, half_close: wait },\n"
        "      wake: { ignore: [sse] }, probes: { paths: [\"/a b\", /c], agents: [] } }\n"
        "  - { host: default, platform: own, idle: { pause_after: 90s } }\n";
    char once[65536], twice[65536];
    struct buf b;
    struct rig r;

    (void)state;
    rig_init(&r);
    assert_non_null(read_text(&r, NULL, text));
    buf_init_fixed(&b, once, sizeof once);
    show_config_yaml(&b, r.config, "");
    (void)buf_cstr(&b);
    if (!read_text(&r, NULL, once)) {
        fprintf(stderr, "%s", once);
        mistakes_print(&r.m, stderr);
    }
    assert_non_null(r.config);
    buf_init_fixed(&b, twice, sizeof twice);
    show_config_yaml(&b, r.config, "");
    (void)buf_cstr(&b);
    assert_string_equal(once, twice);
    assert_int_equal(r.config->site[0].keep.hold_timeout, 7 * USEC_SEC);
    assert_true(r.config->site[0].half_close_waits);
    assert_int_equal(r.config->site[0].probe_paths, 2);
    assert_string_equal(r.config->site[0].probe_path[0], "/a b");
    rig_fini(&r);
}

static void
test_allow_loopback(void **state)
{
    static const char *const local =
        "listen: [{ address: \"127.0.0.1:0\" }]\n"
        "platforms: { dev: { plugin: local, sandboxes: { a: { command: [x], ports: { 80: "
        "127.0.0.1:80 } } } } }\n"
        "sites: [{ host: a.b, platform: dev }, { host: c.d, platform: dev, connect: { allow: "
        "[10.0.0.0/8] } }]\n";
    struct endpoint e;
    struct rig r;
    bool has = false;

    (void)state;
    rig_init(&r);
    assert_int_equal(endpoint_parse(SLICE("127.0.0.1:80"), &e), 0);
    assert_non_null(read_text(&r, NULL, BASE "sites: [{ host: a.b, platform: own }]\n"));
    for (unsigned i = 0; i < r.config->site[0].allow_n; i++)
        has = has || cidr_has(&r.config->site[0].allow[i], &e);
    assert_false(has);
    if (!read_text(&r, NULL, local))
        mistakes_print(&r.m, stderr);
    assert_non_null(r.config);
    for (unsigned i = 0; i < r.config->site[0].allow_n; i++)
        has = has || cidr_has(&r.config->site[0].allow[i], &e);
    assert_true(has);
    assert_int_equal(r.config->site[1].allow_n, 1);
    rig_fini(&r);
}

static void
test_restart_needed(void **state)
{
    char text[256];
    struct buf b;
    struct rig r[2];

    (void)state;
    rig_init(&r[0]);
    rig_init(&r[1]);
    read_text(&r[0], NULL, BASE "sites: [{ host: a.b, platform: own }]\n");
    read_text(&r[1], r[0].config, BASE "log: { level: debug }\n"
              "sites: [{ host: a.b, platform: own }, { host: c.d, platform: own }]\n");
    buf_init_fixed(&b, text, sizeof text);
    settings_restart_needed(r[0].config, r[1].config, &b);
    assert_int_equal(b.n, 0);
    read_text(&r[1], r[0].config,
              "listen: [{ address: \"127.0.0.1:1\" }]\nworkers: 7\n"
              "platforms: { own: { plugin: http, inspect: \"http://h/{id}\" } }\n"
              "sites: [{ host: a.b, platform: own }]\n");
    settings_restart_needed(r[0].config, r[1].config, &b);
    assert_string_equal(buf_cstr(&b), "listen, workers");
    rig_fini(&r[0]);
    rig_fini(&r[1]);
}

/* A reference of its own outlives the first. */
static void
test_references_counted(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r);
    struct gateway_config *c = read_text(&r, NULL, BASE "sites: [{ host: a.b, platform: own }]\n");
    assert_ptr_equal(gateway_config_ref(c), c);
    rig_fini(&r);
    assert_string_equal(c->site[0].host, "a.b");
    gateway_config_unref(c);
    gateway_config_unref(NULL);
}

static int
make_work(void **state)
{
    (void)state;
    snprintf(work, sizeof work, "/tmp/test_settings.XXXXXX");
    return mkdtemp(work) ? 0 : -1;
}

static int
drop_work(void **state)
{
    static const char *const names[] = {"right", "open", "empty", "long"};
    char path[128];

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", work, names[i]);
        unlink(path);
    }
    return rmdir(work);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),          cmocka_unit_test(test_references),
        cmocka_unit_test(test_options),        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_number_churn),   cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_shown_reads_back), cmocka_unit_test(test_allow_loopback),
        cmocka_unit_test(test_restart_needed), cmocka_unit_test(test_references_counted),
    };

    rig_setup();
    return cmocka_run_group_tests(tests, make_work, drop_work);
}
