/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Long rules, shortened. */
#include "rule_short.h"
#include "util.h"
#include "../policy/glob.h"
#include "../policy/rule_parse.h"

/* The object with its variables as wildcards: what they stand for is not known here. NULL: there
 * are none. */
static char *variables_as_stars(const char *object, size_t len, bool *ret_any)
{
	char *out = malloc(len + 1), *to = out;
	size_t i = 0, end;

	*ret_any = false;
	while (out && i < len) {
		if (object[i] != '$' || i + 1 == len || object[i + 1] != '{') {
			*to++ = object[i++];
			continue;
		}
		for (end = i; end < len && object[end] != '}'; end++)
			;
		i = end < len ? end + 1 : len;
		*ret_any = true;
		memcpy(to, "**", 2);
		to += 2;
	}
	if (out)
		*to = 0;
	return out;
}

/* A pattern without braces, as it could have been written; NULL: no memory. */
static char *alternative_text(const struct glob_alternative *alt)
{
	static const char *const words[] = {
		[GLOB_ONE] = "?", [GLOB_SET] = "[…]", [GLOB_STAR] = "*", [GLOB_DSTAR] = "**"};
	char *text = NULL;
	size_t i, len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	/* A double star and a slash at the start had a slash put before them. */
	i = alt->n > 2 && alt->tokens[1].kind == GLOB_DSTAR && alt->tokens[2].byte == '/';
	for (; i < alt->n; i++) {
		if (alt->tokens[i].kind == GLOB_BYTE)
			fputc(alt->tokens[i].byte, f);
		else
			fputs(words[alt->tokens[i].kind], f);
	}
	if (!fclose(f))
		return text;
	free(text);
	return NULL;
}

/* Whether it matches, and by which of the alternatives in its braces. */
static bool pattern_matches(const char *pattern, const char *path, char **ret_by)
{
	struct glob *glob;
	bool hit = false;
	size_t i;

	if (glob_parse(&glob, pattern, strlen(pattern), NULL))
		return false;
	for (i = 0; i < glob->n_alternatives && !hit; i++) {
		struct glob one = {.sets = glob->sets,
				   .n_sets = glob->n_sets,
				   .alternatives = &glob->alternatives[i],
				   .n_alternatives = 1};

		hit = glob_match(&one, path, strlen(path)) == 1;
		if (hit) {
			free(*ret_by);
			*ret_by = alternative_text(&glob->alternatives[i]);
		}
	}
	glob_free(&glob);
	return hit;
}

/* The last object that matches; one with variables only where none without does. *ret_by: what of
 * it does, without braces; NULL for an object with variables. */
static const struct rule_object *object_matching(const struct rule_line *r, const char *text,
						 const char *path, char **ret_by)
{
	const struct rule_object *found = NULL, *guess = NULL;
	size_t i;

	for (i = 0; i < r->n_objects; i++) {
		const struct rule_object *o = &r->objects[i];
		_free_ char *pattern = NULL, *by = NULL;
		bool variables;

		pattern = variables_as_stars(text + o->at, o->len, &variables);
		if (!pattern || !pattern_matches(pattern, path, &by))
			continue;
		if (variables) {
			guess = o;
			continue;
		}
		found = o;
		free(*ret_by);
		*ret_by = take(by);
	}
	return found ? found : guess;
}

/* Not within a character. */
static int cut(const char *text, size_t len, size_t max)
{
	if (len <= max)
		return (int)len;
	while (max && ((unsigned char)text[max] & 0xc0) == 0x80)
		max--;
	return (int)max;
}

/* Length of its verdict and its actions. */
static int head_of(const struct rule_line *r, const char *text)
{
	size_t head = r->objects[0].at;

	while (head && (text[head - 1] == ' ' || text[head - 1] == '"'))
		head--;
	return (int)head;
}

char *rule_short(const char *text, const char *object)
{
	const struct rule_object *o = NULL;
	size_t len = strlen(text);
	struct rule_line r = {};
	struct rule_error e;
	_free_ char *by = NULL;
	char *out = NULL;
	int n, err;

	if (len <= RULE_SHORT_MAX)
		return strdup(text);
	err = rule_parse(text, len, &r, &e);
	if (!err && object)
		o = object_matching(&r, text, object, &by);
	if (o && by && o->len > RULE_SHORT_MAX / 2) {
		n = cut(by, strlen(by), RULE_SHORT_MAX);
		err = asprintf(&out, "%.*s … %.*s …", head_of(&r, text), text, n, by);
	} else if (o) {
		n = cut(text + o->at, o->len, RULE_SHORT_MAX);
		err = asprintf(&out, "%.*s%s %.*s%s", head_of(&r, text), text,
			       o == r.objects ? "" : " …", n, text + o->at,
			       (size_t)n == o->len && o == &r.objects[r.n_objects - 1] ? "" : " …");
	} else {
		/* Behind a word, where one ends near. */
		for (n = RULE_SHORT_MAX; n > RULE_SHORT_MAX / 2 && text[n] != ' '; n--)
			;
		if (text[n] != ' ')
			n = cut(text, len, RULE_SHORT_MAX);
		err = asprintf(&out, "%.*s …", n, text);
	}
	if (r.objects)
		rule_line_done(&r);
	return err < 0 ? NULL : out;
}
