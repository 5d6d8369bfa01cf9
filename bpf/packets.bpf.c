/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The backstop: every packet that leaves or reaches the sockets made in an agent's cgroup, whoever
 * holds them now, by programs on that cgroup.
 *
 * The system call's hooks (net.bpf.c, sends.bpf.c) decide first and say why; what they decided is kept with the
 * socket, for one peer and one policy. A packet to another peer, under another policy, or of a
 * socket that nobody was asked about is decided here. So a connection ends when its rule goes.
 *
 * Questions to resolvers are read here, and the answers to those that were allowed are learned from
 * (dns.h). Refusing a datagram fails the call that sends it, at once.
 */
#include "local.h"
#include "packets.h"
#include "questions.h"
#include "streams.h"

/* Keeps what was decided of a packet's peer, where there is a socket to keep it with. Where somebody else
 * is at it, the next packet is asked about again. */
HG_INLINE void packet_mark(struct hg_scratch *s, struct hg_socket *known, __u32 st)
{
	if (!known)
		return;
	/* A connection that begins is not in the map yet. */
	if (s->packet.begins)
		known->guarded = 0;
	socket_set(known, s, st);
}

/* Whatever is sent. */
HG_INLINE bool state_opens(__u32 st)
{
	return st == HG_SOCKET_OPEN || st == HG_SOCKET_JUDGED || st == HG_SOCKET_ACCEPTED;
}

/*
 * A connection that a name allowed goes on as long as the policy allows that name, whatever addresses it
 * has by now: programs keep connections longer than answers last. One that begins has said nothing,
 * whatever the socket said to that peer before: connect(2) may have been asked about while it still
 * stood. Gives the state that stays; UNDECIDED: none.
 */
static __noinline __u32 packet_goes_on(struct hg_scratch *s, struct hg_socket *known)
{
	__u64 version = *(volatile __u64 *)&known->version;
	__u32 st = socket_state(known, &s->remote, 0);
	struct hg_rule rule = {};
	struct hg_reader r;
	struct hg_out out;

	if ((version & 1) || s->packet.begins || !known->by_len || (st != HG_SOCKET_SAID && !state_opens(st)) ||
	    !host_over(s, &r, &out))
		return HG_SOCKET_UNDECIDED;
	host_tail(s, 0);
	s->label = (__u64)known->by;
	s->label_len = known->by_len;
	if (label_resolve(s, HG_LABEL_HOST) != HG_WHY_RULE || !host_decides(s) ||
	    !(s->out.allow & HG_BIT(HG_CONNECT)) || !image_open(&r, s->slot) ||
	    !hg_rule_read(&r, s->out.rule[HG_CONNECT], &rule))
		return HG_SOCKET_UNDECIDED;
	/* What was never asked for its name goes on only where it still need not say one. */
	if (st == HG_SOCKET_OPEN && !(rule.options & HG_OPT_TLS_OFF))
		return HG_SOCKET_UNDECIDED;
	s->budget = budget_of(&rule, s->out.rule[HG_CONNECT]);
	s->by_len = s->label_len;
	/* Nobody wrote another name while it was read. */
	return *(volatile __u64 *)&known->version == version ? st : HG_SOCKET_UNDECIDED;
}

/* A reply of a service: to whoever connected to where the agent may listen. */
HG_INLINE bool packet_accepted(struct hg_scratch *s, const struct hg_socket *known,
			       const struct hg_packet *p)
{
	struct hg_reader r;
	struct hg_out out;
	__u32 row;

	if (p->proto != HG_TCP || p->begins || (known && known->state != HG_SOCKET_ACCEPTED &&
				   known->state != HG_SOCKET_UNDECIDED))
		return false;
	return image_open(&r, s->slot) && hg_endpoint(&r, &p->local, &row) &&
	       hg_out_read(&r, row, &out) && (out.allow & HG_BIT(HG_LISTEN));
}

/* What remote_decide() says, as the state of a socket; UNDECIDED: s->out, or *ret_why, refuses it. */
HG_INLINE __u32 packet_state(int say, __u32 *ret_why)
{
	switch (say) {
	case REMOTE_OPEN:
		return HG_SOCKET_OPEN;
	case REMOTE_NAMED:
		return HG_SOCKET_NAMED;
	case REMOTE_RESOLVER:
		return HG_SOCKET_RESOLVER;
	case REMOTE_REFUSED:
		return HG_SOCKET_UNDECIDED;
	}
	*ret_why = HG_WHY_BROKEN_POLICY;
	return HG_SOCKET_UNDECIDED;
}

/* What a connection carries was let through by what sees payloads: nothing that came to be sent past it. */
HG_INLINE bool payload_seen(const struct hg_socket *known, const struct hg_packet *p)
{
	return known && known->guarded && (__s32)(p->seq + p->len - *(const volatile __u32 *)&known->due) <= 0;
}

