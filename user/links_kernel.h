/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Files with several names, told to the kernel side (map `links`). Under state_lock(). */
#ifndef HG_LINKS_KERNEL_H
#define HG_LINKS_KERNEL_H

#include "engine.h"
#include "places.h"
#include "../policy/ruleset.h"

/*
 * Looks for them in places->items[first..] and says to the kernel side what each lacks under the
 * policy in `slot`, before the slot or the place is used. Entries of before go once the new ones
 * are there. Tells why, and of each file system that it did not look at. -E2BIG: no room.
 */
int links_install(struct engine *e, uint32_t slot, const struct image *im,
		  const struct places *places, size_t first);

/* Forgets a slot's. */
void links_remove(struct engine *e, uint32_t slot);

#endif
