/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * TLS in hello.h: one ClientHello (RFC 8446 4.1.2, RFC 5246 7.4.1.2) with its server_name (RFC 6066
 * 3), in records of the handshake's type (RFC 8446 5.1) that may be cut anywhere.
 *
 * Each length is compared with what is left of the message when it is read, so one counter stands
 * for all levels: extensions are what is left of the message, the name list is the whole extension,
 * the one name is the whole list.
 */
#ifndef HG_HELLO_TLS_H
#define HG_HELLO_TLS_H

/* RFC 8446 5.1: change_cipher_spec to application_data, and heartbeat (RFC 6520). */
#define HG_TLS_CONTENT_MIN  20
#define HG_TLS_CONTENT_MAX  24
#define HG_TLS_HANDSHAKE    22
#define HG_TLS_RECORD_MAX   16384u
#define HG_TLS_HEAD	    5u /* bytes of a record's header */
#define HG_TLS_MESSAGE_HEAD 4u
#define HG_TLS_CLIENT_HELLO 1
/* version, random, no session, one cipher suite, one compression method, no extensions */
#define HG_TLS_HELLO_MIN   (2u + 32 + 1 + 4 + 2)
#define HG_TLS_SESSION_MAX 32
#define HG_TLS_SERVER_NAME 0
#define HG_TLS_EARLY_DATA  42	  /* RFC 8446 4.2.10 */
#define HG_TLS_ECH	   0xfe0d /* encrypted_client_hello (draft-ietf-tls-esni) */
#define HG_TLS_NAME_HEAD   5u	  /* list's length, name's type, name's length */

/* The field that is read next. */
enum hg_tls_state {
	HG_TLS_TYPE,	    /* 1 */
	HG_TLS_LENGTH,	    /* 3 */
	HG_TLS_VERSION,	    /* 2 */
	HG_TLS_SESSION,	    /* 1 */
	HG_TLS_CIPHERS,	    /* 2 */
	HG_TLS_COMPRESSION, /* 1 */
	HG_TLS_EXTENSIONS,  /* 2 */
	HG_TLS_EXTENSION,   /* 4: type, length */
	HG_TLS_NAME_LIST,   /* HG_TLS_NAME_HEAD */
	HG_TLS_NAME,
	HG_TLS_END, /* 0, behind the last thing to be passed over */
};

HG_INLINE void hg_tls_begin(struct hg_hello *h)
{
	h->kind = HG_HELLO_TLS;
	h->state = HG_TLS_TYPE;
	h->want = 1;
	h->message = HG_TLS_MESSAGE_HEAD;
}

/* What is certain to come: the record at hand, and in at least one more what does not fit there. */
HG_INLINE __u32 hg_tls_need(const struct hg_hello *h)
{
	__u32 message = h->sized ? h->message : h->message + HG_TLS_HELLO_MIN;

	if (!h->record)
		return h->at + (HG_TLS_HEAD - h->head) + message;
	if (h->record >= message)
		return h->at + h->record;
	return h->at + HG_TLS_HEAD + message;
}

/* The next byte of a record's header. */
HG_INLINE bool hg_tls_head(struct hg_hello *h)
{
	__u8 byte = hg_hello_byte(h, h->at);

	h->at++;
	h->head++;
	switch (h->head) {
	case 1:
		/* That it is no handshake record is told from it not being TLS by the next byte. */
		break;
	case 2:
		if (byte != 3)
			return h->at == 2 ? hg_hello_unknown(h)
					  : hg_hello_done(h, HG_HELLO_MALFORMED);
		if (hg_hello_byte(h, h->at - 2) != HG_TLS_HANDSHAKE)
			return hg_hello_done(h, HG_HELLO_MALFORMED);
		break;
	case 3:
		/* RFC 8446 5.1: to be ignored. */
		break;
	case 4:
		h->count = byte;
		break;
	default:
		h->head = 0;
		h->record = h->count << 8 | byte;
		if (!h->record || h->record > HG_TLS_RECORD_MAX)
			return hg_hello_done(h, HG_HELLO_MALFORMED);
		/* No message may follow the ClientHello before the server's answer. */
		if (h->sized && h->record > h->message)
			return hg_hello_done(h, HG_HELLO_MALFORMED);
	}
	return false;
}

/* Next is a field of `want` bytes, behind `skip` that are passed over. */
HG_INLINE bool hg_tls_next(struct hg_hello *h, enum hg_tls_state state, __u32 skip, __u32 want)
{
	if (skip + want > h->message)
		return hg_hello_done(h, HG_HELLO_MALFORMED);
	h->state = state;
	h->skip = skip;
	h->want = want;
	h->value = 0;
	return false;
}

/* Next is, behind `skip`, `state` or the message's end. */
HG_INLINE bool hg_tls_next_or_end(struct hg_hello *h, enum hg_tls_state state, __u32 skip,
				  __u32 want)
{
	if (skip != h->message)
		return hg_tls_next(h, state, skip, want);
	h->state = HG_TLS_END;
	h->skip = skip;
	if (skip)
		return false;
	return hg_hello_done(h, h->named ? HG_HELLO_NAME : HG_HELLO_NO_NAME);
}

