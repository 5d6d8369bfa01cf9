/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Host names: how they are written down, rules on them against arithmetic, which addresses are public. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../bpf/core/host.h"
#include "../../bpf/core/public.h"
#include "../../policy/ruleset.h"
#include "../../user/resolvers.h"
#include "tap.h"

static struct tap tap;

/* ---- how a name is written down ---- */

static bool written(const char *name, const char *want)
{
	struct hg_host host;
	size_t i;

	hg_host_begin(&host);
	for (; *name; name++)
		hg_host_add(&host, (__u8)*name);
	if (!hg_host_end(&host))
		return !want;
	if (!want || host.len != strlen(want))
		return false;
	for (i = 0; i < host.len; i++)
		if (host.bytes[HG_HOST_END - 1 - i] != (__u8)want[i])
			return false;
	return true;
}

static void names(void)
{
	char longest[300] = "", label[80] = "";

	tap_ok(&tap, written("a.example", "a.example"), "a name");
	tap_ok(&tap, written("A.eXample", "a.example"), "in small letters");
	tap_ok(&tap, written("a.example.", "a.example"), "its last dot says nothing");
	tap_ok(&tap, written("_sip._tcp.a-b.example", "_sip._tcp.a-b.example"), "of a service");
	tap_ok(&tap, written("", NULL) && written(".", NULL), "the root is none");
	tap_ok(&tap, written(".a", NULL) && written("a..b", NULL) && written("a..", NULL),
	       "empty labels");
	tap_ok(&tap, written("a b", NULL) && written("a/b", NULL) && written("a\x01", NULL) &&
			     written("b\xc3\xbc", NULL) && written("*.a", NULL),
	       "bytes that are in none");
	memset(label, 'a', 63);
	tap_ok(&tap, written(label, label), "a label of 63");
	label[63] = 'a';
	tap_ok(&tap, written(label, NULL), "one of 64");
	while (strlen(longest) < 252)
		strcat(longest, "a.");
	strcat(longest, "a");
	tap_ok(&tap, strlen(longest) == 253 && written(longest, longest), "253 bytes");
	strcat(longest, ".");
	longest[252] = 'b';
	tap_ok(&tap, written(longest, NULL) == false, "and a last dot");
	longest[253] = 'b';
	tap_ok(&tap, written(longest, NULL), "254 bytes");
}

/* ---- rules against arithmetic ---- */

static const char *const words[] = {"a", "b", "example", "test", "xn--q", "a-b"};
#define N_WORDS (sizeof(words) / sizeof(*words))

static void draw_name(char *to, unsigned labels)
{
	*to = '\0';
	while (labels--)
		to += sprintf(to, "%s%s", words[(unsigned)rand() % N_WORDS], labels ? "." : "");
}

static void draw_rule(struct ruleset_host *h)
{
	static const uint16_t ports[] = {0, 80, 443, 444, 8000, 65535};

	*h = (struct ruleset_host){.below = rand() % 2, .port_high = 65535};
	draw_name(h->name, h->below && rand() % 8 == 0 ? 0 : 1 + (unsigned)rand() % 3);
	if (rand() % 2) {
		h->port_low = ports[rand() % 6];
		h->port_high = ports[rand() % 6];
		if (h->port_high < h->port_low)
			h->port_high = h->port_low;
	}
	h->tcp = rand() % 4;
	h->udp = rand() % 2;
	h->icmp = rand() % 8 == 0;
}

/* The last rule that matches, by ruleset_match_host(). */
static bool agrees(const struct ruleset *rs, const struct image *im, const char *name,
		   uint8_t proto, uint16_t port)
{
	unsigned action = proto ? HG_CONNECT : HG_RESOLVE;
	uint16_t rules[64], want;
	struct hg_out out;
	size_t n;

	n = ruleset_match_host(rs, name, proto, port, rules, 64);
	want = n ? rules[n - 1] : HG_RULE_NONE;
	return !image_host(im, name, proto, port, &out) && out.rule[action] == want;
}

static void random_rules(void)
{
	static const uint8_t protos[] = {0, HG_TCP, HG_UDP, HG_ICMP};
	static const uint16_t ports[] = {0, 79, 80, 443, 444, 8000, 65535};
	unsigned round, i, wrong = 0;

	srand(7);
	for (round = 0; round < 200; round++) {
		struct ruleset *rs = NULL;
		struct image *im = NULL;
		unsigned n = 1 + (unsigned)rand() % 12;

		ruleset_new(&rs);
		for (i = 0; i < n; i++) {
			struct ruleset_host h;
			uint8_t actions = rand() % 3 ? HG_BIT(HG_CONNECT) : HG_BIT(HG_RESOLVE);
			uint16_t rule;

			draw_rule(&h);
			ruleset_add(rs, (enum hg_verdict)(rand() % 3), 0, &rule);
			if (ruleset_host(rs, rule, actions, &h, NULL))
				wrong++;
		}
		if (ruleset_compile(rs, NULL, &im, NULL)) {
			wrong++;
		} else {
			for (i = 0; i < 200; i++) {
				uint8_t proto = protos[rand() % 4];
				char name[128];

				draw_name(name, 1 + (unsigned)rand() % 4);
				wrong += !agrees(rs, im, name, proto,
						 proto ? ports[rand() % 7] : 0);
			}
		}
		image_free(im);
		ruleset_free(rs);
	}
	tap_ok(&tap, !wrong, "40,000 names: the automaton decides as arithmetic does (%u wrong)",
	       wrong);
}