/* The state allows the packet: what is yet to be seen may not leave unseen. */
HG_INLINE bool state_passes(__u32 st, const struct hg_socket *known, const struct hg_packet *p)
{
	if (state_opens(st))
		return true;
	if (p->proto != HG_TCP)
		return false;
	switch (st) {
	case HG_SOCKET_NAMED:
		return !p->len;
	case HG_SOCKET_SAID:
	case HG_SOCKET_RESOLVER:
		return !p->len || payload_seen(known, p);
	}
	return false;
}

/* A packet to this machine that is neither a reply nor to nobody's socket. */
static __noinline int packet_local(struct hg_scratch *s, struct hg_socket *known, int say)
{
	s->by_len = 0;
	s->budget = 0;
	if (say == LOCAL_ALLOW) {
		packet_mark(s, known, HG_SOCKET_OPEN);
		return PACKET_PASS;
	}
	return packet_refuse(s, HG_WHAT_CONNECT,
			     say == LOCAL_REFUSED ? HG_WHY_RULE
			     : say == LOCAL_OTHER ? HG_WHY_OTHER_AGENT
						  : HG_WHY_BROKEN_POLICY,
			     HG_CONNECT);
}

/* Decides the peer of s->packet anew. */
__weak __noinline int packet_decide(struct hg_scratch *s, struct hg_socket *known)
{
	__u32 st, why = HG_WHY_RULE;
	struct hg_packet *p;
	int local;

	if (!s)
		return PACKET_DROP;
	p = &s->packet;
	s->remote = p->remote;
	s->by_len = 0;
	st = known ? packet_goes_on(s, known) : HG_SOCKET_UNDECIDED;
	if (st == HG_SOCKET_UNDECIDED)
		st = packet_accepted(s, known, p) ? HG_SOCKET_ACCEPTED
						  : packet_state(remote_decide(s), &why);
	/* It is looked at from when it stands (connection_stands()). */
	if (st == HG_SOCKET_OPEN && p->begins && !p->len && !p->peer && host_teaches(s))
		st = HG_SOCKET_RESOLVER;
	/* An agent's, its own at another address than loopback: no rule allows it, and it teaches nothing. */
	if (st == HG_SOCKET_RESOLVER && p->peer)
		st = HG_SOCKET_UNDECIDED;
	local = st == HG_SOCKET_ACCEPTED ? LOCAL_NOTHING : local_decide(s);
	if (local != LOCAL_NOTHING)
		return packet_local(s, known, local);
	if (st != HG_SOCKET_UNDECIDED) {
		packet_mark(s, known, st);
		why = HG_WHY_NAME_UNSEEN;
	}
	if (!s->slot)
		why = HG_WHY_NO_POLICY;
	if (state_passes(st, known, p))
		return PACKET_PASS;
	return packet_refuse(s, HG_WHAT_CONNECT, why, HG_CONNECT);
}

static __noinline struct hg_socket *socket_adopt(struct bpf_sock *sk, const struct hg_who *who)
{
	struct hg_socket *s = bpf_sk_storage_get(&sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);

	if (!s)
		return NULL;
	s->agent = who->n;
	s->agent_uid = who->agent->uid;
	return s;
}

HG_INLINE bool is_here(const struct __sk_buff *skb)
{
	return skb->ifindex == LOOPBACK_IFINDEX;
}

/*
 * May a connection begin by what was decided when connect(2) asked? Only where it holds nothing of a
 * connection to the same peer that may still have stood then: a name said, a payload seen, another end
 * that stands.
 */
HG_INLINE bool state_begins(__u32 st, const struct hg_socket *known)
{
	return !*(const volatile __u16 *)&known->guarded &&
	       !*(const volatile __u16 *)&known->stands &&
	       (st == HG_SOCKET_OPEN || st == HG_SOCKET_NAMED || st == HG_SOCKET_RESOLVER);
}

/* A packet from one of this machine's sockets to another: is it as it was decided? `version` is known's, of
 * before. */
HG_INLINE bool packet_stays(struct __sk_buff *skb, struct hg_socket *known, __u8 proto, __u64 version)
{
	bool stands;

	if (proto == HG_TCP && *(const volatile __u16 *)&known->stands)
		return *(const volatile __u64 *)&known->version == version;
	if (!local_same(skb, known, proto, &stands))
		return false;
	if (stands)
		return socket_peer(known, version, known->peer, true);
	return *(const volatile __u64 *)&known->version == version;
}

/* To whom the socket's peer was decided last, and allowed whatever is sent: read where the packet lies,
 * since nearly all are such. False says nothing. */
