/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The DNS reader: which name a query asks for, which addresses an answer gives it (RFC 1035 4).
 *
 * One flat machine, a turn at a time, with all of its state in struct hg_dns: the kernel drives it
 * by one bpf_loop() over map memory, whose values its verifier does not follow. A turn reads a
 * label or sixteen bytes of it, follows one pointer, or reads one group of fields.
 *
 * Queries are the agent's, and each bit of them might carry something out; so a query passes in one
 * form only, that of stub resolvers: one question and at most an OPT record, of whose options only
 * those pass that are between a client and its resolver. What is left to an agent, for names that
 * it may ask for: the type, the case of the letters (folded here, sent as written), CD, and towards
 * the resolver alone the id, RD, AD, DO, the size in the OPT, and a cookie.
 *
 * Answers are a trusted resolver's, their content the zone's owner's. An address is reported when
 * it is read, before it is known whether the rest of the message is well-formed: whoever wrote the
 * zone could have had it in a message that is.
 */
#ifndef HG_DNS_H
#define HG_DNS_H

#include "dns_message.h"

HG_INLINE enum hg_dns_turn hg_dns_header(struct hg_dns *d)
{
	bool query = d->kind == HG_DNS_QUERY;
	__u16 flags;

	if (d->len > HG_DNS_MAX)
		return hg_dns_stop(d, HG_DNS_TOO_LONG);
	if (d->len < HG_DNS_HEADER)
		return hg_dns_stop(d, HG_DNS_MALFORMED);
	d->id = hg_dns_u16(d, 0, 0);
	flags = hg_dns_u16(d, 0, 2);
	d->rcode = flags & HG_DNS_RCODE_BITS;
	d->truncated = !!(flags & HG_DNS_TC);
	if (!(flags & HG_DNS_QR) != query)
		return hg_dns_stop(d, HG_DNS_DIRECTION);
	if (flags & HG_DNS_OPCODE_BITS)
		return hg_dns_stop(d, HG_DNS_OPCODE);
	if (query && (flags & ~(HG_DNS_RD | HG_DNS_AD | HG_DNS_CD)))
		return hg_dns_stop(d, HG_DNS_FLAGS);
	if (hg_dns_u16(d, 0, 4) != 1)
		return hg_dns_stop(d, HG_DNS_QUESTIONS);
	/* Of an answer the answers, of a query the additional record. */
	d->records = hg_dns_u16(d, 0, query ? 10 : 6);
	if (query && (hg_dns_u16(d, 0, 6) || hg_dns_u16(d, 0, 8) || d->records > 1))
		return hg_dns_stop(d, HG_DNS_RECORDS);
	d->at = HG_DNS_HEADER;
	return hg_dns_read_name(d, HG_DNS_ASKED);
}

HG_INLINE enum hg_dns_turn hg_dns_question(struct hg_dns *d)
{
	__u16 class;

	if (!hg_dns_has(d, 4))
		return hg_dns_stop(d, HG_DNS_MALFORMED);
	d->qtype = hg_dns_u16(d, d->at, 0);
	class = hg_dns_u16(d, d->at, 2);
	d->at += 4;
	if (!d->question.len && !d->question.bad)
		return hg_dns_stop(d, HG_DNS_ROOT);
	if (!hg_host_end(&d->question))
		return hg_dns_stop(d, HG_DNS_NAME);
	if (class != 1)
		return hg_dns_stop(d, HG_DNS_CLASS);
	d->chain_at = HG_DNS_HEADER;
	if (d->kind == HG_DNS_QUERY)
		return hg_dns_go(d, HG_DNS_AT_OPT);
	/* An error's records are nobody's addresses; stub resolvers do not read them either. */
	if (d->rcode)
		return hg_dns_stop(d, HG_DNS_OK);
	return hg_dns_go(d, HG_DNS_AT_RECORD);
}

