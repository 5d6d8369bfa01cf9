/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `hydraguard explain`: what a policy decides, by which rule, over which others. */
#include <limits.h>

#include "cli.h"
#include "json.h"
#include "log.h"
#include "text.h"
#include "util.h"
#include "verbs.h"
#include "../policy/expand.h"
#include "../policy/glob.h"

enum { OPT_JSON = 1, OPT_POLICY, OPT_HOME, OPT_NAME, OPT_WORKSPACE, OPT_NO_RESOLVE };

static const struct option options[] = {
	{"json", no_argument, NULL, OPT_JSON},
	{"policy", required_argument, NULL, OPT_POLICY},
	{"home", required_argument, NULL, OPT_HOME},
	{"name", required_argument, NULL, OPT_NAME},
	{"workspace", required_argument, NULL, OPT_WORKSPACE},
	{"no-resolve", no_argument, NULL, OPT_NO_RESOLVE},
	{},
};
static const struct cli cli = {
	.usage = "explain --policy POLICY [OPTION]... [--] ACTION[,ACTION]... "
		 "PATH|ENDPOINT|WORD|@NAME|agent:NAME [ARGUMENT]...",
	.help = "ACTION: read, modify, create, delete, attr, exec, write (modify, create, delete "
		"and\n"
		"attr), all; or connect, listen with an endpoint as 192.0.2.1:443 or "
		"[2001:db8::1]:53/udp;\n"
		"or use with a word as mount or cap:SYS_TIME;\n"
		"or unix with a socket's path, @NAME (abstract; \\xHH is any byte) or agent:NAME "
		"(another\nagent's sockets), or listen with @NAME. An agent's own sockets are always "
		"reachable.\n"
		"  --json            one object\n"
		"  --home DIR        ${home}: of the user that the agent will run as\n"
		"  --name NAME       ${name}, instead of the policy's own\n"
		"  --workspace DIR   instead of the policy's own\n"
		"  --no-resolve      take PATH as the kernel's own name, do not follow its links\n"
		"exec PATH may be followed by the ARGUMENTs that the program is given; put -- before "
		"exec\n"
		"where one begins with a dash.\n"
		"Exit code 0: all of it is allowed; 1: some of it is not.\n",
	.options = options,
};

/* Rules that match one object, shown at most. */
#define MATCHES_MAX 256
/* Bytes of a rule that a line shows. */
#define RULE_SHOWN_MAX 160

struct question {
	const struct policy *p;
	struct json_object *results; /* NULL: readable lines */
	bool no_resolve;
	char *const *args; /* of the program, NULL-ended */
	bool refused; /* something was not allowed */
};

/* One object as the kernel sees it. */
struct answer {
	char action[64]; /* its word; those of all that are answered so, with commas */
	unsigned index;
	const char *object;		/* as given */
	char *named;			/* as the kernel names it; NULL: it has no name there */
	const struct mount_name *mount; /* that gives it this name; NULL: it is as given */
	struct hg_out out;
	uint16_t rules[MATCHES_MAX]; /* every rule that matches, in order */
	size_t n_rules;
};

/* ---- saying it ---- */

static enum hg_verdict verdict_of(const struct answer *a)
{
	uint8_t bit = HG_BIT(a->index);

	return a->out.allow & bit ? HG_ALLOW : a->out.ask & bit ? HG_ASK : HG_DENY;
}

static void print_rule(const char *word, const struct policy_rule *r)
{
	size_t len = strlen(r->text), n = len;

	if (n > RULE_SHOWN_MAX) {
		n = RULE_SHOWN_MAX;
		while (n && r->text[n] != ' ')
			n--;
	}
	printf("  %s ", word);
	text_show(stdout, r->file, strlen(r->file));
	printf(":%u:%u: ", r->line, r->col);
	text_show(stdout, r->text, n);
	printf("%s%s\n", n < len ? " ..." : "", r->never ? " (never)" : "");
}

/* JSON is UTF-8, names need not be. */
static char *text_repaired(const char *text)
{
	size_t len;

	return utf8_repair(text, strlen(text), &len);
}

