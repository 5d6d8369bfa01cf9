/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Files, directories and numbers. */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <time.h>

#include "util.h"

int open_read(int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : fd;
}

int read_file(int dir, const char *path, size_t max, char **ret, size_t *ret_len)
{
	_close_ int fd = open_read(dir, path);
	_free_ char *data = NULL;
	size_t len = 0, room = 4096;
	ssize_t n;

	if (fd < 0)
		return fd;
	for (;;) {
		char *more = realloc(data, room + 1);

		if (!more)
			return -ENOMEM;
		data = more;
		n = read(fd, data + len, room - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += n;
		if (len > max)
			return -EFBIG;
		if (len == room)
			room *= 2;
	}
	data[len] = 0;
	*ret = take(data);
	if (ret_len)
		*ret_len = len;
	return 0;
}

int write_all(int fd, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	while (len) {
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= n;
	}
	return 0;
}

int write_file(int dir, const char *name, const char *data, size_t len)
{
	char aside[NAME_MAX + 1];
	_close_ int fd = -1;
	int err;

	if (snprintf(aside, sizeof(aside), ".%s.new", name) >= (int)sizeof(aside))
		return -ENAMETOOLONG;
	fd = openat(dir, aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	err = write_all(fd, data, len);
	if (!err && renameat(dir, aside, dir, name))
		err = -errno;
	if (err)
		unlinkat(dir, aside, 0);
	return err;
}

int open_own_dir(const char *path, unsigned int mode)
{
	_close_ int fd = -1;
	struct stat st;

	if (mkdir(path, mode) && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		return -errno;
	/* Made by somebody else beforehand, its content is not to be believed. */
	if (st.st_uid != geteuid())
		return -EPERM;
	if ((st.st_mode & 0777) != mode && fchmod(fd, mode))
		return -errno;
	return take_fd(&fd);
}

static int remove_below(int dir)
{
	_closedir_ DIR *d = NULL;
	struct dirent *entry;
	int err;

	d = fdopendir(dir);
	if (!d) {
		err = -errno;
		close(dir);
		return err;
	}
	while ((entry = readdir(d))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (!unlinkat(dirfd(d), entry->d_name, 0) || errno == ENOENT)
			continue;
		if (errno != EISDIR && errno != EPERM)
			return -errno;
		err = remove_tree(dirfd(d), entry->d_name);
		if (err)
			return err;
	}
	return 0;
}

int remove_tree(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), err;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	err = remove_below(fd);
	if (err)
		return err;
	if (unlinkat(dir, name, AT_REMOVEDIR) && errno != ENOENT)
		return -errno;
	return 0;
}

int parse_u64(const char *s, uint64_t max, uint64_t *ret)
{
	unsigned long long n;
	char *end;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	errno = 0;
	n = strtoull(s, &end, 10);
	if (*end)
		return -EINVAL;
	if (errno || n > max)
		return -ERANGE;
	*ret = n;
	return 0;
}

uint64_t clock_ns(int clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

bool list_has(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (list) {
		if (!strncmp(list, word, len) &&
		    (list[len] == ',' || list[len] == 0 || list[len] == '\n'))
			return true;
		list = strchr(list, ',');
		if (list)
			list++;
	}
	return false;
}
