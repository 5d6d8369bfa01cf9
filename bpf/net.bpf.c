/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The network, at the system call: which sockets may be made, whom they may be connected or sent
 * to, where they may listen. Addresses are read from the kernel's own copy, which no thread of
 * the caller can change any more.
 */
#include "check.h"
#include "hosts.h"
#include "local.h"
#include "sockets.h"

/* The address structures' fields by offset (include/uapi/linux/in.h, in6.h): an address may be
 * shorter than its structure, so what is behind its end is not read. */
#define SOCKADDR_MAX	28
#define SIN_PORT	2
#define SIN_ADDR	4
#define SIN_LEN		8	/* up to and with sin_addr */
#define SIN6_ADDR	8
#define SIN6_LEN	24	/* SIN6_LEN_RFC2133 */

HG_INLINE __u16 port_at(const __u8 *p)
{
	return (__u16)p[0] << 8 | p[1];
}

HG_INLINE __u8 endpoint_proto(struct sock *sk)
{
	__u16 proto = sk->sk_protocol;

	return proto == IPPROTO_MPTCP ? HG_TCP : proto;
}

/*
 * Encodes a socket address, by way of SOCKADDR_MAX bytes of the caller's. family_0: what AF_UNSPEC
 * means for this call (0: nothing). False when
 * the address is of no family that the socket can use; the kernel mostly refuses those itself.
 */
HG_INLINE bool endpoint_from(struct hg_endpoint *ep, __u8 *raw, struct sock *sk,
			     const void *address, __u32 len, __u16 family_0, bool peer)
{
	__u8 proto = endpoint_proto(sk);
	bool icmp = proto == HG_ICMP || proto == HG_ICMPV6;
	__u16 family, port;

	if (len < SIN_LEN || bpf_probe_read_kernel(raw, SIN_LEN, address))
		return false;
	family = *(__u16 *)raw;
	if (family == AF_UNSPEC)
		family = family_0;
	port = icmp ? 0 : port_at(raw + SIN_PORT);
	if (family == AF_INET) {
		hg_endpoint_v4(ep, raw + SIN_ADDR, proto, port, peer);
		return true;
	}
	if (family != AF_INET6 || len < SIN6_LEN ||
	    bpf_probe_read_kernel(raw, SIN6_LEN, address))
		return false;
	hg_endpoint_v6(ep, raw + SIN6_ADDR, proto, port, peer);
	return true;
}

/* The address that a socket has, or its peer's. As it is: what is meant by 0.0.0.0 was settled when
 * it was bound or connected. Not inlined: calls may only be eight deep, and its stack is gone. */
