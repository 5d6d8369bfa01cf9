// SPDX-License-Identifier: GPL-2.0-only
/* Packets made by hand or by the kernel, detours in their headers, and families that rules do not speak of. */
#include <arpa/inet.h>
#include <linux/if_alg.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/socket.h>

#include "act.h"

static struct sockaddr_in v4(const char *address, const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };

	inet_pton(AF_INET, address, &a.sin_addr);
	return a;
}

static uint16_t ip_sum(const void *p, size_t len)
{
	const uint16_t *w = p;
	uint32_t sum = 0;

	for (; len > 1; len -= 2)
		sum += *w++;
	sum = (sum >> 16) + (sum & 0xffff);
	return ~(sum + (sum >> 16));
}

/* An IPv4 packet with UDP inside (checksum 0: none). */
static size_t packet_make(unsigned char *p, const char *address, const char *port, const char *text)
{
	size_t len = strlen(text);
	struct iphdr *ip = (void *)p;
	uint16_t to = htons(atoi(port)), udp_len = htons(8 + len);

	memset(p, 0, 28);
	*ip = (struct iphdr){ .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP,
			      .tot_len = htons(28 + len) };
	inet_pton(AF_INET, "127.0.0.1", &ip->saddr);
	inet_pton(AF_INET, address, &ip->daddr);
	ip->check = ip_sum(ip, 20);
	p[21] = 53;
	memcpy(p + 22, &to, 2);
	memcpy(p + 24, &udp_len, 2);
	memcpy(p + 28, text, len);
	return 28 + len;
}

/* address, port, text */
static void raw(char **arg)
{
	int fd = must(socket(AF_INET, SOCK_RAW, IPPROTO_UDP), "socket");
	struct sockaddr_in a = v4(arg[0], "0");
	unsigned char p[512];
	size_t len = packet_make(p, arg[0], arg[1], arg[2]);

	must(sendto(fd, p + 20, len - 20, 0, (void *)&a, sizeof(a)), "sendto");
}

static void hdrincl(char **arg)
{
	int fd = must(socket(AF_INET, SOCK_RAW, IPPROTO_RAW), "socket");
	struct sockaddr_in a = v4(arg[0], "0");
	unsigned char p[512];
	size_t len = packet_make(p, arg[0], arg[1], arg[2]);

	must(setsockopt(fd, IPPROTO_IP, IP_HDRINCL, &(int){ 1 }, 4), "IP_HDRINCL");
	must(sendto(fd, p, len, 0, (void *)&a, sizeof(a)), "sendto");
}

/* address, port, text, interface */
static void packet_on(char **arg, int type)
{
	int fd = must(socket(AF_PACKET, type, htons(ETH_P_IP)), "socket");
	struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP),
				 .sll_ifindex = if_nametoindex(arg[3]), .sll_halen = 6 };
	unsigned char p[512] = {};
	size_t head = type == SOCK_RAW ? 14 : 0, len;

	if (head)
		p[12] = 8;
	len = head + packet_make(p + head, arg[0], arg[1], arg[2]);
	must(sendto(fd, p, len, 0, (void *)&a, sizeof(a)), "sendto");
}

static void packet_raw(char **arg)
{
	packet_on(arg, SOCK_RAW);
}

static void packet_dgram(char **arg)
{
	packet_on(arg, SOCK_DGRAM);
}

/* The old way to a packet socket: AF_INET and SOCK_PACKET. */
static void packet_old(char **arg)
{
	int fd = must(socket(AF_INET, SOCK_PACKET, htons(ETH_P_IP)), "socket");
	struct { unsigned short family; char device[14]; unsigned short protocol; } a = {
		.family = AF_INET, .protocol = htons(ETH_P_IP),
	};
	unsigned char p[512] = {};
	size_t len;

	snprintf(a.device, sizeof(a.device), "%s", arg[3]);
	p[12] = 8;
	len = 14 + packet_make(p + 14, arg[0], arg[1], arg[2]);
	must(sendto(fd, p, len, 0, (void *)&a, sizeof(a)), "sendto");
}

