// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptors from somebody else. `lend serve CMD...` runs CMD and, outside of whatever CMD confines
 * itself in, opens what CMD asks for and sends it the descriptor. The other verbs are the borrower's
 * and ask for WHAT: "r PATH", "w PATH", "rw PATH", "path PATH" (O_PATH), "3 PATH" (neither), or a
 * socket: "tcp ADDRESS PORT", "mptcp", "udp" (connected), "listen", "bound-udp", "both-udp" (bound there, and
 * connected to port 7001), "raw ADDRESS 0". "ring PATH" is a ring in which that is open.
 */
#include <arpa/inet.h>
#include <linux/io_uring.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "act.h"

#define LENDER 200 /* the borrower's end of the line */

/* ---- the lender ---- */

static int lend_socket(const char *kind, const char *address, int port)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	bool v4 = inet_pton(AF_INET, address, &in.sin_addr) == 1;
	struct sockaddr *a = v4 ? (void *)&in : (void *)&in6;
	socklen_t len = v4 ? sizeof(in) : sizeof(in6);
	int family = v4 ? AF_INET : AF_INET6, type = SOCK_DGRAM, proto = 0, fd;

	if (!v4)
		inet_pton(AF_INET6, address, &in6.sin6_addr);
	if (!strcmp(kind, "tcp") || !strcmp(kind, "mptcp") || !strcmp(kind, "listen"))
		type = SOCK_STREAM;
	if (!strcmp(kind, "mptcp"))
		proto = 262;
	if (!strcmp(kind, "raw")) {
		type = SOCK_RAW;
		proto = IPPROTO_UDP;
	}
	fd = socket(family, type, proto);
	if (fd < 0)
		return -1;
	if (strcmp(kind, "listen") && strcmp(kind, "bound-udp") && strcmp(kind, "both-udp"))
		return connect(fd, a, len) ? -1 : fd;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (bind(fd, a, len) || (type == SOCK_STREAM && listen(fd, 5)))
		return -1;
	if (strcmp(kind, "both-udp"))
		return fd;
	in.sin_port = in6.sin6_port = htons(7001);
	return connect(fd, a, len) ? -1 : fd;
}

/* Whoever holds the ring reads the file by its number in it. */
static int lend_ring(const char *path)
{
	struct io_uring_params p = {};
	int ring = syscall(SYS_io_uring_setup, 2, &p), fd = open(path, O_RDONLY);

	if (ring < 0 || fd < 0)
		return -1;
	return syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES, &fd, 1) ? -1 : ring;
}

static int lend_open(char *what)
{
	char *object = strchr(what, ' '), *port;

	*object++ = 0;
	if (!strcmp(what, "r"))
		return open(object, O_RDONLY);
	if (!strcmp(what, "w"))
		return open(object, O_WRONLY);
	if (!strcmp(what, "rw"))
		return open(object, O_RDWR);
	if (!strcmp(what, "3"))
		return open(object, 3);
	if (!strcmp(what, "path"))
		return open(object, O_PATH);
	if (!strcmp(what, "ring"))
		return lend_ring(object);
	port = strchr(object, ' ');
	*port++ = 0;
	return lend_socket(what, object, atoi(port));
}

static void fd_send(int line, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec iov = { "x", 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	if (fd < 0)
		m.msg_control = NULL, m.msg_controllen = 0;
	sendmsg(line, &m, MSG_NOSIGNAL);
}

static void lend_all(int line)
{
	char what[4352];
	ssize_t n;

	while ((n = recv(line, what, sizeof(what) - 1, 0)) > 0) {
		int fd;

		what[n] = 0;
		fd = lend_open(what);
		if (fd < 0)
			perror("lend");
		fd_send(line, fd);
		if (fd >= 0)
			close(fd);
	}
	_exit(0);
}

static void serve(char **arg)
{
	int line[2], status = 0;
	pid_t pid, lender;

	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line), "socketpair");
	pid = must(fork(), "fork");
	if (!pid) {
		must(dup2(line[1], LENDER), "dup2");
		execvp(arg[0], arg);
		fail(arg[0]);
	}
	lender = must(fork(), "fork");
	if (!lender) {
		close(line[1]);
		lend_all(line[0]);
	}
	waitpid(pid, &status, 0);
	kill(lender, SIGKILL);
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* ---- the borrower ---- */

