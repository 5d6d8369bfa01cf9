/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is sent, at the system call: to addresses that go with it, past what connect(2) was asked about, or on
 * connections whose name is not said or whose budget is spent.
 */
#include "kinds.h"
#include "net.h"

/*
 * Source routes: a packet whose destination was asked about, but which goes to the first hop that
 * its options name. IPV6_RTHDR takes no capability. A flow label can carry the same options.
 */
HG_INLINE bool option_routes(int level, int name)
{
	if (level == SOL_IP)
		return name == IP_OPTIONS;
	return level == SOL_IPV6 &&
	       (name == IPV6_RTHDR || name == IPV6_2292RTHDR || name == IPV6_2292PKTOPTIONS ||
		name == IPV6_FLOWLABEL_MGR);
}

/*
 * Joining groups, and choosing their sources: the kernel sends the addresses' bytes in reports of its own
 * (IGMP, MLD), of which no rule is asked. Which they are is not known here.
 */
HG_INLINE bool option_joins(int level, int name)
{
	if (name == MCAST_LEAVE_GROUP)
		return false;
	if (level == SOL_IP)
		return name == IP_ADD_MEMBERSHIP ||
		       (name >= IP_UNBLOCK_SOURCE && name <= MCAST_MSFILTER);
	return level == SOL_IPV6 &&
	       (name == IPV6_ADD_MEMBERSHIP || name == IPV6_JOIN_ANYCAST ||
		(name >= MCAST_JOIN_GROUP && name <= MCAST_MSFILTER));
}

HG_INLINE bool control_routes(int level, int type)
{
	if (level == SOL_IP)
		return type == IP_RETOPTS;
	return level == SOL_IPV6 &&
	       (type == IPV6_RTHDR || type == IPV6_2292RTHDR || type == IPV6_FLOWINFO);
}

/* Not inlined, as the next: what they keep on the stack would add up in socket_sendmsg. */
static __noinline int refuse_route(struct sock *sk)
{
	struct hg_endpoint detail = {};

	detail.bytes[0] = sk->__sk_common.skc_family;
	detail.bytes[1] = sk->sk_type;
	detail.bytes[2] = sk->sk_protocol;
	detail.bytes[3] = sk->sk_protocol >> 8;
	return check_never(HG_WHY_SOURCE_ROUTE, HG_WHAT_SOCKET, 0, NULL, &detail);
}

static __noinline int refuse_peer(struct sock *sk, enum hg_why as, __u16 rule)
{
	struct hg_endpoint ep = {};
	struct hg_objects o = { .endpoint = &ep };
	enum hg_why why;
	struct hg_ask a;

	if (!ask_begin(&a, HG_WHAT_CONNECT, HG_BIT(HG_CONNECT)))
		return 0;
	endpoint_of(sk, &ep, true);
	why = ask_prepare(&a);
	a.tell.rule = rule;
	return ask_refuse(&a, why == HG_WHY_RULE ? as : why, &o);
}

/* Before the name was said. */
HG_INLINE int check_unsaid(struct sock *sk)
{
	struct hg_socket *known = bpf_sk_storage_get(&sockets, sk, 0, 0);

	if (!known || (known->state != HG_SOCKET_NAMED && known->state != HG_SOCKET_SAID &&
		       known->state != HG_SOCKET_RESOLVER))
		return 0;
	return refuse_peer(sk, HG_WHY_NAME_UNSEEN, HG_RULE_NONE);
}

/*
 * A connection whose budget is spent: its packets are dropped, and a program that waits for nothing is
 * better told. The first to know of it, here or of a packet, reports it.
 */
static __noinline int check_spent(struct sock *sk, const struct hg_socket *known)
{
	__u32 rule = *(const volatile __u32 *)&known->budget - 1;
	struct hg_budget *b = budget_get(known->agent, known->policy, rule + 1);
	struct hg_who who;

	if (!agent_current(&who) || !b || !budget_is_spent(b))
		return 0;
	if (budget_tell(b))
		return refuse_peer(sk, HG_WHY_BUDGET, rule);
	return who.agent->mode == HG_AUDIT ? 0 : -EACCES;
}

/* No program sees the packets of one that was made elsewhere, so whom it is connected to is asked again
 * each time: a rule that goes ends it. */
HG_INLINE bool is_foreign(struct sock *sk)
{
	return state.foreign && !socket_own(sk);
}

/*
 * A connection that is allowed by name and whose payload is not seen: one that is still being made,
 * where a send that waits would go past what reads it (tcp_sendmsg was entered before it was put
 * in). Its packets would be dropped; to say no is better.
 */
HG_INLINE int check_unseen(struct sock *sk)
{
	struct hg_socket *known = bpf_sk_storage_get(&sockets, sk, 0, 0);

	if (!known)
		return 0;
	if (is_foreign(sk))
		return check_connect(sk, NULL, 0, REACH_SEND);
	if (known->budget && check_spent(sk, known))
		return -EACCES;
	if (known->guarded ||
	    (known->state != HG_SOCKET_NAMED && known->state != HG_SOCKET_RESOLVER))
		return 0;
	return refuse_peer(sk, HG_WHY_NAME_UNSEEN, HG_RULE_NONE);
}

