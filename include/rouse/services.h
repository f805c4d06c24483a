/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rouse/services.h: what Rouse does for a plugin. Part of rouse/plugin.h: include that one.
 */
#ifndef ROUSE_SERVICES_H
#define ROUSE_SERVICES_H

#ifndef ROUSE_PLUGIN_H
#error "include rouse/plugin.h"
#endif

struct rouse_timer;
struct rouse_fetch;
struct rouse_run;
struct rouse_watch;
struct rouse_json;

enum rouse_level { ROUSE_DEBUG, ROUSE_INFO, ROUSE_WARN, ROUSE_ERROR };

struct rouse_header {
    struct rouse_text name, value;
};

struct rouse_fetch_request {
    size_t size;
    struct rouse_text method, url;
    const struct rouse_header *header;
    unsigned headers;
    struct rouse_text body;
    int64_t connect_timeout_us, timeout_us;
    size_t answer_max; /* 0: 64 KiB */
    const char *ca;    /* https: a file of authorities (PEM); NULL: the system's */
};

struct rouse_fetch_result {
    size_t size;
    int status; /* 0: no answer */
    enum { ROUSE_NOT_SENT, ROUSE_MAYBE_SENT, ROUSE_ANSWERED } sent;
    const char *detail; /* why there is no answer */
    const struct rouse_header *header;
    unsigned headers;
    struct rouse_text body;
};

struct rouse_run_request {
    size_t size;
    char *const *argv; /* no shell */
    char *const *envp; /* NULL: a minimal environment: PATH, HOME, LANG */
    struct rouse_text input;
    int64_t timeout_us;
    size_t output_max; /* 0: 64 KiB */
};

struct rouse_run_result {
    size_t size;
    int exit_code; /* -1: it did not exit by itself */
    int signal;    /* that ended it */
    const char *detail; /* why it could not be started, timed out; or NULL */
    struct rouse_text output;
    struct rouse_text errors; /* the beginning of its stderr, for the log; may be empty */
};

/*
 * The host's functions; `host` is always the instance's own. Handles are the host's; a timer, fetch
 * or run is over once its callback has been called, and calls nothing after its _stop. No callback
 * is called from within the function that starts it; NULL from that one: it could not be started.
 */
struct rouse_services {
    size_t size;
    void (*finish)(struct rouse_host *host, struct rouse_job *job, const struct rouse_result *r);
    /* News nobody asked for: the sandbox changed by itself (died, paused). */
    void (*news)(struct rouse_host *host, struct rouse_text id, const struct rouse_sandbox *s);
    void (*log)(struct rouse_host *host, enum rouse_level level, struct rouse_text text);
    int64_t (*now_us)(struct rouse_host *host); /* monotonic */

    struct rouse_timer *(*timer)(struct rouse_host *host, int64_t after_us, void (*fn)(void *arg),
                                 void *arg);
    void (*timer_stop)(struct rouse_host *host, struct rouse_timer *t);

    struct rouse_fetch *(*fetch)(struct rouse_host *host, const struct rouse_fetch_request *q,
                                 void (*fn)(void *arg, const struct rouse_fetch_result *r),
                                 void *arg);
    void (*fetch_stop)(struct rouse_host *host, struct rouse_fetch *f);

    struct rouse_run *(*run)(struct rouse_host *host, const struct rouse_run_request *q,
                             void (*fn)(void *arg, const struct rouse_run_result *r), void *arg);
    void (*run_stop)(struct rouse_host *host, struct rouse_run *r);

    /* fn is called whenever fd is readable, until stopped. */
    struct rouse_watch *(*watch)(struct rouse_host *host, int fd, void (*fn)(void *arg), void *arg);
    void (*watch_stop)(struct rouse_host *host, struct rouse_watch *w);

    /* JSON in: an inspect body to a sandbox (texts live as long as *json, which the caller
     * frees), or why not. 0, -1. */
    int (*sandbox_from_json)(struct rouse_host *host, struct rouse_text text,
                             struct rouse_sandbox *out, struct rouse_json **json, char *why,
                             size_t why_n);
    struct rouse_json *(*json_parse)(struct rouse_host *host, struct rouse_text text, char *why,
                                     size_t why_n);
    /*
     * A member by dotted path ("error.code"): its text (strings, numbers, true, false), .p NULL if
     * absent.
     */
    struct rouse_text (*json_text)(struct rouse_json *json, const char *path);
    void (*json_free)(struct rouse_json *json);
    /*
     * The body of CONTRACT section 6 for a request, into out; its length, or -1 when it does not
     * fit.
     */
    int (*request_to_json)(struct rouse_host *host, const struct rouse_request *q, char *out,
                           size_t n);

    void (*hmac_sha256)(struct rouse_text key, struct rouse_text data, uint8_t out[32]);
    /* Base64; length written, or -1. */
    int (*base64_encode)(struct rouse_text in, char *out, size_t n);
    int (*base64_decode)(struct rouse_text in, uint8_t *out, size_t n);
    int64_t (*wall_clock_s)(struct rouse_host *host); /* Unix seconds, for signatures */
};

#endif
