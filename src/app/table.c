/* SPDX-License-Identifier: BSD-2-Clause */
/* table.c: measures, then prints. */
#include "config.h"

#include "app/table.h"

#include "base/escape.h"
#include "base/units.h"

#include <string.h>

#define CELL 256
#define COLUMNS 16

static void
put_text(const char *s, char *text, size_t n)
{
    size_t used, w = escape_text(text, n - 1, slice_of(s), &used);

    text[w] = 0;
}

/* "0.4 ms", "12 s", "3 min", "2 h", "5 d": about three digits. */
static void
put_ms(double ms, char *text, size_t n)
{
    if (ms < 1000)
        snprintf(text, n, ms < 10 ? "%.1f ms" : "%.0f ms", ms);
    else if (ms < 120e3)
        snprintf(text, n, ms < 10e3 ? "%.1f s" : "%.0f s", ms / 1e3);
    else if (ms < 120 * 60e3)
        snprintf(text, n, "%.0f min", ms / 60e3);
    else if (ms < 48 * 3600e3)
        snprintf(text, n, "%.0f h", ms / 3600e3);
    else
        snprintf(text, n, "%.0f d", ms / 86400e3);
}

const char *
table_value(const json_t *v, enum table_kind k, char *text, size_t n)
{
    text[0] = 0;
    if (json_is_string(v))
        put_text(json_string_value(v), text, n);
    else if (k == TABLE_MS && json_is_number(v))
        put_ms(json_number_value(v), text, n);
    else if (json_is_integer(v))
        snprintf(text, n, "%lld", (long long)json_integer_value(v));
    else if (json_is_number(v))
        snprintf(text, n, "%.1f", json_number_value(v));
    else if (json_is_boolean(v))
        snprintf(text, n, "%s", json_is_true(v) ? "yes" : k == TABLE_FLAG ? "" : "no");
    if (!text[0])
        snprintf(text, n, "-");
    return text;
}

static bool
is_right(enum table_kind k)
{
    return k == TABLE_NUMBER || k == TABLE_MS;
}

static void
print_cell(FILE *out, const char *text, int width, bool right, bool last)
{
    if (right)
        fprintf(out, "%*s%s", width, text, last ? "" : "  ");
    else if (last)
        fputs(text, out);
    else
        fprintf(out, "%-*s  ", width, text);
}

void
table_print(FILE *out, const json_t *rows, const struct table_column *columns, const char *none)
{
    int width[COLUMNS] = {0};
    char text[CELL];
    size_t n = 0;

    if (json_array_size(rows) == 0) {
        fprintf(out, "%s\n", none);
        return;
    }
    for (; columns[n].title && n < COLUMNS; n++) {
        size_t most = strlen(columns[n].title);
        for (size_t i = 0; i < json_array_size(rows); i++) {
            const json_t *v = json_object_get(json_array_get(rows, i), columns[n].key);
            size_t w = strlen(table_value(v, columns[n].kind, text, sizeof text));
            most = w > most ? w : most;
        }
        width[n] = (int)most;
    }
    for (size_t c = 0; c < n; c++)
        print_cell(out, columns[c].title, width[c], is_right(columns[c].kind), c + 1 == n);
    fputc('\n', out);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        for (size_t c = 0; c < n; c++) {
            const json_t *v = json_object_get(json_array_get(rows, i), columns[c].key);
            print_cell(out, table_value(v, columns[c].kind, text, sizeof text), width[c],
                       is_right(columns[c].kind), c + 1 == n);
        }
        fputc('\n', out);
    }
}
