/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Naming one superblock by its mounts. Under state_lock(), for user/mounts.c. */
#ifndef HG_SUPERBLOCK_H
#define HG_SUPERBLOCK_H

#include "engine.h"
#include "mountinfo.h"
#include "places.h"

/*
 * Names the parts of one superblock, each by its widest, oldest mount, and forgets those of which
 * nothing is mounted any more while others are. mounts: all of the superblock's, in the order of
 * mount_table_candidates(). What cannot be named goes to p->missing. -errno without a message.
 */
int superblock_sync(struct engine *e, struct places *p, const struct mount_table *t,
		    const struct mount_line **mounts, size_t n);

#endif
