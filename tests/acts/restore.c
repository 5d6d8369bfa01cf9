// SPDX-License-Identifier: GPL-2.0-only
/* restore TEMPLATE TREE: makes TREE a copy of TEMPLATE again, in one process and quickly. */
#include <dirent.h>
#include <ftw.h>
#include <sys/sendfile.h>
#include <sys/xattr.h>

#include "act.h"

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	return remove(path);
}

static void copy_xattrs(const char *from, const char *to)
{
	char names[1024], value[4096];
	ssize_t n = llistxattr(from, names, sizeof(names)), len;

	for (ssize_t at = 0; at < n; at += strlen(names + at) + 1) {
		len = must(lgetxattr(from, names + at, value, sizeof(value)), from);
		must(lsetxattr(to, names + at, value, len, 0), to);
	}
}

static void copy_file(const char *from, const char *to, const struct stat *st)
{
	int in = must(open(from, O_RDONLY), from);
	int out = must(open(to, O_WRONLY | O_CREAT | O_EXCL, 0600), to);

	while (sendfile(out, in, NULL, st->st_size) > 0)
		;
	close(in);
	close(out);
}

static void copy(const char *from, const char *to);

static void copy_below(const char *from, const char *to)
{
	DIR *d = opendir(from);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char *a, *b;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (asprintf(&a, "%s/%s", from, e->d_name) < 0 ||
		    asprintf(&b, "%s/%s", to, e->d_name) < 0)
			fail("memory");
		copy(a, b);
		free(a);
		free(b);
	}
	if (d)
		closedir(d);
}

static void copy(const char *from, const char *to)
{
	struct timespec times[2];
	char target[4096] = "";
	struct stat st;

	must(lstat(from, &st), from);
	if (S_ISDIR(st.st_mode)) {
		must(mkdir(to, 0700), to);
		copy_below(from, to);
	} else if (S_ISLNK(st.st_mode)) {
		must(readlink(from, target, sizeof(target) - 1), from);
		must(symlink(target, to), to);
	} else {
		copy_file(from, to, &st);
	}
	must(lchown(to, st.st_uid, st.st_gid), to);
	if (!S_ISLNK(st.st_mode)) {
		must(chmod(to, st.st_mode & 07777), to);
		copy_xattrs(from, to);
	}
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	must(utimensat(AT_FDCWD, to, times, AT_SYMLINK_NOFOLLOW), to);
}

int main(int argc, char **argv)
{
	struct stat st;

	if (argc != 3)
		fail("usage: restore TEMPLATE TREE");
	if (!lstat(argv[2], &st))
		must(nftw(argv[2], remove_one, 64, FTW_DEPTH | FTW_PHYS), argv[2]);
	copy(argv[1], argv[2]);
	return 0;
}
