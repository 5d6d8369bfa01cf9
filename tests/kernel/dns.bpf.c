/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel half of the DNS comparison: the reader as cgroup_skb programs drive it, by one
 * bpf_loop() with only a pointer in its context, over a message in a map.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "dns.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct dns_case);
} message SEC(".maps");

struct dns_loop {
	struct dns_case *c;
};

static long dns_loop_turn(__u32 nth, struct dns_loop *loop)
{
	struct dns_case *c = loop->c;
	enum hg_dns_turn turn = hg_dns_turn(&c->dns);
	__u64 to = c->n_found;

	c->n_turns++;
	if (turn == HG_DNS_ADDRESS) {
		asm("" : "+r"(to));
		to &= ADDRESSES - 1;
		__builtin_memcpy(c->found[to].address, c->dns.address, 16);
		c->found[to].ttl = c->dns.ttl;
		c->n_found++;
	}
	return turn == HG_DNS_DONE;
}

static int read_whole(void)
{
	__u32 zero = 0;
	struct dns_loop loop = {.c = bpf_map_lookup_elem(&message, &zero)};

	if (!loop.c)
		return 1;
	hg_dns_begin(&loop.c->dns, loop.c->kind);
	bpf_loop(HG_DNS_TURNS, dns_loop_turn, &loop, 0);
	return 0;
}

SEC("syscall")
int read_message(void *ctx)
{
	return read_whole();
}

/* Loaded only: the kind of program that the reader is for takes it, too. */
SEC("cgroup_skb/egress")
int read_packet(struct __sk_buff *skb)
{
	return !read_whole();
}
