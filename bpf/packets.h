/* SPDX-License-Identifier: GPL-2.0-only */
/* A packet of an agent's socket: whose, where to, and telling of it. */
#ifndef HG_PACKETS_H
#define HG_PACKETS_H

#include "check.h"
#include "hosts.h"
#include "sockets.h"
#include "core/dns.h"
#include "core/hello.h"

enum { PACKET_DROP = 0, PACKET_PASS = 1 };

#define IP4_HEAD	20
#define IP6_HEAD	40
#define TCP_SEQ		4
#define TCP_OFFSET	12	/* of the byte with the header's length, in words, in its high half */
#define TCP_FLAGS	13
#define TCP_SYN		0x02
#define TCP_ACK		0x10
#define UDP_HEAD	8

/* A length from 1 to max, a power of two, in the form in which the verifier sees that it is; it forgets
 * what comparisons said when the value moves to another register. */
HG_INLINE __u64 length_bounded(__u64 n, __u64 max)
{
	n--;
	asm("" : "+r"(n));
	return (n & (max - 1)) + 1;
}

/* As they lie, at any alignment. */
HG_INLINE __u32 bytes_4(const __u8 *at)
{
	return *(const __u32 *)at;
}

HG_INLINE __u16 bytes_2(const __u8 *at)
{
	return *(const __u16 *)at;
}

/* Of the first four bytes behind the network header, as they lie in memory. */
HG_INLINE __u16 port_of(__u32 ports, bool second)
{
	return bpf_ntohs((__u16)(second ? ports >> 16 : ports));
}

/* The packet's own bytes, from its network header on. out: it leaves. False: it cannot be read. */
static __noinline bool packet_read_4(struct __sk_buff *skb, struct hg_packet *p, bool out)
{
	__u8 head[12] = {}, addr[4] = {};
	__u32 at, ports = 0;

	if (bpf_skb_load_bytes(skb, 0, head, sizeof(head)))
		return false;
	at = (head[0] & 15) * 4;
	p->proto = head[9];
	/* A later fragment has no ports. */
	if (at < IP4_HEAD || (head[6] & 0x1f) || head[7])
		return false;
	if ((p->proto == HG_TCP || p->proto == HG_UDP) && bpf_skb_load_bytes(skb, at, &ports, 4))
		return false;
	if (bpf_skb_load_bytes(skb, out ? 16 : 12, addr, 4))
		return false;
	hg_endpoint_v4(&p->remote, addr, p->proto, port_of(ports, out), false);
	if (bpf_skb_load_bytes(skb, out ? 12 : 16, addr, 4))
		return false;
	hg_endpoint_v4(&p->local, addr, p->proto, port_of(ports, !out), false);
	p->at = at;
	return true;
}

/* Where an extension header stands in front of ports, which takes a capability, nothing is read. */
static __noinline bool packet_read_6(struct __sk_buff *skb, struct hg_packet *p, bool out)
{
	__u8 addr[16] = {};
	__u32 ports = 0;

	if (bpf_skb_load_bytes(skb, 6, &p->proto, 1))
		return false;
	if ((p->proto == HG_TCP || p->proto == HG_UDP) &&
	    bpf_skb_load_bytes(skb, IP6_HEAD, &ports, 4))
		return false;
	if (bpf_skb_load_bytes(skb, out ? 24 : 8, addr, 16))
		return false;
	hg_endpoint_v6(&p->remote, addr, p->proto, port_of(ports, out), false);
	if (bpf_skb_load_bytes(skb, out ? 8 : 24, addr, 16))
		return false;
	hg_endpoint_v6(&p->local, addr, p->proto, port_of(ports, !out), false);
	p->at = IP6_HEAD;
	return true;
}

static __noinline bool packet_read(struct __sk_buff *skb, struct hg_packet *p, bool out)
{
	__u8 words = 0;

	if (bpf_skb_load_bytes(skb, 0, &words, 1))
		return false;
	if (words >> 4 == 4) {
		if (!packet_read_4(skb, p, out))
			return false;
	} else if (words >> 4 != 6 || !packet_read_6(skb, p, out)) {
		return false;
	}
	if (p->proto == HG_TCP) {
		if (bpf_skb_load_bytes(skb, p->at + TCP_FLAGS, &words, 1))
			return false;
		if (bpf_skb_load_bytes(skb, p->at + TCP_SEQ, &p->seq, 4))
			return false;
		p->seq = bpf_ntohl(p->seq);
		p->begins = (words & (TCP_SYN | TCP_ACK)) == TCP_SYN;
		if (bpf_skb_load_bytes(skb, p->at + TCP_OFFSET, &words, 1))
			return false;
		p->at += (words >> 4) * 4;
	} else if (p->proto == HG_UDP) {
		p->at += UDP_HEAD;
	}
	p->len = skb->len > p->at ? skb->len - p->at : 0;
	return true;
}

/* Whose packets these are. Sockets that nothing was asked about yet go by their cgroup. */
HG_INLINE bool packet_agent(struct bpf_sock *sk, const struct hg_socket *known, struct hg_who *ret)
{
	if (known && agent_get(known->agent, ret) && ret->agent->uid == known->agent_uid)
		return true;
	return agent_of_cgroup(bpf_sk_cgroup_id(sk), ret);
}

/* The acting process as it was when the socket was last asked about: whoever is current may only have
 * been interrupted. */
