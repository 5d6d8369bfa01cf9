/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The answers of `explain`, as lines and as JSON. */
#include "explain.h"
#include "text.h"
#include "util.h"

/* Bytes of a rule that a line shows. */
#define RULE_SHOWN_MAX 160

enum hg_verdict explain_verdict(const struct answer *a)
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

	printf("%s %s ", rule_verdict_names[explain_verdict(a)], a->action);
	text_show(stdout, a->object, strlen(a->object));
	if (a->named && strcmp(a->object, a->named)) {
		printf(" (");
		text_show(stdout, a->named, strlen(a->named));
		printf(")");
	}
	printf("%s\n", q->p->mode == POLICY_AUDIT && explain_verdict(a) != HG_ALLOW
			       ? ", only reported: the policy's mode is audit"
			       : "");
	if (a->mount)
		print_mount(a->mount);
	if (!a->named)
		printf("  by unmapped_filesystem: the kernel side has no name for it\n");
	else if (a->respelled)
		printf("  by spelling: names there have other spellings (another case, a short name), "
		       "so each has what all have\n");
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
	json_add_text(o, "verdict", rule_verdict_names[explain_verdict(a)], &err);
	json_add_text(o, "reason",
		      !a->named			 ? "unmapped_filesystem"
		      : a->respelled		 ? "spelling"
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

int explain_say(struct question *q, const struct answer *a)
{
	q->refused |= explain_verdict(a) != HG_ALLOW;
	if (q->results)
		return json_answer(q, a);
	print_answer(q, a);
	return 0;
}
