/* SPDX-License-Identifier: BSD-2-Clause */
/* config_tree.c: libyaml's document to our tree. */
#include "config.h"

#include "app/config_tree.h"

#include "app/config_expand.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct reader {
    yaml_document_t *doc;
    struct arena *arena;
    struct mistakes *m;
    unsigned nodes;
    bool stop; /* too deep or too much: said once */
};

const struct config_node *
config_node_of(const struct rouse_node *n)
{
    return n ? container_of(n, const struct config_node, pub) : NULL;
}

const struct config_node *
config_node_child(const struct config_node *n)
{
    return n->pub.kind == ROUSE_SCALAR ? NULL : config_node_of(n->pub.child);
}

const struct config_node *
config_node_next(const struct config_node *n)
{
    return config_node_of(n->pub.next);
}

struct slice
config_node_text(const struct config_node *n)
{
    return (struct slice){n->pub.value.p, n->pub.value.n};
}

struct slice
config_node_key(const struct config_node *n)
{
    return (struct slice){n->pub.key.p, n->pub.key.n};
}

const struct config_node *
config_node_get(const struct config_node *n, const char *key)
{
    if (!n || n->pub.kind != ROUSE_MAP)
        return NULL;
    for (n = config_node_child(n); n; n = config_node_next(n))
        if (!n->doubled && slice_eq(config_node_key(n), slice_of(key)))
            return n;
    return NULL;
}

bool
config_node_is_null(const struct config_node *n)
{
    struct slice s = config_node_text(n);

    return n->pub.kind == ROUSE_SCALAR && !n->quoted &&
           (s.n == 0 || slice_eq(s, SLICE("~")) || slice_ieq(s, SLICE("null")));
}

const char *
config_node_kind(const struct config_node *n)
{
    if (n->pub.kind == ROUSE_MAP)
        return "a map";
    if (n->pub.kind == ROUSE_LIST)
        return "a list";
    return config_node_is_null(n) ? "nothing" : "a value";
}

static struct config_node *
node_new(struct reader *r, const yaml_node_t *y)
{
    struct config_node *n = arena_alloc(r->arena, sizeof *n);

    if (!n || ++r->nodes > CONFIG_TREE_NODES) {
        mistakes_add(r->m, (int)y->start_mark.line + 1, (int)y->start_mark.column + 1,
                     "too much configuration: more than %d values with all aliases",
                     CONFIG_TREE_NODES);
        r->stop = true;
        return NULL;
    }
    memset(n, 0, sizeof *n);
    n->pub.line = n->key_line = (int)y->start_mark.line + 1;
    n->pub.column = n->key_column = (int)y->start_mark.column + 1;
    return n;
}

static struct rouse_text
text_of(struct slice s)
{
    return (struct rouse_text){s.p, s.n};
}

/* The key of a pair into the node of its value. False: the pair cannot be used. */
static bool
take_key(struct reader *r, struct config_node *n, const yaml_node_t *key)
{
    int line = (int)key->start_mark.line + 1, column = (int)key->start_mark.column + 1;
    struct slice s;

    if (key->type != YAML_SCALAR_NODE) {
        mistakes_add(r->m, line, column, "a key must be a plain name, not a list or a map");
        return false;
    }
    s = (struct slice){(const char *)key->data.scalar.value, key->data.scalar.length};
    if (slice_eq(s, SLICE("<<")) && key->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
        mistakes_add(r->m, line, column, "merge keys (<<) are not read");
        mistakes_hint(r->m, "an alias (*name) as a whole value is");
        return false;
    }
    if (memchr(s.p, 0, s.n)) {
        mistakes_add(r->m, line, column, "a key must not hold a NUL");
        return false;
    }
    s = config_copy(r->arena, s);
    if (!s.p) {
        r->stop = true;
        return false;
    }
    n->pub.key = text_of(s);
    n->key_line = line;
    n->key_column = column;
    return true;
}

static struct config_node *read_node(struct reader *r, const yaml_node_t *y, unsigned depth);

static void
read_map(struct reader *r, struct config_node *n, const yaml_node_t *y, unsigned depth)
{
    const struct rouse_node **tail = &n->pub.child;
    struct map keys;

    map_init(&keys, CONFIG_TREE_NODES, 0, 0);
    for (yaml_node_pair_t *p = y->data.mapping.pairs.start;
         p < y->data.mapping.pairs.top && !r->stop; p++) {
        const yaml_node_t *key = yaml_document_get_node(r->doc, p->key);
        struct config_node *child =
            read_node(r, yaml_document_get_node(r->doc, p->value), depth + 1);
        if (!child || !take_key(r, child, key))
            continue;
        struct map_node *first = map_find(&keys, config_node_key(child));
        if (first) {
            const struct config_node *f = container_of(first, struct config_node, by_key);
            child->doubled = true;
            mistakes_add(r->m, child->key_line, child->key_column,
                         "key \"%s\" is given twice; first on line %d", child->pub.key.p,
                         f->key_line);
            mistakes_hint(r->m, "remove one of the two");
        } else if (map_insert(&keys, &child->by_key, config_node_key(child))) {
            r->stop = true;
        }
        *tail = &child->pub;
        tail = &child->pub.next;
    }
    map_fini(&keys);
}

