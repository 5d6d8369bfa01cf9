// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading a file through a mount made for it. Every verb works in a mount namespace of its own, most in
 * a user namespace of its own as well.
 */
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>

#include "act.h"

static void write_file(const char *path, const char *text)
{
	int fd = must(open(path, O_WRONLY), path);

	must(write(fd, text, strlen(text)), path);
	close(fd);
}

/* With a user namespace: there, root of the machine is nobody special either. */
static void sandbox(void)
{
	uid_t uid = geteuid();
	char map[64];

	must(unshare(CLONE_NEWUSER | CLONE_NEWNS), "unshare");
	write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", uid);
	write_file("/proc/self/uid_map", map);
	write_file("/proc/self/gid_map", map);
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
}

/* Root's, which takes CAP_SYS_ADMIN over the machine and leaves it all others. */
static void own_namespace(void)
{
	if (geteuid()) {
		sandbox();
		return;
	}
	must(unshare(CLONE_NEWNS), "unshare");
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
}

static void show_path(const char *path)
{
	show(must(open(path, O_RDONLY), path));
}

/* box, mount point */
static void bind(char **arg)
{
	char key[4096];

	sandbox();
	must(mount(arg[0], arg[1], NULL, MS_BIND, NULL), "bind");
	snprintf(key, sizeof(key), "%s/key", arg[1]);
	show_path(key);
}

static void bind_file(char **arg)
{
	char from[4096], to[4096];

	sandbox();
	snprintf(from, sizeof(from), "%s/key", arg[0]);
	snprintf(to, sizeof(to), "%s/file", arg[1]);
	close(must(open(to, O_CREAT | O_WRONLY, 0600), to));
	must(mount(from, to, NULL, MS_BIND, NULL), "bind");
	show_path(to);
}

/* A copy of a mount that hangs nowhere. */
static void detached(char **arg)
{
	int tree;

	sandbox();
	tree = must(syscall(SYS_open_tree, AT_FDCWD, arg[0], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC),
		    "open_tree");
	show(must(openat(tree, "key", O_RDONLY), "key"));
}

static void detached_moved(char **arg)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_NOSUID };
	char key[4096];
	int tree;

	sandbox();
	tree = must(syscall(SYS_open_tree, AT_FDCWD, arg[0], OPEN_TREE_CLONE | AT_RECURSIVE),
		    "open_tree");
	must(syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)),
	     "mount_setattr");
	must(syscall(SYS_move_mount, tree, "", AT_FDCWD, arg[1], MOVE_MOUNT_F_EMPTY_PATH),
	     "move_mount");
	snprintf(key, sizeof(key), "%s/key", arg[1]);
	show_path(key);
}

static void overlay_on(const char *lower, const char *at)
{
	char options[8192];

	snprintf(options, sizeof(options), "lowerdir=%s:%s", lower, at);
	if (mount("overlay", at, "overlay", 0, options)) {
		if (errno == ENODEV)
			skip("no overlayfs");
		fail("overlay");
	}
}

static void overlay(char **arg)
{
	char key[4096];

	sandbox();
	overlay_on(arg[0], arg[1]);
	snprintf(key, sizeof(key), "%s/key", arg[1]);
	show_path(key);
}

/* Writes through an overlay whose upper layer is the box. The work directory must be beside. */
static void overlay_upper(char **arg)
{
	char options[8192], file[4096];
	int fd;

	sandbox();
	snprintf(options, sizeof(options), "lowerdir=%s,upperdir=%s,workdir=%s,userxattr", arg[1],
		 arg[0], arg[2]);
	if (mount("overlay", arg[1], "overlay", 0, options)) {
		if (errno == ENODEV)
			skip("no overlayfs");
		fail("overlay");
	}
	snprintf(file, sizeof(file), "%s/planted", arg[1]);
	fd = must(open(file, O_CREAT | O_WRONLY, 0600), file);
	must(write(fd, "x", 1), "write");
}

