/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `hydraguard status`: agents with every counter there is, by rule. */
#include <inttypes.h>

#include "cli.h"
#include "json.h"
#include "keeper.h"
#include "log.h"
#include "reasons.h"
#include "survey.h"
#include "text.h"
#include "util.h"
#include "verbs.h"

enum { OPT_JSON = 1 };

static const struct option options[] = {
	{"json", no_argument, NULL, OPT_JSON},
	{},
};
static const struct cli cli = {
	.usage = "status [--json] [NAME]",
	.help = "What was denied or logged adds up to the rules' hits, those of generations no "
		"longer\n"
		"kept, and what found no room to be counted by rule.\n",
	.options = options,
};

static uint64_t rules_hits(const struct survey_agent *a)
{
	uint64_t sum = a->record.retired_hits;
	size_t i;

	for (i = 0; i < a->n_rules; i++)
		sum += a->rules[i].hits;
	return sum;
}

static const char *why_name(uint8_t why)
{
	return why < HG_N_WHY ? reasons[why].name : "?";
}

static struct json_object *rule_json(const struct survey_rule *r, int *err)
{
	struct json_object *o = json_object_new_object();

	json_add_u64(o, "generation", r->generation, err);
	if (r->rule != HG_RULE_NONE)
		json_add_u64(o, "rule", r->rule, err);
	json_add_text(o, "rule_at", r->at, err);
	json_add_text(o, "text", r->text, err);
	json_add_text(o, "reason", why_name(r->why), err);
	json_add_u64(o, "hits", r->hits, err);
	json_add_u64(o, "lost", r->lost, err);
	return o;
}

static struct json_object *budget_json(const struct survey_budget *b, int *err)
{
	struct json_object *o = json_object_new_object();

	json_add_u64(o, "rule", b->rule, err);
	json_add_text(o, "rule_at", b->at, err);
	json_add_text(o, "text", b->text, err);
	json_add_u64(o, b->names ? "limit_names" : "limit_bytes", b->limit, err);
	json_add_u64(o, b->names ? "asked_names" : "spent_bytes", b->spent, err);
	if (b->period) {
		json_add_u64(o, "period_s", b->period / 1000000000, err);
		json_add_u64(o, "left_s", b->left_ns / 1000000000, err);
	}
	json_add_u64(o, b->names ? "questions_cut" : "packets_cut", b->cut, err);
	return o;
}

static struct json_object *agent_json(const struct survey_agent *a, int *err)
{
	struct json_object *o = json_object_new_object(), *rules = json_object_new_array();
	struct json_object *budgets = json_object_new_array();
	char time[TIME_TEXT_LEN + 1];
	size_t i;

	time_text(a->record.attached, time);
	json_add_text(o, "name", a->record.name, err);
	json_add_text(o, "policy", a->record.policy_name, err);
	json_add_text(o, "policy_file", a->record.policy_file, err);
	json_add_u64(o, "generation", a->record.generation, err);
	json_add_text(o, "mode", a->mode == HG_AUDIT ? "audit" : "enforce", err);
	json_add_flag(o, "confined", a->live && !a->missing, err);
	json_add_text(o, "cgroup", a->record.cgroup, err);
	json_add_flag(o, "cgroup_gone", a->cgroup_gone, err);
	json_add_text(o, "attached", time, err);
	json_add_u64(o, "processes", a->n_processes, err);
	json_add_u64(o, "strays", a->n_strays, err);
	json_add_u64(o, "denied", a->denied, err);
	json_add_u64(o, "logged", a->logged, err);
	json_add_u64(o, "lost", a->lost, err);
	json_add_u64(o, "uncounted", a->uncounted, err);
	json_add_u64(o, "retired_hits", a->record.retired_hits, err);
	json_add(o, "rules", rules, err);
	for (i = 0; i < a->n_rules && !*err; i++)
		json_append(rules, rule_json(&a->rules[i], err), err);
	json_add(o, "budgets", budgets, err);
	for (i = 0; i < a->n_budgets && !*err; i++)
		json_append(budgets, budget_json(&a->budgets[i], err), err);
	return o;
}

static int print_json(const struct survey *s)
{
	_json_ struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();
	int err = o ? 0 : -ENOMEM;
	size_t i;

	json_add_flag(o, "loaded", s->loaded, &err);
	json_add_flag(o, "keeper", keeper_alive(NULL), &err);
	json_add_u64(o, "strays", s->strays, &err);
	json_add_u64(o, "damaged", s->n_broken, &err);
	json_add_u64(o, "unknown", s->n_unknown, &err);
	json_add(o, "agents", list, &err);
	for (i = 0; i < s->n && !err; i++)
		json_append(list, agent_json(&s->agents[i], &err), &err);
	return err ? err : json_print(o);
}