static __noinline void endpoint_of(struct sock *sk, struct hg_endpoint *ep, bool peer)
{
	__u8 addr[16] = {};
	__u16 port;

	port = peer ? bpf_ntohs(sk->__sk_common.skc_dport) : sk->__sk_common.skc_num;
	if (sk->__sk_common.skc_family == AF_INET) {
		if (peer)
			bpf_core_read(addr, 4, &sk->__sk_common.skc_daddr);
		else
			bpf_core_read(addr, 4, &sk->__sk_common.skc_rcv_saddr);
		hg_endpoint_v4(ep, addr, endpoint_proto(sk), port, false);
	} else {
		if (peer)
			bpf_core_read(addr, 16, &sk->__sk_common.skc_v6_daddr);
		else
			bpf_core_read(addr, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		hg_endpoint_v6(ep, addr, endpoint_proto(sk), port, false);
	}
}

/* Who looks up what listens here finds whose it is. */
HG_INLINE void listener_mark(struct sock *sk, const struct hg_who *who)
{
	struct hg_socket *known;
	struct hg_who whose;

	if (!socket_owner(sk, &whose) || whose.n != who->n)
		return;
	known = bpf_sk_storage_get(&sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!known)
		return;
	known->agent = who->n;
	known->agent_uid = who->agent->uid;
	who->agent->listens = 1;
}

/* ep: NULL where the address could not be understood. */
static __noinline int check_listen(struct sock *sk, const struct hg_endpoint *ep)
{
	struct hg_objects o = { .endpoint = ep };
	struct hg_reader r;
	struct hg_out out;
	enum hg_why why;
	struct hg_ask a;
	__u32 row;

	if (!ask_begin(&a, HG_WHAT_LISTEN, HG_BIT(HG_LISTEN)))
		return 0;
	why = ask_prepare(&a);
	if (why != HG_WHY_RULE || !a.s)
		return ask_refuse(&a, why, &o);
	if (!ep)
		return ask_refuse(&a, HG_WHY_ADDRESS_FAMILY, &o);
	if (!image_open(&r, a.s->slot) || !hg_endpoint(&r, ep, &row) ||
	    !hg_out_read(&r, row, &out))
		return ask_refuse(&a, HG_WHY_BROKEN_POLICY, &o);
	listener_mark(sk, &a.who);
	return ask_out(&a, &out, HG_BIT(HG_LISTEN), &o);
}

/* Is what this socket sends seen by the programs on its cgroup, and are they there? */
static __noinline bool is_guarded(struct sock *sk)
{
	struct hg_who whose;

	return socket_owner(sk, &whose) && whose.agent->guarded && agent_is_current(whose.n);
}

/* Can the name be seen in what it sends? early: data goes with the first packet. */
HG_INLINE bool name_is_seen(struct sock *sk, bool early)
{
	return !early && sk->sk_type == SOCK_STREAM && sk->sk_protocol == HG_TCP && is_guarded(sk);
}

/*
 * How a peer is allowed, for what is sent later (packets.bpf.c, payload.bpf.c): by its address, by a
 * name that must be in what is sent, as a resolver, whose questions are looked at one by one, or by
 * who it is (local.bpf.c). enum hg_why.
 */
HG_INLINE enum hg_why connect_decide(struct hg_scratch *s, struct sock *sk,
				     const struct hg_agent *agent, bool early, __u32 *ret_state)
{
	switch (remote_decide(s)) {
	case REMOTE_OPEN:
		*ret_state = HG_SOCKET_OPEN;
		if (host_teaches(s) && name_is_seen(sk, early))
			*ret_state = HG_SOCKET_RESOLVER;
		return HG_WHY_RULE;
	case REMOTE_NAMED:
		*ret_state = HG_SOCKET_NAMED;
		return name_is_seen(sk, early) ? HG_WHY_RULE : HG_WHY_NAME_UNSEEN;
	case REMOTE_RESOLVER:
		*ret_state = HG_SOCKET_RESOLVER;
		s->out.allow = HG_BIT(HG_CONNECT);
		return !early && is_guarded(sk) ? HG_WHY_RULE : HG_WHY_NAME_UNSEEN;
	case REMOTE_REFUSED:
		*ret_state = HG_SOCKET_UNDECIDED;
		if (local_matters(s, agent) && is_guarded(sk)) {
			*ret_state = HG_SOCKET_LOCAL;
			s->out.allow = HG_BIT(HG_CONNECT);
			s->out.log = 0;
		}
		return HG_WHY_RULE;
	}
	return HG_WHY_BROKEN_POLICY;
}

/* The peer that is asked about, to s->remote; see check_connect(). Its stack is gone afterwards. */
static __noinline bool remote_read(struct hg_scratch *s, struct sock *sk, const void *address,
				   __u32 len, __u16 family_0)
{
	__builtin_memset(&s->remote, 0, sizeof(s->remote));
	if (address)
		return endpoint_from(&s->remote, s->name, sk, address, len, family_0, true);
	endpoint_of(sk, &s->remote, true);
	return true;
}

HG_INLINE void remote_proto(struct hg_endpoint *ep, __u8 proto)
{
	if (ep->bytes[0] == 6)
		ep->bytes[17] = proto;
	else
		ep->bytes[5] = proto;
}

/*
 * libc puts the addresses of a name in order by what a datagram socket that is connected to each of them has
 * for its own, with the port that the program asked about. Nothing is sent by that, and what is sent
 * afterwards is asked about packet by packet. So where a connection may go, such a socket may be
 * connected. s->out is not kept.
 */
static __noinline bool sorts_addresses(struct hg_scratch *s)
{
	int say;

	remote_proto(&s->remote, HG_TCP);
	say = remote_decide(s);
	remote_proto(&s->remote, HG_UDP);
	return say == REMOTE_OPEN || say == REMOTE_NAMED;
}

/* What a call does with the address that it names. */
enum reach {
	REACH_CONNECT,
	REACH_SEND,	/* AF_UNSPEC means AF_INET */
	REACH_EARLY,	/* the same, and data goes with the first packet */
};

/*
 * May the current task reach `address`, or where address is NULL, whom the socket is connected to?
 */
static __noinline int check_connect(struct sock *sk, const void *address, __u32 len, enum reach how)
{
	bool early = how == REACH_EARLY;
	struct hg_objects o = {};
	__u32 st = HG_SOCKET_UNDECIDED;
	enum hg_why why;
	struct hg_ask a;

	if (!ask_begin(&a, HG_WHAT_CONNECT, HG_BIT(HG_CONNECT)))
		return 0;
	why = ask_prepare(&a);
	if (why != HG_WHY_RULE || !a.s)
		return ask_refuse(&a, why, &o);
	a.s->agent = a.who.n;
	a.s->netns = socket_netns(sk);
	a.s->policy = a.tell.policy;
	a.s->packet.peer_uid = HG_PEER_UNKNOWN;
	a.s->packet.stands = 0;
	if (!remote_read(a.s, sk, address, len, how == REACH_CONNECT ? 0 : AF_INET))
		return ask_refuse(&a, HG_WHY_ADDRESS_FAMILY, &o);
	o.endpoint = &a.s->remote;
	why = connect_decide(a.s, sk, a.who.agent, early, &st);
	if (how == REACH_CONNECT && (why != HG_WHY_RULE || !(a.s->out.allow & HG_BIT(HG_CONNECT))) &&
	    sk->sk_type == SOCK_DGRAM && sk->sk_protocol == HG_UDP && is_guarded(sk)) {
		if (sorts_addresses(a.s)) {
			socket_mark(sk, &a, a.s, HG_SOCKET_UNDECIDED);
			return ask_allow(&a);
		}
		why = connect_decide(a.s, sk, a.who.agent, early, &st);
	}
	a.s->packet.quiet = !(a.s->out.log & HG_BIT(HG_CONNECT));
	/* Without a place to keep it in, nothing is allowed. */
	if (why == HG_WHY_RULE && st != HG_SOCKET_UNDECIDED &&
	    !socket_mark(sk, &a, a.s, st))
		why = HG_WHY_TOO_BUSY;
	if (why == HG_WHY_RULE && a.s->budget && !budget_left(a.who.n, a.tell.policy, a.s->budget)) {
		a.tell.rule = a.s->budget - 1;
		return ask_refuse(&a, HG_WHY_BUDGET, &o);
	}
	if (why == HG_WHY_RULE)
		return ask_out(&a, &a.s->out, HG_BIT(HG_CONNECT), &o);
	if (why == HG_WHY_NAME_UNSEEN)
		a.tell.rule = a.s->out.rule[HG_CONNECT];
	return ask_refuse(&a, why, &o);
}

/* A struct socket without its sock is being made or torn down: there is nothing to send with. */
HG_INLINE bool is_inet(struct sock *sk)
{
	__u16 family;

	if (!sk)
		return false;
	family = sk->__sk_common.skc_family;
	return family == AF_INET || family == AF_INET6;
}

/* Kinds of sockets that rules can speak of; the rest could carry data past every rule. */
HG_INLINE bool socket_known(int family, int type, int protocol)
{
	switch (family) {
	case AF_UNIX:
		return true;
	case AF_NETLINK:
		return protocol == NETLINK_ROUTE;
	case AF_INET:
	case AF_INET6:
		break;
	default:
		return false;
	}
	if (type == SOCK_STREAM)
		return protocol == 0 || protocol == HG_TCP || protocol == IPPROTO_MPTCP;
	if (type == SOCK_DGRAM)
		return protocol == 0 || protocol == HG_UDP || protocol == HG_ICMP ||
		       protocol == HG_ICMPV6;
	return false;
}

/* The word that opens a kind of socket past the rules on endpoints; HG_N_USES: nothing does. */
HG_INLINE __u32 socket_word(int family, int type)
{
	switch (family) {
	case AF_PACKET:
		return HG_USE_PACKET_SOCKET;
	case AF_NETLINK:
		return HG_USE_NETLINK;
	case AF_VSOCK:
		return HG_USE_VSOCK;
	case AF_INET:
	case AF_INET6:
		if (type == SOCK_RAW)
			return HG_USE_RAW_SOCKET;
	}
	return HG_N_USES;
}

/* A kind of socket that no rule on endpoints speaks of, and no word opens. */
static __noinline int refuse_kind(int family, int type, int protocol)
{
	struct hg_endpoint detail = {};

	detail.bytes[0] = family;
	detail.bytes[1] = type;
	detail.bytes[2] = protocol;
	detail.bytes[3] = protocol >> 8;
	return check_never(HG_WHY_SOCKET_FAMILY, HG_WHAT_SOCKET, 0, NULL, &detail);
}

HG_INLINE int check_kind(int family, int type, int protocol)
{
	__u32 word = socket_word(family, type);

	if (word == HG_N_USES)
		return refuse_kind(family, type, protocol);
	return check_use(word, NULL, use_socket(family, type, protocol));
}

SEC("lsm/socket_create")
int BPF_PROG(socket_create, int family, int type, int protocol, int kern)
{
	/* A socket the kernel makes for itself, or one that rules speak of. */
	if (kern || socket_known(family, type, protocol))
		return 0;
	return check_kind(family, type, protocol);
}

/*
 * A socket that was there before, and that no endpoint says anything about: what a raw socket sends
 * goes where the packet says, whatever address and port are given beside it.
 */
HG_INLINE bool past_rules(struct sock *sk)
{
	__u16 family;

	if (!sk)
		return false;
	family = sk->__sk_common.skc_family;
	return family == AF_PACKET || family == AF_VSOCK ||
	       ((family == AF_INET || family == AF_INET6) && sk->sk_type == SOCK_RAW);
}

HG_INLINE int check_past_rules(struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	return check_use(socket_word(family, sk->sk_type), NULL,
			 use_socket(family, sk->sk_type, sk->sk_protocol));
}

/* The same with no port: of any address. */
HG_INLINE bool connects_nowhere(struct sock *sk, const void *address, __u32 len)
{
	__u8 head[4] = {};

	if (sk->sk_type != SOCK_DGRAM || sk->sk_protocol != HG_UDP || len < sizeof(head) ||
	    bpf_probe_read_kernel(head, sizeof(head), address) || port_at(head + SIN_PORT))
		return false;
	return is_guarded(sk);
}

SEC("lsm/socket_connect")
int BPF_PROG(socket_connect, struct socket *sock, struct sockaddr *address, int addrlen)
{
	struct sock *sk = sock->sk;
	__u16 family;

	if (past_rules(sk))
		return check_past_rules(sk);
	if (!is_inet(sk))
		return 0;
	/* AF_UNSPEC only dissolves an association. */
	if (bpf_probe_read_kernel(&family, sizeof(family), address) == 0 && family == AF_UNSPEC)
		return 0;
	if (connects_nowhere(sk, address, addrlen))
		return 0;
	return check_connect(sk, address, addrlen, REACH_CONNECT);
}

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
	if (!option_routes(level, optname) || !is_inet(sk))
		return 0;
	return refuse_route(sk);
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
		return 0;
	if (sk->sk_type == SOCK_DGRAM && asked_before(sk, name, msg->msg_namelen))
		return 0;
	/* udp_sendmsg takes AF_UNSPEC for AF_INET; judged so for v6 sockets too, which ignore it. */
	return check_connect(sk, name, msg->msg_namelen,
			     sk->sk_type == SOCK_STREAM ? REACH_EARLY : REACH_SEND);
}

