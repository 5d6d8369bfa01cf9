/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Looking for files with several names. */
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "links.h"
#include "log.h"
#include "util.h"
#include "../policy/image.h"

#define LINK_MASK (STATX_TYPE | STATX_NLINK | STATX_INO | STATX_CTIME)
#define NSEC	  1000000000ll
/* A change that is younger than the clock's step may be followed by one with the same time. Some
 * file systems keep seconds. */
#define STEP_NS		 (100 * 1000000ll)
#define STEP_SECONDS_NS	 (2100 * 1000000ll)
#define FIRST_INDEX_BITS 8

struct look {
	struct links *l;
	const struct image *im;
	const struct link_root *root;
	char *path;	       /* of the directory at hand, as policies name it; "" for "/" */
	size_t len, cap, skip; /* skip: the root's part */
	uint8_t common;
	struct watched *watched;
	size_t n_watched;
};

/* A directory in which the agent may move things, as it was when it was read. */
struct watched {
	uint64_t ino;
	int64_t ctime;
	char *path; /* from the root */
};
/* With more of them it is quicker to ask every file. */
#define WATCHED_MAX 65536

void links_clear(struct links *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		free(l->items[i].seen);
		free(l->items[i].least);
		free(l->items[i].most);
	}
	free(l->items);
	free(l->index);
	*l = (struct links){};
}

static bool type_is_in(const char *type, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(type, *list))
			return true;
	return false;
}

bool links_type_has(const char *type)
{
	static const char *const without[] = {
		"debugfs", "tracefs", "securityfs",  "configfs",   "mqueue",	"hugetlbfs",
		"pstore",  "cgroup",  "binfmt_misc", "rpc_pipefs", "efivarfs",	"fusectl",
		"nfsd",	   "vfat",    "msdos",	     "exfat",	   "selinuxfs", "autofs",
		"smackfs", "cpuset",  "resctrl",     NULL};

	return !type_is_in(type, without);
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
	return hg_spread(hash ^ word);
}

static uint32_t slot_of(const struct links *l, uint64_t dev, uint64_t ino)
{
	return mix(mix(1, dev), ino) >> (64 - l->index_bits);
}

static int index_grow(struct links *l)
{
	uint32_t bits = l->index_bits ? l->index_bits + 1 : FIRST_INDEX_BITS, mask, at;
	size_t i;

	if (l->index_bits && l->n * 2 < 1ull << l->index_bits)
		return 0;
	free(l->index);
	l->index = calloc(1ull << bits, sizeof(*l->index));
	if (!l->index)
		return -ENOMEM;
	l->index_bits = bits;
	mask = (1u << bits) - 1;
	for (i = 0; i < l->n; i++) {
		for (at = slot_of(l, l->items[i].dev, l->items[i].ino); l->index[at & mask]; at++)
			;
		l->index[at & mask] = i + 1;
	}
	return 0;
}

/* Its entry, a new one (nlink 0) where there is none; NULL: no memory. */
static struct link_file *file_get(struct links *l, uint64_t dev, uint64_t ino)
{
	struct link_file *f;
	uint32_t at, mask;

	if (index_grow(l))
		return NULL;
	mask = (1u << l->index_bits) - 1;
	for (at = slot_of(l, dev, ino); l->index[at & mask]; at++) {
		f = &l->items[l->index[at & mask] - 1];
		if (f->dev == dev && f->ino == ino)
			return f;
	}
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;

		f = reallocarray(l->items, cap, sizeof(*f));
		if (!f)
			return NULL;
		l->items = f;
		l->cap = cap;
	}
	l->index[at & mask] = l->n + 1;
	f = &l->items[l->n++];
	*f = (struct link_file){.dev = dev, .ino = ino};
	return f;
}

static int64_t ctime_of(const struct statx *stx)
{
	return stx->stx_ctime.tv_sec * NSEC + stx->stx_ctime.tv_nsec;
}

/* Waits until a change from now on would be seen in the time; false: it changes all the time. */
static bool ctime_wait(int dir, const char *name, struct statx *stx)
{
	struct timespec nap = {.tv_nsec = 10 * 1000000};
	int64_t begun = clock_ns(CLOCK_REALTIME), now = begun, ctime, step;

	for (; now - begun < 2 * STEP_SECONDS_NS; now = clock_ns(CLOCK_REALTIME)) {
		ctime = ctime_of(stx);
		step = ctime % NSEC ? STEP_NS : STEP_SECONDS_NS;
		if (now - ctime > step || now - ctime < -step)
			return true;
		if (now - begun > 2 * step)
			return false;
		nanosleep(&nap, NULL);
		if (statx(dir, name,
			  AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT |
				  AT_STATX_DONT_SYNC,
			  LINK_MASK, stx))
			return false;
	}
	return false;
}