static void print_mount(const struct mount_name *m)
{
	if (!m->name)
		return;
	fputs("  ", stdout);
	text_show(stdout, m->path, strlen(m->path));
	fputs(" is another mount of ", stdout);
	text_show(stdout, m->name, strlen(m->name));
	fputs(", which names it\n", stdout);
}

static void print_answer(const struct question *q, const struct answer *a)
{
	uint16_t deciding = a->out.rule[a->index];

	printf("%s %s ", rule_verdict_names[verdict_of(a)], a->action);
	text_show(stdout, a->object, strlen(a->object));
	if (a->named && strcmp(a->object, a->named)) {
		printf(" (");
		text_show(stdout, a->named, strlen(a->named));
		printf(")");
	}
	printf("%s\n", q->p->mode == POLICY_AUDIT && verdict_of(a) != HG_ALLOW
			       ? ", only reported: the policy's mode is audit"
			       : "");
	if (a->mount)
		print_mount(a->mount);
	if (!a->named)
		printf("  by unmapped_filesystem: the kernel side has no name for it\n");
	else if (deciding == HG_RULE_NONE)
		printf("  by default: no rule matches\n");
	else
		print_rule("by", &q->p->rules[deciding]);
	for (size_t i = a->n_rules; i-- > 0;) {
		if (a->rules[i] != deciding)
			print_rule("over", &q->p->rules[a->rules[i]]);
	}
}

static struct json_object *json_rule(const struct policy_rule *r, int *err)
{
	struct json_object *o = json_object_new_object();
	_free_ char *file = text_repaired(r->file);
	_free_ char *text = text_repaired(r->text);

	if (!o || !file || !text)
		*err = -ENOMEM;
	json_add_text(o, "file", file, err);
	json_add_u64(o, "line", r->line, err);
	json_add_u64(o, "col", r->col, err);
	json_add_text(o, "text", text, err);
	json_add_flag(o, "never", r->never, err);
	return o;
}

static int json_answer(const struct question *q, const struct answer *a)
{
	struct json_object *o = json_object_new_object(), *over = json_object_new_array();
	_free_ char *object = text_repaired(a->object);
	_free_ char *named = text_repaired(a->named ? a->named : "");
	uint16_t deciding = a->out.rule[a->index];
	int err = o && over && object && named ? 0 : -ENOMEM;

	json_add_text(o, "action", a->action, &err);
	json_add_text(o, "object", object, &err);
	if (a->named)
		json_add_text(o, "named", named, &err);
	json_add_text(o, "verdict", rule_verdict_names[verdict_of(a)], &err);
	json_add_text(o, "reason",
		      !a->named			 ? "unmapped_filesystem"
		      : deciding == HG_RULE_NONE ? "default"
						 : "rule",
		      &err);
	if (deciding != HG_RULE_NONE)
		json_add(o, "rule", json_rule(&q->p->rules[deciding], &err), &err);
	for (size_t i = a->n_rules; i-- > 0;) {
		if (a->rules[i] != deciding)
			json_append(over, json_rule(&q->p->rules[a->rules[i]], &err), &err);
	}
	json_add(o, "overrode", over, &err);
	json_append(q->results, o, &err);
	return err;
}

static int say(struct question *q, const struct answer *a)
{
	q->refused |= verdict_of(a) != HG_ALLOW;
	if (q->results)
		return json_answer(q, a);
	print_answer(q, a);
	return 0;
}

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
	return err ? err : answer_by_arguments(q, a);
}

static bool same_answer(const struct answer *a, const struct answer *b)
{
	return verdict_of(a) == verdict_of(b) && a->out.rule[a->index] == b->out.rule[b->index] &&
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

static int explain_paths(struct question *q, uint8_t actions, const char *path)
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
		err = say(q, &all[i]);
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
	return say(q, &a);
}

