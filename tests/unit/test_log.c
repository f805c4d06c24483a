/* SPDX-License-Identifier: BSD-2-Clause */
/* Log lines: their three forms, their limits, and rings that lose nothing they did not count. */
#include "config.h"

#include "base/log.h"

#include "failalloc.h"
#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define LITTLE (1 << 14)

struct sink {
    struct log_hub *hub;
    struct log *log;
    int fds[2];
    char text[1 << 16];
};

static void
sink_open(struct sink *s, enum log_format f, bool colour)
{
    s->hub = log_hub_new(f, LOG_INFO, colour, LITTLE);
    assert_non_null(s->hub);
    s->log = log_new(s->hub);
    assert_non_null(s->log);
    assert_int_equal(pipe2(s->fds, O_NONBLOCK), 0);
}

static void
sink_close(struct sink *s)
{
    log_hub_free(s->hub);
    close(s->fds[0]);
    close(s->fds[1]);
}

static const char *
sink_read(struct sink *s)
{
    long n = log_hub_drain(s->hub, s->fds[1]);

    assert_true(n >= 0);
    ssize_t got = n > 0 ? read(s->fds[0], s->text, sizeof s->text - 1) : 0;
    assert_int_equal(got, n);
    s->text[n] = '\0';
    return s->text;
}

static void
one_line(struct log *log)
{
    struct log_line l;

    log_open(&l, log, LOG_INFO, LOG_ACCESS, "request");
    log_slice(&l, LF_REQUEST_ID, SLICE("0193a7"));
    log_str(&l, LF_METHOD, "GET");
    log_str(&l, LF_PATH, "/a b\"\n");
    log_str(&l, LF_USER_AGENT, NULL);
    log_str(&l, LF_SITE, "");
    log_i64(&l, LF_STATUS, 200);
    log_bool(&l, LF_HELD, true);
    log_usec(&l, LF_T_TOTAL, 889949);
    log_usec(&l, LF_T_HOLD, -1);
    log_usec(&l, LF_T_CONNECT, 49);
    log_text(&l, SLICE("200 GET \x1b i7k2p"));
    log_close(&l);
}

static void
test_jsonw(void **state)
{
    static struct sink s;

    (void)state;
    sink_open(&s, LOG_JSON, true);
    assert_false(log_colour(s.log));
    one_line(s.log);
    const char *text = sink_read(&s);
    int y, mo, d, h, mi, sec, us, end = 0;
    assert_int_equal(sscanf(text, "{\"time\":\"%4d-%2d-%2dT%2d:%2d:%2d.%6dZ\"%n", &y, &mo, &d, &h,
                            &mi, &sec, &us, &end),
                     7);
    assert_string_equal(text + end,
                        ",\"level\":\"info\",\"stream\":\"access\",\"msg\":\"request\","
                        "\"request_id\":\"0193a7\",\"http.request.method\":\"GET\","
                        "\"url.path\":\"/a b\\\"\\u000a\",\"rouse.site\":\"\","
                        "\"http.response.status_code\":200,\"held\":true,\"t.total_ms\":889.9,"
                        "\"t.connect_ms\":0.0}\n");
    log_event(s.log, LOG_WARN, "config_invalid", "no such file: %s", "x\ty");
    assert_non_null(strstr(sink_read(&s), "Z\",\"level\":\"warn\",\"stream\":\"event\","
                                          "\"msg\":\"config_invalid\",\"detail\":\"no such file: "
                                          "x\\u0009y\"}\n"));
    sink_close(&s);
}

static void
test_logfmt(void **state)
{
    static struct sink s;

    (void)state;
    sink_open(&s, LOG_LOGFMT, false);
    one_line(s.log);
    const char *text = sink_read(&s);
    assert_true(strncmp(text, "ts=20", 5) == 0);
    assert_non_null(strstr(text, "Z lvl=info s=access msg=request rid=0193a7 m=GET "
                                 "path=\"/a b\\\"\\u000a\" site=\"\" st=200 held=true ta=889.9 "
                                 "tc=0.0\n"));
    sink_close(&s);
}

