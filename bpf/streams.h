/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Answers over TCP: messages, each behind its length (RFC 1035 4.2.2), over any number of segments.
 *
 * Where a message begins is known only by counting from the connection's first byte. A segment that
 * is taken for the beginning of one may be the middle of another, whose bytes (TXT, say) somebody else
 * chose, and whose segments the agent did, by its windows. So every byte is followed; where one is
 * missing, the connection teaches nothing any more.
 */
#ifndef HG_STREAMS_H
#define HG_STREAMS_H

#include "questions.h"

#define STREAM_TURNS	512	/* a segment has at most 64 KiB */
#define STREAM_MESSAGES	8	/* in one segment */

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct hg_stream);
} streams __weak SEC(".maps");

/* A connection to a resolver stands; `next` is the sequence number that it begins with. */
HG_INLINE void stream_begin(struct bpf_sock *sk, __u32 next)
{
	struct hg_stream *st = bpf_sk_storage_get(&streams, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);

	if (!st)
		return;
	st->next = next;
	st->have = 0;
	st->whole = 0;
	st->follows = !*(volatile __u32 *)&st->busy;
}

struct stream_loop {
	struct __sk_buff *skb;
	struct hg_stream *st;
	__u32 at, left;		/* of the segment, what is not read yet */
};

/* With its length's bytes, as far as they are known. */
HG_INLINE __u32 stream_want(const struct hg_stream *st, __u32 have)
{
	if (have < STREAM_HEAD)
		return STREAM_HEAD;
	return STREAM_HEAD + ((__u32)st->bytes[0] << 8 | st->bytes[1]);
}

/* n bytes of the message at hand, of which `have` are there. */
HG_INLINE bool stream_load(struct stream_loop *l, __u64 have, __u64 n)
{
	asm("" : "+r"(have));
	have &= 0x1fff;
	if (have >= STREAM_HEAD + HG_DNS_MAX)
		return false;
	n = length_bounded(n, STREAM_PIECE);
	return !bpf_skb_load_bytes(l->skb, l->at, l->st->bytes + have, n);
}

static long stream_turn(__u32 turn, struct stream_loop *l)
{
	struct hg_stream *st = l->st;
	__u32 have = st->have, want = stream_want(st, have), n = want - have;

	if (!l->left)
		return 1;
	if (n > l->left)
		n = l->left;
	/* What is longer than any message that is read is passed over. */
	if (n && want <= STREAM_HEAD + HG_DNS_MAX) {
		if (n > STREAM_PIECE)
			n = STREAM_PIECE;
		if (!stream_load(l, have, n)) {
			st->follows = 0;
			return 1;
		}
	}
	l->at += n;
	l->left -= n;
	st->have = have + n;
	if (st->have < STREAM_HEAD || st->have < stream_want(st, st->have))
		return 0;
	st->whole = 1;
	return 1;
}

/* The segment's bytes follow on what was there. What was there already is passed over. */
HG_INLINE bool stream_follows(struct hg_stream *st, const struct hg_packet *p)
{
	__s32 ahead = (__s32)(p->seq - st->next);

	if (!st->follows || !p->len)
		return false;
	if (ahead == 0)
		return true;
	if (ahead > 0 || ahead + (__s32)p->len > 0)
		st->follows = 0;
	return false;
}

/* A segment of a resolver's, s->packet, while no other one is read. */
HG_INLINE void stream_read(struct __sk_buff *skb, struct hg_stream *st, struct hg_scratch *s,
			   struct hg_socket *known)
{
	struct stream_loop l = { .skb = skb, .st = st, .at = s->packet.at, .left = s->packet.len };
	__u32 i;

	if (!stream_follows(st, &s->packet))
		return;
	st->next += l.left;
	for (i = 0; i < STREAM_MESSAGES; i++) {
		bpf_loop(STREAM_TURNS, stream_turn, &l, 0);
		if (!st->whole)
			break;
		answer_in(skb, s, known, st);
		st->have = 0;
		st->whole = 0;
	}
	if (l.left)
		st->follows = 0;
}

HG_INLINE int stream_in(struct __sk_buff *skb, struct bpf_sock *sk, struct hg_scratch *s,
			struct hg_socket *known)
{
	struct hg_stream *st = bpf_sk_storage_get(&streams, sk, 0, 0);

	if (!st)
		return 0;
	if (__sync_val_compare_and_swap(&st->busy, 0, 1)) {
		st->follows = 0;
		return 0;
	}
	stream_read(skb, st, s, known);
	__sync_lock_test_and_set(&st->busy, 0);
	return 0;
}

#endif
