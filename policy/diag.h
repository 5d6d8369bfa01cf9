/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Collecting what is wrong with a policy, for the files above ruleset.h.
 *
 * Lines and columns count from 1; a column is a character (a code point), not a byte.
 */
#ifndef HG_DIAG_H
#define HG_DIAG_H

#include "policy.h"

/* More errors than a person reads at once; what follows is counted, not kept. */
#define DIAG_ERRORS_MAX 20

/*
 * Adds one, with what could fool a terminal or a reader (controls, direction overrides, bytes that
 * are no UTF-8) escaped. d may be NULL: then nothing is kept. Returns -EINVAL for an error, so that
 * `return diag_add(d, DIAG_ERROR, ...)` says both; 0 for the other levels.
 */
int diag_add(struct diags *d, enum diag_level level, const char *file, unsigned line, unsigned col,
	     const char *format, ...) __attribute__((format(printf, 6, 7)));

/* text as one line that is safe to print; NULL when memory is out. */
char *diag_printable(const char *text, size_t len);

/* The word of `words` (NULL-ended) that was probably meant, NULL where none is near. */
const char *diag_near(const char *word, size_t len, const char *const *words);

/* Bytes of the well-formed UTF-8 sequence at s, at most n long; 0 where there is none. */
unsigned diag_utf8(const char *s, size_t n, uint32_t *ret_codepoint);
/* Is it invisible or does it move what stands beside it? (UAX #9 controls, C0, C1, separators) */
bool diag_deceptive(uint32_t codepoint);

#endif
