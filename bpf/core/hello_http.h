/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * HTTP/1 in hello.h: one request's head (RFC 9112 2 to 5) with its Host (RFC 9110 7.2), a byte a
 * step. Lines end in CR LF, a head is ASCII without control characters but HTAB: line ends and
 * white space of one's own are where readers differ.
 *
 * RFC 9112 3.2.2: a server follows the target's authority and not Host where there is one, and some
 * do not; so they must be the same.
 */
#ifndef HG_HELLO_HTTP_H
#define HG_HELLO_HTTP_H

#define HG_HTTP_METHOD_MAX 20
#define HG_HTTP_PORT_MAX   5 /* digits */

/* Text as h->value has it. */
#define HG_HTTP_TEXT4(a, b, c, d)                                                                  \
	((__u64)(a) << 24 | (__u64)(b) << 16 | (__u64)(c) << 8 | (__u64)(d))
#define HG_HTTP_TEXT8(a, b, c, d, e, f, g, h)                                                      \
	(HG_HTTP_TEXT4(a, b, c, d) << 32 | HG_HTTP_TEXT4(e, f, g, h))
#define HG_HTTP_CONNECT HG_HTTP_TEXT8(0, 'C', 'O', 'N', 'N', 'E', 'C', 'T')
#define HG_HTTP_OPTIONS HG_HTTP_TEXT8(0, 'O', 'P', 'T', 'I', 'O', 'N', 'S')
#define HG_HTTP_GET	HG_HTTP_TEXT4(0, 'G', 'E', 'T')
#define HG_HTTP_PRI	HG_HTTP_TEXT4(0, 'P', 'R', 'I')
#define HG_HTTP_HOST	HG_HTTP_TEXT4('h', 'o', 's', 't')
#define HG_HTTP_HTTP	HG_HTTP_TEXT8('h', 't', 't', 'p', ':', '/', '/', 0)
#define HG_HTTP_HTTPS	HG_HTTP_TEXT8('h', 't', 't', 'p', 's', ':', '/', '/')
#define HG_HTTP_1_0	HG_HTTP_TEXT8('H', 'T', 'T', 'P', '/', '1', '.', '0')
#define HG_HTTP_1_1	HG_HTTP_TEXT8('H', 'T', 'T', 'P', '/', '1', '.', '1')

/* What of the method decides how its target is read. */
enum hg_http_method {
	HG_HTTP_M_OTHER,
	HG_HTTP_M_CONNECT,
	HG_HTTP_M_OPTIONS,
	HG_HTTP_M_GET,
};

/* What the next byte belongs to. */
enum hg_http_state {
	HG_HTTP_METHOD,
	HG_HTTP_TARGET, /* its first byte */
	HG_HTTP_STAR,	/* behind OPTIONS * */
	HG_HTTP_SCHEME,
	HG_HTTP_AUTHORITY, /* the target's host */
	HG_HTTP_PORT,	   /* the target's */
	HG_HTTP_PATH,
	HG_HTTP_OLD_LF, /* the LF of an HTTP/0.9 request */
	HG_HTTP_VERSION,
	HG_HTTP_VERSION_CR,
	HG_HTTP_LF,   /* of any other line */
	HG_HTTP_LINE, /* a field's first byte, or the head's end */
	HG_HTTP_END_LF,
	HG_HTTP_FIELD,	    /* a field's name */
	HG_HTTP_VALUE,	    /* of a field that names nobody */
	HG_HTTP_HOST_SPACE, /* before Host's value */
	HG_HTTP_HOST_NAME,
	HG_HTTP_HOST_PORT,
	HG_HTTP_HOST_TAIL, /* behind it */
};

HG_INLINE bool hg_http_next(struct hg_hello *h, enum hg_http_state state)
{
	h->state = state;
	h->count = 0;
	h->value = 0;
	return false;
}

HG_INLINE void hg_http_begin(struct hg_hello *h)
{
	h->kind = HG_HELLO_HTTP;
	hg_http_next(h, HG_HTTP_METHOD);
}

HG_INLINE bool hg_http_digit(__u8 byte)
{
	return byte >= '0' && byte <= '9';
}

