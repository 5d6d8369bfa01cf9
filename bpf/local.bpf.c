/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs on an agent's cgroup for what LSM hooks cannot tell, since they cannot look sockets up: who
 * listens where a connection goes, and who has the port already that is to be taken.
 *
 * They only make the system call say no. Whose socket it is that takes a packet is asked again for the
 * packet (packets.bpf.c), until the connection stands.
 */
#include "local.h"

#define EADDRINUSE 98

/* Whose a socket is that was looked up: the agent's number + 1; 0: no agent's. bpf_sk_cgroup_id() is not
 * to be had here, and a datagram socket's cgroup not to be read: there listener_mark() says. */
HG_INLINE __u32 local_owner(struct bpf_sock *sk)
{
	struct hg_socket *known = bpf_sk_storage_get(&sockets, sk, 0, 0);
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);
	struct hg_who whose;

	if (tcp)
		return socket_owner((struct sock *)tcp, &whose) ? whose.n + 1 : 0;
	return known && agent_get(known->agent, &whose) && whose.agent->uid == known->agent_uid
		       ? known->agent + 1
		       : 0;
}

/* The address that is given; a program may read its own family's only. Not inlined: their stack is gone
 * afterwards. */
static __noinline void address_4(struct bpf_sock_addr *ctx, struct hg_endpoint *ep, bool peer)
{
	__u32 address = ctx->user_ip4;

	__builtin_memset(ep, 0, sizeof(*ep));
	hg_endpoint_v4(ep, (__u8 *)&address, ctx->protocol, bpf_ntohs(ctx->user_port), peer);
}

static __noinline void address_6(struct bpf_sock_addr *ctx, struct hg_endpoint *ep, bool peer)
{
	__u32 address[4];

	address[0] = ctx->user_ip6[0];
	address[1] = ctx->user_ip6[1];
	address[2] = ctx->user_ip6[2];
	address[3] = ctx->user_ip6[3];
	__builtin_memset(ep, 0, sizeof(*ep));
	hg_endpoint_v6(ep, (__u8 *)address, ctx->protocol, bpf_ntohs(ctx->user_port), peer);
}

/* Whose the socket is that takes what is sent there first: the agent's number + 1; 0: nobody's or no
 * agent's. */
static __noinline __u32 address_owner(struct bpf_sock_addr *ctx, const struct hg_endpoint *ep,
				      bool *ret_found)
{
	struct bpf_sock_tuple t;
	__u32 owner, len = local_tuple(&t, NULL, ep);
	struct bpf_sock *sk;

	if (ctx->protocol == HG_TCP)
		sk = bpf_sk_lookup_tcp(ctx, &t, len, BPF_F_CURRENT_NETNS, 0);
	else
		sk = bpf_sk_lookup_udp(ctx, &t, len, BPF_F_CURRENT_NETNS, 0);
	*ret_found = sk;
	if (!sk)
		return 0;
	owner = local_owner(sk);
	bpf_sk_release(sk);
	return owner;
}

/* Of s->packet.remote, which is a loopback address; the LSM hook allowed it, or left it to this. What is
 * kept spares the first packets their decision, where they find the same at the other end. */
static __noinline int local_judge(struct hg_scratch *s, struct hg_socket *known)
{
	__u64 version = *(volatile __u64 *)&known->version;
	__u32 why = HG_WHY_RULE, st;
	int say;

	s->remote = s->packet.remote;
	st = socket_state(known, &s->remote, 0);
	say = local_decide(s);
	if (say == LOCAL_ALLOW) {
		s->by_len = 0;
		s->budget = 0;
		socket_set(known, s, HG_SOCKET_OPEN);
		if (s->packet.peer != s->agent + 1 && (s->out.log & HG_BIT(HG_LISTEN)))
			packet_tell(s, HG_WHAT_CONNECT, why, HG_CONNECT, true);
		return PACKET_PASS;
	}
	if (say == LOCAL_NOTHING) {
		if (st != HG_SOCKET_LOCAL) {
			if (st != HG_SOCKET_UNDECIDED)
				socket_peer(known, version, s->packet.peer_uid, false);
			return PACKET_PASS;
		}
		/* What it says of the address; another policy may be in force by now. */
		if (remote_decide(s) != REMOTE_REFUSED)
			return PACKET_PASS;
	} else if (say != LOCAL_REFUSED) {
		why = say == LOCAL_OTHER ? HG_WHY_OTHER_AGENT : HG_WHY_BROKEN_POLICY;
	}
	return packet_refuse(s, HG_WHAT_CONNECT, why, HG_CONNECT);
}

