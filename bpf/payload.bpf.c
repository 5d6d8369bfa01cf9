/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a connection that is allowed by name sends first: TLS with the name in its ClientHello, HTTP with
 * it in Host, or nothing.
 *
 * When such a connection stands, a program on the agent's cgroup (sockops) puts it into the map
 * `guarded`, whose program (sk_msg) then sees what is sent, however it was written: it holds the
 * bytes back until they can be judged. A name that is not the peer's fails the call that sends it, and
 * nothing has left. Once judged, the rest goes by unseen.
 *
 * What is sent past the map (it was being made while a send waited, fast open, no room in it) is
 * dropped packet by packet as long as the connection is not judged (packets.bpf.c).
 */
#include "packets.h"
#include "questions.h"
#include "streams.h"

#define HELLOS 2

struct hg_payload {
	__u32 busy, zero;
	struct hg_hello hello;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, HELLOS);
	__type(key, __u32);
	__type(value, struct hg_payload);
} payloads __weak SEC(".maps");

HG_INLINE struct hg_payload *payload_claim(void)
{
	__u32 i;

	for (i = 0; i < HELLOS; i++) {
		__u32 key = i;
		struct hg_payload *p = bpf_map_lookup_elem(&payloads, &key);

		if (p && __sync_val_compare_and_swap(&p->busy, 0, 1) == 0)
			return p;
	}
	return NULL;
}

HG_INLINE void payload_release(struct hg_payload *p)
{
	__sync_lock_test_and_set(&p->busy, 0);
}

/* ---- putting connections in ---- */

HG_INLINE void connection_guard(struct bpf_sock_ops *ops, struct bpf_sock *sk)
{
	struct hg_socket *known = bpf_sk_storage_get(&sockets, sk, 0, 0);
	__u64 cookie = bpf_get_socket_cookie(ops);

	/* One that was decided for another peer (socket_mark()) stays as it is: its packets are. */
	if (!known || (known->state != HG_SOCKET_NAMED && known->state != HG_SOCKET_RESOLVER))
		return;
	if (known->state == HG_SOCKET_RESOLVER)
		stream_begin(sk, ops->rcv_nxt);
	known->due = ops->snd_nxt;
	if (!bpf_sock_hash_update(ops, &guarded, &cookie, BPF_ANY))
		known->guarded = 1;
}

SEC("sockops")
int connection_stands(struct bpf_sock_ops *ops)
{
	struct bpf_sock *sk;

	if (ops->op != BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB)
		return 1;
	sk = ops->sk;
	if (sk)
		connection_guard(ops, sk);
	return 1;
}

/* ---- judging ---- */

/* As many bytes as an apply can wave through; the program is asked again behind them. */
#define ALL_BYTES 0xffffffffu

static long hello_turn(__u32 turn, struct hg_payload **p)
{
	return hg_hello_turn(&(*p)->hello);
}

/* The bytes gathered so far, to the hello. False: they cannot be had. */
static __noinline bool payload_load(struct sk_msg_md *msg, struct hg_payload *p)
{
	__u64 n = msg->size;

	if (n > HG_HELLO_MAX)
		n = HG_HELLO_MAX;
	if (!n || bpf_msg_pull_data(msg, 0, n, 0))
		return false;
	n = length_bounded(n, HG_HELLO_MAX);
	if (bpf_probe_read_kernel(p->hello.bytes, n, msg->data))
		return false;
	p->hello.len = n;
	return true;
}

/* Whom the connection is to, as the kernel has it now. */
HG_INLINE void payload_remote(struct sk_msg_md *msg, struct hg_endpoint *ret)
{
	__u16 port = bpf_ntohl(msg->remote_port);
	__u32 addr[4] = {};

	if (msg->family == AF_INET) {
		addr[0] = msg->remote_ip4;
		hg_endpoint_v4(ret, (__u8 *)addr, HG_TCP, port, false);
		return;
	}
	addr[0] = msg->remote_ip6[0];
	addr[1] = msg->remote_ip6[1];
	addr[2] = msg->remote_ip6[2];
	addr[3] = msg->remote_ip6[3];
	hg_endpoint_v6(ret, (__u8 *)addr, HG_TCP, port, false);
}