static void
read_list(struct reader *r, struct config_node *n, const yaml_node_t *y, unsigned depth)
{
    const struct rouse_node **tail = &n->pub.child;

    for (yaml_node_item_t *i = y->data.sequence.items.start;
         i < y->data.sequence.items.top && !r->stop; i++) {
        struct config_node *child = read_node(r, yaml_document_get_node(r->doc, *i), depth + 1);
        if (!child)
            continue;
        *tail = &child->pub;
        tail = &child->pub.next;
    }
}

static struct config_node *
read_node(struct reader *r, const yaml_node_t *y, unsigned depth)
{
    struct config_node *n;

    if (r->stop || !(n = node_new(r, y)))
        return NULL;
    if (depth > CONFIG_TREE_DEPTH) {
        mistakes_add(r->m, n->pub.line, n->pub.column, "nested more than %d deep",
                     CONFIG_TREE_DEPTH);
        r->stop = true;
        return NULL;
    }
    if (y->type == YAML_MAPPING_NODE) {
        n->pub.kind = ROUSE_MAP;
        read_map(r, n, y, depth);
    } else if (y->type == YAML_SEQUENCE_NODE) {
        n->pub.kind = ROUSE_LIST;
        read_list(r, n, y, depth);
    } else {
        struct slice s = {(const char *)y->data.scalar.value, y->data.scalar.length};
        n->pub.kind = ROUSE_SCALAR;
        n->quoted = y->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        unsigned before = r->m->n;
        s = config_expand(s, n->pub.line, n->pub.column, r->arena, r->m, &n->secret);
        if (!s.p) {
            r->stop = true;
            return NULL;
        }
        n->pub.value = text_of(s);
        n->unset = r->m->n > before;
    }
    return n;
}

/* libyaml's complaint in our words, with what usually lies behind it. */
static void
note_error(const yaml_parser_t *p, struct slice text, struct mistakes *m)
{
    int line = (int)p->problem_mark.line + 1, column = (int)p->problem_mark.column + 1;
    const char *problem = p->problem ? p->problem : "this cannot be read";
    size_t at = p->problem_mark.index;

    if (p->error == YAML_MEMORY_ERROR) {
        mistakes_add(m, 0, 0, "out of memory");
        return;
    }
    /* The composer's complaints carry their place as the context. */
    if (p->error == YAML_COMPOSER_ERROR && p->context)
        mistakes_add(m, line, column, "%s (%s)", problem, p->context);
    else
        mistakes_add(m, line, column, "%s", problem);
    /* The index counts characters: near enough for ASCII. */
    if (at < text.n && text.p[at] == '\t')
        mistakes_hint(m, "indent with spaces, not with tabs");
    else if (at > 0 && at < text.n && text.p[at] == '{' && text.p[at - 1] == '$')
        mistakes_hint(m, "inside { } and [ ], put quotes around \"${...}\"");
    else if (strstr(problem, "mapping values are not allowed"))
        mistakes_hint(m, "check the indentation, and put quotes around values with a colon");
    else if (strstr(problem, "did not find expected"))
        mistakes_hint(m, "check the indentation, and that brackets and quotes above are closed");
    else if (strstr(problem, "cannot start any token"))
        mistakes_hint(m, "put quotes around a value that begins with a special character");
    else if (p->context)
        mistakes_hint(m, "%s that begins on line %d", p->context, (int)p->context_mark.line + 1);
}

static bool
is_start(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

/* Whether YAML takes the character: no surrogate, no non-character, no control but blanks. */
static bool
is_text(uint32_t v)
{
    static const struct {
        uint32_t from, to;
    } no[] = {{0, 8},        {0xb, 0xc},       {0xe, 0x1f},        {0x7f, 0x84},
              {0x86, 0x9f},  {0xd800, 0xdfff}, {0xfffe, 0xffff}, {0x110000, UINT32_MAX}};

    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        if (v >= no[i].from && v <= no[i].to)
            return false;
    return true;
}

/* The length of the character at the beginning of s, or 0: not UTF-8, or none that YAML takes. */
static size_t
character(struct slice s)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char c = (unsigned char)s.p[0];
    size_t n = c < 0x80 ? 1 : c < 0xc0 ? 5 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf8 ? 4 : 5;

    if (n > 4 || n > s.n)
        return 0;
    uint32_t v = n == 1 ? c : c & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if (is_start(s.p[i]))
            return 0;
        v = v << 6 | ((unsigned char)s.p[i] & 0x3f);
    }
    return v >= least[n] && is_text(v) ? n : 0;
}