/* tchar, RFC 9110 5.6.2: "!#$%&'*+-.^_`|~", digits and letters. */
HG_INLINE bool hg_http_token(__u8 byte)
{
	__u8 folded = byte | 0x20;

	if ((folded >= 'a' && folded <= 'z') || hg_http_digit(byte))
		return true;
	if (byte >= '#' && byte <= '\'')
		return true;
	return byte == '!' || byte == '*' || byte == '+' || byte == '-' || byte == '.' ||
	       (byte >= '^' && byte <= '`') || byte == '|' || byte == '~';
}

/* Whether the byte belongs to a port, of one to five digits, or stands behind one. */
HG_INLINE bool hg_http_port(const struct hg_hello *h, __u8 byte)
{
	return hg_http_digit(byte) ? h->count <= HG_HTTP_PORT_MAX : h->count > 1;
}

HG_INLINE bool hg_http_visible(__u8 byte)
{
	return byte > ' ' && byte <= '~';
}

HG_INLINE bool hg_http_space(__u8 byte)
{
	return byte == ' ' || byte == '\t';
}

/* Whether the h->count bytes of h->value are how `text`, eight bytes with zeros at its end, begins.
 */
HG_INLINE bool hg_http_begins(const struct hg_hello *h, __u64 text)
{
	__u32 n = h->count;

	return n && n <= 8 && h->value == text >> (8 * (8 - n));
}

HG_INLINE bool hg_http_method(struct hg_hello *h, __u8 byte)
{
	if (byte != ' ') {
		if (!hg_http_token(byte) || h->count > HG_HTTP_METHOD_MAX)
			return hg_hello_unknown(h);
		return false;
	}
	/* Of a longer one the value has only the end. */
	switch (h->count <= 8 ? h->value >> 8 : 0) {
	case HG_HTTP_CONNECT:
		h->method = HG_HTTP_M_CONNECT;
		break;
	case HG_HTTP_OPTIONS:
		h->method = HG_HTTP_M_OPTIONS;
		break;
	case HG_HTTP_GET:
		h->method = HG_HTTP_M_GET;
		break;
	case HG_HTTP_PRI:
		/* The preface of HTTP/2 (RFC 9113 3.4). */
		return hg_hello_unknown(h);
	}
	return hg_http_next(h, HG_HTTP_TARGET);
}

/* The target's first byte tells its form (RFC 9112 3.2). Other protocols greet like HTTP, too. */
HG_INLINE bool hg_http_target(struct hg_hello *h, __u8 byte)
{
	if (h->method == HG_HTTP_M_CONNECT) {
		h->authority = h->at - 1;
		h->state = HG_HTTP_AUTHORITY;
		if (hg_host_byte(hg_host_fold(byte)))
			return false;
		return hg_hello_done(h, HG_HELLO_BAD_NAME);
	}
	if (byte == '/')
		return hg_http_next(h, HG_HTTP_PATH);
	if (byte == '*' && h->method == HG_HTTP_M_OPTIONS)
		return hg_http_next(h, HG_HTTP_STAR);
	if (hg_host_fold(byte) != 'h')
		return byte == ' ' ? hg_hello_done(h, HG_HELLO_MALFORMED) : hg_hello_unknown(h);
	h->value = 'h';
	h->state = HG_HTTP_SCHEME;
	return false;
}

HG_INLINE bool hg_http_scheme(struct hg_hello *h, __u8 byte)
{
	/* Folded in h->value as well; of ":/" folding changes nothing. */
	h->value = (h->value & ~0xffull) | hg_host_fold(byte);
	if (!hg_http_begins(h, HG_HTTP_HTTP) && !hg_http_begins(h, HG_HTTP_HTTPS))
		return hg_hello_unknown(h);
	if (h->value != HG_HTTP_HTTP >> 8 && h->value != HG_HTTP_HTTPS)
		return false;
	h->authority = h->at;
	return hg_http_next(h, HG_HTTP_AUTHORITY);
}

