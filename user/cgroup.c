/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Control groups, version 2. */
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#include "cgroup.h"
#include "mountinfo.h"
#include "util.h"

#define FILEID_KERNFS 0xfe /* include/linux/exportfs.h: the handle is the 64-bit id */

struct kernfs_handle {
	struct file_handle head;
	uint64_t id;
};

int cgroup_mount(char **ret)
{
	_mount_table_ struct mount_table t = {};
	_free_ char *text = NULL;
	size_t i;
	int err;

	err = read_file(AT_FDCWD, "/proc/self/mountinfo", 64 << 20, &text, NULL);
	if (!err)
		err = mount_table_parse(text, &t);
	if (err)
		return err;
	for (i = 0; i < t.n; i++) {
		if (strcmp(t.lines[i].type, "cgroup2") || strcmp(t.lines[i].root, "/"))
			continue;
		*ret = take(t.lines[i].path);
		return 0;
	}
	return -ENOENT;
}

int cgroup_open(const char *path)
{
	_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0 || fstatfs(fd, &fs))
		return -errno;
	return fs.f_type == CGROUP2_SUPER_MAGIC ? take_fd(&fd) : -EINVAL;
}

int cgroup_id(int fd, uint64_t *ret)
{
	struct kernfs_handle h = {.head.handle_bytes = sizeof(h.id)};
	int mount_id;

	if (name_to_handle_at(fd, "", &h.head, &mount_id, AT_EMPTY_PATH))
		return -errno;
	if (h.head.handle_bytes != sizeof(h.id))
		return -EOPNOTSUPP;
	*ret = h.id;
	return 0;
}

int cgroup_path_of(int mount_fd, uint64_t id, char **ret)
{
	struct kernfs_handle h = {
		.head = {.handle_bytes = sizeof(h.id), .handle_type = FILEID_KERNFS},
		.id = id,
	};
	_close_ int fd = open_by_handle_at(mount_fd, &h.head, O_PATH | O_CLOEXEC);
	char link[64], path[PATH_MAX];
	ssize_t len;

	if (fd < 0)
		return -errno;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (len < 0)
		return -errno;
	path[len] = 0;
	*ret = strdup(path);
	return *ret ? 0 : -ENOMEM;
}

int cgroup_of_pid(const char *mount, pid_t pid, char **ret)
{
	_free_ char *text = NULL;
	char proc[64], *line;
	int err;

	snprintf(proc, sizeof(proc), "/proc/%d/cgroup", pid);
	err = read_file(AT_FDCWD, proc, 65536, &text, NULL);
	if (err)
		return err == -ENOENT ? -ESRCH : err;
	/* Hierarchy 0, no controllers: version 2 (cgroups(7)). */
	line = !strncmp(text, "0::", 3) ? text : strstr(text, "\n0::");
	if (!line)
		return -ENOENT;
	line += *line == '\n' ? 4 : 3;
	line[strcspn(line, "\n")] = 0;
	if (asprintf(ret, "%s%s", mount, strcmp(line, "/") ? line : "") < 0)
		return -ENOMEM;
	return 0;
}

