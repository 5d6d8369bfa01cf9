/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * NAME[:PORTS][/PROTO] into a set of endpoints by the name of their host.
 *
 * NAME is a host name, or `*.NAME` for every name below it. A name says nothing where no resolver is
 * asked: localhost, and what is written in numbers.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include "rule_parse.h"
#include "../bpf/core/host.h"

bool rule_is_host(const char *text, size_t len)
{
	const char *colon = memchr(text, ':', len);
	size_t i;

	if (!len || *text == '[' ||
	    (colon && memchr(colon + 1, ':', len - (size_t)(colon + 1 - text))))
		return false;
	if (len > 1 && text[0] == '*' && text[1] == '.')
		return true;
	for (i = 0; i < len && text[i] != ':' && text[i] != '/'; i++)
		if (isalpha((unsigned char)text[i]) || text[i] == '_' || text[i] == '-' ||
		    (unsigned char)text[i] >= 0x80)
			return true;
	return false;
}

static int bad_byte(struct rule_error *e, const char *text, size_t at)
{
	if ((unsigned char)text[at] >= 0x80)
		return rule_fail(e, at,
				 "a host name has ASCII letters only; write the form that resolvers "
				 "see, which begins with xn--");
	if (text[at] == '*')
		return rule_fail(e, at,
				 "`*` stands only in front of a host name, as in *.packages.example, "
				 "for everything below it");
	return rule_fail(e, at, "`%c` is in no host name", text[at]);
}

/* Bytes text[at .. at + n) as a name. */
static int read_name(const char *text, size_t at, size_t n, struct ruleset_host *ret,
		     struct rule_error *e)
{
	struct hg_host host;
	size_t i;

	hg_host_begin(&host);
	for (i = at; i < at + n; i++) {
		if (text[i] != '.' && !hg_host_byte(hg_host_fold((uint8_t)text[i])))
			return bad_byte(e, text, i);
		hg_host_add(&host, (uint8_t)text[i]);
		if (host.bad && text[i] == '.')
			return rule_fail(e, i, "an empty label: two dots, or one in front");
		if (host.bad)
			return rule_fail(e, at,
					 "a host name has at most %d bytes, %d between two dots",
					 HG_HOST_MAX, HG_HOST_LABEL_MAX);
	}
	if (!hg_host_end(&host))
		return rule_fail(e, at, "a host name is missing");
	if (text[at + n - 1] == '.')
		return rule_fail(e, at + n - 1, "leave out the dot at the end: every name is a whole one");
	for (i = 0; i < host.len; i++)
		ret->name[i] = (char)host.bytes[HG_HOST_END - 1 - i];
	ret->name[i] = '\0';
	return 0;
}

static int check_name(const struct ruleset_host *host, size_t at, struct rule_error *e)
{
	const char *last = strrchr(host->name, '.');

	last = last ? last + 1 : host->name;
	if (!strcmp(last, "localhost"))
		return rule_fail(e, at,
				 "no resolver is asked for localhost; write 127.0.0.1 and [::1]");
	if (strspn(last, "0123456789") == strlen(last))
		return rule_fail(e, at,
				 "a name that ends in a number is an address to most programs "
				 "(RFC 3696 2); write an address as in 192.0.2.1");
	return 0;
}

/* What is behind the name: as behind an address. */
static int read_tail(const char *text, size_t len, size_t at, struct ruleset_host *ret,
		     struct rule_error *e)
{
	char rest[64] = "192.0.2.1";
	struct ruleset_endpoint ep;
	struct rule_error wrong;
	size_t skip = strlen(rest);
	int err;

	if (at == len)
		return rule_fail(e, at, "a port is missing; write %.*s:443, or %.*s:* for every port",
				 (int)len, text, (int)len, text);
	if (len - at > sizeof(rest) - skip - 1)
		return rule_fail(e, at, "too long for a port and protocol");
	memcpy(rest + skip, text + at, len - at);
	if (text[at] == '/' && isdigit((unsigned char)text[at + 1]))
		return rule_fail(e, at, "a host name takes no prefix length");
	err = rule_parse_endpoint(rest, skip + len - at, &ep, &wrong);
	if (err == -EINVAL) {
		/* That message repeats the address, which stands for the name here. */
		if (strstr(wrong.message, "192.0.2.1"))
			return rule_fail(e, at,
					 "a port is missing; write %.*s:443, or %.*s:* for every port",
					 (int)at, text, (int)at, text);
		return rule_fail(e, at + (wrong.at > skip ? wrong.at - skip : 0), "%s",
				 wrong.message);
	}
	ret->port_low = ep.port_low;
	ret->port_high = ep.port_high;
	ret->tcp = ep.tcp;
	ret->udp = ep.udp;
	ret->icmp = ep.icmp;
	return err;
}

static size_t name_length(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && text[n] != ':' && text[n] != '/')
		n++;
	return n;
}

int rule_parse_host(const char *text, size_t len, bool ports, struct ruleset_host *ret,
		    struct rule_error *e)
{
	size_t n = name_length(text, len), skip;
	int err = 0;

	*ret = (struct ruleset_host){.port_high = 65535, .tcp = true, .udp = true};
	ret->below = len && *text == '*';
	skip = ret->below ? n > 1 && text[1] == '.' ? 2 : 1 : 0;
	if (!ports && n < len)
		return rule_fail(e, n, "a resolver is asked for names alone; leave out `%.*s`",
				 (int)(len - n), text + n);
	if (skip == 1 && n > 1)
		return rule_fail(e, 1, "write *.%.*s for every name below %.*s", (int)n - 1, text + 1,
				 (int)n - 1, text + 1);
	if (skip != 1) {
		err = read_name(text, skip, n - skip, ret, e);
		if (!err)
			err = check_name(ret, skip, e);
	}
	return err || !ports ? err : read_tail(text, len, n, ret, e);
}
