/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The processes that are an agent's by their own record, in its cgroup or not. */
#ifndef HG_AGENT_PROCESSES_H
#define HG_AGENT_PROCESSES_H

#include "engine.h"
#include "record.h"

/* How many there are; -errno without a message. */
int agent_processes(const struct engine *e, const struct agent_record *a, size_t *ret);

/* Kills them, also those that have left its cgroup, and waits until there is none. -EBUSY: some
 * stay; then the agent must stay attached, or they would be free. Tells why. */
int agent_processes_end(const struct engine *e, const struct agent_record *a);

#endif
