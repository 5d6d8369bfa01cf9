/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `hydraguard run`: a command as an agent, from an empty cgroup to its removal. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "agent.h"
#include "agent_processes.h"
#include "cgroup.h"
#include "cli.h"
#include "keeper.h"
#include "log.h"
#include "paths.h"
#include "report.h"
#include "run_child.h"
#include "run_wait.h"
#include "state.h"
#include "util.h"
#include "verbs.h"

enum {
	OPT_POLICY = 1,
	OPT_NAME,
	OPT_USER,
	OPT_EVENTS,
	OPT_PARENT,
	OPT_WORKSPACE,
	OPT_QUIET,
	OPT_LIVE,
	OPT_NEW_PRIVILEGES,
};

static const struct option options[] = {
	{"policy", required_argument, NULL, OPT_POLICY},
	{"name", required_argument, NULL, OPT_NAME},
	{"user", required_argument, NULL, OPT_USER},
	{"events", required_argument, NULL, OPT_EVENTS},
	{"cgroup-parent", required_argument, NULL, OPT_PARENT},
	{"workspace", required_argument, NULL, OPT_WORKSPACE},
	{"quiet", no_argument, NULL, OPT_QUIET},
	{"live", no_argument, NULL, OPT_LIVE},
	{"new-privileges", no_argument, NULL, OPT_NEW_PRIVILEGES},
	{},
};
static const struct cli cli = {
	.usage = "run --policy FILE [OPTION]... -- COMMAND [ARGUMENT]...",
	.help = "Runs COMMAND in a cgroup of its own under a policy, tells of denials on standard\n"
		"error, and exits with COMMAND's code; 125: run itself failed and says why, 126:\n"
		"COMMAND cannot be executed, 127: there is no such program.\n\n"
		"  --policy FILE         the policy; a shipped one by its name, - for standard "
		"input\n"
		"  --name NAME           the agent's name (default: the policy's, numbered)\n"
		"  --user USER           run as USER, in whose home ${home} is; setuid programs "
		"then\n"
		"                        give no other user\n"
		"  --new-privileges      with --user: let setuid programs (sudo) do that after "
		"all\n"
		"  --workspace DIR       instead of the policy's `workspace`; where neither is "
		"given,\n"
		"                        the current directory, but for a home or one at the top\n"
		"  --events FILE         append the agent's events to FILE, as JSON lines\n"
		"  --cgroup-parent DIR   make the cgroup there (default: hydraguard, at the top)\n"
		"  --live                tell of denials at once; on a terminal they are told "
		"when\n"
		"                        COMMAND has ended, not to be mixed with its output\n"
		"  --quiet               do not tell of denials\n",
	.options = options,
	.letters = "+",
};

#define KILL_TIMEOUT_MS 10000
/* As env(1) has them: codes that few commands use. */
#define EXIT_RUN_FAILED 125
#define EXIT_CANNOT_RUN 126
#define EXIT_NOT_FOUND	127

struct run {
	const char *policy_file, *name, *user_name, *events, *parent, *workspace;
	bool quiet, live, new_privileges;
	char *const *argv;
	struct run_user user;
	struct policy *policy;
	struct engine *e;
	char *own_name, *cgroup;
	int cgroup_fd;
	struct agent_record agent;
	bool attached;
	int signals;
	sigset_t sigmask; /* as it was, and as the command is to have it */
	struct report report;
};

static void run_clear(struct run *r)
{
	run_user_clear(&r->user);
	policy_free(r->policy);
	engine_close(r->e);
	free(r->own_name);
	free(r->cgroup);
	if (r->cgroup_fd >= 0)
		close(r->cgroup_fd);
	if (r->signals >= 0)
		close(r->signals);
	agent_record_clear(&r->agent);
	report_close(&r->report);
}

static int run_options(struct run *r, int argc, char **argv, int *ret_exit)
{
	int c;

	while ((c = cli_next(&cli, argc, argv, ret_exit)) != -1) {
		switch (c) {
		case -2:
			return -EINVAL;
		case OPT_POLICY:
			r->policy_file = optarg;
			break;
		case OPT_NAME:
			r->name = optarg;
			break;
		case OPT_USER:
			r->user_name = optarg;
			break;
		case OPT_EVENTS:
			r->events = optarg;
			break;
		case OPT_PARENT:
			r->parent = optarg;
			break;
		case OPT_WORKSPACE:
			r->workspace = optarg;
			break;
		case OPT_QUIET:
			r->quiet = true;
			break;
		case OPT_LIVE:
			r->live = true;
			break;
		case OPT_NEW_PRIVILEGES:
			r->new_privileges = true;
			break;
		}
	}
	if (r->policy_file && optind < argc) {
		r->argv = argv + optind;
		return 0;
	}
	*ret_exit = cli_usage(&cli, r->policy_file ? "give a COMMAND behind --"
						   : "give a policy with --policy");
	return -EINVAL;
}