/* Loose source routing (RFC 791): the packet for the allowed address goes to `by` first. */
static size_t source_route(unsigned char *opt, const char *by)
{
	opt[0] = IPOPT_LSRR;
	opt[1] = 7;
	opt[2] = 4;
	inet_pton(AF_INET, by, opt + 3);
	opt[7] = IPOPT_END;
	return 8;
}

/* allowed address, port, text, by */
static void source_routed_udp(char **arg)
{
	struct sockaddr_in a = v4(arg[0], arg[1]);
	int fd = must(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	unsigned char opt[8];

	must(setsockopt(fd, IPPROTO_IP, IP_OPTIONS, opt, source_route(opt, arg[3])), "IP_OPTIONS");
	must(sendto(fd, arg[2], strlen(arg[2]), 0, (void *)&a, sizeof(a)), "sendto");
}

static void source_routed_cmsg(char **arg)
{
	struct sockaddr_in a = v4(arg[0], arg[1]);
	int fd = must(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	char control[CMSG_SPACE(8)] = {};
	struct iovec iov = { arg[2], strlen(arg[2]) };
	struct msghdr m = { .msg_name = &a, .msg_namelen = sizeof(a), .msg_iov = &iov,
			    .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_RETOPTS;
	c->cmsg_len = CMSG_LEN(8);
	source_route(CMSG_DATA(c), arg[3]);
	must(sendmsg(fd, &m, 0), "sendmsg");
}

/* A segment routing header (RFC 8754): the same for IPv6. allowed address, port, text, by */
static void segment_routed(char **arg)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(atoi(arg[1])) };
	int fd = must(socket(AF_INET6, SOCK_DGRAM, 0), "socket");
	unsigned char h[40] = { 0, 4, 4, 1, 1 };

	inet_pton(AF_INET6, arg[0], &a.sin6_addr);
	inet_pton(AF_INET6, arg[3], h + 24);
	must(setsockopt(fd, IPPROTO_IPV6, IPV6_RTHDR, h, sizeof(h)), "IPV6_RTHDR");
	must(sendto(fd, arg[2], strlen(arg[2]), 0, (void *)&a, sizeof(a)), "sendto");
}

/* port, text */
static void vsock(char **arg)
{
	struct sockaddr_vm a = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_LOCAL,
				 .svm_port = atoi(arg[0]) };
	int fd = must(socket(AF_VSOCK, SOCK_STREAM, 0), "socket");

	must(connect(fd, (void *)&a, sizeof(a)), "connect");
	must(write(fd, arg[1], strlen(arg[1])), "write");
}

/* The kernel's crypto: prints what it hashed to. */
static void alg(char **arg)
{
	struct sockaddr_alg a = { .salg_family = AF_ALG, .salg_type = "hash",
				  .salg_name = "sha256" };
	int fd = must(socket(AF_ALG, SOCK_SEQPACKET, 0), "socket"), op;
	unsigned char out[32];

	if (bind(fd, (void *)&a, sizeof(a)))
		skip("sha256");
	op = must(accept(fd, NULL, NULL), "accept");
	must(write(op, arg[0], strlen(arg[0])), "write");
	must(read(op, out, sizeof(out)), "read");
	printf("%s", arg[0]);
}

/* A socket of a family, type and protocol is there: prints the text. */
static void family(char **arg)
{
	int fd = socket(atoi(arg[0]), atoi(arg[1]), atoi(arg[2]));

	if (fd < 0 && (errno == EAFNOSUPPORT || errno == EPROTONOSUPPORT ||
		       errno == ESOCKTNOSUPPORT))
		skip("socket");
	must(fd, "socket");
	printf("%s", arg[3]);
}

/* ---- groups: their addresses are in the kernel's own reports. interface, text ---- */