/* The worst case: a name whose string is the longest that there is. */
static void longest_name(void)
{
	struct ruleset_host h = {.tcp = true, .port_low = 65535, .port_high = 65535};
	struct ruleset *rs = NULL;
	struct image *im = NULL;
	struct hg_out out;
	uint16_t rule;

	memset(h.name, 'a', 253);
	h.name[63] = h.name[127] = h.name[191] = '.';
	ruleset_new(&rs);
	ruleset_add(rs, HG_ALLOW, 0, &rule);
	tap_ok(&tap, !ruleset_host(rs, rule, HG_BIT(HG_CONNECT), &h, NULL) &&
			     !ruleset_compile(rs, NULL, &im, NULL) &&
			     !image_host(im, h.name, HG_TCP, 65535, &out) &&
			     out.allow == HG_BIT(HG_CONNECT) &&
			     !image_host(im, h.name, 0, 0, &out) &&
			     out.allow == HG_BIT(HG_RESOLVE),
	       "the longest name, connected to and asked for");
	image_free(im);
	ruleset_free(rs);
}

/* ---- addresses ---- */

static bool is_public(const char *text)
{
	__u8 a[16] = {[10] = 0xff, [11] = 0xff};

	if (inet_pton(AF_INET, text, a + 12) != 1 && inet_pton(AF_INET6, text, a) != 1)
		abort();
	return hg_public(a);
}

static void addresses(void)
{
	static const char *const everybodys[] = {
		"192.0.2.1", "8.0.0.1", "100.63.0.1", "100.128.0.1", "172.15.0.1", "172.32.0.1",
		"192.167.0.1", "169.253.0.1", "198.17.0.1", "198.20.0.1", "223.255.255.255",
		"2001:db8::1", "2a00::1", "64:ff9b::192.0.2.1", "2002:c000:0201::1", "::ffff:192.0.2.1",
	};
	static const char *const not[] = {
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "127.0.0.1", "127.255.255.254", "100.64.0.1",
		"100.127.255.255", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.168.1.1",
		"192.0.0.8", "198.18.0.1", "198.19.255.255", "224.0.0.1", "239.1.1.1", "240.0.0.1",
		"255.255.255.255", "::", "::1", "fe80::1", "fec0::1", "fc00::1", "fd12::1", "ff02::1",
		"::ffff:10.0.0.1", "::10.0.0.1", "::192.0.2.1", "64:ff9b::10.0.0.1",
		"64:ff9b::127.0.0.1", "64:ff9b:1::192.0.2.1", "64:ff9b:0:1::192.0.2.1",
		"2002:0a00:0001::1", "2002:7f00:0001::1", "2001:0:1::1", "100::1", "4000::1",
	};
	size_t i;

	for (i = 0; i < sizeof(everybodys) / sizeof(*everybodys); i++)
		tap_ok(&tap, is_public(everybodys[i]), "%s is everybody's", everybodys[i]);
	for (i = 0; i < sizeof(not) / sizeof(*not); i++)
		tap_ok(&tap, !is_public(not[i]), "%s is not", not[i]);
}

/* ---- resolv.conf ---- */

static void resolver_lines(void)
{
	static const uint8_t v4[16] = {[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 53};
	static const uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 53};
	static const char *const none[] = {
		"", "# nameserver 192.0.2.53", "nameserver", "nameserver ", "nameserverx 192.0.2.53",
		" nameserver 192.0.2.53", "nameserver 192.0.2.300", "nameserver host.example",
		"search example", "nameserver192.0.2.53",
	};
	struct resolvers r = {};
	size_t i;

	for (i = 0; i < sizeof(none) / sizeof(*none); i++)
		resolvers_line(&r, none[i]);
	tap_ok(&tap, r.n == 0, "lines that name no resolver");
	resolvers_line(&r, "nameserver 192.0.2.53");
	resolvers_line(&r, "nameserver\t2001:db8::35%eth0 # ours");
	resolvers_line(&r, "nameserver 192.0.2.53 ");
	tap_ok(&tap, r.n == 2 && resolvers_have(&r, v4) && resolvers_have(&r, v6),
	       "two that do, one of them twice");
	for (i = 0; i < 2 * RESOLVERS_MAX; i++) {
		char line[64];

		snprintf(line, sizeof(line), "nameserver 192.0.2.%zu", 100 + i);
		resolvers_line(&r, line);
	}
	tap_ok(&tap, r.n == RESOLVERS_MAX, "more than there is room for");
	tap_ok(&tap, !resolvers_read("/nonexistent", &r) && r.n == 1 && r.address[0][12] == 127,
	       "without the file, this machine");
}

int main(void)
{
	names();
	random_rules();
	longest_name();
	addresses();
	resolver_lines();
	return tap_done(&tap);
}