/* All of it, and what follows: nothing is looked at any more. */
HG_INLINE int payload_end(struct sk_msg_md *msg)
{
	bpf_msg_cork_bytes(msg, 0);
	bpf_msg_apply_bytes(msg, ALL_BYTES);
	return SK_PASS;
}

HG_INLINE enum hg_why hello_why(const struct hg_hello *h)
{
	switch (h->status) {
	case HG_HELLO_NO_NAME:
	case HG_HELLO_UNKNOWN:
		return HG_WHY_NAME_MISSING;
	case HG_HELLO_BAD_NAME:
		return HG_WHY_NAME_MISMATCH;
	}
	return HG_WHY_MALFORMED;
}

/* Reads what was loaded, and says whose name it is. enum hg_why; HG_WHY_RULE: the peer's. */
__weak __noinline int payload_judge(struct hg_payload *p, struct hg_scratch *s)
{
	if (!p || !s)
		return HG_WHY_BROKEN_POLICY;
	hg_hello_begin(&p->hello);
	bpf_loop(HG_HELLO_TURNS, hello_turn, &p, 0);
	if (p->hello.status != HG_HELLO_NAME)
		return hello_why(&p->hello);
	s->host = (__u64)&p->hello.name;
	switch (host_is_remotes(s, &p->hello.name)) {
	case HOSTS_ALLOW:
		return HG_WHY_RULE;
	case HOSTS_DENY:
		return HG_WHY_NAME_MISMATCH;
	}
	return HG_WHY_BROKEN_POLICY;
}

/* Sends n bytes on, or all: then nothing more is looked at. What cannot be kept is dropped. That the peer
 * is allowed was decided under the policy of then, and each packet asks whether it is that of now. */
static __noinline int payload_judged(struct sk_msg_md *msg, struct hg_socket *known,
				     const struct hg_endpoint *remote, __u32 n)
{
	__u32 st = n == ALL_BYTES ? HG_SOCKET_JUDGED : HG_SOCKET_SAID;

	if (!socket_go_on(known, remote, st) && !socket_go_on(known, remote, st))
		return SK_DROP;
	if (n == ALL_BYTES)
		return payload_end(msg);
	return payload_let(msg, known, n);
}

static __noinline int payload_decide(struct sk_msg_md *msg, struct hg_payload *p,
				     struct hg_scratch *s, struct hg_socket *known)
{
	int why = HG_WHY_TOO_BUSY;

	if (payload_load(msg, p)) {
		why = payload_judge(p, s);
		if (p->hello.status == HG_HELLO_NEED && p->hello.need > msg->size) {
			bpf_msg_cork_bytes(msg, p->hello.need);
			return SK_PASS;
		}
	}
	if (why != HG_WHY_RULE && packet_refuse(s, HG_WHAT_HELLO, why, HG_CONNECT) == PACKET_DROP)
		return SK_DROP;
	if (p->hello.status == HG_HELLO_NAME) {
		bool anew = hosts_in_policy(s->slot) & HG_HOSTS_BUDGET;

		if (!socket_said(known, &p->hello.name, anew) &&
		    !socket_said(known, &p->hello.name, anew))
			return SK_DROP;
	}
	/* The server may ask for one more ClientHello. */
	if (p->hello.kind == HG_HELLO_TLS &&
	    socket_state(known, &s->remote, 0) != HG_SOCKET_SAID) {
		known->early = p->hello.early;
		return payload_judged(msg, known, &s->remote, p->hello.at);
	}
	return payload_judged(msg, known, &s->remote, ALL_BYTES);
}