SEC("lsm/socket_bind")
int BPF_PROG(socket_bind, struct socket *sock, struct sockaddr *address, int addrlen)
{
	struct hg_endpoint ep = {};
	struct sock *sk = sock->sk;
	__u8 raw[SOCKADDR_MAX] = {}, head[4] = {};
	struct hg_who who;

	if (past_rules(sk))
		return check_past_rules(sk);
	if (!is_inet(sk))
		return 0;
	/* Port 0 is any free port, as every client has; listening on it is asked by listen. It may be one of
	 * the agent's own that waits for another. */
	if (bpf_probe_read_kernel(head, sizeof(head), address) == 0 &&
	    (endpoint_proto(sk) == HG_ICMP || endpoint_proto(sk) == HG_ICMPV6 ||
	     port_at(head + SIN_PORT) == 0)) {
		if (agent_current(&who))
			who.agent->listens = 1;
		return 0;
	}
	if (!endpoint_from(&ep, raw, sk, address, addrlen, AF_INET, false))
		return check_listen(sk, NULL);
	return check_listen(sk, &ep);
}

/* Where it is bound. */
static __noinline int check_bound(struct sock *sk)
{
	struct hg_endpoint ep = {};

	endpoint_of(sk, &ep, false);
	return check_listen(sk, &ep);
}

