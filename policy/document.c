/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * libyaml's events to a tree, with everything refused that a policy has no use for: each of those
 * is a way to show a reviewer one thing and load another.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>
#include "document.h"

struct builder {
	struct document *doc;
	struct diags *d;
	yaml_parser_t yaml;
	uint32_t *bytes_at; /* byte offset of each character, as libyaml counts them */
	size_t n_chars;
};

static size_t byte_of(const struct builder *b, size_t character)
{
	return b->bytes_at[character < b->n_chars ? character : b->n_chars];
}

__attribute__((format(printf, 3, 4))) static int fail(struct builder *b, size_t at,
						      const char *format, ...)
{
	char message[400];
	unsigned line, col;
	va_list ap;

	va_start(ap, format);
	vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	document_where(b->doc, at, &line, &col);
	return diag_add(b->d, DIAG_ERROR, b->doc->file, line, col, "%s", message);
}

/* Checks every character and notes where each begins. */
static int check_text(struct builder *b)
{
	const char *s = b->doc->text;
	size_t len = b->doc->len, at = 0;
	uint32_t c = 0;
	unsigned n;

	b->bytes_at = calloc(len + 1, sizeof(*b->bytes_at));
	if (!b->bytes_at)
		return -ENOMEM;
	for (; at < len; at += n) {
		n = diag_utf8(s + at, len - at, &c);
		if (!n)
			return fail(b, at, "byte 0x%02x is not UTF-8; save the file as UTF-8",
				    (unsigned char)s[at]);
		if (c == 0)
			return fail(b, at, "a NUL byte; a policy is text");
		if (c == '\r' && at + 1 < len && s[at + 1] == '\n')
			c = '\n';
		if (diag_deceptive(c) && c != '\n' && c != '\t')
			return fail(
				b, at,
				"character U+%04X is invisible or moves what stands "
				"beside it; write it as \"%s%0*X\" in double quotes if it is meant",
				c, c < 0x100 ? "\\x" : "\\u", c < 0x100 ? 2 : 4, c);
		b->bytes_at[b->n_chars++] = at;
	}
	b->bytes_at[b->n_chars] = len;
	return 0;
}

static int yaml_failed(struct builder *b)
{
	const char *context = b->yaml.context ? b->yaml.context : "";
	const char *problem = b->yaml.problem ? b->yaml.problem : "cannot be read";
	const char *hint = "";
	size_t at = byte_of(b, b->yaml.problem_mark.index);

	if (b->yaml.error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	if (strstr(context, "alias") || strstr(context, "anchor"))
		hint = "; put a value that begins with * or & in quotes";
	else if (strstr(context, "tag"))
		hint = "; put a value that begins with ! in quotes";
	else if (at < b->doc->len && b->doc->text[at] == '\t')
		hint = "; indent with spaces";
	else if (strstr(problem, "did not find expected ','"))
		hint = "; put text with braces or brackets in quotes";
	else if (strstr(problem, "mapping values are not allowed"))
		hint = "; put a value that has \": \" in it in quotes";
	return fail(b, at, "not YAML: %s%s%s%s", context, *context ? ": " : "", problem, hint);
}

static int next_event(struct builder *b, yaml_event_t *e)
{
	return yaml_parser_parse(&b->yaml, e) ? 0 : yaml_failed(b);
}

static void node_free(struct node *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->n_items; i++)
		node_free(n->items[i]);
	free(n->items);
	free(n->value);
	free(n);
}

