// SPDX-License-Identifier: GPL-2.0-only
/*
 * Roundabout ways to executable memory. The first verbs take FILE and TEXT and print TEXT when they
 * hold FILE's content in executable memory that maps FILE (or, said so, another file); "jit" verbs
 * write code and run it, as a just-in-time compiler does; "exec-args" runs FILE with any argv[0].
 */
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/sendfile.h>

#include "act.h"

extern char **environ;

#define LEN 8192

static char *map_it(const char *path, int prot, int flags)
{
	int fd = must(open(path, O_RDONLY), path);
	char *p = mmap(NULL, LEN, prot, flags, fd, 0);

	if (p == MAP_FAILED)
		fail("mmap");
	close(fd);
	return p;
}

static void personality_read(char **arg)
{
	char line[512], range[64];
	void *p;
	FILE *f;

	must(personality(READ_IMPLIES_EXEC), "personality");
	p = map_it(arg[0], PROT_READ, MAP_PRIVATE);
	snprintf(range, sizeof(range), "%lx-", (unsigned long)p);
	f = fopen("/proc/self/maps", "r");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, range, strlen(range)) && strstr(line, "r-x"))
			puts(arg[1]);
}

static void later(char **arg, int prot, int flags)
{
	char *p = map_it(arg[0], prot, flags);

	if (prot & PROT_WRITE)
		p[0] = 'x';
	must(mprotect(p, LEN, PROT_READ | PROT_EXEC), "mprotect");
	puts(arg[1]);
}

static void shared(char **arg)
{
	later(arg, PROT_READ, MAP_SHARED);
}

static void written(char **arg)
{
	later(arg, PROT_READ | PROT_WRITE, MAP_PRIVATE);
}

static void write_exec(char **arg)
{
	map_it(arg[0], PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE);
	puts(arg[1]);
}

static void pkey(char **arg)
{
	char *p = map_it(arg[0], PROT_READ, MAP_PRIVATE);

	must(syscall(SYS_pkey_mprotect, p, LEN, PROT_READ | PROT_EXEC, -1), "pkey_mprotect");
	puts(arg[1]);
}

static void moved(char **arg)
{
	char *p = map_it(arg[0], PROT_READ, MAP_PRIVATE), *to;

	to = mmap(NULL, LEN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	to = mremap(p, LEN, LEN, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	if (to == MAP_FAILED)
		fail("mremap");
	must(mprotect(to, LEN, PROT_READ | PROT_EXEC), "mprotect");
	puts(arg[1]);
}

/* Mapped over a mapping that is executable already. */
static void over(char **arg)
{
	char *p = mmap(NULL, LEN, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = must(open(arg[0], O_RDONLY), arg[0]);

	p = mmap(p, LEN, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, 0);
	if (p == MAP_FAILED)
		fail("mmap");
	puts(arg[1]);
}

static void uselib(char **arg)
{
	if (syscall(134, arg[0]))
		skip("uselib");
	puts(arg[1]);
}

static int copied(const char *path, int to)
{
	int from = must(open(path, O_RDONLY), path);

	while (sendfile(to, from, NULL, 1 << 20) > 0)
		;
	close(from);
	return to;
}

static void memfd_map(char **arg)
{
	int fd = copied(arg[0], must(memfd_create("x", 0), "memfd"));

	if (mmap(NULL, LEN, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		fail("mmap");
	puts(arg[1]);
}

/* A copy without a name, in DIR. */
static void tmpfile_run(char **arg)
{
	char path[64], *argv[] = { arg[0], NULL };
	int fd = copied(arg[0], must(open(arg[1], O_TMPFILE | O_RDWR, 0755), arg[1])), again;

	/* What is open for writing is not run. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = must(open(path, O_RDONLY), path);
	close(fd);
	fexecve(again, argv, environ);
	fail("fexecve");
}

/* FILE ARGV0 ARG...: to the end. */
static void exec_args(char **arg)
{
	execv(arg[0], arg + 1);
	fail(arg[0]);
}

static void exec_none(char **arg)
{
	syscall(SYS_execve, arg[0], NULL, environ);
	fail(arg[0]);
}

/* ---- what just-in-time compilers do ---- */

static void run_code(void *p)
{
	int (*code)(void) = p;

	printf("%d\n", code());
}

static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 }; /* mov eax, 42; ret */

static void jit(int flags, int first, int then)
{
	char *p = mmap(NULL, 4096, first, flags | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		fail("mmap");
	memcpy(p, code, sizeof(code));
	if (then)
		must(mprotect(p, 4096, then), "mprotect");
	run_code(p);
}

static void jit_anonymous(char **arg)
{
	jit(MAP_PRIVATE, PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC);
}

static void jit_rwx(char **arg)
{
	jit(MAP_PRIVATE, PROT_READ | PROT_WRITE | PROT_EXEC, 0);
}

/* One memory twice, writable and executable, as .NET has it. */
static void jit_memfd(char **arg)
{
	int fd = must(memfd_create("jit", MFD_CLOEXEC), "memfd");
	void *p;

	must(write(fd, code, sizeof(code)), "write");
	p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		fail("mmap");
	run_code(p);
}

static const struct verb verbs[] = {
	{ "personality", 2, personality_read },
	{ "shared", 2, shared },
	{ "written", 2, written },
	{ "write-exec", 2, write_exec },
	{ "pkey", 2, pkey },
	{ "moved", 2, moved },
	{ "over", 2, over },
	{ "uselib", 2, uselib },
	{ "memfd-map", 2, memfd_map },
	{ "tmpfile-run", 2, tmpfile_run },
	{ "exec-args", 2, exec_args },
	{ "exec-none", 1, exec_none },
	{ "jit-anonymous", 0, jit_anonymous },
	{ "jit-rwx", 0, jit_rwx },
	{ "jit-memfd", 0, jit_memfd },
};

VERBS_MAIN(verbs)
