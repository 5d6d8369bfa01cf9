// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls by io_uring, one at a time and without liburing. The mode says who carries the
 * request out: "task" the caller, "worker" a kernel thread, "poll" the ring's own kernel thread.
 */
#include <arpa/inet.h>
#include <linux/io_uring.h>
#include <net/if.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "act.h"

struct ring {
	int fd;
	unsigned int *sq_tail, *sq_mask, *sq_array, *sq_flags, *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	int poll, worker;
};

static void *map(int fd, size_t len, off_t at)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, at);

	if (p == MAP_FAILED)
		fail("mmap ring");
	return p;
}

static void ring_open(struct ring *r, const char *mode)
{
	struct io_uring_params p = {};
	char *sq, *cq;

	r->poll = !strcmp(mode, "poll");
	r->worker = !strcmp(mode, "worker");
	if (r->poll) {
		p.flags = IORING_SETUP_SQPOLL;
		p.sq_thread_idle = 2000;
	}
	r->fd = syscall(SYS_io_uring_setup, 8, &p);
	if (r->fd < 0)
		fail("io_uring_setup");
	sq = map(r->fd, p.sq_off.array + p.sq_entries * sizeof(unsigned int), IORING_OFF_SQ_RING);
	cq = map(r->fd, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe),
		 IORING_OFF_CQ_RING);
	r->sqes = map(r->fd, p.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
	r->sq_tail = (unsigned int *)(sq + p.sq_off.tail);
	r->sq_mask = (unsigned int *)(sq + p.sq_off.ring_mask);
	r->sq_flags = (unsigned int *)(sq + p.sq_off.flags);
	r->sq_array = (unsigned int *)(sq + p.sq_off.array);
	r->cq_head = (unsigned int *)(cq + p.cq_off.head);
	r->cq_tail = (unsigned int *)(cq + p.cq_off.tail);
	r->cq_mask = (unsigned int *)(cq + p.cq_off.ring_mask);
	r->cqes = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
}

static void submit(struct ring *r)
{
	unsigned int flags = IORING_ENTER_GETEVENTS;

	if (r->poll) {
		flags |= IORING_ENTER_SQ_WAKEUP;
	}
	must(syscall(SYS_io_uring_enter, r->fd, r->poll ? 0 : 1, 1, flags, NULL, 0),
	     "io_uring_enter");
}

/* Carries out one request; its result, or the end of the program. */
static int act(struct ring *r, const struct io_uring_sqe *sqe, const char *what)
{
	unsigned int tail = *r->sq_tail, at = tail & *r->sq_mask;
	struct io_uring_cqe *cqe;
	int res;

	r->sqes[at] = *sqe;
	if (r->worker)
		r->sqes[at].flags |= IOSQE_ASYNC;
	r->sq_array[at] = at;
	__atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_RELEASE);
	submit(r);
	while (__atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE) == *r->cq_head)
		submit(r);
	cqe = &r->cqes[*r->cq_head & *r->cq_mask];
	res = cqe->res;
	__atomic_store_n(r->cq_head, *r->cq_head + 1, __ATOMIC_RELEASE);
	if (res < 0) {
		errno = -res;
		if (res == -EINVAL || res == -EOPNOTSUPP)
			skip(what);
		fail(what);
	}
	return res;
}

static struct io_uring_sqe path_sqe(unsigned int op, const char *path)
{
	struct io_uring_sqe sqe = { .opcode = op, .fd = AT_FDCWD, .addr = (unsigned long)path };

	return sqe;
}

static struct ring ring;

static void open_read(char **arg)
{
	struct io_uring_sqe sqe = path_sqe(IORING_OP_OPENAT, arg[1]);

	ring_open(&ring, arg[0]);
	sqe.open_flags = O_RDONLY;
	show(act(&ring, &sqe, "openat"));
}

static void open2_read(char **arg)
{
	struct { uint64_t flags, mode, resolve; } how = { .flags = O_RDONLY };
	struct io_uring_sqe sqe = path_sqe(IORING_OP_OPENAT2, arg[1]);

	ring_open(&ring, arg[0]);
	sqe.len = sizeof(how);
	sqe.off = (unsigned long)&how;
	show(act(&ring, &sqe, "openat2"));
}

static void create(char **arg)
{
	struct io_uring_sqe sqe = path_sqe(IORING_OP_OPENAT, arg[1]);

	ring_open(&ring, arg[0]);
	sqe.open_flags = O_WRONLY | O_CREAT;
	sqe.len = 0600;
	act(&ring, &sqe, "openat");
}

static void two_paths(char **arg, unsigned int op, const char *what)
{
	struct io_uring_sqe sqe = path_sqe(op, arg[1]);

	ring_open(&ring, arg[0]);
	sqe.off = (unsigned long)arg[2];
	/* For a symlink `fd` is the new name's directory and `len` is not used. */
	if (op != IORING_OP_SYMLINKAT)
		sqe.len = AT_FDCWD;
	act(&ring, &sqe, what);
}

