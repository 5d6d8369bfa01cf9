/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Policy images in the kernel. */
#include <bpf/bpf.h>
#include <fcntl.h>

#include "images.h"
#include "links_kernel.h"
#include "log.h"
#include "paths.h"
#include "util.h"

/* The slot to try next, so that a slot is not used again while anything still thinks of its
 * last image. */
#define NEXT_SLOT_FILE HG_RUN_DIR "/next-slot"

static bool slot_in_use(const struct engine *e, uint32_t slot)
{
	uint32_t n;

	for (n = 1; n < HG_AGENTS_MAX; n++)
		if (__atomic_load_n(&e->agent[n].uid, __ATOMIC_ACQUIRE) &&
		    (uint32_t)__atomic_load_n(&e->agent[n].policy, __ATOMIC_ACQUIRE) == slot)
			return true;
	return false;
}

/* The map in a slot; -ENOENT. */
static int slot_open(const struct engine *e, uint32_t slot)
{
	__u32 id;
	int fd;

	if (bpf_map_lookup_elem(e->policies, &slot, &id))
		return -errno;
	fd = bpf_map_get_fd_by_id(id);
	return fd < 0 ? -errno : fd;
}

static int map_read(int fd, struct hg_chunk **ret, uint32_t *ret_n)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info), i;
	struct hg_chunk *chunks;

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	if (info.value_size != sizeof(*chunks) || !info.max_entries ||
	    info.max_entries > HG_CHUNKS_MAX)
		return -EBADMSG;
	chunks = calloc(info.max_entries, sizeof(*chunks));
	if (!chunks)
		return -ENOMEM;
	for (i = 0; i < info.max_entries; i++)
		if (bpf_map_lookup_elem(fd, &i, &chunks[i])) {
			free(chunks);
			return -errno;
		}
	*ret = chunks;
	*ret_n = info.max_entries;
	return 0;
}

static int slot_read(const struct engine *e, uint32_t slot, struct hg_chunk **ret, uint32_t *ret_n)
{
	_close_ int fd = slot_open(e, slot);

	return fd < 0 ? fd : map_read(fd, ret, ret_n);
}

static bool slot_holds(const struct engine *e, uint32_t slot, const struct image *im)
{
	_free_ struct hg_chunk *chunks = NULL;
	const struct hg_chunk *own;
	uint32_t n, n_own;

	own = image_chunks(im, &n_own);
	return !slot_read(e, slot, &chunks, &n) && n == n_own &&
	       !memcmp(chunks, own, n * sizeof(*chunks));
}

/* A slot in use that holds the very same image; 0: none. */
static uint32_t slot_same(const struct engine *e, const struct image *im)
{
	uint32_t n, slot, last = 0;

	for (n = 1; n < HG_AGENTS_MAX; n++) {
		if (!e->agent[n].uid)
			continue;
		slot = (uint32_t)e->agent[n].policy;
		if (!slot || slot == last)
			continue;
		last = slot;
		if (slot_holds(e, slot, im))
			return slot;
	}
	return 0;
}

static int slot_free(const struct engine *e, uint32_t *ret)
{
	_free_ char *text = NULL;
	uint64_t first = 1;
	uint32_t i, slot;
	__u32 id;

	if (!read_file(AT_FDCWD, NEXT_SLOT_FILE, 64, &text, NULL)) {
		text[strcspn(text, "\n")] = 0;
		if (parse_u64(text, HG_POLICIES_MAX - 1, &first) || !first)
			first = 1;
	}
	for (i = 0; i < HG_POLICIES_MAX - 1; i++) {
		slot = 1 + (first - 1 + i) % (HG_POLICIES_MAX - 1);
		if (bpf_map_lookup_elem(e->policies, &slot, &id) && errno == ENOENT) {
			*ret = slot;
			return 0;
		}
	}
	return -ENOSPC;
}

static void slot_remember_next(uint32_t slot)
{
	_close_ int fd =
		open(NEXT_SLOT_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	/* Losing it costs only the distance to the next reuse. */
	if (fd < 0 || dprintf(fd, "%u\n", slot % (HG_POLICIES_MAX - 1) + 1) < 0)
		log_verbose("cannot write " NEXT_SLOT_FILE);
}

static int image_map_make(const struct image *im)
{
	DECLARE_LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP);
	const struct hg_chunk *chunks;
	_close_ int fd = -1;
	uint32_t n, i;

	chunks = image_chunks(im, &n);
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "hg_image", sizeof(__u32), sizeof(*chunks), n,
			    &opts);
	if (fd < 0)
		return log_errno(errno, "cannot make room in the kernel for a policy of %u KiB",
				 n * HG_CHUNK_SIZE / 1024);
	for (i = 0; i < n; i++)
		if (bpf_map_update_elem(fd, &i, &chunks[i], BPF_ANY))
			return log_errno(errno, "cannot copy the policy into the kernel");
	/* Nobody changes it any more, from user space. */
	if (bpf_map_freeze(fd))
		return log_errno(errno, "cannot seal the policy in the kernel");
	return take_fd(&fd);
}

