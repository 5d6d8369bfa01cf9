/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From a byte of a value back to the place where it was written.
 *
 * YAML folds lines, strips indentation and replaces escapes, but it never adds, drops or reorders
 * bytes that are not blank. So the k-th byte of a value that is not blank was written by the k-th
 * element of the source that is not blank; blanks lie behind the element before them.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "document.h"

void document_where(const struct document *doc, size_t at, unsigned *ret_line, unsigned *ret_col)
{
	struct document_place *p = doc->last;

	if (at > doc->len)
		at = doc->len;
	if (at < p->at)
		*p = (struct document_place){};
	for (; p->at < at; p->at++) {
		if (doc->text[p->at] == '\n') {
			p->line++;
			p->col = 0;
		} else if (((unsigned char)doc->text[p->at] & 0xc0) != 0x80) {
			p->col++;
		}
	}
	*ret_line = p->line + 1;
	*ret_col = p->col + 1;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static unsigned utf8_len(uint32_t c)
{
	return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

/* An escape of a double-quoted scalar: its length in the source, and the bytes of the value that
 * are not blank which it stands for. */
static size_t escape(const char *s, size_t n, size_t *ret_bytes)
{
	size_t digits = 0;
	char hex[9] = {};
	uint32_t c;

	*ret_bytes = 1;
	if (n < 2)
		return n;
	switch (s[1]) {
	case 'x':
		digits = 2;
		break;
	case 'u':
		digits = 4;
		break;
	case 'U':
		digits = 8;
		break;
	case 't':
	case '\t':
	case 'n':
	case 'r':
	case ' ':
	case '\n':
	case '\r':
		*ret_bytes = 0;
		return 2;
	case 'N':
	case '_':
		*ret_bytes = 2;
		return 2;
	case 'L':
	case 'P':
		*ret_bytes = 3;
		return 2;
	default:
		return 2;
	}
	if (n < 2 + digits)
		return n;
	memcpy(hex, s + 2, digits);
	c = strtoul(hex, NULL, 16);
	*ret_bytes = c == ' ' || c == '\t' || c == '\n' || c == '\r' ? 0 : utf8_len(c);
	return 2 + digits;
}

/* One element of a scalar's source: its length and its bytes of the value that are not blank. */
static size_t element(enum node_style style, const char *s, size_t n, size_t *ret_bytes)
{
	if (style == STYLE_DOUBLE && *s == '\\')
		return escape(s, n, ret_bytes);
	*ret_bytes = !blank(*s);
	if (style == STYLE_SINGLE && n > 1 && s[0] == '\'' && s[1] == '\'')
		return 2;
	return 1;
}

static void content(const struct document *doc, const struct node *n, size_t *ret_at,
		    size_t *ret_end)
{
	size_t at = n->at, end = n->end;

	if (n->style == STYLE_SINGLE || n->style == STYLE_DOUBLE) {
		at++;
		end--;
	} else if (n->style == STYLE_BLOCK) {
		while (at < end && doc->text[at] != '\n')
			at++;
	}
	*ret_at = at;
	*ret_end = end < at ? at : end;
}

size_t node_source(const struct document *doc, const struct node *n, size_t offset)
{
	size_t at, end, step, bytes, want = 0, seen = 0, last;
	bool is_blank;

	if (n->kind != NODE_SCALAR)
		return n->at;
	if (offset > n->len)
		offset = n->len;
	for (size_t i = 0; i < offset; i++)
		want += !blank(n->value[i]);
	is_blank = offset == n->len || blank(n->value[offset]);
	content(doc, n, &at, &end);
	for (last = at; at < end; at += step) {
		step = element(n->style, doc->text + at, end - at, &bytes);
		if (is_blank && seen >= want)
			break;
		if (!is_blank && bytes && seen + bytes > want)
			return at;
		seen += bytes;
		if (bytes)
			last = at + step;
	}
	return last;
}

int node_error(const struct document *doc, const struct node *n, size_t offset, struct diags *d,
	       const char *format, ...)
{
	char message[600];
	unsigned line, col;
	va_list ap;

	va_start(ap, format);
	vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	document_where(doc, node_source(doc, n, offset), &line, &col);
	return diag_add(d, DIAG_ERROR, doc->file, line, col, "%s", message);
}