static int fd_of(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int fd;

	if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len < CMSG_LEN(sizeof(int))) {
		errno = m->msg_flags & MSG_CTRUNC ? EACCES : ENOMSG;
		fail("no descriptor came");
	}
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static int take(int line, int flags)
{
	static char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = sizeof(control) };

	must(recvmsg(line, &m, flags), "recvmsg");
	return fd_of(&m);
}

static int take_many(int line)
{
	static char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct mmsghdr m = { .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1,
					  .msg_control = control,
					  .msg_controllen = sizeof(control) } };

	must(recvmmsg(line, &m, 1, 0, NULL), "recvmmsg");
	return fd_of(&m.msg_hdr);
}

/* One request on a ring of two. */
static int ring_act(int ring, const struct io_uring_params *p, const struct io_uring_sqe *request)
{
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	char *sq, *cq;

	sq = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	cq = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
	sqe = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
	*sqe = *request;
	*(unsigned int *)(sq + p->sq_off.array) = 0;
	__atomic_store_n((unsigned int *)(sq + p->sq_off.tail), 1, __ATOMIC_RELEASE);
	must(syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0), "enter");
	cqe = (struct io_uring_cqe *)(cq + p->cq_off.cqes);
	if (cqe->res < 0) {
		errno = -cqe->res;
		fail("io_uring");
	}
	return cqe->res;
}

/* By io_uring, carried out by a worker thread of the kernel. */
static int take_ring(int line)
{
	static char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct io_uring_params p = {};
	struct io_uring_sqe sqe = { .opcode = IORING_OP_RECVMSG, .fd = line,
				    .addr = (unsigned long)&m, .len = 1, .flags = IOSQE_ASYNC };
	int ring = syscall(SYS_io_uring_setup, 2, &p);

	if (ring < 0)
		skip("io_uring_setup");
	ring_act(ring, &p, &sqe);
	return fd_of(&m);
}

static int ask(const char *what)
{
	must(send(LENDER, what, strlen(what), 0), "ask");
	return LENDER;
}

static int borrow(const char *what)
{
	return take(ask(what), 0);
}

static void read_it(char **arg)
{
	show(borrow(arg[0]));
}

static void read_peeked(char **arg)
{
	show(take(ask(arg[0]), MSG_PEEK));
}

static void read_many(char **arg)
{
	show(take_many(ask(arg[0])));
}

static void read_ring(char **arg)
{
	show(take_ring(ask(arg[0])));
}

/* What is open in a ring that somebody else made; its layout is that of one's own. */
static void ring_read(char **arg)
{
	struct io_uring_params p = {};
	char text[256];
	struct io_uring_sqe sqe = { .opcode = IORING_OP_READ, .flags = IOSQE_FIXED_FILE,
				    .addr = (unsigned long)text, .len = sizeof(text) };
	int n;

	if (syscall(SYS_io_uring_setup, 2, &p) < 0)
		skip("io_uring_setup");
	n = ring_act(borrow(arg[0]), &p, &sqe);
	fwrite(text, 1, n, stdout);
}

/* The second of two, the first of which is allowed. */
static void read_second(char **arg)
{
	close(borrow("r /dev/null"));
	show(borrow(arg[0]));
}

static void list_it(char **arg)
{
	char buf[4096];
	int fd = borrow(arg[0]);
	long n = must(syscall(SYS_getdents64, fd, buf, sizeof(buf)), "getdents64");

	fwrite(buf, 1, n, stdout);
}

static void map_it(char **arg)
{
	char *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, borrow(arg[0]), 0);

	if (p == MAP_FAILED)
		fail("mmap");
	puts(p);
}

static void write_it(char **arg)
{
	must(write(borrow(arg[0]), arg[1], strlen(arg[1])), "write");
}

static void truncate_it(char **arg)
{
	must(ftruncate(borrow(arg[0]), 0), "ftruncate");
}

static void map_write(char **arg)
{
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, borrow(arg[0]), 0);

	if (p == MAP_FAILED)
		fail("mmap");
	memcpy(p, arg[1], strlen(arg[1]));
}