static __noinline int payload_read(struct sk_msg_md *msg, struct hg_socket *known,
				   struct hg_endpoint *remote, const struct hg_who *who)
{
	__u64 policy = *(volatile __u64 *)&who->agent->policy;
	struct hg_scratch *s = packet_scratch(who->n, policy, known);
	struct hg_payload *p = payload_claim();
	int ret = SK_DROP;

	if (s)
		s->remote = *remote;
	if (s && p)
		ret = payload_decide(msg, p, s, known);
	else if (packet_busy(who->n, policy, HG_WHAT_HELLO) == PACKET_PASS)
		ret = SK_PASS;
	if (s)
		scratch_release(s);
	if (p)
		payload_release(p);
	return ret;
}

/* A record behind the ClientHello that was judged: is it another one? */
static __noinline int payload_again(struct sk_msg_md *msg, struct hg_socket *known,
				    struct hg_endpoint *remote, const struct hg_who *who)
{
	__u8 head[8] = {};
	__u32 len;

	if (msg->size < HG_HELLO_NEXT_HEAD) {
		bpf_msg_cork_bytes(msg, HG_HELLO_NEXT_HEAD);
		return SK_PASS;
	}
	if (bpf_msg_pull_data(msg, 0, HG_HELLO_NEXT_HEAD, 0) ||
	    bpf_probe_read_kernel(head, HG_HELLO_NEXT_HEAD, msg->data))
		return SK_DROP;
	switch (hg_hello_next(head, known->early, &len)) {
	case HG_HELLO_NEXT_SKIP:
		return payload_let(msg, known, len);
	case HG_HELLO_NEXT_DONE:
		return payload_judged(msg, known, remote, ALL_BYTES);
	default:
		return payload_read(msg, known, remote, who);
	}
}

/*
 * Is the next byte to be sent the one behind what was let through? Before Linux 6.5, splice(2) and sendfile(2)
 * ask no hook; one that began while the connection was being made writes past this program, and what
 * it wrote would leave in front of an allowed name.
 */
HG_INLINE bool payload_follows(struct bpf_sock *sk, const struct hg_socket *known)
{
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);

	return tcp && tcp->write_seq == known->due;
}

static __noinline int payload_strays(struct hg_socket *known, const struct hg_endpoint *remote,
				     const struct hg_who *who)
{
	__u64 policy = *(volatile __u64 *)&who->agent->policy;
	struct hg_scratch *s = packet_scratch(who->n, policy, known);
	int pass;

	if (!s)
		return packet_busy(who->n, policy, HG_WHAT_CONNECT);
	s->remote = *remote;
	pass = packet_refuse(s, HG_WHAT_CONNECT, HG_WHY_NAME_UNSEEN, HG_CONNECT);
	scratch_release(s);
	return pass;
}

SEC("sk_msg")
int payload_out(struct sk_msg_md *msg)
{
	struct hg_endpoint remote = {};
	struct hg_socket *known;
	struct bpf_sock *sk = msg->sk;
	struct hg_who who;
	__u32 st;

	if (!sk)
		return SK_DROP;
	known = bpf_sk_storage_get(&sockets, sk, 0, 0);
	/* Nothing is put in without. */
	if (!known)
		return SK_DROP;
	/* Nobody's, since the agent was detached. */
	if (!agent_get(known->agent, &who) || who.agent->uid != known->agent_uid)
		return payload_end(msg);
	payload_remote(msg, &remote);
	st = socket_state(known, &remote, 0);
	if (st == HG_SOCKET_OPEN || st == HG_SOCKET_JUDGED)
		return payload_end(msg);
	if (!payload_follows(sk, known) && payload_strays(known, &remote, &who) != PACKET_PASS)
		return SK_DROP;
	switch (st) {
	case HG_SOCKET_SAID:
		return payload_again(msg, known, &remote, &who);
	case HG_SOCKET_RESOLVER:
		return question_stream(msg, known, &remote, &who);
	}
	return payload_read(msg, known, &remote, &who);
}
