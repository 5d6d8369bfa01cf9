/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A YAML document as a tree in which every byte of every value knows where it was written.
 *
 * Stricter than YAML: one document; no aliases, anchors, tags, merge keys or directives; no
 * duplicate keys; keys are plain words; UTF-8 without deceptive characters. JSON is a subset.
 */
#ifndef HG_DOCUMENT_H
#define HG_DOCUMENT_H

#include "diag.h"

/* Nobody reviews a larger policy; libyaml's cost and this tree's size stay bounded by it. */
#define DOCUMENT_SIZE_MAX (1024 * 1024)
/* The language nests three deep. */
#define DOCUMENT_DEPTH_MAX 8
/* Keys of one map, which are compared pairwise. */
#define DOCUMENT_KEYS_MAX 1024

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };
enum node_style { STYLE_PLAIN, STYLE_SINGLE, STYLE_DOUBLE, STYLE_BLOCK };

struct node {
	enum node_kind kind;
	enum node_style style;
	size_t at, end; /* bytes of the document's text */
	char *value;	/* of a scalar, NUL-terminated, no NUL inside */
	size_t len;
	struct node **items; /* of a list; of a map: key, value, key, value ... */
	size_t n_items;
};

struct document {
	char *file; /* as messages name it */
	char *text;
	size_t len;
	struct node *root; /* a map */
	struct document_place *last;
};

/* The place asked for last: places are asked for in order, and are found from there. */
struct document_place {
	size_t at;
	unsigned line, col; /* from 0 */
};

/* Parses len bytes; 0, or -EINVAL with errors in d, or -ENOMEM. */
int document_parse(const char *file, const char *bytes, size_t len, struct diags *d,
		   struct document **ret);
void document_free(struct document *doc);

/* Line and column of byte `at` of the text. */
void document_where(const struct document *doc, size_t at, unsigned *ret_line, unsigned *ret_col);
/* The byte of the text that byte `offset` of a scalar's value came from. */
size_t node_source(const struct document *doc, const struct node *n, size_t offset);

/* Adds an error at byte `offset` of a node's value (of its first byte, where it is no scalar). */
int node_error(const struct document *doc, const struct node *n, size_t offset, struct diags *d,
	       const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
