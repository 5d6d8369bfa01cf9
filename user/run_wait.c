/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Living beside the command. It shares the process group and the terminal, so what the terminal
 * sends (SIGINT, SIGQUIT, SIGTSTP, SIGHUP) reaches it without help; only signals that a process
 * sent are passed on. An interactive shell makes groups of its own and gives the terminal back.
 */
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "log.h"
#include "run_wait.h"
#include "util.h"

static const int passed_on[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};

int run_signals_take(sigset_t *ret_old)
{
	sigset_t set;
	size_t i;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (i = 0; i < ARRAY_SIZE(passed_on); i++)
		sigaddset(&set, passed_on[i]);
	if (sigprocmask(SIG_BLOCK, &set, ret_old))
		return -errno;
	/* Telling of a denial must not stop or end us, whoever has the terminal. */
	signal(SIGTTOU, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int run_signal_came(void)
{
	sigset_t set;
	size_t i;

	if (sigpending(&set))
		return 0;
	for (i = 0; i < ARRAY_SIZE(passed_on); i++)
		if (sigismember(&set, passed_on[i]))
			return passed_on[i];
	return 0;
}

/* Sent by a process, rather than by the kernel for the terminal? */
static bool sent_by_process(const struct signalfd_siginfo *si)
{
	return si->ssi_code == SI_USER || si->ssi_code == SI_QUEUE || si->ssi_code == SI_TKILL;
}

static void signals_read(int fd, pid_t pid)
{
	struct signalfd_siginfo si;

	while (read(fd, &si, sizeof(si)) == sizeof(si))
		if (si.ssi_signo != SIGCHLD && sent_by_process(&si) && (pid_t)si.ssi_pid != pid)
			kill(pid, si.ssi_signo);
}

/* The command has stopped itself as a job does: so does the job that we are, and when it is
 * continued the command is as well. */
static void stop_along(pid_t pid, int sig)
{
	if (sig != SIGTSTP && sig != SIGTTIN && sig != SIGTTOU)
		return;
	kill(getpid(), SIGSTOP);
	kill(pid, SIGCONT);
}

/* 1: ended, with *ret_code. */
static int child_check(pid_t pid, int *ret_code)
{
	siginfo_t si;

	for (;;) {
		si.si_pid = 0;
		if (waitid(P_PID, pid, &si, WEXITED | WSTOPPED | WNOHANG))
			return -errno;
		if (!si.si_pid)
			return 0;
		if (si.si_code == CLD_STOPPED) {
			stop_along(pid, si.si_status);
			continue;
		}
		*ret_code = si.si_code == CLD_EXITED ? si.si_status : 128 + si.si_status;
		return 1;
	}
}

int run_wait(pid_t pid, int signals, struct report *report)
{
	struct pollfd p[] = {
		{.fd = signals, .events = POLLIN},
		{.fd = report_fd(report), .events = POLLIN},
	};
	int code = 0, ended;

	for (;;) {
		ended = child_check(pid, &code);
		if (ended)
			return ended < 0 ? ended : code;
		if (poll(p, ARRAY_SIZE(p), -1) < 0 && errno != EINTR)
			return -errno;
		if (p[0].revents)
			signals_read(signals, pid);
		if (p[1].revents)
			report_read(report);
	}
}
