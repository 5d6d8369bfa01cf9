// SPDX-License-Identifier: GPL-2.0-only
/*
 * PID 1 of a test guest: makes it a machine (machine.c), runs the command and sends its output and
 * exit code to the host (frame.h). The host stops the guest. Any failure here ends PID 1, so the
 * kernel panics and the host prints the console.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "frame.h"
#include "machine.h"

#define PORT "/dev/vport0p1"
#define JOB "/run/host/job"

#define ARGV_BYTES_MAX (1 << 20)
#define ARGV_N_MAX 4096

static char *const job_env[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"HOME=/root",
	"USER=root",
	"LOGNAME=root",
	"SHELL=/bin/bash",
	"TERM=dumb",
	"LANG=C.UTF-8",
	NULL,
};

struct stream {
	int fd; /* read end; -1 once every writer is gone */
	enum frame_kind kind;
};

_Noreturn void die(const char *what)
{
	fprintf(stderr, "init: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The file holds the arguments, each ended by a zero byte: they arrive exactly. */
static char **argv_read(void)
{
	static char bytes[ARGV_BYTES_MAX], *argv[ARGV_N_MAX];
	int fd = open(JOB "/argv", O_RDONLY | O_CLOEXEC);
	size_t len = 0, n = 0;
	ssize_t r;

	if (fd < 0)
		die(JOB "/argv");
	while ((r = read(fd, bytes + len, sizeof(bytes) - len)) > 0)
		len += (size_t)r;
	close(fd);
	if (r < 0 || len == 0 || len == sizeof(bytes) || bytes[len - 1])
		die(JOB "/argv");
	for (size_t at = 0; at < len; at += strlen(bytes + at) + 1) {
		if (n == ARGV_N_MAX - 1)
			die("too many arguments");
		argv[n++] = bytes + at;
	}
	return argv;
}

static int port_open(void)
{
	for (int i = 0; i < 1000; i++) {
		int fd = open(PORT, O_WRONLY | O_CLOEXEC);

		if (fd >= 0)
			return fd;
		usleep(10000);
	}
	die(PORT);
}

/* `frame` has room for the header in front of `len` bytes of payload. */
static void frame_send(int port, char *frame, enum frame_kind kind, size_t len)
{
	struct frame_header header = { .kind = kind, .len = (uint32_t)len };
	size_t left = sizeof(header) + len;

	memcpy(frame, &header, sizeof(header));
	while (left) {
		ssize_t n = write(port, frame, left);

		if (n < 0 && errno != EINTR && errno != EAGAIN)
			die(PORT);
		if (n > 0) {
			frame += n;
			left -= (size_t)n;
		}
	}
}

/* Returns how many bytes were there; 0 when there is nothing now or never again. */
static size_t stream_forward(int port, struct stream *stream)
{
	static char frame[FRAME_MAX];
	ssize_t n = read(stream->fd, frame + sizeof(struct frame_header), FRAME_PAYLOAD_MAX);

	if (n == 0)
		stream->fd = -1;
	if (n <= 0)
		return 0;
	frame_send(port, frame, stream->kind, (size_t)n);
	return (size_t)n;
}

/* Only what is there now: a process left in the background may write for ever. */
static void stream_drain(int port, struct stream *stream)
{
	int left = 0;

	if (stream->fd < 0 || ioctl(stream->fd, FIONREAD, &left))
		return;
	while (left > 0) {
		size_t n = stream_forward(port, stream);

		if (!n)
			return;
		left -= (int)n;
	}
}

/* 0666: a command running as another user may open /dev/stdout. */
static int pipe_make(int *ret_writer)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) || fchmod(ends[1], 0666))
		die("pipe");
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	*ret_writer = ends[1];
	return ends[0];
}

static pid_t job_start(char **argv, int out, int err)
{
	pid_t pid = fork();
	sigset_t none;
	int null;

	if (pid < 0)
		die("fork");
	if (pid > 0)
		return pid;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	null = open("/dev/null", O_RDONLY);
	if (null != STDIN_FILENO)
		dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	if (chdir("/src"))
		die("/src");
	environ = (char **)job_env;
	execvp(argv[0], argv);
	fprintf(stderr, "vm: %s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* Reaps whatever has ended; 1 and the exit code once `job` is among it. */
static int job_reap(pid_t job, uint32_t *ret_code)
{
	int status, done = 0;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != job)
			continue;
		*ret_code = WIFSIGNALED(status) ? 128u + (uint32_t)WTERMSIG(status) :
						  (uint32_t)WEXITSTATUS(status);
		done = 1;
	}
	return done;
}

static uint32_t job_run(int port, char **argv)
{
	struct stream out = { .kind = FRAME_STDOUT }, err = { .kind = FRAME_STDERR };
	int out_writer, err_writer, children;
	struct signalfd_siginfo info;
	uint32_t code = 0;
	sigset_t mask;
	pid_t job;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	children = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	out.fd = pipe_make(&out_writer);
	err.fd = pipe_make(&err_writer);
	/* Both streams go to one place on the host: only one pipe keeps their order. */
	job = job_start(argv, out_writer, access(JOB "/merge", F_OK) ? err_writer : out_writer);
	close(out_writer);
	close(err_writer);

	for (;;) {
		struct pollfd fds[] = {
			{ .fd = out.fd, .events = POLLIN },
			{ .fd = err.fd, .events = POLLIN },
			{ .fd = children, .events = POLLIN },
		};

		if (poll(fds, 3, -1) < 0)
			continue;
		if (fds[0].revents)
			stream_forward(port, &out);
		if (fds[1].revents)
			stream_forward(port, &err);
		if (read(children, &info, sizeof(info)) > 0 && job_reap(job, &code))
			break;
	}
	stream_drain(port, &out);
	stream_drain(port, &err);
	return code;
}

int main(void)
{
	char frame[sizeof(struct frame_header) + sizeof(struct frame_exit)];
	struct frame_exit end;
	int port;

	machine_start();
	port = port_open();
	frame_send(port, frame, FRAME_STARTED, 0);
	end.code = job_run(port, argv_read());
	memcpy(frame + sizeof(struct frame_header), &end, sizeof(end));
	frame_send(port, frame, FRAME_EXIT, sizeof(end));
	for (;;)
		pause();
}