HG_INLINE void report_socket_task(struct hg_event *e, __u64 known)
{
	const struct hg_socket *at = (const void *)known;

	if (!known)
		return;
	bpf_probe_read_kernel(&e->pid, sizeof(e->pid), &at->pid);
	bpf_probe_read_kernel(&e->tid, sizeof(e->tid), &at->tid);
	bpf_probe_read_kernel(&e->uid, sizeof(e->uid), &at->uid);
	bpf_probe_read_kernel(&e->gid, sizeof(e->gid), &at->gid);
	bpf_probe_read_kernel(&e->cgroup, sizeof(e->cgroup), &at->cgroup);
	bpf_probe_read_kernel(&e->start, sizeof(e->start), &at->start);
	bpf_probe_read_kernel(e->comm, sizeof(e->comm), at->comm);
}

/* A host name as the event's path; the name lies backwards at its buffer's end. */
HG_INLINE void report_host(struct hg_scratch *s)
{
	__u16 n = 0;
	__u64 len;

	if (bpf_probe_read_kernel(&n, sizeof(n), (void *)(s->host + offsetof(struct hg_host, len))))
		return;
	len = n;
	asm("" : "+r"(len));
	len &= 255;
	if (bpf_probe_read_kernel(s->data, len, (void *)(s->host + offsetof(struct hg_host, bytes) +
							 HG_HOST_END - len)))
		return;
	s->event.path_len = len;
	s->event.flags |= HG_EVENT_HOST;
	s->data_len = len;
}

/* Which rule decides it, and whether it wants that told. */
HG_INLINE void decided_by(struct hg_scratch *s, struct hg_tell *t, __u32 action)
{
	struct hg_rule rule = {};
	struct hg_reader r;

	if (t->why == HG_WHY_BUDGET)
		t->rule = s->budget - 1;
	if (t->why != HG_WHY_RULE)
		return;
	t->rule = out_rule(&s->out, action);
	if (t->rule == HG_RULE_NONE)
		t->why = t->what == HG_WHAT_DNS ? HG_WHY_NAME_NOT_ALLOWED : HG_WHY_DEFAULT;
	else if (s->out.ask & HG_BIT(action))
		t->why = HG_WHY_NO_APPROVER;
	if (t->rule != HG_RULE_NONE && image_open(&r, s->slot) && hg_rule_read(&r, t->rule, &rule))
		t->quiet = !!(rule.options & HG_OPT_QUIET);
}

/*
 * Tells of a packet or payload that is refused, or allowed and logged: of agent s->agent, to s->remote,
 * with what else is in s for it. why: HG_WHY_RULE where s->out says by whom. Gives whether it passes: a
 * refused one does where the agent is only audited.
 */
__weak __noinline int packet_tell(struct hg_scratch *s, __u32 what, __u32 why, __u32 action,
				  bool logged)
{
	struct hg_tell t = {};
	struct hg_counter *c;
	struct hg_who who;

	if (!s || !agent_get(s->agent, &who))
		return PACKET_DROP;
	t.agent = who.n;
	t.policy = s->policy;
	t.rule = HG_RULE_NONE;
	t.what = what;
	t.why = why;
	t.actions = HG_BIT(action & 7);
	t.said = logged				? HG_SAID_LOGGED
		 : who.agent->mode == HG_AUDIT	? HG_SAID_AUDITED
						: HG_SAID_DENIED;
	decided_by(s, &t, action);
	c = report_count(who.agent, &t);
	if (!t.quiet) {
		report_head(s, who.agent, &t);
		s->data_len = 0;
		s->event.detail = s->detail;
		s->event.endpoint = s->remote;
		report_socket_task(&s->event, s->known);
		if (s->host)
			report_host(s);
		if (!report_send(s, t.agent))
			report_lost(who.agent, c);
	}
	return t.said == HG_SAID_DENIED ? PACKET_DROP : PACKET_PASS;
}

HG_INLINE int packet_refuse(struct hg_scratch *s, __u32 what, __u32 why, __u32 action)
{
	return packet_tell(s, what, why, action, false);
}

/* No scratch space: counted, and not told. */
__weak __noinline int packet_busy(__u32 agent, __u64 policy, __u32 what)
{
	struct hg_tell t = {};
	struct hg_who who;

	if (!agent_get(agent, &who))
		return PACKET_DROP;
	t.agent = agent;
	t.policy = policy;
	t.rule = HG_RULE_NONE;
	t.what = what;
	t.why = HG_WHY_TOO_BUSY;
	t.said = who.agent->mode == HG_AUDIT ? HG_SAID_AUDITED : HG_SAID_DENIED;
	report_lost(who.agent, report_count(who.agent, &t));
	return t.said == HG_SAID_AUDITED ? PACKET_PASS : PACKET_DROP;
}

/* Scratch space for a packet's decision, or a payload's; NULL where there is none. Whom it is to goes to
 * s->remote. */
HG_INLINE struct hg_scratch *packet_scratch(__u32 agent, __u64 policy,
					    const struct hg_socket *known)
{
	struct hg_scratch *s = scratch_claim();

	if (!s)
		return NULL;
	s->slot = (__u32)policy;
	s->policy = policy;
	s->agent = agent;
	s->known = (__u64)known;
	s->netns = known ? known->netns : 0;
	__builtin_memset(&s->remote, 0, sizeof(s->remote));
	s->host = 0;
	s->detail = 0;
	s->budget = 0;
	return s;
}

/* Lets n bytes of a connection's payload go. A cork that was set has to be taken back, or later bytes stay. */
HG_INLINE int payload_let(struct sk_msg_md *msg, struct hg_socket *known, __u32 n)
{
	*(volatile __u32 *)&known->due += n;
	bpf_msg_cork_bytes(msg, 0);
	bpf_msg_apply_bytes(msg, n);
	return SK_PASS;
}

#endif
