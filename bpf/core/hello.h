/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The name that a connection's first payload asks for: TLS server_name (hello_tls.h) or HTTP Host
 * (hello_http.h).
 *
 * Who writes these bytes wants us to read an allowed name where the server reads another one. So
 * this is no lenient reader: what the RFCs do not allow, or what two readers might take in two
 * ways, is refused, and a name is given only when the whole ClientHello or HTTP head was seen,
 * since another name may stand in its last bytes.
 *
 * Only the first message is read. A second ClientHello after a HelloRetryRequest (RFC 8446 4.1.4),
 * whose name OpenSSL's server follows, is the caller's to find: hg_hello_next() says what a record
 * behind the first is. Not seen are the name of a session that TLS 1.2 resumes; a second request on an
 * HTTP connection; what is said inside TLS.
 *
 * One flat machine. Each step takes at least one byte, a few steps are a turn, and everything that
 * lasts from one step to the next is in struct hg_hello, which in the kernel is map memory: the
 * verifier then sees the same unknown values at each step and follows it once.
 *
 * After HG_HELLO_NEED the same struct can be taken further with more bytes behind those that are
 * there, or filled and begun anew; both end alike.
 */
#ifndef HG_HELLO_H
#define HG_HELLO_H

#include "host.h"

#define HG_HELLO_SLACK 256u /* for a caller that copies in blocks; not read here */
#define HG_HELLO_STEPS 8u   /* in a turn */
/* A step takes a byte; the last turn finds that there is none left. */
#define HG_HELLO_TURNS (HG_HELLO_MAX / HG_HELLO_STEPS + 1)

_Static_assert((HG_HELLO_MAX & (HG_HELLO_MAX - 1)) == 0, "an index is masked");

/* 0 is none of them: memory that was never filled names nobody. */
enum hg_hello_status {
	HG_HELLO_NAME = 1, /* name is what it asks for */
	HG_HELLO_NEED,	   /* well so far; need says how many bytes are wanted */
	HG_HELLO_NO_NAME,  /* well-formed, and names nobody */
	HG_HELLO_BAD_NAME, /* an address literal, not a host name, two names */
	HG_HELLO_UNKNOWN,  /* neither TLS nor HTTP/1 */
	HG_HELLO_MALFORMED,
	HG_HELLO_TOO_LONG, /* does not end within HG_HELLO_MAX */
};

enum hg_hello_kind { HG_HELLO_OTHER, HG_HELLO_TLS, HG_HELLO_HTTP };

struct hg_hello {
	__u8 bytes[HG_HELLO_MAX + HG_HELLO_SLACK]; /* the connection's, from its first one */
	__u32 len;				   /* how many; at most HG_HELLO_MAX */

	__u32 at;    /* the next byte to be read; in the end what lies behind the message */
	__u64 value; /* the last bytes read, as a number */
	__u32 count; /* bytes read of what is being read */
	__u8 state;  /* enum hg_tls_state or enum hg_http_state */
	__u8 named;  /* a server_name extension, a Host field was seen */
	__u8 label;  /* enum hg_hello_label: what the label at hand looks like */

	__u8 head;	 /* TLS: bytes read of a record's header */
	__u8 sized;	 /* the handshake message's length is known */
	__u32 record;	 /* bytes left of the record at hand */
	__u32 message;	 /* bytes left of the handshake message; of its header until sized */
	__u32 skip;	 /* bytes to pass over before the next field */
	__u32 want;	 /* bytes left of the next field */
	__u32 extension; /* the server_name extension's length */

	__u8 method;	     /* HTTP: enum hg_http_method */
	__u32 authority;     /* where the target's host is */
	__u32 authority_len; /* 0: the target has none */

	/* Results, once a turn said true. */
	__u8 status; /* enum hg_hello_status */
	__u8 kind;   /* enum hg_hello_kind; with HG_HELLO_NEED what it looks like */
	__u8 ech;    /* encrypted_client_hello was there: name is the outer one */
	__u8 early;  /* early_data was there: encrypted records may come before the server answers */
	__u32 need;  /* with HG_HELLO_NEED: bytes, from the first, that are certain to come */
	struct hg_host name; /* with HG_HELLO_NAME */
};

enum hg_hello_label {
	HG_HELLO_LABEL_NONE,
	HG_HELLO_LABEL_ZERO, /* "0" */
	HG_HELLO_LABEL_NUMBER,
	HG_HELLO_LABEL_HEX, /* "0x" and hex digits */
	HG_HELLO_LABEL_WORD,
};

HG_INLINE void hg_hello_begin(struct hg_hello *h)
{
	h->at = 0;
	h->value = 0;
	h->count = 0;
	h->state = 0;
	h->named = 0;
	h->label = HG_HELLO_LABEL_NONE;
	h->head = 0;
	h->sized = 0;
	h->record = 0;
	h->message = 0;
	h->skip = 0;
	h->want = 0;
	h->extension = 0;
	h->method = 0;
	h->authority = 0;
	h->authority_len = 0;
	h->status = HG_HELLO_NEED;
	h->kind = HG_HELLO_OTHER;
	h->ech = 0;
	h->early = 0;
	h->need = 1;
	hg_host_begin(&h->name);
}

/* The one indexed read. Callers ask only for what is before h->at or was compared with h->len. */
HG_INLINE __u8 hg_hello_byte(const struct hg_hello *h, __u32 at)
{
	__u64 i = at;

	asm("" : "+r"(i));
	i &= HG_HELLO_MAX - 1;
	return h->bytes[i];
}

HG_INLINE bool hg_hello_done(struct hg_hello *h, enum hg_hello_status status)
{
	h->status = status;
	return true;
}

