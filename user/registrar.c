/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Telling the kernel side what a mount is, by a call on a descriptor of its root. */
#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>

#include "log.h"
#include "registrar.h"
#include "util.h"

/* How long a file system that may wait for others gets to answer. */
#define PATIENCE_MS 2000

int mount_open(const struct mount_line *m)
{
	_close_ int fd = -1;
	struct statx stx;

	/* O_PATH does not start an automount. */
	fd = open(m->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_MNT_ID, &stx))
		return -errno;
	if (!(stx.stx_mask & STATX_MNT_ID))
		return -EOPNOTSUPP;
	return stx.stx_mnt_id == m->id ? take_fd(&fd) : -EBUSY;
}

/* The hook that learns the superblock runs before the file system is asked, so whether fstatfs
 * itself succeeds does not matter. */
static int descriptor_register(const struct engine *e, int fd, const struct registration *r)
{
	struct hg_registrar reg = {
		.who = syscall(SYS_gettid), .place = r->place, .n_keep = r->n_keep};
	__u32 zero = 0;
	struct statfs fs;

	memcpy(reg.keep, r->keep, sizeof(reg.keep));
	if (bpf_map_update_elem(e->registrar, &zero, &reg, BPF_ANY))
		return -errno;
	if (fstatfs(fd, &fs))
		log_verbose("place %u: %s", r->place, strerror(errno));
	return 0;
}

/* What the kernel side made of it. */
static int registration_end(const struct engine *e)
{
	struct hg_registrar reg = {}, none = {};
	__u32 zero = 0;

	if (bpf_map_lookup_elem(e->registrar, &zero, &reg) ||
	    bpf_map_update_elem(e->registrar, &zero, &none, BPF_ANY))
		return -errno;
	if (reg.done == 2)
		return -ENOSPC;
	if (reg.done == 3)
		return -EPERM;
	return reg.done == 1 ? 0 : -ENODATA;
}

/* Not held open any longer than this takes: whoever unmounts it would be told that it is busy. */
int mount_register(const struct engine *e, const struct mount_line *m, const struct registration *r)
{
	_close_ int fd = mount_open(m);
	int err;

	if (fd < 0)
		return fd;
	err = descriptor_register(e, fd, r);
	return err ? err : registration_end(e);
}

/* Waits for a child for a while, then kills it and leaves it behind: a task that hangs in a dead
 * file system cannot be waited for. */
static int child_wait(pid_t pid, int *ret_err)
{
	struct timespec nap = {.tv_nsec = 2 * 1000000};
	int i, status;

	for (i = 0; i < PATIENCE_MS / 2; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid) {
			*ret_err = WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
			return 0;
		}
		nanosleep(&nap, NULL);
	}
	kill(pid, SIGKILL);
	return -ETIMEDOUT;
}

static void close_all_but(int fd)
{
	if (fd > 3)
		close_range(3, fd - 1, 0);
	close_range(fd + 1, ~0u, 0);
}

int mount_register_apart(const struct engine *e, const struct mount_line *m,
			 const struct registration *r)
{
	int err = 0, waited, ended, fd;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		/* Should it hang for ever, it must not hold a lock for ever as well. */
		close_all_but(e->registrar);
		fd = mount_open(m);
		_exit(-(fd < 0 ? fd : descriptor_register(e, fd, r)) & 0xff);
	}
	waited = child_wait(pid, &err);
	ended = registration_end(e);
	/* Registered is enough, though its own answer may never come. */
	if (!err && !ended)
		return 0;
	return err ? err : waited ? waited : ended;
}

int mounts_identify(const struct engine *e, int fd, struct hg_link_key *ret)
{
	static const struct registration ask = {};
	struct hg_registrar reg = {};
	__u32 zero = 0;
	int err;

	err = descriptor_register(e, fd, &ask);
	if (err)
		return err;
	if (bpf_map_lookup_elem(e->registrar, &zero, &reg))
		err = -errno;
	*ret = reg.key;
	err = err ? err : registration_end(e);
	return err;
}
