/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An HTTP head's Host: what is read, what is not yet, and what is refused. */
#include <stdlib.h>

#include "hello_read.h"
#include "tap.h"

#define GET  "GET / HTTP/1.1\r\n"
#define HOST "Host: a.example\r\n"

static struct reading read_text(const char *text)
{
	return hello_read(text, strlen(text));
}

static void test_good(struct tap *t)
{
	static const char *const good[] = {
		GET HOST "\r\n",
		"GET / HTTP/1.0\r\n" HOST "\r\n",
		"POST /a?b=c#d HTTP/1.1\r\nContent-Length: 9\r\n" HOST "\r\nHost: evil",
		GET "Accept: */*\r\nUser-Agent: x/1 (y; z)\r\nX-Empty:\r\nx:\t\r\n" HOST "\r\n",
		GET "hOST:a.example\r\n\r\n",
		GET "HOST: \t A.Example \t \r\n\r\n",
		GET "Host: a.example:8080\r\n\r\n",
		GET "Host: a.example:1 \r\n\r\n",
		GET "Host: a.example:65535\t\r\n\r\n",
		GET HOST
		"Hostname: b.example\r\nX-Host: b.example\r\nHos: b\r\nXXXXHost: b\r\n\r\n",
		GET HOST "X-Forwarded-Host: b.example\r\nForwarded: host=b.example\r\n\r\n",
		"GET http://a.example/ HTTP/1.1\r\n" HOST "\r\n",
		"GET HTTPS://A.EXAMPLE HTTP/1.1\r\n" HOST "\r\n",
		"GET https://a.example:8443?q HTTP/1.1\r\nHost: a.example:1\r\n\r\n",
		"GET http://a.example:80/@b.example HTTP/1.1\r\n" HOST "\r\n",
		"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n",
		"CONNECT A.example:443 HTTP/1.1\r\n" HOST "\r\n",
		"OPTIONS * HTTP/1.1\r\n" HOST "\r\n",
		"OPTIONS / HTTP/1.1\r\n" HOST "\r\n",
		"M-SEARCH_45678901234 / HTTP/1.1\r\n" HOST "\r\n",
		"X /~ HTTP/1.1\r\n" HOST "\r\n",
		/* Longer than the method that these end in. */
		"XCONNECT / HTTP/1.1\r\n" HOST "\r\n",
		"XPRI / HTTP/1.1\r\n" HOST "\r\n",
		GET HOST "\r\nGET / HTTP/1.1\r\nHost: b.example\r\n\r\n",
		"GET //b.example/ HTTP/1.1\r\n" HOST "\r\n",
	};
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct reading r = read_text(good[i]);

		if (!tap_ok(t, names(r, "a.example") && r.kind == HG_HELLO_HTTP,
			    "the name is read: %zu: %.*s", i, (int)strcspn(good[i], "\r"), good[i]))
			tap_note("status %d, name %s", r.status, r.name);
	}
}