HG_INLINE bool packet_known(struct __sk_buff *skb, struct hg_socket *known, __u64 policy)
{
	const __u8 *at = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	__u64 v = *(const volatile __u64 *)&known->version;
	__u32 st = *(const volatile __u32 *)&known->state;
	const __u8 *remote = known->remote.bytes;
	__u8 proto, flags = 0;
	__u16 from;
	bool same;

	if ((v & 1) || *(const volatile __u64 *)&known->policy != policy || !state_opens(st) ||
	    known->budget || at + IP4_HEAD + 4 > end)
		return false;
	/* Where a connection begins is in its flags. */
	if (at[0] == 0x45) {
		proto = at[9];
		if (proto == HG_TCP) {
			if (at + IP4_HEAD + TCP_FLAGS + 1 > end)
				return false;
			flags = at[IP4_HEAD + TCP_FLAGS];
		}
		from = bytes_2(at + IP4_HEAD);
		same = remote[0] == 4 && !(at[6] & 0x1f) && !at[7] && remote[5] == proto &&
		       bytes_4(remote + 1) == bytes_4(at + 16) &&
		       bytes_2(remote + 6) == bytes_2(at + IP4_HEAD + 2);
	} else {
		if (at + IP6_HEAD + TCP_FLAGS + 1 > end || at[0] >> 4 != 6)
			return false;
		proto = at[6];
		if (proto == HG_TCP)
			flags = at[IP6_HEAD + TCP_FLAGS];
		from = bytes_2(at + IP6_HEAD);
		same = remote[0] == 6 && remote[17] == proto &&
		       bytes_4(remote + 1) == bytes_4(at + 24) &&
		       bytes_4(remote + 5) == bytes_4(at + 28) &&
		       bytes_4(remote + 9) == bytes_4(at + 32) &&
		       bytes_4(remote + 13) == bytes_4(at + 36) &&
		       bytes_2(remote + 18) == bytes_2(at + IP6_HEAD + 2);
	}
	if (!same || ((flags & TCP_SYN) && !state_begins(st, known)))
		return false;
	/* What is asked of a resolver is looked at even where its address is open: to learn; and what would
	 * pass for an answer. */
	if (proto == HG_UDP && (from == bpf_htons(53) ||
				bytes_2(remote + (remote[0] == 4 ? 6 : 18)) == bpf_htons(53)))
		return false;
	if (is_here(skb))
		return packet_stays(skb, known, proto, v);
	return *(const volatile __u64 *)&known->version == v;
}

/* Whose the other end is was looked at, and is as it was when known's peer was decided. */
HG_INLINE bool peer_same(const struct hg_socket *known, const struct hg_packet *p)
{
	if (!p->here || (p->proto == HG_TCP && *(const volatile __u16 *)&known->stands))
		return true;
	return *(const volatile __u64 *)&known->peer == p->peer_uid;
}

/*
 * A datagram from where an agent on this machine takes answers. A sender's address need not be its own by
 * right (IP_PKTINFO, IP_FREEBIND, IP_TRANSPARENT), nor is a resolver's port on this machine always taken; and
 * what an agent says is to teach nobody a name. Where nobody is found to take the datagram, somebody may be
 * before it arrives.
 */
static __noinline bool packet_forges(const struct hg_scratch *s)
{
	const struct hg_packet *p = &s->packet;

	if (p->proto != HG_UDP)
		return false;
	if (p->peer)
		return host_resolver(p->peer - 1, &p->local);
	return p->here && !p->found && host_resolver(s->agent, &p->local);
}

/* Whose the other end of s->packet is. False: it is none that the packet may go to, whatever the rules say.
 * Not inlined: its stack is gone afterwards. */
static __noinline bool packet_meets(struct __sk_buff *skb, struct hg_scratch *s)
{
	struct hg_packet *p = &s->packet;

	p->here = is_here(skb);
	p->peer_uid = HG_PEER_UNKNOWN;
	if (p->here)
		local_find(skb, p);
	s->remote = p->remote;
	return !packet_forges(s);
}

/* Asks a resolver that is no agent: another agent's is reached by its rule alone, and what an agent's own
 * says teaches nothing. */
HG_INLINE bool packet_asks(const struct hg_scratch *s)
{
	return s->packet.proto == HG_UDP && !s->packet.peer &&
	       host_resolver(s->agent, &s->packet.remote) && hosts_in_policy(s->slot);
}

HG_INLINE int packet_say(struct __sk_buff *skb, struct hg_scratch *s,
				   struct hg_socket *known)
{
	struct hg_packet *p = &s->packet;
	__u32 st;

	__builtin_memset(p, 0, sizeof(*p));
	if (!packet_read(skb, p, true))
		return packet_decide(s, known);
	if (!packet_meets(skb, s))
		return packet_refuse(s, HG_WHAT_CONNECT, HG_WHY_RESOLVER, HG_CONNECT);
	if (packet_asks(s))
		return question_out(skb, s, known);
	if (known) {
		st = socket_look(known, &p->remote, s->policy, &s->budget);
		if (state_passes(st, known, p) && peer_same(known, p) &&
		    (!p->begins || state_begins(st, known)))
			return PACKET_PASS;
	}
	s->budget = 0;
	return packet_decide(s, known);
}

