// SPDX-License-Identifier: GPL-2.0-only
/* Ways to read a file other than open(path, O_RDONLY); each prints what it got. */
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/xattr.h>
#include <sys/ioctl.h>
#include <linux/fs.h>

#include "act.h"

static int open_path(const char *path)
{
	return must(open(path, O_PATH | O_NOFOLLOW), path);
}

static void show_path(const char *path, int flags)
{
	show(must(open(path, flags), path));
}

static const char *proc_fd(int fd)
{
	static char buf[64];

	snprintf(buf, sizeof(buf), "/proc/self/fd/%d", fd);
	return buf;
}

static void plain(char **arg)
{
	show_path(arg[0], O_RDONLY);
}

static void rdwr(char **arg)
{
	show_path(arg[0], O_RDWR);
}

static void creat_rdwr(char **arg)
{
	show(must(open(arg[0], O_RDWR | O_CREAT, 0600), arg[0]));
}

static void direct(char **arg)
{
	int fd = must(open(arg[0], O_RDONLY | O_DIRECT | O_NOATIME), arg[0]);
	char *buf = NULL;
	ssize_t n;

	if (posix_memalign((void **)&buf, 4096, 4096))
		fail("memory");
	n = must(read(fd, buf, 4096), "read");
	fwrite(buf, 1, n, stdout);
}

static void reopen(char **arg)
{
	show_path(proc_fd(open_path(arg[0])), O_RDONLY);
}

static void beneath(char **arg)
{
	int dir = open_path(arg[0]);
	struct open_how how = { .flags = O_RDONLY, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };

	show(must(syscall(SYS_openat2, dir, arg[1], &how, sizeof(how)), "openat2"));
}

static void in_root(char **arg)
{
	int dir = open_path(arg[0]);
	struct open_how how = { .flags = O_RDONLY, .resolve = RESOLVE_IN_ROOT };
	char path[4096];

	snprintf(path, sizeof(path), "/../../%s", arg[1]);
	show(must(syscall(SYS_openat2, dir, path, &how, sizeof(how)), "openat2"));
}

static void cached(char **arg)
{
	struct open_how how = { .flags = O_RDONLY, .resolve = RESOLVE_CACHED };
	struct stat st;

	must(stat(arg[0], &st), "stat");
	show(must(syscall(SYS_openat2, AT_FDCWD, arg[0], &how, sizeof(how)), "openat2"));
}

static void from_dir(char **arg)
{
	must(fchdir(open_path(arg[0])), "fchdir");
	show_path(arg[1], O_RDONLY);
}

static void mapped(char **arg)
{
	int fd = must(open(arg[0], O_RDONLY), arg[0]);
	char *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		fail("mmap");
	fwrite(p, 1, strnlen(p, 4096), stdout);
}

static void by_copy(char **arg)
{
	int in = must(open(arg[0], O_RDONLY), arg[0]);
	int out = must(open(arg[1], O_RDWR | O_CREAT | O_TRUNC, 0600), arg[1]);

	must(syscall(SYS_copy_file_range, in, NULL, out, NULL, 65536, 0), "copy_file_range");
	lseek(out, 0, SEEK_SET);
	show(out);
}

static void by_sendfile(char **arg)
{
	int in = must(open(arg[0], O_RDONLY), arg[0]), ends[2];

	must(pipe(ends), "pipe");
	must(sendfile(ends[1], in, NULL, 4096), "sendfile");
	close(ends[1]);
	show(ends[0]);
}

static void by_splice(char **arg)
{
	int in = must(open(arg[0], O_RDONLY), arg[0]), ends[2];

	must(pipe(ends), "pipe");
	must(splice(in, NULL, ends[1], NULL, 4096, 0), "splice");
	close(ends[1]);
	show(ends[0]);
}

