// SPDX-License-Identifier: GPL-2.0-only
/* Ways to give a file another name, take one away, or make one. */
#include <linux/fs.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "act.h"

static int renameat2_at(const char *from, const char *to, unsigned int flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void plain(char **arg)
{
	must(rename(arg[0], arg[1]), "rename");
}

static void exchange(char **arg)
{
	must(renameat2_at(arg[0], arg[1], RENAME_EXCHANGE), "renameat2");
}

static void whiteout(char **arg)
{
	must(renameat2_at(arg[0], arg[1], RENAME_WHITEOUT), "renameat2");
}

static void noreplace(char **arg)
{
	must(renameat2_at(arg[0], arg[1], RENAME_NOREPLACE), "renameat2");
}

/* Through descriptors that name only the directories. */
static void at_fds(char **arg)
{
	int from = must(open(arg[0], O_PATH | O_DIRECTORY), arg[0]);
	int to = must(open(arg[2], O_PATH | O_DIRECTORY), arg[2]);

	must(renameat(from, arg[1], to, arg[3]), "renameat");
}

static void hard(char **arg)
{
	must(link(arg[0], arg[1]), "link");
}

/* CAP_DAC_READ_SEARCH, or since 6.10 the credentials that opened the descriptor. */
static void hard_empty(char **arg)
{
	int fd = must(open(arg[0], O_PATH), arg[0]);

	if (linkat(fd, "", AT_FDCWD, arg[1], AT_EMPTY_PATH)) {
		if (errno == ENOENT)
			skip("linkat of a descriptor");
		fail("linkat");
	}
}

static void hard_proc(char **arg)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", must(open(arg[0], O_PATH), arg[0]));
	must(linkat(AT_FDCWD, path, AT_FDCWD, arg[1], AT_SYMLINK_FOLLOW), "linkat");
}

/* Makes a file without a name in one directory and names it in another. */
static void tmpfile_link(char **arg)
{
	int fd = must(open(arg[0], O_TMPFILE | O_RDWR, 0600), "O_TMPFILE");
	char path[64];

	must(write(fd, "planted", 7), "write");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	must(linkat(AT_FDCWD, path, AT_FDCWD, arg[1], AT_SYMLINK_FOLLOW), "linkat");
}

static void node(char **arg)
{
	must(mknod(arg[0], S_IFCHR, makedev(0, 0)), "mknod");
}

static void fifo(char **arg)
{
	must(mkfifo(arg[0], 0600), "mkfifo");
}

static void regular(char **arg)
{
	must(mknod(arg[0], S_IFREG | 0600, 0), "mknod");
}

static void socket_at(char **arg)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = must(socket(AF_UNIX, SOCK_STREAM, 0), "socket");

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", arg[0]);
	must(bind(fd, (struct sockaddr *)&a, sizeof(a)), "bind");
}

/* A device node: major, minor; then reads arg[3] bytes of it. */
static void device(char **arg)
{
	must(mknod(arg[0], S_IFBLK | 0666, makedev(atoi(arg[1]), atoi(arg[2]))), "mknod");
	show(must(open(arg[0], O_RDONLY), arg[0]));
}

static const struct verb verbs[] = {
	{ "rename", 2, plain },		{ "exchange", 2, exchange },
	{ "whiteout", 2, whiteout },	{ "noreplace", 2, noreplace },
	{ "rename-at", 4, at_fds },	{ "link", 2, hard },
	{ "link-empty", 2, hard_empty },
	{ "link-proc", 2, hard_proc },	{ "tmpfile", 2, tmpfile_link },
	{ "node", 1, node },		{ "fifo", 1, fifo },
	{ "regular", 1, regular },	{ "socket", 1, socket_at },
	{ "device", 3, device },
};
VERBS_MAIN(verbs)
