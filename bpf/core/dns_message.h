/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A DNS message being read (core/dns.h): what is known of it, its bytes, and the names in it. */
#ifndef HG_DNS_MESSAGE_H
#define HG_DNS_MESSAGE_H

#include "host.h"

/* No query needs as many: 128 for the longest name, 1,020 for the most options. An answer's 253
 * address records need two turns each; a message that makes the same names be read over and over
 * is cut short. */
#define HG_DNS_TURNS	2048
#define HG_DNS_PIECE	16u /* bytes of a label, of padding or of an address in one turn */
#define HG_DNS_COMPARED 32u /* bytes of two names compared in one turn */
#define HG_DNS_HEADER	12u
#define HG_DNS_FIELDS	10u  /* of a record, between its owner and its data */
#define HG_DNS_WIRE	255u /* RFC 1035 2.3.4: bytes of a name */

enum hg_dns_kind { HG_DNS_QUERY, HG_DNS_ANSWER };

enum hg_dns_turn { HG_DNS_MORE, HG_DNS_ADDRESS, HG_DNS_DONE };

enum hg_dns_status {
	HG_DNS_OK,
	HG_DNS_MALFORMED,  /* ends too early, bad label or pointer, wrong length, too many turns */
	HG_DNS_TOO_LONG,   /* longer than HG_DNS_MAX; nothing was read */
	HG_DNS_DIRECTION,  /* an answer where a query was expected, or the reverse */
	HG_DNS_OPCODE,	   /* not QUERY: an update, a notification */
	HG_DNS_FLAGS,	   /* a query with bits that only answers have, or nobody */
	HG_DNS_QUESTIONS,  /* none, or several */
	HG_DNS_RECORDS,	   /* a query with records other than one OPT */
	HG_DNS_COMPRESSED, /* a pointer in a query */
	HG_DNS_ROOT,	   /* the question is about the root */
	HG_DNS_NAME,	   /* the question's name is no host's */
	HG_DNS_CLASS,	   /* the question's class is not IN */
	HG_DNS_EDNS,	   /* a query's OPT of another version, or with flags other than DO */
	HG_DNS_OPTION,	   /* a query's OPT with an option that may travel further, or is misused */
	HG_DNS_TRAILING,   /* bytes behind a query */
	HG_N_DNS_STATUSES
};

/* What the next turn reads. */
enum hg_dns_state {
	HG_DNS_AT_HEADER,
	HG_DNS_AT_NAME,
	HG_DNS_AT_QUESTION,
	HG_DNS_AT_OPT,
	HG_DNS_AT_OPTION,
	HG_DNS_AT_PADDING,
	HG_DNS_AT_RECORD,
	HG_DNS_AT_COMPARE,
	HG_DNS_AT_FIELDS,
	HG_DNS_AT_PARAMETER,
	HG_DNS_AT_HINT,
	HG_DNS_AT_END,
};

/* Whose name is being read. */
enum hg_dns_reading { HG_DNS_ASKED, HG_DNS_OWNER, HG_DNS_ALIAS, HG_DNS_TARGET };

enum hg_dns_type {
	HG_DNS_A = 1,
	HG_DNS_CNAME = 5,
	HG_DNS_AAAA = 28,
	HG_DNS_OPT = 41,
	HG_DNS_SVCB = 64,
	HG_DNS_HTTPS = 65,
};

/* Header bits (RFC 1035 4.1.1, RFC 4035 3). */
enum hg_dns_bits {
	HG_DNS_QR = 0x8000,
	HG_DNS_OPCODE_BITS = 0x7800,
	HG_DNS_TC = 0x0200,
	HG_DNS_RD = 0x0100,
	HG_DNS_AD = 0x0020,
	HG_DNS_CD = 0x0010,
	HG_DNS_RCODE_BITS = 0x000f,
};

struct hg_dns {
	/* The caller's: a whole message, as behind the UDP header or TCP's two length bytes. Reads
	 * are checked where they begin; the last may be a piece long. */
	__u8 msg[HG_DNS_MAX + HG_DNS_PIECE];
	__u32 len;

	/* The walk, in bytes from the message's begin. */
	__u32 at;
	__u32 end;	 /* of the record's data */
	__u32 hints_end; /* of the address hints at hand */
	__u32 resume;	 /* behind the name's first pointer; 0: it had none */
	__u32 before;	 /* the next pointer leads before here */
	__u32 chain_at;	 /* where `chain` is written; 0 while the question is read */
	__u32 chain_ttl; /* the smallest of the aliases' */
	__u16 turns, records, wire, compared;
	__u8 state, kind, reading, left, same, width;
	struct hg_host name __attribute__((aligned(8)));  /* being read */
	struct hg_host chain __attribute__((aligned(8))); /* what the next record should be about */

	/* Results. id, rcode and truncated hold from the first turn on; question and qtype with the
	 * first address and at the end, whatever the status, as far as they were read. */
	__u16 id, qtype; /* host byte order */
	__u8 status;	 /* enum hg_dns_status, with HG_DNS_DONE */
	__u8 rcode, truncated;
	struct hg_host question __attribute__((aligned(8))); /* status OK: hg_host_end() holds */
	__u8 address[16]; /* with HG_DNS_ADDRESS: network order, IPv4 as ::ffff:a.b.c.d */
	__u32 ttl;	  /* and its seconds: the smallest on the way here */
};

