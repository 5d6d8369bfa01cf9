/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the kernel side calls, or will call, what is mounted: for whoever reads a policy. */
#ifndef HG_NAMING_H
#define HG_NAMING_H

#include "mountinfo.h"
#include "places.h"
#include "../policy/mount_names.h"

/* The mounts of the first process's namespace. What has a place already is called by that, the
 * rest as mounts_sync() would do it. Without privilege places are not known. Tells why not. */
int naming_read(struct mount_names *ret);

/* The same from a table, without I/O. */
int naming_from(const struct mount_table *t, const struct places *p, struct mount_names *ret);

#endif
