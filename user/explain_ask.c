/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What `explain` asks: of the image, which decides as the kernel does, and of the rules, which
 * match. */
#include <limits.h>

#include "explain.h"
#include "log.h"
#include "text.h"
#include "util.h"
#include "../policy/expand.h"
#include "../policy/glob.h"

/* ---- paths ---- */

/* Absolute, without ".", ".." and empty parts, nothing followed. */
static int path_clean(const char *path, char **ret)
{
	_free_ char *cwd = *path == '/' ? strdup("") : getcwd(NULL, 0);
	_free_ char *all = NULL, *out = NULL;
	char *save = NULL, *slash;
	size_t len = 0;

	if (!cwd || asprintf(&all, "%s/%s", cwd, path) < 0)
		return -ENOMEM;
	out = calloc(1, strlen(all) + 2);
	if (!out)
		return -ENOMEM;
	for (char *part = strtok_r(all, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
		if (!strcmp(part, "."))
			continue;
		if (!strcmp(part, "..")) {
			slash = strrchr(out, '/');
			len = slash ? (size_t)(slash - out) : 0;
			out[len] = '\0';
			continue;
		}
		out[len++] = '/';
		strcpy(out + len, part);
		len += strlen(part);
	}
	if (!len)
		strcpy(out, "/");
	*ret = take(out);
	return 0;
}

/* What the kernel calls it for this action: creating and deleting are of the name itself, the rest
 * goes through a link. */
static int path_followed(const struct question *q, const char *path, unsigned action, char **ret)
{
	bool follow = action != HG_CREATE && action != HG_DELETE;
	_free_ char *absolute = NULL, *cwd = NULL;
	struct place at;
	int err;

	if (q->no_resolve)
		return path_clean(path, ret);
	cwd = *path == '/' ? strdup("") : getcwd(NULL, 0);
	if (!cwd || asprintf(&absolute, "%s/%s", cwd, path) < 0)
		return -ENOMEM;
	err = place_find(absolute, follow, NULL, &at);
	if (err)
		return err;
	/* /proc/self of this process: a number like the agent's. */
	if (at.self == SELF_NONE)
		*ret = take(at.real);
	else if (asprintf(ret, "%s/%d%s%s", at.real, getpid(), *at.rest ? "/" : "", at.rest) < 0)
		err = -ENOMEM;
	place_done(&at);
	return err;
}

/* And what it is by the mount on which it lies. NULL in *ret: it has no name. */
static int path_named(const struct question *q, const char *path, unsigned action, char **ret,
		      const struct mount_name **ret_mount)
{
	_free_ char *followed = NULL;
	int err = path_followed(q, path, action, &followed);

	*ret_mount = NULL;
	if (err)
		return err;
	if (!q->no_resolve)
		return mount_names_real(&q->p->mounts, followed, ret, ret_mount);
	*ret = take(followed);
	return 0;
}

/* The command line as the kernel has it: the program by the name given, its arguments. */
static int line_make(const struct question *q, const char *path, char **ret, size_t *ret_len)
{
	size_t len = strlen(path) + 1, i;
	char *at;

	for (i = 0; q->args[i]; i++)
		len += strlen(q->args[i]) + 1;
	*ret = at = malloc(len);
	if (!at)
		return -ENOMEM;
	at = stpcpy(at, path) + 1;
	for (i = 0; q->args[i]; i++)
		at = stpcpy(at, q->args[i]) + 1;
	*ret_len = len;
	return 0;
}

/* Where running it depends on its arguments, they decide. */
static int answer_by_arguments(const struct question *q, struct answer *a)
{
	_free_ char *line = NULL;
	struct hg_out out;
	size_t len;
	int err;

	if (a->index != HG_EXEC || !a->out.argv)
		return 0;
	err = line_make(q, a->object, &line, &len);
	if (!err)
		err = image_argv(q->p->image, &a->out, line, len, &out);
	if (err)
		return err;
	a->out = out;
	a->n_rules = ruleset_match_argv(q->p->ruleset, line, len, a->rules, a->n_rules);
	return 0;
}

static int path_answer(struct question *q, const char *path, unsigned action, struct answer *a)
{
	int err;

	*a = (struct answer){.index = action, .object = path};
	memset(a->out.rule, 0xff, sizeof(a->out.rule));
	snprintf(a->action, sizeof(a->action), "%s", rule_action_names[action]);
	err = path_named(q, path, action, &a->named, &a->mount);
	if (err || !a->named)
		return err;
	err = image_path(q->p->image, a->named, strlen(a->named), &a->out);
	a->n_rules = ruleset_match_path(q->p->ruleset, a->named, strlen(a->named), action, a->rules,
					MATCHES_MAX);
	a->n_rules = a->n_rules < MATCHES_MAX ? a->n_rules : MATCHES_MAX;
	if (!err)
		err = explain_respelled(q, a);
	return err ? err : answer_by_arguments(q, a);
}

static bool same_answer(const struct answer *a, const struct answer *b)
{
	return explain_verdict(a) == explain_verdict(b) &&
	       a->out.rule[a->index] == b->out.rule[b->index] &&
	       (a->named == b->named || (a->named && b->named && !strcmp(a->named, b->named))) &&
	       a->n_rules == b->n_rules &&
	       !memcmp(a->rules, b->rules, a->n_rules * sizeof(*a->rules));
}

/* People read it once for all actions that are answered alike; in JSON each has its own. */
static uint8_t answers_join(struct answer *all, uint8_t actions, unsigned first)
{
	struct answer *a = &all[first];
	uint8_t same = HG_BIT(first), write;
	size_t len;

	write = HG_BIT(HG_MODIFY) | HG_BIT(HG_CREATE) | HG_BIT(HG_DELETE) | HG_BIT(HG_ATTR);
	for (unsigned i = first + 1; i < HG_N_PATH_ACTIONS; i++) {
		if (!(actions & HG_BIT(i)) || !same_answer(a, &all[i]))
			continue;
		same |= HG_BIT(i);
		len = strlen(a->action);
		snprintf(a->action + len, sizeof(a->action) - len, ",%s", all[i].action);
	}
	if (same == write || same == HG_ALL_PATH_ACTIONS)
		strcpy(a->action, same == write ? "write" : "all");
	return same;
}

int explain_paths(struct question *q, uint8_t actions, const char *path)
{
	struct answer all[HG_N_PATH_ACTIONS] = {};
	uint8_t left = actions;
	int err = 0;

	for (unsigned i = 0; i < HG_N_PATH_ACTIONS && !err; i++) {
		if (actions & HG_BIT(i))
			err = path_answer(q, path, i, &all[i]);
	}
	if (err)
		log_errno(err, "cannot tell about %s", path);
	for (unsigned i = 0; i < HG_N_PATH_ACTIONS && !err; i++) {
		if (!(left & HG_BIT(i)))
			continue;
		left &= ~(q->results ? HG_BIT(i) : answers_join(all, left, i));
		err = explain_say(q, &all[i]);
	}
	for (unsigned i = 0; i < HG_N_PATH_ACTIONS; i++)
		free(all[i].named);
	return err;
}

/* ---- endpoints ---- */

static int explain_endpoint(struct question *q, unsigned action, const char *text,
			    const struct ruleset_endpoint *ep, uint8_t proto)
{
	struct answer a = {.index = action, .object = text};
	const char *word = proto == HG_TCP ? "tcp" : proto == HG_UDP ? "udp" : "icmp";
	uint16_t port = proto == HG_ICMP ? 0 : ep->port_low;
	_free_ char *named = NULL;
	struct hg_endpoint bytes = {};
	int err;

	if (ep->family == 4)
		hg_endpoint_v4(&bytes, ep->address, proto, port, action == HG_CONNECT);
	else
		hg_endpoint_v6(&bytes, ep->address, proto, port, action == HG_CONNECT);
	if ((strchr(text, '/') ? asprintf(&named, "%s", text)
			       : asprintf(&named, "%s/%s", text, word)) < 0)
		return -ENOMEM;
	err = image_endpoint(q->p->image, &bytes, &a.out);
	if (err)
		return log_errno(err, "cannot tell about %s", text);
	a.named = named;
	snprintf(a.action, sizeof(a.action), "%s", rule_endpoint_action_names[action]);
	a.n_rules = ruleset_match_endpoint(q->p->ruleset, &bytes, action, a.rules, MATCHES_MAX);
	a.n_rules = a.n_rules < MATCHES_MAX ? a.n_rules : MATCHES_MAX;
	return explain_say(q, &a);
}

int explain_endpoints(struct question *q, uint8_t actions, const char *text,
		      const struct ruleset_endpoint *ep)
{
	int err = 0;

	for (unsigned i = 0; i < HG_N_EP_ACTIONS && !err; i++) {
		if (!(actions & HG_BIT(i)))
			continue;
		if (ep->tcp)
			err = explain_endpoint(q, i, text, ep, HG_TCP);
		if (ep->udp && !err)
			err = explain_endpoint(q, i, text, ep, HG_UDP);
		if (ep->icmp && !err)
			err = explain_endpoint(q, i, text, ep, HG_ICMP);
	}
	return err;
}

/* ---- words ---- */

int explain_use(struct question *q, enum hg_use use)
{
	struct answer a = {.action = "use", .index = HG_USE, .object = rule_use_names[use]};
	_free_ char *named = strdup(rule_use_names[use]);
	int err = named ? image_use(q->p->image, use, &a.out) : -ENOMEM;

	a.named = named;
	if (err)
		return log_errno(err, "cannot tell about %s", a.object);
	a.n_rules = ruleset_match_use(q->p->ruleset, use, a.rules, MATCHES_MAX);
	a.n_rules = a.n_rules < MATCHES_MAX ? a.n_rules : MATCHES_MAX;
	return explain_say(q, &a);
}

/* ---- hosts ---- */

static int explain_host_at(struct question *q, const char *text, const struct ruleset_host *host,
			   uint8_t proto)
{
	uint16_t port = proto == HG_ICMP ? 0 : host->port_low;
	const char *word = proto == HG_TCP   ? "/tcp"
			   : proto == HG_UDP ? "/udp"
			   : proto	     ? "/icmp"
					     : "";
	struct answer a = {.index = proto ? HG_CONNECT : HG_RESOLVE, .object = text};
	_free_ char *named = NULL;
	int err;

	if ((strchr(text, '/') ? asprintf(&named, "%s", text)
			       : asprintf(&named, "%s%s", text, word)) < 0)
		return -ENOMEM;
	err = image_host(q->p->image, host->name, proto, port, &a.out);
	if (err)
		return log_errno(err, "cannot tell about %s", text);
	a.named = named;
	snprintf(a.action, sizeof(a.action), "%s", rule_endpoint_action_names[a.index]);
	a.n_rules =
		ruleset_match_host(q->p->ruleset, host->name, proto, port, a.rules, MATCHES_MAX);
	a.n_rules = a.n_rules < MATCHES_MAX ? a.n_rules : MATCHES_MAX;
	return explain_say(q, &a);
}

int explain_host(struct question *q, bool resolve, const char *text,
		 const struct ruleset_host *host)
{
	int err = 0;

	if (resolve)
		return explain_host_at(q, text, host, 0);
	if (host->tcp)
		err = explain_host_at(q, text, host, HG_TCP);
	if (host->udp && !err)
		err = explain_host_at(q, text, host, HG_UDP);
	if (host->icmp && !err)
		err = explain_host_at(q, text, host, HG_ICMP);
	return err;
}

/* ---- names ---- */

/* What is behind the `@` or `agent:`; a pattern that matches one name says it. */
static int label_read(const char *text, char name[HG_ABSTRACT_MAX], size_t *ret_len)
{
	struct ruleset_error e;
	struct glob *glob = NULL;
	const struct glob_alternative *alt;
	int err;

	err = glob_parse_label(&glob, text, strlen(text), &e);
	if (err == -EINVAL || err == -E2BIG)
		log_error("%s", e.message);
	if (err)
		return err;
	alt = &glob->alternatives[0];
	err = glob->n_alternatives == 1 ? 0 : -EINVAL;
	for (size_t i = 0; i < alt->n && !err; i++) {
		if (alt->tokens[i].kind != GLOB_BYTE)
			err = -EINVAL;
		name[i] = (char)alt->tokens[i].byte;
	}
	*ret_len = alt->n;
	glob_free(&glob);
	if (err)
		log_error("ask about one name; a wildcard that is a byte of it is written \\*");
	return err;
}

int explain_label(struct question *q, const struct rule_line *r, const char *text)
{
	enum hg_label kind = *text == '@' ? HG_LABEL_ABSTRACT : HG_LABEL_AGENT;
	bool agent = kind == HG_LABEL_AGENT;
	uint8_t actions = r->all	    ? HG_BIT(HG_CONNECT) | HG_BIT(HG_LISTEN)
			  : r->path_actions ? HG_BIT(HG_CONNECT)
			  : agent	    ? HG_BIT(HG_LISTEN)
					    : r->endpoint_actions;
	char name[HG_ABSTRACT_MAX];
	size_t len;
	int err;

	err = label_read(strchr(text, agent ? ':' : '@') + 1, name, &len);
	for (unsigned i = 0; i < HG_N_EP_ACTIONS && !err; i++) {
		struct answer a = {.index = i, .object = text};
		_free_ char *named = strdup(text);

		if (!(actions & HG_BIT(i)))
			continue;
		err = named ? image_label(q->p->image, kind, name, len, &a.out) : -ENOMEM;
		if (err)
			return log_errno(err, "cannot tell about %s", text);
		a.named = named;
		snprintf(a.action, sizeof(a.action), "%s",
			 i != HG_LISTEN ? "unix"
			 : agent	? "connect"
					: "listen");
		a.n_rules = ruleset_match_label(q->p->ruleset, kind, name, len, i, a.rules,
						MATCHES_MAX);
		a.n_rules = a.n_rules < MATCHES_MAX ? a.n_rules : MATCHES_MAX;
		err = explain_say(q, &a);
	}
	return err;
}
