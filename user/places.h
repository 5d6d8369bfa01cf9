/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Places: numbers for (superblock, name) pairs, never used again in a boot. Kept in
 * /run/hydraguard/places.json; written under state_lock() only.
 */
#ifndef HG_PLACES_H
#define HG_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../bpf/core/limits.h"

/* What named a part of it before a wider mount did. */
struct place_before {
	char *root, *path;
};

struct place {
	uint32_t number;
	uint32_t major, minor;
	char *root, *path, *type; /* of the mount that names it */
	struct place_before before[HG_PARTS_MAX];
	size_t n_before;
};

/* A mount whose superblock has no name, and why. */
struct unplaced {
	char *path, *type, *why;
};

struct places {
	struct place *items;
	size_t n;
	struct unplaced *missing;
	size_t n_missing;
	uint32_t next;
};

/* The file as it is; empty where there is none. -errno without a message. */
int places_read(struct places *ret);
int places_write(const struct places *p);
void places_clear(struct places *p);
#define _places_ __attribute__((cleanup(places_clear)))

/* Path of a number, the homes of the kernel's own file systems included; NULL: unknown. */
const char *places_path(const struct places *p, uint32_t number);

/* Adds one with the next number; NULL: no memory, or no number left. */
struct place *places_add(struct places *p, uint32_t major, uint32_t minor, const char *root,
			 const char *path, const char *type);
void places_remove(struct places *p, size_t i);
/* Notes in `place` that a part of it had another name; false: no memory. What finds no room is not
 * noted. */
bool place_add_before(struct place *place, const char *root, const char *path);
int places_add_missing(struct places *p, const char *path, const char *type, const char *why);
void places_clear_missing(struct places *p);

/* The fixed names, by enum hg_home; NULL for HG_HOME_NONE and above. */
const char *home_path(uint32_t home);
#define N_HOMES 6

#endif