static int explain_endpoints(struct question *q, uint8_t actions, const char *text,
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

static int explain_use(struct question *q, enum hg_use use)
{
	struct answer a = {.action = "use", .index = HG_USE, .object = rule_use_names[use]};
	_free_ char *named = strdup(rule_use_names[use]);
	int err = named ? image_use(q->p->image, use, &a.out) : -ENOMEM;

	a.named = named;
	if (err)
		return log_errno(err, "cannot tell about %s", a.object);
	a.n_rules = ruleset_match_use(q->p->ruleset, use, a.rules, MATCHES_MAX);
	a.n_rules = a.n_rules < MATCHES_MAX ? a.n_rules : MATCHES_MAX;
	return say(q, &a);
}

/* ---- names ---- */

/* What is behind the `@` or `agent:`; a pattern that matches one name says it. */
static int label_read(const char *text, char name[HG_LABEL_MAX], size_t *ret_len)
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

static int explain_label(struct question *q, const struct rule_line *r, const char *text)
{
	enum hg_label kind = *text == '@' ? HG_LABEL_ABSTRACT : HG_LABEL_AGENT;
	uint8_t actions = r->all	    ? HG_BIT(HG_CONNECT) | HG_BIT(HG_LISTEN)
			  : r->path_actions ? HG_BIT(HG_CONNECT)
					    : r->endpoint_actions;
	char name[HG_LABEL_MAX];
	size_t len;
	int err;

	if (kind == HG_LABEL_AGENT)
		actions &= HG_BIT(HG_CONNECT);
	err = label_read(strchr(text, kind == HG_LABEL_AGENT ? ':' : '@') + 1, name, &len);
	for (unsigned i = 0; i < HG_N_EP_ACTIONS && !err; i++) {
		struct answer a = {.index = i, .object = text};
		_free_ char *named = strdup(text);

		if (!(actions & HG_BIT(i)))
			continue;
		err = named ? image_label(q->p->image, kind, name, len, &a.out) : -ENOMEM;
		if (err)
			return log_errno(err, "cannot tell about %s", text);
		a.named = named;
		snprintf(a.action, sizeof(a.action), "%s", i == HG_LISTEN ? "listen" : "unix");
		a.n_rules = ruleset_match_label(q->p->ruleset, kind, name, len, i, a.rules,
						MATCHES_MAX);
		a.n_rules = a.n_rules < MATCHES_MAX ? a.n_rules : MATCHES_MAX;
		err = say(q, &a);
	}
	return err;
}

static bool is_label(const char *object)
{
	return *object == '@' || !strncmp(object, "agent:", 6);
}

/* ---- the command line ---- */

/* -EINVAL: told. */
static int read_actions(const char *words, struct rule_line *ret)
{
	struct rule_error e;
	size_t n;

	for (;; words += n + 1) {
		n = strcspn(words, ",");
		if (rule_action_word(words, n, 0, ret, &e)) {
			log_error("%s", e.message);
			return -EINVAL;
		}
		if (!words[n])
			break;
	}
	if ((ret->use && (ret->all || ret->path_actions || ret->endpoint_actions)) ||
	    (ret->path_actions && ret->endpoint_actions)) {
		log_error("ask about files, about the network or about a word of `use`, one at a "
			  "time");
		return -EINVAL;
	}
	return 0;
}

static int read_use(const char *text, enum hg_use *ret)
{
	struct rule_error e;

	if (!rule_use_word(text, strlen(text), 0, ret, &e))
		return 0;
	log_error("%s", e.message);
	return -EINVAL;
}

static int read_endpoint(const char *text, struct ruleset_endpoint *ret)
{
	struct rule_error e;

	if (rule_parse_endpoint(text, strlen(text), ret, &e)) {
		log_error("%s", e.message);
		return -EINVAL;
	}
	if (!ret->family || ret->prefix_len != (ret->family == 4 ? 32 : 128) ||
	    (!ret->icmp && ret->port_low != ret->port_high)) {
		log_error("ask about one address and one port, as in 192.0.2.1:443");
		return -EINVAL;
	}
	return 0;
}

/* What an action is done to; path: the text is one. */
struct asked {
	const char *text;
	bool path;
	struct ruleset_endpoint ep;
	enum hg_use use;
};

static int read_object(const struct rule_line *r, const char *text, struct asked *ret)
{
	struct rule_error ignored;

	enum rule_object_kind kind;

	ret->text = text;
	if (r->use)
		return read_use(text, &ret->use);
	if (is_label(text)) {
		if (!rule_object_kind(r, text, strlen(text), &kind, &ignored))
			return 0;
		log_error("%s", ignored.message);
		return -EINVAL;
	}
	ret->path = r->path_actions ||
		    (r->all && rule_parse_endpoint(text, strlen(text), &ret->ep, &ignored));
	return ret->path ? 0 : read_endpoint(text, &ret->ep);
}

static int explain(struct question *q, const struct rule_line *r, const struct asked *asked)
{
	struct json_object *o = NULL;
	int err = 0;

	if (r->use)
		err = explain_use(q, asked->use);
	else if (is_label(asked->text))
		err = explain_label(q, r, asked->text);
	else if (asked->path)
		err = explain_paths(q, r->all ? HG_ALL_PATH_ACTIONS : r->path_actions,
				    asked->text);
	else
		err = explain_endpoints(
			q, r->all ? HG_BIT(HG_CONNECT) | HG_BIT(HG_LISTEN) : r->endpoint_actions,
			asked->text, &asked->ep);
	if (!q->results)
		return err ? err : fflush(stdout) ? -EIO : 0;
	o = json_object_new_object();
	if (!o)
		err = -ENOMEM;
	json_add_text(o, "policy", q->p->name, &err);
	json_add_text(o, "mode", q->p->mode == POLICY_AUDIT ? "audit" : "enforce", &err);
	json_add(o, "results", json_object_get(q->results), &err);
	if (!err)
		err = json_print(o);
	json_object_put(o);
	return err;
}

static int options_read(int argc, char **argv, struct policy_params *params, struct question *q,
			const char **ret_policy, bool *ret_json, int *ret_code)
{
	int c;

	while ((c = cli_next(&cli, argc, argv, ret_code)) != -1) {
		switch (c) {
		case OPT_JSON:
			*ret_json = true;
			break;
		case OPT_POLICY:
			*ret_policy = optarg;
			break;
		case OPT_HOME:
			params->home = optarg;
			break;
		case OPT_NAME:
			params->name = optarg;
			break;
		case OPT_WORKSPACE:
			params->workspace = optarg;
			break;
		case OPT_NO_RESOLVE:
			q->no_resolve = true;
			break;
		default:
			return -EINVAL;
		}
	}
	return 0;
}

int verb_explain(int argc, char **argv)
{
	struct policy_params params = {.search = cli_search};
	_json_ struct json_object *results = NULL;
	_policy_ struct policy *p = NULL;
	struct asked asked = {};
	struct rule_line r = {};
	struct question q = {};
	const char *policy = NULL;
	bool json = false;
	int code, err;

	if (options_read(argc, argv, &params, &q, &policy, &json, &code))
		return code;
	if (!policy || argc - optind < 2)
		return cli_usage(
			&cli, !policy ? "name the policy with --policy"
				      : "give an ACTION, and the PATH, ENDPOINT or WORD it is "
					"done to");
	if (read_actions(argv[optind], &r) || !*argv[optind + 1])
		return EXIT_USAGE;
	q.args = argv + optind + 2;
	if (*q.args && (r.all || r.path_actions != HG_BIT(HG_EXEC)))
		return cli_usage(&cli, "only a program has arguments: \"%s\" is not expected", *q.args);
	if (read_object(&r, argv[optind + 1], &asked))
		return EXIT_USAGE;
	err = cli_policy(policy, &params, NULL, &p);
	if (err)
		return err == -EINVAL ? EXIT_NO : exit_code(err);
	if (json && !(results = json_object_new_array()))
		return exit_code(-ENOMEM);
	q.p = p;
	q.results = results;
	err = explain(&q, &r, &asked);
	if (err)
		return exit_code(err);
	return q.refused ? EXIT_NO : EXIT_DONE;
}