SEC("lsm/socket_setsockopt")
int BPF_PROG(socket_setsockopt, struct socket *sock, int level, int optname)
{
	struct sock *sk = sock->sk;

	/* What writes records of its own (kTLS) comes after the name: then it is not what is seen that
	 * is sent. */
	if (level == HG_TCP && optname == TCP_ULP)
		return sk && is_inet(sk) ? check_unsaid(sk) : 0;
	if (!is_inet(sk))
		return 0;
	if (option_joins(level, optname))
		return check_use(HG_USE_RAW_SOCKET, NULL,
				 use_socket(sk->__sk_common.skc_family, sk->sk_type, sk->sk_protocol));
	return option_routes(level, optname) ? refuse_route(sk) : 0;
}

/* Control messages of one sendmsg(2): no honest call has more, and one that does is refused. */
#define CONTROLS_MAX 16

/* The kernel's own copy of the control messages has a source route, or is longer than can be told. */
static __noinline bool controls_route(struct msghdr *msg)
{
	struct {
		__u64 len;
		int level, type;
	} c = {};
	__u64 at = 0, end = msg->msg_controllen;
	const char *control = msg->msg_control;
	__u32 i;

	for (i = 0; i < CONTROLS_MAX; i++) {
		if (at + sizeof(c) > end)
			return false;
		if (bpf_probe_read_kernel(&c, sizeof(c), control + at))
			return true;
		if (c.len < sizeof(c) || control_routes(c.level, c.type))
			return c.len >= sizeof(c);
		at += (c.len + 7) & ~7ull;
	}
	return true;
}

/*
 * The thread that asked before sends a datagram to the peer of then, under the policy of then, and
 * nobody wants to be told: as nearly all that is sent. False says nothing.
 */
static __noinline bool asked_before(struct sock *sk, const void *address, __u32 len)
{
	struct hg_socket *known = bpf_sk_storage_get(&sockets, sk, 0, 0);
	__u8 raw[SIN6_LEN] = {};
	const __u8 *remote;
	struct hg_who who;
	__u64 v;

	if (!known || len < SIN_LEN)
		return false;
	v = *(volatile __u64 *)&known->version;
	remote = known->remote.bytes;
	if ((v & 1) || *(volatile __u32 *)&known->state != HG_SOCKET_OPEN || !known->quiet ||
	    known->budget || known->tid != (__u32)bpf_get_current_pid_tgid() ||
	    !agent_current(&who) || who.n != known->agent || who.agent->uid != known->agent_uid ||
	    *(volatile __u64 *)&who.agent->policy != *(volatile __u64 *)&known->policy)
		return false;
	if (remote[0] == 4) {
		if (bpf_probe_read_kernel(raw, SIN_LEN, address) || raw[0] != AF_INET || raw[1] ||
		    remote[5] != HG_UDP || bytes_4(remote + 1) != bytes_4(raw + SIN_ADDR) ||
		    bytes_2(remote + 6) != bytes_2(raw + SIN_PORT))
			return false;
	} else if (len < SIN6_LEN || bpf_probe_read_kernel(raw, SIN6_LEN, address) ||
		   raw[0] != AF_INET6 || raw[1] || remote[17] != HG_UDP ||
		   bytes_4(remote + 1) != bytes_4(raw + SIN6_ADDR) ||
		   bytes_4(remote + 5) != bytes_4(raw + SIN6_ADDR + 4) ||
		   bytes_4(remote + 9) != bytes_4(raw + SIN6_ADDR + 8) ||
		   bytes_4(remote + 13) != bytes_4(raw + SIN6_ADDR + 12) ||
		   bytes_2(remote + 18) != bytes_2(raw + SIN_PORT)) {
		return false;
	}
	return *(volatile __u64 *)&known->version == v;
}

SEC("lsm/socket_sendmsg")
int BPF_PROG(socket_sendmsg, struct socket *sock, struct msghdr *msg, int size)
{
	struct sock *sk = sock->sk;
	void *name = msg->msg_name;
	int err;

	if (past_rules(sk))
		return check_past_rules(sk);
	if (msg->msg_controllen && is_inet(sk) && controls_route(msg)) {
		err = refuse_route(sk);
		if (err)
			return err;
	}
	if (!is_inet(sk))
		return 0;
	/* TCP looks at the address only for fast open. */
	if (sk->sk_type == SOCK_STREAM && !(msg->msg_flags & MSG_FASTOPEN))
		return check_unseen(sk);
	/* Without an address it goes where connect was asked about. */
	if (!name)
		return is_foreign(sk) ? check_connect(sk, NULL, 0, REACH_SEND) : 0;
	if (sk->sk_type == SOCK_DGRAM && asked_before(sk, name, msg->msg_namelen))
		return 0;
	/* udp_sendmsg takes AF_UNSPEC for AF_INET; judged so for v6 sockets too, which ignore it. */
	return check_connect(sk, name, msg->msg_namelen,
			     sk->sk_type == SOCK_STREAM ? REACH_EARLY : REACH_SEND);
}