/* A name that was seen before, in a directory that was moved meanwhile, is not another one. */
static int name_count(struct link_file *f, uint64_t hash)
{
	uint64_t *more;
	uint32_t i;

	for (i = 0; i < f->n; i++)
		if (f->seen[i] == hash)
			return 0;
	/* A power of two of them: then there is no room left. */
	if (!(f->n & (f->n - 1))) {
		more = reallocarray(f->seen, f->n ? f->n * 2 : 1, sizeof(*more));
		if (!more)
			return -ENOMEM;
		f->seen = more;
	}
	f->seen[f->n++] = hash;
	return 0;
}

static uint64_t name_hash(uint64_t dev, uint64_t dir, const char *name)
{
	uint64_t hash = mix(mix(2, dev), dir);

	for (; *name; name++)
		hash = mix(hash, (unsigned char)*name);
	return hash;
}

/* name "": the root itself. */
static char *name_path(const struct look *k, const char *name)
{
	char *path;

	return asprintf(&path, *name ? "%s/%s" : "%s", k->path, name) < 0 ? NULL : path;
}

/* The rights at one name join those at the others. */
static int rights_join(const struct look *k, struct link_file *f, const struct hg_out *out,
		       const char *name)
{
	uint8_t has = out->allow & HG_OBJECT_RIGHTS, lacks = f->all & ~has;
	char **path = NULL;
	unsigned int i;

	for (i = 0; i < HG_N_PATH_ACTIONS; i++)
		if (lacks & HG_BIT(i))
			f->rule[i] = out->rule[i];
	if (lacks || !f->least)
		path = &f->least;
	else if (!f->most)
		path = &f->most;
	/* The first one seen is kept as the one with more. */
	if (lacks && f->least && !f->most) {
		f->most = f->least;
		f->least = NULL;
	}
	f->all &= has;
	f->any |= has;
	if (!path)
		return 0;
	free(*path);
	*path = name_path(k, name);
	return *path ? 0 : -ENOMEM;
}

static int file_begin(const struct look *k, struct link_file *f, struct statx *stx, int dir,
		      const char *name)
{
	const struct link_root *root = k->root;
	uint64_t ino = stx->stx_ino;
	_close_ int fd = -1;
	struct statx now;

	f->unsettled = !ctime_wait(dir, name, stx);
	if (stx->stx_ino != ino || stx->stx_nlink < 2)
		return -ENOENT;
	f->nlink = stx->stx_nlink;
	f->ctime = ctime_of(stx);
	f->whole = root->whole;
	f->copied = root->copied;
	f->by_names = root->by_names;
	f->common = k->common;
	f->all = HG_OBJECT_RIGHTS;
	memset(f->rule, 0xff, sizeof(f->rule));
	if (!root->identify)
		return 0;
	fd = *name ? openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC)
		   : fcntl(dir, F_DUPFD_CLOEXEC, 0);
	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &now))
		return -errno;
	if (now.stx_ino != stx->stx_ino)
		return -ENOENT;
	return root->identify(root->ctx, fd, &f->key);
}

/* A name of a file with several. */
static int name_seen(struct look *k, int dir, const struct stat *parent, const char *name,
		     struct statx *stx, const struct hg_out *out)
{
	uint64_t dev = makedev(stx->stx_dev_major, stx->stx_dev_minor);
	struct link_file *f = file_get(k->l, dev, stx->stx_ino);
	int err = 0;

	if (!f)
		return -ENOMEM;
	if (!f->nlink)
		err = file_begin(k, f, stx, dir, name);
	if (err) {
		/* Gone or another one already: whoever is the next with this number begins anew. */
		f->nlink = 0;
		return err == -ENOENT ? 0 : err;
	}
	if (f->nlink != stx->stx_nlink || f->ctime != ctime_of(stx))
		f->unsettled = true;
	err = name_count(f, name_hash(parent->st_dev, parent->st_ino, name));
	return err ? err : rights_join(k, f, out, name);
}

static int directory_look(struct look *k, int fd, uint16_t state, unsigned int depth);

/* Not over a mount, whose files are another file system's. */
static int directory_open(int dir, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_NONBLOCK,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS,
	};
	int fd = syscall(SYS_openat2, dir, name, &how, sizeof(how));

	/* Not ours: a user's own `check`. */
	if (fd < 0 && errno == EPERM) {
		how.flags &= ~O_NOATIME;
		fd = syscall(SYS_openat2, dir, name, &how, sizeof(how));
	}
	return fd < 0 ? -errno : fd;
}

