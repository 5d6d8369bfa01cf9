/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Programs on an agent's cgroup, its names and its resolvers. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "egress.h"
#include "log.h"
#include "paths.h"
#include "resolvers.h"
#include "util.h"

#define AGENTS_DIR HG_PIN_DIR "/agents"
#define PIN_LEN	   256

static const struct {
	const char *program;
	enum bpf_attach_type type;
} hooks[] = {
	{"packet_out", BPF_CGROUP_INET_EGRESS},	    {"packet_in", BPF_CGROUP_INET_INGRESS},
	{"connection_stands", BPF_CGROUP_SOCK_OPS}, {"connect_4", BPF_CGROUP_INET4_CONNECT},
	{"connect_6", BPF_CGROUP_INET6_CONNECT},    {"bind_4", BPF_CGROUP_INET4_BIND},
	{"bind_6", BPF_CGROUP_INET6_BIND},
};

static int hook_attach(const char *program, enum bpf_attach_type type, int cgroup, const char *dir)
{
	_close_ int prog = -1, link = -1;
	char path[PIN_LEN];

	snprintf(path, sizeof(path), ENGINE_PROGRAMS_DIR "/%s", program);
	prog = bpf_obj_get(path);
	if (prog < 0)
		return log_errno(errno, "cannot open %s", path);
	link = bpf_link_create(prog, cgroup, type, NULL);
	if (link < 0)
		return log_errno(errno, "cannot attach %s to the cgroup%s", program,
				 errno == EPERM ? " (a program that allows no others is on it, or "
						  "above it)"
						: "");
	snprintf(path, sizeof(path), "%s/%s", dir, program);
	return bpf_obj_pin(link, path) ? log_errno(errno, "cannot pin %s", path) : 0;
}

static int names_make(const struct engine *e, uint32_t number)
{
	_close_ int fd =
		bpf_map_create(BPF_MAP_TYPE_LRU_HASH, "hg_names", sizeof(struct hg_name_key),
			       sizeof(struct hg_name), HG_NAMES_MAX, NULL);

	if (fd < 0 || bpf_map_update_elem(e->names, &number, &fd, BPF_ANY))
		return log_errno(errno, "cannot make room for the agent's names");
	return 0;
}

int egress_attach(struct engine *e, uint32_t number, int cgroup, const struct policy *p)
{
	char dir[PIN_LEN / 2];
	size_t i;
	int err;

	/* What an attach that was killed has left. */
	egress_detach(e, number);
	err = names_make(e, number);
	if (!err)
		err = egress_resolvers(e, number, p);
	if (err)
		return err;
	snprintf(dir, sizeof(dir), AGENTS_DIR "/%u", number);
	if ((mkdir(AGENTS_DIR, 0700) && errno != EEXIST) || mkdir(dir, 0700))
		return log_errno(errno, "cannot make %s", dir);
	for (i = 0; i < ARRAY_SIZE(hooks) && !err; i++)
		err = hook_attach(hooks[i].program, hooks[i].type, cgroup, dir);
	return err;
}

static bool hook_attached(const char *path, enum bpf_attach_type type, uint64_t cgroup_id)
{
	_close_ int link = bpf_obj_get(path);
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);

	/* A link that was detached has cgroup 0. */
	return link >= 0 && !bpf_obj_get_info_by_fd(link, &info, &len) &&
	       info.type == BPF_LINK_TYPE_CGROUP && info.cgroup.attach_type == type &&
	       info.cgroup.cgroup_id == cgroup_id;
}

const char *egress_missing(uint32_t number, uint64_t cgroup_id)
{
	char path[PIN_LEN];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		snprintf(path, sizeof(path), AGENTS_DIR "/%u/%s", number, hooks[i].program);
		if (!hook_attached(path, hooks[i].type, cgroup_id))
			return hooks[i].program;
	}
	return NULL;
}

/* ---- resolvers ---- */

static void resolvers_remove(struct engine *e, uint32_t number, const struct resolvers *keep)
{
	struct hg_resolver_key kept, next, *at = NULL;

	while (!bpf_map_get_next_key(e->resolvers, at, &next)) {
		if (next.agent == number && !(keep && resolvers_have(keep, next.address))) {
			bpf_map_delete_elem(e->resolvers, &next);
			continue;
		}
		kept = next;
		at = &kept;
	}
}

int egress_resolvers(struct engine *e, uint32_t number, const struct policy *p)
{
	struct resolvers found = p->resolvers;
	__u32 one = 1;
	size_t i;
	int err = 0;

	if (!found.n)
		err = resolvers_read("/etc/resolv.conf", &found);
	if (err)
		return log_errno(err, "cannot read /etc/resolv.conf");
	for (i = 0; i < found.n; i++) {
		struct hg_resolver_key key = {.agent = number};

		memcpy(key.address, found.address[i], sizeof(key.address));
		if (bpf_map_update_elem(e->resolvers, &key, &one, BPF_ANY))
			return log_errno(errno, "cannot keep the agent's resolvers");
	}
	resolvers_remove(e, number, &found);
	return 0;
}

void egress_detach(struct engine *e, uint32_t number)
{
	_close_ int dir = open(AGENTS_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[16];
	int err;

	resolvers_remove(e, number, NULL);
	if (bpf_map_delete_elem(e->names, &number) && errno != ENOENT)
		log_errno(errno, "cannot remove the agent's names");
	snprintf(name, sizeof(name), "%u", number);
	err = dir < 0 ? 0 : remove_tree(dir, name);
	if (err)
		log_errno(err, "cannot remove %s/%s", AGENTS_DIR, name);
}
