/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The questions hooks ask: may the current task do this to that? 0 or -EACCES. A task in no
 * agent's cgroup is answered 0 after one failed lookup; everything else that cannot be
 * decided is refused, with its reason.
 */
#ifndef HG_CHECK_H
#define HG_CHECK_H

#include "fast.h"
#include "links.h"
#include "overlay.h"
#include "report.h"

/* A decision in the making. */
struct hg_ask {
	struct hg_tell tell;
	struct hg_who who;
	struct hg_scratch *s;
};

/* What the event carries beside who and why; any may be NULL. */
struct hg_objects {
	struct dentry *object, *target;
	const struct hg_endpoint *endpoint;
};

HG_INLINE bool ask_begin(struct hg_ask *a, __u8 what, __u8 actions)
{
	a->s = NULL;
	if (!agent_current(&a->who))
		return false;
	__builtin_memset(&a->tell, 0, sizeof(a->tell));
	a->tell.agent = a->who.n;
	a->tell.rule = HG_RULE_NONE;
	a->tell.why = HG_WHY_RULE;
	a->tell.said = HG_SAID_DENIED;
	a->tell.what = what;
	a->tell.actions = actions;
	a->tell.policy = *(volatile __u64 *)&a->who.agent->policy;
	return true;
}

/* Claims working memory and checks that there is a policy; otherwise the reason. */
HG_INLINE enum hg_why ask_prepare(struct hg_ask *a)
{
	a->s = scratch_claim();
	if (!a->s)
		return HG_WHY_TOO_BUSY;
	a->s->slot = (__u32)a->tell.policy;
	a->s->linked = 0;
	a->s->spelled = 0;
	a->s->script = 0;
	a->s->agent_uid = a->who.agent->uid;
	return a->s->slot ? HG_WHY_RULE : HG_WHY_NO_POLICY;
}

HG_INLINE int ask_allow(struct hg_ask *a)
{
	if (a->s)
		scratch_release(a->s);
	return 0;
}

HG_INLINE void ask_tell(struct hg_ask *a, const struct hg_objects *o)
{
	if (a->s) {
		a->s->object = (__u64)o->object;
		a->s->target = (__u64)o->target;
	}
	report(a->s, &a->tell, o->endpoint);
	if (a->s)
		scratch_release(a->s);
}

/* Ends a decision that is not a plain allow: tells, and gives the system call's answer. Inlined: calls
 * may only be eight deep. */
HG_INLINE int ask_refuse(struct hg_ask *a, enum hg_why why, const struct hg_objects *o)
{
	bool audit = a->who.agent->mode == HG_AUDIT;

	a->tell.why = why;
	a->tell.said = audit ? HG_SAID_AUDITED : HG_SAID_DENIED;
	ask_tell(a, o);
	if (audit)
		return 0;
	return -EACCES;
}

HG_INLINE int ask_allow_logged(struct hg_ask *a, const struct hg_objects *o)
{
	a->tell.said = HG_SAID_LOGGED;
	ask_tell(a, o);
	return 0;
}

/* The lowest action in a set: the one whose rule is told. */
HG_INLINE __u32 first_action(__u32 actions)
{
	if (actions & HG_BIT(0))
		return 0;
	if (actions & HG_BIT(1))
		return 1;
	if (actions & HG_BIT(2))
		return 2;
	if (actions & HG_BIT(3))
		return 3;
	if (actions & HG_BIT(4))
		return 4;
	if (actions & HG_BIT(5))
		return 5;
	return 6;
}

HG_INLINE __u16 out_rule(const struct hg_out *out, __u32 action)
{
	switch (action) {
	case 0:
		return out->rule[0];
	case 1:
		return out->rule[1];
	case 2:
		return out->rule[2];
	case 3:
		return out->rule[3];
	case 4:
		return out->rule[4];
	case 5:
		return out->rule[5];
	}
	return out->rule[6];
}

/* Fills in which rule said no (or "report it") to `actions`, and how it wants to be told. */
HG_INLINE enum hg_why ask_rule(struct hg_ask *a, const struct hg_out *out, __u32 actions)
{
	__u32 action = first_action(actions);
	struct hg_reader r;
	struct hg_rule rule = {};

	a->tell.actions = actions;
	a->tell.rule = out_rule(out, action);
	if (a->s && (a->s->linked & HG_BIT(action)))
		return HG_WHY_HARD_LINK;
	if (a->tell.rule == HG_RULE_NONE)
		return a->s && a->s->spelled ? HG_WHY_SPELLING : HG_WHY_DEFAULT;
	if (image_open(&r, (__u32)a->tell.policy) && hg_rule_read(&r, a->tell.rule, &rule))
		a->tell.quiet = !!(rule.options & HG_OPT_QUIET);
	/* No approver exists: what asks is refused. */
	return out->ask & HG_BIT(action) ? HG_WHY_NO_APPROVER : HG_WHY_RULE;
}

