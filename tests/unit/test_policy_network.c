/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What rules on the network mean: endpoints, other agents, budgets. */
#include <stdio.h>

#include "test_policy.h"

static struct tap tap;

#define HEAD "version: 1\nrules:\n"

static void endpoints(void)
{
	static const char text[] = HEAD
		"  - allow connect 192.0.2.0/24:80-90 [2001:db8::/32]:443/tcp 198.51.100.7:53/udp\n"
		"  - allow connect [::ffff:203.0.113.0/120]:22 2001:db8:1::/48:8080 "
		"203.0.113.9/icmp\n"
		"  - allow listen 127.0.0.1:3000-3999 0.0.0.0:80 *:9000\n";
	static const struct {
		unsigned action;
		const char *ep;
		enum hg_verdict want;
	} cases[] = {
		{HG_CONNECT, "192.0.2.1:80/tcp", HG_ALLOW},
		{HG_CONNECT, "192.0.2.1:90/udp", HG_ALLOW},
		{HG_CONNECT, "192.0.2.1:91/tcp", HG_DENY},
		{HG_CONNECT, "192.0.3.1:80/tcp", HG_DENY},
		{HG_CONNECT, "[2001:db8::7]:443/tcp", HG_ALLOW},
		{HG_CONNECT, "[2001:db8::7]:443/udp", HG_DENY},
		{HG_CONNECT, "[2001:db9::7]:443/tcp", HG_DENY},
		{HG_CONNECT, "198.51.100.7:53/udp", HG_ALLOW},
		{HG_CONNECT, "198.51.100.7:53/tcp", HG_DENY},
		{HG_CONNECT, "203.0.113.5:22/tcp", HG_ALLOW},
		{HG_CONNECT, "[::ffff:203.0.113.5]:22/tcp", HG_ALLOW},
		{HG_CONNECT, "[2001:db8:1::1]:8080/tcp", HG_ALLOW},
		{HG_CONNECT, "203.0.113.9/icmp", HG_ALLOW},
		{HG_CONNECT, "203.0.113.8/icmp", HG_DENY},
		{HG_LISTEN, "127.0.0.1:3500/tcp", HG_ALLOW},
		{HG_LISTEN, "127.0.0.1:4000/tcp", HG_DENY},
		{HG_LISTEN, "0.0.0.0:80/tcp", HG_ALLOW},
		{HG_LISTEN, "192.0.2.1:80/tcp", HG_DENY},
		{HG_LISTEN, "[::1]:9000/tcp", HG_ALLOW},
		{HG_CONNECT, "127.0.0.1:3500/tcp", HG_DENY},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		tap_ok(&tap, is_endpoint(NULL, text, cases[i].action, cases[i].ep, cases[i].want),
		       "%s %s is %s", rule_endpoint_action_names[cases[i].action], cases[i].ep,
		       rule_verdict_names[cases[i].want]);
	tap_ok(&tap,
	       is_endpoint(NULL, HEAD "  - allow all 192.0.2.1:80\n", HG_LISTEN, "192.0.2.1:80", HG_ALLOW),
	       "all of an endpoint");
}

/* `connect agent:` is what it listens on, `unix agent:` its unix sockets; `all` is both. */
static void agents(void)
{
	static const struct {
		const char *rule;
		uint8_t allow;
	} rules[] = {
		{"  - allow connect agent:two\n", HG_BIT(HG_LISTEN)},
		{"  - allow unix agent:two\n", HG_BIT(HG_CONNECT)},
		{"  - allow all agent:two\n", HG_BIT(HG_LISTEN) | HG_BIT(HG_CONNECT)},
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		char text[100];
		struct loaded l;
		struct hg_out two = {}, other = {};

		snprintf(text, sizeof(text), "version: 1\nrules:\n%s", rules[i].rule);
		l = load_text(text, strlen(text), NULL);
		tap_ok(&tap,
		       !l.err && !image_label(l.p->image, HG_LABEL_AGENT, "two", 3, &two) &&
			       !image_label(l.p->image, HG_LABEL_AGENT, "twos", 4, &other) &&
			       two.allow == rules[i].allow && !other.allow &&
			       image_head(l.p->image)->agents == !!(two.allow & HG_BIT(HG_LISTEN)),
		       "what opens another agent:%s", rules[i].rule + 3);
		unload(&l);
	}
}

static void budgets(void)
{
	static const char text[] =
		"version: 1\nrules:\n"
		"  - allow connect a.example:443 [budget=1MiB/h]\n"
		"  - allow connect *.b.example:443 [names=7/d, budget=5kB, log]\n";
	struct loaded l = load_text(text, strlen(text), NULL);

	tap_ok(&tap,
	       !l.err && l.p->rules[0].options == HG_OPT_BUDGET &&
		       l.p->rules[0].budget.amount == 1 << 20 &&
		       l.p->rules[0].budget.period_ns == 3600000000000,
	       "a budget of bytes");
	tap_ok(&tap,
	       !l.err && l.p->rules[1].options == (HG_OPT_BUDGET | HG_OPT_NAMES | HG_OPT_LOG) &&
		       l.p->rules[1].names.amount == 7 && l.p->rules[1].budget.amount == 5000 &&
		       !l.p->rules[1].budget.period_ns,
	       "one of names beside one of bytes");
	tap_ok(&tap, !l.err && image_head(l.p->image)->hosts == (HG_HOSTS_SOME | HG_HOSTS_BUDGET),
	       "the image says that names have budgets");
	unload(&l);
}

int main(void)
{
	endpoints();
	agents();
	budgets();
	return tap_done(&tap);
}
