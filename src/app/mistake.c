/* SPDX-License-Identifier: BSD-2-Clause */
/* mistake.c: keeps mistakes in order and shows them with their source line. */
#include "config.h"

#include "app/mistake.h"

#include "base/escape.h"
#include "base/jsonw.h"

#include <stdlib.h>
#include <string.h>

#define SHOWN 96 /* columns of a source line that are shown */

void
mistakes_init(struct mistakes *m)
{
    memset(m, 0, sizeof *m);
    buf_init(&m->source, 8u << 20);
}

void
mistakes_fini(struct mistakes *m)
{
    buf_fini(&m->source);
}

static bool
is_before(const struct mistake *a, const struct mistake *b)
{
    return a->line != b->line ? a->line < b->line : a->column < b->column;
}

void
mistakes_add(struct mistakes *m, int line, int column, const char *fmt, ...)
{
    struct mistake new = {.line = line, .column = column};
    va_list ap;

    m->latest = NULL;
    va_start(ap, fmt);
    (void)vsnprintf(new.what, sizeof new.what, fmt, ap);
    va_end(ap);
    for (unsigned i = 0; i < m->n; i++) {
        const struct mistake *old = &m->list[i];
        if (old->line == line && old->column == column && strcmp(old->what, new.what) == 0)
            return;
    }
    if (m->n == MISTAKES_MAX) {
        m->more++;
        return;
    }
    m->latest = &m->list[m->n++];
    *m->latest = new;
}

void
mistakes_hint(struct mistakes *m, const char *fmt, ...)
{
    va_list ap;

    if (!m->latest)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(m->latest->hint, sizeof m->latest->hint, fmt, ap);
    va_end(ap);
}

/* Text of the file as it may go to a terminal. */
static void
print_text(FILE *out, struct slice s)
{
    char clean[256];

    while (s.n > 0) {
        size_t used, n = escape_text(clean, sizeof clean, s, &used);
        if (used == 0)
            break;
        fwrite(clean, 1, n, out);
        s = slice_sub(s, used, s.n);
    }
}

static struct slice
source_line(const struct mistakes *m, int line)
{
    struct slice rest = buf_slice(&m->source), s = SLICE_NONE;

    for (int i = 0; i < line; i++) {
        ptrdiff_t end;
        if (!rest.p || (i > 0 && rest.n == 0))
            return SLICE_NONE;
        end = slice_index(rest, '\n');
        s = slice_sub(rest, 0, end < 0 ? rest.n : (size_t)end);
        rest = end < 0 ? SLICE_NONE : slice_sub(rest, (size_t)end + 1, rest.n);
    }
    if (s.n > 0 && s.p[s.n - 1] == '\r')
        s.n--;
    return s;
}

static bool
is_start(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

/* The byte where character number `want` (from 0) begins. */
static size_t
byte_of_column(struct slice s, size_t want)
{
    size_t at = 0;

    for (; at < s.n; at++) {
        if (!is_start(s.p[at]))
            continue;
        if (want == 0)
            return at;
        want--;
    }
    return s.n;
}

/* A window of the line around the column, and a caret under it. */
static void
print_place(const struct mistakes *m, const struct mistake *x, FILE *out)
{
    struct slice s = source_line(m, x->line);
    size_t column = x->column > 0 ? (size_t)x->column - 1 : 0;
    size_t from = column > SHOWN * 3 / 4 ? column - SHOWN / 2 : 0;

    if (s.n == 0 && column > 0)
        return;
    size_t first = byte_of_column(s, from), last = byte_of_column(s, from + SHOWN);
    fputs("    ", out);
    if (from > 0)
        fputs("...", out);
    for (size_t i = first; i < last; i++) {
        if (s.p[i] == '\t') {
            fputc(' ', out);
            continue;
        }
        size_t run = i;
        while (run < last && s.p[run] != '\t')
            run++;
        print_text(out, slice_sub(s, i, run));
        i = run - 1;
    }
    if (last < s.n)
        fputs("...", out);
    fprintf(out, "\n%*s^\n", (int)(column - from) + (from > 0 ? 7 : 4), "");
}

static int
compare(const void *a, const void *b)
{
    const struct mistake *x = a, *y = b;

    return is_before(x, y) ? -1 : is_before(y, x);
}

static unsigned
sorted(const struct mistakes *m, struct mistake *list)
{
    memcpy(list, m->list, m->n * sizeof *list);
    qsort(list, m->n, sizeof *list, compare);
    return m->n;
}

void
mistakes_print(const struct mistakes *m, FILE *out)
{
    struct mistake list[MISTAKES_MAX];
    unsigned n = sorted(m, list);

    for (unsigned i = 0; i < n; i++) {
        const struct mistake *x = &list[i];
        print_text(out, slice_of(m->file));
        if (x->line > 0)
            fprintf(out, ":%d:%d", x->line, x->column);
        fputs(": error: ", out);
        print_text(out, slice_of(x->what));
        fputc('\n', out);
        if (x->line > 0)
            print_place(m, x, out);
        if (x->hint[0]) {
            fputs("hint: ", out);
            print_text(out, slice_of(x->hint));
            fputc('\n', out);
        }
    }
    if (m->more > 0)
        fprintf(out, "%s: and %u more\n", m->file, m->more);
}

void
mistakes_json(const struct mistakes *m, struct buf *out)
{
    struct mistake list[MISTAKES_MAX];
    unsigned n = sorted(m, list);
    struct jsonw j;

    jsonw_init(&j, out);
    jsonw_array(&j);
    for (unsigned i = 0; i < n; i++) {
        jsonw_object(&j);
        jsonw_kv_str(&j, "file", m->file);
        jsonw_kv_i64(&j, "line", list[i].line);
        jsonw_kv_i64(&j, "column", list[i].column);
        jsonw_kv_str(&j, "error", list[i].what);
        jsonw_kv_str(&j, "hint", list[i].hint);
        jsonw_object_end(&j);
    }
    jsonw_array_end(&j);
}

void
mistakes_log(const struct mistakes *m, struct log *log)
{
    struct mistake list[MISTAKES_MAX];
    unsigned n = sorted(m, list);

    for (unsigned i = 0; i < n; i++) {
        struct log_line l;
        log_open(&l, log, LOG_ERROR, LOG_EVENT, "config_invalid");
        log_str(&l, LF_FILE, m->file);
        log_i64(&l, LF_LINE, list[i].line);
        log_str(&l, LF_DETAIL, list[i].what);
        log_close(&l);
    }
}
