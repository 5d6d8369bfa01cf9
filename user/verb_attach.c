/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `hydraguard attach`: a cgroup that something else made, with all that is in it. */
#include <pwd.h>

#include "agent.h"
#include "agent_processes.h"
#include "cgroup.h"
#include "cli.h"
#include "held.h"
#include "json.h"
#include "keeper.h"
#include "log.h"
#include "run_child.h"
#include "state.h"
#include "util.h"
#include "verbs.h"

enum {
	OPT_CGROUP = 1,
	OPT_PID,
	OPT_UNIT,
	OPT_POLICY,
	OPT_NAME,
	OPT_HOME,
	OPT_USER,
	OPT_WORKSPACE,
	OPT_JSON,
};

static const struct option options[] = {
	{"cgroup", required_argument, NULL, OPT_CGROUP},
	{"pid", required_argument, NULL, OPT_PID},
	{"unit", required_argument, NULL, OPT_UNIT},
	{"policy", required_argument, NULL, OPT_POLICY},
	{"name", required_argument, NULL, OPT_NAME},
	{"home", required_argument, NULL, OPT_HOME},
	{"user", required_argument, NULL, OPT_USER},
	{"workspace", required_argument, NULL, OPT_WORKSPACE},
	{"json", no_argument, NULL, OPT_JSON},
	{},
};
static const struct cli cli = {
	.usage = "attach --cgroup DIR | --pid PID | --unit NAME --policy FILE [OPTION]...",
	.help = "Confines everything in a cgroup, now and later, until `hydraguard detach`.\n\n"
		"  --cgroup DIR      the cgroup's directory\n"
		"  --pid PID         the cgroup that process PID is in\n"
		"  --unit NAME       the cgroup of a systemd unit that runs; when the unit is "
		"started\n"
		"                    anew it has a new cgroup, which is to be attached anew\n"
		"  --policy FILE     the policy; a shipped one by its name\n"
		"  --name NAME       the agent's name (default: the policy's, numbered)\n"
		"  --home DIR        ${home} in the policy\n"
		"  --user USER       ${home} is USER's home\n"
		"  --workspace DIR   instead of the policy's `workspace`\n"
		"  --json            one object: the agent, and what its processes hold\n"
		"What the processes have open already stays open to them: what of it the policy "
		"would\n"
		"deny is told on standard error.\n",
	.options = options,
};

struct attach {
	const char *cgroup, *pid, *unit, *user;
	const char *policy, *name, *home, *workspace;
	bool json;
};

static int options_read(struct attach *a, int argc, char **argv, int *ret_exit)
{
	const char **const at[] = {
		[OPT_CGROUP] = &a->cgroup, [OPT_PID] = &a->pid,
		[OPT_UNIT] = &a->unit,	   [OPT_POLICY] = &a->policy,
		[OPT_NAME] = &a->name,	   [OPT_HOME] = &a->home,
		[OPT_USER] = &a->user,	   [OPT_WORKSPACE] = &a->workspace,
	};
	int c;

	while ((c = cli_next(&cli, argc, argv, ret_exit)) != -1) {
		if (c == -2)
			return -EINVAL;
		if (c == OPT_JSON)
			a->json = true;
		else
			*at[c] = optarg;
	}
	if (argc != optind)
		*ret_exit = cli_usage(&cli, "\"%s\" is not expected", argv[optind]);
	else if (!!a->cgroup + !!a->pid + !!a->unit != 1)
		*ret_exit = cli_usage(&cli, "give one of --cgroup, --pid and --unit");
	else if (!a->policy)
		*ret_exit = cli_usage(&cli, "give a policy with --policy");
	else if (a->home && a->user)
		*ret_exit = cli_usage(&cli, "give --home or --user");
	else
		return 0;
	return -EINVAL;
}

/* A login session's cgroup holds a person's shell beside the process that was meant. */
static int session_refuse(const char *path)
{
	const char *last = strrchr(path, '/') + 1;
	size_t len = strlen(last);

	if (strncmp(last, "session-", 8) || len < 6 || strcmp(last + len - 6, ".scope"))
		return 0;
	log_error("%s is a login session: the person's own shell would be confined as well. Start "
		  "the "
		  "process with `hydraguard run` or `systemd-run --scope` instead, or name the "
		  "cgroup with --cgroup if the whole session is meant",
		  path);
	return -EPERM;
}

