/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Unix sockets: who is at the other end.
 *
 * unix_stream_connect is asked once for a stream or seqpacket connection, unix_may_send for a
 * datagram socket's connect and for each of its messages; whatever call or ring they came by, both
 * have the socket that was found, so neither the name that was used nor a link to it matters. The
 * peer is named by where it is bound: the dentry, which follows renames, or the abstract name.
 *
 * Whose a socket is says the cgroup it was made in, which the kernel keeps in it and nobody can
 * change afterwards. An agent's own are always reachable; another agent's only by `agent:NAME`,
 * whatever they are bound to, so that no agent can stand in for a service; those of nobody's agent
 * by rules on the path or abstract name. One without a name cannot be looked up: it is the other
 * end of a pair, which somebody gave.
 */
#include "check.h"
#include "label.h"
#include "sockets.h"

/* Offset of sun_path (include/uapi/linux/un.h): an address may be shorter than its structure. */
#define SUN_PATH 2

/* ---- reaching ---- */

HG_INLINE enum hg_why abstract_resolve(struct hg_scratch *s)
{
	s->label = s->abstract;
	s->label_len = s->abstract_len;
	s->tail_len = 0;
	return label_resolve(s, HG_LABEL_ABSTRACT);
}

HG_INLINE enum hg_why bound_resolve(struct hg_scratch *s, struct dentry *dentry)
{
	enum hg_why why = place_resolve(s, dentry);

	return why == HG_WHY_ANONYMOUS ? HG_WHY_UNMAPPED_FILESYSTEM : why;
}

/* Claims what a decision needs, and says of which abstract name it is. */
HG_INLINE enum hg_why ask_socket(struct hg_ask *a, const void *abstract, __u32 abstract_len)
{
	enum hg_why why = ask_prepare(a);

	if (a->s) {
		a->s->abstract = (__u64)abstract;
		a->s->abstract_len = abstract_len;
		a->s->peer = 0;
	}
	return why;
}

/* May the current task reach the socket `sk`? */
static __noinline int check_peer(struct sock *sk)
{
	struct hg_objects o = {};
	struct unix_address *addr;
	struct unix_sock *peer;
	struct hg_who whose;
	enum hg_why why;
	struct hg_ask a;
	bool owned;

	if (!ask_begin(&a, HG_WHAT_UNIX, HG_BIT(HG_UNIX)))
		return 0;
	owned = socket_owner(sk, &whose);
	if (owned && whose.n == a.who.n)
		return 0;
	peer = bpf_skc_to_unix_sock(sk);
	why = ask_socket(&a, NULL, 0);
	if (why != HG_WHY_RULE || !a.s)
		return ask_refuse(&a, why, &o);
	if (!peer)
		return ask_refuse(&a, HG_WHY_ADDRESS_FAMILY, &o);
	o.object = peer->path.dentry;
	addr = peer->addr;
	if (!o.object && !addr)
		return ask_allow(&a);
	if (!o.object) {
		a.s->abstract = (__u64)&addr->name[0].sun_path[1];
		a.s->abstract_len = addr->len - SUN_PATH - 1;
	}
	if (owned)
		why = agent_resolve(a.s, whose.agent);
	else if (o.object)
		why = bound_resolve(a.s, o.object);
	else
		why = abstract_resolve(a.s);
	if (why == HG_WHY_RULE && owned && a.s->out.rule[HG_CONNECT] == HG_RULE_NONE)
		why = HG_WHY_OTHER_AGENT;
	if (why != HG_WHY_RULE)
		return ask_refuse(&a, why, &o);
	return ask_out(&a, &a.s->out, HG_BIT(owned || !o.object ? HG_CONNECT : HG_UNIX), &o);
}

SEC("lsm/unix_stream_connect")
int BPF_PROG(unix_stream_connect, struct sock *sk, struct sock *other, struct sock *newsk)
{
	return check_peer(other);
}

SEC("lsm/unix_may_send")
int BPF_PROG(unix_may_send, struct socket *sock, struct socket *other)
{
	struct sock *sk = other->sk;

	/* The kernel has made sure that it is not being torn down. */
	return sk ? check_peer(sk) : 0;
}

/* ---- taking a name ---- */

/*
 * Whoever has an abstract name is taken for the service that clients know by it, so taking one is
 * asked. A path is asked as making the file (path_mknod); an address without name makes the kernel
 * choose five hexadecimal digits, which no client can have been waiting for.
 */
SEC("lsm/socket_bind")
int BPF_PROG(unix_bind, struct socket *sock, struct sockaddr *address, int addrlen)
{
	struct sock *sk = sock->sk;
	struct hg_objects o = {};
	enum hg_why why;
	struct hg_ask a;
	char first;

	if (!sk || sk->__sk_common.skc_family != AF_UNIX || addrlen <= SUN_PATH)
		return 0;
	/* 0 where it cannot be read: then the name cannot either, and that is a denial. */
	bpf_probe_read_kernel(&first, 1, (const char *)address + SUN_PATH);
	if (first)
		return 0;
	if (!ask_begin(&a, HG_WHAT_UNIX_LISTEN, HG_BIT(HG_LISTEN)))
		return 0;
	why = ask_socket(&a, (const char *)address + SUN_PATH + 1, addrlen - SUN_PATH - 1);
	if (why == HG_WHY_RULE && a.s)
		why = abstract_resolve(a.s);
	if (why != HG_WHY_RULE || !a.s)
		return ask_refuse(&a, why, &o);
	return ask_out(&a, &a.s->out, HG_BIT(HG_LISTEN), &o);
}
