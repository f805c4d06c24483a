/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_tree.h: a YAML (or JSON) text as a tree with places: read by libyaml's document API, with
 * variables expanded, aliases copied and bounded, doubled keys found. Knows nothing of settings.
 *
 * The subset: one document; maps whose keys are scalars; no merge keys. Depth, nodes and bytes are
 * bounded. `${NAME}` and `${NAME:-default}` in scalars are variables of the environment; `$${` is a
 * literal `${`.
 */
#ifndef ROUSE_APP_CONFIG_TREE_H
#define ROUSE_APP_CONFIG_TREE_H

#include "app/mistake.h"
#include "base/arena.h"
#include "base/map.h"
#include "gateway/plugin_load.h"

#define CONFIG_TREE_BYTES (4u << 20)
#define CONFIG_TREE_DEPTH 32
#define CONFIG_TREE_NODES 200000

struct config_node {
    struct rouse_node pub; /* what plugins see; child and next point at the pub of others */
    int key_line, key_column;
    bool quoted;   /* the scalar stood in quotes or was a block: never null, never a number */
    bool unset;    /* the scalar names a variable that is not set, which is noted already */
    bool secret;   /* the scalar came from a variable or a file: not to be shown */
    bool doubled;  /* the key stood before in this map: a mistake already noted */
    struct map_node by_key; /* while the map is read */
};

/*
 * The root, in the arena; texts are NUL-terminated there. NULL: the text cannot be read at all.
 * Mistakes that leave a tree (a variable that is not set, a doubled key) give one.
 */
const struct config_node *config_tree_read(struct slice text, struct arena *a, struct mistakes *m);

const struct config_node *config_node_of(const struct rouse_node *n);
/* First child and next sibling; NULL at the end, or when n has none. */
const struct config_node *config_node_child(const struct config_node *n);
const struct config_node *config_node_next(const struct config_node *n);
/* The member of a map, or NULL. */
const struct config_node *config_node_get(const struct config_node *n, const char *key);
struct slice config_node_text(const struct config_node *n);
struct slice config_node_key(const struct config_node *n);
/* A plain empty scalar, ~ or null. */
bool config_node_is_null(const struct config_node *n);
/* "a map", "a list", "a value", "nothing": for messages. */
const char *config_node_kind(const struct config_node *n);

#endif
