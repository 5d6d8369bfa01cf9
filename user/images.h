/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Policy images in the kernel: slots of the map `policies`, and the starts of every place in
 * each of them. Under state_lock(). All tell why.
 */
#ifndef HG_IMAGES_H
#define HG_IMAGES_H

#include "engine.h"
#include "places.h"
#include "../policy/ruleset.h"

/* Puts an image where agents can be switched to it: into a slot that has the same one already, or
 * into a free one that was not used just now, with a start for every place. */
int image_install(struct engine *e, const struct image *im, const struct places *places,
		  uint32_t *ret_slot);

/* Takes out a slot that no agent uses any more; does nothing otherwise, or for slot 0. */
void image_drop(struct engine *e, uint32_t slot);

/* The starts of new places, places->items[first..], in every slot in use. */
int images_add_places(struct engine *e, const struct places *places, size_t first);

/* The starts of all places, in one slot. */
int image_start(struct engine *e, uint32_t slot, const struct places *places);

/* Forgets the starts of a place in every slot. */
void images_remove_place(struct engine *e, uint32_t place);

#endif
