/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A policy image in memory; for image*.c and those that make or take apart images. */
#ifndef HG_IMAGE_H
#define HG_IMAGE_H

#include "ruleset.h"

struct image {
	struct hg_chunk *chunks;
	uint32_t n;
};

/* The image's identity: a hash of all its bytes with uid taken as 0; never 0. */
uint64_t image_uid(const struct hg_chunk *chunks, uint32_t n);

/* Whether bpf/core/run.h can read the chunks and never leave what they describe. -EBADMSG with a
 * message. */
int image_verify(const struct hg_chunk *chunks, uint32_t n, struct ruleset_error *ret_error);

/* Takes chunks (heap) as an image, verified; they are the image's or freed, whatever happens. */
int image_take(struct hg_chunk *chunks, uint32_t n, struct image **ret,
	       struct ruleset_error *ret_error);

/* A verdict row by number, a directory state by number. */
bool image_row(const struct image *im, uint32_t row, struct hg_out *ret);
bool image_dir(const struct image *im, uint16_t dir, struct hg_dir *ret);

/* One component from the directory state *dir on: to the next one and the verdict row. -errno. */
int image_enter(const struct image *im, const char *name, size_t len, uint16_t *dir,
		uint16_t *ret_out);

#endif
