/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * head.c: the list of fields, and what must not go further. Fields live in one array of the
 * arena.
 */
#include "config.h"

#include "http/head.h"

#include "http/field_priv.h"

#include <string.h>

#define FIELDS_FIRST 24
#define FIELDS_MAX 1024

void
head_init(struct head *h)
{
    memset(h, 0, sizeof *h);
}

const struct field *
head_find(const struct head *h, enum field_id id)
{
    for (unsigned i = 0; i < h->fields; i++)
        if (h->field[i].id == id)
            return &h->field[i];
    return NULL;
}

const struct field *
head_find_name(const struct head *h, struct slice name)
{
    for (unsigned i = 0; i < h->fields; i++)
        if (slice_ieq(h->field[i].name, name))
            return &h->field[i];
    return NULL;
}

const struct field *
head_find_next(const struct head *h, const struct field *behind)
{
    for (const struct field *f = behind + 1; f < h->field + h->fields; f++)
        if (f->id == behind->id && (f->id != FIELD_OTHER || slice_ieq(f->name, behind->name)))
            return f;
    return NULL;
}

struct slice
head_value(const struct head *h, enum field_id id)
{
    const struct field *f = head_find(h, id);

    return f ? f->value : SLICE_NONE;
}

struct field *
head_slot(struct head *h, struct arena *a)
{
    if (h->fields < h->fields_cap)
        return &h->field[h->fields++];

    unsigned cap = h->fields_cap > 0 ? h->fields_cap * 2u : FIELDS_FIRST;
    if (cap > FIELDS_MAX)
        return NULL;
    struct field *grown = arena_alloc(a, cap * sizeof *grown);
    if (!grown)
        return NULL;
    if (h->fields > 0)
        memcpy(grown, h->field, h->fields * sizeof *grown);
    h->field = grown;
    h->fields_cap = (uint16_t)cap;
    return &h->field[h->fields++];
}

int
head_add(struct head *h, struct arena *a, enum field_id id, struct slice name, struct slice value)
{
    struct field *f = head_slot(h, a);

    if (!f)
        return -1;
    *f = (struct field){.name = name, .value = value, .id = (uint16_t)id};
    return 0;
}

unsigned
head_remove(struct head *h, enum field_id id)
{
    unsigned kept = 0, all = h->fields;

    for (unsigned i = 0; i < all; i++)
        if (h->field[i].id != id)
            h->field[kept++] = h->field[i];
    h->fields = (uint16_t)kept;
    return all - kept;
}

unsigned
head_remove_name(struct head *h, struct slice name)
{
    unsigned kept = 0, all = h->fields;

    for (unsigned i = 0; i < all; i++)
        if (!slice_ieq(h->field[i].name, name))
            h->field[kept++] = h->field[i];
    h->fields = (uint16_t)kept;
    return all - kept;
}

int
head_set(struct head *h, struct arena *a, enum field_id id, struct slice name, struct slice value)
{
    if (id != FIELD_OTHER)
        head_remove(h, id);
    else
        head_remove_name(h, name);
    return head_add(h, a, id, name, value);
}

bool
head_bodiless(const struct head *answer, enum method asked)
{
    return answer->status < 200 || answer->status == 204 || answer->status == 304 ||
           asked == METHOD_HEAD;
}

/*
 * A field that Connection may name away: not hop-by-hop anyway, and not protected (RELIABILITY
 * G1).
 */
static void
remove_named(struct head *h, struct slice list)
{
    struct slice name;

    while (slice_next(&list, ',', &name)) {
        enum field_id id = field_id_of(name);
        if (id != FIELD_OTHER && (field_traits_of(id) & (HOP | KEEP)) == 0)
            head_remove(h, id);
        else if (id == FIELD_OTHER && name.n > 0)
            head_remove_name(h, name);
    }
}

/* Whether a Connection field names fields: nearly all say one of two words that name none. */
static bool
names_fields(struct slice list)
{
    return list.n > 0 && !slice_ieq(list, SLICE("keep-alive")) && !slice_ieq(list, SLICE("close"));
}

static bool
has_underscore(const struct field *f)
{
    return !f->plain && slice_index(f->name, '_') >= 0;
}

static void
remove_all_named(struct head *h)
{
    for (unsigned i = 0; i < h->fields; i++) {
        if (h->field[i].id != FIELD_CONNECTION || !names_fields(h->field[i].value))
            continue;
        struct slice list = h->field[i].value;
        /* Removing moves the fields: look at all of them again, but not at this value. */
        h->field[i].value = SLICE_NONE;
        remove_named(h, list);
        i = UINT32_MAX;
    }
}

/* Never goes further: hop-by-hop, or ours to write or answer. */
static bool
stays_here(const struct field *f, bool request)
{
    return (field_known[f->id].traits & HOP) != 0 || f->id == FIELD_CONTENT_LENGTH ||
           (f->id == FIELD_EXPECT && request);
}

unsigned
head_strip(struct head *h, bool request)
{
    unsigned dropped = 0, kept = 0;

    remove_all_named(h);
    for (unsigned i = 0; i < h->fields; i++) {
        const struct field *f = &h->field[i];
        if (stays_here(f, request))
            continue;
        if (f->id == FIELD_OTHER && request && has_underscore(f)) {
            dropped++;
            continue;
        }
        if (kept != i)
            h->field[kept] = *f;
        kept++;
    }
    h->fields = (uint16_t)kept;
    return dropped;
}
