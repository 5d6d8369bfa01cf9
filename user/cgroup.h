/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Control groups, version 2. Functions that return int give -errno without a message. */
#ifndef HG_CGROUP_H
#define HG_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Where the hierarchy is mounted, to be freed; -ENOENT: nowhere. */
int cgroup_mount(char **ret);

/* A directory of the hierarchy. -EINVAL: it is something else. */
int cgroup_open(const char *path);
/* Its 64-bit id, as bpf_get_current_cgroup_id() gives it. */
int cgroup_id(int fd, uint64_t *ret);
/* Its path by id, to be freed. mount_fd: any directory of the hierarchy. */
int cgroup_path_of(int mount_fd, uint64_t id, char **ret);

/* The cgroup of a process as a path below `mount`, to be freed. */
int cgroup_of_pid(const char *mount, pid_t pid, char **ret);
/* The cgroup of a systemd unit, found by its name; -ENOTUNIQ: several have it. */
int cgroup_of_unit(const char *mount, const char *unit, char **ret);

/* Calls for each cgroup below (not for fd's own), parents first, until one returns other than 0,
 * which is then returned. Those that vanish meanwhile are passed over. */
int cgroup_walk(int fd, int (*each)(uint64_t id, int fd, void *ctx), void *ctx);

/* Processes in it and below. */
int cgroup_count(int fd, size_t *ret);
bool cgroup_is_populated(int fd);
/* Kills all that is in it and below, and waits until it is empty; -ETIMEDOUT. */
int cgroup_kill(int fd, unsigned int timeout_ms);
/* Removes it and all below; -EBUSY while anything is in it. */
int cgroup_remove(const char *path);
/* Moves the calling process into it. */
int cgroup_join(int fd);

#endif