/* Byte k of what begins at `at`, which the caller checked against len; k < HG_DNS_PIECE. */
HG_INLINE __u8 hg_dns_byte(const struct hg_dns *d, __u32 at, __u32 k)
{
	__u64 from = at;

	_Static_assert(!(HG_DNS_MAX & (HG_DNS_MAX - 1)), "a mask");
	asm("" : "+r"(from));
	from &= HG_DNS_MAX - 1;
	return d->msg[from + k];
}

HG_INLINE __u16 hg_dns_u16(const struct hg_dns *d, __u32 at, __u32 k)
{
	return (__u16)(hg_dns_byte(d, at, k) << 8 | hg_dns_byte(d, at, k + 1));
}

HG_INLINE enum hg_dns_turn hg_dns_stop(struct hg_dns *d, enum hg_dns_status status)
{
	d->status = status;
	d->state = HG_DNS_AT_END;
	return HG_DNS_DONE;
}

HG_INLINE enum hg_dns_turn hg_dns_go(struct hg_dns *d, enum hg_dns_state state)
{
	d->state = state;
	return HG_DNS_MORE;
}

/* The message ends where it should not: as announced (RFC 2181 9), when records are read. */
HG_INLINE enum hg_dns_turn hg_dns_short(struct hg_dns *d)
{
	return hg_dns_stop(d, d->truncated && d->chain_at ? HG_DNS_OK : HG_DNS_MALFORMED);
}

HG_INLINE bool hg_dns_has(const struct hg_dns *d, __u32 n)
{
	return d->at <= d->len && d->len - d->at >= n;
}

HG_INLINE enum hg_dns_turn hg_dns_read_name(struct hg_dns *d, enum hg_dns_reading reading)
{
	hg_host_begin(&d->name);
	d->reading = reading;
	d->left = 0;
	d->wire = 0;
	d->resume = 0;
	d->before = d->at;
	return hg_dns_go(d, HG_DNS_AT_NAME);
}

/*
 * A pointer leads before the names and pointers that led to it (RFC 1035 4.1.4: a prior
 * occurrence), so that each is followed once and none for ever.
 */
HG_INLINE enum hg_dns_turn hg_dns_hop(struct hg_dns *d, __u8 high)
{
	__u32 to;

	if (d->kind == HG_DNS_QUERY)
		return hg_dns_stop(d, HG_DNS_COMPRESSED);
	if (!hg_dns_has(d, 2))
		return hg_dns_short(d);
	to = (high & 0x3fu) << 8 | hg_dns_byte(d, d->at, 1);
	/* RFC 9460 2.2: a service's target is written out. */
	if (to >= d->before || to < HG_DNS_HEADER || d->reading == HG_DNS_TARGET)
		return hg_dns_stop(d, HG_DNS_MALFORMED);
	if (!d->resume)
		d->resume = d->at + 2;
	d->at = d->before = to;
	return HG_DNS_MORE;
}

/* Bytes of a label, of which `left` are left. A dot in a label is no separator. */
HG_INLINE enum hg_dns_turn hg_dns_piece(struct hg_dns *d)
{
	struct hg_host *h = &d->name;
	__u32 i;

	/* `left` anew from memory in each turn of the loop, as in hg_window(). */
	for (i = 0; i < HG_DNS_PIECE; i++) {
		__u8 byte;

		if (i >= *(volatile __u8 *)&d->left)
			break;
		byte = hg_dns_byte(d, d->at, i);
		if (byte == '.')
			h->bad = 1;
		else
			hg_host_add(h, byte);
	}
	if (d->left > HG_DNS_PIECE) {
		d->at += HG_DNS_PIECE;
		d->left -= HG_DNS_PIECE;
		return HG_DNS_MORE;
	}
	d->at += d->left;
	d->left = 0;
	hg_host_add(h, '.');
	return HG_DNS_MORE;
}

/* The name was read, and `at` is behind it: what comes next (dns.h). */
HG_INLINE enum hg_dns_turn hg_dns_named(struct hg_dns *d);

HG_INLINE enum hg_dns_turn hg_dns_name(struct hg_dns *d)
{
	__u8 byte;

	if (d->left)
		return hg_dns_piece(d);
	if (!hg_dns_has(d, 1))
		return hg_dns_short(d);
	byte = hg_dns_byte(d, d->at, 0);
	if ((byte & 0xc0) == 0xc0)
		return hg_dns_hop(d, byte);
	if (byte > HG_HOST_LABEL_MAX)
		return hg_dns_stop(d, HG_DNS_MALFORMED);
	d->wire += byte + 1u;
	if (d->wire > HG_DNS_WIRE)
		return hg_dns_stop(d, HG_DNS_MALFORMED);
	if (!hg_dns_has(d, byte + 1u))
		return hg_dns_short(d);
	d->at++;
	if (byte) {
		d->left = byte;
		return hg_dns_piece(d);
	}
	if (d->resume)
		d->at = d->resume;
	return hg_dns_named(d);
}

#endif
