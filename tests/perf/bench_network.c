/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the network costs a process, with the machine at the other end of a wire that answers it.
 *
 *   bench_network serve ADDR
 *   bench_network measure [--denied] ADDR NAME [CALL]
 *
 * serve runs until it is ended. measure prints "CALL<TAB>MEDIAN" for each; NAME is a host that is asked for,
 * and that is ADDR. CALL: nothing else is measured. --denied: fails unless connecting to a port that
 * nobody allows is refused.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure.h"

enum { PORT_ECHO = 7000, PORT_SINK, PORT_NAMED, PORT_UDP, PORT_DENIED };

/* After so many bytes the sink says that it has them. */
#define BULK   (1 << 20)
#define WRITE  (1 << 16)
#define N_FDS  8
#define N_OPEN 3		/* of them, those that listen */
#define N_MANY 100
#define N_FEW  4

static struct sockaddr_in server = {.sin_family = AF_INET};
static const char *host;
static char buffer[BULK];
static int udp = -1, echo = -1, sink = -1, named = -1;

static int socket_at(int type, int port, bool serve)
{
	struct sockaddr_in at = server;
	int fd = socket(AF_INET, type, 0), on = 1;

	at.sin_port = htons((uint16_t)port);
	if (fd < 0 || (serve && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on))) ||
	    (serve ? bind : connect)(fd, (const struct sockaddr *)&at, sizeof(at)) ||
	    (serve && type == SOCK_STREAM && listen(fd, 16)))
		die("socket");
	if (type == SOCK_STREAM && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		die("TCP_NODELAY");
	return fd;
}

/* ---- the other end ---- */

static size_t received[N_FDS];

/* False: it is over. */
static bool serve_one(int fd, size_t *bytes, bool echoes)
{
	ssize_t n = recv(fd, buffer, sizeof(buffer), 0);

	if (n <= 0)
		return false;
	if (echoes)
		return send(fd, buffer, (size_t)n, MSG_NOSIGNAL) == n;
	for (*bytes += (size_t)n; *bytes >= BULK; *bytes -= BULK)
		if (send(fd, "x", 1, MSG_NOSIGNAL) != 1)
			return false;
	return true;
}

static void serve(void)
{
	struct pollfd fds[N_FDS] = {
		{.fd = socket_at(SOCK_STREAM, PORT_ECHO, true), .events = POLLIN},
		{.fd = socket_at(SOCK_STREAM, PORT_SINK, true), .events = POLLIN},
		{.fd = socket_at(SOCK_STREAM, PORT_NAMED, true), .events = POLLIN},
	};
	bool echoes[N_FDS] = {};
	int small = 1, i, at;

	/* Nobody reads it: it is soon full, and each datagram costs the same. */
	at = socket_at(SOCK_DGRAM, PORT_UDP, true);
	if (setsockopt(at, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)))
		die("SO_RCVBUF");
	for (i = N_OPEN; i < N_FDS; i++)
		fds[i].fd = -1;
	for (;;) {
		if (poll(fds, N_FDS, -1) < 0)
			die("poll");
		for (i = N_OPEN; i < N_FDS; i++) {
			if (fds[i].fd < 0 || !fds[i].revents ||
			    serve_one(fds[i].fd, &received[i], echoes[i]))
				continue;
			close(fds[i].fd);
			fds[i].fd = -1;
		}
		for (i = 0; i < N_OPEN; i++) {
			if (!(fds[i].revents & POLLIN))
				continue;
			for (at = N_OPEN; at < N_FDS && fds[at].fd >= 0; at++)
				;
			if (at == N_FDS)
				continue;
			fds[at].fd = accept(fds[i].fd, NULL, NULL);
			fds[at].events = POLLIN;
			fds[at].revents = 0;
			echoes[at] = i == 0;
			received[at] = 0;
		}
	}
}

/* ---- this end ---- */

static void call_udp_send(void)
{
	if (udp < 0)
		udp = socket_at(SOCK_DGRAM, PORT_UDP, false);
	if (send(udp, "x", 1, 0) != 1)
		die("send");
}

