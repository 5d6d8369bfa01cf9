// SPDX-License-Identifier: GPL-2.0-only
/* Ways to change a file without opening it for writing. */
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <utime.h>

#include "act.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

static const struct timespec long_ago[2] = { { 1000, 1 }, { 1000, 1 } };

static int reader(const char *path)
{
	return must(open(path, O_RDONLY | O_NONBLOCK), path);
}

static const char *proc_fd(int fd)
{
	static char buf[64];

	snprintf(buf, sizeof(buf), "/proc/self/fd/%d", fd);
	return buf;
}

static const char *path_fd(const char *path)
{
	return proc_fd(must(open(path, O_PATH), path));
}

static void cut(char **arg)
{
	must(truncate(arg[0], 3), "truncate");
}

static void trunc_grow(char **arg)
{
	must(truncate(arg[0], 100000), "truncate");
}

static void trunc_fd(char **arg)
{
	must(truncate(proc_fd(reader(arg[0])), 3), "truncate");
}

static void open_trunc(char **arg)
{
	must(open(arg[0], O_RDONLY | O_TRUNC), "open");
}

static void open_trunc_3(char **arg)
{
	must(open(arg[0], O_ACCMODE | O_TRUNC), "open");
}

static void creat_trunc(char **arg)
{
	must(open(arg[0], O_RDONLY | O_CREAT | O_TRUNC, 0600), "open");
}

static void reopen_write(char **arg)
{
	int fd = must(open(proc_fd(reader(arg[0])), O_WRONLY), "open");

	must(write(fd, "changed", 7), "write");
}

static void mode(char **arg)
{
	must(chmod(arg[0], 0600), "chmod");
}

static void mode_fd(char **arg)
{
	must(fchmod(reader(arg[0]), 0600), "fchmod");
}

static void mode_path_fd(char **arg)
{
	must(chmod(path_fd(arg[0]), 0600), "chmod");
}

static void mode_at2(char **arg)
{
	if (syscall(SYS_fchmodat2, open(arg[0], O_PATH), "", 0600, AT_EMPTY_PATH)) {
		if (errno == ENOSYS)
			skip("fchmodat2");
		fail("fchmodat2");
	}
}

static void owner(char **arg)
{
	must(chown(arg[0], 12345, 12345), "chown");
}

static void owner_fd(char **arg)
{
	must(fchown(reader(arg[0]), 12345, 12345), "fchown");
}

static void owner_link(char **arg)
{
	must(lchown(arg[0], 12345, 12345), "lchown");
}

/* Nobody's, and no change of it: only what goes with one, as the set-user-ID bit. */
static void owner_same(char **arg)
{
	must(chown(arg[0], (uid_t)-1, (gid_t)-1), "chown");
}

static void owner_empty(char **arg)
{
	must(fchownat(must(open(arg[0], O_PATH), "open"), "", 12345, 12345, AT_EMPTY_PATH),
	     "fchownat");
}

static void times(char **arg)
{
	must(utimensat(AT_FDCWD, arg[0], long_ago, 0), "utimensat");
}

static void times_fd(char **arg)
{
	must(futimens(reader(arg[0]), long_ago), "futimens");
}

static void times_now(char **arg)
{
	must(utimensat(AT_FDCWD, arg[0], NULL, 0), "utimensat");
}

static void times_half(char **arg)
{
	const struct timespec t[2] = { { 0, UTIME_OMIT }, { 1000, 1 } };

	must(utimensat(AT_FDCWD, arg[0], t, AT_SYMLINK_NOFOLLOW), "utimensat");
}

static void times_old(char **arg)
{
	const struct utimbuf t = { 1000, 1000 };

	must(utime(arg[0], &t), "utime");
}

static void xattr(char **arg)
{
	must(setxattr(arg[0], "user.planted", "x", 1, 0), "setxattr");
}

static void xattr_fd(char **arg)
{
	must(fsetxattr(reader(arg[0]), "user.planted", "x", 1, 0), "fsetxattr");
}

