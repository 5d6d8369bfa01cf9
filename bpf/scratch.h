/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Working memory for one decision. LSM programs are preemptible, so a CPU's buffer can be wanted by
 * a second task while the first is in the middle: each CPU has several and a decision claims
 * one. None free is a denial (HG_WHY_TOO_BUSY).
 */
#ifndef HG_SCRATCH_H
#define HG_SCRATCH_H

#include "compat.h"
#include "core/abi.h"

#define HG_SCRATCHES	8
#define HG_DATA_SIZE	16384
#define HG_DATA_SLACK	512
#define HG_DIRS		(2 * HG_DEPTH_MAX)	/* more than enough: a power of two */
#define HG_STEPPED	0x8000	/* hg_scratch.name_from: the component is done */

/* One name that a move touches, and what the policy says of it. */
struct hg_end {
	struct hg_at parent, at;
	__u32 anonymous;
	struct hg_out out;
	struct hg_dir dir;
	__u32 lacks;			/* rights that another name of the file lacks */
	__u32 spelled;			/* as in struct hg_scratch */
};

/* A packet of an agent's socket. */
struct hg_packet {
	struct hg_endpoint remote, local;
	__u32 at, len;			/* what it carries: offset and bytes */
	__u8 proto, begins;		/* begins: a connection (SYN without ACK) */
	__u8 here;			/* to this machine, */
	__u8 found;			/* where a socket is that takes it */
	__u8 stands, quiet;		/* as in struct hg_socket */
	__u32 peer;			/* the agent whose the other end is, its number + 1; or 0 */
	__u64 peer_uid;			/* as hg_socket.peer */
	__u32 seq;			/* of TCP, of what it carries */
};

struct hg_scratch {
	__u32 busy;
	__u32 slot;			/* of the policy being asked */
	__u64 agent_uid;
	/* A walk: what for, */
	__u64 dentry, anchor, inode;
	__u32 place;
	/* the superblock's parts, where there are several (anchor 0: none), */
	__u32 places[HG_PARTS_MAX];
	__u64 anchors[HG_PARTS_MAX];
	/* the dentries from the object (first) up to just below the anchor, the next one while they
	 * are read, the turn of the walk down, the component at hand, */
	__u32 n_chain, turn;
	__u64 chain[HG_DEPTH_MAX], up;
	__u16 dirs[HG_DIRS];		/* of a walk: the anchor's state, then of each component's */
	__u8 name[512 + HG_WINDOW];
	__u32 name_from, name_left, lexer;
	/* or a name that is no path's, where it is read from, */
	__u32 label_len;
	__u64 label;
	__u8 tail[4];			/* and what follows it, tail_len bytes */
	__u32 tail_len;
	/* and its result: the object's directory, the object, its verdicts; or why not. */
	struct hg_at parent, at;
	struct hg_out out;
	__u32 linked;			/* rights that another name of the file lacks */
	__u32 spelled;			/* 1: its name says nothing (chain_spelled()) */
	__u32 why;			/* enum hg_why */
	__u32 seq;			/* of rename_lock, when the result was right */
	/* An address whose names are looked up: whose names, where it is, which rule on addresses a
	 * name must come behind (its number + 1, 0 for none). */
	__u32 agent, netns, over, by_len;
	__u32 budget;			/* budget_of() the rule that decides it */
	struct hg_endpoint remote;
	/* Of a packet or payload, for the event: struct hg_socket, struct hg_host, 0 for none. */
	__u32 detail;
	__u64 policy, known, host;
	struct hg_packet packet;
	struct hg_end from, to;		/* of a rename or link */
	/* A command line: where in user memory it goes on, up to which address; of what is in `data`
	 * from line_from on, line_len bytes are unread. */
	__u64 line_at, line_end;
	__u32 line_from, line_len, line_state;
	struct hg_line line;
	/* What of it the event is to carry: where it is (0: nothing; set by whoever means to report,
	 * and cleared when that is done), its bytes with what follows, its arguments. */
	__u64 argv_at, argv_max;
	__u64 script;			/* address of its name, where an interpreter is run for one; or 0 */
	__u32 argc;
	/* The event being written: head, then data; data_len bytes of it are used. */
	__u64 object, target;		/* dentries, 0 for none */
	/* Set by who asks about a unix socket: an abstract name, another agent's; 0 for none. */
	__u64 abstract, peer;
	__u32 abstract_len, peer_len;
	__u32 data_len, part_len, part_max, cut;
	struct hg_event event;
	__u8 data[HG_DATA_SIZE + HG_DATA_SLACK];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, HG_SCRATCHES);
	__type(key, __u32);
	__type(value, struct hg_scratch);
} scratches __weak SEC(".maps");

HG_INLINE struct hg_scratch *scratch_claim(void)
{
	__u32 i;

	for (i = 0; i < HG_SCRATCHES; i++) {
		__u32 key = i;
		struct hg_scratch *s = bpf_map_lookup_elem(&scratches, &key);

		if (s && __sync_val_compare_and_swap(&s->busy, 0, 1) == 0)
			return s;
	}
	return NULL;
}

HG_INLINE void scratch_release(struct hg_scratch *s)
{
	__sync_lock_test_and_set(&s->busy, 0);
}

#endif
