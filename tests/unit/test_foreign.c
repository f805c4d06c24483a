/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of an answer that reach beyond the sandbox's own host (RELIABILITY E12). */
#include "config.h"

#include "gateway/foreign.h"

#include "gatewaykit.h"
#include "unit.h"

static const char *const sites[] = {"*.localhost", NULL};

#define HOST "3000-A.preview.example.com:8443"
#define OWN "3000-a.preview.example.com"

static const struct {
    const char *name, *value, *wanted; /* NULL: gone */
} row[] = {
    {"X-Y", "z", "z"},
    {"Content-Type", "text/plain", "text/plain"},
    {"Alt-Svc", "h3=\":443\"", NULL},
    {"NEL", "{\"report_to\":\"x\"}", NULL},
    {"Report-To", "{}", NULL},
    {"Reporting-Endpoints", "a=\"/r\"", "a=\"/r\""},
    /* cookies */
    {"Set-Cookie", "a=b", "a=b"},
    {"Set-Cookie", "a=b; Path=/; Secure; HttpOnly", "a=b; Path=/; Secure; HttpOnly"},
    {"Set-Cookie", "a=b; Domain=" OWN, "a=b; Domain=" OWN},
    {"Set-Cookie", "a=b; domain=." OWN "; Secure", "a=b; domain=." OWN "; Secure"},
    {"Set-Cookie", "a=b; DOMAIN = 3000-A.Preview.example.COM", "a=b; DOMAIN = "
                                                                 "3000-A.Preview.example.COM"},
    {"Set-Cookie", "a=b; Domain=", "a=b; Domain="},
    {"Set-Cookie", "a=b; Domain", "a=b; Domain"},
    {"Set-Cookie", "domain=example.com", "domain=example.com"},
    {"Set-Cookie", "", ""},
    {"Set-Cookie", "a=b; Domain=preview.example.com", NULL},
    {"Set-Cookie", "a=b; Domain=.preview.example.com", NULL},
    {"Set-Cookie", "a=b; Domain=example.com; Path=/", NULL},
    {"Set-Cookie", "a=b;Domain=com", NULL},
    {"Set-Cookie", "a=b;\tDomain\t=\texample.com", NULL},
    {"Set-Cookie", "a=b; Domain=example.com; Domain=" OWN, NULL},
    {"Set-Cookie", "a=b; Domain=" OWN "; Domain=example.com", NULL},
    {"Set-Cookie", "a=b; Domain=" OWN ".", NULL},
    {"Set-Cookie", "a=b; Domain=..example.com", NULL},
    {"Set-Cookie", "a=b; Domain=\"example.com\"", NULL},
    {"Set-Cookie", "a=b; Domain=3000-b.preview.example.com", NULL},
    {"Set-Cookie", "; Domain=example.com", NULL},
    /* HSTS */
    {"Strict-Transport-Security", "max-age=1", "max-age=1"},
    {"Strict-Transport-Security", "max-age=1 ;x", "max-age=1 ;x"},
    {"Strict-Transport-Security", "max-age=1; includeSubDomains", "max-age=1"},
    {"Strict-Transport-Security", "INCLUDESUBDOMAINS;max-age=1;;preload;x=y", "max-age=1; x=y"},
    {"Strict-Transport-Security", "max-age=1; includeSubDomains=\"1\"", "max-age=1"},
    {"Strict-Transport-Security", "includeSubDomains", NULL},
    {"Strict-Transport-Security", "", NULL},
    /* clearing */
    {"Clear-Site-Data", "\"cache\", \"storage\"", "\"cache\", \"storage\""},
    {"Clear-Site-Data", "\"executionContexts\"", "\"executionContexts\""},
    {"Clear-Site-Data", "\"cache\", \"cookies\"", NULL},
    {"Clear-Site-Data", "\"*\"", NULL},
    {"Clear-Site-Data", "\"unheardOf\"", NULL},
    {"Clear-Site-Data", "", NULL},
};

static void
test_table(void **state)
{
    struct kit k;

    (void)state;
    kit_open(&k, sites);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct head h;
        struct slice name = slice_of(row[i].name);
        const struct field *f;

        head_init(&h);
        assert_int_equal(head_add(&h, &k.arena, FIELD_OTHER, SLICE("A"), SLICE("1")), 0);
        assert_int_equal(head_add(&h, &k.arena, field_id_of(name), name, slice_of(row[i].value)),
                         0);
        assert_int_equal(head_add(&h, &k.arena, FIELD_OTHER, SLICE("B"), SLICE("2")), 0);
        assert_int_equal(foreign_strip(&h, &k.arena, SLICE(HOST)), 0);
        assert_non_null(head_find_name(&h, SLICE("A")));
        assert_non_null(head_find_name(&h, SLICE("B")));
        f = head_find_name(&h, name);
        if (!f != !row[i].wanted || (f && !slice_eq(f->value, slice_of(row[i].wanted))))
            print_error("%s: %s\n", row[i].name, row[i].value);
        assert_int_equal(h.fields, row[i].wanted ? 3 : 2);
        assert_true(!f || slice_eq(f->value, slice_of(row[i].wanted)));
    }
    kit_close(&k);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table)};

    return cmocka_run_group_tests_name("foreign", tests, NULL, NULL);
}
