/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `hydraguard explain`: what a policy decides, by which rule, over which others. */
#include "cli.h"
#include "explain.h"
#include "log.h"
#include "util.h"
#include "verbs.h"

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

static bool is_label(const char *object)
{
	return *object == '@' || !strncmp(object, "agent:", 6);
}

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
	bool host;
	struct ruleset_host name;
	struct ruleset_endpoint ep;
	enum hg_use use;
};

static int read_host(const struct rule_line *r, const char *text, struct ruleset_host *ret)
{
	bool ports = r->endpoint_actions != HG_BIT(HG_RESOLVE);
	struct rule_error e;

	if (rule_parse_host(text, strlen(text), ports, ret, &e)) {
		log_error("%s", e.message);
		return -EINVAL;
	}
	if (ports && !strchr(text, '/'))
		ret->udp = false;
	if (ret->below || (ports && !ret->icmp && ret->port_low != ret->port_high)) {
		log_error("ask about one name%s", ports ? " and one port, as in host.example:443" : "");
		return -EINVAL;
	}
	return 0;
}

static int read_object(const struct rule_line *r, const char *text, struct asked *ret)
{
	enum rule_object_kind kind;
	struct rule_error ignored;

	ret->text = text;
	if (r->use)
		return read_use(text, &ret->use);
	if (is_label(text)) {
		if (!rule_object_kind(r, text, strlen(text), &kind, &ignored))
			return 0;
		log_error("%s", ignored.message);
		return -EINVAL;
	}
	ret->host = !r->path_actions && *text != '/' &&
		    (r->endpoint_actions == HG_BIT(HG_RESOLVE) || rule_is_host(text, strlen(text)));
	if (ret->host && (r->endpoint_actions & HG_BIT(HG_LISTEN))) {
		log_error("an agent listens on an address; ask about one, as in 127.0.0.1:8000");
		return -EINVAL;
	}
	if (ret->host)
		return read_host(r, text, &ret->name);
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
	else if (asked->host)
		err = explain_host(q, r->endpoint_actions == HG_BIT(HG_RESOLVE), asked->text,
				   &asked->name);
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
