/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ADDRESS[/BITS][:PORTS][/PROTO] into a set of endpoints.
 *
 * ADDRESS is `*`, an IPv4 address, or an IPv6 address, in brackets where a port follows it (with
 * /BITS between them nothing is ambiguous, so that ${net}:443 works for both kinds).
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include "rule_parse.h"

/* The longest is a bracketed IPv6 address with everything behind it, about 70 bytes. */
#define ENDPOINT_TEXT_MAX 100

struct scan {
	char text[ENDPOINT_TEXT_MAX + 1];
	size_t at;
	struct rule_error *e;
	struct ruleset_endpoint *ep;
	bool bits_given;
};

/* Decimal digits at s->at: no sign, no leading zero, at most max. */
static int number(struct scan *s, const char *what, unsigned max, unsigned *ret)
{
	size_t begin = s->at;
	unsigned long n = 0;

	while (isdigit((unsigned char)s->text[s->at])) {
		n = n > max ? n : n * 10 + (s->text[s->at] - '0');
		s->at++;
	}
	if (s->at == begin)
		return rule_fail(s->e, begin, "%s is a number from 0 to %u", what, max);
	if (isalpha((unsigned char)s->text[s->at]) || s->text[s->at] == '.')
		return rule_fail(s->e, s->at, "%s is a number; `%c` is none", what, s->text[s->at]);
	if (n > max)
		return rule_fail(s->e, begin, "%s is at most %u", what, max);
	if (s->text[begin] == '0' && s->at - begin > 1)
		return rule_fail(s->e, begin, "%s has a leading zero", what);
	*ret = n;
	return 0;
}

static int not_an_address(struct scan *s, const char *name, size_t at)
{
	size_t len = strlen(name);

	if (strchr(name, '%'))
		return rule_fail(s->e, at, "an address in a policy has no interface (%%%s)",
				 strchr(name, '%') + 1);
	if (!len || strspn(name, "0123456789.") == len)
		return rule_fail(s->e, at,
				 "`%s` is no address: IPv4 has four numbers from 0 to 255 "
				 "without leading zeros, as in 192.0.2.1",
				 name);
	if (strchr(name, ':'))
		return rule_fail(s->e, at, "`%s` is no IPv6 address", name);
	return rule_fail(s->e, at, "`%s` is no address, and no host name stands here", name);
}

/* Bytes text[at .. at + n) as an address. */
static int address(struct scan *s, size_t at, size_t n)
{
	char name[ENDPOINT_TEXT_MAX + 1] = {};

	memcpy(name, s->text + at, n);
	s->at = at + n;
	if (inet_pton(AF_INET, name, s->ep->address) == 1)
		s->ep->family = 4;
	else if (inet_pton(AF_INET6, name, s->ep->address) == 1)
		s->ep->family = 6;
	else
		return not_an_address(s, name, at);
	s->ep->prefix_len = s->ep->family == 4 ? 32 : 128;
	return 0;
}

static int check_host_bits(struct scan *s)
{
	struct ruleset_endpoint *ep = s->ep;
	unsigned size = ep->family == 4 ? 4 : 16;
	int family = ep->family == 4 ? AF_INET : AF_INET6;
	char host[INET6_ADDRSTRLEN], net[INET6_ADDRSTRLEN];
	uint8_t masked[16];

	memcpy(masked, ep->address, size);
	for (unsigned i = ep->prefix_len; i < size * 8; i++)
		masked[i / 8] &= ~(0x80 >> i % 8);
	if (!memcmp(masked, ep->address, size))
		return 0;
	inet_ntop(family, ep->address, host, sizeof(host));
	inet_ntop(family, masked, net, sizeof(net));
	return rule_fail(s->e, 0,
			 "%s/%u has bits behind its first %u; write %s/%u for the network, "
			 "%s for the one address",
			 host, ep->prefix_len, ep->prefix_len, net, ep->prefix_len, host);
}

static int bits(struct scan *s)
{
	unsigned n;
	int err;

	if (s->text[s->at] != '/' || !isdigit((unsigned char)s->text[s->at + 1]))
		return 0;
	if (s->bits_given)
		return rule_fail(s->e, s->at, "a second prefix length");
	if (!s->ep->family)
		return rule_fail(s->e, s->at, "`*` is any address; it takes no prefix length");
	s->at++;
	err = number(s, "a prefix length", s->ep->family == 4 ? 32 : 128, &n);
	if (err)
		return err;
	s->bits_given = true;
	s->ep->prefix_len = n;
	return check_host_bits(s);
}

