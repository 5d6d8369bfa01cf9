/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From tokens with braces to alternatives without, in normal form; for glob.c only. */
#ifndef HG_GLOB_EXPAND_H
#define HG_GLOB_EXPAND_H

#include "glob.h"

/*
 * Appends to glob->alternatives, each checked and in normal form: starts with '/' (a double star
 * and a slash at the start get one before them, which says the same); stars next to each other
 * are one; a double star is not followed by another component that is a double star alone.
 */
int glob_expand(struct glob *glob, const struct glob_token *tokens, size_t n,
		struct ruleset_error *ret_error);

#endif
