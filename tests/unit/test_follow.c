/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Following a file that grows, is rotated, truncated, and not there at first. */
#include <fcntl.h>
#include <string.h>

#include "../../user/follow.h"
#include "../../user/util.h"
#include "tap.h"

static char path[] = "/tmp/hydraguard-test-XXXXXX";
static int dir;

static void append(const char *text)
{
	_close_ int fd = openat(dir, "log", O_WRONLY | O_CREAT | O_APPEND, 0600);

	write_all(fd, text, strlen(text));
}

static void next_is(struct tap *t, struct follow *f, const char *want)
{
	const char *line = "";
	size_t len = 0;
	int more = follow_next(f, &line, &len);

	if (!want)
		tap_ok(t, more == 0, "nothing for now (%d)", more);
	else
		tap_ok(t, more == 1 && len == strlen(want) && !memcmp(line, want, len), "\"%s\"",
		       want);
}

int main(void)
{
	struct tap t = {};
	struct follow f, end;
	_close_ int fd = -1;
	size_t i, n = 0;
	const char *line;
	size_t len;

	if (!mkdtemp(path))
		return 1;
	dir = open(path, O_RDONLY | O_DIRECTORY);
	tap_ok(&t, !follow_open(&f, path, "log", path, false), "before there is a file");
	next_is(&t, &f, NULL);
	append("one\ntw");
	next_is(&t, &f, "one");
	next_is(&t, &f, NULL);
	append("o\n\nthree\n");
	next_is(&t, &f, "two");
	next_is(&t, &f, "");
	tap_ok(&t, !follow_open(&end, path, "log", path, true), "from the end");
	next_is(&t, &end, NULL);
	append("four\n");
	next_is(&t, &end, "four");
	next_is(&t, &f, "three");
	/* Rotated while lines are left: first those, then the new file's. */
	renameat(dir, "log", dir, "log.1");
	append("five\n");
	next_is(&t, &f, "four");
	next_is(&t, &f, "five");
	next_is(&t, &f, NULL);
	fd = openat(dir, "log", O_WRONLY | O_TRUNC);
	append("x\n");
	next_is(&t, &f, "x");
	/* More than one read takes at once. */
	for (i = 0; i < 20000; i++)
		append("0123456789abcdef\n");
	while (follow_next(&f, &line, &len) == 1)
		n += len == 16 && !memcmp(line, "0123456789abcdef", 16);
	tap_ok(&t, n == 20000, "twenty thousand lines (%zu)", n);
	follow_close(&f);
	follow_close(&end);
	remove_tree(AT_FDCWD, path);
	return tap_done(&t);
}
