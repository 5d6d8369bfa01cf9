/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Mount points and the names of what is mounted there. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "mount_names.h"

int mount_names_add(struct mount_names *m, const char *path, char *name, bool respelled)
{
	struct mount_name *more;
	char *copy;
	size_t i;

	for (i = m->n; i && strcmp(m->items[i - 1].path, path) >= 0; i--)
		;
	if (i < m->n && !strcmp(m->items[i].path, path)) {
		free(m->items[i].name);
		m->items[i].name = name;
		m->items[i].respelled = respelled;
		return 0;
	}
	copy = strdup(path);
	more = copy ? reallocarray(m->items, m->n + 1, sizeof(*more)) : NULL;
	if (!more) {
		free(copy);
		free(name);
		return -ENOMEM;
	}
	m->items = more;
	memmove(more + i + 1, more + i, (m->n - i) * sizeof(*more));
	more[i] = (struct mount_name){.path = copy, .name = name, .respelled = respelled};
	m->n++;
	return 0;
}

int mount_names_copy(const struct mount_names *m, struct mount_names *ret)
{
	struct mount_names copy = {};
	char *name;
	size_t i;
	int err = 0;

	for (i = 0; m && i < m->n && !err; i++) {
		const struct mount_name *from = &m->items[i];

		name = from->name ? strdup(from->name) : NULL;
		err = from->name && !name
			      ? -ENOMEM
			      : mount_names_add(&copy, from->path, name, from->respelled);
	}
	if (err) {
		mount_names_done(&copy);
		return err;
	}
	*ret = copy;
	return 0;
}

void mount_names_done(struct mount_names *m)
{
	size_t i;

	for (i = 0; i < m->n; i++) {
		free(m->items[i].path);
		free(m->items[i].name);
	}
	free(m->items);
	*m = (struct mount_names){};
}

bool path_is_in(const char *path, const char *at, const char **ret_rest)
{
	size_t len = strcmp(at, "/") ? strlen(at) : 0;

	if (strncmp(path, at, len) || (path[len] && path[len] != '/'))
		return false;
	/* Of "/" in "/" nothing follows. */
	*ret_rest = strcmp(path + len, "/") ? path + len : "";
	return true;
}

const struct mount_name *mount_names_find(const struct mount_names *m, const char *path)
{
	const struct mount_name *found = NULL;
	const char *rest;
	size_t i;

	/* Of those that hold the path a longer one is ordered behind a shorter one. */
	for (i = 0; m && i < m->n; i++)
		if (path_is_in(path, m->items[i].path, &rest))
			found = &m->items[i];
	return found;
}

bool mount_name_differs(const struct mount_name *mount)
{
	return mount->name && strcmp(mount->name, mount->path);
}

/* Is it in a mount that has another name, or at that name? */
static bool is_beside(const struct mount_names *m, const struct mount_name *mount)
{
	const char *rest;

	for (size_t i = 0; i < m->n; i++)
		if (mount_name_differs(&m->items[i]) &&
		    (path_is_in(mount->path, m->items[i].path, &rest) ||
		     path_is_in(mount->path, m->items[i].name, &rest)))
			return true;
	return false;
}

uint64_t mount_names_digest(const struct mount_names *m)
{
	uint64_t digest = DIGEST_START;

	for (size_t i = 0; i < m->n; i++) {
		const struct mount_name *mount = &m->items[i];
		const char *name = mount->name ? mount->name : "";

		if (!is_beside(m, mount))
			continue;
		digest = digest_add(digest, mount->path, strlen(mount->path));
		digest = digest_add(digest, name, strlen(name));
	}
	return digest;
}

int mount_names_real(const struct mount_names *m, const char *path, char **ret,
		     const struct mount_name **ret_mount)
{
	const struct mount_name *mount = mount_names_find(m, path);
	const char *rest = path, *name = "";
	size_t n_name;
	char *out;

	*ret = NULL;
	*ret_mount = mount && mount_name_differs(mount) ? mount : NULL;
	if (mount && !mount->name)
		return 0;
	if (*ret_mount && path_is_in(path, mount->path, &rest))
		name = strcmp(mount->name, "/") ? mount->name : "";
	n_name = strlen(name);
	out = malloc(n_name + strlen(rest) + 2);
	if (!out)
		return -ENOMEM;
	memcpy(out, name, n_name);
	strcpy(out + n_name, n_name || *rest ? rest : "/");
	*ret = out;
	return 0;
}