static void xattr_path_fd(char **arg)
{
	must(setxattr(path_fd(arg[0]), "user.planted", "x", 1, 0), "setxattr");
}

static void xattr_remove(char **arg)
{
	must(lremovexattr(arg[0], "user.mark"), "lremovexattr");
}

static void xattr_remove_fd(char **arg)
{
	must(fremovexattr(reader(arg[0]), "user.mark"), "fremovexattr");
}

/* A default ACL of the kernel's own format (include/uapi/linux/posix_acl_xattr.h): ugo rwx and one
 * named user with a mask. */
static const struct {
	uint32_t version;
	struct {
		uint16_t tag, perm;
		uint32_t id;
	} entry[5];
} acl_value = {
	2,
	{ { 1, 7, -1 }, { 2, 7, 12345 }, { 4, 7, -1 }, { 16, 7, -1 }, { 32, 7, -1 } },
};

static void acl(char **arg)
{
	must(setxattr(arg[0], "system.posix_acl_access", &acl_value, sizeof(acl_value), 0),
	     "setxattr");
}

static void acl_fd(char **arg)
{
	must(fsetxattr(reader(arg[0]), "system.posix_acl_access", &acl_value, sizeof(acl_value),
		       0), "fsetxattr");
}

static void acl_remove(char **arg)
{
	must(removexattr(arg[0], "system.posix_acl_access"), "removexattr");
}

static void flags(char **arg)
{
	int fd = reader(arg[0]);
	long now = 0;

	must(ioctl(fd, FS_IOC_GETFLAGS, &now), "FS_IOC_GETFLAGS");
	now ^= FS_NODUMP_FL;
	must(ioctl(fd, FS_IOC_SETFLAGS, &now), "FS_IOC_SETFLAGS");
}

static void fsx(char **arg)
{
	int fd = reader(arg[0]);
	struct fsxattr x = {};

	must(ioctl(fd, FS_IOC_FSGETXATTR, &x), "FS_IOC_FSGETXATTR");
	x.fsx_xflags ^= FS_XFLAG_NODUMP;
	must(ioctl(fd, FS_IOC_FSSETXATTR, &x), "FS_IOC_FSSETXATTR");
}

static void verity(char **arg)
{
	struct fsverity_enable_arg v = { .version = 1, .hash_algorithm = 1, .block_size = 4096 };

	must(ioctl(reader(arg[0]), FS_IOC_ENABLE_VERITY, &v), "FS_IOC_ENABLE_VERITY");
}

static const struct verb verbs[] = {
	{ "truncate", 1, cut },	{ "truncate-grow", 1, trunc_grow },
	{ "truncate-fd", 1, trunc_fd },
	{ "open-trunc", 1, open_trunc },
	{ "open-trunc-3", 1, open_trunc_3 },
	{ "creat-trunc", 1, creat_trunc },
	{ "reopen-write", 1, reopen_write },
	{ "mode", 1, mode },		{ "mode-fd", 1, mode_fd },
	{ "mode-path-fd", 1, mode_path_fd },
	{ "mode-at2", 1, mode_at2 },
	{ "owner", 1, owner },		{ "owner-fd", 1, owner_fd },
	{ "owner-link", 1, owner_link },
	{ "owner-empty", 1, owner_empty }, { "owner-same", 1, owner_same },
	{ "times", 1, times },		{ "times-fd", 1, times_fd },
	{ "times-now", 1, times_now },	{ "times-half", 1, times_half },
	{ "times-old", 1, times_old },
	{ "xattr", 1, xattr },		{ "xattr-fd", 1, xattr_fd },
	{ "xattr-path-fd", 1, xattr_path_fd },
	{ "xattr-remove", 1, xattr_remove },
	{ "xattr-remove-fd", 1, xattr_remove_fd },
	{ "acl", 1, acl },		{ "acl-fd", 1, acl_fd },
	{ "acl-remove", 1, acl_remove },
	{ "flags", 1, flags },		{ "fsx", 1, fsx },
	{ "verity", 1, verity },
};
VERBS_MAIN(verbs)
