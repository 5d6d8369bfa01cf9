/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* /proc/self/mountinfo (proc(5)) as a table. No I/O here. */
#ifndef HG_MOUNTINFO_H
#define HG_MOUNTINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mount_line {
	uint64_t id, parent;
	uint32_t major, minor; /* of the superblock */
	char *root;	       /* path within the superblock */
	char *path;	       /* mount point */
	char *type;	       /* file system type, with its subtype after a dot */
};

struct mount_table {
	struct mount_line *lines; /* in the kernel's order */
	size_t n;
};

/* -EBADMSG where a line is not as proc(5) says; -ENOMEM. */
int mount_table_parse(const char *text, struct mount_table *ret);
void mount_table_clear(struct mount_table *t);
#define _mount_table_ __attribute__((cleanup(mount_table_clear)))

/*
 * The mounts in the order in which they are candidates for naming their superblock: those of one
 * superblock together, the widest root first, the oldest mount before younger ones. To be freed;
 * points into t.
 */
const struct mount_line **mount_table_candidates(const struct mount_table *t);

/* Can its superblock be named by a mount at all? Not those that are only objects of the kernel
 * (nsfs), have a name of their own whatever the mount (proc, sysfs, ...), or whose root is gone. */
bool mount_is_nameable(const struct mount_line *m);

/* May asking it, or walking over it, wait for another machine or process? */
bool mount_may_block(const struct mount_table *t, const struct mount_line *m);

#endif
