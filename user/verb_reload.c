/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `hydraguard reload`: an agent's policy, read again and switched to in one step. */
#include "agent.h"
#include "cli.h"
#include "log.h"
#include "state.h"
#include "util.h"
#include "verbs.h"

enum { OPT_POLICY = 1 };

static const struct option options[] = {
	{"policy", required_argument, NULL, OPT_POLICY},
	{},
};
static const struct cli cli = {
	.usage = "reload [--policy FILE] NAME",
	.help = "Reads the policy again that the agent was attached with. When it has errors, the\n"
		"one in force stays.\n\n"
		"  --policy FILE   another one, from now on\n",
	.options = options,
};

/* Paths in the record are as they were given, so where they were given. */
static int go_there(const struct agent_record *a, const char *policy)
{
	if (!policy && !strcmp(a->policy_file, "-")) {
		log_error(
			"agent %s: its policy came from standard input; name a file with --policy",
			a->name);
		return -EINVAL;
	}
	if (!policy && chdir(a->cwd))
		return log_errno(errno, "agent %s was attached from %s", a->name, a->cwd);
	return 0;
}

static int policy_replace(struct agent_record *a, const char *policy)
{
	char *cwd = getcwd(NULL, 0), *file = strdup(policy);

	if (!cwd || !file) {
		free(cwd);
		free(file);
		return log_errno(ENOMEM, "cannot reload");
	}
	free(a->cwd);
	free(a->policy_file);
	a->cwd = cwd;
	a->policy_file = file;
	return 0;
}

static int reload(const char *name, const char *policy)
{
	struct policy_params params = {.name = name, .search = cli_search};
	_record_ struct agent_record a = {};
	_engine_ struct engine *e = NULL;
	_policy_ struct policy *p = NULL;
	_close_ int lock = state_lock();
	int err;

	err = lock < 0 ? lock : cli_agent(name, &e, &a);
	if (!err)
		err = go_there(&a, policy);
	if (err)
		return exit_code(err);
	params.home = a.home;
	params.workspace = a.workspace;
	err = cli_policy(policy ? policy : a.policy_file, &params, name, &p);
	if (err)
		return err == -EINVAL ? EXIT_NO : EXIT_REFUSED;
	cli_policy_warn(p);
	if (policy)
		err = policy_replace(&a, policy);
	if (!err)
		err = cli_policy_settle(e, a.policy_file, &params, name, &p);
	if (!err)
		err = agent_reload(e, &a, p);
	if (!err)
		log_note("%s: generation %u is in force", name, a.generation);
	return exit_code(err);
}

int verb_reload(int argc, char **argv)
{
	const char *policy = NULL;
	int c, code, err;

	while ((c = cli_next(&cli, argc, argv, &code)) != -1) {
		if (c == -2)
			return code;
		policy = optarg;
	}
	if (argc - optind != 1)
		return cli_usage(&cli, "give the NAME of one agent");
	err = cli_need_root();
	return err ? exit_code(err) : reload(argv[optind], policy);
}
