/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How much an agent may send by its rules, and what it has spent. */
#include <bpf/bpf.h>
#include <errno.h>
#include <time.h>

#include "../policy/digest.h"
#include "budgets.h"
#include "log.h"
#include "util.h"

/* Calls for each of the agent's budgets until one returns other than 0, which is then returned. An
 * element may be deleted meanwhile by whoever is called. */
static int budgets_each(const struct engine *e, uint32_t number,
			int (*each)(const struct engine *e, const struct hg_budget_key *key,
				    const struct hg_budget *b, void *ctx),
			void *ctx)
{
	struct hg_budget_key kept, next, *at = NULL;
	struct hg_budget b;
	int r;

	while (!bpf_map_get_next_key(e->budgets, at, &next)) {
		if (next.agent == number && !bpf_map_lookup_elem(e->budgets, &next, &b)) {
			r = each(e, &next, &b, ctx);
			if (r)
				return r;
			if (bpf_map_lookup_elem(e->budgets, &next, &b))
				continue;
		}
		kept = next;
		at = &kept;
	}
	return 0;
}

/* The part of the rule that is not its options: who raises a limit does not forget what was spent.
 */
static uint64_t rule_text(const struct policy_rule *rule)
{
	const char *options = strrchr(rule->text, '[');

	return digest_add(DIGEST_START, rule->text,
			  options ? (size_t)(options - rule->text) : strlen(rule->text));
}

struct carried {
	uint32_t generation;
	struct hg_budget *to;
};

static int carry(const struct engine *e, const struct hg_budget_key *key, const struct hg_budget *b,
		 void *ctx)
{
	struct carried *c = ctx;

	if (key->generation == c->generation || b->text != c->to->text || b->begun < c->to->begun)
		return 0;
	c->to->begun = b->begun;
	c->to->spent = b->spent;
	c->to->cut = b->cut;
	return 0;
}

static int budget_install(const struct engine *e, uint32_t number, uint32_t generation,
			  uint32_t rule, uint64_t text, const struct rule_budget *of)
{
	struct hg_budget_key key = {.agent = number, .generation = generation, .rule = rule};
	struct hg_budget b = {
		.limit = of->amount,
		.period = of->period_ns,
		.text = rule & HG_BUDGET_NAMES ? ~text : text,
	};
	struct carried c = {.generation = generation, .to = &b};
	int err;

	budgets_each(e, number, carry, &c);
	if (!b.begun)
		b.begun = clock_ns(CLOCK_BOOTTIME);
	if (!bpf_map_update_elem(e->budgets, &key, &b, BPF_ANY))
		return 0;
	err = -errno;
	if (err == -E2BIG)
		log_error("all agents together have more than %d rules with a budget",
			  HG_BUDGETS_MAX);
	return err == -E2BIG ? err : log_errno(err, "cannot keep the rules' budgets");
}

int budgets_install(const struct engine *e, uint32_t number, uint32_t generation,
		    const struct policy *p)
{
	int err = 0;

	for (uint32_t i = 0; i < p->n_rules && !err; i++) {
		const struct policy_rule *rule = &p->rules[i];

		if (rule->options & HG_OPT_BUDGET)
			err = budget_install(e, number, generation, i, rule_text(rule),
					     &rule->budget);
		if (!err && rule->options & HG_OPT_NAMES)
			err = budget_install(e, number, generation, i | HG_BUDGET_NAMES,
					     rule_text(rule), &rule->names);
	}
	return err;
}

static int drop(const struct engine *e, const struct hg_budget_key *key, const struct hg_budget *b,
		void *ctx)
{
	const uint32_t *keep = ctx;

	(void)b;
	if (!*keep || key->generation != *keep)
		bpf_map_delete_elem(e->budgets, key);
	return 0;
}

void budgets_remove(const struct engine *e, uint32_t number, uint32_t keep)
{
	budgets_each(e, number, drop, &keep);
}

struct reading {
	uint32_t generation;
	struct budget *items;
	size_t n;
};

static int read_one(const struct engine *e, const struct hg_budget_key *key,
		    const struct hg_budget *b, void *ctx)
{
	struct reading *r = ctx;
	struct budget *more;

	(void)e;
	if (key->generation != r->generation)
		return 0;
	more = reallocarray(r->items, r->n + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	r->items = more;
	more[r->n++] = (struct budget){
		.rule = (uint16_t)key->rule,
		.names = key->rule & HG_BUDGET_NAMES,
		.b = *b,
	};
	return 0;
}

static int by_rule(const void *a, const void *b)
{
	const struct budget *x = a, *y = b;

	return x->rule != y->rule ? x->rule - y->rule : x->names - y->names;
}

int budgets_read(const struct engine *e, uint32_t number, uint32_t generation, struct budget **ret,
		 size_t *ret_n)
{
	struct reading r = {.generation = generation};
	int err = budgets_each(e, number, read_one, &r);

	if (err) {
		free(r.items);
		return err;
	}
	if (r.n)
		qsort(r.items, r.n, sizeof(*r.items), by_rule);
	*ret = r.items;
	*ret_n = r.n;
	return 0;
}