static void change_root(char **arg)
{
	sandbox();
	must(chroot(arg[0]), "chroot");
	must(chdir("/"), "chdir");
	show_path("/key");
}

static void pivot(char **arg)
{
	sandbox();
	must(mount(arg[0], arg[0], NULL, MS_BIND, NULL), "bind");
	must(chdir(arg[0]), "chdir");
	must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	show_path("/key");
}

/* Hidden under a tmpfs, and from behind it bound to where something allowed is. */
static void covered(char **arg)
{
	char path[4096];
	int box;

	sandbox();
	box = must(open(arg[0], O_PATH), arg[0]);
	must(mount("tmpfs", arg[0], "tmpfs", 0, NULL), "tmpfs");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", box);
	must(mount(path, arg[1], NULL, MS_BIND, NULL), "bind");
	snprintf(path, sizeof(path), "%s/key", arg[1]);
	show_path(path);
}

/* A file system of one's own, mounted nowhere, with the text in `key`, whose descriptor is *ret_key;
 * its root's. */
static int tmpfs_make(const char *text, int *ret_key)
{
	int fs, mnt, fd;

	own_namespace();
	fs = must(syscall(SYS_fsopen, "tmpfs", 0), "fsopen");
	must(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0), "fsconfig");
	mnt = must(syscall(SYS_fsmount, fs, 0, 0), "fsmount");
	fd = must(openat(mnt, "key", O_CREAT | O_RDWR, 0600), "key");
	must(write(fd, text, strlen(text)), "write");
	*ret_key = fd;
	return mnt;
}

/* text: reads it again; honest only */
static void own_tmpfs(char **arg)
{
	int key;

	tmpfs_make(arg[0], &key);
	lseek(key, 0, SEEK_SET);
	show(key);
}

/* ---- attributes of mounts ---- */

/* mount point, file below it, text: what is mounted read-only made writable, and written to */
static void writable(char **arg)
{
	struct mount_attr attr = { .attr_clr = MOUNT_ATTR_RDONLY };
	char path[4096];
	int fd;

	own_namespace();
	must(syscall(SYS_mount_setattr, AT_FDCWD, arg[0], 0, &attr, sizeof(attr)), "mount_setattr");
	snprintf(path, sizeof(path), "%s/%s", arg[0], arg[1]);
	fd = must(open(path, O_WRONLY | O_TRUNC), path);
	must(write(fd, arg[2], strlen(arg[2])), "write");
	puts(arg[2]);
}

/* The same of its file system, by fspick(2). */
static void writable_picked(char **arg)
{
	char path[4096];
	int fs, fd;

	own_namespace();
	fs = must(syscall(SYS_fspick, AT_FDCWD, arg[0], 0), "fspick");
	must(syscall(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, "rw", NULL, 0), "rw");
	must(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0), "reconfigure");
	snprintf(path, sizeof(path), "%s/%s", arg[0], arg[1]);
	fd = must(open(path, O_WRONLY | O_TRUNC), path);
	must(write(fd, arg[2], strlen(arg[2])), "write");
	puts(arg[2]);
}

/* A user namespace in which 0 is uid 1000. */
static int mapping(void)
{
	int ready[2], over[2], fd;
	char path[64], c = 0;
	pid_t pid;

	must(pipe(ready), "pipe");
	must(pipe(over), "pipe");
	pid = must(fork(), "fork");
	if (!pid) {
		must(unshare(CLONE_NEWUSER), "unshare");
		must(write(ready[1], &c, 1), "write");
		close(over[1]);
		_exit(read(over[0], &c, 1) < 0);
	}
	must(read(ready[0], &c, 1), "read");
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	write_file(path, "0 1000 1");
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	write_file(path, "0 1000 1");
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	fd = must(open(path, O_RDONLY), path);
	close(over[1]);
	return fd;
}

