/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Naming superblocks: each by its widest, oldest mount in the first process's mount namespace; and
 * where several parts of one are mounted that do not lie in each other, each of these.
 */
#ifndef HG_MOUNTS_H
#define HG_MOUNTS_H

#include "engine.h"
#include "mountinfo.h"
#include "places.h"

/*
 * Names what is mounted and not yet named, gives it starts in every policy in use, and forgets what
 * is gone. Under state_lock(). A mount that cannot be named stays unnamed, which the kernel side
 * answers with a denial; it is kept in places->missing. Tells why when nothing could be done at
 * all; -EOPNOTSUPP where the kernel does not run the programs.
 */
int mounts_sync(struct engine *e, struct places *ret);

/* Goes to the mount namespace of the first process, where paths are what policies mean. */
int mounts_enter_first_namespace(void);
bool mounts_in_first_namespace(void);

/* Runs work in a child that went there, so that this process stays where it is. What it gives back
 * is an errno that fits into a byte. */
int mounts_apart(int (*work)(void *ctx), void *ctx);

/* The mounts of this process's namespace. Tells why. */
int mounts_table(struct mount_table *ret);
/* A mount of a place's own, with no other mount on top of any part of it. -EOPNOTSUPP where it may
 * not answer, -ENODEV where none is found, -errno. */
int mounts_open_alone(const struct mount_table *t, const struct place *place);
/* A descriptor that polls with POLLPRI when mounts change. -errno. */
int mounts_watch(void);

#endif