SEC("lsm/socket_listen")
int BPF_PROG(socket_listen, struct socket *sock, int backlog)
{
	struct sock *sk = sock->sk;

	return is_inet(sk) ? check_bound(sk) : 0;
}

/* Made in the agent's own cgroup: what it is connected to was asked then. So a server's processes
 * may hand accepted connections to each other, whoever the client is. */
static __noinline bool socket_own(struct sock *sk)
{
	struct hg_who whose;

	return socket_owner(sk, &whose) && agent_is_current(whose.n);
}

/*
 * A socket that arrives ready-made (descriptors.bpf.c): its kind as if it were made now, whom it is
 * connected to, where it listens or takes datagrams. What is none of these yet is asked by connect.
 */
SEC("lsm/file_receive")
int BPF_PROG(socket_receive, struct file *file)
{
	struct socket *sock = bpf_sock_from_file(file);
	unsigned char state;
	struct sock *sk;
	bool bound;

	if (!sock)
		return 0;
	sk = sock->sk;
	if (!sk || socket_own(sk))
		return 0;
	if (!socket_known(sk->__sk_common.skc_family, sk->sk_type, sk->sk_protocol))
		return check_kind(sk->__sk_common.skc_family, sk->sk_type, sk->sk_protocol);
	if (!is_inet(sk))
		return 0;
	state = sk->__sk_common.skc_state;
	bound = state == TCP_LISTEN;
	if (state == TCP_CLOSE) {
		bound = sk->sk_type == SOCK_DGRAM &&
			(BPF_CORE_READ_BITFIELD_PROBED(sk, sk_userlocks) & SOCK_BINDPORT_LOCK);
		if (!bound)
			return 0;
	}
	if (!bound)
		return check_connect(sk, NULL, 0, REACH_CONNECT);
	return check_bound(sk);
}
