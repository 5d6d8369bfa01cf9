/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What an agent's cgroup has of its own: the programs that see its packets and payloads, the names
 * that addresses were learned by, the resolvers that it may ask. Under state_lock(). All tell why.
 */
#ifndef HG_EGRESS_H
#define HG_EGRESS_H

#include "engine.h"
#include "../policy/policy.h"

/* Before the agent is confined; what it has of the sort already stays. cgroup: its descriptor. */
int egress_attach(struct engine *e, uint32_t number, int cgroup, const struct policy *p);
/* The policy's resolvers; where it names none those of /etc/resolv.conf, as they are now. */
int egress_resolvers(struct engine *e, uint32_t number, const struct policy *p);
/* The first of those programs that is not on the agent's cgroup any more; NULL: all are. */
const char *egress_missing(uint32_t number, uint64_t cgroup_id);
/* From a half-done attach as well. */
void egress_detach(struct engine *e, uint32_t number);

#endif