static void call_udp_sendto(void)
{
	struct sockaddr_in at = server;

	at.sin_port = htons(PORT_UDP);
	if (udp < 0 && (udp = socket(AF_INET, SOCK_DGRAM, 0)) < 0)
		die("socket");
	if (sendto(udp, "x", 1, 0, (const struct sockaddr *)&at, sizeof(at)) != 1)
		die("sendto");
}

static void call_tcp_rr(void)
{
	char c = 'x';

	if (echo < 0)
		echo = socket_at(SOCK_STREAM, PORT_ECHO, false);
	if (send(echo, &c, 1, 0) != 1 || recv(echo, &c, 1, 0) != 1)
		die("echo");
}

/* Until the other end has closed it too, so that it is in nobody's way. */
static void call_tcp_connect(void)
{
	int fd = socket_at(SOCK_STREAM, PORT_ECHO, false);
	char c;

	if (shutdown(fd, SHUT_WR) || recv(fd, &c, 1, 0) != 0)
		die("shutdown");
	close(fd);
}

static void send_bulk(int fd)
{
	size_t at;
	char c;

	for (at = 0; at < BULK; at += WRITE)
		if (send(fd, buffer, WRITE, 0) != WRITE)
			die("send");
	if (recv(fd, &c, 1, 0) != 1)
		die("recv");
}

static void call_tcp_bulk(void)
{
	if (sink < 0)
		sink = socket_at(SOCK_STREAM, PORT_SINK, false);
	send_bulk(sink);
}

static void call_resolve(void)
{
	const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found;
	int error = getaddrinfo(host, NULL, &hints, &found);

	if (error) {
		fprintf(stderr, "bench: %s: %s\n", host, gai_strerror(error));
		exit(1);
	}
	freeaddrinfo(found);
}

/* The same connection that says its name first, which a rule on names wants. */
static void call_tcp_bulk_named(void)
{
	if (named < 0) {
		snprintf(buffer, sizeof(buffer),
			 "POST / HTTP/1.1\r\nHost: %s:%d\r\nContent-Length: 1000000000\r\n\r\n", host,
			 PORT_NAMED);
		call_resolve();
		named = socket_at(SOCK_STREAM, PORT_NAMED, false);
	}
	send_bulk(named);
}

static void sockets_close(void)
{
	int *const fds[] = {&udp, &echo, &sink, &named};
	size_t i;

	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

static const struct call calls[] = {
	{"wire_udp_send", call_udp_send, N_MANY},
	{"wire_udp_sendto", call_udp_sendto, N_MANY},
	{"wire_tcp_rr", call_tcp_rr, N_MANY},
	{"wire_tcp_connect", call_tcp_connect, N_MANY},
	{"wire_tcp_bulk", call_tcp_bulk, N_FEW},
	{"wire_resolve", call_resolve, N_FEW},
	{"wire_tcp_bulk_named", call_tcp_bulk_named, N_FEW},
};

int main(int argc, char **argv)
{
	bool denied = argc > 2 && !strcmp(argv[2], "--denied");
	size_t i;

	if (argc < 3 + denied || inet_pton(AF_INET, argv[2 + denied], &server.sin_addr) != 1) {
		fprintf(stderr, "usage: bench_network serve ADDR | measure [--denied] ADDR NAME"
				" [CALL]\n");
		return 2;
	}
	if (!strcmp(argv[1], "serve")) {
		serve();
		return 0;
	}
	host = argv[3 + denied];
	server.sin_port = htons(PORT_DENIED);
	if (denied) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (!connect(fd, (const struct sockaddr *)&server, sizeof(server)) ||
		    errno != EACCES) {
			fprintf(stderr, "bench: port %d is not refused\n", PORT_DENIED);
			return 1;
		}
		close(fd);
	}
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (argc > 4 + denied && strcmp(argv[4 + denied], calls[i].name))
			continue;
		measure(&calls[i], N_BATCHES);
		sockets_close();
	}
	return 0;
}
