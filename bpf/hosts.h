/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hosts by name: which names an address was learned to have, and what the policy says of them.
 *
 * A rule on names and a rule on addresses are rules of one list: of those that match, the later one
 * decides. Where an address has several names, one of them that is allowed is enough to connect;
 * which one is meant is seen in what is sent (payload.bpf.c).
 */
#ifndef HG_HOSTS_H
#define HG_HOSTS_H

#include "agent.h"
#include "budget.h"
#include "core/host.h"
#include "filter.h"
#include "label.h"

/* What the names of an address say about connecting to it. */
enum hosts_say {
	HOSTS_NOTHING,	/* what is said of the address holds */
	HOSTS_ALLOW,	/* s->out allows it */
	HOSTS_DENY,	/* s->out does not */
	HOSTS_BROKEN,	/* the policy cannot be read */
};

/* The address of an endpoint as 16 bytes. */
HG_INLINE void host_address(const struct hg_endpoint *ep, __u8 ret[16])
{
	if (ep->bytes[0] == 6) {
		__builtin_memcpy(ret, ep->bytes + 1, 16);
		return;
	}
	__builtin_memset(ret, 0, 10);
	ret[10] = ret[11] = 0xff;
	__builtin_memcpy(ret + 12, ep->bytes + 1, 4);
}

HG_INLINE void *names_of(__u32 agent)
{
	return bpf_map_lookup_elem(&names, &agent);
}

/* The word of `learned` that the address's bit is in, and the bit; NULL: broken. */
HG_INLINE __u64 *learned_word(__u32 agent, const __u8 address[16], __u64 *ret_bit)
{
	__u64 bit = hg_learned_bit(agent, address);
	struct hg_learned *map;
	__u32 zero = 0;

	map = bpf_map_lookup_elem(&learned, &zero);
	*ret_bit = 1ull << (bit & 63);
	return map ? filter_word(map->word, bit, HG_LEARNED_BITS) : NULL;
}

/* Has an agent of that number learned a name of the address? False for most, without a look at any name. */
HG_INLINE bool names_suspected(__u32 agent, const __u8 address[16])
{
	__u64 bit, *word = learned_word(agent, address, &bit);

	return !word || (*(volatile __u64 *)word & bit);
}

/* The name that s->remote has in way `way`, through the policy with s->tail: false where there is none. */
HG_INLINE bool host_resolve(struct hg_scratch *s, void *map, struct hg_name_key *key, int *ret_why)
{
	struct hg_name *name = bpf_map_lookup_elem(map, key);

	if (!name || name->until < bpf_ktime_get_boot_ns())
		return false;
	s->label = (__u64)name->bytes;
	s->label_len = name->len + 1;
	*ret_why = label_resolve(s, HG_LABEL_HOST);
	/* An element that gave way while it was read is another address's by now. */
	return bpf_map_lookup_elem(map, key) == name;
}

/* What the policy says of s->remote's address alone, and which rule on names that leaves a say. */
HG_INLINE bool host_over(struct hg_scratch *s, struct hg_reader *r, struct hg_out *ret)
{
	__u32 row;

	if (!image_open(r, s->slot) || !hg_endpoint(r, &s->remote, &row) ||
	    !hg_out_read(r, row, ret))
		return false;
	s->over = ret->rule[HG_CONNECT] == HG_RULE_NONE ? 0 : ret->rule[HG_CONNECT] + 1;
	return true;
}

/* s->out is what the policy says of a name: is that behind what it says of the address? */
HG_INLINE bool host_decides(const struct hg_scratch *s)
{
	__u32 rule = s->out.rule[HG_CONNECT];

	return rule != HG_RULE_NONE && rule + 1 > s->over;
}

/* Protocol and port of an endpoint, as what follows a name. */
HG_INLINE void host_tail(struct hg_scratch *s, __u32 at)
{
	bool v6 = s->remote.bytes[0] == 6;

	s->tail[at & 1] = v6 ? s->remote.bytes[17] : s->remote.bytes[5];
	s->tail[(at & 1) + 1] = v6 ? s->remote.bytes[18] : s->remote.bytes[6];
	s->tail[(at & 1) + 2] = v6 ? s->remote.bytes[19] : s->remote.bytes[7];
	s->tail_len = (at & 1) + 3;
}

