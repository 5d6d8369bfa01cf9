/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is left of a pattern below a folder. */
#ifndef HG_GLOB_BELOW_H
#define HG_GLOB_BELOW_H

#include "glob.h"

/*
 * Ways in which an alternative of n tokens can go on behind a folder, by number:
 *   w < n	its tokens from w on, of which the first is a slash
 *   n		it ends there: the folder itself
 *   n + 1 + w	a slash, then its tokens from w on: w is a double star glued to other bytes
 */
#define GLOB_WAYS(n) (2 * (n) + 1)

/* Sets ret_ways[w] for each of them, and clears the others. folder: without a slash at its end, ""
 * for the root. -ENOMEM. */
int glob_below(const struct glob *glob, const struct glob_alternative *alt, const char *folder,
	       bool *ret_ways);

/* How many of the tokens stand before the component with the first wildcard, the slash before that
 * not counted; all of them where there is none. */
size_t glob_literal(const struct glob_alternative *alt);

/* Is what begins at token `at` a slash and a double star that ends the pattern? */
bool glob_is_below(const struct glob_alternative *alt, size_t at);

#endif
