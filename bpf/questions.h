/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Questions to resolvers, and what is learned from their answers.
 *
 * A question leaves only if the policy allows its name. An answer counts only if this very socket asked
 * for it, and then each of its addresses is known by the name that was asked for, until its time is
 * up. Nothing else teaches: not what an agent says, not what it asks outside.
 */
#ifndef HG_QUESTIONS_H
#define HG_QUESTIONS_H

#include "packets.h"
#include "core/public.h"

#define HG_MESSAGES 4

/* A message being read. Egress and ingress run in softirqs too: each CPU has several. */
struct hg_message {
	__u32 busy;
	__u8 answer, anywhere;	/* ANSWER_*; the name may have addresses that are not public */
	struct hg_name name;
	struct hg_name_key key;
	struct hg_asked_key asked;
	struct hg_dns dns;
};

#define STREAM_HEAD	2	/* a message's length (RFC 1035 4.2.2) */
#define STREAM_PIECE	256	/* bytes, at a turn */

/* What comes by TCP from a resolver (streams.h). */
struct hg_stream {
	__u32 next;		/* sequence number of the byte that comes next */
	__u32 have;		/* bytes of the message at hand, its length's included */
	__u32 follows;		/* 1: none was missed */
	__u32 whole;		/* 1: the message at hand is */
	__u32 busy, zero;	/* busy: a segment is being read; they may come on several CPUs */
	__u8 bytes[STREAM_HEAD + HG_DNS_MAX + STREAM_PIECE];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, HG_ASKED_NAMES_MAX);
	__type(key, struct hg_asked_key);
	__type(value, __u64);
} asked __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, HG_MESSAGES);
	__type(key, __u32);
	__type(value, struct hg_message);
} messages __weak SEC(".maps");

HG_INLINE struct hg_message *message_claim(void)
{
	__u32 i;

	for (i = 0; i < HG_MESSAGES; i++) {
		__u32 key = i;
		struct hg_message *m = bpf_map_lookup_elem(&messages, &key);

		if (m && __sync_val_compare_and_swap(&m->busy, 0, 1) == 0)
			return m;
	}
	return NULL;
}

HG_INLINE void message_release(struct hg_message *m)
{
	__sync_lock_test_and_set(&m->busy, 0);
}

/* The datagram's message, ready for its first turn. False: longer than any that is read. */
HG_INLINE bool message_load(struct __sk_buff *skb, const struct hg_packet *p, struct hg_message *m,
			    enum hg_dns_kind kind)
{
	__u64 len = p->len;

	if (len < 1 || len > HG_DNS_MAX)
		return false;
	len = length_bounded(len, HG_DNS_MAX);
	if (bpf_skb_load_bytes(skb, p->at, m->dns.msg, len))
		return false;
	m->dns.len = len;
	hg_dns_begin(&m->dns, kind);
	return true;
}

struct message_loop {
	struct hg_message *m;
	struct hg_scratch *s;
	struct hg_socket *known;
};

/* ---- questions ---- */

static long question_turn(__u32 turn, struct message_loop *l)
{
	return hg_dns_turn(&l->m->dns) == HG_DNS_DONE;
}

HG_INLINE void question_remember(struct hg_socket *known, const struct hg_dns *d)
{
	__u64 at = known->next_asked;

	asm("" : "+r"(at));
	at &= HG_ASKED_MAX - 1;
	known->asked[at].id = d->id;
	known->asked[at].qtype = d->qtype;
	known->asked[at].name = hg_host_hash(&d->question);
	/* Never 0 again: who has asked is answered (packet_in()). */
	known->next_asked = (at + 1) | HG_ASKED_MAX;
}

/* Is the resolver's address allowed by itself, by a rule behind the one that refuses the name? Then
 * whatever is asked passes. rule: that one, or HG_RULE_NONE. */
HG_INLINE bool resolver_open(struct hg_scratch *s, __u16 rule)
{
	struct hg_rule open = {};
	struct hg_reader r;
	struct hg_out out;

	if (!host_over(s, &r, &out) || !(out.allow & HG_BIT(HG_CONNECT)) ||
	    (rule != HG_RULE_NONE && rule + 1 >= s->over) ||
	    !hg_rule_read(&r, out.rule[HG_CONNECT], &open))
		return false;
	s->budget = budget_of(&open, out.rule[HG_CONNECT]);
	return true;
}

/* Of the message that was loaded. enum hg_why; HG_WHY_RULE: see s->out. */
HG_INLINE int question_judge(struct hg_message *m, struct hg_scratch *s)
{
	struct message_loop l = { .m = m };

	bpf_loop(HG_DNS_TURNS, question_turn, &l, 0);
	if (m->dns.status != HG_DNS_OK)
		return HG_WHY_MALFORMED;
	return host_question(s, &m->dns.question);
}