/* It turned out to be something else. */
HG_INLINE bool hg_hello_unknown(struct hg_hello *h)
{
	h->kind = HG_HELLO_OTHER;
	return hg_hello_done(h, HG_HELLO_UNKNOWN);
}

HG_INLINE enum hg_hello_label hg_hello_label(__u8 label, __u8 byte)
{
	bool digit = byte >= '0' && byte <= '9';

	switch (label) {
	case HG_HELLO_LABEL_NONE:
		if (byte == '0')
			return HG_HELLO_LABEL_ZERO;
		return digit ? HG_HELLO_LABEL_NUMBER : HG_HELLO_LABEL_WORD;
	case HG_HELLO_LABEL_ZERO:
		if (byte == 'x')
			return HG_HELLO_LABEL_HEX;
		return digit ? HG_HELLO_LABEL_NUMBER : HG_HELLO_LABEL_WORD;
	case HG_HELLO_LABEL_NUMBER:
		return digit ? HG_HELLO_LABEL_NUMBER : HG_HELLO_LABEL_WORD;
	case HG_HELLO_LABEL_HEX:
		digit = digit || (byte >= 'a' && byte <= 'f');
		return digit ? HG_HELLO_LABEL_HEX : HG_HELLO_LABEL_WORD;
	}
	return HG_HELLO_LABEL_WORD;
}

HG_INLINE void hg_hello_name_add(struct hg_hello *h, __u8 byte)
{
	byte = hg_host_fold(byte);
	h->label = byte == '.' ? HG_HELLO_LABEL_NONE : hg_hello_label(h->label, byte);
	hg_host_add(&h->name, byte);
}

/*
 * Whether the name that was added is a host's. One with a dot at its end is not (RFC 6066 3), nor
 * one whose last label is a number, however written: inet_aton(3) makes an address of it.
 */
HG_INLINE bool hg_hello_name_end(const struct hg_hello *h)
{
	return h->label == HG_HELLO_LABEL_WORD && hg_host_end(&h->name);
}

#include "hello_tls.h"
#include "hello_http.h"

/* All bytes are read, and it is not over. */
HG_INLINE bool hg_hello_starve(struct hg_hello *h)
{
	__u32 need = h->len + 1;

	if (h->kind == HG_HELLO_TLS)
		need = hg_tls_need(h);
	if (need > HG_HELLO_MAX)
		return hg_hello_done(h, HG_HELLO_TOO_LONG);
	h->need = need;
	return hg_hello_done(h, HG_HELLO_NEED);
}

/* The first byte tells what it can be; false: nothing that is read here. */
HG_INLINE bool hg_hello_first(struct hg_hello *h)
{
	__u8 byte = hg_hello_byte(h, 0);

	if (byte >= HG_TLS_CONTENT_MIN && byte <= HG_TLS_CONTENT_MAX)
		hg_tls_begin(h);
	else if (byte >= 'A' && byte <= 'Z')
		hg_http_begin(h);
	return h->kind != HG_HELLO_OTHER;
}

/* At least one byte further. */
HG_INLINE bool hg_hello_step(struct hg_hello *h)
{
	if (h->at >= h->len)
		return hg_hello_starve(h);
	if (h->kind == HG_HELLO_OTHER && !hg_hello_first(h))
		return hg_hello_unknown(h);
	if (h->kind == HG_HELLO_TLS)
		return hg_tls_step(h);
	return hg_http_step(h);
}

/* A bounded piece of work; true: the results are there. At most HG_HELLO_TURNS for any bytes. */
HG_INLINE bool hg_hello_turn(struct hg_hello *h)
{
	__u32 i;

	if (h->status != HG_HELLO_NEED)
		return true;
	if (h->len > HG_HELLO_MAX)
		return hg_hello_done(h, HG_HELLO_TOO_LONG);
	for (i = 0; i < HG_HELLO_STEPS; i++) {
		/* Not unrolled, and nothing kept in registers from one step to the next, which the
		 * verifier would follow once for each value. */
		asm volatile("" : "+r"(i) : : "memory");
		if (hg_hello_step(h))
			return true;
	}
	return false;
}

/* A TLS client's next record, while the server may still ask for another ClientHello. */
enum hg_hello_next {
	HG_HELLO_NEXT_SKIP,  /* says nothing: one more record, then ask again */
	HG_HELLO_NEXT_HELLO, /* another ClientHello: to be read like the first */
	HG_HELLO_NEXT_DONE,  /* what only a client sends whose hello was taken */
	HG_HELLO_NEXT_BAD,
};
#define HG_HELLO_NEXT_HEAD 6 /* bytes it takes: a record's header and a byte, which every record has */

/*
 * early: the first hello offered early data, which the server then skips (RFC 8446 4.2.10). Alerts are
 * passed over, since some do not end a connection (6.1, user_canceled). A handshake message other than
 * ClientHello, or encrypted records, ends any server's waiting for a hello: with them, it fails.
 */
HG_INLINE enum hg_hello_next hg_hello_next(const __u8 head[HG_HELLO_NEXT_HEAD], bool early,
					   __u32 *ret_len)
{
	__u32 len = (__u32)head[3] << 8 | head[4];

	*ret_len = 5 + len;
	if (!len)
		return HG_HELLO_NEXT_BAD;
	switch (head[0]) {
	case 20: /* change_cipher_spec: for middleboxes (RFC 8446 D.4), or TLS 1.2 */
	case 21: /* alert */
		return HG_HELLO_NEXT_SKIP;
	case 22: /* handshake */
		return head[5] == 1 ? HG_HELLO_NEXT_HELLO : HG_HELLO_NEXT_DONE;
	case 23: /* application_data */
		return early ? HG_HELLO_NEXT_SKIP : HG_HELLO_NEXT_DONE;
	}
	return HG_HELLO_NEXT_BAD;
}

#endif