/* The place of the first byte that is no text, or false. */
static bool
bad_byte(struct slice s, int *line, int *column)
{
    *line = *column = 1;
    while (s.n > 0) {
        size_t n = character(s);
        if (n == 0)
            return true;
        ++*column;
        if (s.p[0] == '\n') {
            ++*line;
            *column = 1;
        }
        s = slice_sub(s, n, s.n);
    }
    return false;
}

static const struct config_node *
read_document(yaml_parser_t *p, struct slice text, struct arena *a, struct mistakes *m)
{
    yaml_document_t doc, next;
    const struct config_node *root = NULL;

    if (!yaml_parser_load(p, &doc)) {
        note_error(p, text, m);
        return NULL;
    }
    const yaml_node_t *y = yaml_document_get_root_node(&doc);
    if (!y) {
        mistakes_add(m, 1, 1, "the configuration is empty");
        mistakes_hint(m, "conf/rouse.yaml is a sample; `rouse config sample` prints it");
    } else {
        struct reader r = {.doc = &doc, .arena = a, .m = m};
        root = read_node(&r, y, 0);
        if (r.stop) {
            if (m->n == 0)
                mistakes_add(m, 1, 1, "too much configuration for the memory it may use");
            root = NULL;
        }
    }
    yaml_document_delete(&doc);
    if (!root)
        return NULL;
    if (!yaml_parser_load(p, &next)) {
        note_error(p, text, m);
        return NULL;
    }
    y = yaml_document_get_root_node(&next);
    if (y) {
        mistakes_add(m, (int)y->start_mark.line + 1, (int)y->start_mark.column + 1,
                     "a second document begins here; only one is read");
        root = NULL;
    }
    yaml_document_delete(&next);
    return root;
}

static int
parser_open(yaml_parser_t *p, struct slice text, struct mistakes *m)
{
    if (!yaml_parser_initialize(p)) {
        mistakes_add(m, 0, 0, "out of memory");
        return -1;
    }
    yaml_parser_set_encoding(p, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(p, (const unsigned char *)text.p, text.n);
    return 0;
}

static int
depth_change(yaml_event_type_t t)
{
    if (t == YAML_SEQUENCE_START_EVENT || t == YAML_MAPPING_START_EVENT)
        return 1;
    return -(t == YAML_SEQUENCE_END_EVENT || t == YAML_MAPPING_END_EVENT);
}

/* A first pass over the events: libyaml's time grows with the square of the nesting, so that is
 * bounded before a tree is made. 0, or -1 and a mistake. */
static int
check_depth(struct slice text, struct mistakes *m)
{
    yaml_parser_t p;
    yaml_event_t e;
    int depth = 0;
    bool done = false;

    if (parser_open(&p, text, m))
        return -1;
    while (!done && depth <= CONFIG_TREE_DEPTH) {
        if (!yaml_parser_parse(&p, &e)) {
            note_error(&p, text, m);
            break;
        }
        depth += depth_change(e.type);
        if (depth > CONFIG_TREE_DEPTH)
            mistakes_add(m, (int)e.start_mark.line + 1, (int)e.start_mark.column + 1,
                         "nested more than %d deep", CONFIG_TREE_DEPTH);
        done = e.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&e);
    }
    yaml_parser_delete(&p);
    return done ? 0 : -1;
}

const struct config_node *
config_tree_read(struct slice text, struct arena *a, struct mistakes *m)
{
    yaml_parser_t p;
    int line, column;

    if (text.n == 0)
        text = SLICE(""); /* libyaml insists on a pointer */
    if (slice_starts(text, SLICE("\xef\xbb\xbf")))
        text = slice_sub(text, 3, text.n);
    if (bad_byte(text, &line, &column)) {
        mistakes_add(m, line, column, "here is a byte that is not text in UTF-8");
        mistakes_hint(m, "save the file as UTF-8, without control characters");
        return NULL;
    }
    if (check_depth(text, m) || parser_open(&p, text, m))
        return NULL;
    const struct config_node *root = read_document(&p, text, a, m);
    yaml_parser_delete(&p);
    return root;
}
