/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `hydraguard list`: the agents, a line each. */
#include <inttypes.h>

#include "cli.h"
#include "json.h"
#include "keeper.h"
#include "log.h"
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
	.usage = "list [--json]",
	.options = options,
};

static const char *agent_state(const struct survey_agent *a)
{
	if (!a->live)
		return "NOT CONFINED";
	if (a->missing)
		return "NETWORK NOT WATCHED";
	if (a->cgroup_gone)
		return "cgroup gone";
	return a->mode == HG_AUDIT ? "audit" : "enforce";
}

static struct json_object *agent_json(const struct survey_agent *a, int *err)
{
	struct json_object *o = json_object_new_object();
	char time[TIME_TEXT_LEN + 1];

	time_text(a->record.attached, time);
	json_add_text(o, "name", a->record.name, err);
	json_add_text(o, "policy", a->record.policy_name, err);
	json_add_text(o, "policy_file", a->record.policy_file, err);
	json_add_u64(o, "generation", a->record.generation, err);
	json_add_text(o, "mode", a->mode == HG_AUDIT ? "audit" : "enforce", err);
	json_add_flag(o, "confined", a->live && !a->missing, err);
	json_add_u64(o, "processes", a->n_processes, err);
	json_add_u64(o, "strays", a->n_strays, err);
	json_add_u64(o, "denied", a->denied, err);
	json_add_u64(o, "logged", a->logged, err);
	json_add_u64(o, "lost", a->lost, err);
	json_add_text(o, "cgroup", a->record.cgroup, err);
	json_add_flag(o, "cgroup_gone", a->cgroup_gone, err);
	json_add_text(o, "attached", time, err);
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
	json_add_u64(o, "damaged", s->n_broken, &err);
	json_add_u64(o, "unknown", s->n_unknown, &err);
	json_add(o, "agents", list, &err);
	for (i = 0; i < s->n && !err; i++)
		json_append(list, agent_json(&s->agents[i], &err), &err);
	return err ? err : json_print(o);
}

static int column(const struct survey *s, size_t at)
{
	size_t i, widest = 6;

	for (i = 0; i < s->n; i++) {
		const char *text = *(char **)((char *)&s->agents[i] + at);
		size_t len = strlen(text);

		widest = len > widest ? len : widest;
	}
	return widest > 40 ? 40 : widest;
}

static void print_table(const struct survey *s)
{
	int name = column(s, offsetof(struct survey_agent, record.name));
	int policy = column(s, offsetof(struct survey_agent, record.policy_name));
	size_t i;

	if (!s->n) {
		survey_none(s);
		return;
	}
	printf("%-*s  %-*s  %4s  %-12s %5s %8s %8s  %s\n", name, "AGENT", policy, "POLICY", "GEN",
	       "STATE", "PROCS", "DENIED", "LOST", "CGROUP");
	for (i = 0; i < s->n; i++) {
		const struct survey_agent *a = &s->agents[i];

		printf("%-*s  %-*s  %4u  %-12s %5zu %8" PRIu64 " %8" PRIu64 "  ", name,
		       a->record.name, policy, a->record.policy_name, a->record.generation,
		       agent_state(a), a->n_processes, a->denied, a->lost);
		text_show(stdout, a->record.cgroup, strlen(a->record.cgroup));
		putchar('\n');
	}
}

/* Nothing of this may be overlooked. */
static void warn(const struct survey *s)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		if (!s->agents[i].live)
			log_warn("WARNING: agent %s is NOT CONFINED: the kernel does not hold it",
				 s->agents[i].record.name);
		if (s->agents[i].n_strays)
			log_warn("agent %s: %zu of its processes are outside of its cgroup (they "
				 "are confined)",
				 s->agents[i].record.name, s->agents[i].n_strays);
	}
	if (s->n_unknown)
		log_warn("%zu agents are in the kernel but not written down; `hydraguard unload "
			 "--force` clears up",
			 s->n_unknown);
	keeper_warn();
}

int verb_list(int argc, char **argv)
{
	_survey_ struct survey s = {};
	bool json = false;
	int c, code, err;

	while ((c = cli_next(&cli, argc, argv, &code)) != -1) {
		if (c == -2)
			return code;
		json = true;
	}
	if (argc != optind)
		return cli_usage(&cli, "list takes no argument");
	err = cli_need_root();
	if (!err)
		err = survey_make(NULL, false, &s);
	if (err)
		return exit_code(err);
	warn(&s);
	if (json)
		err = print_json(&s);
	else
		print_table(&s);
	return err || s.n_broken ? EXIT_REFUSED : EXIT_DONE;
}
