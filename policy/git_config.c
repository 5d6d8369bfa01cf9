/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reading git's configuration. git refuses a file with an error in it; here the line alone is left out,
 * since what is read only adds to what is denied.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "git_config.h"

char *git_join(const char *folder, const char *name)
{
	char *path = NULL;

	if (asprintf(&path, "%s/%s", strcmp(folder, "/") ? folder : "", name) < 0)
		return NULL;
	return path;
}

char *git_text_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text = NULL;
	struct stat st;
	ssize_t n;

	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && (text = malloc(GIT_TEXT_MAX + 1))) {
		n = read(fd, text, GIT_TEXT_MAX);
		text[n > 0 ? n : 0] = '\0';
	}
	if (fd >= 0)
		close(fd);
	return text;
}

/* ---- text ---- */

/* Lines may end with CR LF. */
static char next_byte(struct git_text *t)
{
	if (t->at[0] == '\r' && t->at[1] == '\n')
		t->at++;
	return *t->at ? *t->at++ : '\0';
}

static void skip_line(struct git_text *t)
{
	t->at += strcspn(t->at, "\n");
}

static void skip_blanks(struct git_text *t)
{
	t->at += strspn(t->at, " \t");
}

/* Letters, digits and what is in `more`. */
static void read_word(struct git_text *t, char *word, size_t size, const char *more)
{
	size_t n = 0;

	for (; isalnum((unsigned char)*t->at) || (*t->at && strchr(more, *t->at)); t->at++) {
		if (n + 1 < size)
			word[n++] = (char)tolower((unsigned char)*t->at);
	}
	word[n] = '\0';
}

/* Behind '['. A key may follow on the same line. */
static void read_section(struct git_text *t)
{
	read_word(t, t->section, sizeof(t->section), "-.");
	skip_blanks(t);
	t->sub = *t->at == '"';
	if (t->sub) {
		for (t->at++; *t->at && *t->at != '"' && *t->at != '\n'; t->at++) {
			if (*t->at == '\\' && t->at[1] && t->at[1] != '\n')
				t->at++;
		}
		t->at += *t->at == '"';
	}
	if (*t->at == ']') {
		t->at++;
	} else {
		*t->section = '\0';
		skip_line(t);
	}
}

/* Behind '=': quotes and escapes taken away, comments cut, lines joined. */
static void read_value(struct git_text *t)
{
	bool quoted = false, comment = false;
	char *to = t->value, *end = to, c;

	while ((c = next_byte(t)) && c != '\n') {
		if (comment)
			continue;
		if (!quoted && (c == '#' || c == ';')) {
			comment = true;
			continue;
		}
		if (c == '"') {
			quoted = !quoted;
			continue;
		}
		if (c == '\\') {
			c = next_byte(t);
			if (!c || c == '\n')
				continue;
			c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'b' ? '\b' : c;
			*to++ = c;
			end = to;
			continue;
		}
		if (!quoted && isspace((unsigned char)c)) {
			if (to > t->value)
				*to++ = c;
			continue;
		}
		*to++ = c;
		end = to;
	}
	*end = '\0';
}

bool git_text_next(struct git_text *t)
{
	while (*t->at) {
		if (!strncmp(t->at, "\xef\xbb\xbf", 3)) {
			t->at += 3;
		} else if (isspace((unsigned char)*t->at)) {
			t->at++;
		} else if (*t->at == '[') {
			t->at++;
			read_section(t);
		} else if (isalpha((unsigned char)*t->at)) {
			read_word(t, t->key, sizeof(t->key), "-");
			skip_blanks(t);
			if (*t->at == '=') {
				t->at++;
				read_value(t);
				return true;
			}
			skip_line(t);
		} else {
			skip_line(t);
		}
	}
	return false;
}

/* ---- what it says ---- */