static struct ip_mreqn group4(char **arg)
{
	struct ip_mreqn r = { .imr_ifindex = if_nametoindex(arg[0]) };

	r.imr_multiaddr.s_addr = htonl(0xef000000 | arg[1][0] << 16 | arg[1][1] << 8 | arg[1][2]);
	return r;
}

static struct ipv6_mreq group6(char **arg)
{
	struct ipv6_mreq r = { .ipv6mr_interface = if_nametoindex(arg[0]) };

	r.ipv6mr_multiaddr.s6_addr[0] = 0xff;
	r.ipv6mr_multiaddr.s6_addr[1] = 0x1e;
	memcpy(r.ipv6mr_multiaddr.s6_addr + 2, arg[1], 14);
	return r;
}

/* What stands in it for a moment is told of the group. */
static void joins(int family, int level, int name, const void *what, socklen_t len)
{
	int fd = must(socket(family, SOCK_DGRAM, 0), "socket");

	must(setsockopt(fd, level, name, what, len), "setsockopt");
	usleep(300000);
}

static void join(char **arg)
{
	struct ip_mreqn r = group4(arg);

	joins(AF_INET, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, sizeof(r));
}

static void join_by_v6(char **arg)
{
	struct ip_mreqn r = group4(arg);

	joins(AF_INET6, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, sizeof(r));
}

static void join_source(char **arg)
{
	struct ip_mreq_source r = { .imr_multiaddr = group4(arg).imr_multiaddr };

	inet_pton(AF_INET, arg[2], &r.imr_interface);
	inet_pton(AF_INET, arg[2], &r.imr_sourceaddr);
	joins(AF_INET, IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, &r, sizeof(r));
}

static void join_any(char **arg)
{
	struct group_req r = { .gr_interface = if_nametoindex(arg[0]) };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = group4(arg).imr_multiaddr };

	memcpy(&r.gr_group, &a, sizeof(a));
	joins(AF_INET, IPPROTO_IP, MCAST_JOIN_GROUP, &r, sizeof(r));
}

static void join_any_source(char **arg)
{
	struct group_source_req r = { .gsr_interface = if_nametoindex(arg[0]) };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = group4(arg).imr_multiaddr };

	memcpy(&r.gsr_group, &a, sizeof(a));
	inet_pton(AF_INET, arg[2], &a.sin_addr);
	memcpy(&r.gsr_source, &a, sizeof(a));
	joins(AF_INET, IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, &r, sizeof(r));
}

static void join6(char **arg)
{
	struct ipv6_mreq r = group6(arg);

	joins(AF_INET6, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &r, sizeof(r));
}

static void join6_any(char **arg)
{
	struct group_req r = { .gr_interface = if_nametoindex(arg[0]) };
	struct sockaddr_in6 a = { .sin6_family = AF_INET6,
				  .sin6_addr = group6(arg).ipv6mr_multiaddr };

	memcpy(&r.gr_group, &a, sizeof(a));
	joins(AF_INET6, IPPROTO_IPV6, MCAST_JOIN_GROUP, &r, sizeof(r));
}

static const struct verb verbs[] = {
	{ "join", 2, join },
	{ "join-by-v6", 2, join_by_v6 },
	{ "join-source", 3, join_source },
	{ "join-any", 2, join_any },
	{ "join-any-source", 3, join_any_source },
	{ "join6", 2, join6 },
	{ "join6-any", 2, join6_any },
	{ "raw", 3, raw },
	{ "hdrincl", 3, hdrincl },
	{ "packet-raw", 4, packet_raw },
	{ "packet-dgram", 4, packet_dgram },
	{ "packet-old", 4, packet_old },
	{ "source-routed-udp", 4, source_routed_udp },
	{ "source-routed-cmsg", 4, source_routed_cmsg },
	{ "segment-routed", 4, segment_routed },
	{ "vsock", 2, vsock },
	{ "alg", 1, alg },
	{ "family", 4, family },
};
VERBS_MAIN(verbs)
