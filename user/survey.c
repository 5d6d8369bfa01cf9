/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Looking at agents without changing anything. */
#include <bpf/bpf.h>
#include <time.h>

#include "agent.h"
#include "budgets.h"
#include "agent_processes.h"
#include "cgroup.h"
#include "egress.h"
#include "log.h"
#include "state.h"
#include "survey.h"
#include "util.h"

static void rules_clear(struct survey_agent *a)
{
	size_t i;

	for (i = 0; i < a->n_rules; i++) {
		free(a->rules[i].at);
		free(a->rules[i].text);
	}
	free(a->rules);
	for (i = 0; i < a->n_budgets; i++) {
		free(a->budgets[i].at);
		free(a->budgets[i].text);
	}
	free(a->budgets);
}

void survey_clear(struct survey *s)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		agent_record_clear(&s->agents[i].record);
		rules_clear(&s->agents[i]);
	}
	free(s->agents);
	for (i = 0; i < s->n_broken; i++)
		free(s->broken[i]);
	free(s->broken);
	*s = (struct survey){};
}

static int rule_compare(const void *a, const void *b)
{
	const struct survey_rule *x = a, *y = b;

	if (x->generation != y->generation)
		return x->generation < y->generation ? -1 : 1;
	if (x->rule != y->rule)
		return x->rule < y->rule ? -1 : 1;
	return x->why - y->why;
}

static int rules_count(const struct engine *e, struct survey_agent *a)
{
	struct hg_counter_key at, next, *from = NULL;
	struct survey_rule *more;
	struct hg_counter c;

	while (!bpf_map_get_next_key(e->counters, from, &next)) {
		at = next;
		from = &at;
		if (next.agent != a->record.number || bpf_map_lookup_elem(e->counters, &next, &c))
			continue;
		more = reallocarray(a->rules, a->n_rules + 1, sizeof(*more));
		if (!more)
			return -ENOMEM;
		a->rules = more;
		more[a->n_rules++] = (struct survey_rule){
			.generation = next.generation,
			.rule = next.rule,
			.why = next.reason,
			.hits = c.hits,
			.lost = c.lost,
		};
	}
	if (a->n_rules)
		qsort(a->rules, a->n_rules, sizeof(*a->rules), rule_compare);
	return 0;
}

static int rule_named(const struct generation_record *g, uint16_t rule, char **ret_text,
		      char **ret_at)
{
	if (rule >= g->n_rules)
		return 0;
	*ret_text = strdup(g->rules[rule].text);
	if (*ret_text && asprintf(ret_at, "%s:%u", g->rules[rule].file, g->rules[rule].line) >= 0)
		return 0;
	*ret_at = NULL;
	return -ENOMEM;
}

static struct survey_budget budget_seen(const struct budget *b)
{
	uint64_t age = clock_ns(CLOCK_BOOTTIME) - b->b.begun;
	bool over = b->b.period && age >= b->b.period;

	return (struct survey_budget){
		.rule = b->rule,
		.names = b->names,
		.limit = b->b.limit,
		.spent = over			   ? 0
			 : b->b.spent > b->b.limit ? b->b.limit
						   : b->b.spent,
		.period = b->b.period,
		.left_ns = !b->b.period || over ? 0 : b->b.period - age,
		.cut = b->b.cut,
	};
}

static int budgets_look(const struct engine *e, int dir, struct survey_agent *a)
{
	_generation_ struct generation_record g = {};
	_free_ struct budget *found = NULL;
	size_t n = 0, i;
	int err = budgets_read(e, a->record.number, a->record.generation, &found, &n);

	if (err || !n)
		return err;
	generation_read(dir, a->record.name, a->record.generation, &g);
	a->budgets = calloc(n, sizeof(*a->budgets));
	if (!a->budgets)
		return -ENOMEM;
	for (i = 0; i < n && !err; i++) {
		struct survey_budget *b = &a->budgets[a->n_budgets++];

		*b = budget_seen(&found[i]);
		err = rule_named(&g, b->rule, &b->text, &b->at);
	}
	return err;
}

/* Rules of generations whose table is gone keep their numbers. */
static int rules_name(int dir, struct survey_agent *a)
{
	_generation_ struct generation_record g = {};
	struct survey_rule *r;
	int err;

	for (r = a->rules; r < a->rules + a->n_rules; r++) {
		if (r->generation != g.generation) {
			generation_clear(&g);
			if (generation_read(dir, a->record.name, r->generation, &g))
				g.generation = r->generation;
		}
		err = rule_named(&g, r->rule, &r->text, &r->at);
		if (err)
			return err;
	}
	return 0;
}