static int node_new(struct builder *b, enum node_kind kind, const yaml_event_t *e,
		    struct node **ret)
{
	struct node *n = calloc(1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	n->kind = kind;
	n->at = byte_of(b, e->start_mark.index);
	n->end = byte_of(b, e->end_mark.index);
	*ret = n;
	return 0;
}

static int node_append(struct node *parent, struct node *child)
{
	struct node **items;

	/* Grows at powers of two. */
	if (!(parent->n_items & (parent->n_items - 1))) {
		items = reallocarray(parent->items, parent->n_items ? parent->n_items * 2 : 1,
				     sizeof(*items));
		if (!items)
			return -ENOMEM;
		parent->items = items;
	}
	parent->items[parent->n_items++] = child;
	return 0;
}

static int refuse_marks(struct builder *b, const yaml_event_t *e, const void *anchor,
			const void *tag)
{
	size_t at = byte_of(b, e->start_mark.index);

	if (anchor)
		return fail(b, at, "anchors (&name) are not used in policies; write it out");
	if (tag)
		return fail(b, at, "tags (!name) are not used in policies; leave it out");
	return 0;
}

static int read_scalar(struct builder *b, const yaml_event_t *e, struct node **ret)
{
	static const enum node_style styles[] = {
		[YAML_PLAIN_SCALAR_STYLE] = STYLE_PLAIN,
		[YAML_SINGLE_QUOTED_SCALAR_STYLE] = STYLE_SINGLE,
		[YAML_DOUBLE_QUOTED_SCALAR_STYLE] = STYLE_DOUBLE,
		[YAML_LITERAL_SCALAR_STYLE] = STYLE_BLOCK,
		[YAML_FOLDED_SCALAR_STYLE] = STYLE_BLOCK,
	};
	const char *value = (const char *)e->data.scalar.value;
	struct node *n = NULL;
	const char *nul;
	int err;

	err = refuse_marks(b, e, e->data.scalar.anchor, e->data.scalar.tag);
	if (err)
		return err;
	err = node_new(b, NODE_SCALAR, e, &n);
	if (err)
		return err;
	*ret = n;
	n->style = styles[e->data.scalar.style];
	n->len = e->data.scalar.length;
	n->value = malloc(n->len + 1);
	if (!n->value)
		return -ENOMEM;
	memcpy(n->value, value, n->len);
	n->value[n->len] = '\0';
	nul = memchr(n->value, 0, n->len);
	if (nul)
		return node_error(b->doc, n, nul - n->value, b->d,
				  "a NUL byte; nothing has one in its name");
	return 0;
}

static int check_key(struct builder *b, const struct node *map, const struct node *key)
{
	unsigned line, col;

	if (key->kind != NODE_SCALAR)
		return fail(b, key->at, "a key is a plain word, not a list or a map");
	if (key->style == STYLE_PLAIN && !strcmp(key->value, "<<"))
		return fail(b, key->at, "merge keys (<<) are not used in policies; write it out");
	if (map->n_items >= 2 * DOCUMENT_KEYS_MAX)
		return fail(b, key->at, "more than %d keys", DOCUMENT_KEYS_MAX);
	for (size_t i = 0; i < map->n_items; i += 2) {
		if (map->items[i]->len != key->len ||
		    memcmp(map->items[i]->value, key->value, key->len))
			continue;
		document_where(b->doc, map->items[i]->at, &line, &col);
		return fail(b, key->at, "`%s` is here twice; the first is at %u:%u", key->value,
			    line, col);
	}
	return 0;
}

static int read_node(struct builder *b, yaml_event_t *e, unsigned depth, struct node **ret);

/* Reads a list's or map's items until its end. An error in one place does not hide the next. */
static int read_items(struct builder *b, struct node *parent, unsigned depth)
{
	yaml_event_type_t end =
		parent->kind == NODE_MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
	struct node *child;
	yaml_event_t e;
	int err;

	for (;;) {
		err = next_event(b, &e);
		if (err)
			return err;
		if (e.type == end) {
			parent->end = byte_of(b, e.end_mark.index);
			yaml_event_delete(&e);
			return 0;
		}
		child = NULL;
		err = read_node(b, &e, depth, &child);
		yaml_event_delete(&e);
		if (!err && parent->kind == NODE_MAP && !(parent->n_items & 1))
			err = check_key(b, parent, child);
		if (!err)
			err = node_append(parent, child);
		if (err) {
			node_free(child);
			return err;
		}
	}
}

static int read_node(struct builder *b, yaml_event_t *e, unsigned depth, struct node **ret)
{
	size_t at = byte_of(b, e->start_mark.index);
	int err;

	switch (e->type) {
	case YAML_SCALAR_EVENT:
		return read_scalar(b, e, ret);
	case YAML_ALIAS_EVENT:
		return fail(b, at,
			    "aliases (*name) are not used in policies; put a value that "
			    "begins with * in quotes");
	case YAML_SEQUENCE_START_EVENT:
		err = refuse_marks(b, e, e->data.sequence_start.anchor, e->data.sequence_start.tag);
		break;
	case YAML_MAPPING_START_EVENT:
		err = refuse_marks(b, e, e->data.mapping_start.anchor, e->data.mapping_start.tag);
		break;
	default:
		return fail(b, at, "not YAML: something else was expected here");
	}
	if (err)
		return err;
	if (depth >= DOCUMENT_DEPTH_MAX)
		return fail(b, at, "nested deeper than %d", DOCUMENT_DEPTH_MAX);
	err = node_new(b, e->type == YAML_MAPPING_START_EVENT ? NODE_MAP : NODE_LIST, e, ret);
	return err ? err : read_items(b, *ret, depth + 1);
}

/* Stream and document brackets around the one root. */
static int read_document(struct builder *b)
{
	bool started = false;
	yaml_event_t e;
	int err;

	for (;;) {
		err = next_event(b, &e);
		if (err)
			return err;
		if (e.type == YAML_STREAM_END_EVENT) {
			yaml_event_delete(&e);
			return 0;
		}
		if (e.type == YAML_DOCUMENT_START_EVENT) {
			size_t at = byte_of(b, e.start_mark.index);

			if (started)
				err = fail(b, at, "a second document; a policy is one");
			else if (e.data.document_start.version_directive ||
				 e.data.document_start.tag_directives.start !=
					 e.data.document_start.tag_directives.end)
				err = fail(b, at, "directives (%%NAME) are not used in policies");
			started = true;
		} else if (e.type != YAML_STREAM_START_EVENT && e.type != YAML_DOCUMENT_END_EVENT) {
			err = read_node(b, &e, 0, &b->doc->root);
		}
		yaml_event_delete(&e);
		if (err)
			return err;
	}
}

static int build(struct builder *b)
{
	int err = check_text(b);

	if (err)
		return err;
	if (!yaml_parser_initialize(&b->yaml))
		return -ENOMEM;
	yaml_parser_set_encoding(&b->yaml, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b->yaml, (const unsigned char *)b->doc->text, b->doc->len);
	err = read_document(b);
	yaml_parser_delete(&b->yaml);
	if (err)
		return err;
	if (!b->doc->root)
		return fail(b, 0, "empty; a policy begins with `version: 1`");
	if (b->doc->root->kind != NODE_MAP)
		return fail(b, b->doc->root->at,
			    "a policy is a map of keys, beginning with "
			    "`version: 1`");
	return 0;
}

int document_parse(const char *file, const char *bytes, size_t len, struct diags *d,
		   struct document **ret)
{
	struct document *doc = calloc(1, sizeof(*doc));
	struct builder b = {.doc = doc, .d = d};
	int err = -ENOMEM;

	if (!doc)
		return -ENOMEM;
	/* A byte order mark says nothing in UTF-8. */
	if (len >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3)) {
		bytes += 3;
		len -= 3;
	}
	doc->file = strdup(file);
	doc->text = malloc(len + 1);
	doc->last = calloc(1, sizeof(*doc->last));
	if (doc->file && doc->text && doc->last) {
		memcpy(doc->text, bytes, len);
		doc->text[len] = '\0';
		doc->len = len;
		err = len > DOCUMENT_SIZE_MAX
			      ? diag_add(d, DIAG_ERROR, file, 0, 0,
					 "larger than %d bytes; a policy is for people to read",
					 DOCUMENT_SIZE_MAX)
			      : build(&b);
	}
	free(b.bytes_at);
	if (err) {
		document_free(doc);
		return err;
	}
	*ret = doc;
	return 0;
}

void document_free(struct document *doc)
{
	if (!doc)
		return;
	node_free(doc->root);
	free(doc->file);
	free(doc->text);
	free(doc->last);
	free(doc);
}
