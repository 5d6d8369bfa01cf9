/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel side as user space holds it: loaded and pinned once, opened by every later command.
 *
 * What is pinned under /sys/fs/bpf/hydraguard/ enforces without any process. It carries the
 * identity of the build that loaded it, as the name of a directory that is made last: pins without
 * it are a load that did not come to its end, and no agent can depend on them.
 */
#ifndef HG_ENGINE_H
#define HG_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../bpf/core/abi.h"

/* Map descriptors, by map name in bpf/maps.h. */
struct engine {
	int agents, cgroups, near, processes, spare_processes, counters, budgets, superblocks, starts, registrar,
		policies, rings, state, links, link_filter, names, resolvers, epoch;
	int adopt_tasks;	/* the iterator's link */
	int list_processes;	/* likewise; -1 where the kernel side has none */
	struct hg_agent *agent; /* map `agents`, in memory: HG_AGENTS_MAX elements */
	struct hg_near *beside; /* map `near`, likewise: HG_NEAR_MAX */
	struct hg_link_filter *filter; /* likewise */
	struct hg_epoch *epochs;       /* likewise */
};

/* What is pinned now. -ENOENT (no message): nothing is loaded. Otherwise tells why. */
int engine_open(struct engine **ret);
/* The same, and loads where nothing is. Under state_lock(). Tells why; -EOPNOTSUPP where the
 * kernel cannot enforce. */
int engine_load(struct engine **ret);
void engine_close(struct engine *e);

/* Takes all pins out, so that the programs are detached once nobody has them open. Tells why. */
int engine_unpin(void);

/* hg_state.strays; -errno. */
int engine_strays(const struct engine *e, uint64_t *ret);

/* Makes every directory state stale that the kernel side has kept (map `directories`): after the
 * meaning of a slot or a place has changed, before it is used. Tells why. */
int engine_forget_directories(struct engine *e);

/* Where a program is pinned that each agent's cgroup has of its own (user/egress.c). */
#define ENGINE_PROGRAMS_DIR "/sys/fs/bpf/hydraguard/programs"

/* Waits until no program runs that started before the call (those that cannot sleep). */
void engine_grace(void);

static inline void engine_closep(struct engine **e)
{
	engine_close(*e);
}
#define _engine_ __attribute__((cleanup(engine_closep)))

#endif