HG_INLINE int local_connects(struct bpf_sock_addr *ctx, bool six)
{
	struct hg_socket *known;
	struct hg_scratch *s;
	int pass = PACKET_PASS;
	struct hg_who who;
	bool found;

	if (!ctx->sk)
		return PACKET_PASS;
	/* What the LSM hook did not ask about is no agent's. */
	known = bpf_sk_storage_get(&sockets, ctx->sk, 0, 0);
	if (!known || !agent_get(known->agent, &who) || who.agent->uid != known->agent_uid)
		return PACKET_PASS;
	s = packet_scratch(who.n, *(volatile __u64 *)&who.agent->policy, known);
	if (!s)
		return packet_busy(who.n, *(volatile __u64 *)&who.agent->policy, HG_WHAT_CONNECT);
	__builtin_memset(&s->packet, 0, sizeof(s->packet));
	if (six)
		address_6(ctx, &s->packet.remote, true);
	else
		address_4(ctx, &s->packet.remote, true);
	if (endpoint_is_loopback(&s->packet.remote)) {
		s->packet.peer = address_owner(ctx, &s->packet.remote, &found);
		if (s->packet.peer && agent_get(s->packet.peer - 1, &who))
			s->packet.peer_uid = who.agent->uid;
		pass = local_judge(s, known);
	}
	scratch_release(s);
	if (pass != PACKET_PASS)
		bpf_set_retval(-EACCES);
	return pass;
}

/* At a look: what is no loopback address, as nearly all are. */
SEC("cgroup/connect4")
int connect_4(struct bpf_sock_addr *ctx)
{
	__u32 first = bpf_ntohl(ctx->user_ip4) >> 24;

	if (ctx->protocol == HG_TCP && (first == 127 || first == 0))
		return local_connects(ctx, false) == PACKET_PASS;
	return 1;
}

SEC("cgroup/connect6")
int connect_6(struct bpf_sock_addr *ctx)
{
	if (ctx->protocol == HG_TCP && !(ctx->user_ip6[0] | ctx->user_ip6[1]))
		return local_connects(ctx, true) == PACKET_PASS;
	return 1;
}

/* A port's owner as one address has it, and where none has, as a narrower one below: a wildcard has what is
 * sent there too, from those it is connected to. */
static __noinline __u32 port_owner(struct bpf_sock_addr *ctx, bool six, bool *ret_found)
{
	struct hg_endpoint ep;
	__u32 owner;

	if (six)
		address_6(ctx, &ep, false);
	else
		address_4(ctx, &ep, false);
	owner = address_owner(ctx, &ep, ret_found);
	if (*ret_found)
		return owner;
	if (six)
		address_6(ctx, &ep, true);
	else
		address_4(ctx, &ep, true);
	return address_owner(ctx, &ep, ret_found);
}

/* The same of IPv4, which [::] has as well. Whether this socket does (IPV6_V6ONLY) another thread may change
 * before it is bound. */
static __noinline __u32 port_owner_below(struct bpf_sock_addr *ctx, bool *ret_found)
{
	struct hg_endpoint ep = {};
	const __u8 all[4] = {};
	__u32 owner;

	hg_endpoint_v4(&ep, all, ctx->protocol, bpf_ntohs(ctx->user_port), false);
	owner = address_owner(ctx, &ep, ret_found);
	if (*ret_found)
		return owner;
	hg_endpoint_v4(&ep, all, ctx->protocol, bpf_ntohs(ctx->user_port), true);
	return address_owner(ctx, &ep, ret_found);
}

/*
 * Taking a port that is somebody's: with SO_REUSEPORT where both have it and one user, or of UDP with
 * SO_REUSEADDR whoever they are, the kernel would give a part of what is sent there to the newcomer. It is
 * refused as the kernel refuses a taken port; an agent's own workers share theirs.
 */
HG_INLINE int port_answer(struct bpf_sock_addr *ctx, bool six)
{
	struct hg_who who;
	bool found;
	__u32 owner;

	if (!ctx->user_port || (ctx->protocol != HG_TCP && ctx->protocol != HG_UDP) ||
	    !agent_current(&who))
		return 1;
	owner = port_owner(ctx, six, &found);
	if (!found && six &&
	    !(ctx->user_ip6[0] | ctx->user_ip6[1] | ctx->user_ip6[2] | ctx->user_ip6[3]))
		owner = port_owner_below(ctx, &found);
	if (!found || owner == who.n + 1 || who.agent->mode == HG_AUDIT)
		return 1;
	bpf_set_retval(-EADDRINUSE);
	return 0;
}

SEC("cgroup/bind4")
int bind_4(struct bpf_sock_addr *ctx)
{
	return port_answer(ctx, false);
}

SEC("cgroup/bind6")
int bind_6(struct bpf_sock_addr *ctx)
{
	return port_answer(ctx, true);
}