/* Spent: it is dropped, and the first one in a period told. */
static __noinline int packet_spend(struct hg_scratch *s, __u64 len)
{
	struct hg_budget *b = budget_get(s->agent, s->policy, s->budget);
	struct hg_who who;

	if (b && budget_take(b, len))
		return PACKET_PASS;
	s->remote = s->packet.remote;
	if (!b || budget_tell(b))
		return packet_refuse(s, HG_WHAT_CONNECT, HG_WHY_BUDGET, HG_CONNECT);
	return agent_get(s->agent, &who) && who.agent->mode == HG_AUDIT ? PACKET_PASS : PACKET_DROP;
}

static __noinline int packet_judge(struct __sk_buff *skb, struct hg_scratch *s,
				   struct hg_socket *known)
{
	if (packet_say(skb, s, known) != PACKET_PASS)
		return PACKET_DROP;
	return s->budget ? packet_spend(s, skb->len) : PACKET_PASS;
}

static __noinline int packet_unknown(struct __sk_buff *skb, struct hg_socket *known, __u32 agent,
				     __u64 policy)
{
	struct hg_scratch *s = packet_scratch(agent, policy, known);
	int pass;

	if (!s)
		return packet_busy(agent, policy, HG_WHAT_CONNECT);
	pass = packet_judge(skb, s, known);
	scratch_release(s);
	return pass;
}

HG_INLINE int packet_leaves(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	struct hg_socket *known;
	struct hg_who who;
	__u64 policy;

	/* A connection that is not one yet, or no more, sends nothing of anybody's. */
	if (!sk)
		return PACKET_PASS;
	sk = bpf_sk_fullsock(sk);
	if (!sk)
		return PACKET_PASS;
	known = bpf_sk_storage_get(&sockets, sk, 0, 0);
	/* Nobody's agent, since it was detached. */
	if (!packet_agent(sk, known, &who))
		return PACKET_PASS;
	policy = *(volatile __u64 *)&who.agent->policy;
	if (known && packet_known(skb, known, policy))
		return PACKET_PASS;
	/* What the hooks asked about at the send (past_rules()). */
	if (sk->type == SOCK_RAW)
		return PACKET_PASS;
	/* Accepted, or made before the agent was one. Without room each packet is asked about. */
	if (!known)
		known = socket_adopt(sk, &who);
	return packet_unknown(skb, known, who.n, policy);
}

SEC("cgroup_skb/egress")
int packet_out(struct __sk_buff *skb)
{
	if (packet_leaves(skb) == PACKET_PASS)
		return PACKET_PASS;
	return PACKET_DROP;
}

/* From port 53, as far as that is seen at a look: nothing else is an answer. */
HG_INLINE bool packet_answers(struct __sk_buff *skb)
{
	const __u8 *at = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	if (at + IP4_HEAD + 2 > end)
		return true;
	if (at[0] == 0x45)
		return bytes_2(at + IP4_HEAD) == bpf_htons(53);
	if (at[0] >> 4 != 6)
		return true;
	return at + IP6_HEAD + 2 > end || bytes_2(at + IP6_HEAD) == bpf_htons(53);
}

static __noinline int packet_learn(struct __sk_buff *skb, struct bpf_sock *sk, struct hg_scratch *s,
				   struct hg_socket *known)
{
	struct hg_packet *p = &s->packet;

	__builtin_memset(p, 0, sizeof(*p));
	if (!packet_read(skb, p, false) || !host_resolver(s->agent, &p->remote))
		return 0;
	if (p->proto == HG_TCP)
		return stream_in(skb, sk, s, known);
	return p->proto == HG_UDP ? answer_in(skb, s, known, NULL) : 0;
}

static __noinline int packet_arrives(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	struct hg_socket *known;
	struct hg_scratch *s;
	struct hg_who who;

	if (!sk)
		return 0;
	sk = bpf_sk_fullsock(sk);
	/* Who asked has storage; nobody else is answered. */
	known = sk ? bpf_sk_storage_get(&sockets, sk, 0, 0) : NULL;
	if (!known || !known->next_asked || !packet_agent(sk, known, &who))
		return 0;
	s = packet_scratch(who.n, *(volatile __u64 *)&who.agent->policy, known);
	if (!s)
		return 0;
	packet_learn(skb, sk, s, known);
	scratch_release(s);
	return 0;
}

SEC("cgroup_skb/ingress")
int packet_in(struct __sk_buff *skb)
{
	if (packet_answers(skb))
		packet_arrives(skb);
	return PACKET_PASS;
}
