// SPDX-License-Identifier: GPL-2.0-only
/*
 * as CGROUP UID SECONDS CMD...: goes to a cgroup, becomes a user with no other groups, and runs CMD,
 * which is ended by SIGALRM when its time is over.
 */
#include <grp.h>

#include "act.h"

int main(int argc, char **argv)
{
	char path[4096];
	uid_t uid;
	int fd;

	if (argc < 5)
		fail("usage: as CGROUP UID SECONDS CMD");
	snprintf(path, sizeof(path), "%s/cgroup.procs", argv[1]);
	fd = must(open(path, O_WRONLY | O_CLOEXEC), path);
	must(write(fd, "0", 1), path);
	uid = atoi(argv[2]);
	must(setgroups(0, NULL), "setgroups");
	must(setresgid(uid, uid, uid), "setresgid");
	must(setresuid(uid, uid, uid), "setresuid");
	setenv("HOME", uid ? "/home/agent" : "/root", 1);
	setenv("USER", uid ? "agent" : "root", 1);
	setenv("LOGNAME", uid ? "agent" : "root", 1);
	alarm(atoi(argv[3]));
	execvp(argv[4], argv + 4);
	fail(argv[4]);
}
