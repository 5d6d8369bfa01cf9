/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Looking at agents without changing anything: for `list` and `status`. */
#ifndef HG_SURVEY_H
#define HG_SURVEY_H

#include "engine.h"
#include "record.h"

struct survey_rule {
	uint32_t generation;
	uint16_t rule; /* HG_RULE_NONE: none */
	uint8_t why;   /* enum hg_why */
	uint64_t hits, lost;
	char *at, *text; /* NULL: no rule, or its table is gone */
};

struct survey_budget {
	uint16_t rule;
	bool names;				/* how many may be asked for, not bytes sent */
	uint64_t limit, spent, period, left_ns; /* bytes or names; ns; until it begins anew */
	uint64_t cut;				/* packets or questions dropped */
	char *at, *text;			/* as in struct survey_rule */
};

struct survey_agent {
	struct agent_record record;
	bool live; /* the kernel holds it; otherwise it is not confined */
	bool cgroup_gone;
	const char *missing; /* a program that should be on its cgroup, and is not any more; or NULL */
	uint32_t mode; /* enum hg_mode */
	uint64_t denied, logged, lost, uncounted;
	size_t n_processes;	   /* in its cgroup */
	size_t n_strays;	   /* its own, but elsewhere */
	struct survey_rule *rules; /* by generation, then rule */
	size_t n_rules;
	struct survey_budget *budgets; /* of the generation in force, by rule */
	size_t n_budgets;
};

struct survey {
	struct survey_agent *agents;
	size_t n;
	bool loaded;
	char **broken; /* names of those whose record is damaged */
	size_t n_broken;
	size_t n_unknown; /* in the kernel, but not written down */
	uint64_t strays;  /* hg_state.strays */
};

/* name: only that agent, -ENOENT where there is none; NULL: all. rules: with their counters.
 * Tells why. */
int survey_make(const char *name, bool rules, struct survey *ret);
void survey_clear(struct survey *s);
#define _survey_ __attribute__((cleanup(survey_clear)))

/* Says that there are no agents, and whether the kernel side is loaded all the same. */
void survey_none(const struct survey *s);

#endif