/* What follows a query's question: nothing, or OPT (RFC 6891 6.1.2), of the root's name. */
HG_INLINE enum hg_dns_turn hg_dns_opt(struct hg_dns *d)
{
	__u32 data;

	if (!d->records)
		return hg_dns_stop(d, d->at == d->len ? HG_DNS_OK : HG_DNS_TRAILING);
	if (!hg_dns_has(d, 1 + HG_DNS_FIELDS))
		return hg_dns_stop(d, HG_DNS_MALFORMED);
	if (hg_dns_byte(d, d->at, 0) || hg_dns_u16(d, d->at, 1) != HG_DNS_OPT)
		return hg_dns_stop(d, HG_DNS_RECORDS);
	/* Behind the size: the upper bits of an error, the version, DO, flags that nobody has. */
	if (hg_dns_u16(d, d->at, 5) || (hg_dns_u16(d, d->at, 7) & 0x7fff))
		return hg_dns_stop(d, HG_DNS_EDNS);
	data = hg_dns_u16(d, d->at, 9);
	d->at += 1 + HG_DNS_FIELDS;
	if (d->len - d->at < data)
		return hg_dns_stop(d, HG_DNS_MALFORMED);
	if (d->len - d->at > data)
		return hg_dns_stop(d, HG_DNS_TRAILING);
	return hg_dns_go(d, HG_DNS_AT_OPTION);
}

/*
 * Options from client to resolver, which resolvers do not send on to a zone's servers (a forwarder
 * may send them to the next resolver). Among those left out is the client's subnet (RFC 7871),
 * which does travel: with it any byte would.
 */
HG_INLINE enum hg_dns_turn hg_dns_option(struct hg_dns *d)
{
	__u32 code, size;
	bool fits;

	if (d->at == d->len)
		return hg_dns_stop(d, HG_DNS_OK);
	if (!hg_dns_has(d, 4))
		return hg_dns_stop(d, HG_DNS_MALFORMED);
	code = hg_dns_u16(d, d->at, 0);
	size = hg_dns_u16(d, d->at, 2);
	d->at += 4;
	if (!hg_dns_has(d, size))
		return hg_dns_stop(d, HG_DNS_MALFORMED);
	switch (code) {
	case 3:	 /* NSID, empty in a query (RFC 5001 2.1) */
	case 11: /* TCP keepalive, too (RFC 7828 3.2.1) */
		fits = !size;
		break;
	case 10: /* cookie: the client's 8 bytes, and the server's 8 to 32 (RFC 7873 4) */
		fits = size == 8 || (size >= 16 && size <= 40);
		break;
	case 12: /* padding (RFC 7830) */
		d->end = d->at + size;
		return hg_dns_go(d, HG_DNS_AT_PADDING);
	default:
		fits = false;
	}
	if (!fits)
		return hg_dns_stop(d, HG_DNS_OPTION);
	d->at += size;
	return HG_DNS_MORE;
}

HG_INLINE enum hg_dns_turn hg_dns_padding(struct hg_dns *d)
{
	__u32 i, any = 0;

	for (i = 0; i < HG_DNS_PIECE; i++) {
		if (*(volatile __u32 *)&d->at + i >= d->end)
			break;
		any |= hg_dns_byte(d, d->at, i);
	}
	if (any)
		return hg_dns_stop(d, HG_DNS_OPTION);
	if (d->end - d->at > HG_DNS_PIECE) {
		d->at += HG_DNS_PIECE;
		return HG_DNS_MORE;
	}
	d->at = d->end;
	return hg_dns_go(d, HG_DNS_AT_OPTION);
}

/* An address record's data, or a hint: width bytes. */
HG_INLINE enum hg_dns_turn hg_dns_address(struct hg_dns *d, __u32 width)
{
	__u32 i;

	if (width == 4) {
		for (i = 0; i < 10; i++)
			d->address[i] = 0;
		d->address[10] = d->address[11] = 0xff;
		for (i = 0; i < 4; i++)
			d->address[12 + i] = hg_dns_byte(d, d->at, i);
	} else {
		for (i = 0; i < 16; i++)
			d->address[i] = hg_dns_byte(d, d->at, i);
	}
	d->at += width;
	return HG_DNS_ADDRESS;
}