/* Behind the target's authority, port or not. */
HG_INLINE bool hg_http_behind(struct hg_hello *h, __u8 byte)
{
	if (byte == ' ')
		return hg_http_next(h, HG_HTTP_VERSION);
	if (h->method != HG_HTTP_M_CONNECT && (byte == '/' || byte == '?'))
		return hg_http_next(h, HG_HTTP_PATH);
	/* Also the "@" of a user's name, which makes what was read no host. */
	return hg_hello_done(h, HG_HELLO_BAD_NAME);
}

/* h->count bytes were read, byte included. */
HG_INLINE bool hg_http_authority(struct hg_hello *h, __u8 byte)
{
	if (byte == '.' || hg_host_byte(hg_host_fold(byte)))
		return h->count > HG_HOST_MAX ? hg_hello_done(h, HG_HELLO_BAD_NAME) : false;
	h->authority_len = h->count - 1;
	if (!h->authority_len)
		return hg_hello_done(h, HG_HELLO_BAD_NAME);
	if (byte == ':')
		return hg_http_next(h, HG_HTTP_PORT);
	/* RFC 9110 9.3.6: CONNECT has a port. */
	if (h->method == HG_HTTP_M_CONNECT)
		return hg_hello_done(h, HG_HELLO_BAD_NAME);
	return hg_http_behind(h, byte);
}

HG_INLINE bool hg_http_path(struct hg_hello *h, __u8 byte)
{
	if (hg_http_visible(byte))
		return false;
	if (byte == ' ')
		return hg_http_next(h, HG_HTTP_VERSION);
	if (byte != '\r')
		return hg_hello_done(h, HG_HELLO_MALFORMED);
	/* RFC 1945 5: a simple request is GET and a target. */
	if (h->method != HG_HTTP_M_GET)
		return hg_hello_unknown(h);
	return hg_http_next(h, HG_HTTP_OLD_LF);
}

HG_INLINE bool hg_http_version(struct hg_hello *h)
{
	if (hg_http_begins(h, HG_HTTP_1_0) || hg_http_begins(h, HG_HTTP_1_1)) {
		if (h->count == 8)
			hg_http_next(h, HG_HTTP_VERSION_CR);
		return false;
	}
	/* "HTTP/" and another version, or something behind the target. */
	return h->count > 5 ? hg_hello_unknown(h) : hg_hello_done(h, HG_HELLO_MALFORMED);
}

/* A field's name begins, or the head ends. White space here would go on with the last line. */
HG_INLINE bool hg_http_line(struct hg_hello *h, __u8 byte)
{
	if (byte == '\r')
		return hg_http_next(h, HG_HTTP_END_LF);
	if (!hg_http_token(byte))
		return hg_hello_done(h, HG_HELLO_MALFORMED);
	h->value = hg_host_fold(byte);
	h->state = HG_HTTP_FIELD;
	return false;
}

HG_INLINE bool hg_http_field(struct hg_hello *h, __u8 byte)
{
	if (byte != ':') {
		h->value = (h->value & ~0xffull) | hg_host_fold(byte);
		return hg_http_token(byte) ? false : hg_hello_done(h, HG_HELLO_MALFORMED);
	}
	if (h->value >> 8 != HG_HTTP_HOST)
		return hg_http_next(h, HG_HTTP_VALUE);
	if (h->named)
		return hg_hello_done(h, HG_HELLO_BAD_NAME);
	h->named = 1;
	return hg_http_next(h, HG_HTTP_HOST_SPACE);
}

/* Behind Host's name, port or not. */
HG_INLINE bool hg_http_host_behind(struct hg_hello *h, __u8 byte)
{
	if (byte == '\r')
		return hg_http_next(h, HG_HTTP_LF);
	if (hg_http_space(byte))
		return hg_http_next(h, HG_HTTP_HOST_TAIL);
	return hg_hello_done(h, HG_HELLO_BAD_NAME);
}

