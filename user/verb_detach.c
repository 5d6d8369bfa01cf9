/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `hydraguard detach`: an agent's processes are nobody's from here on. */
#include "agent.h"
#include "agent_processes.h"
#include "cgroup.h"
#include "cli.h"
#include "log.h"
#include "state.h"
#include "util.h"
#include "verbs.h"

enum { OPT_KILL = 1 };

static const struct option options[] = {
	{"kill", no_argument, NULL, OPT_KILL},
	{},
};
static const struct cli cli = {
	.usage = "detach [--kill] NAME",
	.help = "Its processes go on without a policy, unless they are ended first:\n"
		"  --kill   kill everything in its cgroup before\n",
	.options = options,
};

#define KILL_TIMEOUT_MS 10000

static int agent_kill(const struct agent_record *a)
{
	_close_ int fd = cgroup_open(a->cgroup);
	int err;

	/* The cgroup is gone, and with it what was in it. */
	if (fd == -ENOENT)
		return 0;
	err = fd < 0 ? fd : cgroup_kill(fd, KILL_TIMEOUT_MS);
	return err ? log_errno(err, "cannot end what runs in %s", a->cgroup) : 0;
}

static int detach(const char *name, bool end)
{
	_close_ int lock = state_lock();
	_engine_ struct engine *e = NULL;
	_record_ struct agent_record a = {};
	struct agent_totals t;
	size_t n = 0;
	int err;

	err = lock < 0 ? lock : cli_agent(name, &e, &a);
	if (!err && end)
		err = agent_kill(&a);
	if (!err && end)
		err = agent_processes_end(e, &a);
	if (err)
		return err;
	agent_processes(e, &a, &n);
	err = agent_detach(e, &a, &t);
	if (err)
		return err;
	if (a.made_cgroup && cgroup_remove(a.cgroup))
		log_verbose("%s is still in use", a.cgroup);
	if (n)
		log_note("%s is detached; %zu processes go on unconfined", a.name, n);
	return 0;
}

int verb_detach(int argc, char **argv)
{
	bool end = false;
	int c, code, err;

	while ((c = cli_next(&cli, argc, argv, &code)) != -1) {
		if (c == -2)
			return code;
		end = true;
	}
	if (argc - optind != 1)
		return cli_usage(&cli, "give the NAME of one agent");
	err = cli_need_root();
	return exit_code(err ? err : detach(argv[optind], end));
}