/* An answer's next record. Mostly its owner is a pointer to the very name that is expected. */
HG_INLINE enum hg_dns_turn hg_dns_record(struct hg_dns *d)
{
	if (!d->records)
		return hg_dns_stop(d, HG_DNS_OK);
	d->records--;
	if (hg_dns_has(d, 2) && hg_dns_u16(d, d->at, 0) == (0xc000 | d->chain_at)) {
		d->at += 2;
		d->same = 1;
		return hg_dns_go(d, HG_DNS_AT_FIELDS);
	}
	return hg_dns_read_name(d, HG_DNS_OWNER);
}

/* Two names of the same length, bytes from the end on. */
HG_INLINE enum hg_dns_turn hg_dns_compare(struct hg_dns *d)
{
	__u32 i;

	for (i = 0; i < HG_DNS_COMPARED; i++) {
		__u64 at = *(volatile __u16 *)&d->compared + i;

		if (at >= d->name.len)
			break;
		at = HG_HOST_END - d->name.len + at;
		asm("" : "+r"(at));
		at &= HG_HOST_END - 1;
		if (d->name.bytes[at] != d->chain.bytes[at])
			d->same = 0;
	}
	d->compared += HG_DNS_COMPARED;
	if (d->same && d->compared < d->name.len)
		return HG_DNS_MORE;
	return hg_dns_go(d, HG_DNS_AT_FIELDS);
}

HG_INLINE enum hg_dns_turn hg_dns_fields(struct hg_dns *d)
{
	__u32 type, class, ttl, size;

	if (!hg_dns_has(d, HG_DNS_FIELDS))
		return hg_dns_short(d);
	type = hg_dns_u16(d, d->at, 0);
	class = hg_dns_u16(d, d->at, 2);
	ttl = (__u32)hg_dns_u16(d, d->at, 4) << 16 | hg_dns_u16(d, d->at, 6);
	size = hg_dns_u16(d, d->at, 8);
	d->at += HG_DNS_FIELDS;
	if (!hg_dns_has(d, size))
		return hg_dns_short(d);
	d->end = d->at + size;
	d->state = HG_DNS_AT_RECORD;
	if (ttl >> 31) /* RFC 2181 8 */
		ttl = 0;
	if (ttl > d->chain_ttl)
		ttl = d->chain_ttl;
	if (!d->same || class != 1)
		goto skip;
	if (type == HG_DNS_CNAME) {
		d->chain_ttl = ttl;
		d->chain_at = d->at;
		return hg_dns_read_name(d, HG_DNS_ALIAS);
	}
	d->ttl = ttl;
	if (type == HG_DNS_A)
		return size == 4 ? hg_dns_address(d, 4) : hg_dns_stop(d, HG_DNS_MALFORMED);
	if (type == HG_DNS_AAAA)
		return size == 16 ? hg_dns_address(d, 16) : hg_dns_stop(d, HG_DNS_MALFORMED);
	if (type == d->qtype && (type == HG_DNS_SVCB || type == HG_DNS_HTTPS)) {
		if (size < 3)
			return hg_dns_stop(d, HG_DNS_MALFORMED);
		/* Priority 0 names another owner only, for whom the client asks anew. */
		if (hg_dns_u16(d, d->at, 0)) {
			d->at += 2;
			return hg_dns_read_name(d, HG_DNS_TARGET);
		}
	}
skip:
	d->at = d->end;
	return HG_DNS_MORE;
}

/* A service's parameters (RFC 9460 2.2), of which the address hints are read (7.3). */
HG_INLINE enum hg_dns_turn hg_dns_parameter(struct hg_dns *d)
{
	__u32 key, size;

	if (d->at == d->end)
		return hg_dns_go(d, HG_DNS_AT_RECORD);
	if (d->end - d->at < 4)
		return hg_dns_stop(d, HG_DNS_MALFORMED);
	key = hg_dns_u16(d, d->at, 0);
	size = hg_dns_u16(d, d->at, 2);
	d->at += 4;
	if (d->end - d->at < size)
		return hg_dns_stop(d, HG_DNS_MALFORMED);
	if (key != 4 && key != 6) {
		d->at += size;
		return HG_DNS_MORE;
	}
	d->width = key == 4 ? 4 : 16;
	if (!size || size & (d->width - 1u))
		return hg_dns_stop(d, HG_DNS_MALFORMED);
	d->hints_end = d->at + size;
	return hg_dns_go(d, HG_DNS_AT_HINT);
}