static const struct {
	const char *text;
	enum hg_hello_status status;
	const char *says;
} others[] = {
	/* Nobody is named. */
	{GET "\r\n", HG_HELLO_NO_NAME, "no field"},
	{GET "Accept: */*\r\n\r\n", HG_HELLO_NO_NAME, "no Host"},
	{"GET / HTTP/1.0\r\n\r\n", HG_HELLO_NO_NAME, "HTTP/1.0"},
	{"GET http://a.example/ HTTP/1.0\r\n\r\n", HG_HELLO_NO_NAME, "a name in the target only"},
	{"GET /\r\n" HOST "\r\n", HG_HELLO_NO_NAME, "HTTP/0.9, whatever comes behind it"},
	/* Something else is named. */
	{GET "Host:\r\n\r\n", HG_HELLO_BAD_NAME, "an empty Host"},
	{GET "Host: \r\n\r\n", HG_HELLO_BAD_NAME, "a Host of a space"},
	{GET HOST HOST "\r\n", HG_HELLO_BAD_NAME, "the same Host twice"},
	{GET HOST "Accept: */*\r\nhost: b.example\r\n\r\n", HG_HELLO_BAD_NAME, "two Hosts"},
	{GET "Host: a.example,b.example\r\n\r\n", HG_HELLO_BAD_NAME, "a list"},
	{GET "Host: a.example b.example\r\n\r\n", HG_HELLO_BAD_NAME, "two words"},
	{GET "Host: a.example:80 b\r\n\r\n", HG_HELLO_BAD_NAME, "a word behind the port"},
	{GET "Host: a.example.\r\n\r\n", HG_HELLO_BAD_NAME, "a dot behind the name"},
	{GET "Host: a.example.:80\r\n\r\n", HG_HELLO_BAD_NAME, "a dot before the port"},
	{GET "Host: .a.example\r\n\r\n", HG_HELLO_BAD_NAME, "a dot before the name"},
	{GET "Host: a.example:\r\n\r\n", HG_HELLO_BAD_NAME, "an empty port"},
	{GET "Host: a.example:123456\r\n\r\n", HG_HELLO_BAD_NAME, "a port of six digits"},
	{GET "Host: a.example:80a\r\n\r\n", HG_HELLO_BAD_NAME, "a port that is no number"},
	{GET "Host: a.example:80@b.example\r\n\r\n", HG_HELLO_BAD_NAME, "a user and a password"},
	{GET "Host: b@a.example\r\n\r\n", HG_HELLO_BAD_NAME, "a user"},
	{GET "Host: a.example/\r\n\r\n", HG_HELLO_BAD_NAME, "a slash"},
	{GET "Host: http://a.example\r\n\r\n", HG_HELLO_BAD_NAME, "a URL"},
	{GET "Host: 192.0.2.1\r\n\r\n", HG_HELLO_BAD_NAME, "an address"},
	{GET "Host: 192.0.2.1:80\r\n\r\n", HG_HELLO_BAD_NAME, "an address and a port"},
	{GET "Host: 0x7f.1\r\n\r\n", HG_HELLO_BAD_NAME, "an address in two numbers"},
	{GET "Host: [2001:db8::1]\r\n\r\n", HG_HELLO_BAD_NAME, "an IPv6 address"},
	{GET "Host: a.ex\xc3\xa4mple\r\n\r\n", HG_HELLO_BAD_NAME, "a name that is not ASCII"},
	{GET "Host: a.example\nX: y\r\n\r\n", HG_HELLO_BAD_NAME, "a line feed in the name"},
	{"GET http://b.example/ HTTP/1.1\r\n" HOST "\r\n", HG_HELLO_BAD_NAME, "another target"},
	{"GET http://a.exampl/ HTTP/1.1\r\n" HOST "\r\n", HG_HELLO_BAD_NAME, "a shorter target"},
	{"GET http://a.examples/ HTTP/1.1\r\n" HOST "\r\n", HG_HELLO_BAD_NAME, "a longer target"},
	{"GET http://a.example./ HTTP/1.1\r\n" HOST "\r\n", HG_HELLO_BAD_NAME, "a dotted target"},
	{"GET http://a.example@b.example/ HTTP/1.1\r\n" HOST "\r\n", HG_HELLO_BAD_NAME,
	 "a target with a user"},
	{"GET http://a.example:80@b.example/ HTTP/1.1\r\n" HOST "\r\n", HG_HELLO_BAD_NAME,
	 "a target with a user and a password"},
	{"GET http://a.example\\@b.example/ HTTP/1.1\r\n" HOST "\r\n", HG_HELLO_BAD_NAME,
	 "a target with a backslash"},
	{"GET http://a.example#@b.example/ HTTP/1.1\r\n" HOST "\r\n", HG_HELLO_BAD_NAME,
	 "a target with a fragment for its path"},
	{"GET http:///a.example/ HTTP/1.1\r\n" HOST "\r\n", HG_HELLO_BAD_NAME,
	 "a target with no host"},
	{"GET http://:80/ HTTP/1.1\r\n" HOST "\r\n", HG_HELLO_BAD_NAME,
	 "a target with a port only"},
	{"GET http://a.example:/ HTTP/1.1\r\n" HOST "\r\n", HG_HELLO_BAD_NAME,
	 "a target with an empty port"},
	{"GET http://192.0.2.1/ HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n", HG_HELLO_BAD_NAME,
	 "an address, twice"},
	{"CONNECT b.example:443 HTTP/1.1\r\n" HOST "\r\n", HG_HELLO_BAD_NAME, "another to CONNECT"},
	{"CONNECT a.example HTTP/1.1\r\n" HOST "\r\n", HG_HELLO_BAD_NAME, "CONNECT without port"},
	{"CONNECT / HTTP/1.1\r\n" HOST "\r\n", HG_HELLO_BAD_NAME, "CONNECT and a path"},
	{"CONNECT a.example:443/ HTTP/1.1\r\n" HOST "\r\n", HG_HELLO_BAD_NAME,
	 "CONNECT with a path behind the port"},
	{"CONNECT http://a.example/ HTTP/1.1\r\n" HOST "\r\n", HG_HELLO_BAD_NAME,
	 "CONNECT and a URL"},
	/* Readers differ. */
	{"GET  / HTTP/1.1\r\n" HOST "\r\n", HG_HELLO_MALFORMED, "two spaces before the target"},
	{"GET /  HTTP/1.1\r\n" HOST "\r\n", HG_HELLO_MALFORMED, "two spaces behind it"},
	{"GET / b HTTP/1.1\r\n" HOST "\r\n", HG_HELLO_MALFORMED, "a space in it"},
	{"GET /\tHTTP/1.1\r\n" HOST "\r\n", HG_HELLO_MALFORMED, "a tab behind it"},
	{"GET /\xa0 HTTP/1.1\r\n" HOST "\r\n", HG_HELLO_MALFORMED, "a target that is not ASCII"},
	{"GET / HTTP/1.1 \r\n" HOST "\r\n", HG_HELLO_MALFORMED, "a space behind the version"},
	{"GET / HTTP/1.1\n" HOST "\r\n", HG_HELLO_MALFORMED, "a request line ended by LF"},
	{"GET / HTTP/1.1\r" HOST "\r\n", HG_HELLO_MALFORMED, "a request line ended by CR"},
	{"GET /\n" HOST "\r\n", HG_HELLO_MALFORMED, "HTTP/0.9 ended by LF"},
	{"GET /\r" HOST "\r\n", HG_HELLO_MALFORMED, "HTTP/0.9 ended by CR"},
	{"GET / http/1.1\r\n" HOST "\r\n", HG_HELLO_MALFORMED, "a version in lower case"},
	{GET "Host : a.example\r\n\r\n", HG_HELLO_MALFORMED, "a space before the colon"},
	{GET " Host: a.example\r\n\r\n", HG_HELLO_MALFORMED, "a space before the first field"},
	{GET HOST " b.example\r\n\r\n", HG_HELLO_MALFORMED, "a line that goes on"},
	{GET HOST "\tb\r\n\r\n", HG_HELLO_MALFORMED, "a line that goes on behind a tab"},
	{GET "Host\r\n\r\n", HG_HELLO_MALFORMED, "a field without colon"},
	{GET ": a.example\r\n\r\n", HG_HELLO_MALFORMED, "a field without name"},
	{GET "Ho(st: a.example\r\n\r\n", HG_HELLO_MALFORMED, "a field's name that is no token"},
	{GET "X: y\nHost: b.example\r\n" HOST "\r\n", HG_HELLO_MALFORMED, "LF in a value"},
	{GET "X: y\rHost: b.example\r\n" HOST "\r\n", HG_HELLO_MALFORMED, "CR in a value"},
	{GET "X: y\x85Host: b\r\n" HOST "\r\n", HG_HELLO_MALFORMED, "NEL in a value"},
	{GET "X: y\x0bHost: b\r\n" HOST "\r\n", HG_HELLO_MALFORMED, "a vertical tab in a value"},
	{GET HOST "\n", HG_HELLO_MALFORMED, "a head that ends in LF"},
	{GET "\n" HOST "\r\n", HG_HELLO_MALFORMED, "an empty line of LF"},
	{GET HOST "\rX", HG_HELLO_MALFORMED, "a head that ends in CR"},
	/* Something else. */
	{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", HG_HELLO_UNKNOWN, "HTTP/2"},
	{"GET / HTTP/2.0\r\n" HOST "\r\n", HG_HELLO_UNKNOWN, "version 2.0"},
	{"GET / HTTP/1.2\r\n" HOST "\r\n", HG_HELLO_UNKNOWN, "version 1.2"},
	{"GET / HTTP/1.10\r\n" HOST "\r\n", HG_HELLO_MALFORMED, "version 1.10"},
	{"\r\n" GET HOST "\r\n", HG_HELLO_UNKNOWN, "an empty line first"},
	{" " GET HOST "\r\n", HG_HELLO_UNKNOWN, "a space first"},
	{"get / HTTP/1.1\r\n" HOST "\r\n", HG_HELLO_UNKNOWN, "a method in lower case"},
	{"G(T / HTTP/1.1\r\n", HG_HELLO_UNKNOWN, "a method that is no token"},
	{"GETGETGETGETGETGETGET / HTTP/1.1\r\n", HG_HELLO_UNKNOWN, "a method of 21 bytes"},
	{"GET a.example HTTP/1.1\r\n", HG_HELLO_UNKNOWN, "a target that is none"},
	{"GET * HTTP/1.1\r\n", HG_HELLO_UNKNOWN, "a star, and not OPTIONS"},
	{"XOPTIONS * HTTP/1.1\r\n", HG_HELLO_UNKNOWN, "a star, and more than OPTIONS"},
	{"OPTIONS ** HTTP/1.1\r\n", HG_HELLO_MALFORMED, "two stars"},
	{"GET http:/a.example/ HTTP/1.1\r\n", HG_HELLO_UNKNOWN, "a scheme with one slash"},
	{"GET httpx://a.example/ HTTP/1.1\r\n", HG_HELLO_UNKNOWN, "another scheme"},
	{"GET ftp://a.example/ HTTP/1.1\r\n", HG_HELLO_UNKNOWN, "a third one"},
	{"SSH-2.0-OpenSSH_9.2p1 Debian\r\n", HG_HELLO_UNKNOWN, "SSH"},
	{"EHLO a.example\r\n", HG_HELLO_UNKNOWN, "SMTP"},
	{"USER /a\r\n", HG_HELLO_UNKNOWN, "a line like HTTP/0.9 which is not GET"},
	{"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", HG_HELLO_UNKNOWN, "a proxy's word before it"},
};

static void test_others(struct tap *t)
{
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(*others); i++) {
		struct reading r = read_text(others[i].text);

		if (!tap_ok(t,
			    r.status == others[i].status &&
				    r.kind == (r.status == HG_HELLO_UNKNOWN ? HG_HELLO_OTHER
									    : HG_HELLO_HTTP),
			    "%s", others[i].says))
			tap_note("status %d, not %d", r.status, others[i].status);
	}
	tap_ok(t, hello_read(GET "Host: a.example\0\r\n\r\n", 36).status == HG_HELLO_BAD_NAME,
	       "a NUL in the name");
	tap_ok(t, hello_read(GET HOST "X: \0\r\n\r\n", 40).status == HG_HELLO_MALFORMED,
	       "a NUL in a value");
}