static const char *proc_fd(int fd)
{
	static char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

/* A descriptor for one thing, opened again for another. */
static void upgrade_read(char **arg)
{
	show(must(open(proc_fd(borrow(arg[0])), O_RDONLY), "open again"));
}

static void upgrade_write(char **arg)
{
	int fd = must(open(proc_fd(borrow(arg[0])), O_WRONLY), "open again");

	must(write(fd, arg[1], strlen(arg[1])), "write");
}

static void below(char **arg)
{
	show(must(openat(borrow(arg[0]), arg[1], O_RDONLY), arg[1]));
}

static void say_it(char **arg)
{
	int fd = borrow(arg[0]);

	must(send(fd, arg[1], strlen(arg[1]), MSG_NOSIGNAL), "send");
	shutdown(fd, SHUT_WR);
	usleep(20000);
}

/* Prints what the next client or datagram brings; the client is another process of the caller. */
static void accept_it(char **arg)
{
	int fd = borrow(arg[0]), peer;

	puts("ready");
	fflush(stdout);
	peer = accept(fd, NULL, NULL);
	show(peer < 0 && errno == EOPNOTSUPP ? fd : must(peer, "accept"));
}

static void datagram_it(char **arg)
{
	struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	char buf[512];
	int fd = borrow(arg[0]);
	ssize_t n;

	/* Off whom it may be connected to. */
	connect(fd, &nobody, sizeof(nobody));
	puts("ready");
	fflush(stdout);
	n = must(recv(fd, buf, sizeof(buf), 0), "recv");
	fwrite(buf, 1, n, stdout);
}

/* ---- from another process ---- */

/* pidfd_getfd(2) of number FD of process PID. */
static void getfd(char **arg)
{
	int pidfd = syscall(SYS_pidfd_open, atoi(arg[0]), 0);
	int fd;

	if (pidfd < 0)
		fail("pidfd_open");
	fd = syscall(SYS_pidfd_getfd, pidfd, atoi(arg[1]), 0);
	if (fd < 0)
		fail("pidfd_getfd");
	show(fd);
}

/* getfd-say PID FD TEXT: sends over it */
static void getfd_say(char **arg)
{
	int pidfd = must(syscall(SYS_pidfd_open, atoi(arg[0]), 0), "pidfd_open");
	int fd = must(syscall(SYS_pidfd_getfd, pidfd, atoi(arg[1]), 0), "pidfd_getfd");

	must(send(fd, arg[2], strlen(arg[2]), MSG_NOSIGNAL), "send");
}

/* Among the agent's own processes: a child sends what it has open as FD, the parent reads. */
static void own(char **arg)
{
	int line[2];

	must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, line), "socketpair");
	if (!must(fork(), "fork")) {
		fd_send(line[1], atoi(arg[0]));
		_exit(0);
	}
	close(line[1]);
	show(take(line[0], 0));
}

/* A server that hands the connections it accepts to another of its processes. */
static void own_accepted(char **arg)
{
	int line[2], listener = lend_socket("listen", arg[0], atoi(arg[1])), client;

	must(listener, "listen");
	must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, line), "socketpair");
	if (!must(fork(), "fork")) {
		fd_send(line[1], must(accept(listener, NULL, NULL), "accept"));
		_exit(0);
	}
	close(line[1]);
	client = must(lend_socket("tcp", arg[0], atoi(arg[1])), "connect");
	must(send(client, arg[2], strlen(arg[2]), 0), "send");
	close(client);
	show(take(line[0], 0));
}

static const struct verb verbs[] = {
	{ "serve", 1, serve },
	{ "read", 1, read_it },
	{ "read-peeked", 1, read_peeked },
	{ "read-many", 1, read_many },
	{ "read-ring", 1, read_ring },
	{ "ring-read", 1, ring_read },
	{ "read-second", 1, read_second },
	{ "list", 1, list_it },
	{ "map", 1, map_it },
	{ "write", 2, write_it },
	{ "truncate", 1, truncate_it },
	{ "map-write", 2, map_write },
	{ "upgrade-read", 1, upgrade_read },
	{ "upgrade-write", 2, upgrade_write },
	{ "below", 2, below },
	{ "say", 2, say_it },
	{ "accept", 1, accept_it },
	{ "datagram", 1, datagram_it },
	{ "getfd", 2, getfd },
	{ "getfd-say", 3, getfd_say },
	{ "own", 1, own },
	{ "own-accepted", 3, own_accepted },
};

VERBS_MAIN(verbs)