/* The same as a map's element: 6.1 takes no other memory for a key. */
HG_INLINE struct hg_message *message_element(const struct hg_message *m)
{
	__u32 i;

	for (i = 0; i < HG_MESSAGES; i++) {
		__u32 key = i;
		struct hg_message *e = bpf_map_lookup_elem(&messages, &key);
		__u64 at = (__u64)e;

		/* The compiler is not to take one for the other. */
		asm("" : "+r"(at));
		if (e && at == (__u64)m)
			return e;
	}
	return NULL;
}

/* Of types that are asked for together, which one says nothing; of the rest each is a number to choose. */
HG_INLINE __u16 name_type(__u16 qtype)
{
	return qtype == HG_DNS_A || qtype == HG_DNS_AAAA || qtype == HG_DNS_HTTPS ||
			       qtype == HG_DNS_SVCB
		       ? 0
		       : qtype;
}

/* The name was asked for so in this period; or it is one more, and there is room for it. */
static __noinline bool name_take(const struct hg_message *message, const struct hg_scratch *s,
				 struct hg_budget *b)
{
	struct hg_message *m = message_element(message);
	/* The length of its first label, and the dots as those of the others. */
	__u64 len = message->dns.question.len + 1, begun, *then;

	if (!m)
		return false;
	budget_renew(b);
	__builtin_memset(&m->asked, 0, sizeof(m->asked));
	m->asked.agent = s->agent;
	m->asked.qtype = name_type(message->dns.qtype);
	asm("" : "+r"(len));
	len &= 255;
	if (bpf_probe_read_kernel(m->asked.wire, len, message->dns.msg + HG_DNS_HEADER))
		return false;
	then = bpf_map_lookup_elem(&asked, &m->asked);
	begun = *(volatile __u64 *)&b->begun;
	if (then && *then == begun)
		return true;
	return budget_take(b, 1) && !bpf_map_update_elem(&asked, &m->asked, &begun, BPF_ANY);
}

/* What an allowed question takes of its rule's budgets. enum hg_why. */
static __noinline int question_spend(struct hg_message *m, struct hg_scratch *s)
{
	__u32 n = s->out.rule[HG_RESOLVE] + 1;
	struct hg_rule rule = {};
	struct hg_budget *b;
	struct hg_reader r;

	if (!image_open(&r, s->slot) || !hg_rule_read(&r, n - 1, &rule))
		return HG_WHY_BROKEN_POLICY;
	if (rule.options & HG_OPT_NAMES) {
		b = budget_get(s->agent, s->policy, n + HG_BUDGET_NAMES);
		if (!b || !name_take(m, s, b))
			goto spent;
	}
	if (!(rule.options & HG_OPT_BUDGET))
		return HG_WHY_RULE;
	b = budget_get(s->agent, s->policy, n);
	if (b && budget_take(b, m->dns.len))
		return HG_WHY_RULE;
spent:
	/* Told once in a period: the rest is quietly refused. */
	s->budget = !b || budget_tell(b) ? n : 0;
	return HG_WHY_BUDGET;
}

/* A question that the policy allows. */
static __noinline int question_goes(struct hg_message *m, struct hg_scratch *s,
				    struct hg_socket *known)
{
	int why = HG_WHY_RULE, pass = PACKET_PASS;
	struct hg_who who;

	if (hosts_in_policy(s->slot) & HG_HOSTS_BUDGET)
		why = question_spend(m, s);
	if (why != HG_WHY_RULE && (why != HG_WHY_BUDGET || s->budget))
		pass = packet_refuse(s, HG_WHAT_DNS, why, HG_RESOLVE);
	else if (why != HG_WHY_RULE)
		pass = agent_get(s->agent, &who) && who.agent->mode == HG_AUDIT ? PACKET_PASS
										: PACKET_DROP;
	s->budget = 0;
	if (pass != PACKET_PASS)
		return PACKET_DROP;
	if (known)
		question_remember(known, &m->dns);
	if (why == HG_WHY_RULE && (s->out.log & HG_BIT(HG_RESOLVE)))
		packet_tell(s, HG_WHAT_DNS, why, HG_RESOLVE, true);
	return PACKET_PASS;
}

/* Whether the question may go; told where not. loaded: the message could be. */
__weak __noinline int question_decide(struct hg_message *m, struct hg_scratch *s,
				      struct hg_socket *known, __u32 loaded)
{
	int why;

