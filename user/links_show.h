/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names that lead to a file for which a policy says something else at another name. */
#ifndef HG_LINKS_SHOW_H
#define HG_LINKS_SHOW_H

#include "../policy/policy.h"

/*
 * Calls `show` for each such file that this user can find: two of its names, and the rights
 * (HG_OBJECT_RIGHTS) that neither gets. Tells what it could not look at. -errno, or what show gave.
 */
int links_show(const struct policy *p,
	       int (*show)(void *ctx, const char *least, const char *most, uint8_t lacks),
	       void *ctx);

#endif