/* Opens entry's directory below d; -1 where it is no directory (any more). */
static int subdir_open(DIR *d, const struct dirent *entry)
{
	if (entry->d_type != DT_DIR || *entry->d_name == '.')
		return -1;
	return openat(dirfd(d), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

static DIR *dir_of(int fd)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = again < 0 ? NULL : fdopendir(again);

	if (!d && again >= 0)
		close(again);
	return d;
}

int cgroup_walk(int fd, int (*each)(uint64_t id, int fd, void *ctx), void *ctx)
{
	_closedir_ DIR *d = dir_of(fd);
	struct dirent *entry;
	uint64_t id;
	int err;

	if (!d)
		return errno == ENOENT || errno == ENODEV ? 0 : -errno;
	while ((entry = readdir(d))) {
		_close_ int sub = subdir_open(d, entry);

		if (sub < 0 || cgroup_id(sub, &id))
			continue;
		err = each(id, sub, ctx);
		if (!err)
			err = cgroup_walk(sub, each, ctx);
		if (err)
			return err;
	}
	return 0;
}

struct unit_search {
	const char *unit;
	char *found;
};

/* User managers have units of the same names; `--unit` means the system's. */
static int unit_search_below(struct unit_search *s, const char *path)
{
	_closedir_ DIR *d = opendir(path);
	struct dirent *entry;
	int err = 0;

	while (d && !err && (entry = readdir(d))) {
		_free_ char *sub = NULL;

		if (entry->d_type != DT_DIR || *entry->d_name == '.' ||
		    !strncmp(entry->d_name, "user@", 5))
			continue;
		if (asprintf(&sub, "%s/%s", path, entry->d_name) < 0)
			return -ENOMEM;
		if (strcmp(entry->d_name, s->unit)) {
			err = unit_search_below(s, sub);
		} else if (s->found) {
			err = -ENOTUNIQ;
		} else {
			s->found = take(sub);
		}
	}
	return err;
}

int cgroup_of_unit(const char *mount, const char *unit, char **ret)
{
	_free_ char *name = NULL;
	struct unit_search s = {};
	int err;

	if (asprintf(&name, "%s%s", unit, strchr(unit, '.') ? "" : ".service") < 0)
		return -ENOMEM;
	s.unit = name;
	err = unit_search_below(&s, mount);
	if (!err && !s.found)
		err = -ENOENT;
	if (err) {
		free(s.found);
		return err;
	}
	*ret = s.found;
	return 0;
}

static int count_lines(int dir, size_t *n)
{
	_free_ char *text = NULL;
	char *p;
	int err;

	err = read_file(dir, "cgroup.procs", 64 << 20, &text, NULL);
	if (err)
		return err;
	for (p = text; (p = strchr(p, '\n')); p++)
		++*n;
	return 0;
}

static int count_each(uint64_t id, int fd, void *ctx)
{
	(void)id;
	/* A threaded one has no processes of its own (EOPNOTSUPP). */
	count_lines(fd, ctx);
	return 0;
}

int cgroup_count(int fd, size_t *ret)
{
	int err;

	*ret = 0;
	err = count_lines(fd, ret);
	return err ? err : cgroup_walk(fd, count_each, ret);
}

bool cgroup_is_populated(int fd)
{
	_free_ char *text = NULL;

	return !read_file(fd, "cgroup.events", 4096, &text, NULL) && strstr(text, "populated 1");
}

static int write_text(int dir, const char *name, const char *text)
{
	_close_ int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

int cgroup_kill(int fd, unsigned int timeout_ms)
{
	struct timespec nap = {.tv_nsec = 5 * 1000000};
	unsigned int waited;
	int err = 0;

	for (waited = 0; cgroup_is_populated(fd); waited += 5) {
		if (waited >= timeout_ms)
			return -ETIMEDOUT;
		/* Again and again: one write reaches what is there at that moment. */
		if (waited % 100 == 0)
			err = write_text(fd, "cgroup.kill", "1");
		if (err)
			return err;
		nanosleep(&nap, NULL);
	}
	return 0;
}

int cgroup_remove(const char *path)
{
	_closedir_ DIR *d = opendir(path);
	struct dirent *entry;
	int err;

	while (d && (entry = readdir(d))) {
		_free_ char *sub = NULL;

		if (entry->d_type != DT_DIR || *entry->d_name == '.')
			continue;
		if (asprintf(&sub, "%s/%s", path, entry->d_name) < 0)
			return -ENOMEM;
		err = cgroup_remove(sub);
		if (err)
			return err;
	}
	return rmdir(path) && errno != ENOENT ? -errno : 0;
}

int cgroup_join(int fd)
{
	return write_text(fd, "cgroup.procs", "0");
}
