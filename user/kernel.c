/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Questions about the running kernel. */
#include <bpf/btf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <zlib.h>

#include "kernel.h"
#include "util.h"

/* linux/proc_ns.h (PROC_PID_INIT_INO): the first pid namespace has this inode. */
#define FIRST_PID_NS 0xEFFFFFFCul

/* A mount that is nobody's but ours and goes with the descriptor (fsopen(2), since 5.2). */
static int fs_mount_private(const char *fstype)
{
	_close_ int fs = syscall(SYS_fsopen, fstype, FSOPEN_CLOEXEC);
	int fd;

	if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -errno;
	fd = syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
	return fd < 0 ? -errno : fd;
}

int kernel_fs_open(const char *fstype, const char *mounted_at, const char *path)
{
	_close_ int dir = -1;
	char full[PATH_MAX];
	int fd;

	snprintf(full, sizeof(full), "%s/%s", mounted_at, path);
	fd = open_read(AT_FDCWD, full);
	if (fd != -ENOENT)
		return fd;
	dir = fs_mount_private(fstype);
	return dir < 0 ? dir : open_read(dir, path);
}

static int read_fs_file(const char *fstype, const char *mounted_at, const char *path, char **ret)
{
	_close_ int fd = kernel_fs_open(fstype, mounted_at, path);
	char proc[64];

	if (fd < 0)
		return fd;
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	return read_file(AT_FDCWD, proc, 65536, ret, NULL);
}

int kernel_lsms(char **ret)
{
	int err = read_fs_file("securityfs", "/sys/kernel/security", "lsm", ret);

	if (!err)
		(*ret)[strcspn(*ret, "\n")] = 0;
	return err;
}

/* "none voluntary (full)" */
static enum preemption preemption_read(const char *text)
{
	const char *open = strchr(text, '(');

	if (!open)
		return PREEMPT_UNKNOWN;
	if (!strncmp(open, "(none)", 6) || !strncmp(open, "(voluntary)", 11))
		return PREEMPT_NO;
	return PREEMPT_YES;
}

static enum preemption preemption_of_boot_line(void)
{
	_free_ char *line = NULL;
	enum preemption said = PREEMPT_UNKNOWN;
	char *word, *rest;

	if (read_file(AT_FDCWD, "/proc/cmdline", 65536, &line, NULL))
		return PREEMPT_UNKNOWN;
	for (word = strtok_r(line, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest)) {
		if (strncmp(word, "preempt=", 8))
			continue;
		word += 8;
		said = !strcmp(word, "none") || !strcmp(word, "voluntary") ? PREEMPT_NO
									   : PREEMPT_YES;
	}
	return said;
}

enum preemption kernel_preemption(const char **ret_how)
{
	_free_ char *text = NULL;
	enum preemption said;
	struct utsname name;

	if (!read_fs_file("debugfs", "/sys/kernel/debug", "sched/preempt", &text)) {
		*ret_how = "/sys/kernel/debug/sched/preempt";
		return preemption_read(text);
	}
	*ret_how = "uname -v";
	if (uname(&name))
		return PREEMPT_UNKNOWN;
	if (strstr(name.version, "PREEMPT_DYNAMIC")) {
		*ret_how = "the kernel's command line";
		said = preemption_of_boot_line();
		return said;
	}
	return strstr(name.version, "PREEMPT") ? PREEMPT_YES : PREEMPT_NO;
}

int kernel_symbol(const char *name, uint64_t *ret)
{
	_fclose_ FILE *f = fopen("/proc/kallsyms", "re");
	_free_ char *line = NULL;
	char symbol[256];
	size_t room = 0;
	uint64_t address;

	if (!f)
		return -errno;
	while (getline(&line, &room, f) > 0) {
		if (sscanf(line, "%" SCNx64 " %*c %255s", &address, symbol) != 2 ||
		    strcmp(symbol, name))
			continue;
		if (!address)
			return -EACCES;
		*ret = address;
		return 0;
	}
	return -ENOENT;
}

bool kernel_pid_namespace_is_first(void)
{
	struct stat st;

	return !stat("/proc/self/ns/pid", &st) && st.st_ino == FIRST_PID_NS;
}

int kernel_function(const struct btf *btf, const char *name, bool *ret_void)
{
	const struct btf_type *t;
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);

	if (id < 0)
		return -ENOENT;
	t = btf__type_by_id(btf, id);
	t = btf__type_by_id(btf, t->type);
	if (!t || !btf_is_func_proto(t))
		return -ENOENT;
	if (ret_void)
		*ret_void = t->type == 0;
	return btf_vlen(t);
}

static gzFile config_open(void)
{
	struct utsname name;
	char path[256];
	gzFile f;

	f = gzopen("/proc/config.gz", "re");
	if (f || uname(&name))
		return f;
	snprintf(path, sizeof(path), "/boot/config-%s", name.release);
	f = gzopen(path, "re");
	if (f)
		return f;
	snprintf(path, sizeof(path), "/lib/modules/%s/config", name.release);
	return gzopen(path, "re");
}

int kernel_config(const char *name, char **ret)
{
	gzFile f = config_open();
	size_t len = strlen(name);
	char line[8192];
	int err = -ENOENT;

	if (!f)
		return -ENODATA;
	while (err == -ENOENT && gzgets(f, line, sizeof(line))) {
		if (strncmp(line, name, len) || line[len] != '=')
			continue;
		line[strcspn(line, "\n")] = 0;
		*ret = strdup(line + len + 1);
		err = *ret ? 0 : -ENOMEM;
	}
	gzclose(f);
	return err;
}
