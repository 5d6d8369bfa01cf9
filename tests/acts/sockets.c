// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unix sockets: listeners that write down what reaches them, and every way to reach one. An ADDRESS
 * is a path, or @ and an abstract name in which ~ stands for NUL; a TYPE is stream, seqpacket or
 * dgram.
 */
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "act.h"

#define LISTENERS_MAX 64

static int type_of(const char *name)
{
	return !strcmp(name, "dgram") ? SOCK_DGRAM
	       : !strcmp(name, "seqpacket") ? SOCK_SEQPACKET : SOCK_STREAM;
}

static socklen_t address_of(const char *text, struct sockaddr_un *ret)
{
	size_t len = strlen(text);

	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (len >= sizeof(ret->sun_path))
		fail("address");
	memcpy(ret->sun_path, text, len);
	if (*text != '@')
		return offsetof(struct sockaddr_un, sun_path) + len + 1;
	for (size_t i = 0; i < len; i++)
		if (!i || text[i] == '~')
			ret->sun_path[i] = 0;
	return offsetof(struct sockaddr_un, sun_path) + len;
}

static int socket_new(const char *type)
{
	return must(socket(AF_UNIX, type_of(type) | SOCK_CLOEXEC, 0), "socket");
}

static int bound(const char *type, const char *address)
{
	struct sockaddr_un un;
	socklen_t len = address_of(address, &un);
	int fd = socket_new(type);

	if (*address != '@')
		unlink(address);
	must(bind(fd, (struct sockaddr *)&un, len), "bind");
	if (*address != '@')
		chmod(address, 0777);
	if (type_of(type) != SOCK_DGRAM)
		must(listen(fd, 64), "listen");
	return fd;
}

static int connected(const char *type, const char *address)
{
	struct sockaddr_un un;
	socklen_t len = address_of(address, &un);
	int fd = socket_new(type);

	must(connect(fd, (struct sockaddr *)&un, len), "connect");
	return fd;
}

static void say(int fd, const char *text)
{
	must(send(fd, text, strlen(text), MSG_NOSIGNAL), "send");
}

/* serve FILE TYPE ADDRESS [TYPE ADDRESS]...: what arrives is appended to FILE, a line each. */
static void serve(char **arg)
{
	struct pollfd p[LISTENERS_MAX] = {};
	int type[LISTENERS_MAX], out, fd, n = 0;
	char buf[512];
	ssize_t got;

	out = must(open(arg[0], O_WRONLY | O_APPEND | O_CREAT, 0666), arg[0]);
	for (arg++; arg[0] && arg[1] && n < LISTENERS_MAX; arg += 2, n++) {
		type[n] = type_of(arg[0]);
		p[n].fd = bound(arg[0], arg[1]);
		p[n].events = POLLIN;
	}
	printf("serving\n");
	fflush(stdout);
	while (poll(p, n, -1) > 0) {
		for (int i = 0; i < n; i++) {
			if (!(p[i].revents & POLLIN))
				continue;
			fd = type[i] == SOCK_DGRAM ? p[i].fd : accept(p[i].fd, NULL, NULL);
			got = recv(fd, buf, sizeof(buf) - 1, 0);
			if (got > 0) {
				buf[got] = '\n';
				must(write(out, buf, got + 1), "write");
			}
			if (fd != p[i].fd)
				close(fd);
		}
	}
}

/* send TYPE ADDRESS TEXT: by connect */
static void send_connected(char **arg)
{
	say(connected(arg[0], arg[1]), arg[2]);
}

/* sendto ADDRESS TEXT: a datagram without connect */
static void send_to(char **arg)
{
	struct sockaddr_un un;
	socklen_t len = address_of(arg[0], &un);

	must(sendto(socket_new("dgram"), arg[1], strlen(arg[1]), 0, (struct sockaddr *)&un, len),
	     "sendto");
}

/* sendmmsg OWN ADDRESS TEXT: two datagrams in one call, the first to a socket of one's own */
static void send_many(char **arg)
{
	int own = bound("dgram", arg[0]), fd = socket_new("dgram");
	struct sockaddr_un un[2];
	struct iovec iov = { arg[2], strlen(arg[2]) };
	struct mmsghdr m[2] = {};

	for (int i = 0; i < 2; i++) {
		m[i].msg_hdr.msg_namelen = address_of(arg[i], &un[i]);
		m[i].msg_hdr.msg_name = &un[i];
		m[i].msg_hdr.msg_iov = &iov;
		m[i].msg_hdr.msg_iovlen = 1;
	}
	must(sendmmsg(fd, m, 2, 0), "sendmmsg");
	unlink(arg[0]);
	close(own);
}

