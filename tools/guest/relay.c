// SPDX-License-Identifier: GPL-2.0-only
/*
 * Host end of a test guest: starts QEMU, writes the frames that the guest sends to stdout and
 * stderr, stops QEMU after the exit frame and exits with the guest's code.
 *
 *   relay TIMEOUT_SECONDS DIR QEMU [ARG...]
 *
 * QEMU finds the pipe to write frames to as descriptor 3. DIR/qemu.log receives QEMU's own
 * messages. DIR/outcome receives one word: "exit", "timeout" or "broken".
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "frame.h"

/* A guest that has not reached its command by then never will; a loaded host may need half. */
#define BOOT_SECONDS_MAX 180

#define CODE_TIMEOUT 124
#define CODE_BROKEN 125

enum outcome { OUTCOME_EXIT, OUTCOME_TIMEOUT, OUTCOME_BROKEN, n_outcomes };

static const char *const outcome_names[n_outcomes] = { "exit", "timeout", "broken" };

struct guest {
	int fd; /* frames */
	pid_t qemu;
	double deadline; /* monotonic seconds; 0: none */
	double boot_deadline; /* 0: the command has started */
	uint32_t code;
};

static void die(const char *what)
{
	fprintf(stderr, "vm: relay: %s: %s\n", what, strerror(errno));
	exit(CODE_BROKEN);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die("write");
		data += n;
		len -= (size_t)n;
	}
}

/* 1: the guest has something to read or is gone; 0: a deadline has passed. */
static int guest_wait(const struct guest *guest)
{
	struct pollfd pfd = { .fd = guest->fd, .events = POLLIN };

	for (;;) {
		double left = 3600, t = now();
		int n;

		if (guest->deadline && guest->deadline - t < left)
			left = guest->deadline - t;
		if (guest->boot_deadline && guest->boot_deadline - t < left)
			left = guest->boot_deadline - t;
		if (left <= 0)
			return 0;
		n = poll(&pfd, 1, (int)(left * 1000) + 1);
		if (n > 0)
			return 1;
		if (n < 0 && errno != EINTR)
			die("poll");
	}
}

/* 1: filled; 0: a deadline has passed; -1: the guest is gone. */
static int guest_read(const struct guest *guest, void *data, size_t len)
{
	char *at = data;

	while (len) {
		ssize_t n;

		if (!guest_wait(guest))
			return 0;
		n = read(guest->fd, at, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		at += n;
		len -= (size_t)n;
	}
	return 1;
}

static enum outcome deadline_outcome(const struct guest *guest)
{
	if (guest->deadline && now() >= guest->deadline)
		return OUTCOME_TIMEOUT;
	return OUTCOME_BROKEN;
}

static enum outcome guest_relay(struct guest *guest)
{
	static char payload[FRAME_PAYLOAD_MAX];
	struct frame_header header;
	struct frame_exit end;
	int r;

	for (;;) {
		r = guest_read(guest, &header, sizeof(header));
		if (r > 0) {
			if (header.len > sizeof(payload))
				return OUTCOME_BROKEN;
			r = guest_read(guest, payload, header.len);
		}
		if (r == 0)
			return deadline_outcome(guest);
		if (r < 0)
			return OUTCOME_BROKEN;

		switch (header.kind) {
		case FRAME_STARTED:
			guest->boot_deadline = 0;
			break;
		case FRAME_STDOUT:
			write_all(STDOUT_FILENO, payload, header.len);
			break;
		case FRAME_STDERR:
			write_all(STDERR_FILENO, payload, header.len);
			break;
		case FRAME_EXIT:
			if (header.len != sizeof(end))
				return OUTCOME_BROKEN;
			memcpy(&end, payload, sizeof(end));
			guest->code = end.code;
			return OUTCOME_EXIT;
		default:
			return OUTCOME_BROKEN;
		}
	}
}

/* Runs in the child. The guest must not outlive the relay, however that ends. */
static void qemu_exec(int frames, int log, pid_t parent, char **argv)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(CODE_BROKEN);
	signal(SIGPIPE, SIG_IGN);
	dup2(null, STDIN_FILENO);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	if (frames == 3)
		fcntl(3, F_SETFD, 0);
	else
		dup2(frames, 3);
	execvp(argv[0], argv);
	dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
	_exit(CODE_BROKEN);
}

static void guest_start(struct guest *guest, int log, char **argv)
{
	pid_t self = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		die("pipe");
	fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
	guest->qemu = fork();
	if (guest->qemu < 0)
		die("fork");
	if (guest->qemu == 0)
		qemu_exec(ends[1], log, self, argv);
	close(ends[1]);
	guest->fd = ends[0];
}

int main(int argc, char **argv)
{
	struct guest guest = { 0 };
	enum outcome outcome;
	pid_t parent = getppid();
	int dir, log, fd;
	long seconds;

	if (argc < 4) {
		fprintf(stderr, "usage: relay TIMEOUT DIR QEMU [ARG...]\n");
		return CODE_BROKEN;
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		return CODE_BROKEN;

	dir = open(argv[2], O_DIRECTORY | O_CLOEXEC);
	log = openat(dir, "qemu.log", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (dir < 0 || log < 0)
		die(argv[2]);

	seconds = strtol(argv[1], NULL, 10);
	guest.boot_deadline = now() + BOOT_SECONDS_MAX;
	if (seconds > 0)
		guest.deadline = now() + (double)seconds;
	guest_start(&guest, log, argv + 3);
	outcome = guest_relay(&guest);
	kill(guest.qemu, SIGKILL);
	waitpid(guest.qemu, NULL, 0);

	fd = openat(dir, "outcome", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		die("outcome");
	dprintf(fd, "%s\n", outcome_names[outcome]);

	if (outcome == OUTCOME_TIMEOUT)
		return CODE_TIMEOUT;
	return outcome == OUTCOME_EXIT ? (int)guest.code : CODE_BROKEN;
}
