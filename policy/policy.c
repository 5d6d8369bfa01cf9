/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Loading a policy: documents, then what they say beside rules, then rules.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "policy_load.h"

void policy_forget_rules(struct policy *p)
{
	for (size_t i = 0; i < p->n_rules; i++) {
		free(p->rules[i].file);
		free(p->rules[i].text);
	}
	free(p->rules);
	p->rules = NULL;
	p->n_rules = 0;
	ruleset_free(p->ruleset);
	p->ruleset = NULL;
	image_free(p->image);
	p->image = NULL;
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	policy_forget_rules(p);
	free(p->file);
	free(p->name);
	free(p->workspace);
	mount_names_done(&p->mounts);
	free(p);
}

static int load(struct loader *l, const char *file, const char *bytes, size_t len, struct policy *p)
{
	int err;

	for (const char *const *g = l->params->guard; g && *g; g++) {
		err = strings_add(&l->guarded, *g);
		if (err)
			return err;
	}
	err = sources_read(l, file, bytes, len);
	if (err)
		return err;
	err = sources_settle(l);
	if (err && err != -EINVAL)
		return err;
	l->failed |= err != 0;
	p->name = l->name;
	l->name = NULL;
	p->workspace = l->workspace;
	l->workspace = NULL;
	p->workspace_default = l->workspace_default;
	p->mode = l->mode;
	p->resolvers = l->resolvers;
	p->sources = l->digest;
	err = policy_compile(l, p);
	return err ? err : l->failed ? -EINVAL : 0;
}

static int load_any(struct loader *l, const char *file, const char *bytes, size_t len,
		    struct policy **ret)
{
	struct policy *p = calloc(1, sizeof(*p));
	int err = -ENOMEM;

	if (p) {
		p->file = strdup(file);
		err = p->file ? mount_names_copy(l->params->mounts, &p->mounts) : -ENOMEM;
		err = err ? err : load(l, file, bytes, len, p);
	}
	sources_done(l);
	free(l->scope.variables);
	free(l->name);
	free(l->workspace);
	if (err && !l->d->n_errors)
		diag_add(l->d, DIAG_ERROR, file, 0, 0, "cannot be loaded: %s", strerror(-err));
	if (err) {
		policy_free(p);
		return err;
	}
	*ret = p;
	return 0;
}

int policy_load(const char *file, const struct policy_params *params, struct diags *d,
		struct policy **ret)
{
	static const struct policy_params none;
	struct loader l = {.params = params ? params : &none, .d = d};

	return load_any(&l, file, NULL, 0, ret);
}

int policy_load_text(const char *file, const char *bytes, size_t len,
		     const struct policy_params *params, const struct ruleset_limits *limits,
		     struct diags *d, struct policy **ret)
{
	struct loader l = {.params = params, .limits = limits, .d = d, .no_files = true};

	return load_any(&l, file, bytes, len, ret);
}
