/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the kernel side calls what is mounted. A superblock, or a part of it, has one name, whatever
 * number of mounts it has; below every other mount of it a path and the name differ.
 */
#ifndef HG_MOUNT_NAMES_H
#define HG_MOUNT_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mount_name {
	char *path; /* a mount point that can be reached */
	char *name; /* of what is mounted there; NULL: none, agents are denied it */
	/* It takes other spellings of a name (another case, a short name) for that name, so that the
	 * kernel side does not tell names below it apart. */
	bool respelled;
};

struct mount_names {
	struct mount_name *items; /* ordered by path; one for each path */
	size_t n;
};

/* Takes name, which may be NULL. Replaces what was there for the path. 0, -ENOMEM. */
int mount_names_add(struct mount_names *m, const char *path, char *name, bool respelled);
int mount_names_copy(const struct mount_names *m, struct mount_names *ret);
void mount_names_done(struct mount_names *m);
#define _mount_names_ __attribute__((cleanup(mount_names_done)))

/* Is `path` the folder `at`, or below it? What follows in *ret_rest ("" or "/..."). */
bool path_is_in(const char *path, const char *at, const char **ret_rest);

/* The mount that a path without links lies on; NULL: none is known. */
const struct mount_name *mount_names_find(const struct mount_names *m, const char *path);

/* Does it have another name than its path? */
bool mount_name_differs(const struct mount_name *mount);

/* Of all that a policy read with it depends on: mounts with another name than their path, and what
 * lies in those. */
uint64_t mount_names_digest(const struct mount_names *m);

/* What the kernel side calls an absolute path without links, to be freed; NULL in *ret: it has no
 * name. *ret_mount: the mount that gives it another, NULL otherwise. */
int mount_names_real(const struct mount_names *m, const char *path, char **ret,
		     const struct mount_name **ret_mount);

#endif
