/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Doubts about a policy that is sound: rules that never decide, rules that are wider than they
 * look, grants through which an agent leaves its cage. Only about rules of the user's own files:
 * nobody can act on a doubt about a shipped policy.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "policy_load.h"

static bool has_bytes(const char *text, size_t len, const char *part)
{
	return memmem(text, len, part, strlen(part));
}

/* ---- rules that never decide ---- */

/* A path that the pattern matches, for looking up what else matches it; false where it would take
 * more than a look (variables). out: at least len + 8 bytes. */
static bool sample_path(const char *pattern, size_t len, char *out)
{
	char *to = out;

	if (has_bytes(pattern, len, "${"))
		return false;
	for (size_t i = 0; i < len; i++) {
		switch (pattern[i]) {
		case '\\':
			if (++i < len)
				*to++ = pattern[i];
			break;
		case '[':
			*to++ = i + 1 < len && pattern[i + 1] == '!' ? '_' : pattern[i + 1];
			for (i += 2; i < len && pattern[i] != ']'; i++)
				;
			break;
		case '{':
			break;
		case ',':
			/* The first alternative was taken; the rest of its group is skipped. */
			for (; i < len && pattern[i] != '}'; i++)
				;
			break;
		case '}':
			break;
		case '*':
			if (to == out)
				*to++ = '/';
			*to++ = 'x';
			i += i + 1 < len && pattern[i + 1] == '*';
			break;
		case '?':
			*to++ = 'x';
			break;
		default:
			*to++ = pattern[i];
		}
	}
	*to = '\0';
	return *out == '/';
}

/* The last rule that matches a path which rule `dead` speaks of, HG_RULE_NONE for none found. */
static uint16_t hidden_by(const struct policy *p, uint16_t dead, const struct rule_line *r)
{
	const struct policy_rule *rule = &p->rules[dead];
	uint8_t actions = r->all ? HG_ALL_PATH_ACTIONS : r->path_actions;
	char *path = malloc(strlen(rule->text) + 8);
	uint16_t found = HG_RULE_NONE;
	struct hg_out out;

	for (size_t i = 0; path && i < r->n_objects && found == HG_RULE_NONE; i++) {
		if (r->use && !image_use(p->image, r->objects[i].use, &out) &&
		    out.rule[HG_USE] != HG_RULE_NONE && out.rule[HG_USE] > dead)
			found = out.rule[HG_USE];
		if (r->use ||
		    !sample_path(rule->text + r->objects[i].at, r->objects[i].len, path) ||
		    image_path(p->image, path, strlen(path), &out))
			continue;
		for (unsigned a = 0; a < HG_N_PATH_ACTIONS; a++) {
			if ((actions & HG_BIT(a)) && out.rule[a] != HG_RULE_NONE &&
			    out.rule[a] > dead)
				found = out.rule[a];
		}
	}
	free(path);
	return found;
}

static void warn_dead(const struct policy *p, uint16_t index, const struct rule_line *r,
		      struct diags *d)
{
	const struct policy_rule *rule = &p->rules[index];
	uint16_t by = hidden_by(p, index, r);

	if (by == HG_RULE_NONE)
		diag_add(d, DIAG_WARNING, rule->file, rule->line, rule->col,
			 "this rule never decides "
			 "anything: later rules decide about everything that it matches");
	else
		diag_add(d, DIAG_WARNING, rule->file, rule->line, rule->col,
			 "this rule never decides "
			 "anything: %s:%u:%u (%.80s) comes later",
			 p->rules[by].file, p->rules[by].line, p->rules[by].col, p->rules[by].text);
}

/* ---- rules that are wider, narrower or emptier than they look ---- */

/* A double star beside other bytes: /a/x** is no prefix of names in /a, it crosses into folders. */
static bool glued_stars(const char *text, size_t len)
{
	for (size_t i = 0; i + 1 < len; i++) {
		if (text[i] == '\\') {
			i++;
			continue;
		}
		if (text[i] != '*' || text[i + 1] != '*')
			continue;
		if ((i && !strchr("/{,", text[i - 1])) ||
		    (i + 2 < len && !strchr("/},", text[i + 2])))
			return true;
		i++;
	}
	return false;
}

