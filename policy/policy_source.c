/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The documents that a policy is made of: its file, and what it extends.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "digest.h"
#include "policy_load.h"

bool rule_is_own(const struct policy_rule *r)
{
	return strcmp(r->file, "<builtin>") && !preset_find(r->file);
}

const struct preset *preset_find(const char *name)
{
	for (const struct preset *p = policy_presets; p->name; p++) {
		if (!strcmp(p->name, name))
			return p;
	}
	return NULL;
}

static void source_free(struct source *s)
{
	if (!s)
		return;
	document_free(s->doc);
	free(s->file);
	free(s->real);
	free(s->folder);
	free(s);
}

void sources_done(struct loader *l)
{
	repositories_done(&l->repositories);
	for (size_t i = 0; i < l->n_sources; i++)
		source_free(l->sources[i]);
	free(l->sources);
	strings_done(&l->guarded);
}

static int read_all(int fd, char **ret, size_t *ret_len)
{
	size_t max = DOCUMENT_SIZE_MAX + 1, len = 0;
	char *bytes = malloc(max);
	ssize_t n = 1;

	if (!bytes)
		return -ENOMEM;
	/* One byte more than allowed, for document_parse() to see that there is more. */
	while (n && len < max) {
		n = read(fd, bytes + len, max - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			n = -errno;
			free(bytes);
			return n;
		}
		len += n;
	}
	*ret = bytes;
	*ret_len = len;
	return 0;
}

static int read_file(const char *file, char **ret, size_t *ret_len)
{
	int fd, err;

	if (!strcmp(file, "-"))
		return read_all(STDIN_FILENO, ret, ret_len);
	fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	err = read_all(fd, ret, ret_len);
	close(fd);
	return err;
}

static char *folder_of(const char *file)
{
	const char *slash = strrchr(file, '/');

	if (!slash)
		return strdup(".");
	return slash == file ? strdup("/") : strndup(file, slash - file);
}

/* An absolute path for a file that may not exist yet; not clean. */
static int guard(struct loader *l, const char *file)
{
	char cwd[PATH_MAX], path[2 * PATH_MAX];

	if (*file == '/')
		return strings_add(&l->guarded, file);
	if (!getcwd(cwd, sizeof(cwd)))
		return 0; /* no current folder: nothing relative to it was read either */
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", cwd, file) >= sizeof(path))
		return -ENAMETOOLONG;
	return strings_add(&l->guarded, path);
}

/* Where `extends` stands that leads here; doc NULL for the first file. */
struct mention {
	const struct source *by;
	const struct node *node;
};

__attribute__((format(printf, 3, 4))) static int
mention_error(struct loader *l, const struct mention *m, const char *format, ...)
{
	char message[500];
	va_list ap;

	va_start(ap, format);
	vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	if (m->by)
		return node_error(m->by->doc, m->node, 0, l->d, "%s", message);
	return diag_add(l->d, DIAG_ERROR, l->chain[0] ? l->chain[0]->file : "", 0, 0, "%s",
			message);
}

static bool same_source(const struct source *a, const struct source *b)
{
	if (a->preset || b->preset)
		return a->preset && b->preset && !strcmp(a->file, b->file);
	return a->real && b->real && !strcmp(a->real, b->real);
}

static int check_chain(struct loader *l, const struct source *s, const struct mention *m)
{
	char chain[300] = "";
	size_t i, n = 0;

	for (i = 0; i < l->n_chain && !same_source(l->chain[i], s); i++)
		;
	if (i == l->n_chain && i < SOURCE_DEPTH_MAX)
		return 0;
	for (size_t k = i < l->n_chain ? i : 0; k < l->n_chain && n < sizeof(chain); k++)
		n += snprintf(chain + n, sizeof(chain) - n, "%s -> ", l->chain[k]->file);
	if (i < l->n_chain)
		return mention_error(l, m, "extends itself: %s%s", chain, s->file);
	return mention_error(l, m, "extends more than %d deep: %s%s", SOURCE_DEPTH_MAX, chain,
			     s->file);
}

static int extend_all(struct loader *l, struct source *s);

/* Parses bytes as s, then what it extends, then puts s into l->sources. Takes s. What is wrong in a
 * document that could be read at all sets l->failed and no more. */
static int add_source(struct loader *l, struct source *s, const char *bytes, size_t len,
		      const struct mention *m)
{
	struct source **sources;
	int err;

	err = check_chain(l, s, m);
	if (err)
		goto fail;
	for (size_t i = 0; i < l->n_sources; i++) {
		if (same_source(l->sources[i], s)) {
			source_free(s);
			return 0;
		}
	}
	if (l->n_sources == SOURCES_MAX) {
		err = mention_error(l, m, "made of more than %d policies", SOURCES_MAX);
		goto fail;
	}
	l->chain[l->n_chain++] = s;
	l->digest = digest_add(l->digest, bytes, len);
	err = document_parse(s->file, bytes, len, l->d, &s->doc);
	if (!err)
		err = source_sort_keys(l, s);
	if (!err)
		err = extend_all(l, s);
	l->chain[--l->n_chain] = NULL;
	/* One wrong name does not hide what is wrong elsewhere. */
	if (err == -EINVAL && s->doc) {
		l->failed = true;
		err = 0;
	}
	if (err)
		goto fail;
	sources = reallocarray(l->sources, l->n_sources + 1, sizeof(*sources));
	if (!sources) {
		err = -ENOMEM;
		goto fail;
	}
	l->sources = sources;
	l->sources[l->n_sources++] = s;
	return 0;
fail:
	source_free(s);
	return err;
}

static int add_preset(struct loader *l, const struct preset *preset, const struct mention *m)
{
	struct source *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->preset = true;
	s->file = strdup(preset->name);
	if (!s->file) {
		source_free(s);
		return -ENOMEM;
	}
	return add_source(l, s, preset->text, strlen(preset->text), m);
}

