/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Questions about the running kernel. None prints anything. */
#ifndef HG_KERNEL_H
#define HG_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

struct btf;

/* The active security modules, comma-separated, to be freed; -errno where they cannot be learnt. */
int kernel_lsms(char **ret);

/* Can a task be preempted inside the kernel at any point? */
enum preemption { PREEMPT_NO, PREEMPT_YES, PREEMPT_UNKNOWN };
/* ret_how: what said so; static text. */
enum preemption kernel_preemption(const char **ret_how);

/* Address of a kernel symbol from /proc/kallsyms. -ENOENT; -EACCES: addresses are hidden. */
int kernel_symbol(const char *name, uint64_t *ret);

/* Are we in the first pid namespace (process numbers mean what the kernel side sees)? */
bool kernel_pid_namespace_is_first(void);

/* Number of arguments of a kernel function; *ret_void: it returns nothing. -ENOENT. */
int kernel_function(const struct btf *btf, const char *name, bool *ret_void);

/* A value of this kernel's build configuration ("y", "m", a text), to be freed; -ENOENT: not set;
 * other -errno: no configuration is found. */
int kernel_config(const char *name, char **ret);

/* Opens a file of a file system that may not be mounted (securityfs, debugfs, tracefs). */
int kernel_fs_open(const char *fstype, const char *mounted_at, const char *path);

#endif
