/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sets of endpoints and hosts by arithmetic: what is a proper set, and what is in it. Judges the automaton. */
#include <errno.h>
#include <string.h>

#include "../bpf/core/host.h"
#include "endpoints.h"

static bool bit_of(const uint8_t *address, unsigned bit)
{
	return address[bit / 8] >> (7 - bit % 8) & 1;
}

static bool is_mapped_v4(const struct ruleset_endpoint *ep)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return ep->family == 6 && ep->prefix_len >= 96 && !memcmp(ep->address, mapped, 12);
}

int endpoints_check(const struct ruleset_endpoint *ep, struct ruleset_error *ret_error)
{
	unsigned bits = ep->family == 4 ? 32 : ep->family == 6 ? 128 : 0, i;

	if (ep->family && ep->family != 4 && ep->family != 6)
		return ruleset_fail(ret_error, -EINVAL, 0, "address family %u is not 4, 6 or 0",
				    ep->family);
	if (ep->prefix_len > bits)
		return ruleset_fail(ret_error, -EINVAL, 0, "prefix /%u is longer than %u bits",
				    ep->prefix_len, bits);
	for (i = ep->prefix_len; i < bits; i++)
		if (bit_of(ep->address, i))
			return ruleset_fail(ret_error, -EINVAL, 0,
					    "the address has bits beyond its prefix /%u; write the "
					    "network's own address, or a longer prefix",
					    ep->prefix_len);
	if (is_mapped_v4(ep))
		return ruleset_fail(ret_error, -EINVAL, 0,
				    "::ffff:a.b.c.d is a.b.c.d; write the IPv4 address");
	if (ep->port_low > ep->port_high)
		return ruleset_fail(ret_error, -EINVAL, 0, "ports %u-%u run backwards",
				    ep->port_low, ep->port_high);
	if (!ep->tcp && !ep->udp && !ep->icmp)
		return ruleset_fail(ret_error, -EINVAL, 0, "no protocol; say tcp, udp or icmp");
	return 0;
}

bool endpoints_match(const struct ruleset_endpoint *set, const struct hg_endpoint *ep)
{
	unsigned len = ep->bytes[0] == 4 ? 4 : 16, i;
	uint16_t port = (uint16_t)(ep->bytes[2 + len] << 8 | ep->bytes[3 + len]);
	uint8_t proto = ep->bytes[1 + len];

	if (set->family && set->family != ep->bytes[0])
		return false;
	for (i = 0; i < set->prefix_len; i++)
		if (bit_of(set->address, i) != bit_of(ep->bytes + 1, i))
			return false;
	if (port < set->port_low || port > set->port_high)
		return false;
	return (proto == HG_TCP && set->tcp) || (proto == HG_UDP && set->udp) ||
	       (proto == HG_ICMP && set->icmp);
}

/* Every form in which the kernel side writes a name down, and no other (core/host.h). */
int hosts_check(const struct ruleset_host *host, struct ruleset_error *ret_error)
{
	size_t i, len = strlen(host->name);
	struct hg_host h;

	hg_host_begin(&h);
	for (i = 0; i < len; i++) {
		if (hg_host_fold((uint8_t)host->name[i]) != (uint8_t)host->name[i])
			return ruleset_fail(ret_error, -EINVAL, i, "a host name in capitals");
		hg_host_add(&h, (uint8_t)host->name[i]);
	}
	if ((len || !host->below) && (!hg_host_end(&h) || h.len != len))
		return ruleset_fail(ret_error, -EINVAL, 0, "no host name");
	if (host->port_low > host->port_high)
		return ruleset_fail(ret_error, -EINVAL, 0, "ports %u-%u run backwards",
				    host->port_low, host->port_high);
	return 0;
}

bool hosts_match(const struct ruleset_host *set, const char *name, size_t len)
{
	size_t n = strlen(set->name);

	if (!set->below)
		return len == n && !memcmp(name, set->name, n);
	if (!n)
		return len > 0;
	return len > n + 1 && name[len - n - 1] == '.' && !memcmp(name + len - n, set->name, n);
}
