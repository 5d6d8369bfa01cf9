/* SPDX-License-Identifier: GPL-2.0-only */
/* Telling of a decision: counters always, an event unless the rule is quiet. */
#ifndef HG_REPORT_H
#define HG_REPORT_H

#include "agent.h"
#include "place.h"

/* A decision that is to be told: numbers alone, for it is handed to a global function, in which a
 * pointer kept in memory is none. */
struct hg_tell {
	__u64 policy;		/* hg_agent.policy as it was when deciding */
	__u64 detail;		/* beside `use`, of a socket: use_socket(); of a module: its name's address */
	__u32 agent;
	__u16 rule;
	__u8 why;		/* enum hg_why */
	__u8 said;		/* enum hg_verdict_said */
	__u8 what;		/* enum hg_what */
	__u8 actions;
	__u8 quiet;
	__u8 use;		/* enum hg_use, for HG_WHAT_USE */
	__u32 zero;
};

HG_INLINE __u64 use_socket(__u8 family, __u8 type, __u16 protocol)
{
	return family | type << 8 | (__u32)protocol << 16;
}

/* Appends "/name" of the chain's element at s->turn to the data; 1 to stop. */
__weak __noinline int append_name(struct hg_scratch *s)
{
	__u64 at, len;

	if (!s)
		return 1;
	len = chain_name(s);
	at = s->data_len;
	if (!len || s->part_len + 1 + len > s->part_max || at > HG_DATA_SIZE - 1) {
		s->cut = 1;
		return 1;
	}
	asm("" : "+r"(at));
	at &= HG_DATA_SIZE - 1;
	s->data[at] = '/';
	bpf_probe_read_kernel(&s->data[at + 1], len & 0xff, s->name);
	s->data_len += 1 + len;
	s->part_len += 1 + len;
	return 0;
}

static long append_turn(__u32 turn, struct hg_loop *loop)
{
	loop->s->turn = turn;
	if (append_name(loop->s))
		return 1;
	return 0;
}

/* Appends the path from s->anchor to s->dentry. Best effort: one that cannot be walked is told by
 * its last name alone, and as cut. */
__weak __noinline int append_path(struct hg_scratch *s)
{
	struct hg_loop loop = { .s = s };

	if (!s)
		return 0;
	s->part_len = 0;
	s->cut = 0;
	if (s->dentry == s->anchor)
		return 0;
	if (chain_fill(s) != HG_WHY_RULE) {
		s->chain[0] = s->dentry;
		s->n_chain = 1;
		s->cut = 1;
	}
	bpf_loop(s->n_chain, append_turn, &loop, 0);
	return 0;
}

/* Appends the path of `dentry` to the event's data: its place, and how many bytes were written. */
HG_INLINE __u16 report_path(struct hg_scratch *s, struct dentry *dentry, __u32 max,
			    __u32 *ret_place)
{
	s->dentry = (__u64)dentry;
	place_find(s);
	*ret_place = s->place;
	s->part_max = max;
	append_path(s);
	return s->part_len;
}

