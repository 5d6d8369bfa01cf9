/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How much an agent may send by its rules, and what it has spent. */
#ifndef HG_BUDGETS_H
#define HG_BUDGETS_H

#include "engine.h"
#include "../policy/policy.h"

/* Of a policy that is not in force yet. A rule that reads as one of the agent's now keeps what that
 * has spent, if its limit is another or not. Tells why. */
int budgets_install(const struct engine *e, uint32_t number, uint32_t generation,
		    const struct policy *p);
/* All the agent's but those of generation `keep`; 0: all. */
void budgets_remove(const struct engine *e, uint32_t number, uint32_t keep);

struct budget {
	uint16_t rule;
	bool names; /* of [names=], not [budget=] */
	struct hg_budget b;
};
/* Those of a generation, by rule, to be freed. */
int budgets_read(const struct engine *e, uint32_t number, uint32_t generation, struct budget **ret,
		 size_t *ret_n);

#endif
