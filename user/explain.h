/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What `explain` asks a policy, and how it says the answers; for verb_explain.c. */
#ifndef HG_EXPLAIN_H
#define HG_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json.h"
#include "../policy/policy.h"
#include "../policy/rule_parse.h"
#include "../policy/ruleset.h"

/* Rules that match one object, shown at most. */
#define MATCHES_MAX 256
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
	bool respelled; /* it lies where names have other spellings: what all names there have */
	struct hg_out out;
	uint16_t rules[MATCHES_MAX]; /* every rule that matches, in order */
	size_t n_rules;
};

enum hg_verdict explain_verdict(const struct answer *a);

/* Says an answer, or adds it to the results, and notes whether it is a refusal. */
int explain_say(struct question *q, const struct answer *a);

/* Where the path lies below a directory whose names have other spellings: what all there have. */
int explain_respelled(const struct question *q, struct answer *a);

/* Each finds what the policy says and says it; actions: HG_BIT(). Tells why it cannot. */
int explain_paths(struct question *q, uint8_t actions, const char *path);
int explain_endpoints(struct question *q, uint8_t actions, const char *text,
		      const struct ruleset_endpoint *ep);
/* By what the policy says of the name; the addresses that it has are another question. */
int explain_host(struct question *q, bool resolve, const char *text,
		 const struct ruleset_host *host);
int explain_use(struct question *q, enum hg_use use);
/* text: @NAME or agent:NAME */
int explain_label(struct question *q, const struct rule_line *r, const char *text);

#endif
