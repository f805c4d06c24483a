/* SPDX-License-Identifier: BSD-2-Clause */
/* page.c: see page.h. Pure. */
#include "config.h"

#include "gateway/page.h"

#define PAGE_STYLE                                                                                \
    ":root{color-scheme:light dark}"                                                              \
    "body{font:1rem/1.5 system-ui,sans-serif;margin:0;display:grid;min-height:100vh;"             \
    "place-items:center}main{max-width:36rem;padding:1.5rem}"                                     \
    "h1{font-size:1.5rem;overflow-wrap:anywhere}small{opacity:.8;overflow-wrap:anywhere}"

static const struct {
    const char *name, *value;
} page_field[] = {
    {"Content-Security-Policy",
     "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
     "form-action 'none'"},
    {"X-Robots-Tag", "noindex"},
    {"Referrer-Policy", "no-referrer"},
    {"X-Content-Type-Options", "nosniff"},
    {"Vary", "Accept, Sec-Fetch-Mode"},
};

int
page_fields(struct head *h, struct arena *a)
{
    for (size_t i = 0; i < sizeof(page_field) / sizeof(page_field[0]); i++)
        if (head_add(h, a, FIELD_OTHER, slice_of(page_field[i].name),
                     slice_of(page_field[i].value)) < 0)
            return -1;
    return 0;
}

void
page_escape(struct buf *out, struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '&':
            buf_add_str(out, "&amp;");
            break;
        case '<':
            buf_add_str(out, "&lt;");
            break;
        case '>':
            buf_add_str(out, "&gt;");
            break;
        case '"':
            buf_add_str(out, "&quot;");
            break;
        case '\'':
            buf_add_str(out, "&#39;");
            break;
        default:
            buf_add_char(out, s.p[i]);
        }
    }
}

static void
page_start(struct buf *out, const char *title, struct slice name, unsigned refresh)
{
    buf_add_str(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n");
    if (refresh)
        buf_printf(out, "<meta http-equiv=\"refresh\" content=\"%u\">\n", refresh);
    buf_add_str(out, "<link rel=\"icon\" href=\"data:,\">\n<title>");
    buf_add_str(out, title);
    page_escape(out, name);
    buf_add_str(out, "</title>\n<style>" PAGE_STYLE "</style>\n</head>\n<body>\n<main>\n");
}

static void
page_end(struct buf *out, const char *slug, struct slice request_id)
{
    buf_printf(out, "<p><small>%s &middot; request %.*s</small></p>\n", slug,
               SLICE_ARG(request_id));
    buf_add_str(out, "</main>\n</body>\n</html>\n");
}

void
page_waiting(struct buf *out, struct slice name, struct slice request_id)
{
    page_start(out, "Waking ", name, 2);
    buf_add_str(out, "<h1>Waking ");
    page_escape(out, name);
    buf_add_str(out, "</h1>\n<p role=\"status\" aria-live=\"polite\">It was asleep and is being "
                     "woken. This page opens it as soon as it is ready.</p>\n");
    page_end(out, "waking", request_id);
}

void
page_error(struct buf *out, unsigned status, const char *slug, struct slice message,
           struct slice name, struct slice request_id, unsigned refresh)
{
    char title[16];
    struct buf t;

    buf_init_fixed(&t, title, sizeof(title));
    buf_printf(&t, "%u ", status);
    page_start(out, buf_cstr(&t), name, refresh);
    buf_printf(out, "<h1>%u ", status);
    page_escape(out, name);
    buf_add_str(out, "</h1>\n<p>");
    page_escape(out, message);
    buf_add_str(out, "</p>\n");
    page_end(out, slug, request_id);
}