static void put(const char *text)
{
	text_show(stdout, text, strlen(text));
}

static void print_rule(const struct survey_agent *a, const struct survey_rule *r)
{
	printf("  %8" PRIu64 " %6" PRIu64 "  ", r->hits, r->lost);
	if (r->text) {
		put(r->text);
		fputs(" (", stdout);
		put(r->at);
		fputs(")", stdout);
	} else if (r->rule != HG_RULE_NONE) {
		printf("rule %u", r->rule);
	}
	if (r->why != HG_WHY_RULE)
		printf("%s%s", r->rule == HG_RULE_NONE ? "" : "; ",
		       r->why < HG_N_WHY ? reasons[r->why].words : "?");
	if (r->generation != a->record.generation)
		printf(" [generation %u]", r->generation);
	putchar('\n');
}

static void print_bytes(uint64_t n)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double size = (double)n;
	size_t i;

	for (i = 0; size >= 1024 && i + 1 < ARRAY_SIZE(units); i++)
		size /= 1024;
	printf("%.*f %s", i && size < 10 ? 1 : 0, size, units[i]);
}

static void print_budget(const struct survey_budget *b)
{
	if (b->names) {
		printf("  asked for %" PRIu64 " of %" PRIu64 " names", b->spent, b->limit);
	} else {
		fputs("  sent ", stdout);
		print_bytes(b->spent);
		fputs(" of ", stdout);
		print_bytes(b->limit);
	}
	if (b->left_ns)
		printf(", anew in %" PRIu64 " s", b->left_ns / 1000000000 + 1);
	if (b->cut)
		printf("; %" PRIu64 " %s dropped", b->cut, b->names ? "questions" : "packets");
	fputs("  ", stdout);
	put(b->text ? b->text : "?");
	printf(" (");
	put(b->at ? b->at : "?");
	puts(")");
}

static void print_agent(const struct survey_agent *a)
{
	size_t i;

	printf("%s: policy %s, generation %u, %s%s\n", a->record.name, a->record.policy_name,
	       a->record.generation, a->mode == HG_AUDIT ? "audit" : "enforce",
	       !a->live ? " — NOT CONFINED" : a->missing ? " — NETWORK NOT WATCHED" : "");
	fputs("  cgroup ", stdout);
	put(a->record.cgroup);
	printf("%s, %zu processes", a->cgroup_gone ? " (gone)" : "", a->n_processes);
	if (a->n_strays)
		printf(", %zu more elsewhere", a->n_strays);
	printf("\n  %" PRIu64 " denied, %" PRIu64 " logged, %" PRIu64 " events lost", a->denied,
	       a->logged, a->lost);
	if (a->uncounted)
		printf(", %" PRIu64 " not counted by rule", a->uncounted);
	putchar('\n');
	if (a->n_rules)
		printf("  %8s %6s  %s\n", "HITS", "LOST", "BY");
	for (i = 0; i < a->n_rules; i++)
		print_rule(a, &a->rules[i]);
	for (i = 0; i < a->n_budgets; i++)
		print_budget(&a->budgets[i]);
	if (a->record.retired_hits)
		printf("  %8" PRIu64 "         by rules of older generations\n",
		       a->record.retired_hits);
}

static void warn(const struct survey *s)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		const struct survey_agent *a = &s->agents[i];

		if (!a->live)
			log_warn("WARNING: agent %s is NOT CONFINED: the kernel does not hold it",
				 a->record.name);
		else if (a->missing)
			log_warn("WARNING: agent %s: the program %s is not on its cgroup any more: "
				 "detach it and attach it anew",
				 a->record.name, a->missing);
		/* Decisions made while these were read make for small differences. */
		else if (rules_hits(a) + a->uncounted < a->denied + a->logged)
			log_verbose("agent %s: %" PRIu64 " hits for %" PRIu64 " decisions",
				    a->record.name, rules_hits(a) + a->uncounted,
				    a->denied + a->logged);
	}
	keeper_warn();
}

int verb_status(int argc, char **argv)
{
	_survey_ struct survey s = {};
	bool json = false;
	int c, code, err;
	size_t i;

	while ((c = cli_next(&cli, argc, argv, &code)) != -1) {
		if (c == -2)
			return code;
		json = true;
	}
	if (argc - optind > 1)
		return cli_usage(&cli, "give one NAME, or none for all");
	err = cli_need_root();
	if (!err)
		err = survey_make(argv[optind], true, &s);
	if (err)
		return exit_code(err);
	warn(&s);
	if (json)
		return print_json(&s) || s.n_broken ? EXIT_REFUSED : EXIT_DONE;
	if (!s.n)
		survey_none(&s);
	for (i = 0; i < s.n; i++)
		print_agent(&s.agents[i]);
	return s.n_broken ? EXIT_REFUSED : EXIT_DONE;
}
