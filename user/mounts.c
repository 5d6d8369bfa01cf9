/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is mounted, and bringing its names to that. */
#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "images.h"
#include "log.h"
#include "mountinfo.h"
#include "mounts.h"
#include "registrar.h"
#include "superblock.h"
#include "util.h"

#define MOUNTINFO     "/proc/self/mountinfo"
#define MOUNTINFO_MAX (64u * 1024 * 1024)

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

/* Which places the kernel side still knows: a bit for each number below p->next. */
static uint8_t *places_alive(const struct engine *e, const struct places *p)
{
	uint8_t *alive = calloc(p->next / 8 + 1, 1);
	struct hg_superblock sb;
	__u64 at, next, *from = NULL;
	uint32_t i;

	if (!alive)
		return NULL;
	while (!bpf_map_get_next_key(e->superblocks, from, &next)) {
		if (bpf_map_lookup_elem(e->superblocks, &next, &sb))
			sb.n_parts = 0;
		for (i = 0; i < sb.n_parts; i++)
			if (sb.part[i].place < p->next)
				alive[sb.part[i].place / 8] |= 1 << sb.part[i].place % 8;
		at = next;
		from = &at;
	}
	return alive;
}

/* Places whose superblock is gone, or what they name of it. */
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
	uint32_t i;

	while (!bpf_map_get_next_key(e->superblocks, from, &next)) {
		if (bpf_map_lookup_elem(e->superblocks, &next, &sb))
			sb.n_parts = 0;
		for (i = 0; i < sb.n_parts; i++)
			if (sb.part[i].place >= p->next)
				p->next = sb.part[i].place + 1;
		at = next;
		from = &at;
	}
}

static bool same_superblock(const struct mount_line *a, const struct mount_line *b)
{
	return b && a->major == b->major && a->minor == b->minor;
}

static int sync_all(struct engine *e, struct places *p, const struct mount_table *t)
{
	_free_ const struct mount_line **mounts = mount_table_candidates(t);
	size_t i, n;
	int err;

	if (!mounts)
		return -ENOMEM;
	places_clear_missing(p);
	for (i = 0; i < t->n; i += n) {
		for (n = 1; same_superblock(mounts[i], mounts[i + n]); n++)
			;
		err = superblock_sync(e, p, t, mounts + i, n);
		if (err)
			return err;
	}
	places_bury(e, p);
	return places_write(p);
}

static int sync_here(struct engine *e, struct places *p)
{
	_mount_table_ struct mount_table t = {};
	int err;

	err = mounts_table(&t);
	if (err)
		return err;
	places_next_floor(e, p);
	places_bury(e, p);
	err = sync_all(e, p, &t);
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
