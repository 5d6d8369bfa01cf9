/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Telling what processes hold: lines for a person, and JSON. */
#include "held.h"
#include "log.h"
#include "text.h"
#include "util.h"
#include "../policy/rule_parse.h"

/* Lines on standard error; all of it is in --json. */
#define HELD_SHOWN_MAX 50

static void actions_text(const struct held *h, uint8_t actions, char *buf, size_t len)
{
	const char *const *names = h->endpoint ? rule_endpoint_action_names : rule_action_names;
	unsigned n = h->endpoint ? HG_N_EP_ACTIONS : HG_N_PATH_ACTIONS, i;

	*buf = '\0';
	for (i = 0; i < n; i++) {
		if (actions & HG_BIT(i))
			snprintf(buf + strlen(buf), len - strlen(buf), "%s%s", *buf ? "," : "",
				 names[i]);
	}
}

static void print_one(const struct held *h, const struct policy *p)
{
	char actions[64], fd[32] = "a mapping";

	actions_text(h, h->denied, actions, sizeof(actions));
	if (h->fd >= 0)
		snprintf(fd, sizeof(fd), "descriptor %d", h->fd);
	fprintf(stderr, "hydraguard: warning: ");
	text_show(stderr, h->comm, strlen(h->comm));
	fprintf(stderr, "[%d] keeps %s: %s ", (int)h->pid, fd, actions);
	text_show(stderr, h->object, strlen(h->object));
	if (h->rule == HG_RULE_NONE)
		fprintf(stderr, ", which no rule allows\n");
	else
		fprintf(stderr, ", which %s:%u denies\n", p->rules[h->rule].file,
			p->rules[h->rule].line);
}

static struct json_object *one_json(const struct held *h, const struct policy *p, int *err)
{
	struct json_object *o = json_object_new_object();
	char actions[64], at[4352];
	size_t len;
	_free_ char *object = utf8_repair(h->object, strlen(h->object), &len);
	_free_ char *comm = utf8_repair(h->comm, strlen(h->comm), &len);

	if (!o || !object || !comm)
		*err = -ENOMEM;
	json_add_u64(o, "pid", h->pid, err);
	json_add_text(o, "command", comm, err);
	if (h->fd >= 0)
		json_add_u64(o, "fd", h->fd, err);
	json_add_text(o, h->endpoint ? "endpoint" : "path", object, err);
	actions_text(h, h->held, actions, sizeof(actions));
	json_add_text(o, "open_for", actions, err);
	actions_text(h, h->denied, actions, sizeof(actions));
	json_add_text(o, "denied", actions, err);
	if (h->rule != HG_RULE_NONE) {
		snprintf(at, sizeof(at), "%s:%u", p->rules[h->rule].file, p->rules[h->rule].line);
		json_add_text(o, "rule_at", at, err);
	}
	return o;
}

void held_print(const struct helds *h, const struct policy *p)
{
	if (h->n_unread)
		log_warn("%zu processes could not be looked into for what they have open",
			 h->n_unread);
	for (size_t i = 0; i < h->n && i < HELD_SHOWN_MAX; i++)
		print_one(&h->items[i], p);
	if (h->n > HELD_SHOWN_MAX)
		log_warn("and %zu more; --json has all", h->n - HELD_SHOWN_MAX);
}

struct json_object *held_json(const struct helds *h, const struct policy *p, int *err)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < h->n && !*err; i++)
		json_append(list, one_json(&h->items[i], p, err), err);
	return list;
}
