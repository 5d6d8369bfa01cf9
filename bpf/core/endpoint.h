/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A network endpoint as a byte string, so that address prefixes and port ranges are byte ranges:
 *
 *   family (1: 4 or 6) | address (4 or 16, network order) | protocol (1) | port (2, network order)
 *
 * ::ffff:a.b.c.d is a.b.c.d (RFC 4291 2.5.5.2). Connecting to 0.0.0.0 or :: reaches the loopback
 * (ip_route_output_key_hash_rcu, tcp_v6_connect), so as a peer they are 127.0.0.1 and ::1; as an
 * address to listen on they are themselves, "every address".
 *
 * The same machine reads the names of what has no address:
 *
 *   HG_LABEL_ABSTRACT (1) | the name of an abstract unix socket, without its first NUL (0 to 107)
 *   HG_LABEL_AGENT (1) | the name of an agent (1 to 63): HG_CONNECT is reaching its unix sockets,
 *                        HG_LISTEN where it listens
 *   HG_LABEL_HOST (1) | a host name, backwards and in small letters (core/host.h) | NUL (1)
 *   the same | protocol (1) | port (2, network order)
 *
 * A host name alone is what may be asked of a resolver; with protocol and port it is an endpoint.
 */
#ifndef HG_ENDPOINT_H
#define HG_ENDPOINT_H

#include "types.h"
#include "limits.h"

enum hg_proto { HG_TCP = 6, HG_UDP = 17, HG_ICMP = 1, HG_ICMPV6 = 58 };

enum hg_label { HG_LABEL_ABSTRACT = 1, HG_LABEL_AGENT = 2, HG_LABEL_HOST = 3 };

struct hg_endpoint {
	__u8 bytes[32];		/* HG_ENDPOINT_MAX used; a power of two for the verifier */
	__u32 len;
};

HG_INLINE void hg_endpoint_tail(struct hg_endpoint *ep, __u32 at, __u8 proto, __u16 port)
{
	/* Both ICMPs are one protocol to a policy. */
	ep->bytes[at] = proto == HG_ICMPV6 ? HG_ICMP : proto;
	ep->bytes[at + 1] = port >> 8;
	ep->bytes[at + 2] = port & 0xff;
	ep->len = at + 3;
}

/* addr: four bytes in network order; port in host order. peer: the address is a destination. */
HG_INLINE void hg_endpoint_v4(struct hg_endpoint *ep, const __u8 *addr, __u8 proto, __u16 port,
			      bool peer)
{
	bool zero = !(addr[0] | addr[1] | addr[2] | addr[3]);

	ep->bytes[0] = 4;
	ep->bytes[1] = addr[0];
	ep->bytes[2] = addr[1];
	ep->bytes[3] = addr[2];
	ep->bytes[4] = addr[3];
	if (peer && zero) {
		ep->bytes[1] = 127;
		ep->bytes[4] = 1;
	}
	hg_endpoint_tail(ep, 5, proto, port);
}

/* addr: sixteen bytes in network order. */
HG_INLINE void hg_endpoint_v6(struct hg_endpoint *ep, const __u8 *addr, __u8 proto, __u16 port,
			      bool peer)
{
	__u32 i, head = 0, mid = 0, tail = 0;

	for (i = 0; i < 10; i++)
		head |= addr[i];
	mid = (__u32)addr[10] << 8 | addr[11];
	for (i = 12; i < 16; i++)
		tail |= addr[i];
	if (!head && mid == 0xffff) {
		hg_endpoint_v4(ep, addr + 12, proto, port, peer);
		return;
	}
	ep->bytes[0] = 6;
	for (i = 0; i < 16; i++)
		ep->bytes[1 + i] = addr[i];
	if (peer && !head && !mid && !tail)
		ep->bytes[16] = 1;
	hg_endpoint_tail(ep, 17, proto, port);
}

#endif