static int start_set(const struct engine *e, uint32_t slot, uint32_t place, const char *path,
		     const struct image *im)
{
	struct hg_start_key key = {.slot = slot, .place = place};
	struct hg_start start = {};
	int err;

	err = image_path_at(im, path, strlen(path), &start.dir, &start.out);
	if (err)
		return log_errno(err, "cannot find %s in the policy", path);
	if (bpf_map_update_elem(e->starts, &key, &start, BPF_ANY))
		return log_errno(errno,
				 errno == E2BIG ? "too many mounts and policies at once (%s)"
						: "cannot set where the policy starts at %s",
				 path);
	return 0;
}

static int starts_set(const struct engine *e, uint32_t slot, const struct image *im,
		      const struct places *places, size_t first)
{
	size_t i;
	int err;

	for (i = first; i < places->n; i++) {
		err = start_set(e, slot, places->items[i].number, places->items[i].path, im);
		if (err)
			return err;
	}
	return 0;
}

static int starts_set_homes(const struct engine *e, uint32_t slot, const struct image *im)
{
	uint32_t home;
	int err;

	for (home = HG_HOME_NONE + 1; home < N_HOMES; home++) {
		err = start_set(e, slot, home, home_path(home), im);
		if (err)
			return err;
	}
	return 0;
}

/* Deletes the starts for which key.slot or key.place is as given (0: any). */
static void starts_remove(const struct engine *e, uint32_t slot, uint32_t place)
{
	struct hg_start_key kept, next, *at = NULL;

	while (!bpf_map_get_next_key(e->starts, at, &next)) {
		if ((!slot || next.slot == slot) && (!place || next.place == place)) {
			bpf_map_delete_elem(e->starts, &next);
			continue;
		}
		/* Going on from a deleted key would start the walk over. */
		kept = next;
		at = &kept;
	}
}

int image_install(struct engine *e, const struct image *im, const struct places *places,
		  uint32_t *ret_slot)
{
	uint32_t slot = slot_same(e, im);
	_close_ int fd = -1;
	bool fresh = !slot;
	int err;

	if (fresh) {
		fd = image_map_make(im);
		if (fd < 0)
			return fd;
		err = slot_free(e, &slot);
		if (err)
			return log_errno(err, "all %d places for policies are taken",
					 HG_POLICIES_MAX - 1);
		if (bpf_map_update_elem(e->policies, &slot, &fd, BPF_ANY))
			return log_errno(errno, "cannot put the policy into slot %u", slot);
		slot_remember_next(slot);
	}
	/* It may be another agent's slot, too: what has starts is open. */
	err = links_install(e, slot, im, places, 0);
	if (!err)
		err = starts_set_homes(e, slot, im);
	if (!err)
		err = starts_set(e, slot, im, places, 0);
	if (!err)
		err = engine_forget_directories(e);
	if (err) {
		if (fresh)
			image_drop(e, slot);
		return err;
	}
	*ret_slot = slot;
	return 0;
}

void image_drop(struct engine *e, uint32_t slot)
{
	if (!slot || slot_in_use(e, slot))
		return;
	/* What began with it must end with it: a missing image denies. */
	engine_grace();
	if (bpf_map_delete_elem(e->policies, &slot) && errno != ENOENT)
		log_errno(errno, "cannot take the policy out of slot %u", slot);
	starts_remove(e, slot, 0);
	links_remove(e, slot);
}

void images_remove_place(struct engine *e, uint32_t place)
{
	starts_remove(e, 0, place);
}

static bool starts_there(const struct engine *e, uint32_t slot, const struct places *places,
			 size_t first)
{
	struct hg_start_key key = {.slot = slot};
	struct hg_start start;
	size_t i;

	for (i = first; i < places->n; i++) {
		key.place = places->items[i].number;
		if (bpf_map_lookup_elem(e->starts, &key, &start))
			return false;
	}
	return true;
}

/* Nothing where all of them have been: to look for hard links takes a walk over whole file systems. */
static int slot_add_places(struct engine *e, uint32_t slot, const struct places *places,
			   size_t first)
{
	_free_ struct hg_chunk *chunks = NULL;
	struct ruleset_error why = {};
	struct image *im;
	uint32_t n;
	int err;

	if (starts_there(e, slot, places, first))
		return 0;
	err = slot_read(e, slot, &chunks, &n);
	if (err)
		return log_errno(err, "cannot read the policy in slot %u back", slot);
	err = image_from_bytes(chunks, n, &im, &why);
	if (err)
		return log_errno(err, "the policy in slot %u is damaged (%s)", slot, why.message);
	/* What has starts is open. */
	err = links_install(e, slot, im, places, first);
	if (!err)
		err = starts_set(e, slot, im, places, first);
	image_free(im);
	return err;
}

int image_start(struct engine *e, uint32_t slot, const struct places *places)
{
	return slot_add_places(e, slot, places, 0);
}

int images_add_places(struct engine *e, const struct places *places, size_t first)
{
	_free_ bool *seen = calloc(HG_POLICIES_MAX, sizeof(*seen));
	uint32_t n, slot;
	int err = 0, one;

	if (!seen)
		return -ENOMEM;
	for (n = 1; n < HG_AGENTS_MAX; n++) {
		slot = (uint32_t)e->agent[n].policy;
		if (!e->agent[n].uid || !slot || slot >= HG_POLICIES_MAX || seen[slot])
			continue;
		seen[slot] = true;
		/* One damaged policy must not leave the others without. */
		one = slot_add_places(e, slot, places, first);
		if (one)
			err = one;
	}
	return err;
}