static void move(char **arg)
{
	two_paths(arg, IORING_OP_RENAMEAT, "renameat");
}

static void hard(char **arg)
{
	two_paths(arg, IORING_OP_LINKAT, "linkat");
}

static void soft(char **arg)
{
	two_paths(arg, IORING_OP_SYMLINKAT, "symlinkat");
}

static void remove_name(char **arg)
{
	struct io_uring_sqe sqe = path_sqe(IORING_OP_UNLINKAT, arg[1]);

	ring_open(&ring, arg[0]);
	act(&ring, &sqe, "unlinkat");
}

static void make_dir(char **arg)
{
	struct io_uring_sqe sqe = path_sqe(IORING_OP_MKDIRAT, arg[1]);

	ring_open(&ring, arg[0]);
	sqe.len = 0700;
	act(&ring, &sqe, "mkdirat");
}

static void get_xattr(char **arg)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_GETXATTR };
	char value[256];
	int n;

	ring_open(&ring, arg[0]);
	sqe.addr = (unsigned long)"user.mark";
	sqe.addr2 = (unsigned long)value;
	sqe.addr3 = (unsigned long)arg[1];
	sqe.len = sizeof(value);
	n = act(&ring, &sqe, "getxattr");
	fwrite(value, 1, n, stdout);
}

static void set_xattr(char **arg)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_SETXATTR };

	ring_open(&ring, arg[0]);
	sqe.addr = (unsigned long)"user.planted";
	sqe.addr2 = (unsigned long)"x";
	sqe.addr3 = (unsigned long)arg[1];
	sqe.len = 1;
	act(&ring, &sqe, "setxattr");
}

static struct sockaddr_in address_of(const char *address, const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };

	inet_pton(AF_INET, address, &a.sin_addr);
	return a;
}

static struct sockaddr_in address(const char *port)
{
	return address_of("127.0.0.1", port);
}

/* mode, port: bind and listen (opcodes 56 and 57, since 6.11), and what the first client says */
static void listening(char **arg)
{
	struct io_uring_sqe sqe = { .opcode = 56 };
	struct sockaddr_in a = address(arg[1]);
	char text[256];
	int fd, n;

	ring_open(&ring, arg[0]);
	sqe.fd = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
	must(setsockopt(sqe.fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)), "SO_REUSEADDR");
	sqe.addr = (unsigned long)&a;
	sqe.off = sizeof(a);
	act(&ring, &sqe, "bind");
	sqe = (struct io_uring_sqe){ .opcode = 57, .fd = sqe.fd, .len = 8 };
	act(&ring, &sqe, "listen");
	puts("listening");
	fflush(stdout);
	sqe = (struct io_uring_sqe){ .opcode = IORING_OP_ACCEPT, .fd = sqe.fd };
	fd = act(&ring, &sqe, "accept");
	sqe = (struct io_uring_sqe){ .opcode = IORING_OP_RECV, .fd = fd,
				     .addr = (unsigned long)text, .len = sizeof(text) };
	n = act(&ring, &sqe, "recv");
	fwrite(text, 1, n, stdout);
}

/* mode, port, text */
static void tcp(char **arg)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_CONNECT };
	struct sockaddr_in a = address(arg[1]);

	ring_open(&ring, arg[0]);
	sqe.fd = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
	sqe.addr = (unsigned long)&a;
	sqe.off = sizeof(a);
	act(&ring, &sqe, "connect");
	must(write(sqe.fd, arg[2], strlen(arg[2])), "write");
}

