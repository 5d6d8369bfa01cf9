/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Path patterns by the names of superblocks. What is mounted in several places has one name, so a
 * pattern that leads through another of these mounts is given a second time, by that name.
 *
 * A rule that takes rights away follows every mount that it can reach, with its wildcards too: who
 * writes `deny all /srv/keys/` double star, or double star `/.ssh/` double star, means what can be
 * seen there. A rule that allows follows the one mount on which its literal part lies, which its
 * author named; what others have mounted below a wildcard stays with the name it has. Nor does it
 * follow a mount of which another one hides a part: by the name, that part would be given away.
 *
 * Nobody confined can mount anything there, so mounts are trusted where links are not.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expand.h"
#include "glob_below.h"

/* One alternative of one pattern. */
struct job {
	const struct mount_names *mounts;
	const struct pattern *pattern;
	const struct glob *glob;
	const struct glob_alternative *alt;
	bool restricts;
	char *literal;		       /* the part before the first wildcard; "" for the root */
	const struct mount_name *lies; /* the mount on which that is */
	bool *ways, *named, *below;    /* GLOB_WAYS each */
	struct mounted *out;
};

void mounted_done(struct mounted *m)
{
	patterns_done(&m->patterns);
	*m = (struct mounted){};
}

/* ---- back to text ---- */

static int add_set_byte(struct pattern *p, unsigned byte, uint32_t from)
{
	char text[2] = {'\\', (char)byte};

	return pattern_add(p, text, 2, from);
}

static int add_set(struct pattern *p, const struct glob_set *set, uint32_t from)
{
	int err = pattern_add(p, "[", 1, from);

	for (unsigned low = 1, high; low < 256 && !err; low = high + 1) {
		high = low;
		if (!glob_set_has(set, low))
			continue;
		while (high < 255 && glob_set_has(set, high + 1))
			high++;
		err = add_set_byte(p, low, from);
		if (!err && high > low)
			err = pattern_add(p, "-", 1, from);
		if (!err && high > low)
			err = add_set_byte(p, high, from);
	}
	return err ? err : pattern_add(p, "]", 1, from);
}

static int add_token(const struct job *j, struct pattern *p, const struct glob_token *t)
{
	size_t offset = t->offset < j->pattern->len ? t->offset : 0;
	uint32_t from = j->pattern->from[offset];

	switch (t->kind) {
	case GLOB_ONE:
		return pattern_add(p, "?", 1, from);
	case GLOB_SET:
		return add_set(p, &j->glob->sets[t->set], from);
	case GLOB_STAR:
		return pattern_add(p, "*", 1, from);
	case GLOB_DSTAR:
		return pattern_add(p, "**", 2, from);
	}
	return pattern_add_literal(p, (const char *)&t->byte, 1, from);
}

static int add_way(const struct job *j, const char *name, size_t way)
{
	struct mounted *m = j->out;
	size_t n = j->alt->n, at = way > n ? way - n - 1 : way;
	bool root = !strcmp(name, "/");
	struct pattern p = {}, *more;
	int err;

	/* The pattern "/" is the root alone. */
	if (j->alt->n == 1 && at == 0)
		at = n;
	err = pattern_add_literal(&p, name, root && at < n ? 0 : strlen(name), j->pattern->from[0]);
	if (!err && way > n)
		err = pattern_add(&p, "/", 1, j->pattern->from[0]);
	for (; at < n && !err; at++)
		err = add_token(j, &p, &j->alt->tokens[at]);
	more = err ? NULL : reallocarray(m->patterns.items, m->patterns.n + 1, sizeof(*more));
	if (!more) {
		pattern_done(&p);
		return -ENOMEM;
	}
	m->patterns.items = more;
	more[m->patterns.n++] = p;
	return 0;
}

/* ---- which mounts ---- */

static const char *folder_text(const char *path)
{
	return strcmp(path, "/") ? path : "";
}

/* Whether a mount in `mount` that the pattern reaches hides what has a name of its own there: at
 * that name nothing is mounted. Returns 1, 0, -ENOMEM. */