/* box: by a copy of its mount in which its files are somebody else's */
static void idmapped(char **arg)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
	int tree = must(syscall(SYS_open_tree, AT_FDCWD, arg[0], OPEN_TREE_CLONE), "open_tree");

	attr.userns_fd = mapping();
	must(syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)),
	     "mount_setattr");
	show(must(openat(tree, "key", O_RDONLY), "key"));
}

struct handle {
	struct file_handle head;
	unsigned char bytes[128];
};

static void handle_of(const char *box, const char *name, struct handle *ret)
{
	char path[4096];
	int id;

	*ret = (struct handle){ .head.handle_bytes = sizeof(ret->bytes) };
	snprintf(path, sizeof(path), "%s/%s", box, name);
	must(name_to_handle_at(AT_FDCWD, path, &ret->head, &id, 0), "name_to_handle_at");
}

/* box, mount point: since 6.11 (commit 620c266f3949) who may mount may open handles of directories that are
 * below a mount of its own. */
static void handle_bound(char **arg)
{
	struct handle h;
	int fd;

	sandbox();
	handle_of(arg[0], "dir", &h);
	must(mount(arg[0], arg[1], NULL, MS_BIND, NULL), "bind");
	must(chdir(arg[1]), "chdir");
	fd = open_by_handle_at(AT_FDCWD, &h.head, O_PATH | O_DIRECTORY);
	if (fd < 0 && errno == EPERM)
		skip("open_by_handle_at in a user namespace");
	must(fd, "open_by_handle_at");
	show(must(openat(fd, "inner", O_RDONLY), "inner"));
}

/* box: its handle, opened on a copy of the mount that it is on, which hangs nowhere */
static void handle(char **arg)
{
	struct handle h;
	int tree;

	own_namespace();
	handle_of(arg[0], "key", &h);
	tree = must(syscall(SYS_open_tree, AT_FDCWD, arg[0], OPEN_TREE_CLONE), "open_tree");
	tree = must(syscall(SYS_openat, tree, ".", O_RDONLY | O_DIRECTORY), ".");
	show(must(open_by_handle_at(tree, &h.head, O_RDONLY), "open_by_handle_at"));
}

/* text: a file system that is mounted nowhere, with the text in `key`; for others to look into */
static void hold(char **arg)
{
	int key, mnt = tmpfs_make(arg[0], &key);

	must(fchmod(key, 0666), "fchmod");
	must(fchmodat(mnt, ".", 0777, 0), "fchmodat");
	must(dup2(mnt, 9), "dup2");
	must(fchdir(mnt), "fchdir");
	puts(arg[0]);
	fflush(stdout);
	sleep(60);
}

/* A network file system: the kernel itself connects. port, mount point */
static void nfs(char **arg)
{
	char options[512];

	snprintf(options, sizeof(options),
		 "vers=3,proto=tcp,port=%s,mountport=%s,mountproto=tcp,mountaddr=127.0.0.1,"
		 "addr=127.0.0.1,nolock,soft,timeo=10,retrans=1", arg[0], arg[0]);
	alarm(4);
	if (mount("127.0.0.1:/x", arg[1], "nfs", 0, options) && errno == ENODEV)
		skip("no NFS");
	fail("nfs");
}

static const struct verb verbs[] = {
	{ "bind", 2, bind },		 { "bind-file", 2, bind_file },
	{ "detached", 1, detached },	 { "detached-moved", 2, detached_moved },
	{ "overlay", 2, overlay },	 { "overlay-upper", 3, overlay_upper },
	{ "chroot", 1, change_root },	 { "pivot", 1, pivot },
	{ "covered", 2, covered },	 { "own-tmpfs", 1, own_tmpfs },
	{ "nfs", 2, nfs },		 { "writable", 3, writable },
	{ "writable-picked", 3, writable_picked }, { "idmapped", 1, idmapped },
	{ "handle", 1, handle },	 { "handle-bound", 2, handle_bound },
	{ "hold", 1, hold },
};
VERBS_MAIN(verbs)