static void warn_path(const struct policy_rule *rule, const char *text, size_t len, struct diags *d)
{
	if (glued_stars(text, len))
		diag_add(d, DIAG_WARNING, rule->file, rule->line, rule->col,
			 "`**` in %.*s stands beside other "
			 "bytes and crosses folders; write `*` for names in one folder, `/**` for "
			 "everything "
			 "below",
			 (int)len, text);
	if (rule->verdict != HG_DENY && len > 2 && !memcmp(text, "**/", 3))
		diag_add(d, DIAG_WARNING, rule->file, rule->line, rule->col,
			 "%.*s is anywhere, in other "
			 "people's and other agents' folders too; begin it with ${workspace}/",
			 (int)len, text);
}

static void warn_endpoint(const struct policy_rule *rule, const char *text, size_t len,
			  struct diags *d)
{
	struct ruleset_endpoint ep;
	struct rule_error e;

	if (rule_parse_endpoint(text, len, &ep, &e) || ep.prefix_len)
		return;
	if (rule->verdict != HG_DENY && !ep.icmp && ep.port_low == 0 && ep.port_high == 65535)
		diag_add(d, DIAG_WARNING, rule->file, rule->line, rule->col,
			 "%.*s is every %s and every port", (int)len, text,
			 ep.family ? ep.family == 4 ? "IPv4 address" : "IPv6 address" : "address");
	if (rule->verdict == HG_DENY && ep.family)
		diag_add(d, DIAG_WARNING, rule->file, rule->line, rule->col,
			 "%.*s is IPv%u only; `*` is every "
			 "address of both kinds",
			 (int)len, text, ep.family);
}

static void warn_host(const struct policy_rule *rule, const struct rule_line *r, const char *text,
		      size_t len, struct diags *d)
{
	bool resolve = r->endpoint_actions == HG_BIT(HG_RESOLVE);
	struct ruleset_host host;
	struct rule_error e;

	/* `*` is every address, but for resolve. */
	if (!resolve && !rule_is_host(text, len))
		return;
	if (rule->verdict == HG_DENY || rule_parse_host(text, len, !resolve, &host, &e) ||
	    !host.below || strchr(host.name, '.'))
		return;
	diag_add(d, DIAG_WARNING, rule->file, rule->line, rule->col,
		 "%.*s is every name%s%s, anybody's too, and each name that is asked for carries "
		 "data "
		 "out",
		 (int)len, text, *host.name ? " below " : "", host.name);
}

static void warn_text(const struct policy_rule *rule, const struct rule_line *r, struct diags *d)
{
	if (rule->verdict == HG_ASK)
		diag_add(d, DIAG_NOTE, rule->file, rule->line, rule->col,
			 "nobody can be asked in this version: "
			 "the rule denies, and says no_approver");
	if (rule->verdict == HG_DENY && (rule->options & HG_OPT_LOG))
		diag_add(d, DIAG_WARNING, rule->file, rule->line, rule->col,
			 "[log] is for what is allowed; a "
			 "denial is reported anyway");
	if (rule->verdict == HG_ALLOW && (rule->options & HG_OPT_QUIET))
		diag_add(d, DIAG_WARNING, rule->file, rule->line, rule->col,
			 "[quiet] is for denials; what is "
			 "allowed is not reported anyway");
	for (size_t i = 0; i < r->n_objects && !r->use; i++) {
		const char *text = rule->text + r->objects[i].at;
		size_t len = r->objects[i].len;

		if (*text == '@' || !strncmp(text, "agent:", 6))
			continue;
		if (r->path_actions || (r->all && (*text == '/' || *text == '*')))
			warn_path(rule, text, len, d);
		if (r->endpoint_actions || r->all)
			warn_endpoint(rule, text, len, d);
		if (r->endpoint_actions)
			warn_host(rule, r, text, len, d);
	}
}

/* ---- grants through which an agent leaves its cage ---- */

