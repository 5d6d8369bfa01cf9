/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Texts made of pieces at random: what git reads out of them is read here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../policy/git_config.h"
#include "../random.h"
#include "tap.h"

static struct tap tap;
static char folder[] = "/tmp/hg-git-config-XXXXXX";

static const char *const pieces[] = {
	"[core]\n", "[CORE]", "[include]\n", "[include] ", "[includeIf \"a]b\"]\n", "[core \"x\\\"y\"]\n",
	"[core.old]\n", "[core-x]\n", "hooksPath", "hookspath=", "path", "path = ", "worktree=", "a-b",
	"=", " ", "\t", "\n", "\n", "\r\n", "\\\n", "\\\r\n", "\\\\", "\\\"", "\\t", "\\n", "\"", "\"x y\"",
	"#", ";", "; c\n", "x", "/x/y", "~/z", "]", "[", "a b", "  c  \n", "\xef\xbb\xbf", "\x7f", "'"};

static char *random_text(void)
{
	static char text[2048];
	unsigned n = 1 + rnd(14);

	strcpy(text, rnd(3) ? "[core]\n" : "");
	while (n--)
		strcat(text, pieces[rnd(sizeof(pieces) / sizeof(*pieces))]);
	return text;
}

/* "core.hookspath\nvalue\n" for each; of a section with a subsection "core.*.hookspath". */
static void read_here(const char *text, char *out, size_t size)
{
	char *exact = strdup(text), *value = malloc(strlen(text) + 1);
	struct git_text t = {.at = exact, .value = value};
	size_t n = 0;

	while (git_text_next(&t))
		if (*t.section)
			n += snprintf(out + n, size - n, "%s%s.%s=%s|", t.section, t.sub ? ".*" : "",
				      t.key, t.value);
	out[n] = '\0';
	free(exact);
	free(value);
}

/* false: git refuses it. A key without a value is none here. */
static bool read_by_git(const char *text, char *out, size_t size)
{
	char path[64], command[200], got[8192], *at, *eol, *dot, *last;
	FILE *f;
	size_t n = 0, len;

	snprintf(path, sizeof(path), "%s/config", folder);
	f = fopen(path, "w");
	fputs(text, f);
	fclose(f);
	snprintf(command, sizeof(command), "git config --no-includes -f %s -z --list 2>/dev/null", path);
	f = popen(command, "r");
	len = fread(got, 1, sizeof(got) - 1, f);
	got[len] = '\0';
	if (pclose(f))
		return false;
	for (at = got; at < got + len; at += strlen(at) + 1) {
		eol = strchr(at, '\n');
		if (!eol)
			continue;
		*eol = '\0';
		dot = strchr(at, '.');
		last = strrchr(at, '.');
		if (!dot) {
			at = eol + 1;
			continue;
		}
		/* The one subsection that is written as such has a quote or bracket in it. */
		if (dot != last && strpbrk(at, "\"]"))
			n += snprintf(out + n, size - n, "%.*s.*%s=%s|", (int)(dot - at), at, last, eol + 1);
		else
			n += snprintf(out + n, size - n, "%s=%s|", at, eol + 1);
		at = eol + 1;
	}
	out[n] = '\0';
	return true;
}

/* Tabs between words are spaces to some versions of git. */
static void blanks(char *text)
{
	while ((text = strchr(text, '\t')))
		*text = ' ';
}

int main(void)
{
	char here[16384], there[16384], *text;
	unsigned n = 0, said = 0, bad = 0;

	random_state = 1;
	if (!mkdtemp(folder))
		return 1;
	for (unsigned i = 0; i < 500; i++) {
		text = random_text();
		read_here(text, here, sizeof(here));
		if (!read_by_git(text, there, sizeof(there)))
			continue;
		blanks(here);
		blanks(there);
		n++;
		said += *there != '\0';
		if (strcmp(here, there) && !bad++)
			tap_note("%s\nhere: %s\ngit: %s", text, here, there);
	}
	snprintf(here, sizeof(here), "%s/config", folder);
	unlink(here);
	rmdir(folder);
	tap_ok(&tap, !bad, "%u texts that git takes are read alike, %u not", n, bad);
	tap_ok(&tap, said > 15, "%u of them say something", said);
	return tap_done(&tap);
}
