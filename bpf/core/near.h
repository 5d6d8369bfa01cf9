/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * In front of map `cgroups`: whether a cgroup is an agent's, by one load for most. The map is the
 * truth. An entry is written after the map's is, and taken out with it; both user space and the
 * kernel do so, with the functions here.
 */
#ifndef HG_NEAR_H
#define HG_NEAR_H

#include "types.h"
#include "limits.h"

/* Map `near`, an array; index = cgroup id modulo its size, which the kernel counts up. */
struct hg_near {
	__u64 id;		/* cgroup id; 0: nobody's */
	__u32 agent;		/* valid with id */
	__u32 crowded;		/* another cgroup did not get this entry once: ask the map */
};

/* No cgroup's id: an inode number is in its low half. */
#define HG_NEAR_TAKEN (1ull << 63)

HG_INLINE void hg_near_add(struct hg_near *e, __u64 id, __u32 agent)
{
	if (__sync_val_compare_and_swap(&e->id, 0, HG_NEAR_TAKEN) != 0) {
		__sync_fetch_and_or(&e->crowded, 1);
		return;
	}
	*(volatile __u32 *)&e->agent = agent;
	__sync_val_compare_and_swap(&e->id, HG_NEAR_TAKEN, id);
}

HG_INLINE void hg_near_drop(struct hg_near *e, __u64 id)
{
	if (id && id != HG_NEAR_TAKEN)
		__sync_val_compare_and_swap(&e->id, id, 0);
}

#endif