/* reconnect OWN ADDRESS TEXT: a datagram socket that is first connected to one's own */
static void send_reconnected(char **arg)
{
	int own = bound("dgram", arg[0]), fd = connected("dgram", arg[0]);
	struct sockaddr_un un;
	socklen_t len = address_of(arg[1], &un);

	unlink(arg[0]);
	if (connect(fd, (struct sockaddr *)&un, len))
		fprintf(stderr, "connect: %s\n", strerror(errno));
	/* Whatever connect said: where does it go? */
	if (sendto(fd, arg[2], strlen(arg[2]), 0, (struct sockaddr *)&un, len) < 0)
		say(fd, arg[2]);
	close(own);
}

/* repeat ADDRESS TEXT SECONDS: a connected datagram socket that keeps on sending */
static void send_repeated(char **arg)
{
	int fd = connected("dgram", arg[0]);

	for (int i = 0; i < atoi(arg[2]) * 10; i++) {
		send(fd, arg[1], strlen(arg[1]), 0);
		usleep(100000);
	}
}

/* named ADDRESS TEXT: with a name of the kernel's choice (autobind), and SO_PASSCRED */
static void send_named(char **arg)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	socklen_t len = address_of(arg[0], &un);
	int fd = socket_new("dgram"), one = 1;
	struct sockaddr_un own = { .sun_family = AF_UNIX };

	must(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)), "SO_PASSCRED");
	must(bind(fd, (struct sockaddr *)&own, sizeof(own.sun_family)), "autobind");
	must(sendto(fd, arg[1], strlen(arg[1]), 0, (struct sockaddr *)&un, len), "sendto");
}

/* pair TEXT: through a pair and back, a datagram pair too */
static void pair(char **arg)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	char buf[64] = "";
	int fd[2];

	for (int i = 0; i < 3; i++) {
		must(socketpair(AF_UNIX, types[i], 0, fd), "socketpair");
		say(fd[0], arg[0]);
		must(recv(fd[1], buf, sizeof(buf) - 1, 0), "recv");
	}
	printf("%s\n", buf);
}

/* own TYPE ADDRESS TEXT: bind, and reach it from another process */
static void own(char **arg)
{
	int fd = bound(arg[0], arg[1]);
	char buf[64] = "";

	if (!fork()) {
		say(connected(arg[0], arg[1]), arg[2]);
		_exit(0);
	}
	if (type_of(arg[0]) != SOCK_DGRAM)
		fd = must(accept(fd, NULL, NULL), "accept");
	must(recv(fd, buf, sizeof(buf) - 1, 0), "recv");
	printf("%s\n", buf);
	if (*arg[1] != '@')
		unlink(arg[1]);
}

/* take TYPE ADDRESS SECONDS: stands there and says what comes */
static void take(char **arg)
{
	int fd = bound(arg[0], arg[1]);
	char buf[64] = "";

	printf("taken\n");
	fflush(stdout);
	alarm(atoi(arg[2]));
	if (type_of(arg[0]) != SOCK_DGRAM)
		fd = must(accept(fd, NULL, NULL), "accept");
	must(recv(fd, buf, sizeof(buf) - 1, 0), "recv");
	printf("%s\n", buf);
}

/* autobind: listening by a name of the kernel's choice */
static void take_autobind(char **arg)
{
	struct sockaddr_un own = { .sun_family = AF_UNIX };
	int fd = socket_new("stream");

	(void)arg;
	must(bind(fd, (struct sockaddr *)&own, sizeof(own.sun_family)), "autobind");
	must(listen(fd, 1), "listen");
	printf("bound\n");
}

static const struct verb verbs[] = {
	{ "serve", 3, serve },
	{ "send", 3, send_connected },
	{ "sendto", 2, send_to },
	{ "sendmmsg", 3, send_many },
	{ "reconnect", 3, send_reconnected },
	{ "repeat", 3, send_repeated },
	{ "named", 2, send_named },
	{ "pair", 1, pair },
	{ "own", 3, own },
	{ "take", 3, take },
	{ "autobind", 0, take_autobind },
};
VERBS_MAIN(verbs)