static void test_need(struct tap *t)
{
	static const char *const heads[] = {
		GET HOST "Accept: */*\r\n\r\n",
		"GET http://a.example/b HTTP/1.1\r\nAccept: */*\r\nHost: a.example:80 \r\n\r\n",
		"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n",
		"OPTIONS * HTTP/1.0\r\n" HOST "\r\n",
	};
	unsigned bad = 0, bad_resume = 0;
	struct reading r;
	size_t i, n;

	for (i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
		static struct hg_hello h;
		size_t len = strlen(heads[i]);

		memset(&h, 0, sizeof(h));
		hg_hello_begin(&h);
		for (n = 0; n < len; n++) {
			r = hello_read(heads[i], n);
			bad += r.status != HG_HELLO_NEED || r.need != n + 1;
			r = hello_turns(&h);
			bad_resume += r.status != HG_HELLO_NEED || r.need != n + 1;
			h.bytes[h.len++] = (uint8_t)heads[i][n];
		}
		bad_resume += !names(hello_turns(&h), "a.example");
	}
	tap_ok(t, !bad, "each part of a head wants one byte more");
	tap_ok(t, !bad_resume, "also when it is taken further byte by byte");
	tap_ok(t, read_text(GET HOST HOST).status == HG_HELLO_BAD_NAME,
	       "two Hosts wait for no end");
	tap_ok(t,
	       read_text("X").status == HG_HELLO_NEED && read_text("x").status == HG_HELLO_UNKNOWN,
	       "one byte may be enough to be neither TLS nor HTTP");
	tap_ok(t, read_text("PRI ").status == HG_HELLO_UNKNOWN, "four are enough to be HTTP/2");
}

static void test_long(struct tap *t)
{
	static char text[HG_HELLO_MAX + 2] = GET HOST "Cookie: ";
	struct reading r;

	memset(text + strlen(text), 'x', sizeof(text) - 1 - strlen(text));
	r = hello_read(text, HG_HELLO_MAX - 1);
	tap_ok(t, r.status == HG_HELLO_NEED && r.need == HG_HELLO_MAX, "a long head wants more");
	r = hello_read(text, HG_HELLO_MAX);
	tap_ok(t, r.status == HG_HELLO_TOO_LONG && r.turns == HG_HELLO_TURNS,
	       "one that does not end is too long after %u turns", r.turns);
	memcpy(text + HG_HELLO_MAX - 4, "\r\n\r\n", 4);
	r = hello_read(text, HG_HELLO_MAX);
	tap_ok(t, names(r, "a.example"), "one that ends in time is read, in %u turns", r.turns);
	r = hello_read(text, HG_HELLO_MAX + 1);
	tap_ok(t, r.status == HG_HELLO_TOO_LONG, "more than there is room for is not looked at");
}

int main(void)
{
	struct tap t = {0};

	test_good(&t);
	test_others(&t);
	test_need(&t);
	test_long(&t);
	return tap_done(&t);
}
