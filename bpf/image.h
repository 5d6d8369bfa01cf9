/* SPDX-License-Identifier: GPL-2.0-only */
/* bpf/core/run.h on the kernel's maps: an image is the inner map of `policies` at a slot. */
#ifndef HG_IMAGE_H
#define HG_IMAGE_H

#include "compat.h"
#include "maps.h"
#include "core/run.h"

HG_INLINE const struct hg_chunk *hg_fetch(void *image, __u32 idx)
{
	return bpf_map_lookup_elem(image, &idx);
}

HG_INLINE bool image_open(struct hg_reader *r, __u32 slot)
{
	r->image = bpf_map_lookup_elem(&policies, &slot);
	r->head = NULL;
	r->chunk = NULL;
	r->idx = 0;
	return r->image && hg_open(r);
}

#endif
