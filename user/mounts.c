/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Naming superblocks by their mounts. */
#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>

#include "images.h"
#include "log.h"
#include "mountinfo.h"
#include "mounts.h"
#include "util.h"

#define MOUNTINFO     "/proc/self/mountinfo"
#define MOUNTINFO_MAX (64u * 1024 * 1024)
/* How long a file system that may wait for others gets to answer. */
#define PATIENCE_MS 2000

int mounts_watch(void)
{
	int fd = open(MOUNTINFO, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

bool mounts_in_first_namespace(void)
{
	struct stat own, first;

	return !stat("/proc/self/ns/mnt", &own) && !stat("/proc/1/ns/mnt", &first) &&
	       own.st_ino == first.st_ino && own.st_dev == first.st_dev;
}

int mounts_enter_first_namespace(void)
{
	_close_ int ns = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);

	if (ns < 0 || setns(ns, CLONE_NEWNS))
		return -errno;
	return 0;
}

int mounts_table(struct mount_table *ret)
{
	_free_ char *text = NULL;
	int err;

	err = read_file(AT_FDCWD, MOUNTINFO, MOUNTINFO_MAX, &text, NULL);
	if (!err)
		err = mount_table_parse(text, ret);
	return err ? log_errno(err, "cannot read " MOUNTINFO) : 0;
}

/* Its mount point, if that still leads to this mount and not to one on top of it. */
static int mount_open(const struct mount_line *m)
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

/* Some mount of what names the place, and not the one in use: nothing is mounted over any part of
 * it, and nobody else has it. */
int mounts_open_alone(const struct mount_table *t, const struct place *place)
{
	int err = -ENODEV, fd, alone;
	size_t i;

	for (i = 0; i < t->n; i++) {
		const struct mount_line *m = &t->lines[i];

		if (m->major != place->major || m->minor != place->minor ||
		    strcmp(m->root, place->root))
			continue;
		if (mount_may_block(t, m))
			return -EOPNOTSUPP;
		fd = mount_open(m);
		if (fd < 0) {
			err = fd;
			continue;
		}
		alone = syscall(SYS_open_tree, fd, "",
				OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
		err = -errno;
		close(fd);
		if (alone >= 0)
			return alone;
	}
	return err;
}

/* The hook that learns the superblock runs before the file system is asked, so whether fstatfs
 * itself succeeds does not matter. */
static int mount_register(const struct engine *e, int fd, uint32_t place)
{
	struct hg_registrar reg = {.who = syscall(SYS_gettid), .place = place};
	__u32 zero = 0;
	struct statfs fs;

	if (bpf_map_update_elem(e->registrar, &zero, &reg, BPF_ANY))
		return -errno;
	if (fstatfs(fd, &fs))
		log_verbose("place %u: %s", place, strerror(errno));
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
	return reg.done == 1 ? 0 : -ENODATA;
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

static int mount_register_apart(const struct engine *e, const struct mount_line *m, uint32_t place)
{
	int err = 0, waited, ended, fd;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		/* Should it hang for ever, it must not hold a lock for ever as well. */
		close_all_but(e->registrar);
		fd = mount_open(m);
		_exit(-(fd < 0 ? fd : mount_register(e, fd, place)) & 0xff);
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
	struct hg_registrar reg = {};
	__u32 zero = 0;
	int err;

	err = mount_register(e, fd, 0);
	if (err)
		return err;
	if (bpf_map_lookup_elem(e->registrar, &zero, &reg))
		err = -errno;
	*ret = reg.key;
	err = err ? err : registration_end(e);
	return err;
}

/* Which places the kernel side still knows: a bit for each number below p->next. */
static uint8_t *places_alive(const struct engine *e, const struct places *p)
{
	uint8_t *alive = calloc(p->next / 8 + 1, 1);
	struct hg_superblock sb;
	__u64 at, next, *from = NULL;

	if (!alive)
		return NULL;
	while (!bpf_map_get_next_key(e->superblocks, from, &next)) {
		if (!bpf_map_lookup_elem(e->superblocks, &next, &sb) && sb.place < p->next)
			alive[sb.place / 8] |= 1 << sb.place % 8;
		at = next;
		from = &at;
	}
	return alive;
}

/* Places whose superblock is gone. */
static void places_bury(struct engine *e, struct places *p)
{
	_free_ uint8_t *alive = places_alive(e, p);
	size_t i;

	for (i = p->n; alive && i-- > 0;) {
		uint32_t number = p->items[i].number;

		if (alive[number / 8] & 1 << number % 8)
			continue;
		images_remove_place(e, number);
		places_remove(p, i);
	}
}

/* Numbers given before the file was lost must not be given again. */
static void places_next_floor(const struct engine *e, struct places *p)
{
	struct hg_superblock sb;
	__u64 at, next, *from = NULL;

	while (!bpf_map_get_next_key(e->superblocks, from, &next)) {
		if (!bpf_map_lookup_elem(e->superblocks, &next, &sb) && sb.place >= p->next)
			p->next = sb.place + 1;
		at = next;
		from = &at;
	}
}

static struct place *place_of_superblock(struct places *p, const struct mount_line *m)
{
	size_t i;

	/* The newest, should two be alive for a moment. */
	for (i = p->n; i-- > 0;)
		if (p->items[i].major == m->major && p->items[i].minor == m->minor)
			return &p->items[i];
	return NULL;
}

static bool place_is_by(const struct place *place, const struct mount_line *m)
{
	return !strcmp(place->path, m->path) && !strcmp(place->root, m->root);
}

static const char *missing_why(int err)
{
	switch (err) {
	case -EBUSY:
		return "another mount lies on top of it";
	case -ETIMEDOUT:
		return "it does not answer";
	case -ENODATA:
		return "the kernel side was not asked";
	case -ENOSPC:
		return "too many file systems are mounted";
	}
	return strerror(-err);
}

static bool same_superblock(const struct mount_line *a, const struct mount_line *b)
{
	return b && a->major == b->major && a->minor == b->minor;
}

struct sync {
	struct engine *e;
	struct places *p;
	struct mount_table *t;
	/*
	 * The superblock at hand had another name, or has several mounts: policies in force may
	 * have rules that hold for it by names they were not compiled with. It gets no starts, and
	 * so is denied, until they are (user/remount.h).
	 */
	bool hold;
};

/* Not held open any longer than this takes: whoever unmounts it would be told that it is busy. */
static int mount_register_here(const struct engine *e, const struct mount_line *m, uint32_t place)
{
	_close_ int fd = mount_open(m);
	int err;

	if (fd < 0)
		return fd;
	err = mount_register(e, fd, place);
	return err ? err : registration_end(e);
}

/* A new number, its starts, then the superblock: in this order nothing is let through or refused
 * for want of a start. apart: it may not answer. */
static int place_make(struct sync *s, const struct mount_line *m, bool apart)
{
	size_t first = s->p->n;
	struct place *place;
	uint32_t number;
	int err;

	place = places_add(s->p, m->major, m->minor, m->root, m->path, m->type);
	if (!place)
		return -ENOMEM;
	number = place->number;
	err = places_write(s->p);
	if (!err && !s->hold)
		err = images_add_places(s->e, s->p, first);
	if (!err)
		err = apart ? mount_register_apart(s->e, m, number)
			    : mount_register_here(s->e, m, number);
	/* Directories of it may have been judged under its old name. */
	if (!err)
		err = engine_forget_directories(s->e);
	if (err) {
		images_remove_place(s->e, number);
		places_remove(s->p, first);
		return err;
	}
	log_verbose("%s is place %u", m->path, number);
	return 0;
}

static int superblock_name(struct sync *s, const struct mount_line *m)
{
	int fd;

	if (mount_may_block(s->t, m))
		return place_make(s, m, true);
	/* One that is covered costs no number. */
	fd = mount_open(m);
	if (fd < 0)
		return fd;
	close(fd);
	return place_make(s, m, false);
}

/* Is its name still by one of its widest mounts? Then it stays, whatever was mounted since. */
static bool name_holds(const struct place *known, const struct mount_line **mounts, size_t n)
{
	size_t i, widest = 0;

	for (i = 0; i < n; i++) {
		if (!mount_is_nameable(mounts[i]))
			continue;
		widest = widest ? widest : strlen(mounts[i]->root);
		if (strlen(mounts[i]->root) == widest && place_is_by(known, mounts[i]))
			return true;
	}
	return false;
}

/* Is it still that superblock? Device numbers are used again, and what is unmounted is forgotten
 * only after a while. Where that cannot be asked, the kernel side denies what it does not know. */
static bool place_is_known(struct sync *s, const struct place *known,
			   const struct mount_line **mounts, size_t n)
{
	struct hg_superblock sb;
	struct hg_link_key key;
	size_t i;

	for (i = 0; i < n; i++) {
		_close_ int fd = -1;

		if (!place_is_by(known, mounts[i]) || mount_may_block(s->t, mounts[i]))
			continue;
		fd = mount_open(mounts[i]);
		if (fd < 0 || mounts_identify(s->e, fd, &key))
			continue;
		return !bpf_map_lookup_elem(s->e->superblocks, &key.sb, &sb) &&
		       sb.place == known->number;
	}
	return true;
}

/* Names one superblock by the first of its n mounts that is not covered by another. */
static int superblock_sync(struct sync *s, const struct mount_line **mounts, size_t n)
{
	struct place *known = place_of_superblock(s->p, mounts[0]);
	int err, first_err = 0;
	size_t i;

	if (known && name_holds(known, mounts, n)) {
		if (place_is_known(s, known, mounts, n))
			return 0;
		known = NULL;
	}
	s->hold = known || n > 1;
	for (i = 0; i < n; i++) {
		if (!mount_is_nameable(mounts[i]))
			continue;
		/* A part of it that is left does not rename what is above. */
		if (known && !strcmp(known->root, "/") && strcmp(mounts[i]->root, "/"))
			return 0;
		if (known && place_is_by(known, mounts[i]))
			return 0;
		err = superblock_name(s, mounts[i]);
		if (!err || err == -ENOMEM)
			return err;
		first_err = first_err ? first_err : err;
		/* The list of places may have been moved. */
		known = place_of_superblock(s->p, mounts[0]);
	}
	/* What has a name keeps it, though its mount is covered or gone. */
	if (known || !first_err)
		return 0;
	log_verbose("%s has no name: %s", mounts[0]->path, missing_why(first_err));
	return places_add_missing(s->p, mounts[0]->path, mounts[0]->type, missing_why(first_err));
}

static int sync_all(struct sync *s)
{
	_free_ const struct mount_line **mounts = mount_table_candidates(s->t);
	size_t i, n;
	int err;

	if (!mounts)
		return -ENOMEM;
	places_clear_missing(s->p);
	for (i = 0; i < s->t->n; i += n) {
		for (n = 1; same_superblock(mounts[i], mounts[i + n]); n++)
			;
		err = superblock_sync(s, mounts + i, n);
		if (err)
			return err;
	}
	places_bury(s->e, s->p);
	return places_write(s->p);
}

static int sync_here(struct engine *e, struct places *p)
{
	_mount_table_ struct mount_table t = {};
	struct sync s = {.e = e, .p = p, .t = &t};
	int err;

	err = mounts_table(&t);
	if (err)
		return err;
	places_next_floor(e, p);
	places_bury(e, p);
	err = sync_all(&s);
	if (err)
		return log_errno(err, "cannot name the file systems");
	if (!p->n) {
		log_error("the kernel takes the programs but does not run them: no file system "
			  "could be named");
		return -EOPNOTSUPP;
	}
	return 0;
}

int mounts_apart(int (*work)(void *ctx), void *ctx)
{
	int status, err;
	pid_t pid = fork();

	if (pid < 0)
		return log_errno(errno, "cannot fork");
	if (!pid) {
		err = mounts_enter_first_namespace();
		if (err)
			log_errno(err, "cannot go to the first process's mount namespace");
		_exit(-(err ? err : work(ctx)) & 0xff);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

struct sync_work {
	struct engine *e;
	struct places *p;
};

static int sync_work(void *ctx)
{
	struct sync_work *w = ctx;

	return sync_here(w->e, w->p);
}

int mounts_sync(struct engine *e, struct places *ret)
{
	_places_ struct places p = {};
	int err;

	err = places_read(&p);
	if (err)
		return log_errno(err, "cannot read /run/hydraguard/places.json; `hydraguard unload "
				      "--force` starts afresh");
	if (mounts_in_first_namespace()) {
		err = sync_here(e, &p);
	} else {
		err = mounts_apart(sync_work, &(struct sync_work){e, &p});
		places_clear(&p);
		if (!err)
			err = places_read(&p);
	}
	if (err)
		return err;
	*ret = p;
	p = (struct places){};
	return 0;
}