	if (!m || !s)
		return PACKET_DROP;
	m->dns.qtype = loaded ? m->dns.qtype : 0;
	why = loaded ? question_judge(m, s) : HG_WHY_MALFORMED;
	s->detail = m->dns.qtype;
	if (loaded && hg_host_end(&m->dns.question))
		s->host = (__u64)&m->dns.question;
	if (why == HG_WHY_RULE && (s->out.allow & HG_BIT(HG_RESOLVE)))
		return question_goes(m, s, known);
	if (resolver_open(s, why == HG_WHY_RULE ? s->out.rule[HG_RESOLVE] : HG_RULE_NONE))
		return PACKET_PASS;
	return packet_refuse(s, HG_WHAT_DNS, why, HG_RESOLVE);
}

/* Of s->packet. */
static __noinline int question_out(struct __sk_buff *skb, struct hg_scratch *s,
				   struct hg_socket *known)
{
	struct hg_message *m = message_claim();
	int pass;

	if (!m)
		return packet_busy(s->agent, s->policy, HG_WHAT_DNS);
	s->remote = s->packet.remote;
	pass = question_decide(m, s, known, message_load(skb, &s->packet, m, HG_DNS_QUERY));
	message_release(m);
	return pass;
}

/* ---- questions over TCP ---- */

/* The next message behind its length, held back until it is whole. Its length with
 * that, or 0: held back; negative: it cannot be read. */
static __noinline int question_load(struct sk_msg_md *msg, struct hg_message *m)
{
	__u32 size = msg->size;
	__u8 head[2] = {};
	__u64 len;

	if (size < 2) {
		bpf_msg_cork_bytes(msg, 2);
		return 0;
	}
	if (bpf_msg_pull_data(msg, 0, 2, 0) || bpf_probe_read_kernel(head, 2, msg->data))
		return -1;
	len = (__u64)head[0] << 8 | head[1];
	if (!len || len > HG_DNS_MAX)
		return -1;
	if (size < 2 + len) {
		bpf_msg_cork_bytes(msg, 2 + len);
		return 0;
	}
	len = length_bounded(len, HG_DNS_MAX);
	if (bpf_msg_pull_data(msg, 0, 2 + len, 0) ||
	    bpf_probe_read_kernel(m->dns.msg, len, (void *)((__u64)msg->data + 2)))
		return -1;
	m->dns.len = len;
	hg_dns_begin(&m->dns, HG_DNS_QUERY);
	return 2 + len;
}

static __noinline int question_stream(struct sk_msg_md *msg, struct hg_socket *known,
				      struct hg_endpoint *remote, const struct hg_who *who)
{
	__u64 policy = *(volatile __u64 *)&who->agent->policy;
	struct hg_scratch *s = packet_scratch(who->n, policy, known);
	struct hg_message *m = message_claim();
	int pass = PACKET_PASS, n = 0;

	if (s && m) {
		s->remote = *remote;
		n = question_load(msg, m);
		if (n)
			pass = question_decide(m, s, known, n > 0);
	} else {
		pass = packet_busy(who->n, policy, HG_WHAT_DNS);
	}
	if (s)
		scratch_release(s);
	if (m)
		message_release(m);
	if (n > 0 && pass == PACKET_PASS)
		payload_let(msg, known, n);
	return pass == PACKET_PASS ? SK_PASS : SK_DROP;
}

/* ---- answers ---- */

enum { ANSWER_NEW, ANSWER_EXPECTED, ANSWER_STRANGE };

/* The way of an address that is for this name: its own, or a free one, or the one that goes first. */
HG_INLINE __u32 way_for(void *map, struct hg_message *m, __u64 now)
{
	__u64 first = ~0ull;
	__u32 way, best = 0;

	for (way = 0; way < HG_NAME_WAYS; way++) {
		struct hg_name *name;
		__u64 until;

		m->key.way = way;
		name = bpf_map_lookup_elem(map, &m->key);
		if (name && name->hash == m->name.hash && name->len == m->name.len)
			return way;
		until = name && name->until > now ? name->until : 0;
		if (until < first) {
			first = until;
			best = way;
		}
	}
	return best;
}

/* One address for the name that was asked for. Not global: to 6.1, memory that a global function is given
 * is neither key nor value. */
static __noinline int learn(struct hg_message *m, __u32 agent)
{
	__u64 now = bpf_ktime_get_boot_ns(), bit, *word;
	void *map = names_of(agent);

	if (!map || !m)
		return 0;
	__builtin_memcpy(m->key.address, m->dns.address, sizeof(m->key.address));
	word = learned_word(agent, m->key.address, &bit);
	if (!word)
		return 0;
	__sync_fetch_and_or(word, bit);
	m->name.until = now + (m->dns.ttl + (__u64)HG_NAME_GRACE) * 1000000000ull;
	m->key.way = way_for(map, m, now);
	bpf_map_update_elem(map, &m->key, &m->name, BPF_ANY);
	return 0;
}

