/* SPDX-License-Identifier: GPL-2.0-only */
/* How much may be sent by a rule: [budget=N/PERIOD]. */
#ifndef HG_BUDGET_H
#define HG_BUDGET_H

#include "check.h"

/* Which rule's budget something goes by: its number + 1, 0 for none. */
HG_INLINE __u32 budget_of(const struct hg_rule *rule, __u16 number)
{
	return rule->options & HG_OPT_BUDGET ? number + 1u : 0;
}

HG_INLINE struct hg_budget *budget_get(__u32 agent, __u64 policy, __u32 budget)
{
	struct hg_budget_key key = { .agent = agent, .generation = policy >> 32, .rule = budget - 1 };

	return bpf_map_lookup_elem(&budgets, &key);
}

/* A period that is over begins anew; what was sent meanwhile by somebody else may count for either. */
HG_INLINE void budget_renew(struct hg_budget *b)
{
	__u64 now = bpf_ktime_get_boot_ns(), begun = *(volatile __u64 *)&b->begun;

	if (!b->period || now - begun < b->period ||
	    __sync_val_compare_and_swap(&b->begun, begun, now) != begun)
		return;
	__sync_lock_test_and_set(&b->spent, 0);
	b->told = 0;
}

HG_INLINE bool budget_is_spent(struct hg_budget *b)
{
	budget_renew(b);
	return *(volatile __u64 *)&b->spent >= b->limit;
}

/*
 * len more bytes are sent. False: they are beyond it, and so is all that follows in the period. What is
 * not sent is not spent, however often TCP tries it again: a raised limit goes on from the old one.
 */
HG_INLINE bool budget_take(struct hg_budget *b, __u64 len)
{
	__u64 before, limit = b->limit;

	budget_renew(b);
	before = __sync_fetch_and_add(&b->spent, len);
	if (before + len <= limit)
		return true;
	/* Where another packet came between, that one or the next sees to it. */
	__sync_val_compare_and_swap(&b->spent, before + len, before > limit ? before : limit);
	__sync_fetch_and_add(&b->cut, 1);
	return false;
}

/* One that is missing is spent. */
HG_INLINE bool budget_left(__u32 agent, __u64 policy, __u32 budget)
{
	struct hg_budget *b = budget_get(agent, policy, budget);

	return b && !budget_is_spent(b);
}

/* Is this the first to be told of it? */
HG_INLINE bool budget_tell(struct hg_budget *b)
{
	return __sync_val_compare_and_swap(&b->told, 0, 1) == 0;
}

#endif
