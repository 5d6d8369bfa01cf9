/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A host name (RFC 1035 2.3.1, and `_`, RFC 2782) as DNS, TLS and HTTP carry it, on its way to the
 * automaton (HG_LABEL_HOST in endpoint.h).
 *
 * Case is folded and one final dot is dropped. Bytes that no host name has make it bad, so that no
 * two spellings that a server takes for one name, or one spelling that two servers take for
 * different names, get past a rule: a dot inside a DNS label, a NUL, a name that is not in ASCII
 * (IDNs travel as xn--).
 *
 * Names are read from their end, since that is where they are alike: the buffer is filled from its
 * middle downwards, and what the automaton reads after the name is written upwards from there.
 */
#ifndef HG_HOST_H
#define HG_HOST_H

#include "endpoint.h"

#define HG_HOST_END 256u	/* where the name's first byte is preceded; a power of two */

struct hg_host {
	__u16 len;		/* bytes of the name */
	__u8 label;		/* bytes of the label at hand */
	__u8 bad;
	__u8 bytes[HG_HOST_END + 8]; /* the name backwards ends at HG_HOST_END */
};

HG_INLINE void hg_host_begin(struct hg_host *h)
{
	h->len = 0;
	h->label = 0;
	h->bad = 0;
}

HG_INLINE __u8 hg_host_fold(__u8 byte)
{
	return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
}

/* Whether a folded byte may stand in a label. */
HG_INLINE bool hg_host_byte(__u8 byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' ||
	       byte == '_';
}

HG_INLINE void hg_host_put(struct hg_host *h, __u8 byte)
{
	__u64 at = HG_HOST_END - 1 - h->len;

	if (h->len >= HG_HOST_MAX) {
		h->bad = 1;
		return;
	}
	asm("" : "+r"(at));
	at &= HG_HOST_END - 1;
	h->bytes[at] = byte;
	h->len++;
}

/* The name's next byte, in the order in which it is written; '.' separates labels. */
HG_INLINE void hg_host_add(struct hg_host *h, __u8 byte)
{
	byte = hg_host_fold(byte);
	if (byte == '.') {
		/* An empty label is the root's, and the root is no host. */
		if (!h->label)
			h->bad = 1;
		h->label = 0;
		return;
	}
	if (!hg_host_byte(byte) || h->label >= HG_HOST_LABEL_MAX)
		h->bad = 1;
	if (h->bad)
		return;
	if (!h->label && h->len)
		hg_host_put(h, '.');
	h->label++;
	hg_host_put(h, byte);
}

/* The whole name was added. False: it is none. */
HG_INLINE bool hg_host_end(const struct hg_host *h)
{
	return !h->bad && h->len;
}

/* Of a name that hg_host_end() agreed to; never 0. FNV-1a, to find a name again among few. */
HG_INLINE __u32 hg_host_hash(const struct hg_host *h)
{
	__u32 hash = 0x811c9dc5u, i;

	for (i = 0; i < HG_HOST_MAX; i++) {
		__u64 at = HG_HOST_END - 1 - i;

		if (i >= *(const volatile __u16 *)&h->len)
			break;
		asm("" : "+r"(at));
		at &= HG_HOST_END - 1;
		hash = (hash ^ h->bytes[at]) * 0x01000193u;
	}
	return hash | 1;
}

/* Only after hg_host_end() agreed. */
HG_INLINE bool hg_host_equal(const struct hg_host *a, const struct hg_host *b)
{
	__u32 i;

	if (a->len != b->len)
		return false;
	for (i = 0; i < HG_HOST_MAX; i++) {
		__u64 at = HG_HOST_END - 1 - i;

		if (i >= *(const volatile __u16 *)&a->len)
			break;
		asm("" : "+r"(at));
		at &= HG_HOST_END - 1;
		if (a->bytes[at] != b->bytes[at])
			return false;
	}
	return true;
}

#endif
