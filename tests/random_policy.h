/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Policies drawn at random, of rules of every kind, and what they are drawn with. */
#ifndef RANDOM_POLICY_H
#define RANDOM_POLICY_H

#include <stdio.h>
#include <string.h>

#include "../policy/ruleset.h"
#include "random.h"

static const char *const words[] = {
	"home", "usr",  "a",	 "ab",	   ".env", ".ssh",	  ".git",  "hooks", "id_rsa",
	"lib",  "work", "x.pem", "config", "deny", "a-long-name-that-passes-one-window-of-bytes",
};
#define N_WORDS (sizeof(words) / sizeof(words[0]))
static const char *const globs[] = {
	"*", "a*", "*.pem", "?", "[a-f]*", "**", "id_*", "{usr,lib}", "*n?v", "a**b", "*-of-*",
};
#define N_GLOBS (sizeof(globs) / sizeof(globs[0]))

static void random_pattern(char *to, size_t max)
{
	size_t n = 1 + rnd(4), len = 0, i;

	if (rnd(3) == 0)
		len += snprintf(to + len, max - len, "**");
	for (i = 0; i < n; i++)
		len += snprintf(to + len, max - len, "/%s",
				rnd(3) ? words[rnd(N_WORDS)] : globs[rnd(N_GLOBS)]);
	if (rnd(2))
		snprintf(to + len, max - len, "/**");
}

static const char *const argvs[] = {
	"** a **", "a **", "** b", "*a* **", "", "{a,b} **", "** ab ** a", "? *", "-[ab]* **", "**",
};
#define N_ARGVS (sizeof(argvs) / sizeof(argvs[0]))

/* Some rules on running are on arguments, too. */
static int random_path_rule(struct ruleset *rs, uint16_t rule, struct ruleset_error *error)
{
	uint8_t actions = 1 + rnd(HG_ALL_PATH_ACTIONS);
	const char *argv = argvs[rnd(N_ARGVS)];
	char pattern[512];
	int err = 0;

	if (rnd(4) == 0) {
		actions = HG_BIT(HG_EXEC);
		err = ruleset_argv(rs, rule, argv, strlen(argv), error);
	}
	random_pattern(pattern, sizeof(pattern));
	return err ? err : ruleset_path(rs, rule, actions, pattern, strlen(pattern), error);
}

static void random_endpoint_rule(struct ruleset_endpoint *ep)
{
	memset(ep, 0, sizeof(*ep));
	ep->family = rnd(5) == 0 ? 0 : rnd(2) ? 4 : 6;
	ep->tcp = true;
	ep->udp = rnd(2);
	ep->icmp = rnd(4) == 0;
	ep->port_low = rnd(3) ? rnd(65536) : 0;
	ep->port_high = ep->port_low + rnd(65536u - ep->port_low);
	if (ep->family == 4) {
		ep->prefix_len = 8 * rnd(5);
		for (unsigned i = 0; i < ep->prefix_len / 8u; i++)
			ep->address[i] = i == 0 ? 10 : rnd(4);
	} else if (ep->family == 6) {
		ep->prefix_len = 8 * rnd(17);
		for (unsigned i = 0; i < ep->prefix_len / 8u; i++)
			ep->address[i] = i == 0 ? 0x20 : rnd(3);
	}
}

static const char *const labels[] = { "a", "b", "example", "test", "xn--q", "a-b" };
#define N_LABELS (sizeof(labels) / sizeof(labels[0]))

static uint32_t random_host(char *to, uint32_t n)
{
	uint32_t len = 0;

	for (to[0] = '\0'; n--;)
		len += sprintf(to + len, "%s%s", labels[rnd(N_LABELS)], n ? "." : "");
	return len;
}

static int random_name_rule(struct ruleset *rs, uint16_t rule, struct ruleset_error *error)
{
	struct ruleset_host h = { .below = rnd(2), .tcp = true, .udp = rnd(2), .port_high = 65535 };
	const char *agent = globs[rnd(N_GLOBS)];

	if (rnd(4) == 0)
		return ruleset_label(rs, rule, 1 + rnd(3), HG_LABEL_AGENT, agent, strlen(agent),
				     error);
	random_host(h.name, h.below ? rnd(3) : 1 + rnd(3));
	if (rnd(2)) {
		h.port_low = rnd(3) * 443;
		h.port_high = h.port_low + rnd(2) * 100;
	}
	return ruleset_host(rs, rule, rnd(3) ? HG_BIT(HG_CONNECT) : HG_BIT(HG_RESOLVE), &h, error);
}

static int random_image(struct image **ret)
{
	struct ruleset_error error = {};
	struct ruleset_endpoint ep;
	struct ruleset *rs = NULL;
	uint32_t n = 5 + rnd(60), i;
	uint16_t rule;
	int err = ruleset_new(&rs);

	for (i = 0; !err && i < n; i++) {
		err = ruleset_add(rs, rnd(3), rnd(4), &rule);
		if (err)
			break;
		if (rnd(4) == 0) {
			err = random_name_rule(rs, rule, &error);
		} else if (rnd(3)) {
			err = random_path_rule(rs, rule, &error);
		} else {
			random_endpoint_rule(&ep);
			err = ruleset_endpoint(rs, rule, 1 + rnd(3), &ep, &error);
		}
	}
	if (!err)
		err = ruleset_compile(rs, NULL, ret, &error);
	if (err)
		printf("# %s: %s\n", strerror(-err), error.message);
	ruleset_free(rs);
	return err;
}

#endif
