// SPDX-License-Identifier: GPL-2.0-only
/*
 * Listens and writes down what arrives: listen LOG READY SPEC..., where SPEC is
 * tcp|udp|mptcp|sctp|udplite|dccp:ADDRESS:PORT (address last colon-free or in brackets), vsock:PORT,
 * or wire:INTERFACE for every packet that leaves or enters there. A SPEC that this kernel cannot do
 * is told on stdout. The file READY appears when all listen.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "act.h"

#define SLOTS 256

static struct pollfd fds[SLOTS];
static struct { int stream; char name[64]; } slots[SLOTS];
static int n_slots;

static void slot_add(int fd, int stream, const char *name)
{
	int i = 0;

	while (i < n_slots && fds[i].fd >= 0)
		i++;
	if (i == SLOTS)
		fail("slots");
	if (i == n_slots)
		n_slots++;
	fds[i] = (struct pollfd){ .fd = fd, .events = POLLIN };
	slots[i].stream = stream;
	snprintf(slots[i].name, sizeof(slots[i].name), "%s", name);
}

static const struct kind {
	const char *name;
	int type, protocol;
} kinds[] = {
	{ "tcp", SOCK_STREAM, IPPROTO_TCP },	 { "mptcp", SOCK_STREAM, 262 },
	{ "udp", SOCK_DGRAM, IPPROTO_UDP },	 { "udplite", SOCK_DGRAM, 136 },
	{ "sctp", SOCK_STREAM, IPPROTO_SCTP },	 { "dccp", 6, 33 },
};

static socklen_t address_parse(char *text, struct sockaddr_storage *ret)
{
	struct sockaddr_in6 *in6 = (void *)ret;
	struct sockaddr_in *in = (void *)ret;
	char *port = strrchr(text, ':');

	*port++ = 0;
	memset(ret, 0, sizeof(*ret));
	if (strchr(text, ':')) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(atoi(port));
		inet_pton(AF_INET6, text, &in6->sin6_addr);
		return sizeof(*in6);
	}
	in->sin_family = AF_INET;
	in->sin_port = htons(atoi(port));
	inet_pton(AF_INET, text, &in->sin_addr);
	return sizeof(*in);
}

static int listen_inet(const struct kind *k, char *text)
{
	struct sockaddr_storage a;
	socklen_t len = address_parse(text, &a);
	int fd, one = 1;

	fd = socket(a.ss_family, k->type, k->protocol);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, IPPROTO_IPV6, 26 /* IPV6_V6ONLY */, &one, sizeof(one));
	if (k->type == 6)
		setsockopt(fd, 269 /* SOL_DCCP */, 2 /* SERVICE */, &(int){ htonl(1) }, 4);
	if (k->protocol == IPPROTO_TCP)
		setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &(int){ 16 }, 4);
	if (bind(fd, (void *)&a, len) || (k->type != SOCK_DGRAM && listen(fd, 16))) {
		close(fd);
		return -1;
	}
	return fd;
}

static int listen_vsock(const char *port)
{
	struct sockaddr_vm a = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY,
				 .svm_port = atoi(port) };
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	if (fd >= 0 && !bind(fd, (void *)&a, sizeof(a)) && !listen(fd, 4))
		return fd;
	close(fd);
	return -1;
}

static int listen_wire(const char *interface)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
				 .sll_ifindex = if_nametoindex(interface) };
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));

	if (fd >= 0 && !bind(fd, (void *)&a, sizeof(a)))
		return fd;
	close(fd);
	return -1;
}

static void spec_add(const char *spec)
{
	char *text = strdup(spec), *rest = strchr(text, ':');
	int fd = -1, stream = 0;

	*rest++ = 0;
	if (!strcmp(text, "vsock")) {
		fd = listen_vsock(rest);
		stream = 1;
	} else if (!strcmp(text, "wire")) {
		fd = listen_wire(rest);
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(text, kinds[i].name))
			continue;
		fd = listen_inet(&kinds[i], rest);
		stream = kinds[i].type != SOCK_DGRAM;
	}
	if (fd < 0)
		printf("cannot listen on %s: %s\n", spec, strerror(errno));
	else
		slot_add(fd, stream, spec);
	fflush(stdout);
}

/* A packet's bytes may be anything: one line, and nothing in it that ends it. */
static void write_line(FILE *log, const char *name, const char *buf, ssize_t n)
{
	fprintf(log, "%s: ", name);
	for (ssize_t i = 0; i < n; i++)
		fputc(buf[i] >= ' ' && buf[i] <= '~' ? buf[i] : '.', log);
	fputc('\n', log);
}

static void receive(int i, FILE *log)
{
	char buf[65536];
	ssize_t n;
	int fd;

	if (slots[i].stream == 1) {
		fd = accept(fds[i].fd, NULL, NULL);
		if (fd >= 0) {
			fprintf(log, "%s: connected\n", slots[i].name);
			slot_add(fd, 2, slots[i].name);
		}
	} else {
		n = recv(fds[i].fd, buf, sizeof(buf), 0);
		if (n > 0) {
			write_line(log, slots[i].name, buf, n);
		} else if (slots[i].stream) {
			close(fds[i].fd);
			fds[i].fd = -1;
		}
	}
	fflush(log);
}

int main(int argc, char **argv)
{
	FILE *log = argc > 3 ? fopen(argv[1], "a") : NULL;

	if (!log)
		fail("usage: listen LOG READY SPEC...");
	for (int i = 3; i < argc; i++)
		spec_add(argv[i]);
	close(must(open(argv[2], O_CREAT | O_WRONLY, 0600), argv[2]));
	for (;;) {
		int n = n_slots;

		poll(fds, n, -1);
		for (int i = 0; i < n; i++)
			if (fds[i].revents)
				receive(i, log);
	}
}