HG_INLINE bool hg_tls_length(struct hg_hello *h)
{
	if (h->value < HG_TLS_HELLO_MIN || h->record > h->value)
		return hg_hello_done(h, HG_HELLO_MALFORMED);
	h->message = (__u32)h->value;
	h->sized = 1;
	return hg_tls_next(h, HG_TLS_VERSION, 0, 2);
}

HG_INLINE bool hg_tls_extension(struct hg_hello *h)
{
	__u32 type = (__u32)(h->value >> 16) & 0xffff, len = (__u32)h->value & 0xffff;

	if (type == HG_TLS_ECH)
		h->ech = 1;
	if (type == HG_TLS_EARLY_DATA)
		h->early = 1;
	if (type != HG_TLS_SERVER_NAME)
		return hg_tls_next_or_end(h, HG_TLS_EXTENSION, len, 4);
	/* RFC 8446 4.2: one of each type; of two, servers might take either. */
	if (h->named || len <= HG_TLS_NAME_HEAD || len > h->message)
		return hg_hello_done(h, HG_HELLO_MALFORMED);
	h->named = 1;
	h->extension = len;
	return hg_tls_next(h, HG_TLS_NAME_LIST, 0, HG_TLS_NAME_HEAD);
}

HG_INLINE bool hg_tls_name_list(struct hg_hello *h)
{
	__u32 list = (__u32)(h->value >> 24) & 0xffff, len = (__u32)h->value & 0xffff;
	__u8 type = (h->value >> 16) & 0xff;

	if (list + 2 != h->extension || !len || len + HG_TLS_NAME_HEAD > h->extension)
		return hg_hello_done(h, HG_HELLO_MALFORMED);
	/* Another type of name, which does not exist, or a name behind the first. */
	if (type || len + HG_TLS_NAME_HEAD != h->extension)
		return hg_hello_done(h, HG_HELLO_BAD_NAME);
	return hg_tls_next(h, HG_TLS_NAME, 0, len);
}

/* A field is read. */
HG_INLINE bool hg_tls_field(struct hg_hello *h)
{
	__u32 value = (__u32)h->value;

	switch (h->state) {
	case HG_TLS_TYPE:
		if (value != HG_TLS_CLIENT_HELLO)
			break;
		return hg_tls_next(h, HG_TLS_LENGTH, 0, 3);
	case HG_TLS_LENGTH:
		return hg_tls_length(h);
	case HG_TLS_VERSION:
		if (value >> 8 != 3)
			break;
		return hg_tls_next(h, HG_TLS_SESSION, 32, 1);
	case HG_TLS_SESSION:
		if (value > HG_TLS_SESSION_MAX)
			break;
		return hg_tls_next(h, HG_TLS_CIPHERS, value, 2);
	case HG_TLS_CIPHERS:
		if (!value || value & 1)
			break;
		return hg_tls_next(h, HG_TLS_COMPRESSION, value, 1);
	case HG_TLS_COMPRESSION:
		if (!value)
			break;
		return hg_tls_next_or_end(h, HG_TLS_EXTENSIONS, value, 2);
	case HG_TLS_EXTENSIONS:
		if (value != h->message)
			break;
		return hg_tls_next_or_end(h, HG_TLS_EXTENSION, 0, 4);
	case HG_TLS_EXTENSION:
		return hg_tls_extension(h);
	case HG_TLS_NAME_LIST:
		return hg_tls_name_list(h);
	case HG_TLS_NAME:
		if (!hg_hello_name_end(h))
			return hg_hello_done(h, HG_HELLO_BAD_NAME);
		return hg_tls_next_or_end(h, HG_TLS_EXTENSION, 0, 4);
	}
	return hg_hello_done(h, HG_HELLO_MALFORMED);
}

/* Passes over as much as is there of what is to be passed over. */
HG_INLINE bool hg_tls_skip(struct hg_hello *h)
{
	__u32 n = h->len - h->at;

	if (n > h->record)
		n = h->record;
	if (n > h->skip)
		n = h->skip;
	h->at += n;
	h->record -= n;
	h->message -= n;
	h->skip -= n;
	if (h->state == HG_TLS_END)
		return hg_tls_next_or_end(h, HG_TLS_END, h->skip, 0);
	return false;
}

HG_INLINE bool hg_tls_step(struct hg_hello *h)
{
	__u8 byte;

	if (!h->record)
		return hg_tls_head(h);
	if (h->skip)
		return hg_tls_skip(h);
	byte = hg_hello_byte(h, h->at);
	h->at++;
	h->record--;
	h->message--;
	h->want--;
	h->value = h->value << 8 | byte;
	if (h->state == HG_TLS_NAME)
		hg_hello_name_add(h, byte);
	if (h->want)
		return false;
	return hg_tls_field(h);
}

#endif