/* A path as git expands it; NULL in *ret: it is not to be had. */
static int expand_value(const char *value, const char *home, char **ret)
{
	char user[64];
	const struct passwd *of;
	size_t n;

	*ret = NULL;
	if (!strncmp(value, ":(optional)", 11))
		value += 11;
	if (!*value)
		return 0;
	if (*value == '~') {
		n = strcspn(++value, "/");
		if (n && n < sizeof(user)) {
			memcpy(user, value, n);
			user[n] = '\0';
			of = getpwnam(user);
			home = of ? of->pw_dir : NULL;
		}
		value += n + (value[n] == '/');
		if (!home || n >= sizeof(user))
			return 0;
		*ret = *value ? git_join(home, value) : strdup(home);
	} else {
		*ret = strdup(value);
	}
	return *ret ? 0 : -ENOMEM;
}

/* By the folder's real name, so that there is one for each: a file that includes itself through
 * "../" is not followed for ever. */
static int add_file(struct git_config *c, const char *path)
{
	struct place at;
	int err = place_find(path, false, NULL, &at);

	if (err)
		return err;
	if (at.self == SELF_NONE && !strings_have(&c->files, at.real))
		err = c->files.n < GIT_CONFIG_FILES_MAX ? strings_add(&c->files, at.real) : -E2BIG;
	place_done(&at);
	return err;
}

/* A relative one is looked for beside the file that includes it. */
static int add_included(struct git_config *c, const char *value, const char *from)
{
	size_t n = *value == '/' ? 0 : strrchr(from, '/') + 1 - from;
	char *path = malloc(n + strlen(value) + 1);
	int err = -ENOMEM;

	if (path) {
		memcpy(path, from, n);
		strcpy(path + n, value);
		err = add_file(c, path);
	}
	free(path);
	return err;
}

static int take_key(struct git_config *c, const struct git_text *t, const char *from, const char *home)
{
	bool core = !t->sub && !strcmp(t->section, "core");
	char *value;
	int err = expand_value(t->value, home, &value);

	if (err || !value)
		return err;
	if (core && !strcmp(t->key, "hookspath"))
		err = strings_add(&c->hooks, value);
	else if (core && !strcmp(t->key, "worktree"))
		err = strings_add(&c->trees, value);
	else if (!t->sub && !strcmp(t->section, "init") && !strcmp(t->key, "templatedir") &&
		 *value == '/')
		err = strings_add(&c->templates, value);
	else if (!strcmp(t->section, t->sub ? "includeif" : "include") && !strcmp(t->key, "path"))
		err = add_included(c, value, from);
	free(value);
	return err;
}

/* Would git read there what is not seen here: behind the text's end, or a NUL (in a comment it takes one
 * for any other byte), or what somebody writes at the other end? */
static bool is_hidden(const char *file, const char *text)
{
	struct stat st;

	if (stat(file, &st))
		return false;
	return S_ISREG(st.st_mode) ? !text || (off_t)strlen(text) != st.st_size : S_ISFIFO(st.st_mode);
}

static int read_one(struct git_config *c, const char *file, const char *home)
{
	char *text = git_text_read(file);
	struct git_text t = {.at = text};
	int err = 0;

	if (is_hidden(file, text)) {
		c->hidden = strdup(file);
		free(text);
		return c->hidden ? -EBADMSG : -ENOMEM;
	}
	if (!text)
		return 0;
	t.value = malloc(strlen(text) + 1);
	if (!t.value)
		err = -ENOMEM;
	while (!err && git_text_next(&t))
		err = take_key(c, &t, file, home);
	free(t.value);
	free(text);
	return err;
}

int git_config_read(struct git_config *c, const char *file, const char *home)
{
	size_t i = c->files.n;
	int err = add_file(c, file);
	char *name;

	for (; i < c->files.n && !err; i++) {
		/* The list moves while it grows. */
		name = strdup(c->files.items[i]);
		err = name ? read_one(c, name, home) : -ENOMEM;
		free(name);
	}
	return err;
}

void git_config_done(struct git_config *c)
{
	strings_done(&c->files);
	strings_done(&c->hooks);
	strings_done(&c->templates);
	strings_done(&c->trees);
	free(c->hidden);
}