static int path_push(struct look *k, const char *name)
{
	size_t need = k->len + 1 + strlen(name) + 1;
	char *more;

	if (need > k->cap) {
		more = realloc(k->path, need * 2);
		if (!more)
			return -ENOMEM;
		k->path = more;
		k->cap = need * 2;
	}
	k->len += sprintf(k->path + k->len, "/%s", name);
	return 0;
}

static int below_look(struct look *k, int dir, const char *name, uint16_t state, unsigned int depth)
{
	int fd = directory_open(dir, name), err;
	size_t len = k->len;

	/* Gone since, or a mount. */
	if (fd == -ENOENT || fd == -ENOTDIR || fd == -EXDEV || fd == -ELOOP)
		return 0;
	if (fd == -EACCES && k->root->skip) {
		k->l->n_skipped++;
		return 0;
	}
	err = path_push(k, name);
	if (err) {
		if (fd >= 0)
			close(fd);
		return err;
	}
	if (fd < 0)
		err = log_errno(fd, "cannot look for hard links in %s", k->path);
	else
		err = directory_look(k, fd, state, depth + 1);
	k->len = len;
	k->path[len] = 0;
	return err;
}

/* Is there nothing below with other rights than the common ones? */
static int below_is_common(const struct look *k, uint16_t state, bool *ret)
{
	struct hg_dir d;

	if (!image_dir(k->im, state, &d))
		return -EBADMSG;
	*ret = k->root->by_names && (d.any_allow & HG_OBJECT_RIGHTS) == k->common &&
	       (d.all_allow & HG_OBJECT_RIGHTS) == k->common;
	return 0;
}

static int directory_enter(struct look *k, int dir, const char *name, uint16_t state,
			   unsigned int depth)
{
	bool common;
	int err = below_is_common(k, state, &common);

	/* Deeper nothing is decided, and so all refused. */
	if (err || common || depth >= HG_DEPTH_MAX)
		return err;
	return below_look(k, dir, name, state, depth);
}

static int entry_look(struct look *k, int dir, const struct stat *parent, uint16_t state,
		      const struct dirent *entry, unsigned int depth)
{
	const char *name = entry->d_name;
	struct statx stx = {};
	struct hg_out out;
	uint16_t row;

	k->l->n_names++;
	if (image_enter(k->im, name, strlen(name), &state, &row) || !image_row(k->im, row, &out))
		return -EBADMSG;
	if (entry->d_type == DT_DIR)
		return directory_enter(k, dir, name, state, depth);
	if (entry->d_type != DT_UNKNOWN && k->root->by_names &&
	    (out.allow & HG_OBJECT_RIGHTS) == k->common)
		return 0;
	if (statx(dir, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, LINK_MASK,
		  &stx))
		return errno == ENOENT ? 0
				       : log_errno(errno, "cannot look at %s/%s", k->path, name);
	if (S_ISDIR(stx.stx_mode))
		return directory_enter(k, dir, name, state, depth);
	if (stx.stx_nlink < 2 || (k->root->by_names && (out.allow & HG_OBJECT_RIGHTS) == k->common))
		return 0;
	return name_seen(k, dir, parent, name, &stx, &out);
}

/* Notes what a directory is like before it is read, where names may be moved. */
static int directory_watch(struct look *k, int fd, uint16_t state)
{
	struct watched *w;
	struct statx stx;
	struct hg_dir d;

	if (!k->root->by_names || k->l->moved)
		return 0;
	if (!image_dir(k->im, state, &d))
		return -EBADMSG;
	if (!(d.any_allow & HG_BIT(HG_DELETE)))
		return 0;
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, LINK_MASK, &stx))
		return -errno;
	if (k->n_watched == WATCHED_MAX || !ctime_wait(fd, "", &stx)) {
		k->l->moved = true;
		return 0;
	}
	w = reallocarray(k->watched, k->n_watched + 1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	k->watched = w;
	w += k->n_watched;
	w->ino = stx.stx_ino;
	w->ctime = ctime_of(&stx);
	w->path = strdup(k->len > k->skip ? k->path + k->skip + 1 : "");
	if (!w->path)
		return -ENOMEM;
	k->n_watched++;
	return 0;
}

/* Has one been changed since it was read? */
static void watched_end(struct look *k)
{
	struct statx stx;
	size_t i;

	for (i = 0; i < k->n_watched; i++) {
		const struct watched *w = &k->watched[i];

		if (statx(k->root->fd, w->path,
			  AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT |
				  AT_STATX_DONT_SYNC,
			  LINK_MASK, &stx) ||
		    stx.stx_ino != w->ino || ctime_of(&stx) != w->ctime)
			k->l->moved = true;
		free(w->path);
	}
	free(k->watched);
}