HG_INLINE void report_object(struct hg_scratch *s, struct dentry *dentry)
{
	struct inode *inode = BPF_CORE_READ(dentry, d_inode);

	s->event.path_len = report_path(s, dentry, HG_EVENT_PATH_MAX, &s->event.place);
	if (s->cut)
		s->event.flags |= HG_EVENT_PATH_CUT;
	if (inode && (BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFDIR)
		s->event.flags |= HG_EVENT_DIRECTORY;
	if (inode && !BPF_CORE_READ(dentry, d_hash.pprev))
		s->event.flags |= HG_EVENT_UNLINKED;
	/* open(2) with O_CREAT asks path_mknod before it looks the name up, and takes no for an answer
	 * only where nothing is found. mknod(2) and the others have looked, and hashed it. */
	if (!inode && !BPF_CORE_READ(dentry, d_hash.pprev))
		s->event.flags |= HG_EVENT_UNSEEN;
}

HG_INLINE void report_program(struct hg_scratch *s, struct task_struct *task)
{
	struct file *exe = BPF_CORE_READ(task, mm, exe_file);

	if (!exe)
		return;
	s->event.exe_len = report_path(s, BPF_CORE_READ(exe, f_path.dentry), HG_EVENT_EXE_MAX,
				       &s->event.exe_place);
	if (s->cut)
		s->event.flags |= HG_EVENT_EXE_CUT;
}

/* The arguments of the program that runs now. Best effort, as all that is told; what lies behind the
 * last one is left out by who reads the event, who knows how many there are. */
HG_INLINE void report_arguments(struct hg_scratch *s)
{
	__u64 at = s->data_len, len = s->argv_max;

	if (len > HG_EVENT_ARGV_MAX) {
		len = HG_EVENT_ARGV_MAX;
		s->event.flags |= HG_EVENT_ARGV_CUT;
	}
	if (at > HG_DATA_SIZE - HG_EVENT_ARGV_MAX - 1)
		return;
	asm("" : "+r"(at));
	at &= HG_DATA_SIZE - 1;
	if (at > HG_DATA_SIZE - HG_EVENT_ARGV_MAX - 1)
		return;
	asm("" : "+r"(len));
	len &= 2 * HG_EVENT_ARGV_MAX - 1;
	if (len > HG_EVENT_ARGV_MAX || bpf_probe_read_user(&s->data[at], len, (void *)s->argv_at))
		return;
	s->event.argv_len = len;
	s->event.argc = s->argc;
	s->data_len += len;
}

HG_INLINE void report_task(struct hg_event *e, struct task_struct *task)
{
	__u64 uid_gid = bpf_get_current_uid_gid();
	struct task_struct *up = BPF_CORE_READ(task, group_leader);
	__u32 i;

	e->pid = BPF_CORE_READ(task, tgid);
	e->tid = BPF_CORE_READ(task, pid);
	e->uid = (__u32)uid_gid;
	e->gid = uid_gid >> 32;
	e->cgroup = bpf_get_current_cgroup_id();
	e->start = BPF_CORE_READ(up, start_boottime);
	bpf_get_current_comm(e->comm, sizeof(e->comm));
	for (i = 0; i < HG_ANCESTORS; i++) {
		up = BPF_CORE_READ(up, real_parent);
		if (!up)
			break;
		e->ancestors[i].pid = BPF_CORE_READ(up, tgid);
		bpf_core_read(&e->ancestors[i].comm, sizeof(e->ancestors[i].comm), &up->comm);
		if (e->ancestors[i].pid <= 1)
			break;
	}
	e->ppid = e->ancestors[0].pid;
}

/* Appends a name, which is no path. Of at most 127 bytes: of a socket, or of an agent. */
__weak __noinline int append_label(struct hg_scratch *s, __u64 from, __u32 from_len)
{
	__u64 at, len = from_len;

	if (!s)
		return 0;
	at = s->data_len;
	asm("" : "+r"(at), "+r"(len));
	at &= HG_DATA_SIZE - 1;
	len &= 127;
	bpf_probe_read_kernel(&s->data[at], len, (const void *)from);
	s->data_len = at + len;
	return 0;
}

/* What an interpreter is run for. */
HG_INLINE void report_script(struct hg_scratch *s)
{
	__u64 at = s->data_len;
	long len;

	if (at > HG_DATA_SIZE - HG_EVENT_SCRIPT_MAX - 1)
		return;
	asm("" : "+r"(at));
	at &= HG_DATA_SIZE - 1;
	if (at > HG_DATA_SIZE - HG_EVENT_SCRIPT_MAX - 1)
		return;
	len = bpf_probe_read_kernel_str(&s->data[at], HG_EVENT_SCRIPT_MAX + 1, (void *)s->script);
	if (len < 2 || len > HG_EVENT_SCRIPT_MAX + 1)
		return;
	s->event.path2_len = len - 1;
	s->event.flags |= HG_EVENT_SCRIPT;
	if (len > HG_EVENT_SCRIPT_MAX)
		s->event.flags |= HG_EVENT_PATH2_CUT;
	s->data_len += len - 1;
}

/* Of a unix socket: its abstract name, and whose it is when that is another agent. */
HG_INLINE void report_socket(struct hg_scratch *s)
{
	if (s->abstract) {
		append_label(s, s->abstract, s->abstract_len);
		s->event.path_len = s->abstract_len;
		s->event.flags |= HG_EVENT_ABSTRACT;
	}
	if (s->peer) {
		append_label(s, s->peer, s->peer_len);
		s->event.path2_len = s->peer_len;
		s->event.flags |= HG_EVENT_PEER;
	}
}

/* Fills the event with the task, and the paths of s->object and s->target (0: none). */
__weak __noinline int report_fill(struct hg_scratch *s)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	if (!s)
		return 0;
	s->data_len = 0;
	report_task(&s->event, task);
	if (s->object)
		report_object(s, (struct dentry *)s->object);
	if (s->event.what == HG_WHAT_UNIX || s->event.what == HG_WHAT_UNIX_LISTEN)
		report_socket(s);
	if (s->target) {
		s->event.path2_len = report_path(s, (struct dentry *)s->target, HG_EVENT_PATH_MAX,
						 &s->event.place2);
		if (s->cut)
			s->event.flags |= HG_EVENT_PATH2_CUT;
	} else if (s->script && s->event.what == HG_WHAT_PATH) {
		report_script(s);
	}
	report_program(s, task);
	if (s->argv_at)
		report_arguments(s);
	s->argv_at = 0;
	return 0;
}

