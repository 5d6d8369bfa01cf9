/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Naming superblocks: each by its widest, oldest mount in the first process's mount namespace, told
 * to the kernel side through registration (struct hg_registrar in bpf/core/abi.h).
 */
#ifndef HG_MOUNTS_H
#define HG_MOUNTS_H

#include "engine.h"
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

/* A descriptor that polls with POLLPRI when mounts change. -errno. */
int mounts_watch(void);

#endif