/* A reflink needs the source open, but so does every other way to name it in an ioctl. */
static void reflink(char **arg)
{
	int in = must(open(arg[0], O_RDONLY), arg[0]);
	int out = must(open(arg[1], O_RDWR | O_CREAT | O_TRUNC, 0600), arg[1]);

	if (ioctl(out, FICLONE, in) < 0) {
		if (errno == EOPNOTSUPP)
			skip("no reflinks on this file system");
		fail("FICLONE");
	}
	lseek(out, 0, SEEK_SET);
	show(out);
}

static void handle(char **arg)
{
	struct {
		struct file_handle head;
		unsigned char bytes[128];
	} h = { .head.handle_bytes = 128 };
	int mount_id, mount = must(open(arg[1], O_RDONLY | O_DIRECTORY), arg[1]);

	must(name_to_handle_at(AT_FDCWD, arg[0], &h.head, &mount_id, 0), "name_to_handle_at");
	show(must(open_by_handle_at(mount, &h.head, O_RDONLY), "open_by_handle_at"));
}

static void xattr(char **arg)
{
	char value[256];
	ssize_t n = must(getxattr(arg[0], arg[1], value, sizeof(value)), "getxattr");

	fwrite(value, 1, n, stdout);
}

static void xattr_path_fd(char **arg)
{
	char value[256];
	ssize_t n = getxattr(proc_fd(open_path(arg[0])), arg[1], value, sizeof(value));

	fwrite(value, 1, must(n, "getxattr"), stdout);
}

/* Takes a copy into unnamed memory and runs that. */
static void memfd_run(char **arg)
{
	int in = must(open(arg[0], O_RDONLY), arg[0]), out;
	char *argv[] = { "tool", NULL }, buf[65536];
	ssize_t n;

	out = must(memfd_create("tool", MFD_CLOEXEC), "memfd_create");
	while ((n = read(in, buf, sizeof(buf))) > 0)
		must(write(out, buf, n), "write");
	fexecve(out, argv, environ);
	fail("fexecve");
}

static void exec_fd(char **arg)
{
	char *argv[] = { "tool", NULL };

	syscall(SYS_execveat, open_path(arg[0]), "", argv, environ, AT_EMPTY_PATH);
	fail("execveat");
}

static void exec_proc_fd(char **arg)
{
	char *argv[] = { "tool", NULL };

	execve(proc_fd(open_path(arg[0])), argv, environ);
	fail("execve");
}

/* As a loader of one's own would: maps the file readable, then makes it executable. */
static void map_exec(char **arg)
{
	int fd = must(open(arg[0], O_RDONLY), arg[0]);
	void *p = mmap(NULL, 65536, PROT_READ, MAP_PRIVATE, fd, 0);

	if (p == MAP_FAILED)
		fail("mmap");
	must(mprotect(p, 65536, PROT_READ | PROT_EXEC), "mprotect");
	printf("%s\n", arg[1]);
}

static void map_exec_at_once(char **arg)
{
	int fd = must(open(arg[0], O_RDONLY), arg[0]);

	if (mmap(NULL, 65536, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		fail("mmap");
	printf("%s\n", arg[1]);
}

static const struct verb verbs[] = {
	{ "plain", 1, plain },		{ "rdwr", 1, rdwr },
	{ "creat", 1, creat_rdwr },	{ "direct", 1, direct },
	{ "reopen", 1, reopen },	{ "beneath", 2, beneath },
	{ "in-root", 2, in_root },	{ "cached", 1, cached },
	{ "from-dir", 2, from_dir },	{ "mapped", 1, mapped },
	{ "copy", 2, by_copy },		{ "sendfile", 1, by_sendfile },
	{ "splice", 1, by_splice },	{ "reflink", 2, reflink },
	{ "handle", 2, handle },	{ "xattr", 2, xattr },
	{ "xattr-path-fd", 2, xattr_path_fd },
	{ "memfd-run", 1, memfd_run },	{ "exec-fd", 1, exec_fd },
	{ "exec-proc-fd", 1, exec_proc_fd },
	{ "map-exec", 2, map_exec },	{ "map-exec-at-once", 2, map_exec_at_once },
};
VERBS_MAIN(verbs)