/* The directory for its cgroup: as given, or `hydraguard` at the top of the hierarchy. */
static int parent_path(const struct run *r, char **ret)
{
	_free_ char *mount = NULL;
	int err;

	if (r->parent) {
		*ret = strdup(r->parent);
		return *ret ? 0 : -ENOMEM;
	}
	err = cgroup_mount(&mount);
	if (err == -ENOENT) {
		log_error("no cgroup2 hierarchy is mounted");
		return -EOPNOTSUPP;
	}
	if (err || asprintf(ret, "%s/" HG_CGROUP_NAME, mount) < 0)
		return log_errno(err ? err : ENOMEM, "cannot use the cgroup2 hierarchy");
	if (mkdir(*ret, 0755) && errno != EEXIST)
		return log_errno(errno, "cannot make %s", *ret);
	return 0;
}

static int cgroup_make(struct run *r)
{
	_free_ char *parent = NULL, *path = NULL;
	int err;

	err = parent_path(r, &parent);
	if (err)
		return err;
	if (asprintf(&path, "%s/%s", parent, r->own_name) < 0) {
		path = NULL;
		return log_errno(ENOMEM, "cannot make a cgroup");
	}
	/* Left over from a run that was killed, its agent detached since. */
	if (mkdir(path, 0755) && errno == EEXIST && !rmdir(path))
		errno = mkdir(path, 0755) ? errno : 0;
	r->cgroup_fd = cgroup_open(path);
	if (r->cgroup_fd < 0)
		return log_errno(r->cgroup_fd, "cannot make the cgroup %s", path);
	if (cgroup_is_populated(r->cgroup_fd)) {
		log_error("%s is in use; choose another --name", path);
		return -EBUSY;
	}
	r->cgroup = take(path);
	return 0;
}

static int name_choose(struct run *r)
{
	_close_ int dir = agents_dir_open(true);
	_records_ struct records agents = {};
	int err;

	err = dir < 0 ? dir : records_read(dir, &agents);
	if (err)
		return log_errno(err, "cannot read " HG_AGENTS_DIR);
	if (!r->name)
		return agent_default_name(&agents, r->policy->name, &r->own_name);
	if (!agent_name_ok(r->name)) {
		log_error("agent name \"%s\": letters, digits, '-', '_' and '.', at most %d, not "
			  "starting with '-' or '.'",
			  r->name, AGENT_NAME_MAX);
		return -EINVAL;
	}
	if (records_taken(&agents, r->name)) {
		log_error("an agent named %s is running already; choose another --name", r->name);
		return -EEXIST;
	}
	r->own_name = strdup(r->name);
	return r->own_name ? 0 : -ENOMEM;
}

/*
 * Where it is run, unless that is more than anybody would give: a home, or a folder at the top.
 * NULL: no workspace, which is an error for a policy that speaks of one.
 */
static char *workspace_default(const struct run *r)
{
	_free_ char *cwd = getcwd(NULL, 0);
	const char *home = r->user.home;

	if (!cwd || *cwd != '/' || !strchr(cwd + 1, '/') || (home && !strcmp(cwd, home)))
		return NULL;
	return take(cwd);
}

/* Ends with an empty cgroup that is confined. */
static int run_attach(struct run *r, const struct policy_params *params)
{
	_close_ int lock = state_lock();
	struct agent_request req = {
		.made_cgroup = true,
		.policy_file = r->policy_file,
		.home = r->user.home,
		.workspace = r->workspace,
	};
	int err;

	err = lock < 0 ? lock : engine_load(&r->e);
	if (!err)
		err = cli_policy_settle(r->e, r->policy_file, params, r->name, &r->policy);
	if (!err)
		err = name_choose(r);
	if (!err)
		err = cgroup_make(r);
	if (err)
		return err;
	req.name = r->own_name;
	req.cgroup = r->cgroup;
	err = agent_attach(r->e, &req, r->policy, &r->agent);
	if (err)
		return err;
	r->attached = true;
	report_begin(&r->report, &r->agent);
	return keeper_ensure();
}

