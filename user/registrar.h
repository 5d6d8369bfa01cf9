/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Telling the kernel side what a mount is (struct hg_registrar in bpf/core/abi.h), and asking it. Under
 * state_lock(). -errno without a message.
 */
#ifndef HG_REGISTRAR_H
#define HG_REGISTRAR_H

#include "engine.h"
#include "mountinfo.h"

/* A place, and the superblock's others that stay. */
struct registration {
	uint32_t place;
	uint32_t n_keep;
	uint32_t keep[HG_PARTS_MAX];
};

/* O_PATH of its mount point, if that still leads to this mount and not to one on top of it: -EBUSY. */
int mount_open(const struct mount_line *m);

/* -EBUSY as above, -ENOSPC: no room; -ENODATA: the kernel side was not asked. */
int mount_register(const struct engine *e, const struct mount_line *m, const struct registration *r);
/* The same of one that may not answer, which is -ETIMEDOUT. */
int mount_register_apart(const struct engine *e, const struct mount_line *m,
			 const struct registration *r);

/* The kernel's numbers for a file (O_PATH will do). */
int mounts_identify(const struct engine *e, int fd, struct hg_link_key *ret);

#endif
