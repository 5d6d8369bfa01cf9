/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which cgroups are an agent's. */
#include <bpf/bpf.h>
#include <fcntl.h>

#include "agent_cgroups.h"
#include "cgroup.h"
#include "log.h"
#include "util.h"

static const char *agent_name(const struct records *agents, uint32_t number)
{
	size_t i;

	for (i = 0; i < agents->n; i++)
		if (agents->items[i].number == number)
			return agents->items[i].name;
	return "of another name";
}

static uint32_t owner_of(const struct engine *e, uint64_t id)
{
	__u32 number;

	return bpf_map_lookup_elem(e->cgroups, &id, &number) ? 0 : number;
}

/* The agent of the nearest cgroup upwards from fd, its own included; 0: none. */
static int owner_upwards(const struct engine *e, int fd, uint64_t root, uint32_t *ret)
{
	_close_ int at = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	uint64_t id;
	int up, err;

	for (*ret = 0; at >= 0;) {
		err = cgroup_id(at, &id);
		if (err)
			return err;
		*ret = owner_of(e, id);
		if (*ret || id == root)
			return 0;
		up = openat(at, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = up;
	}
	return -errno;
}

struct find_owner {
	const struct engine *e;
	uint32_t number;
};

static int find_owner_each(uint64_t id, int fd, void *ctx)
{
	struct find_owner *f = ctx;

	(void)fd;
	f->number = owner_of(f->e, id);
	return f->number != 0;
}

static int conflict_check(const struct engine *e, const struct records *agents, const char *path,
			  int fd, uint64_t root)
{
	struct find_owner below = {.e = e};
	uint32_t above;
	int err;

	err = owner_upwards(e, fd, root, &above);
	if (!err)
		err = cgroup_walk(fd, find_owner_each, &below);
	if (err < 0)
		return log_errno(err, "%s", path);
	if (above) {
		log_error("%s lies in the cgroup of agent %s; an agent within an agent is not "
			  "possible yet",
			  path, agent_name(agents, above));
		return -EBUSY;
	}
	if (below.number) {
		log_error("%s holds the cgroup of agent %s, which would then have two policies; "
			  "detach that one first",
			  path, agent_name(agents, below.number));
		return -EBUSY;
	}
	return 0;
}

static int root_id(uint64_t *ret)
{
	_free_ char *mount = NULL;
	_close_ int fd = -1;
	int err;

	err = cgroup_mount(&mount);
	if (err == -ENOENT) {
		log_error("no cgroup2 hierarchy is mounted; boot without "
			  "systemd.unified_cgroup_hierarchy=0, or `mount -t cgroup2 none "
			  "/sys/fs/cgroup`");
		return -EOPNOTSUPP;
	}
	fd = err ? err : cgroup_open(mount);
	err = fd < 0 ? fd : cgroup_id(fd, ret);
	return err ? log_errno(err, "cannot use the cgroup2 hierarchy") : 0;
}

int agent_cgroup_open(const struct engine *e, const struct records *agents, const char *path,
		      int *ret_fd, uint64_t *ret_id)
{
	_close_ int fd = -1;
	uint64_t root, id;
	int err;

	err = root_id(&root);
	if (err)
		return err;
	fd = cgroup_open(path);
	if (fd == -EINVAL) {
		log_error("%s is no cgroup of version 2", path);
		return fd;
	}
	err = fd < 0 ? fd : cgroup_id(fd, &id);
	if (err)
		return log_errno(err, "cgroup %s", path);
	if (id == root) {
		log_error("%s is the root cgroup: all of the machine would be the agent", path);
		return -EPERM;
	}
	err = conflict_check(e, agents, path, fd, root);
	if (err)
		return err;
	*ret_fd = take_fd(&fd);
	*ret_id = id;
	return 0;
}

struct enter {
	const struct engine *e;
	uint32_t number;
	size_t n_new;
};

static struct hg_near *near_entry(const struct engine *e, uint64_t id)
{
	return e->beside + id % HG_NEAR_MAX;
}

static int enter_each(uint64_t id, int fd, void *ctx)
{
	struct enter *in = ctx;

	(void)fd;
	if (owner_of(in->e, id) == in->number)
		return 0;
	if (!bpf_map_update_elem(in->e->cgroups, &id, &in->number, BPF_NOEXIST))
		hg_near_add(near_entry(in->e, id), id, in->number);
	else if (errno != EEXIST)
		return -errno;
	in->n_new++;
	return 0;
}

/* For processes that were there before: one run over all tasks. */
static int tasks_adopt(const struct engine *e)
{
	_close_ int iter = bpf_iter_create(e->adopt_tasks);
	char buf[4096];
	ssize_t n;

	if (iter < 0)
		return -errno;
	do {
		n = read(iter, buf, sizeof(buf));
	} while (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)));
	return n < 0 ? -errno : 0;
}

int agent_cgroups_add(const struct engine *e, const struct agent_record *a, int cgroup)
{
	struct enter in = {.e = e, .number = a->number};
	int err;

	if (bpf_map_update_elem(e->cgroups, &a->cgroup_id, &a->number, BPF_NOEXIST))
		return log_errno(errno, "cannot confine %s", a->cgroup);
	hg_near_add(near_entry(e, a->cgroup_id), a->cgroup_id, a->number);
	/* From now on the kernel side enters new children itself. Those from before may have made
	 * children that the walk has not seen, so until a walk finds nothing. */
	do {
		in.n_new = 0;
		err = cgroup_walk(cgroup, enter_each, &in);
	} while (!err && in.n_new);
	if (!err)
		err = tasks_adopt(e);
	return err ? log_errno(err, "cannot confine all that is below %s", a->cgroup) : 0;
}

void agent_cgroups_remove(const struct engine *e, uint32_t number)
{
	__u64 kept, next, *at = NULL;
	struct hg_near *near;
	__u32 owner;

	while (!bpf_map_get_next_key(e->cgroups, at, &next)) {
		if (!bpf_map_lookup_elem(e->cgroups, &next, &owner) && owner == number &&
		    !bpf_map_delete_elem(e->cgroups, &next))
			continue;
		kept = next;
		at = &kept;
	}
	/* All of them, not those found above: one that the kernel side was entering has its entry
	 * here after the other was deleted, and would pass for whoever gets the number next. */
	for (near = e->beside; near < e->beside + HG_NEAR_MAX; near++)
		if (near->agent == number)
			hg_near_drop(near, near->id);
}