/* Counts a decision; NULL when there is no room, which hg_agent.uncounted says. Not inlined: the
 * stack. */
static __noinline struct hg_counter *report_count(struct hg_agent *agent, const struct hg_tell *t)
{
	struct hg_counter_key key = {
		.agent = t->agent,
		.generation = t->policy >> 32,
		.rule = t->rule,
		.reason = t->why,
	};
	struct hg_counter fresh = {}, *c;

	c = bpf_map_lookup_elem(&counters, &key);
	if (!c) {
		bpf_map_update_elem(&counters, &key, &fresh, BPF_NOEXIST);
		c = bpf_map_lookup_elem(&counters, &key);
	}
	if (c)
		__sync_fetch_and_add(&c->hits, 1);
	else
		__sync_fetch_and_add(&agent->uncounted, 1);
	if (t->said == HG_SAID_LOGGED)
		__sync_fetch_and_add(&agent->logged, 1);
	else
		__sync_fetch_and_add(&agent->denied, 1);
	return c;
}

HG_INLINE void report_head(struct hg_scratch *s, const struct hg_agent *agent,
			   const struct hg_tell *t)
{
	struct hg_event *e = &s->event;

	__builtin_memset(e, 0, sizeof(*e));
	e->time = bpf_ktime_get_boot_ns();
	e->agent_uid = agent->uid;
	e->missed = agent->lost;
	e->agent = t->agent;
	e->slot = (__u32)t->policy;
	e->generation = t->policy >> 32;
	e->rule = t->rule;
	e->what = t->what;
	e->actions = t->actions;
	e->said = t->said;
	e->why = t->why;
}

HG_INLINE void report_use(struct hg_event *e, const struct hg_tell *t)
{
	__u8 *bytes = e->endpoint.bytes;
	long n;

	bytes[0] = t->use;
	if (t->use == HG_USE_MODULE) {
		n = bpf_probe_read_kernel_str(bytes + 1, sizeof(e->endpoint.bytes) - 1,
					      (const void *)t->detail);
		e->endpoint.len = n > 0 ? n : 0;
		return;
	}
	bytes[1] = t->detail;
	bytes[2] = t->detail >> 8;
	bytes[3] = t->detail >> 16;
	bytes[4] = t->detail >> 24;
}

/* False when it is lost. */
HG_INLINE bool report_send(struct hg_scratch *s, __u32 agent)
{
	void *ring = bpf_map_lookup_elem(&rings, &agent);
	__u64 len = s->data_len;

	asm("" : "+r"(len));
	len &= HG_DATA_SIZE - 1;
	return ring && !bpf_ringbuf_output(ring, &s->event, sizeof(s->event) + len, 0);
}

HG_INLINE void report_lost(struct hg_agent *agent, struct hg_counter *c)
{
	__sync_fetch_and_add(&agent->lost, 1);
	if (c)
		__sync_fetch_and_add(&c->lost, 1);
}

/*
 * s may be NULL (none was free): then only counters tell; otherwise s->object and s->target are what
 * it is about. ep may be NULL. A global function: the kernel's verifier reads it once for a program,
 * not with all that each call of it could come with.
 */
__weak __noinline int report(struct hg_scratch *s, const struct hg_tell *t,
			     const struct hg_endpoint *ep)
{
	struct hg_counter *c;
	struct hg_agent *agent;
	__u32 n;

	if (!t)
		return 0;
	n = t->agent;
	agent = bpf_map_lookup_elem(&agents, &n);
	if (!agent)
		return 0;
	c = report_count(agent, t);
	if (t->quiet)
		return 0;
	if (s) {
		report_head(s, agent, t);
		if (ep)
			s->event.endpoint = *ep;
		if (t->what == HG_WHAT_USE)
			report_use(&s->event, t);
		report_fill(s);
		if (report_send(s, n))
			return 0;
	}
	report_lost(agent, c);
	return 0;
}

#endif
