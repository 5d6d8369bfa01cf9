/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Patterns that remember where their bytes came from, and sets of strings.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "expand.h"

int pattern_add(struct pattern *p, const char *bytes, size_t len, uint32_t from)
{
	size_t cap = p->cap ? p->cap : 64;
	uint32_t *origin;
	char *b;

	while (cap < p->len + len + 1)
		cap *= 2;
	if (cap != p->cap) {
		b = realloc(p->bytes, cap);
		if (!b)
			return -ENOMEM;
		p->bytes = b;
		origin = reallocarray(p->from, cap, sizeof(*origin));
		if (!origin)
			return -ENOMEM;
		p->from = origin;
		p->cap = cap;
	}
	memcpy(p->bytes + p->len, bytes, len);
	for (size_t i = 0; i < len; i++)
		p->from[p->len + i] = from;
	p->len += len;
	p->bytes[p->len] = '\0';
	return 0;
}

int pattern_add_literal(struct pattern *p, const char *bytes, size_t len, uint32_t from)
{
	int err = 0;

	/* An empty addition still makes an empty pattern a string. */
	if (!len)
		return pattern_add(p, "", 0, from);
	for (size_t i = 0; i < len && !err; i++) {
		if (strchr("*?[]{},\\", bytes[i]))
			err = pattern_add(p, "\\", 1, from);
		if (!err)
			err = pattern_add(p, bytes + i, 1, from);
	}
	return err;
}

void pattern_done(struct pattern *p)
{
	free(p->bytes);
	free(p->from);
	*p = (struct pattern){};
}

void patterns_done(struct patterns *p)
{
	for (size_t i = 0; i < p->n; i++)
		pattern_done(&p->items[i]);
	free(p->items);
	*p = (struct patterns){};
}

bool strings_have(const struct strings *s, const char *text)
{
	for (size_t i = 0; i < s->n; i++) {
		if (!strcmp(s->items[i], text))
			return true;
	}
	return false;
}

int strings_add(struct strings *s, const char *text)
{
	char **items;

	if (strings_have(s, text))
		return 0;
	items = reallocarray(s->items, s->n + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	s->items = items;
	s->items[s->n] = strdup(text);
	if (!s->items[s->n])
		return -ENOMEM;
	s->n++;
	return 0;
}

void strings_done(struct strings *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->items[i]);
	free(s->items);
	*s = (struct strings){};
}
