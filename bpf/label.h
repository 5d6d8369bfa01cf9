/* SPDX-License-Identifier: GPL-2.0-only */
/* What has a name instead of a path or an address: read from kernel memory, run through the policy. */
#ifndef HG_LABEL_H
#define HG_LABEL_H

#include "image.h"
#include "scratch.h"

/* The next window of the name at hand, and when it was the last, its verdicts. enum hg_why. */
__weak __noinline int label_window(struct hg_scratch *s)
{
	struct hg_reader r;
	__u64 from;
	__u32 out;
	bool done;

	if (!s || !image_open(&r, s->slot))
		return HG_WHY_BROKEN_POLICY;
	from = s->name_from;
	asm("" : "+r"(from));
	from &= 0x1ff;
	if (!hg_label(&r, &s->lexer, s->name + from, &s->name_left, &out, &done))
		return HG_WHY_BROKEN_POLICY;
	if (!done) {
		s->name_from += HG_WINDOW;
		s->name_left -= HG_WINDOW;
		return HG_WHY_RULE;
	}
	s->name_from = HG_STEPPED;
	return hg_out_read(&r, out, &s->out) ? HG_WHY_RULE : HG_WHY_BROKEN_POLICY;
}

/* What the policy says of the name at s->label and its tail, of `kind`, to s->out. enum hg_why. */
__weak __noinline int label_resolve(struct hg_scratch *s, __u32 kind)
{
	__u64 len, end;
	__u32 i;
	int why;

	if (!s || s->tail_len > 4 || s->label_len > HG_LABEL_MAX - 1 - s->tail_len)
		return HG_WHY_BROKEN_POLICY;
	len = s->label_len;
	asm("" : "+r"(len));
	len &= 0x1ff;
	s->name[0] = kind;
	if (bpf_probe_read_kernel(s->name + 1, len, (const void *)s->label))
		return HG_WHY_BROKEN_POLICY;
	end = 1 + len;
	asm("" : "+r"(end));
	end &= 0x1ff;
	__builtin_memcpy(s->name + end, s->tail, sizeof(s->tail));
	s->name_left = 1 + len + s->tail_len;
	s->name_from = 0;
	s->lexer = 0;
	for (i = 0; i <= HG_LABEL_MAX / HG_WINDOW; i++) {
		why = label_window(s);
		if (why != HG_WHY_RULE || s->name_from == HG_STEPPED)
			return why;
	}
	return HG_WHY_BROKEN_POLICY;
}

/* What the policy says of another agent, to s->out. enum hg_why. */
HG_INLINE enum hg_why agent_resolve(struct hg_scratch *s, struct hg_agent *other)
{
	int len;

	/* With its NUL; what user space wrote has one. */
	len = bpf_probe_read_kernel_str(s->name, HG_AGENT_NAME_MAX + 1, other->name);
	s->label = s->peer = (__u64)other->name;
	s->label_len = s->peer_len = len > 0 ? len - 1 : 0;
	s->tail_len = 0;
	return label_resolve(s, HG_LABEL_AGENT);
}

#endif
