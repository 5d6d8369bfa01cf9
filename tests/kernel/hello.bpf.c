/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel half: bpf/core/hello.h in one bpf_loop with nothing but a pointer in its context. */
#include "../../bpf/compat.h"
#include "hello.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, HELLO_CASES);
	__type(key, __u32);
	__type(value, struct hello_case);
} cases SEC(".maps");

struct hello_loop {
	struct hello_case *c;
};

static long hello_turn(__u32 turn, struct hello_loop *loop)
{
	struct hello_case *c = loop->c;

	c->turns++;
	if (hg_hello_turn(&c->h))
		return 1;
	return 0;
}

/* Reads the case that is asked for; more bytes behind HG_HELLO_NEED may be a second run of it. */
HG_INLINE int hello_read(__u32 nth)
{
	struct hello_loop loop = {.c = bpf_map_lookup_elem(&cases, &nth)};

	if (!loop.c)
		return 1;
	hg_hello_begin(&loop.c->h);
	loop.c->turns = 0;
	bpf_loop(HG_HELLO_TURNS, hello_turn, &loop, 0);
	return 0;
}

SEC("syscall")
int hello(struct hello_run *run)
{
	return hello_read(run->nth);
}

/* Where it is used; here it has only to be loaded. */
SEC("sk_msg")
int hello_sent(struct sk_msg_md *msg)
{
	return hello_read(0) ? SK_DROP : SK_PASS;
}
