/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The network, at the system call: which sockets may be made or received, whom they may be connected to,
 * where they may listen. What they send: sends.bpf.c.
 */
#include "kinds.h"
#include "net.h"

SEC("lsm/socket_create")
int BPF_PROG(socket_create, int family, int type, int protocol, int kern)
{
	/* The kernel makes it for itself. */
	if (kern)
		return 0;
	if (!socket_known(family, type, protocol))
		return check_kind(family, type, protocol);
	return state.strays ? check_here(family, type, protocol) : 0;
}

/* The same with no port: of any address. */
HG_INLINE bool connects_nowhere(struct sock *sk, const void *address, __u32 len)
{
	struct hg_who who;
	__u8 head[4] = {};

	if (sk->sk_type != SOCK_DGRAM || sk->sk_protocol != HG_UDP || len < sizeof(head) ||
	    bpf_probe_read_kernel(head, sizeof(head), address) || port_at(head + SIN_PORT))
		return false;
	return agent_current(&who) && is_guarded(sk, who.n);
}

SEC("lsm/socket_connect")
int BPF_PROG(socket_connect, struct socket *sock, struct sockaddr *address, int addrlen)
{
	struct sock *sk = sock->sk;

	if (past_rules(sk))
		return check_past_rules(sk);
	if (!is_inet(sk))
		return 0;
	/* AF_UNSPEC only dissolves an association. */
	if (address->sa_family == AF_UNSPEC)
		return 0;
	if (connects_nowhere(sk, address, addrlen))
		return 0;
	return check_connect(sk, address, addrlen, REACH_CONNECT);
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

/* It keeps its port when it is taken off whom it is connected to, and receives everybody's then. */
HG_INLINE bool takes_datagrams(struct sock *sk)
{
	return sk->sk_type == SOCK_DGRAM &&
	       (BPF_CORE_READ_BITFIELD_PROBED(sk, sk_userlocks) & SOCK_BINDPORT_LOCK);
}

/*
 * A socket that arrives ready-made (descriptors.bpf.c): its kind as if it were made now, whom it is
 * connected to, where it listens or takes datagrams. What is none of these yet is asked by connect.
 */
SEC("lsm/file_receive")
int BPF_PROG(socket_receive, struct file *file)
{
	struct socket *sock = bpf_sock_from_file(file);
	struct hg_who who;
	struct sock *sk;
	int err;

	if (!sock)
		return 0;
	sk = sock->sk;
	if (!sk || socket_own(sk))
		return 0;
	if (!socket_known(sk->__sk_common.skc_family, sk->sk_type, sk->sk_protocol))
		return check_kind(sk->__sk_common.skc_family, sk->sk_type, sk->sk_protocol);
	if (!is_inet(sk))
		return 0;
	if (agent_current(&who))
		__sync_fetch_and_add(&state.foreign, 1);
	switch (sk->__sk_common.skc_state) {
	case TCP_LISTEN:
		return check_bound(sk);
	case TCP_CLOSE:
		break;
	default:
		err = check_connect(sk, NULL, 0, REACH_CONNECT);
		if (err)
			return err;
	}
	return takes_datagrams(sk) ? check_bound(sk) : 0;
}
