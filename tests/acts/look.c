// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints everything about a tree that an attack could change: names, types, modes, owners, link
 * counts, sizes, modification times, contents, links' targets, xattrs (ACLs among them), flags,
 * project and generation. Two calls print the same when nothing changed. Access times are left out.
 */
#include <dirent.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

#include "act.h"

static uint64_t hash(uint64_t h, const void *data, size_t len)
{
	const unsigned char *p = data;

	/* FNV-1a */
	while (len--)
		h = (h ^ *p++) * 0x100000001b3u;
	return h;
}
#define HASH_START 0xcbf29ce484222325u

static uint64_t content(int fd)
{
	uint64_t h = HASH_START;
	char buf[65536];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		h = hash(h, buf, n);
	return h;
}

static uint64_t xattrs(const char *path)
{
	char names[4096], value[4096];
	ssize_t n = llistxattr(path, names, sizeof(names)), len;
	uint64_t h = HASH_START;

	for (ssize_t at = 0; at < n; at += strlen(names + at) + 1) {
		h = hash(h, names + at, strlen(names + at) + 1);
		len = lgetxattr(path, names + at, value, sizeof(value));
		if (len > 0)
			h = hash(h, value, len);
	}
	return h;
}

static void look_open(int fd, const struct stat *st)
{
	long flags = 0, generation = 0;
	struct fsxattr x = {};

	ioctl(fd, FS_IOC_GETFLAGS, &flags);
	ioctl(fd, FS_IOC_GETVERSION, &generation);
	ioctl(fd, FS_IOC_FSGETXATTR, &x);
	printf(" flags %x generation %x project %u", (unsigned)flags, (unsigned)generation,
	       x.fsx_projid);
	if (S_ISREG(st->st_mode))
		printf(" content %016llx", (unsigned long long)content(fd));
}

static void look(const char *path);

/* One line for each name, whatever is in it. */
static void path_print(const char *path)
{
	for (; *path; path++) {
		if (*path > ' ' && *path <= '~')
			putchar(*path);
		else
			printf("\\%03o", (unsigned char)*path);
	}
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void look_below(const char *path)
{
	struct dirent **names;
	int n = scandir(path, &names, NULL, by_name);

	for (int i = 0; i < n; i++) {
		char *sub;

		if (!strcmp(names[i]->d_name, ".") || !strcmp(names[i]->d_name, ".."))
			continue;
		if (asprintf(&sub, "%s/%s", path, names[i]->d_name) < 0)
			fail("memory");
		look(sub);
		free(sub);
	}
}

static void look(const char *path)
{
	char target[4096] = "";
	struct stat st;
	int fd;

	path_print(path);
	if (lstat(path, &st)) {
		printf(": %s\n", strerror(errno));
		return;
	}
	printf(": mode %o owner %u:%u links %lu size %lld dev %lx ino %lu mtime %lld.%09ld "
	       "xattrs %016llx",
	       st.st_mode, st.st_uid, st.st_gid, (unsigned long)st.st_nlink,
	       (long long)st.st_size, (long)st.st_rdev, (long)st.st_ino,
	       (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
	       (unsigned long long)xattrs(path));
	if (S_ISLNK(st.st_mode) && readlink(path, target, sizeof(target) - 1) > 0)
		printf(" -> %s", target);
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
		fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME);
		if (fd >= 0) {
			look_open(fd, &st);
			close(fd);
		}
	}
	printf("\n");
	if (S_ISDIR(st.st_mode))
		look_below(path);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		look(argv[i]);
	return 0;
}