static void agent_processes_look(const struct engine *e, struct survey_agent *a)
{
	_close_ int fd = cgroup_open(a->record.cgroup);
	uint64_t id = 0;
	size_t own = 0;

	/* Another cgroup of that name may have been made since. */
	a->cgroup_gone = fd < 0 || cgroup_id(fd, &id) || id != a->record.cgroup_id;
	if (!a->cgroup_gone)
		cgroup_count(fd, &a->n_processes);
	if (e && a->live && !agent_processes(e, &a->record, &own) && own > a->n_processes)
		a->n_strays = own - a->n_processes;
}

static int agent_look(const struct engine *e, int dir, bool rules, struct survey_agent *a)
{
	const struct hg_agent *live;
	int err = 0;

	a->live = e && agent_is_live(e, &a->record);
	agent_processes_look(e, a);
	if (!a->live)
		return 0;
	if (!a->cgroup_gone)
		a->missing = egress_missing(a->record.number, a->record.cgroup_id);
	live = &e->agent[a->record.number];
	a->mode = live->mode;
	a->denied = live->denied;
	a->logged = live->logged;
	a->lost = live->lost;
	a->uncounted = live->uncounted;
	if (rules) {
		err = rules_count(e, a);
		if (!err)
			err = rules_name(dir, a);
		if (!err)
			err = budgets_look(e, dir, a);
	}
	return err;
}

static int agents_look(const struct engine *e, int dir, const char *name, bool rules,
		       struct records *agents, struct survey *s)
{
	size_t i;
	int err;

	s->agents = calloc(agents->n ? agents->n : 1, sizeof(*s->agents));
	if (!s->agents)
		return -ENOMEM;
	for (i = 0; i < agents->n; i++) {
		if (name && strcmp(agents->items[i].name, name))
			continue;
		s->agents[s->n].record = agents->items[i];
		agents->items[i] = (struct agent_record){};
		err = agent_look(e, dir, rules, &s->agents[s->n++]);
		if (err)
			return err;
	}
	return 0;
}

static size_t unknown_count(const struct engine *e, const struct survey *s)
{
	size_t n = 0, i;
	uint32_t number;

	for (number = 1; number < HG_AGENTS_MAX; number++) {
		if (!e->agent[number].uid)
			continue;
		for (i = 0; i < s->n && s->agents[i].record.number != number; i++)
			;
		n += i == s->n;
	}
	return n;
}

static int survey_once(const char *name, bool rules, struct survey *ret)
{
	_close_ int dir = agents_dir_open(false);
	_records_ struct records agents = {};
	_engine_ struct engine *e = NULL;
	_survey_ struct survey s = {};
	int err;

	err = dir == -ENOENT ? 0 : dir < 0 ? dir : records_read(dir, &agents);
	if (!err)
		err = engine_open(&e);
	if (err && err != -ENOENT)
		return err;
	s.loaded = e;
	err = agents_look(e, dir, name, rules, &agents, &s);
	if (err)
		return log_errno(err, "cannot look at the agents");
	if (e && !name)
		s.n_unknown = unknown_count(e, &s);
	if (e)
		engine_strays(e, &s.strays);
	s.broken = take(agents.broken);
	s.n_broken = agents.n_broken;
	agents.n_broken = 0;
	/* The broken ones' own numbers are among them. */
	s.n_unknown -= s.n_unknown < s.n_broken ? s.n_unknown : s.n_broken;
	*ret = s;
	s = (struct survey){};
	return 0;
}

/* Something that is never so, but for a moment while an agent comes or goes. */
static bool survey_doubtful(const struct survey *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (!s->agents[i].live)
			return true;
	return s->n_broken || s->n_unknown;
}

int survey_make(const char *name, bool rules, struct survey *ret)
{
	_survey_ struct survey s = {};
	_close_ int lock = -1;
	int err;

	err = survey_once(name, rules, &s);
	if (!err && survey_doubtful(&s)) {
		lock = state_lock();
		survey_clear(&s);
		err = lock < 0 ? lock : survey_once(name, rules, &s);
	}
	if (err)
		return err;
	records_tell_broken(&(struct records){.broken = s.broken, .n_broken = s.n_broken});
	if (name && !s.n) {
		log_error("no agent is named \"%s\"; `hydraguard list` says which there are", name);
		return -ENOENT;
	}
	*ret = s;
	s = (struct survey){};
	return 0;
}

void survey_none(const struct survey *s)
{
	puts(s->loaded ? "no agents; the kernel side is loaded, and waits for the next one"
		       : "nothing is loaded, so there are no agents");
}