/* Everything up to the port or protocol. */
static int address_part(struct scan *s)
{
	const char *text = s->text, *close;
	size_t n;
	int err;

	if (text[0] == ':')
		return rule_fail(s->e, 0, "an address is missing; `*%s` is any address", text);
	if (text[0] == '*' && (!text[1] || text[1] == ':' || text[1] == '/')) {
		s->at = 1;
		return bits(s);
	}
	if (text[0] == '*')
		return rule_fail(s->e, 0, "`*` alone is any address; names below one are *.NAME");
	if (text[0] == '[') {
		close = strchr(text, ']');
		if (!close)
			return rule_fail(s->e, 0, "this bracket is never closed");
		n = strcspn(text + 1, "/]");
		err = address(s, 1, n);
		if (!err && s->ep->family == 4)
			return rule_fail(s->e, 0, "only IPv6 addresses stand in brackets");
		if (!err)
			err = bits(s);
		if (err)
			return err;
		if (s->text[s->at] != ']')
			return rule_fail(s->e, s->at, "`]` was expected here");
		s->at++;
		return bits(s);
	}
	/* Two colons before any slash: IPv6 without brackets. */
	n = strcspn(text, "/");
	close = memchr(text, ':', n);
	if (close && !memchr(close + 1, ':', text + n - close - 1))
		n = close - text;
	err = address(s, 0, n);
	return err ? err : bits(s);
}

static int ports(struct scan *s, bool *ret_given)
{
	unsigned low = 0, high = 65535;
	size_t begin = s->at;
	int err;

	*ret_given = s->text[s->at] == ':';
	s->ep->port_low = 0;
	s->ep->port_high = 65535;
	if (!*ret_given)
		return 0;
	s->at++;
	if (s->text[s->at] == '*') {
		s->at++;
		return 0;
	}
	err = number(s, "a port", 65535, &low);
	if (err)
		return err;
	high = low;
	if (s->text[s->at] == '-') {
		s->at++;
		err = number(s, "a port", 65535, &high);
		if (err)
			return err;
		if (high < low)
			return rule_fail(s->e, begin + 1,
					 "ports from %u to %u are none; write %u-%u", low, high,
					 high, low);
	}
	s->ep->port_low = low;
	s->ep->port_high = high;
	return 0;
}

static int protocol(struct scan *s)
{
	const char *name = s->text + s->at + 1;

	s->ep->tcp = s->ep->udp = s->text[s->at] != '/';
	if (s->text[s->at] != '/')
		return 0;
	if (!strcmp(name, "tcp"))
		s->ep->tcp = true;
	else if (!strcmp(name, "udp"))
		s->ep->udp = true;
	else if (!strcmp(name, "icmp"))
		s->ep->icmp = true;
	else
		return rule_fail(s->e, s->at + 1,
				 "unknown protocol `%s`; there is tcp, udp (both where "
				 "none is named) and icmp (IPv6's too)",
				 name);
	s->at += 1 + strlen(name);
	return 0;
}

/* RFC 4291 2.5.5.2: the kernel side never sees a mapped address. */
static void unmap(struct ruleset_endpoint *ep)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (ep->family != 6 || ep->prefix_len < 96 || memcmp(ep->address, mapped, 12))
		return;
	ep->family = 4;
	ep->prefix_len -= 96;
	memmove(ep->address, ep->address + 12, 4);
	memset(ep->address + 4, 0, 12);
}

int rule_parse_endpoint(const char *text, size_t len, struct ruleset_endpoint *ret,
			struct rule_error *e)
{
	struct scan s = {.e = e, .ep = ret};
	bool port = false;
	size_t tail;
	int err;

	*ret = (struct ruleset_endpoint){};
	if (len > ENDPOINT_TEXT_MAX)
		return rule_fail(e, 0, "too long for an address and port");
	memcpy(s.text, text, len);
	err = address_part(&s);
	tail = s.at;
	if (!err)
		err = ports(&s, &port);
	if (!err)
		err = protocol(&s);
	if (err)
		return err;
	if (s.text[s.at])
		return rule_fail(e, s.at, "`%s` was not expected here", s.text + s.at);
	if (ret->icmp && port)
		return rule_fail(e, tail, "icmp has no ports; leave them out");
	if (!ret->icmp && !port && ret->family == 6 && s.text[0] != '[' && !s.bits_given)
		return rule_fail(e, tail,
				 "a port is missing; write [%.*s]:443, or [%.*s]:* for every "
				 "port",
				 (int)tail, s.text, (int)tail, s.text);
	if (!ret->icmp && !port)
		return rule_fail(e, tail,
				 "a port is missing; write %.*s:443, or %.*s:* for every port",
				 (int)tail, s.text, (int)tail, s.text);
	unmap(ret);
	return 0;
}
