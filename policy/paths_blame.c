/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Naming the rules that make an automaton too big. */
#include <errno.h>

#include "paths.h"

int paths_blame(struct ruleset_error *error, const uint64_t *weight, size_t n_rules,
		const char *what)
{
	const unsigned max = sizeof(error->blamed) / sizeof(*error->blamed);
	bool *told = calloc(n_rules + 1, sizeof(*told));
	uint64_t top = 0;
	size_t best, i;
	unsigned n;

	ruleset_fail(error, -E2BIG, 0, "the policy's automaton grows past its limit: %s", what);
	for (n = 0; error && told && n < max; n++) {
		best = n_rules;
		for (i = 0; i < n_rules; i++)
			if (!told[i] && (best == n_rules || weight[i] > weight[best]))
				best = i;
		/* Rules with a small share are bystanders. */
		if (best == n_rules || !weight[best] || weight[best] < top / 8)
			break;
		top = n ? top : weight[best];
		told[best] = true;
		error->blamed[n] = (uint16_t)best;
		error->n_blamed = n + 1;
	}
	free(told);
	return -E2BIG;
}
