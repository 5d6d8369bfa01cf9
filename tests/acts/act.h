/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the attack programs share: a table of verbs, and ways to end. An attack prints what it could
 * read; whether it had an effect is judged by the script that runs it, not by its exit code.
 */
#ifndef ACT_H
#define ACT_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define ACT_SKIP 77

struct verb {
	const char *name;
	int n_args;
	void (*run)(char **arg);
};

/* The call was refused or failed: the attack ends here. */
static inline _Noreturn void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

/* This kernel has no such thing, confined or not. */
static inline _Noreturn void skip(const char *what)
{
	printf("SKIP %s: %s\n", what, strerror(errno));
	exit(ACT_SKIP);
}

static inline int must(int r, const char *what)
{
	if (r < 0)
		fail(what);
	return r;
}

/* Everything that can be read from fd, to stdout. */
static inline void show(int fd)
{
	char buf[4096];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		fwrite(buf, 1, n, stdout);
	if (n < 0)
		fail("read");
	fflush(stdout);
}

static inline int verbs_run(const struct verb *verbs, size_t n, int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < n; i++) {
		if (strcmp(verbs[i].name, argv[1]) || argc - 2 < verbs[i].n_args)
			continue;
		verbs[i].run(argv + 2);
		return 0;
	}
	fprintf(stderr, "usage: %s VERB ARG...; verbs:", argv[0]);
	for (size_t i = 0; i < n; i++)
		fprintf(stderr, " %s(%d)", verbs[i].name, verbs[i].n_args);
	fprintf(stderr, "\n");
	return 2;
}

#define VERBS_MAIN(verbs)                                                                         \
	int main(int argc, char **argv)                                                           \
	{                                                                                         \
		return verbs_run(verbs, sizeof(verbs) / sizeof(*(verbs)), argc, argv);            \
	}

#endif
