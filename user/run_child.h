/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The process that becomes the agent: into its cgroup, to its user, then the command. */
#ifndef HG_RUN_CHILD_H
#define HG_RUN_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/* Whom it runs as. Looked up before it is confined: afterwards /etc is subject to the policy. */
struct run_user {
	bool switching; /* to another than the caller's */
	char *name, *home, *shell;
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	int n_groups;
};
/* name: NULL for the caller's own user, a name or a number. Tells why. */
int run_user_find(const char *name, struct run_user *ret);
void run_user_clear(struct run_user *u);

/* Where a child failed that did not become the command. */
enum run_stage { RUN_JOIN, RUN_USER, RUN_EXEC };
struct run_failure {
	enum run_stage stage;
	int err; /* errno */
};

struct run_command {
	char *const *argv;
	const char *agent;
	const struct run_user *user;
	bool new_privileges; /* setuid programs may change the user */
	int cgroup;
	const void *sigmask; /* sigset_t the command is to have */
};

/* Forks. *ret_fd: a struct run_failure arrives there, or its end when the command runs. */
int run_start(const struct run_command *c, pid_t *ret_pid, int *ret_fd);

#endif