#define HOST_UNLOOKED	(1u << 16)
#define HOST_UNSPENT	(1u << 17)

/* Which of several names that allow an address counts, whichever was learned first: one whose budget is
 * not spent, then one under [tls=off], since whatever is sent is allowed, then the later rule's. Which
 * one is said changes that (packet_goes_on()). 0: broken. Not inlined: its stack is gone afterwards. */
static __noinline __u32 host_rank(const struct hg_scratch *s)
{
	__u32 number = s->out.rule[HG_CONNECT], budget;
	struct hg_rule rule = {};
	struct hg_reader r;

	if (!image_open(&r, s->slot) || !hg_rule_read(&r, number, &rule))
		return 0;
	budget = budget_of(&rule, number);
	return number + 1 + (rule.options & HG_OPT_TLS_OFF ? HOST_UNLOOKED : 0) +
	       (!budget || budget_left(s->agent, s->policy, budget) ? HOST_UNSPENT : 0);
}

/* See struct hg_scratch: of s->agent, s->netns, s->remote, s->over. enum hosts_say; where it is HOSTS_ALLOW,
 * the name is the one that was resolved last. */
__weak __noinline int hosts_resolve(struct hg_scratch *s)
{
	__u32 way, rank, best = 0, best_way = 0, last_way = 0;
	bool deny = false, passed_over = false;
	struct hg_name_key key = {};
	struct hg_out denied = {};
	int why = HG_WHY_RULE;
	void *map;

	if (!s)
		return HOSTS_BROKEN;
	host_address(&s->remote, key.address);
	if (!names_suspected(s->agent, key.address))
		return HOSTS_NOTHING;
	map = names_of(s->agent);
	if (!map)
		return HOSTS_NOTHING;
	key.netns = s->netns;
	host_tail(s, 0);
	for (way = 0; way < HG_NAME_WAYS; way++) {
		key.way = way;
		if (!host_resolve(s, map, &key, &why))
			continue;
		if (why != HG_WHY_RULE)
			return HOSTS_BROKEN;
		last_way = way;
		if (!host_decides(s)) {
			passed_over = true;
			continue;
		}
		if (s->out.allow & HG_BIT(HG_CONNECT)) {
			rank = host_rank(s);
			if (!rank)
				return HOSTS_BROKEN;
			if (rank > best) {
				best = rank;
				best_way = way;
			}
			continue;
		}
		denied = s->out;
		deny = true;
	}
	if (best && last_way != best_way) {
		key.way = best_way;
		/* It may have been forgotten meanwhile. */
		if (!host_resolve(s, map, &key, &why) || why != HG_WHY_RULE || !host_decides(s) ||
		    !(s->out.allow & HG_BIT(HG_CONNECT)))
			return HOSTS_BROKEN;
	}
	if (best)
		return HOSTS_ALLOW;
	if (!deny || passed_over)
		return HOSTS_NOTHING;
	s->out = denied;
	return HOSTS_DENY;
}

/*
 * Is it a name that s->remote is allowed by? One that the address was learned by, or one that the same
 * rule allows as one of those: the names of a wildcard share their frontends. s->out: what the
 * policy says of the name. enum hosts_say.
 */
__weak __noinline int host_is_remotes(struct hg_scratch *s, struct hg_host *host)
{
	struct hg_name_key key = {};
	__u32 way, hash;
	struct hg_reader r;
	struct hg_out out;
	__u16 rule;
	int why;
	void *map;

	if (!s || !host || !host_over(s, &r, &out))
		return HOSTS_BROKEN;
	s->tail[0] = 0;
	host_tail(s, 1);
	s->label_len = host->len;
	s->label = (__u64)host->bytes + HG_HOST_END - host->len;
	if (label_resolve(s, HG_LABEL_HOST) != HG_WHY_RULE)
		return HOSTS_BROKEN;
	map = names_of(s->agent);
	if (!map || !(s->out.allow & HG_BIT(HG_CONNECT)) || !host_decides(s))
		return HOSTS_DENY;
	rule = s->out.rule[HG_CONNECT];
	hash = hg_host_hash(host);
	key.netns = s->netns;
	host_address(&s->remote, key.address);
	host_tail(s, 0);
	for (way = 0; way < HG_NAME_WAYS; way++) {
		struct hg_name *name;

		key.way = way;
		name = bpf_map_lookup_elem(map, &key);
		if (name && name->until >= bpf_ktime_get_boot_ns() && name->hash == hash &&
		    name->len == host->len)
			return HOSTS_ALLOW;
		if (host_resolve(s, map, &key, &why) && why == HG_WHY_RULE &&
		    (s->out.allow & HG_BIT(HG_CONNECT)) && s->out.rule[HG_CONNECT] == rule)
			return HOSTS_ALLOW;
	}
	return HOSTS_DENY;
}