/* Told with the address, which has no port; nothing is refused but to learn. */
HG_INLINE void answer_private(struct message_loop *l)
{
	hg_endpoint_v6(&l->s->remote, l->m->dns.address, 0, 0, false);
	l->s->host = (__u64)&l->m->dns.question;
	l->s->detail = l->m->dns.qtype;
	packet_refuse(l->s, HG_WHAT_DNS, HG_WHY_PRIVATE_ANSWER, HG_RESOLVE);
}

/* Did this socket ask it? Once. */
HG_INLINE bool answer_expected(struct hg_socket *known, const struct hg_dns *d)
{
	__u32 name = hg_host_hash(&d->question), i;

	for (i = 0; i < HG_ASKED_MAX; i++) {
		struct hg_asked *a = &known->asked[i];

		if (a->name != name || a->id != d->id || a->qtype != d->qtype)
			continue;
		a->name = 0;
		return true;
	}
	return false;
}

/* The question has been read: was it asked, and is it still allowed? */
__weak __noinline int answer_begin(struct hg_message *m, struct hg_scratch *s,
				   struct hg_socket *known)
{
	struct hg_rule rule = {};
	struct hg_reader r;
	__u64 len;

	if (!m || !s || !known)
		return ANSWER_STRANGE;
	if (!answer_expected(known, &m->dns) ||
	    host_question(s, &m->dns.question) != HG_WHY_RULE ||
	    !(s->out.allow & HG_BIT(HG_RESOLVE)) || !image_open(&r, s->slot) ||
	    !hg_rule_read(&r, s->out.rule[HG_RESOLVE], &rule))
		return ANSWER_STRANGE;
	m->anywhere = !!(rule.options & HG_OPT_PRIVATE);
	len = m->dns.question.len;
	m->name.len = len;
	m->name.hash = hg_host_hash(&m->dns.question);
	asm("" : "+r"(len));
	len &= 255;
	if (len > HG_HOST_MAX ||
	    bpf_probe_read_kernel(m->name.bytes, len,
				  (void *)((__u64)m->dns.question.bytes + HG_HOST_END - len)))
		return ANSWER_STRANGE;
	m->name.bytes[len] = 0;
	return ANSWER_EXPECTED;
}

static long answer_turn(__u32 turn, struct message_loop *l)
{
	enum hg_dns_turn at = hg_dns_turn(&l->m->dns);

	if (at == HG_DNS_MORE)
		return 0;
	if (at == HG_DNS_DONE)
		return 1;
	if (l->m->answer == ANSWER_NEW)
		l->m->answer = answer_begin(l->m, l->s, l->known);
	if (l->m->answer != ANSWER_EXPECTED)
		return 1;
	if (!l->m->anywhere && !hg_public(l->m->dns.address))
		answer_private(l);
	else
		learn(l->m, l->s->agent);
	return 0;
}

/* A whole message, ready for its first turn. */
HG_INLINE bool message_copy(const struct hg_stream *st, struct hg_message *m)
{
	__u64 len = st->have;

	if (len <= STREAM_HEAD || len > STREAM_HEAD + HG_DNS_MAX)
		return false;
	len = length_bounded(len - STREAM_HEAD, HG_DNS_MAX);
	if (bpf_probe_read_kernel(m->dns.msg, len, st->bytes + STREAM_HEAD))
		return false;
	m->dns.len = len;
	hg_dns_begin(&m->dns, HG_DNS_ANSWER);
	return true;
}

/* s->packet, or the message that is whole in `st`. What cannot be read, or finds no room, teaches nothing;
 * the agent gets it all the same. */
__weak __noinline int answer_in(struct __sk_buff *skb, struct hg_scratch *s, struct hg_socket *known,
				const struct hg_stream *st)
{
	struct message_loop l = { .known = known, .s = s };

	if (!s || !known)
		return 0;
	l.m = message_claim();
	if (!l.m)
		return 0;
	s->remote = s->packet.remote;
	l.m->answer = ANSWER_NEW;
	l.m->key.netns = known->netns;
	if (st ? message_copy(st, l.m)
	       : message_load(skb, &s->packet, l.m, HG_DNS_ANSWER))
		bpf_loop(HG_DNS_TURNS, answer_turn, &l, 0);
	message_release(l.m);
	return 0;
}

#endif