static void
test_readable(void **state)
{
    static struct sink s;
    struct log_line l;

    (void)state;
    sink_open(&s, LOG_READABLE, false);
    assert_int_equal(log_format(s.log), LOG_READABLE);
    log_open(&l, s.log, LOG_INFO, LOG_ACCESS, "request");
    log_style(&l, "32");
    log_text(&l, SLICE("200 GET \x1b i7k2p"));
    log_close(&l);
    const char *text = sink_read(&s);
    int h, m, sec, ms, end = 0;
    assert_int_equal(sscanf(text, "%2d:%2d:%2d.%3d%n", &h, &m, &sec, &ms, &end), 4);
    assert_int_equal(end, 12);
    assert_string_equal(text + end, " 200 GET \\u001b i7k2p\n");
    log_event(s.log, LOG_ERROR, "hook", "%d %s", 5, "times");
    assert_string_equal(sink_read(&s) + 12, " error hook     5 times\n");
    log_open(&l, s.log, LOG_INFO, LOG_EVENT, "wake");
    log_str(&l, LF_SANDBOX, "i7k2p");
    log_close(&l);
    assert_string_equal(sink_read(&s) + 12, " wake     sbx=i7k2p\n");
    sink_close(&s);

    sink_open(&s, LOG_READABLE, true);
    assert_true(log_colour(s.log));
    log_open(&l, s.log, LOG_INFO, LOG_ACCESS, "request");
    log_style(&l, "32");
    log_text(&l, SLICE("200"));
    log_close(&l);
    text = sink_read(&s);
    assert_true(strncmp(text, "\x1b[2m", 4) == 0);
    assert_string_equal(text + 4 + 12, "\x1b[m\x1b[32m 200\x1b[m\n");
    sink_close(&s);
}

static void
test_levels_and_null(void **state)
{
    static struct sink s;

    (void)state;
    one_line(NULL);
    log_event(NULL, LOG_ERROR, "x", "%s", "y");
    assert_false(log_enabled(NULL, LOG_ERROR));
    assert_null(log_new(NULL));
    log_hub_free(NULL);
    sink_open(&s, LOG_JSON, false);
    log_event(s.log, LOG_DEBUG, "x", "%s", "y");
    assert_string_equal(sink_read(&s), "");
    log_hub_set_level(s.hub, LOG_DEBUG);
    assert_true(log_enabled(s.log, LOG_DEBUG));
    log_event(s.log, LOG_DEBUG, "x", "%s", "y");
    assert_non_null(strstr(sink_read(&s), "\"level\":\"debug\""));
    log_hub_set_level(s.hub, LOG_ERROR);
    one_line(s.log);
    assert_string_equal(sink_read(&s), "");
    assert_string_equal(log_level_name(LOG_WARN), "warn");
    sink_close(&s);
}

static void
test_long_lines_are_cut_but_whole(void **state)
{
    static struct sink s;
    static char much[9000];
    struct log_line l;

    (void)state;
    for (int format = LOG_JSON; format <= LOG_READABLE; format++)
        for (size_t n = 3900; n < 4100; n++) {
            sink_open(&s, (enum log_format)format, true);
            memset(much, n % 3 ? 'x' : '\n', sizeof much);
            log_open(&l, s.log, LOG_WARN, LOG_EVENT, "long");
            log_style(&l, "31");
            log_slice(&l, LF_DETAIL, (struct slice){much, n});
            log_slice(&l, LF_PATH, (struct slice){much, 5000});
            log_text(&l, (struct slice){much, 300});
            log_i64(&l, LF_COUNT, INT64_MIN);
            log_bool(&l, LF_HELD, false);
            log_usec(&l, LF_TOOK, INT64_MAX);
            log_str(&l, LF_REASON, "a reason");
            assert_true(l.cut);
            log_close(&l);
            const char *text = sink_read(&s), *end = text + strlen(text);
            assert_true(end - text <= LOG_LINE_MAX);
            assert_ptr_equal(strchr(text, '\n'), end - 1);
            if (format == LOG_JSON)
                assert_string_equal(end - 13, ",\"cut\":true}\n");
            else
                assert_string_equal(end - 10, " cut=true\n");
            sink_close(&s);
        }
}

static void
test_full_ring_drops_and_counts(void **state)
{
    static struct sink s;
    uint64_t put = 0, seen = 0;

    (void)state;
    sink_open(&s, LOG_LOGFMT, false);
    for (int round = 0; round < 50; round++) {
        uint64_t before = log_hub_dropped(s.hub);
        for (put = 0; log_hub_dropped(s.hub) == before; put++)
            log_event(s.log, LOG_INFO, "fill", "%d", round);
        seen = 0;
        for (const char *at = sink_read(&s); (at = strchr(at, '\n')) != NULL; at++)
            seen++;
        assert_int_equal(seen, put - 1);
    }
    assert_int_equal(log_hub_dropped(s.hub), 50);
    sink_close(&s);
}

