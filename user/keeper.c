/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Starting, finding and ending the keeper. Its work is in keeper_work.c. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "cgroup.h"
#include "keeper.h"
#include "keeper_work.h"
#include "log.h"
#include "paths.h"
#include "record.h"
#include "state.h"
#include "util.h"

#define READY_FD	 3
#define START_TIMEOUT_MS 20000
#define STOP_TIMEOUT_MS	 10000

bool keeper_alive(pid_t *ret_pid)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	_close_ int fd = open(KEEPER_LOCK, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 || fcntl(fd, F_GETLK, &lock) || lock.l_type == F_UNLCK)
		return false;
	if (ret_pid)
		*ret_pid = lock.l_pid;
	return true;
}

/* What a process of its own needs that outlives the command and no terminal reaches. */
static void keeper_become(int ready)
{
	static char *const argv[] = {"hydraguard", "keeper", NULL};
	static char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	_free_ char *mount = NULL;
	_close_ int root = -1, null = -1, log = -1;
	sigset_t none;
	int sig;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	setsid();
	umask(077);
	if (chdir("/"))
		_exit(1);
	/* Out of every agent's cgroup, and of the service's or session's that ran the command. */
	if (!cgroup_mount(&mount))
		root = cgroup_open(mount);
	if (root < 0 || cgroup_join(root))
		log_error("the keeper stays in the cgroup of the command that started it");
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	log = open(HG_KEEPER_LOG, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
	    dup2(log < 0 ? null : log, 2) < 0 || dup2(ready, READY_FD) < 0)
		_exit(1);
	close_range(READY_FD + 1, ~0u, CLOSE_RANGE_CLOEXEC);
	execve("/proc/self/exe", argv, environment);
	_exit(1);
}

/* Twice, so that it is nobody's child. */
static int keeper_fork(int ready)
{
	int status;
	pid_t pid;

	pid = fork();
	if (pid < 0)
		return log_errno(errno, "cannot fork");
	if (!pid) {
		/* From now on what the terminal sends is not for it. */
		pid = fork();
		if (!pid)
			keeper_become(ready);
		_exit(pid < 0);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EAGAIN;
}

static int keeper_start(void)
{
	_close_ int log_dir = open_own_dir(HG_LOG_DIR, 0700);
	_close_ int in = -1, out = -1;
	struct pollfd p;
	char byte;
	int ends[2], err;

	if (log_dir < 0)
		return log_errno(log_dir, "cannot use " HG_LOG_DIR);
	if (pipe2(ends, O_CLOEXEC))
		return log_errno(errno, "cannot start the keeper");
	in = ends[0];
	out = ends[1];
	/* dup2() onto itself would leave it to be closed by exec. */
	if (out == READY_FD)
		out = fcntl(ends[1], F_DUPFD_CLOEXEC, READY_FD + 1);
	err = keeper_fork(out);
	close(take_fd(&out));
	if (err)
		return err;
	p = (struct pollfd){.fd = in, .events = POLLIN};
	if (poll(&p, 1, START_TIMEOUT_MS) == 1 && read(in, &byte, 1) == 1)
		return 0;
	if (keeper_alive(NULL))
		return 0;
	log_error("the keeper did not start; see " HG_KEEPER_LOG);
	return -EIO;
}

int keeper_ensure(void)
{
	_close_ int fd = -1;

	if (!keeper_alive(NULL))
		return keeper_start();
	fd = open(KEEPER_POKE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? log_errno(errno, "cannot tell the keeper of the agent") : 0;
}

int keeper_stop(void)
{
	struct timespec nap = {.tv_nsec = 10 * 1000000};
	pid_t pid;
	int i;

	if (!keeper_alive(&pid))
		return 0;
	if (kill(pid, SIGTERM) && errno != ESRCH)
		return log_errno(errno, "cannot end the keeper (process %d)", pid);
	for (i = 0; i < STOP_TIMEOUT_MS / 10; i++) {
		if (!keeper_alive(NULL))
			return 0;
		nanosleep(&nap, NULL);
	}
	log_error("the keeper (process %d) does not end", pid);
	return -ETIMEDOUT;
}

void keeper_warn(void)
{
	_records_ struct records agents = {};
	_close_ int dir = agents_dir_open(false);

	if (dir < 0 || records_read(dir, &agents) || !agents.n || keeper_alive(NULL))
		return;
	log_warn("WARNING: no keeper is running, so events are not being written down (agents stay "
		 "confined). `hydraguard tail` starts it again; why it ended may be "
		 "in " HG_KEEPER_LOG);
}
