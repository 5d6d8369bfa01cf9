// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends a text to an address, each verb in another way. Arguments: address, port, text; two
 * addresses where both an allowed and a denied target are meant.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "act.h"

struct target {
	struct sockaddr_storage a;
	socklen_t len;
};

static struct target target(const char *address, const char *port)
{
	struct target t = {};
	struct sockaddr_in6 *in6 = (void *)&t.a;
	struct sockaddr_in *in = (void *)&t.a;

	if (inet_pton(AF_INET, address, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(atoi(port));
		t.len = sizeof(*in);
	} else if (inet_pton(AF_INET6, address, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(atoi(port));
		t.len = sizeof(*in6);
	} else {
		errno = EINVAL;
		fail(address);
	}
	return t;
}

static int sock(const struct target *t, int type, int protocol)
{
	int fd = socket(t->a.ss_family, type, protocol);

	if (fd < 0 && (errno == EPROTONOSUPPORT || errno == ESOCKTNOSUPPORT ||
		       errno == ENOPROTOOPT || errno == EAFNOSUPPORT))
		skip("socket");
	return must(fd, "socket");
}

static void say(int fd, const char *text)
{
	must(send(fd, text, strlen(text), MSG_NOSIGNAL), "send");
	/* Time for the peer to read before the reset that an unread answer would cause. */
	shutdown(fd, SHUT_WR);
	usleep(20000);
	close(fd);
}

static void connect_say(char **arg, int type, int protocol)
{
	struct target t = target(arg[0], arg[1]);
	int fd = sock(&t, type, protocol);

	if (type == 6)
		setsockopt(fd, 269, 2, &(int){ htonl(1) }, 4);
	must(connect(fd, (void *)&t.a, t.len), "connect");
	say(fd, arg[2]);
}

static void tcp(char **arg)
{
	connect_say(arg, SOCK_STREAM, IPPROTO_TCP);
}

static void mptcp(char **arg)
{
	connect_say(arg, SOCK_STREAM, 262);
}

static void udp(char **arg)
{
	connect_say(arg, SOCK_DGRAM, 0);
}

static void udplite(char **arg)
{
	connect_say(arg, SOCK_DGRAM, 136);
}

static void sctp(char **arg)
{
	connect_say(arg, SOCK_STREAM, IPPROTO_SCTP);
}

static void dccp(char **arg)
{
	connect_say(arg, 6, 33);
}

static void nonblocking(char **arg)
{
	struct target t = target(arg[0], arg[1]);
	int fd = sock(&t, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (connect(fd, (void *)&t.a, t.len) && errno != EINPROGRESS)
		fail("connect");
	usleep(50000);
	say(fd, arg[2]);
}

static void send_to(char **arg)
{
	struct target t = target(arg[0], arg[1]);
	int fd = sock(&t, SOCK_DGRAM, 0);

	must(sendto(fd, arg[2], strlen(arg[2]), 0, (void *)&t.a, t.len), "sendto");
}

/* udp_sendmsg takes a family of 0 for an IPv4 address. */
static void send_to_unspec(char **arg)
{
	struct target t = target(arg[0], arg[1]);
	int fd = sock(&t, SOCK_DGRAM, 0);

	t.a.ss_family = AF_UNSPEC;
	must(sendto(fd, arg[2], strlen(arg[2]), 0, (void *)&t.a, t.len), "sendto");
}

/* An IPv4 address for an IPv6 socket. */
static void send_to_v4_by_v6(char **arg)
{
	struct target t = target(arg[0], arg[1]);
	int fd = must(socket(AF_INET6, SOCK_DGRAM, 0), "socket");

	must(sendto(fd, arg[2], strlen(arg[2]), 0, (void *)&t.a, t.len), "sendto");
}

static void send_msg(char **arg)
{
	struct target t = target(arg[0], arg[1]);
	struct iovec iov = { arg[2], strlen(arg[2]) };
	struct msghdr m = { .msg_name = &t.a, .msg_namelen = t.len, .msg_iov = &iov,
			    .msg_iovlen = 1 };

	must(sendmsg(sock(&t, SOCK_DGRAM, 0), &m, 0), "sendmsg");
}

/* Allowed address and port, then denied address and port, text: in one call, and again. */
static void send_mmsg(char **arg)
{
	struct target good = target(arg[0], arg[1]), bad = target(arg[2], arg[3]);
	struct iovec iov = { arg[4], strlen(arg[4]) }, hello = { "hello", 5 };
	int fd = sock(&good, SOCK_DGRAM, 0);
	struct mmsghdr m[4] = {};

	for (int i = 0; i < 4; i++) {
		struct target *t = i % 2 ? &bad : &good;

		m[i].msg_hdr = (struct msghdr){ .msg_name = &t->a, .msg_namelen = t->len,
						.msg_iov = i % 2 ? &iov : &hello, .msg_iovlen = 1 };
	}
	must(sendmmsg(fd, m, 4, 0), "sendmmsg");
	must(sendmmsg(fd, m + 1, 3, 0), "sendmmsg");
}

/* Connected to an allowed address, sent to another. */
static void connected_send_to(char **arg)
{
	struct target good = target(arg[0], arg[1]), bad = target(arg[2], arg[3]);
	int fd = sock(&good, SOCK_DGRAM, 0);

	must(connect(fd, (void *)&good.a, good.len), "connect");
	must(sendto(fd, arg[4], strlen(arg[4]), 0, (void *)&bad.a, bad.len), "sendto");
}

static void reconnect(char **arg, int type)
{
	struct target good = target(arg[0], arg[1]), bad = target(arg[2], arg[3]);
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int fd = sock(&good, type, 0);

	must(connect(fd, (void *)&good.a, good.len), "connect");
	must(connect(fd, &none, sizeof(none)), "disconnect");
	must(connect(fd, (void *)&bad.a, bad.len), "connect again");
	say(fd, arg[4]);
}

static void reconnect_tcp(char **arg)
{
	reconnect(arg, SOCK_STREAM);
}

static void reconnect_udp(char **arg)
{
	reconnect(arg, SOCK_DGRAM);
}

static void fast_open(char **arg)
{
	struct target t = target(arg[0], arg[1]);
	int fd = sock(&t, SOCK_STREAM, 0);

	must(sendto(fd, arg[2], strlen(arg[2]), MSG_FASTOPEN | MSG_NOSIGNAL, (void *)&t.a, t.len),
	     "fast open");
	usleep(50000);
}

static void fast_open_mptcp(char **arg)
{
	struct target t = target(arg[0], arg[1]);
	int fd = sock(&t, SOCK_STREAM, 262);

	if (sendto(fd, arg[2], strlen(arg[2]), MSG_FASTOPEN | MSG_NOSIGNAL, (void *)&t.a, t.len) <
	    0) {
		if (errno == EOPNOTSUPP || errno == EPIPE)
			skip("fast open with MPTCP");
		fail("fast open");
	}
	usleep(50000);
}

static void fast_open_connect(char **arg)
{
	struct target t = target(arg[0], arg[1]);
	int fd = sock(&t, SOCK_STREAM, 0);

	must(setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &(int){ 1 }, 4), "setsockopt");
	must(connect(fd, (void *)&t.a, t.len), "connect");
	say(fd, arg[2]);
}

/* On a socket that is half open already; and by sendmsg with the flag. */
static void fast_open_msg(char **arg)
{
	struct target t = target(arg[0], arg[1]);
	struct iovec iov = { arg[2], strlen(arg[2]) };
	struct msghdr m = { .msg_name = &t.a, .msg_namelen = t.len, .msg_iov = &iov,
			    .msg_iovlen = 1 };

	must(sendmsg(sock(&t, SOCK_STREAM, 0), &m, MSG_FASTOPEN | MSG_NOSIGNAL), "fast open");
	usleep(50000);
}

/* An echo request with the text, by a socket for those alone. */
static void ping(char **arg, int connected)
{
	struct target t = target(arg[0], "0");
	int v6 = t.a.ss_family == AF_INET6, fd = sock(&t, SOCK_DGRAM, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	char m[64] = { v6 ? (char)128 : 8 };
	size_t len = 8 + strlen(arg[1]);

	memcpy(m + 8, arg[1], len - 8);
	if (connected) {
		must(connect(fd, (void *)&t.a, t.len), "connect");
		must(send(fd, m, len, 0), "send");
	} else {
		must(sendto(fd, m, len, 0, (void *)&t.a, t.len), "sendto");
	}
}

static void ping_to(char **arg)
{
	ping(arg, 0);
}

static void ping_connected(char **arg)
{
	ping(arg, 1);
}

static const struct verb verbs[] = {
	{ "tcp", 3, tcp },
	{ "udp", 3, udp },
	{ "mptcp", 3, mptcp },
	{ "udplite", 3, udplite },
	{ "sctp", 3, sctp },
	{ "dccp", 3, dccp },
	{ "nonblocking", 3, nonblocking },
	{ "sendto", 3, send_to },
	{ "sendto-unspec", 3, send_to_unspec },
	{ "sendto-v4-by-v6", 3, send_to_v4_by_v6 },
	{ "sendmsg", 3, send_msg },
	{ "sendmmsg", 5, send_mmsg },
	{ "connected-sendto", 5, connected_send_to },
	{ "reconnect-tcp", 5, reconnect_tcp },
	{ "reconnect-udp", 5, reconnect_udp },
	{ "fast-open", 3, fast_open },
	{ "fast-open-mptcp", 3, fast_open_mptcp },
	{ "fast-open-connect", 3, fast_open_connect },
	{ "fast-open-msg", 3, fast_open_msg },
	{ "ping", 2, ping_to },
	{ "ping-connected", 2, ping_connected },
};
VERBS_MAIN(verbs)
