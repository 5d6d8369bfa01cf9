/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which addresses are everybody's. A public name that has one which is not leads to this machine or
 * its neighbours: rebinding.
 */
#ifndef HG_PUBLIC_H
#define HG_PUBLIC_H

#include "types.h"

/* addr: four bytes in network order. The IANA special-purpose registry (RFC 6890 and its updates),
 * but for what is only documentation. */
HG_INLINE bool hg_public_v4(const __u8 *a)
{
	switch (a[0]) {
	case 0:		/* this host, this network */
	case 10:	/* private (RFC 1918) */
	case 127:	/* loopback */
		return false;
	case 100:	/* carriers' NAT (RFC 6598): 100.64.0.0/10 */
		return (a[1] & 0xc0) != 64;
	case 169:	/* link-local (RFC 3927), metadata services */
		return a[1] != 254;
	case 172:	/* private: 172.16.0.0/12 */
		return (a[1] & 0xf0) != 16;
	case 192:	/* private: 192.168.0.0/16; protocol assignments: 192.0.0.0/24 */
		return a[1] != 168 && !(a[1] == 0 && a[2] == 0);
	case 198:	/* benchmarks between machines: 198.18.0.0/15 */
		return (a[1] & 0xfe) != 18;
	}
	return a[0] < 224; /* multicast, reserved, broadcast */
}

HG_INLINE bool hg_bytes_zero(const __u8 *a, __u32 n)
{
	__u32 i;
	__u8 any = 0;

	for (i = 0; i < n; i++)
		any |= a[i];
	return !any;
}

/* addr: 16 bytes in network order, IPv4 as ::ffff:a.b.c.d. Forms that carry an IPv4 address are as
 * public as that one. */
HG_INLINE bool hg_public(const __u8 *a)
{
	if (hg_bytes_zero(a, 10) && a[10] == 0xff && a[11] == 0xff)
		return hg_public_v4(a + 12);
	/* NAT64 (RFC 6052: 64:ff9b::/96; RFC 8215: 64:ff9b:1::/48 is local) */
	if (a[0] == 0 && a[1] == 0x64 && a[2] == 0xff && a[3] == 0x9b)
		return hg_bytes_zero(a + 4, 8) && hg_public_v4(a + 12);
	if (a[0] == 0x20 && a[1] == 0x02) /* 6to4 (RFC 3056) */
		return hg_public_v4(a + 2);
	/* Teredo (RFC 4380) hides the peer's address: not taken for anybody's. */
	if (a[0] == 0x20 && a[1] == 0x01 && a[2] == 0 && a[3] == 0)
		return false;
	/* Global unicast (RFC 4291 2.4) is 2000::/3; outside of it are loopback, unique local, link-local,
	 * multicast, and what IPv4 was once written as. */
	return (a[0] & 0xe0) == 0x20;
}

#endif