static const struct sample {
	enum hg_action action;
	const char *path;
} doors[] =
	{
		{HG_MODIFY, "/etc/passwd"},
		{HG_CREATE, "/etc/sudoers.d/x"},
		{HG_CREATE, "/etc/ld.so.preload"},
		{HG_CREATE, "/etc/profile.d/x.sh"},
		{HG_CREATE, "/etc/cron.d/x"},
		{HG_CREATE, "/var/spool/cron/crontabs/root"},
		{HG_CREATE, "/etc/systemd/system/x.service"},
		{HG_CREATE, "/run/systemd/system/x.service"},
		{HG_CREATE, "/etc/udev/rules.d/x.rules"},
		{HG_CREATE, "/etc/modprobe.d/x.conf"},
		{HG_CREATE, "/root/.ssh/authorized_keys"},
		{HG_MODIFY, "/root/.bashrc"},
		{HG_CREATE, "/home/somebody/.ssh/authorized_keys"},
		{HG_MODIFY, "/home/somebody/.bashrc"},
		{HG_MODIFY, "/usr/bin/env"},
		{HG_MODIFY, "/usr/lib/x86_64-linux-gnu/libc.so.6"},
		{HG_CREATE, "/boot/vmlinuz"},
		{HG_CREATE, "/run/docker.sock"},
		{HG_MODIFY, "/dev/uinput"},
		{HG_MODIFY, "/dev/sda"},
},
  sockets[] =
	  {
		  {HG_UNIX, "/run/docker.sock"},
		  {HG_UNIX, "/run/containerd/containerd.sock"},
		  {HG_UNIX, "/run/dbus/system_bus_socket"},
		  {HG_UNIX, "/run/systemd/private"},
		  {HG_UNIX, "/run/user/1000/bus"},
		  {HG_UNIX, "/tmp/tmux-1000/default"},
		  {HG_UNIX, "/tmp/.X11-unix/X0"},
		  {HG_UNIX, "/tmp/ssh-x/agent.1"},
},
  secrets[] = {
	  {HG_READ, "/etc/shadow"},
	  {HG_READ, "/root/.ssh/id_ed25519"},
	  {HG_READ, "/home/somebody/.ssh/id_ed25519"},
	  {HG_READ, "/home/somebody/.aws/credentials"},
	  {HG_READ, "/home/somebody/.bash_history"},
	  {HG_READ, "/dev/sda"},
};

/* One warning for each rule that lets some of the samples through, with the first of them. */
static int warn_samples(const struct policy *p, const struct sample *samples, size_t n,
			const char *does, const char *why, struct diags *d)
{
	struct hit {
		size_t first, n;
	} *hits = calloc(p->n_rules + 1, sizeof(*hits));
	struct hg_out out;
	int err = hits ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && !err; i++) {
		err = image_path(p->image, samples[i].path, strlen(samples[i].path), &out);
		if (err || !(out.allow & HG_BIT(samples[i].action)))
			continue;
		if (!hits[out.rule[samples[i].action]].n++)
			hits[out.rule[samples[i].action]].first = i;
	}
	for (size_t i = 0; i < p->n_rules && !err; i++) {
		const struct policy_rule *r = &p->rules[i];
		char more[48] = "";

		if (!hits[i].n || !rule_is_own(r))
			continue;
		if (hits[i].n > 1)
			snprintf(more, sizeof(more), " and %zu more like it", hits[i].n - 1);
		diag_add(d, DIAG_WARNING, r->file, r->line, r->col, "lets the agent %s %s%s: %s",
			 does, samples[hits[i].first].path, more, why);
	}
	free(hits);
	return err;
}

/* What a word opens that the rest of the policy does not reach. */
static const struct {
	enum hg_use use;
	const char *what;
} beyond[] = {
	{HG_USE_BPF, "programs in the kernel, as far as the agent's capabilities go"},
	{HG_USE_PERF, "what other processes do, as far as kernel.perf_event_paranoid allows"},
	{HG_USE_MODULE, "any of the machine's modules to be loaded by its name"},
	{HG_USE_KEYRING, "the keys of all processes of its user, and lookups that the kernel has "
			 "made by programs outside of every agent"},
	{HG_USE_RAW_SOCKET, "packets to any address, whatever `connect` rules say, and multicast groups"},
	{HG_USE_PACKET_SOCKET, "packets to any address, and everybody's to read"},
	{HG_USE_DEVICE_NODE, "devices under names that no path rule knows"},
	{HG_USE_RAW_DISK, "disks below their file systems: together with a path rule on one, all "
			  "files on it"},
	{HG_USE_CAP + 12, "the machine's network: routes, filters, interfaces"},
	{HG_USE_CAP + 16, "code in the kernel: the guard can be taken away"},
	{HG_USE_CAP + 17, "memory and ports of the machine: the guard can be taken away"},
	{HG_USE_CAP + 21, "root over the machine: with `mount`, what is denied can be mounted where it is "
			   "not; the guard can be taken away"},
	{HG_USE_CAP + 22, "another kernel to be started: the guard can be taken away"},
	{HG_USE_CAP + 30, "the machine's audit log"},
	{HG_USE_CAP + 32, "what other security modules deny"},
	{HG_USE_CAP + 33, "what other security modules deny"},
	{HG_USE_CAP + 38, "the kernel's memory, with `bpf` or `perf`"},
	{HG_USE_CAP + 39, "programs in the kernel, with `bpf`"},
};