HG_INLINE enum hg_dns_turn hg_dns_hint(struct hg_dns *d)
{
	hg_dns_address(d, d->width);
	if (d->at >= d->hints_end)
		d->state = HG_DNS_AT_PARAMETER;
	return HG_DNS_ADDRESS;
}

HG_INLINE enum hg_dns_turn hg_dns_named(struct hg_dns *d)
{
	switch (d->reading) {
	case HG_DNS_ASKED:
		d->question = d->name;
		d->chain = d->name;
		return hg_dns_go(d, HG_DNS_AT_QUESTION);
	case HG_DNS_OWNER:
		d->same = hg_host_end(&d->name) && d->name.len == d->chain.len;
		d->compared = 0;
		return hg_dns_go(d, d->same ? HG_DNS_AT_COMPARE : HG_DNS_AT_FIELDS);
	case HG_DNS_ALIAS:
		if (d->at != d->end)
			return hg_dns_stop(d, HG_DNS_MALFORMED);
		/* No record that is read can be about what is no host. */
		if (!hg_host_end(&d->name))
			return hg_dns_stop(d, HG_DNS_OK);
		d->chain = d->name;
		return hg_dns_go(d, HG_DNS_AT_RECORD);
	default:
		if (d->at > d->end)
			return hg_dns_stop(d, HG_DNS_MALFORMED);
		return hg_dns_go(d, HG_DNS_AT_PARAMETER);
	}
}

/* Before the first turn, once for a message; msg and len are the caller's to fill, before or after.
 */
HG_INLINE void hg_dns_begin(struct hg_dns *d, enum hg_dns_kind kind)
{
	d->at = d->end = d->hints_end = d->resume = d->before = d->chain_at = 0;
	d->chain_ttl = 0x7fffffff;
	d->turns = d->records = d->wire = d->compared = 0;
	d->state = HG_DNS_AT_HEADER;
	d->kind = kind;
	d->reading = d->left = d->same = d->width = 0;
	hg_host_begin(&d->name);
	hg_host_begin(&d->chain);
	hg_host_begin(&d->question);
	d->id = d->qtype = 0;
	d->status = HG_DNS_MALFORMED;
	d->rcode = d->truncated = 0;
	__builtin_memset(d->address, 0, sizeof(d->address));
	d->ttl = 0;
}

/*
 * One turn. The last, which is the HG_DNS_TURNS-th at the latest, says HG_DNS_DONE, and so do all
 * after it.
 */
HG_INLINE enum hg_dns_turn hg_dns_turn(struct hg_dns *d)
{
	if (d->state == HG_DNS_AT_END)
		return HG_DNS_DONE;
	if (++d->turns >= HG_DNS_TURNS)
		return hg_dns_stop(d, HG_DNS_MALFORMED);
	switch (d->state) {
	case HG_DNS_AT_HEADER:
		return hg_dns_header(d);
	case HG_DNS_AT_NAME:
		return hg_dns_name(d);
	case HG_DNS_AT_QUESTION:
		return hg_dns_question(d);
	case HG_DNS_AT_OPT:
		return hg_dns_opt(d);
	case HG_DNS_AT_OPTION:
		return hg_dns_option(d);
	case HG_DNS_AT_PADDING:
		return hg_dns_padding(d);
	case HG_DNS_AT_RECORD:
		return hg_dns_record(d);
	case HG_DNS_AT_COMPARE:
		return hg_dns_compare(d);
	case HG_DNS_AT_FIELDS:
		return hg_dns_fields(d);
	case HG_DNS_AT_PARAMETER:
		return hg_dns_parameter(d);
	case HG_DNS_AT_HINT:
		return hg_dns_hint(d);
	default:
		return hg_dns_stop(d, HG_DNS_MALFORMED);
	}
}

#endif