static void
test_slow_and_broken_descriptor(void **state)
{
    static struct sink s;
    struct log *second;

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    sink_open(&s, LOG_LOGFMT, false);
    second = log_new(s.hub);
    assert_int_equal(fcntl(s.fds[1], F_SETPIPE_SZ, 4096), 4096);
    for (int i = 0; i < 100; i++) {
        log_event(s.log, LOG_INFO, "first", "%d-%s", i, "a line of some length");
        log_event(second, LOG_INFO, "second", "%d-%s", i, "another line of some length");
    }
    size_t n = 0;
    for (int rest = 1; rest;) {
        rest = log_hub_drain(s.hub, s.fds[1]) > 0;
        ssize_t got = read(s.fds[0], s.text + n, n % 2 ? 1000 : 777);
        if (got > 0) {
            n += (size_t)got;
            rest = 1;
        }
    }
    s.text[n] = '\0';
    size_t lines = 0;
    for (char *at = s.text, *end; *at; at = end + 1, lines++) {
        assert_non_null(end = strchr(at, '\n'));
        *end = '\0';
        assert_true(strncmp(at, "ts=", 3) == 0);
        assert_null(strstr(at + 3, "ts="));
        assert_true(strcmp(end - 7, " length") == 0 || strcmp(end - 8, " length\"") == 0);
    }
    assert_int_equal(lines, 200);
    assert_int_equal(log_hub_dropped(s.hub), 0);

    close(s.fds[0]);
    one_line(s.log);
    one_line(second);
    assert_int_equal(log_hub_drain(s.hub, s.fds[1]), -1);
    assert_int_equal(log_hub_dropped(s.hub), 2);
    assert_int_equal(log_hub_drain(s.hub, s.fds[1]), 0);
    s.fds[0] = dup(s.fds[1]);
    sink_close(&s);
}

static void
test_no_memory(void **state)
{
    (void)state;
    failalloc_from(1);
    assert_null(log_hub_new(LOG_JSON, LOG_INFO, false, LITTLE));
    failalloc_from(0);
    struct log_hub *h = log_hub_new(LOG_JSON, LOG_INFO, false, LITTLE);
    for (unsigned n = 1; n <= 2; n++) {
        failalloc_from(n);
        assert_null(log_new(h));
    }
    failalloc_from(0);
    log_hub_free(h);
}

#define WRITERS 3
#define LINES 20000

static void *
write_lines(void *arg)
{
    struct log_hub *h = arg;
    struct log *log = log_new(h);

    for (int i = 0; i < LINES; i++)
        log_event(log, LOG_INFO, "line", "%d", i);
    return NULL;
}

/* Several threads write, one drains: what comes out is whole and in order, the rest was counted. */
static void
test_threads(void **state)
{
    struct log_hub *h = log_hub_new(LOG_LOGFMT, LOG_INFO, false, LITTLE);
    pthread_t t[WRITERS];
    FILE *out = tmpfile();
    static char line[256];
    uint64_t lines = 0;

    (void)state;
    assert_non_null(h);
    assert_non_null(out);
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, write_lines, h), 0);
    for (int i = 0; i < 2000; i++) {
        assert_true(log_hub_drain(h, fileno(out)) >= 0);
        log_hub_set_level(h, LOG_INFO);
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(t[i], NULL);
    assert_true(log_hub_drain(h, fileno(out)) >= 0);
    rewind(out);
    while (fgets(line, sizeof line, out)) {
        assert_true(strncmp(line, "ts=", 3) == 0);
        assert_non_null(strstr(line, "Z lvl=info s=event msg=line detail="));
        assert_int_equal(line[strlen(line) - 1], '\n');
        lines++;
    }
    assert_int_equal(lines + log_hub_dropped(h), WRITERS * LINES);
    fclose(out);
    log_hub_free(h);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jsonw),
        cmocka_unit_test(test_logfmt),
        cmocka_unit_test(test_readable),
        cmocka_unit_test(test_levels_and_null),
        cmocka_unit_test(test_long_lines_are_cut_but_whole),
        cmocka_unit_test(test_full_ring_drops_and_counts),
        cmocka_unit_test(test_slow_and_broken_descriptor),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
