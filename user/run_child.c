/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The process that becomes the agent. */
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>

#include "cgroup.h"
#include "log.h"
#include "run_child.h"
#include "util.h"

static int groups_find(struct run_user *u)
{
	int n = 64;

	for (;;) {
		gid_t *more = reallocarray(u->groups, n, sizeof(*more));

		if (!more)
			return -ENOMEM;
		u->groups = more;
		u->n_groups = n;
		if (getgrouplist(u->name, u->gid, u->groups, &u->n_groups) >= 0)
			return 0;
		n = u->n_groups > n ? u->n_groups : n * 2;
	}
}

static const struct passwd *passwd_find(const char *name)
{
	const struct passwd *pw;
	uint64_t uid;

	if (!name)
		return getpwuid(getuid());
	pw = getpwnam(name);
	if (pw || parse_u64(name, UINT32_MAX - 1, &uid))
		return pw;
	return getpwuid(uid);
}

int run_user_find(const char *name, struct run_user *ret)
{
	const struct passwd *pw = passwd_find(name);
	int err;

	*ret = (struct run_user){.switching = name};
	if (!pw && !name)
		return 0;
	if (!pw) {
		log_error("no user \"%s\" on this machine", name);
		return -ENOENT;
	}
	ret->uid = pw->pw_uid;
	ret->gid = pw->pw_gid;
	ret->name = strdup(pw->pw_name);
	ret->home = strdup(pw->pw_dir);
	ret->shell = strdup(*pw->pw_shell ? pw->pw_shell : "/bin/sh");
	err = ret->name && ret->home && ret->shell ? groups_find(ret) : -ENOMEM;
	return err ? log_errno(err, "cannot look up user %s", name) : 0;
}

void run_user_clear(struct run_user *u)
{
	free(u->name);
	free(u->home);
	free(u->shell);
	free(u->groups);
}

static int user_become(const struct run_command *c)
{
	const struct run_user *u = c->user;

	if (setenv("HYDRAGUARD_AGENT", c->agent, 1))
		return -errno;
	/* Who asked for another user wants it kept: no setuid program gives another one. Without a
	 * user to keep there is nothing to gain, and sudo may be honest work. The policy holds
	 * either way, as it goes by the cgroup. */
	if (!c->new_privileges && u->switching && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	if (!u->switching)
		return 0;
	if (setgroups(u->n_groups, u->groups) || setresgid(u->gid, u->gid, u->gid) ||
	    setresuid(u->uid, u->uid, u->uid))
		return -errno;
	if (setenv("HOME", u->home, 1) || setenv("USER", u->name, 1) ||
	    setenv("LOGNAME", u->name, 1) || setenv("SHELL", u->shell, 1))
		return -errno;
	return 0;
}

static void child_fail(int fd, enum run_stage stage, int err)
{
	struct run_failure f = {.stage = stage, .err = -err};

	if (write(fd, &f, sizeof(f)) < 0)
		_exit(125);
	_exit(127);
}

static void child_become(const struct run_command *c, int fd)
{
	int err;

	/* Before anything else: from here on the policy holds. */
	err = cgroup_join(c->cgroup);
	if (err)
		child_fail(fd, RUN_JOIN, err);
	close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC);
	err = user_become(c);
	if (err)
		child_fail(fd, RUN_USER, err);
	signal(SIGTTOU, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, c->sigmask, NULL);
	execvp(c->argv[0], c->argv);
	child_fail(fd, RUN_EXEC, -errno);
}

int run_start(const struct run_command *c, pid_t *ret_pid, int *ret_fd)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (!pid)
		child_become(c, ends[1]);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return -errno;
	}
	*ret_pid = pid;
	*ret_fd = ends[0];
	return 0;
}