static void warn_beyond(const struct policy *p, struct diags *d)
{
	struct hg_out out;

	for (size_t i = 0; i < sizeof(beyond) / sizeof(*beyond); i++) {
		const struct policy_rule *r;

		if (image_use(p->image, beyond[i].use, &out) || !(out.allow & HG_BIT(HG_USE)))
			continue;
		r = &p->rules[out.rule[HG_USE]];
		if (rule_is_own(r))
			diag_add(d, DIAG_WARNING, r->file, r->line, r->col, "`use %s` opens %s",
				 rule_use_names[beyond[i].use], beyond[i].what);
	}
}

/* A hook is run by whoever commits next, outside of every agent. */
static int warn_hooks(const struct policy *p, struct diags *d)
{
	char path[4096];
	struct sample hook = {HG_CREATE, path};

	if (!p->workspace || (size_t)snprintf(path, sizeof(path), "%s/.git/hooks/pre-commit",
					      p->workspace) >= sizeof(path))
		return 0;
	return warn_samples(p, &hook, 1, "make",
			    "git runs it for whoever commits there next; extend "
			    "no-doors to close such things",
			    d);
}

/* Every address is an error (policy_compile.c); of a few it may be meant. */
static void warn_unheld(const struct policy *p, struct diags *d)
{
	struct ruleset_unheld u;
	size_t at = 0;

	while (ruleset_unheld(p->ruleset, &at, &u) == 1) {
		const struct policy_rule *name = &p->rules[u.name], *a = &p->rules[u.address];

		if (rule_is_own(name))
			diag_add(d, DIAG_WARNING, name->file, name->line, name->col,
				 "%s:%u (%.80s) allows addresses at the same ports: where the name "
				 "has "
				 "one of them, it is closed only to who asked for the name",
				 a->file, a->line, a->text);
	}
}

int policy_warn(const struct policy *p, struct diags *d)
{
	uint8_t *dead = calloc(p->n_rules + 1, 1);
	struct rule_line r;
	struct rule_error e;
	int err;

	if (!dead)
		return -ENOMEM;
	err = ruleset_dead(p->ruleset, dead);
	for (size_t i = 0; i < p->n_rules && !err; i++) {
		const struct policy_rule *rule = &p->rules[i];

		if (!rule_is_own(rule))
			continue;
		err = rule_parse(rule->text, strlen(rule->text), &r, &e);
		if (err)
			break;
		warn_text(rule, &r, d);
		if (dead[i])
			warn_dead(p, i, &r, d);
		rule_line_done(&r);
	}
	free(dead);
	if (!err)
		warn_beyond(p, d);
	if (!err)
		warn_unheld(p, d);
	if (!err)
		err = warn_samples(p, doors, sizeof(doors) / sizeof(*doors), "change",
				   "what is there acts "
				   "outside of every agent; extend no-doors to close such things",
				   d);
	if (!err)
		err = warn_samples(p, sockets, sizeof(sockets) / sizeof(*sockets), "reach",
				   "who listens there acts outside of every agent; extend no-doors "
				   "to close such things",
				   d);
	if (!err)
		err = warn_samples(p, secrets, sizeof(secrets) / sizeof(*secrets), "read",
				   "deny it behind "
				   "this rule",
				   d);
	if (!err)
		err = policy_warn_respelled(p, d);
	return err ? err : warn_hooks(p, d);
}