/* h->count bytes were read, byte included. */
HG_INLINE bool hg_http_host_name(struct hg_hello *h, __u8 byte)
{
	bool inside = byte != ':' && byte != '\r' && !hg_http_space(byte);

	if (inside) {
		hg_hello_name_add(h, byte);
		if (h->name.bad)
			return hg_hello_done(h, HG_HELLO_BAD_NAME);
		if (!h->authority_len)
			return false;
		if (h->count <= h->authority_len &&
		    hg_host_fold(hg_hello_byte(h, h->authority + h->count - 1)) ==
			    hg_host_fold(byte))
			return false;
		return hg_hello_done(h, HG_HELLO_BAD_NAME);
	}
	if (!hg_hello_name_end(h))
		return hg_hello_done(h, HG_HELLO_BAD_NAME);
	if (h->authority_len && h->count - 1 != h->authority_len)
		return hg_hello_done(h, HG_HELLO_BAD_NAME);
	if (byte == ':')
		return hg_http_next(h, HG_HTTP_HOST_PORT);
	return hg_http_host_behind(h, byte);
}

/* `byte` must be `wanted`, and then `state` is next. */
HG_INLINE bool hg_http_exactly(struct hg_hello *h, __u8 byte, __u8 wanted, enum hg_http_state state)
{
	if (byte != wanted)
		return hg_hello_done(h, HG_HELLO_MALFORMED);
	return hg_http_next(h, state);
}

HG_INLINE bool hg_http_value(struct hg_hello *h, __u8 byte)
{
	if (byte == '\r')
		return hg_http_next(h, HG_HTTP_LF);
	if (hg_http_visible(byte) || hg_http_space(byte))
		return false;
	return hg_hello_done(h, HG_HELLO_MALFORMED);
}

HG_INLINE bool hg_http_host(struct hg_hello *h, __u8 byte)
{
	switch (h->state) {
	case HG_HTTP_HOST_SPACE:
		if (hg_http_space(byte))
			return false;
		hg_http_next(h, HG_HTTP_HOST_NAME);
		h->count = 1;
		return hg_http_host_name(h, byte);
	case HG_HTTP_HOST_NAME:
		return hg_http_host_name(h, byte);
	case HG_HTTP_HOST_PORT:
		if (!hg_http_port(h, byte))
			return hg_hello_done(h, HG_HELLO_BAD_NAME);
		return hg_http_digit(byte) ? false : hg_http_host_behind(h, byte);
	}
	return hg_http_host_behind(h, byte);
}

HG_INLINE bool hg_http_step(struct hg_hello *h)
{
	__u8 byte = hg_hello_byte(h, h->at);

	h->at++;
	h->count++;
	h->value = h->value << 8 | byte;
	switch (h->state) {
	case HG_HTTP_METHOD:
		return hg_http_method(h, byte);
	case HG_HTTP_TARGET:
		return hg_http_target(h, byte);
	case HG_HTTP_STAR:
		return hg_http_exactly(h, byte, ' ', HG_HTTP_VERSION);
	case HG_HTTP_SCHEME:
		return hg_http_scheme(h, byte);
	case HG_HTTP_AUTHORITY:
		return hg_http_authority(h, byte);
	case HG_HTTP_PORT:
		if (!hg_http_port(h, byte))
			return hg_hello_done(h, HG_HELLO_BAD_NAME);
		return hg_http_digit(byte) ? false : hg_http_behind(h, byte);
	case HG_HTTP_PATH:
		return hg_http_path(h, byte);
	case HG_HTTP_OLD_LF:
		return hg_hello_done(h, byte == '\n' ? HG_HELLO_NO_NAME : HG_HELLO_MALFORMED);
	case HG_HTTP_VERSION:
		return hg_http_version(h);
	case HG_HTTP_VERSION_CR:
		return hg_http_exactly(h, byte, '\r', HG_HTTP_LF);
	case HG_HTTP_LF:
		return hg_http_exactly(h, byte, '\n', HG_HTTP_LINE);
	case HG_HTTP_LINE:
		return hg_http_line(h, byte);
	case HG_HTTP_END_LF:
		if (byte != '\n')
			return hg_hello_done(h, HG_HELLO_MALFORMED);
		return hg_hello_done(h, h->named ? HG_HELLO_NAME : HG_HELLO_NO_NAME);
	case HG_HTTP_FIELD:
		return hg_http_field(h, byte);
	case HG_HTTP_VALUE:
		return hg_http_value(h, byte);
	}
	return hg_http_host(h, byte);
}

#endif