/* Takes bytes. */
static int add_file(struct loader *l, const char *file, char *bytes, size_t len,
		    const struct mention *m)
{
	bool is_stdin = !strcmp(file, "-");
	struct source *s = calloc(1, sizeof(*s));
	int err = -ENOMEM;

	if (!s)
		goto out;
	s->file = strdup(is_stdin ? "<stdin>" : file);
	s->folder = folder_of(file);
	s->real = is_stdin || l->no_files ? NULL : realpath(file, NULL);
	if (!s->file || !s->folder)
		source_free(s);
	else
		err = add_source(l, s, bytes, len, m);
out:
	free(bytes);
	return err;
}

static bool has_suffix(const char *name)
{
	static const char *const suffixes[] = {".yaml", ".yml", ".json"};
	size_t len = strlen(name), n;

	for (size_t i = 0; i < 3; i++) {
		n = strlen(suffixes[i]);
		if (len > n && !strcmp(name + len - n, suffixes[i]))
			return true;
	}
	return false;
}

/* Tries one folder. 1: not there. */
static int try_folder(struct loader *l, const char *folder, const char *name,
		      const struct mention *m)
{
	char path[PATH_MAX], *bytes;
	bool in_cwd = !strcmp(folder, ".");
	size_t len;
	int err;

	if ((size_t)snprintf(path, sizeof(path), "%s%s%s%s", *name == '/' || in_cwd ? "" : folder,
			     *name == '/' || in_cwd ? "" : "/", name,
			     has_suffix(name) ? "" : ".yaml") >= sizeof(path))
		return mention_error(l, m, "`%s` is too long for a file's name", name);
	/* Whoever could make this file would write the policy, even where it is not there yet. */
	err = guard(l, path);
	if (err)
		return err;
	err = read_file(path, &bytes, &len);
	if (err == -ENOENT || err == -ENOTDIR)
		return 1;
	if (err)
		return mention_error(l, m, "cannot read %s: %s", path, strerror(-err));
	return add_file(l, path, bytes, len, m);
}

static int extend(struct loader *l, const struct mention *m)
{
	const char *name = m->node->value, *near, *names[SOURCES_MAX];
	const struct preset *preset = preset_find(name);
	size_t n = 0;
	int err = 1;

	if (preset)
		return add_preset(l, preset, m);
	if (l->no_files || m->by->preset)
		return mention_error(l, m, "there is no shipped policy `%s`", name);
	if (*name == '~')
		return mention_error(l, m, "`~` has no meaning here; write the folder out");
	err = try_folder(l, m->by->folder, name, m);
	for (const char *const *s = l->params->search; s && *s && err == 1 && *name != '/'; s++)
		err = try_folder(l, *s, name, m);
	if (err != 1)
		return err;
	for (preset = policy_presets; preset->name && n < SOURCES_MAX - 1; preset++)
		names[n++] = preset->name;
	names[n] = NULL;
	near = strchr(name, '/') ? NULL : diag_near(name, strlen(name), names);
	return mention_error(l, m, "there is no policy `%s`, shipped or in %s%s%s%s%s", name,
			     *name == '/' ? "that place" : m->by->folder,
			     l->params->search && l->params->search[0] ? " or the policy folders"
								       : "",
			     near ? "; did you mean `" : "", near ? near : "", near ? "`?" : "");
}

static int extend_all(struct loader *l, struct source *s)
{
	const struct node *list = s->keys.extends;
	struct mention m = {.by = s, .node = list};
	int err = 0, one;

	if (!list)
		return 0;
	if (list->kind == NODE_SCALAR)
		return extend(l, &m);
	for (size_t i = 0; i < list->n_items; i++) {
		m.node = list->items[i];
		one = extend(l, &m);
		if (one && one != -EINVAL)
			return one;
		err = err ? err : one;
	}
	return err;
}

/* A word, not a path: a shipped policy is what was probably meant. */
static int not_there(struct loader *l, const char *file)
{
	const char *near, *names[SOURCES_MAX];
	char list[400] = "";
	size_t n = 0, len = 0;

	for (const struct preset *p = policy_presets; p->name && n < SOURCES_MAX - 1; p++) {
		names[n++] = p->name;
		if (len < sizeof(list))
			len += snprintf(list + len, sizeof(list) - len, "%s%s", n > 1 ? ", " : "",
					p->name);
	}
	names[n] = NULL;
	near = diag_near(file, strlen(file), names);
	return diag_add(l->d, DIAG_ERROR, file, 0, 0,
			"there is no such file, and no shipped policy of that name%s%s%s (shipped: "
			"%s)",
			near ? "; did you mean `" : "", near ? near : "", near ? "`?" : "", list);
}

int sources_read(struct loader *l, const char *file, const char *bytes, size_t len)
{
	const struct preset *preset = bytes ? NULL : preset_find(file);
	struct mention m = {};
	char *content = NULL;
	int err;

	if (preset)
		return add_preset(l, preset, &m);
	if (bytes) {
		content = malloc(len + 1);
		if (!content)
			return -ENOMEM;
		memcpy(content, bytes, len);
	} else {
		err = read_file(file, &content, &len);
		if (err == -ENOENT && !strchr(file, '/') && !has_suffix(file)) {
			not_there(l, file);
			return err;
		}
		if (err) {
			diag_add(l->d, DIAG_ERROR, file, 0, 0, "cannot be read: %s",
				 strerror(-err));
			return err;
		}
		err = strcmp(file, "-") ? guard(l, file) : 0;
		if (err) {
			free(content);
			return err;
		}
	}
	return add_file(l, file, content, len, &m);
}