static int cgroup_find(const struct attach *a, char **ret)
{
	_free_ char *mount = NULL;
	uint64_t pid;
	int err;

	if (a->cgroup) {
		*ret = realpath(a->cgroup, NULL);
		return *ret ? 0 : log_errno(errno, "cgroup %s", a->cgroup);
	}
	err = cgroup_mount(&mount);
	if (err == -ENOENT) {
		log_error("no cgroup2 hierarchy is mounted");
		return -EOPNOTSUPP;
	}
	if (err)
		return log_errno(err, "cannot use the cgroup2 hierarchy");
	if (a->unit) {
		err = cgroup_of_unit(mount, a->unit, ret);
		return err ? log_errno(err,
				       err == -ENOENT ? "unit %s has no cgroup: is it running?"
						      : "unit %s",
				       a->unit)
			   : 0;
	}
	err = parse_u64(a->pid, INT32_MAX, &pid);
	if (!err)
		err = cgroup_of_pid(mount, pid, ret);
	if (err)
		return log_errno(err, "process %s", a->pid);
	return session_refuse(*ret);
}

static int attached_json(const struct agent_record *agent, size_t n_processes,
			 const struct helds *held, const struct policy *p)
{
	_json_ struct json_object *o = json_object_new_object();
	int err = o ? 0 : -ENOMEM;

	json_add_text(o, "name", agent->name, &err);
	json_add_text(o, "cgroup", agent->cgroup, &err);
	json_add_u64(o, "processes", n_processes, &err);
	json_add_u64(o, "unread", held->n_unread, &err);
	json_add(o, "held", held_json(held, p, &err), &err);
	return err ? err : json_print(o);
}

/* Confined the processes are by now, so a failure here undoes nothing. */
static int attached_tell(const struct attach *a, const struct engine *e,
			 const struct agent_record *agent, const struct policy *p)
{
	_held_ struct helds held = {};
	size_t n = 0;
	int err;

	agent_processes(e, agent, &n);
	log_note("%s is attached to %s, with %zu processes", agent->name, agent->cgroup, n);
	err = held_find(agent->cgroup, p, &held);
	if (err)
		log_warn("cannot tell what the processes have open: %s", strerror(-err));
	held_print(&held, p);
	return a->json ? attached_json(agent, n, &held, p) : 0;
}

static int attach_locked(const struct attach *a, const char *cgroup,
			 const struct policy_params *params, struct policy **p)
{
	struct agent_request req = {
		.name = a->name,
		.cgroup = cgroup,
		.policy_file = a->policy,
		.home = a->home,
		.workspace = a->workspace,
	};
	_record_ struct agent_record agent = {};
	_engine_ struct engine *e = NULL;
	_close_ int lock = state_lock();
	int err;

	err = lock < 0 ? lock : engine_load(&e);
	if (!err)
		err = cli_policy_settle(e, a->policy, params, a->name, p);
	if (!err)
		err = agent_attach(e, &req, *p, &agent);
	if (err)
		return err;
	err = attached_tell(a, e, &agent, *p);
	if (err)
		return log_errno(err, "%s is attached, but cannot be told of", agent.name);
	/* Confined it is in any case; `list` says so when nobody writes events down. */
	return keeper_ensure();
}

static int attach(struct attach *a)
{
	_free_ char *cgroup = NULL;
	_policy_ struct policy *p = NULL;
	struct policy_params params = {.name = a->name, .search = cli_search};
	struct run_user user = {};
	int err;

	err = cli_need_root();
	if (!err && a->user)
		err = run_user_find(a->user, &user);
	if (a->user)
		a->home = user.home;
	if (!err)
		err = cgroup_find(a, &cgroup);
	if (!err) {
		params.home = a->home;
		params.workspace = a->workspace;
		err = cli_policy(a->policy, &params, a->name, &p);
		if (err == -EINVAL) {
			run_user_clear(&user);
			return EXIT_NO;
		}
	}
	if (!err) {
		cli_policy_warn(p);
		err = attach_locked(a, cgroup, &params, &p);
	}
	run_user_clear(&user);
	return exit_code(err);
}

int verb_attach(int argc, char **argv)
{
	struct attach a = {};
	int code;

	return options_read(&a, argc, argv, &code) ? code : attach(&a);
}