static void udp_msg(char **arg)
{
	struct sockaddr_in a = address(arg[1]);
	struct iovec iov = { arg[2], strlen(arg[2]) };
	struct msghdr msg = { .msg_name = &a, .msg_namelen = sizeof(a), .msg_iov = &iov,
			      .msg_iovlen = 1 };
	struct io_uring_sqe sqe = { .opcode = IORING_OP_SENDMSG };

	ring_open(&ring, arg[0]);
	sqe.fd = must(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	sqe.addr = (unsigned long)&msg;
	act(&ring, &sqe, "sendmsg");
}

/* An address with a plain send: since 6.0 with zero copy (opcode 47), since 6.? without. */
static void udp_zero_copy(char **arg)
{
	struct sockaddr_in a = address(arg[1]);
	struct io_uring_sqe sqe = { .opcode = 47 };

	ring_open(&ring, arg[0]);
	sqe.fd = must(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	sqe.addr = (unsigned long)arg[2];
	sqe.len = strlen(arg[2]);
	sqe.addr2 = (unsigned long)&a;
	/* addr_len, 16 bits beside file_index */
	*(uint16_t *)((char *)&sqe + 44) = sizeof(a);
	act(&ring, &sqe, "send_zc");
}

/* mode, how, address, port: sends what stands on stdin, how: send or send-zc on a connection, sendmsg or
 * send-zc-to as a datagram */
static void say(char **arg)
{
	struct sockaddr_in a = address_of(arg[2], arg[3]);
	int zc = !strncmp(arg[1], "send-zc", 7), to = !strcmp(arg[1], "send-zc-to");
	int msg = !strcmp(arg[1], "sendmsg");
	struct io_uring_sqe sqe = { .opcode = msg ? IORING_OP_SENDMSG : zc ? 47 : IORING_OP_SEND };
	static char text[4096];
	struct iovec iov = { text, 0 };
	struct msghdr m = { .msg_name = &a, .msg_namelen = sizeof(a), .msg_iov = &iov,
			    .msg_iovlen = 1 };

	iov.iov_len = must(read(0, text, sizeof(text)), "read");
	ring_open(&ring, arg[0]);
	sqe.fd = must(socket(AF_INET, msg || to ? SOCK_DGRAM : SOCK_STREAM, 0), "socket");
	sqe.addr = (unsigned long)(msg ? (void *)&m : text);
	sqe.len = msg ? 1 : iov.iov_len;
	if (!msg && !to)
		must(connect(sqe.fd, (void *)&a, sizeof(a)), "connect");
	if (to) {
		sqe.addr2 = (unsigned long)&a;
		*(uint16_t *)((char *)&sqe + 44) = sizeof(a);
	}
	act(&ring, &sqe, "send");
	usleep(200000);
}

/* A socket made by the ring (opcode 45, since 5.19), then used by it. */
static void raw_socket(char **arg)
{
	struct io_uring_sqe sqe = { .opcode = 45, .fd = AF_INET, .off = SOCK_RAW,
				    .len = IPPROTO_UDP };
	struct sockaddr_in a = address(arg[1]);
	unsigned char packet[256] = {};
	uint16_t port = htons(atoi(arg[1])), len = 8 + strlen(arg[2]);
	int fd;

	ring_open(&ring, arg[0]);
	fd = act(&ring, &sqe, "socket");
	memcpy(packet + 2, &port, 2);
	packet[4] = len >> 8;
	packet[5] = len;
	memcpy(packet + 8, arg[2], len - 8);
	a.sin_port = 0;
	must(sendto(fd, packet, len, 0, (struct sockaddr *)&a, sizeof(a)), "sendto");
}

/* mode, path, text: a stream connected by the ring */
static void unix_stream(char **arg)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_CONNECT };
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	ring_open(&ring, arg[0]);
	strncpy(a.sun_path, arg[1], sizeof(a.sun_path) - 1);
	sqe.fd = must(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
	sqe.addr = (unsigned long)&a;
	sqe.off = sizeof(a);
	act(&ring, &sqe, "connect");
	must(write(sqe.fd, arg[2], strlen(arg[2])), "write");
}

/* mode, path, text: a datagram sent by the ring */
static void unix_dgram(char **arg)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct iovec iov = { arg[2], strlen(arg[2]) };
	struct msghdr msg = { .msg_name = &a, .msg_namelen = sizeof(a), .msg_iov = &iov,
			      .msg_iovlen = 1 };
	struct io_uring_sqe sqe = { .opcode = IORING_OP_SENDMSG };

	ring_open(&ring, arg[0]);
	strncpy(a.sun_path, arg[1], sizeof(a.sun_path) - 1);
	sqe.fd = must(socket(AF_UNIX, SOCK_DGRAM, 0), "socket");
	sqe.addr = (unsigned long)&msg;
	act(&ring, &sqe, "sendmsg");
}

/* mode, interface, text: a group is joined (SOCKET_URING_OP_SETSOCKOPT of the opcode 46, since 6.7) */
static void join(char **arg)
{
	struct { struct in_addr group, address; int interface; } r = {
		.interface = if_nametoindex(arg[1]),
	};
	struct io_uring_sqe sqe = { .opcode = 46 };

	ring_open(&ring, arg[0]);
	r.group.s_addr = htonl(0xef000000 | arg[2][0] << 16 | arg[2][1] << 8 | arg[2][2]);
	sqe.fd = must(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	sqe.off = 3;					      /* cmd_op */
	sqe.addr = (uint64_t)IP_ADD_MEMBERSHIP << 32;	      /* level 0, optname */
	*(uint32_t *)((char *)&sqe + 44) = sizeof(r);	      /* optlen */
	*(uint64_t *)((char *)&sqe + 48) = (unsigned long)&r; /* optval */
	act(&ring, &sqe, "setsockopt");
	usleep(300000);
}

static const struct verb verbs[] = {
	{ "read", 2, open_read },  { "read2", 2, open2_read }, { "create", 2, create },
	{ "rename", 3, move },	   { "link", 3, hard },	       { "symlink", 3, soft },
	{ "unlink", 2, remove_name }, { "mkdir", 2, make_dir }, { "getxattr", 2, get_xattr },
	{ "setxattr", 2, set_xattr }, { "tcp", 3, tcp },       { "udp", 3, udp_msg },
	{ "udp-zc", 3, udp_zero_copy }, { "raw", 3, raw_socket },
	{ "join", 3, join }, { "say", 4, say },
	{ "listen", 2, listening }, { "unix", 3, unix_stream }, { "unix-dgram", 3, unix_dgram },
};
VERBS_MAIN(verbs)
