/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Agents: cgroups with a policy. All functions are called under state_lock() and tell why they
 * fail; what they began is then undone.
 *
 * The order of writes leaves no moment in which a process of the agent is not confined: the policy
 * and everything it needs first, then the agent, then its cgroup, then what is in it already.
 */
#ifndef HG_AGENT_H
#define HG_AGENT_H

#include "engine.h"
#include "record.h"
#include "../policy/policy.h"

struct agent_request {
	const char *name;   /* NULL: made from the policy's name */
	const char *cgroup; /* directory */
	bool made_cgroup;
	const char *policy_file, *home, *workspace; /* as given; see struct agent_record */
};

/* 0 with *ret (to be cleared). -EEXIST, -EBUSY, -EPERM: refused. */
int agent_attach(struct engine *e, const struct agent_request *req, const struct policy *p,
		 struct agent_record *ret);

/* Puts another policy in force; the old one stays when this fails. Updates *a. */
int agent_reload(struct engine *e, struct agent_record *a, const struct policy *p);

/* What an agent had done when it was detached. */
struct agent_totals {
	uint64_t denied, logged, lost, uncounted;
};

/* From here on its processes are nobody's. Drains its ring. ret may be NULL. */
int agent_detach(struct engine *e, const struct agent_record *a, struct agent_totals *ret);

/* Is the number in the kernel still this agent? */
bool agent_is_live(const struct engine *e, const struct agent_record *a);

/* Its first free default name: "POLICY-1", "POLICY-2", ... */
int agent_default_name(const struct records *agents, const char *policy, char **ret);

#endif
