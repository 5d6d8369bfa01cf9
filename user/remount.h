/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Policies when mounts come and go. Rules hold for names, and what is mounted decides which names a
 * rule has (policy/expand_mount.c): when that changes, the same policy is compiled again.
 */
#ifndef HG_REMOUNT_H
#define HG_REMOUNT_H

/*
 * Brings every agent's policy to the names that hold now, in a process of its own that nobody waits
 * for. A policy whose files have been edited since is not loaded for that: an event says that its
 * rules do not reach what was mounted, and file systems whose name has changed stay denied to its
 * agent until it is reloaded.
 */
void remount_follow_apart(void);

#endif
