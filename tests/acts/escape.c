// SPDX-License-Identifier: GPL-2.0-only
/* Leaving: children in other cgroups, and bpf(2). What is run afterwards shows what it may do. */
#include <linux/bpf.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "act.h"

static int child_wait(pid_t pid)
{
	int status;

	must(waitpid(pid, &status, 0), "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* cgroup directory, program, argument: a child born there runs it. */
static void clone_into(char **arg)
{
	struct clone_args c = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	pid_t pid;

	c.cgroup = must(open(arg[0], O_PATH | O_DIRECTORY), arg[0]);
	pid = must(syscall(SYS_clone3, &c, sizeof(c)), "clone3");
	if (!pid) {
		execlp(arg[1], arg[1], arg[2], NULL);
		_exit(127);
	}
	exit(child_wait(pid));
}

/* The same without exec, and its child again. */
static void clone_twice(char **arg)
{
	struct clone_args c = { .flags = CLONE_INTO_CGROUP | CLONE_VM | CLONE_VFORK,
				.exit_signal = SIGCHLD };
	pid_t pid;

	c.cgroup = must(open(arg[0], O_PATH | O_DIRECTORY), arg[0]);
	c.flags = CLONE_INTO_CGROUP;
	pid = must(syscall(SYS_clone3, &c, sizeof(c)), "clone3");
	if (!pid) {
		pid = fork();
		if (!pid) {
			show(must(open(arg[1], O_RDONLY), arg[1]));
			_exit(0);
		}
		_exit(child_wait(pid));
	}
	exit(child_wait(pid));
}

/* A chain of daemons: the middle ones are gone before the last one acts. */
static void daemons(char **arg)
{
	int ends[2];

	must(pipe(ends), "pipe");
	if (!fork()) {
		setsid();
		if (!fork()) {
			if (!fork()) {
				usleep(100000);
				show(must(open(arg[0], O_RDONLY), arg[0]));
				exit(0);
			}
			_exit(0);
		}
		_exit(0);
	}
	close(ends[1]);
	if (read(ends[0], &(char){ 0 }, 1) < 0)
		fail("read");
}

static void *thread_read(void *path)
{
	show(must(open(path, O_RDONLY), path));
	return NULL;
}

/* By a thread whose group leader has ended. */
static void leaderless(char **arg)
{
	pthread_t t;

	usleep(1000);
	pthread_create(&t, NULL, thread_read, arg[0]);
	pthread_exit(NULL);
}

/* Another thread does it from inside a cgroup that the thread was moved to alone. */
static void bpf_call(unsigned int cmd, union bpf_attr *attr, const char *word)
{
	int r = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	if (r < 0)
		fail("bpf");
	printf("%s\n", word);
}

/* Prints the word when it could. */
static void bpf_map(char **arg)
{
	union bpf_attr a = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4,
			     .max_entries = 1 };

	bpf_call(BPF_MAP_CREATE, &a, arg[0]);
}

static void bpf_next(char **arg)
{
	union bpf_attr a = {};

	bpf_call(BPF_MAP_GET_NEXT_ID, &a, arg[0]);
}

/* A pinned map, by its path. */
static void bpf_get(char **arg)
{
	union bpf_attr a = { .pathname = (unsigned long)arg[0] };

	bpf_call(BPF_OBJ_GET, &a, arg[1]);
}

static const struct verb verbs[] = {
	{ "clone-into", 3, clone_into }, { "clone-twice", 2, clone_twice },
	{ "daemons", 1, daemons },	 { "leaderless", 1, leaderless },
	{ "bpf-map", 1, bpf_map },	 { "bpf-next", 1, bpf_next },
	{ "bpf-get", 2, bpf_get },
};
VERBS_MAIN(verbs)
