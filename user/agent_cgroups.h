/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which cgroups are an agent's. Functions tell why they fail. */
#ifndef HG_AGENT_CGROUPS_H
#define HG_AGENT_CGROUPS_H

#include "engine.h"
#include "record.h"

/* A cgroup that may become an agent's: not the root, and neither at, in nor around another agent's.
 */
int agent_cgroup_open(const struct engine *e, const struct records *agents, const char *path,
		      int *ret_fd, uint64_t *ret_id);

/* Makes a cgroup and all below it the agent's, then the processes in them. */
int agent_cgroups_add(const struct engine *e, const struct agent_record *a, int cgroup);

/* Takes all of an agent's cgroups out, whether they exist or not. */
void agent_cgroups_remove(const struct engine *e, uint32_t number);

#endif