static int hides(const struct job *j, const struct mount_name *mount)
{
	const char *rest;
	int err;

	for (size_t i = 0; i < j->mounts->n; i++) {
		const struct mount_name *inner = &j->mounts->items[i];
		bool reached = false, seen = false;

		if (inner == mount || !path_is_in(inner->path, mount->path, &rest))
			continue;
		err = glob_below(j->glob, j->alt, folder_text(inner->path), j->below);
		if (err)
			return err;
		for (size_t w = 0; w < GLOB_WAYS(j->alt->n); w++)
			reached |= j->below[w];
		for (size_t k = 0; k < j->mounts->n && reached && !seen; k++) {
			const char *path = j->mounts->items[k].path, *tail;

			seen = path_is_in(path, mount->name, &tail) && !strcmp(tail, rest);
		}
		if (reached && !seen)
			return 1;
	}
	return 0;
}

/* Does the pattern reach it, and may it follow? Returns 1, 0, -ENOMEM. */
static int follows(const struct job *j, const struct mount_name *mount)
{
	const char *rest;
	int hidden;

	if (mount == j->lies) {
		hidden = j->restricts ? 0 : hides(j, mount);
		if (hidden == 1 && !j->out->hidden)
			j->out->hidden = mount;
		return hidden < 0 ? hidden : !hidden;
	}
	/* Another mount lies between. */
	if (path_is_in(j->literal, mount->path, &rest))
		return 0;
	if (!j->restricts && !j->out->missed)
		j->out->missed = mount;
	return j->restricts;
}

static int follow(const struct job *j, const struct mount_name *mount)
{
	size_t n = GLOB_WAYS(j->alt->n), n_new = 0;
	int err, yes;

	err = glob_below(j->glob, j->alt, folder_text(mount->path), j->ways);
	if (!err)
		err = glob_below(j->glob, j->alt, folder_text(mount->name), j->named);
	/* What the pattern says about the name anyway is left out. */
	for (size_t w = 0; w < n && !err; w++) {
		j->ways[w] = j->ways[w] && !j->named[w];
		n_new += j->ways[w];
	}
	if (err || !n_new)
		return err;
	yes = follows(j, mount);
	if (yes <= 0)
		return yes;
	if (!j->out->by)
		j->out->by = mount;
	for (size_t w = 0; w < n && !err; w++)
		if (j->ways[w])
			err = add_way(j, mount->name, w);
	return err;
}

static int follow_all(struct job *j)
{
	size_t n = glob_literal(j->alt);
	int err = 0;

	j->literal = calloc(1, n + 1);
	j->ways = calloc(3, GLOB_WAYS(j->alt->n));
	if (!j->literal || !j->ways)
		err = -ENOMEM;
	for (size_t i = 0; i < n && !err; i++)
		j->literal[i] = (char)j->alt->tokens[i].byte;
	if (!err) {
		j->named = j->ways + GLOB_WAYS(j->alt->n);
		j->below = j->named + GLOB_WAYS(j->alt->n);
		j->lies = mount_names_find(j->mounts, n ? j->literal : "/");
	}
	for (size_t i = 0; i < j->mounts->n && !err; i++)
		if (mount_name_differs(&j->mounts->items[i]))
			err = follow(j, &j->mounts->items[i]);
	free(j->literal);
	free(j->ways);
	return err;
}

int expand_mounts(const struct mount_names *mounts, const struct pattern *p, bool restricts,
		  struct mounted *ret)
{
	struct job j = {.mounts = mounts, .pattern = p, .restricts = restricts, .out = ret};
	struct glob *glob = NULL;
	bool differs = false;
	int err;

	*ret = (struct mounted){};
	for (size_t i = 0; mounts && i < mounts->n; i++)
		differs |= mount_name_differs(&mounts->items[i]);
	if (!differs)
		return 0;
	/* What is wrong with the pattern ruleset_path() says. */
	err = glob_parse(&glob, p->bytes, p->len, NULL);
	if (err)
		return err == -ENOMEM ? err : 0;
	j.glob = glob;
	for (size_t i = 0; i < glob->n_alternatives && !err; i++) {
		j.alt = &glob->alternatives[i];
		err = follow_all(&j);
	}
	glob_free(&glob);
	if (err)
		mounted_done(ret);
	return err;
}