/* Ends a decision by a verdict row. */
HG_INLINE int ask_out(struct hg_ask *a, const struct hg_out *out, __u32 actions,
		      const struct hg_objects *o)
{
	__u32 refused = actions & ~(__u32)out->allow;

	if (refused)
		return ask_refuse(a, ask_rule(a, out, refused), o);
	if (actions & out->log) {
		ask_rule(a, out, actions & out->log);
		return ask_allow_logged(a, o);
	}
	return ask_allow(a);
}

/* Whether two names of less than 16 bytes are one, the rest of both being zero: memcmp would be a
 * call that nothing answers. */
#define bytes_are(bytes, text) names_equal(bytes, (const char[16]){ text })
HG_INLINE bool names_equal(const char a[16], const char b[16])
{
	__u64 x[2], y[2];

	__builtin_memcpy(x, a, sizeof(x));
	__builtin_memcpy(y, b, sizeof(y));
	return x[0] == y[0] && x[1] == y[1];
}

/* Ends a decision about a word of `use`. */
HG_INLINE int ask_use(struct hg_ask *a, __u32 use, const struct hg_objects *o)
{
	struct hg_reader r;
	struct hg_out out;

	a->tell.what = HG_WHAT_USE;
	a->tell.use = use;
	if (!image_open(&r, a->s->slot) || !hg_use_read(&r, use, &out))
		return ask_refuse(a, HG_WHY_BROKEN_POLICY, o);
	return ask_out(a, &out, HG_BIT(HG_USE), o);
}

/* Unnamed memory belongs to who holds a descriptor of it; only running it as a program is asked. */
HG_INLINE int ask_anonymous(struct hg_ask *a, __u32 actions, const struct hg_objects *o)
{
	if (actions & HG_BIT(HG_EXEC))
		return ask_use(a, HG_USE_ANONYMOUS_EXEC, o);
	return ask_allow(a);
}

/* Within execve(2), since the program's file was opened (commit 978ffcbf00d8, 6.8; before, since the
 * beginning). */
HG_INLINE bool executing(void)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();

	return BPF_CORE_READ_BITFIELD_PROBED(task, in_execve);
}

/* What the policy says of a file, in a->s->out; enum hg_why as place_resolve(). */
HG_INLINE enum hg_why ask_file(struct hg_ask *a, struct dentry *dentry)
{
	enum hg_why why = ask_prepare(a);

	if (why != HG_WHY_RULE)
		return why;
	if (!a->s)
		return HG_WHY_TOO_BUSY;
	why = place_resolve(a->s, dentry);
	if (why == HG_WHY_RULE)
		link_check(a->s, dentry);
	return why;
}

static __noinline int decide_path(struct dentry *dentry, __u32 actions)
{
	struct hg_objects o = { .object = dentry };
	enum hg_why why;
	struct hg_ask a;

	if (!ask_begin(&a, HG_WHAT_PATH, actions) || overlay_at_work())
		return 0;
	why = ask_file(&a, dentry);
	if (why == HG_WHY_ANONYMOUS)
		return ask_anonymous(&a, actions, &o);
	if (why != HG_WHY_RULE || !a.s)
		return ask_refuse(&a, why, &o);
	return ask_out(&a, &a.s->out, actions, &o);
}

/* May the current task do `actions` to `dentry`? */
HG_INLINE int check_path(struct dentry *dentry, __u32 actions)
{
	struct hg_who who;

	if (!agent_current(&who))
		return 0;
	return decide_path(dentry, actions);
}

HG_INLINE __u32 agent_slot(const struct hg_agent *agent)
{
	return (__u32)*(const volatile __u64 *)&agent->policy;
}

/* The same for what happens all the time, and for an agent that is known: the short way first. */
HG_INLINE int agent_path(const struct hg_agent *agent, struct dentry *dentry, __u32 actions)
{
	if (fast_allows(agent_slot(agent), dentry, actions))
		return 0;
	return decide_path(dentry, actions);
}

HG_INLINE int check_path_often(struct dentry *dentry, __u32 actions)
{
	struct hg_who who;

	if (!agent_current(&who))
		return 0;
	return agent_path(who.agent, dentry, actions);
}

/* May the current task use what the word stands for? dentry and detail (hg_tell's) only tell. */
static __noinline int check_use(__u32 use, struct dentry *dentry, __u64 detail)
{
	struct hg_objects o = { .object = dentry };
	enum hg_why why;
	struct hg_ask a;

	if (!ask_begin(&a, HG_WHAT_USE, HG_BIT(HG_USE)))
		return 0;
	a.tell.use = use;
	a.tell.detail = detail;
	why = ask_prepare(&a);
	if (why != HG_WHY_RULE || !a.s)
		return ask_refuse(&a, why, &o);
	return ask_use(&a, use, &o);
}

/* Refused whatever the rules say. */
HG_INLINE int check_never(enum hg_why why, __u8 what, __u8 actions, struct dentry *dentry,
				  const struct hg_endpoint *detail)
{
	struct hg_objects o = { .object = dentry, .endpoint = detail };
	enum hg_why prepared;
	struct hg_ask a;

	if (!ask_begin(&a, what, actions))
		return 0;
	prepared = ask_prepare(&a);
	if (prepared != HG_WHY_RULE || !a.s)
		return ask_refuse(&a, prepared, &o);
	return ask_refuse(&a, why, &o);
}

#endif
