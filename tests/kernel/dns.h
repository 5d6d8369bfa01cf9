/* SPDX-License-Identifier: GPL-2.0-only */
/* What the two halves of the DNS comparison exchange: a message, and all that was said of it. */
#ifndef DNS_TEST_H
#define DNS_TEST_H

#include "../../bpf/core/dns.h"

#define ADDRESSES 32 /* the last of a message that are kept; a power of two */

struct dns_found {
	__u8 address[16];
	__u32 ttl;
};

struct dns_case {
	__u32 kind;
	__u32 n_turns, n_found;
	struct dns_found found[ADDRESSES];
	struct hg_dns dns;
};

#endif