/* fd is taken. */
static int directory_look(struct look *k, int fd, uint16_t state, unsigned int depth)
{
	_closedir_ DIR *d = fdopendir(fd);
	struct dirent *entry;
	struct stat parent;
	int err;

	if (!d) {
		close(fd);
		return -ENOMEM;
	}
	if (fstat(fd, &parent))
		return -errno;
	k->l->n_directories++;
	err = directory_watch(k, fd, state);
	for (errno = 0; !err && (entry = readdir(d)); errno = 0) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		err = entry_look(k, fd, &parent, state, entry, depth);
	}
	if (!err && errno && errno != ENOENT)
		err = log_errno(errno, "cannot look for hard links in %s", k->path);
	return err;
}

/* The rights of a name there that no rule speaks of. */
static int common_rights(const struct image *im, uint16_t dir, uint8_t *ret)
{
	struct hg_dir d;
	struct hg_out out;

	if (!image_dir(im, dir, &d) || !image_row(im, d.out, &out))
		return -EBADMSG;
	*ret = out.allow & HG_OBJECT_RIGHTS;
	return 0;
}

/* A mount may be of a single file, which has other names in other parts of its file system. */
static int root_file_look(struct look *k, uint16_t row)
{
	struct statx stx = {};
	struct hg_out out;
	struct stat self;

	if (!image_row(k->im, row, &out))
		return -EBADMSG;
	if (fstat(k->root->fd, &self) ||
	    statx(k->root->fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, LINK_MASK, &stx))
		return -errno;
	if (stx.stx_nlink < 2 || (k->root->by_names && (out.allow & HG_OBJECT_RIGHTS) == k->common))
		return 0;
	return name_seen(k, k->root->fd, &self, "", &stx, &out);
}

static int root_look(struct look *k, uint16_t dir, uint16_t row)
{
	int fd = directory_open(k->root->fd, "."), err;
	bool common;

	if (fd < 0)
		return fd == -ENOTDIR ? root_file_look(k, row) : fd;
	err = below_is_common(k, dir, &common);
	if (!err && !common)
		return directory_look(k, fd, dir, 0);
	close(fd);
	return err;
}

int links_look(struct links *l, const struct image *im, const struct link_root *root)
{
	struct look k = {.l = l, .im = im, .root = root};
	const char *like = root->like ? root->like : root->path;
	uint16_t dir, row;
	int err;

	err = image_path_at(im, like, strlen(like), &dir, &row);
	if (!err)
		err = common_rights(im, dir, &k.common);
	if (!err)
		err = image_path_at(im, root->path, strlen(root->path), &dir, &row);
	if (err)
		return err;
	k.path = strdup(strcmp(root->path, "/") ? root->path : "");
	if (!k.path)
		return -ENOMEM;
	k.len = k.skip = strlen(k.path);
	k.cap = k.len + 1;
	err = root_look(&k, dir, row);
	watched_end(&k);
	free(k.path);
	return err;
}

int links_rights(const struct image *im, const char *path, uint8_t *any, uint8_t *all)
{
	struct hg_out out;
	uint16_t dir, row;
	struct hg_dir d;
	int err;

	err = image_path_at(im, path, strlen(path), &dir, &row);
	if (err)
		return err;
	if (!image_dir(im, dir, &d) || !image_row(im, row, &out))
		return -EBADMSG;
	*any |= (d.any_allow | out.allow) & HG_OBJECT_RIGHTS;
	*all &= d.all_allow & out.allow;
	return 0;
}

bool link_settled(const struct link_file *f)
{
	if (f->unsettled)
		return false;
	if (f->by_names)
		return f->n <= f->nlink && (f->whole || f->n == f->nlink || !(f->any & ~f->common));
	return !f->whole || f->n == f->nlink;
}

bool links_settled(const struct links *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (!link_settled(&l->items[i]))
			return false;
	return !l->moved;
}

uint8_t link_lacks(const struct link_file *f)
{
	uint8_t any = f->any, all = f->all, lacks;

	if (!link_settled(f))
		return HG_OBJECT_RIGHTS;
	if (f->n < f->nlink) {
		/* Names that were not seen: with the common rights, or with any. */
		any |= f->by_names ? f->common : HG_OBJECT_RIGHTS;
		all &= f->by_names ? f->common : HG_OBJECT_RIGHTS;
	}
	lacks = any & ~all;
	/* Whatever is done to it there may make a copy that has no mark. */
	return lacks && f->copied ? HG_OBJECT_RIGHTS : lacks;
}