/* Kills what the command has left behind. What cannot be killed stays confined, and with it the
 * agent attached. */
static int leftovers_end(struct run *r)
{
	int err;

	err = cgroup_kill(r->cgroup_fd, KILL_TIMEOUT_MS);
	if (err)
		return log_errno(err, "%s: cannot end all that it started; it stays attached",
				 r->own_name);
	return agent_processes_end(r->e, &r->agent);
}

static int run_end(struct run *r)
{
	struct agent_totals t = {};
	_close_ int lock = -1;
	int err;

	if (r->attached) {
		err = leftovers_end(r);
		if (err)
			return err;
		lock = state_lock();
		err = lock < 0 ? lock : agent_detach(r->e, &r->agent, &t);
		if (err)
			return err;
		report_end(&r->report, &t, r->policy->mode == POLICY_AUDIT);
	}
	if (r->cgroup)
		cgroup_remove(r->cgroup);
	return 0;
}

/* What the child says when it does not become the command; its exit code. */
static int start_failed(const struct run *r, const struct run_failure *f)
{
	static const char *const what[] = {
		[RUN_JOIN] = "cannot enter its cgroup",
		[RUN_USER] = "cannot become the user",
	};

	if (f->stage != RUN_EXEC) {
		log_errno(f->err, "%s: %s", r->own_name, what[f->stage]);
		return EXIT_RUN_FAILED;
	}
	log_errno(f->err, "cannot run %s%s", r->argv[0],
		  f->err == EACCES ? " (the policy may forbid it)" : "");
	return f->err == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

static int run_command(struct run *r)
{
	struct run_command c = {
		.argv = r->argv,
		.agent = r->own_name,
		.user = &r->user,
		.new_privileges = r->new_privileges,
		.cgroup = r->cgroup_fd,
		.sigmask = &r->sigmask,
	};
	_close_ int failed = -1;
	struct run_failure f;
	pid_t pid;
	int code, err;

	code = run_signal_came();
	if (code)
		return 128 + code;
	err = run_start(&c, &pid, &failed);
	if (err) {
		log_errno(err, "cannot start a process");
		return EXIT_RUN_FAILED;
	}
	if (read(failed, &f, sizeof(f)) == sizeof(f)) {
		code = start_failed(r, &f);
		waitpid(pid, NULL, 0);
		return code;
	}
	code = run_wait(pid, r->signals, &r->report);
	if (code >= 0)
		return code;
	log_errno(code, "cannot wait for the command");
	return EXIT_RUN_FAILED;
}

static int run_all(struct run *r)
{
	struct policy_params params = {.name = r->name, .search = cli_search};
	_free_ char *here = NULL;
	int err, code, ended;

	err = cli_need_root();
	if (!err)
		err = run_user_find(r->user_name, &r->user);
	if (err)
		return EXIT_RUN_FAILED;
	params.home = r->user.home;
	params.workspace = r->workspace;
	params.default_workspace = here = workspace_default(r);
	err = cli_policy(r->policy_file, &params, r->name, &r->policy);
	if (err)
		return EXIT_RUN_FAILED;
	/* For a reload from elsewhere. */
	if (r->policy->workspace_default)
		r->workspace = here;
	/* Doubts are for `check` and `attach`: here they would be told with every command. */
	if (log_level >= LOG_VERBOSE)
		cli_policy_warn(r->policy);
	err = report_open(&r->report, r->events, r->quiet, r->live);
	if (!err) {
		/* From here on nothing ends this without clearing up. */
		r->signals = run_signals_take(&r->sigmask);
		err = r->signals < 0 ? log_errno(r->signals, "cannot take signals")
				     : run_attach(r, &params);
	}
	code = err ? EXIT_RUN_FAILED : run_command(r);
	ended = run_end(r);
	return err || !ended ? code : code ? code : EXIT_RUN_FAILED;
}

int verb_run(int argc, char **argv)
{
	struct run r = {.cgroup_fd = -1, .signals = -1, .report.follow = {.fd = -1, .inotify = -1}};
	int code;

	/* Beside what the command says. */
	log_as("run");
	if (!run_options(&r, argc, argv, &code))
		code = run_all(&r);
	else if (code == EXIT_USAGE)
		code = EXIT_RUN_FAILED;
	run_clear(&r);
	return code;
}
