/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Doubts about rules on names where a name has other spellings: the kernel side gives every name there
 * what all have.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "image.h"
#include "policy_load.h"

#define WRITES (HG_BIT(HG_MODIFY) | HG_BIT(HG_CREATE) | HG_BIT(HG_DELETE) | HG_BIT(HG_ATTR))

/* Does a path of the rule lead below the mount? By its first bytes, which may be a variable's name. */
static int rule_speaks_of(const struct policy_rule *rule, const struct mount_name *mount, bool *ret)
{
	const char *rest;
	struct rule_line r;
	struct rule_error e;
	int err;

	*ret = false;
	err = rule_parse(rule->text, strlen(rule->text), &r, &e);
	if (err)
		return err;
	for (size_t i = 0; i < r.n_objects && !*ret; i++)
		*ret = path_is_in(rule->text + r.objects[i].at, mount->path, &rest) && *rest == '/';
	rule_line_done(&r);
	return 0;
}

/* The first rule of the user's that speaks of names there; NULL in *ret: there is none. */
static int rule_of(const struct policy *p, const struct mount_name *mount,
		   const struct policy_rule **ret)
{
	bool speaks = false;
	int err = 0;

	*ret = NULL;
	for (size_t i = 0; i < p->n_rules && !err && !*ret; i++) {
		if (rule_is_own(&p->rules[i]))
			err = rule_speaks_of(&p->rules[i], mount, &speaks);
		if (speaks)
			*ret = &p->rules[i];
	}
	return err;
}

/* Or is in it: rules say that by a variable. */
static bool holds_workspace(const struct policy *p, const struct mount_name *mount)
{
	const char *rest;

	return p->workspace && (path_is_in(p->workspace, mount->path, &rest) ||
				path_is_in(mount->path, p->workspace, &rest));
}

static int warn_mount(const struct policy *p, const struct mount_name *mount, struct diags *d)
{
	const struct policy_rule *rule;
	char words[64] = "";
	struct hg_dir dir;
	uint16_t at, row;
	uint8_t some;
	int err;

	err = image_path_at(p->image, mount->path, strlen(mount->path), &at, &row);
	if (!err && !image_dir(p->image, at, &dir))
		err = -EBADMSG;
	some = err ? 0 : dir.any_allow & ~dir.all_allow;
	if (some)
		err = rule_of(p, mount, &rule);
	/* What nobody speaks of and may not be changed anyway: a boot partition. */
	if (err || !some || (!rule && !(some & WRITES) && !holds_workspace(p, mount)))
		return err;
	for (unsigned i = 0; i < HG_N_PATH_ACTIONS; i++)
		if (some & HG_BIT(i))
			snprintf(words + strlen(words), sizeof(words) - strlen(words), "%s%s",
				 *words ? "," : "", rule_action_names[i]);
	return diag_add(d, DIAG_WARNING, rule ? rule->file : p->file, rule ? rule->line : 0,
			rule ? rule->col : 0,
			"on %s a name has other spellings (another case, a short name), so names below "
			"it are not told apart: %s, which rules allow for some, is refused for all",
			mount->path, words);
}

int policy_warn_respelled(const struct policy *p, struct diags *d)
{
	int err = 0;

	for (size_t i = 0; i < p->mounts.n && !err; i++) {
		const struct mount_name *mount = &p->mounts.items[i];

		if (mount->respelled && mount->name && !mount_name_differs(mount))
			err = warn_mount(p, mount, d);
	}
	return err;
}
