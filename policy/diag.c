/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Diagnostics: collected, never printed here.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "diag.h"

unsigned diag_utf8(const char *s, size_t n, uint32_t *ret_codepoint)
{
	const unsigned char *u = (const unsigned char *)s;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned len, i;
	uint32_t c;

	if (!n)
		return 0;
	if (u[0] < 0x80) {
		*ret_codepoint = u[0];
		return 1;
	}
	len = u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2;
	if (u[0] < 0xc2 || u[0] > 0xf4 || n < len)
		return 0;
	c = u[0] & (0x7f >> len);
	for (i = 1; i < len; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (u[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret_codepoint = c;
	return len;
}

bool diag_deceptive(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x2069) || c == 0xfeff;
}

char *diag_printable(const char *text, size_t len)
{
	char *out = malloc(len * 6 + 1), *to = out;
	unsigned n;
	uint32_t c;

	if (!out)
		return NULL;
	for (; len; text += n, len -= n) {
		n = diag_utf8(text, len, &c);
		if (!n) {
			to += sprintf(to, "\\x%02x", (unsigned char)*text);
			n = 1;
		} else if (!diag_deceptive(c)) {
			memcpy(to, text, n);
			to += n;
		} else {
			to += sprintf(to, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
		}
	}
	*to = '\0';
	return out;
}

static char *sentence(const char *format, va_list ap)
{
	char *raw, *out;
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	raw = n < 0 ? NULL : malloc(n + 1);
	if (!raw)
		return NULL;
	vsnprintf(raw, n + 1, format, ap);
	out = diag_printable(raw, n);
	free(raw);
	return out;
}

static bool diags_append(struct diags *d, const struct diag *item)
{
	struct diag *items = reallocarray(d->items, d->n + 1, sizeof(*items));

	if (!items)
		return false;
	d->items = items;
	d->items[d->n++] = *item;
	return true;
}

int diag_add(struct diags *d, enum diag_level level, const char *file, unsigned line, unsigned col,
	     const char *format, ...)
{
	struct diag item = {.level = level, .line = line, .col = col};
	int err = level == DIAG_ERROR ? -EINVAL : 0;
	va_list ap;

	if (!d)
		return err;
	if (level == DIAG_ERROR && d->n_errors++ >= DIAG_ERRORS_MAX) {
		if (d->n_errors > DIAG_ERRORS_MAX + 1)
			return err;
		item.level = DIAG_NOTE;
		item.line = item.col = 0;
		format = "more errors follow; these first";
	}
	item.file = diag_printable(file ? file : "", file ? strlen(file) : 0);
	va_start(ap, format);
	item.message = sentence(format, ap);
	va_end(ap);
	if (!item.file || !item.message || !diags_append(d, &item)) {
		free(item.file);
		free(item.message);
	}
	return err;
}

void diags_clear(struct diags *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->items[i].file);
		free(d->items[i].message);
	}
	free(d->items);
	*d = (struct diags){};
}
