/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The rule parser by itself: parts of a rule, endpoints against inet_pton(3), words against their
 * neighbours, and every short text over a small alphabet on exact-size heap copies.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../policy/diag.h"
#include "../../policy/rule_parse.h"
#include "tap.h"

static struct tap tap;

static void parts(void)
{
	static const char text[] = " allow\tread,exec /a \"/b c\"  /d\\ e {x,y}\n[log] ";
	static const char *const objects[] = {"/a", "/b c", "/d\\ e", "{x,y}"};
	struct rule_line r;
	struct rule_error e;
	int err = rule_parse(text, sizeof(text) - 1, &r, &e);

	tap_ok(&tap,
	       !err && r.verdict == HG_ALLOW && !r.endpoint_actions && !r.all && !r.use &&
		       r.path_actions == (HG_BIT(HG_READ) | HG_BIT(HG_EXEC)) &&
		       r.options == HG_OPT_LOG,
	       "verdict, actions, options");
	tap_ok(&tap, !err && r.n_objects == 4, "objects");
	for (size_t i = 0; !err && i < r.n_objects; i++)
		tap_ok(&tap,
		       r.objects[i].len == strlen(objects[i]) &&
			       !memcmp(text + r.objects[i].at, objects[i], r.objects[i].len),
		       "object %s", objects[i]);
	rule_line_done(&r);
	err = rule_parse("deny connect [2001:db8::1]:443 [quiet,]", 39, &r, &e);
	tap_ok(&tap, !err && r.n_objects == 1 && r.options == HG_OPT_QUIET,
	       "brackets of both kinds");
	rule_line_done(&r);
}

static void budget(const char *word, uint64_t bytes, uint64_t seconds)
{
	struct rule_budget b;
	struct rule_error e;
	int err = rule_parse_budget(word, strlen(word), 0, &b, &e);

	tap_ok(&tap, !err && b.amount == bytes && b.period_ns == seconds * 1000000000, "%s", word);
}

static void network(const char *text, unsigned family, const char *address, unsigned bits,
		    unsigned low, unsigned high, const char *protocols)
{
	struct ruleset_endpoint ep;
	struct rule_error e;
	uint8_t want[16] = {};
	int err = rule_parse_endpoint(text, strlen(text), &ep, &e);

	if (address)
		inet_pton(family == 4 ? AF_INET : AF_INET6, address, want);
	tap_ok(&tap,
	       !err && ep.family == family && ep.prefix_len == bits &&
		       !memcmp(ep.address, want, 16) && ep.port_low == low &&
		       ep.port_high == high && ep.tcp == !!strchr(protocols, 't') &&
		       ep.udp == !!strchr(protocols, 'u') && ep.icmp == !!strchr(protocols, 'i'),
	       "%s %s", text, err ? e.message : "");
}

static void endpoints(void)
{
	network("192.0.2.1:443", 4, "192.0.2.1", 32, 443, 443, "tu");
	network("192.0.2.0/24:1-2/udp", 4, "192.0.2.0", 24, 1, 2, "u");
	network("0.0.0.0/0:*", 4, "0.0.0.0", 0, 0, 65535, "tu");
	network("*:0", 0, NULL, 0, 0, 0, "tu");
	network("*/icmp", 0, NULL, 0, 0, 65535, "i");
	network("[2001:db8::1]:65535/tcp", 6, "2001:db8::1", 128, 65535, 65535, "t");
	network("[2001:db8::/32]:1", 6, "2001:db8::", 32, 1, 1, "tu");
	network("[2001:db8::]/32:1", 6, "2001:db8::", 32, 1, 1, "tu");
	network("2001:db8::/32:1", 6, "2001:db8::", 32, 1, 1, "tu");
	network("2001:db8::1/icmp", 6, "2001:db8::1", 128, 0, 65535, "i");
	network("[::]/0:1", 6, "::", 0, 1, 1, "tu");
	network("[::ffff:192.0.2.1]:1", 4, "192.0.2.1", 32, 1, 1, "tu");
	network("[::ffff:0:0/96]:1", 4, "0.0.0.0", 0, 1, 1, "tu");
	network("[::ffff:192.0.2.0/120]:1", 4, "192.0.2.0", 24, 1, 1, "tu");
	network("[::/95]:1", 6, "::", 95, 1, 1, "tu");
}

static void near_words(void)
{
	static const char *const words[] = {"allow", "ask", "deny", NULL};
	static const struct {
		const char *word, *near;
	} cases[] = {
		{"alow", "allow"},
		{"allwo", "allow"},
		{"ALLOW", "allow"},
		{"dney", "deny"},
		{"as", "ask"},
		{"permit", NULL},
		{"", NULL},
		{"x", NULL},
		{"allowallowallowallowallowallowallow", NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *near = diag_near(cases[i].word, strlen(cases[i].word), words);

		tap_ok(&tap,
		       near == cases[i].near ||
			       (near && cases[i].near && !strcmp(near, cases[i].near)),
		       "near \"%s\": %s", cases[i].word, near ? near : "nothing");
	}
}

/* Reads past the end and messages without a place show here. */
static void try_text(const char *text, size_t len, unsigned long *bad)
{
	char *exact = malloc(len ? len : 1);
	struct ruleset_endpoint ep;
	struct rule_line r;
	struct rule_error e;

	memcpy(exact, text, len);
	e.at = len + 1;
	*e.message = '\0';
	if (rule_parse(exact, len, &r, &e))
		*bad += e.at > len || !*e.message;
	else
		rule_line_done(&r);
	e.at = len + 1;
	*e.message = '\0';
	if (rule_parse_endpoint(exact, len, &ep, &e))
		*bad += e.at > len || !*e.message;
	else
		*bad += ep.port_low > ep.port_high || ep.prefix_len > (ep.family == 6 ? 128 : 32) ||
			!(ep.tcp || ep.udp || ep.icmp);
	free(exact);
}

static void every_text(void)
{
	static const char *const heads[] = {"", "deny all ", "allow connect ", "allow read /x ["};
	static const char letters[] = "1*[]:/.-\\\" ,a";
	size_t n = sizeof(letters) - 1;
	unsigned long bad = 0, total = 0, of = 1;
	char text[32];

	for (unsigned len = 0; len <= 4; len++, of *= n) {
		for (unsigned long i = 0; i < of; i++) {
			for (unsigned h = 0; h < 4; h++) {
				size_t at = strlen(heads[h]);
				unsigned long rest = i;

				memcpy(text, heads[h], at);
				for (unsigned k = 0; k < len; k++, rest /= n)
					text[at++] = letters[rest % n];
				try_text(text, at, &bad);
				total++;
			}
		}
	}
	tap_ok(&tap, !bad, "%lu short texts: %lu without a place, a message or sense", total, bad);
}

int main(void)
{
	parts();
	budget("budget=50MiB/h", 50 << 20, 3600);
	budget("budget=1B", 1, 0);
	budget("budget=3kB/30min", 3000, 1800);
	budget("budget=2GiB/7d", 2ull << 30, 7 * 86400);
	budget("budget=9MB/1s", 9000000, 1);
	budget("names=20/2d", 20, 2 * 86400);
	endpoints();
	near_words();
	every_text();
	return tap_done(&tap);
}
