/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * "did you mean": the nearest word of a list.
 */
#include <ctype.h>
#include <string.h>
#include "diag.h"

#define WORD_MAX 32

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	if (b < a)
		a = b;
	return c < a ? c : a;
}

/* Edits (insert, delete, replace, swap neighbours) from a to b, case aside; both at most WORD_MAX.
 */
static unsigned edits(const char *a, size_t n_a, const char *b, size_t n_b)
{
	unsigned row[WORD_MAX + 1][WORD_MAX + 1];

	for (size_t i = 0; i <= n_a; i++) {
		for (size_t j = 0; j <= n_b; j++) {
			if (!i || !j) {
				row[i][j] = i + j;
				continue;
			}
			row[i][j] = min3(row[i - 1][j] + 1, row[i][j - 1] + 1,
					 row[i - 1][j - 1] + (tolower((unsigned char)a[i - 1]) !=
							      tolower((unsigned char)b[j - 1])));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[i][j] = min3(row[i][j], row[i - 2][j - 2] + 1, ~0u);
		}
	}
	return row[n_a][n_b];
}

const char *diag_near(const char *word, size_t len, const char *const *words)
{
	unsigned best = len / 3 + 1, n;
	const char *near = NULL;

	if (!len || len > WORD_MAX)
		return NULL;
	for (; *words; words++) {
		if (strlen(*words) > WORD_MAX)
			continue;
		n = edits(word, len, *words, strlen(*words));
		if (n < best || (n == best && !near)) {
			best = n;
			near = *words;
		}
	}
	return near;
}