/* What the policy says of asking for a name, to s->out. enum hg_why. */
HG_INLINE int host_question(struct hg_scratch *s, const struct hg_host *host)
{
	__u64 len = host->len;

	s->tail[0] = 0;
	s->tail_len = 1;
	s->label_len = len;
	s->label = (__u64)host->bytes + HG_HOST_END - len;
	return label_resolve(s, HG_LABEL_HOST);
}

/* Of the policy at hand: is there anything about host names in it? HG_HOSTS_*. */
HG_INLINE __u32 hosts_in_policy(__u32 slot)
{
	struct hg_reader r;

	return slot && image_open(&r, slot) ? (__u32)hg_head(&r, hosts) : 0;
}

/* May be asked for names, at port 53. */
HG_INLINE bool host_resolver(__u32 agent, const struct hg_endpoint *ep)
{
	struct hg_resolver_key key = { .agent = agent };
	__u32 at = ep->bytes[0] == 6 ? 18 : 6;

	if (ep->bytes[at] || ep->bytes[at + 1] != 53)
		return false;
	host_address(ep, key.address);
	return bpf_map_lookup_elem(&resolvers, &key) != NULL;
}

/* What is asked of s->remote is looked at even where its address is open: to learn from the answers. Not
 * inlined: its stack is gone afterwards. */
static __noinline bool host_teaches(struct hg_scratch *s)
{
	return host_resolver(s->agent, &s->remote) && hosts_in_policy(s->slot);
}

/* What the policy says of a remote endpoint, by its address and its names. */
enum remote_say {
	REMOTE_OPEN,		/* allowed, whatever is sent */
	REMOTE_NAMED,		/* allowed by name */
	REMOTE_RESOLVER,	/* no rule, but it may be asked for names */
	REMOTE_REFUSED,		/* s->out says who refuses it */
	REMOTE_BROKEN,
};

/* Of s->remote, for agent s->agent in s->netns. enum remote_say. Where a name decides, it stands at
 * s->name + 1 afterwards, s->by_len bytes with its NUL; else that is 0. */
__weak __noinline int remote_decide(struct hg_scratch *s)
{
	struct hg_rule rule = {};
	struct hg_reader r;
	struct hg_out out;
	bool hosts;
	int say = HOSTS_NOTHING;

	if (!s || !host_over(s, &r, &out))
		return REMOTE_BROKEN;
	s->by_len = 0;
	s->budget = 0;
	hosts = (__u32)hg_head(&r, hosts);
	if (hosts)
		say = hosts_resolve(s);
	if (say == HOSTS_BROKEN)
		return REMOTE_BROKEN;
	if (say == HOSTS_DENY)
		return REMOTE_REFUSED;
	if (say == HOSTS_ALLOW) {
		s->by_len = s->label_len;
		if (!image_open(&r, s->slot) || !hg_rule_read(&r, s->out.rule[HG_CONNECT], &rule))
			return REMOTE_BROKEN;
		s->budget = budget_of(&rule, s->out.rule[HG_CONNECT]);
		return rule.options & HG_OPT_TLS_OFF ? REMOTE_OPEN : REMOTE_NAMED;
	}
	s->out = out;
	if (out.allow & HG_BIT(HG_CONNECT)) {
		if (!image_open(&r, s->slot) || !hg_rule_read(&r, out.rule[HG_CONNECT], &rule))
			return REMOTE_BROKEN;
		s->budget = budget_of(&rule, out.rule[HG_CONNECT]);
		return REMOTE_OPEN;
	}
	if (hosts && out.rule[HG_CONNECT] == HG_RULE_NONE && host_resolver(s->agent, &s->remote))
		return REMOTE_RESOLVER;
	return REMOTE_REFUSED;
}

#endif
