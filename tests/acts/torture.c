/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Renames against readers, with an oracle. `mover` exchanges directories between an allowed and a
 * denied place, and such that lie beside each other; `reader` (inside the agent) opens files deep below
 * them through descriptors, which renames do not move. Both share a page in which the mover says
 * where each directory is, under a sequence: a reader that saw the sequence stand still knows what
 * the verdict had to be.
 *
 * A policy that means the opposite is put in force between `flip DIR 0`, after which readers judge
 * nothing, and `flip DIR 1`, after which they expect the opposite. Reloads of a policy that means
 * the same are not announced: they may not change one verdict.
 *
 * `new` makes directories in all of these and takes them away again, so that much of what is opened is in a
 * directory that nobody has asked about.
 *
 * `prober` (inside the agent) opens what is mounted and unmounted at DIR/mnt and DIR/bind all the
 * while: deny/file, and what is bound from there, never opens.
 *
 * usage: torture mover|new|reader|prober DIR SECONDS, torture flip DIR 0|1; DIR has the directories of
 * pair_name(), with a/b/file in each, and the page, `page`.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define N_PAIRS 4

struct page {
	_Atomic uint64_t seq;		/* odd: something is being changed */
	_Atomic uint32_t swapped[N_PAIRS];	/* the directory that began in allow/ is in deny/ */
	_Atomic uint64_t reloads;	/* odd: a policy of another meaning is being put in force */
	_Atomic uint32_t newest;	/* a/b/NEWEST/d/file is in each */
};

static struct page *page_map(int dir)
{
	int fd = openat(dir, "page", O_RDWR | O_CREAT, 0666);
	struct page *p;

	if (fd < 0 || ftruncate(fd, 4096))
		return NULL;
	fchmod(fd, 0666);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Half of them differ by the directory they are in, half by their own name. */
static void pair_name(char ret[64], uint32_t i, bool deny)
{
	snprintf(ret, 64, i < N_PAIRS / 2 ? "%s/%u" : "mixed/%s-%u", deny ? "deny" : "allow", i);
}

/* What each pair's directories are reached by, wherever they are moved: of where each began. */
static bool pairs_open(int dir, int fds[N_PAIRS][2])
{
	char name[64];
	int i, side;

	for (i = 0; i < N_PAIRS; i++) {
		for (side = 0; side < 2; side++) {
			pair_name(name, i, side);
			fds[i][side] = openat(dir, name, O_PATH | O_DIRECTORY);
			if (fds[i][side] < 0) {
				perror(name);
				return false;
			}
		}
	}
	return true;
}

static bool new_make(int at, uint32_t n)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "a/b/%u", n);
	if (mkdirat(at, name, 0755))
		return false;
	snprintf(name, sizeof(name), "a/b/%u/d", n);
	if (mkdirat(at, name, 0755))
		return false;
	snprintf(name, sizeof(name), "a/b/%u/d/file", n);
	fd = openat(at, name, O_CREAT | O_WRONLY, 0644);
	return fd >= 0 && !close(fd);
}

static void new_unmake(int at, uint32_t n)
{
	char name[64];

	snprintf(name, sizeof(name), "a/b/%u/d/file", n);
	unlinkat(at, name, 0);
	snprintf(name, sizeof(name), "a/b/%u/d", n);
	unlinkat(at, name, AT_REMOVEDIR);
	snprintf(name, sizeof(name), "a/b/%u", n);
	unlinkat(at, name, AT_REMOVEDIR);
}

static int maker(int dir, struct page *p, double until)
{
	const struct timespec pause = { .tv_nsec = 50000000 };
	int fds[N_PAIRS][2], i;
	uint32_t n = 0;

	if (!pairs_open(dir, fds))
		return 1;
	printf("ready\n");
	fflush(stdout);
	while (now() < until) {
		n++;
		for (i = 0; i < 2 * N_PAIRS; i++)
			if (!new_make(fds[i / 2][i & 1], n))
				return perror("new"), 1;
		atomic_store(&p->newest, n);
		for (i = 0; n > 2 && i < 2 * N_PAIRS; i++)
			new_unmake(fds[i / 2][i & 1], n - 2);
		nanosleep(&pause, NULL);
	}
	printf("new %u\n", n);
	return 0;
}

static int mover(int dir, struct page *p, double until)
{
	char a[64], b[64];
	uint64_t moves = 0;
	uint32_t seed = 1, i;

	while (now() < until) {
		seed = seed * 1103515245 + 12345;
		i = (seed >> 16) % N_PAIRS;
		pair_name(a, i, false);
		pair_name(b, i, true);
		atomic_fetch_add(&p->seq, 1);
		if (renameat2(dir, a, dir, b, RENAME_EXCHANGE))
			return perror("renameat2"), 1;
		atomic_fetch_xor(&p->swapped[i], 1);
		atomic_fetch_add(&p->seq, 1);
		moves++;
		/* Long enough for some whole opens, short enough that most see a fresh cache. */
		for (volatile uint32_t spin = 0; spin < (seed >> 8) % 60000; spin++)
			;
	}
	printf("moves %lu\n", moves);
	return 0;
}

static int reader(int dir, struct page *p, double until)
{
	uint64_t checked = 0, wrong = 0, allowed = 0, new = 0, before, reloads;
	int fds[N_PAIRS][2], i, side, fd;
	uint32_t seed = getpid(), n;
	char name[64];
	bool must;

	/* The mover has not begun. */
	if (!pairs_open(dir, fds))
		return 1;
	printf("ready\n");
	fflush(stdout);
	while (now() < until) {
		seed = seed * 1103515245 + 12345;
		i = (seed >> 16) % N_PAIRS;
		side = (seed >> 24) & 1;
		n = seed & 1 << 12 ? atomic_load(&p->newest) : 0;
		if (n)
			snprintf(name, sizeof(name), "a/b/%u/d/file", n);
		reloads = atomic_load(&p->reloads);
		before = atomic_load(&p->seq);
		must = !((side ^ atomic_load(&p->swapped[i]) ^ reloads >> 1) & 1);
		fd = openat(fds[i][side], n ? name : "a/b/file", O_RDONLY);
		if (fd < 0 && n && errno == ENOENT)
			continue;
		if (fd < 0 && errno != EACCES)
			return perror("openat"), 1;
		if (!(before & 1) && !(reloads & 1) && before == atomic_load(&p->seq) &&
		    reloads == atomic_load(&p->reloads)) {
			checked++;
			new += !!n;
			allowed += fd >= 0;
			if ((fd >= 0) != must && wrong++ < 5)
				printf("wrong: %d/%d%s was %s\n", i, side, n ? ", new," : "",
				       must ? "denied" : "allowed");
		}
		if (fd >= 0)
			close(fd);
	}
	printf("checked %lu allowed %lu wrong %lu new %lu\n", checked, allowed, wrong, new);
	return wrong ? 1 : 0;
}

static int prober(int dir, double until)
{
	static const char *const names[] = { "mnt/deny/file", "bind/file", "mnt/allow/file" };
	uint64_t opened[3] = {}, refused = 0;
	unsigned int i;
	int fd;

	printf("ready\n");
	fflush(stdout);
	while (now() < until) {
		for (i = 0; i < 3; i++) {
			fd = openat(dir, names[i], O_RDONLY);
			if (fd >= 0) {
				opened[i]++;
				close(fd);
			} else if (errno == EACCES) {
				refused += i < 2;
			} else if (errno != ENOENT) {
				return perror(names[i]), 1;
			}
		}
	}
	printf("refused %lu allowed %lu wrong %lu\n", refused, opened[2], opened[0] + opened[1]);
	return opened[0] + opened[1] ? 1 : 0;
}

/* Readers look at `reloads` before and after: what began before is not judged. */
static int flip(struct page *p, const char *done)
{
	uint64_t reloads = atomic_fetch_add(&p->reloads, 1);

	return (reloads & 1) != (*done == '1');
}

int main(int argc, char **argv)
{
	struct page *p;
	int dir;

	if (argc != 4)
		return 2;
	dir = open(argv[2], O_PATH | O_DIRECTORY);
	p = dir < 0 ? NULL : page_map(dir);
	if (!p)
		return perror(argv[2]), 1;
	switch (argv[1][0]) {
	case 'f':
		return flip(p, argv[3]);
	case 'm':
		return mover(dir, p, now() + atof(argv[3]));
	case 'n':
		return maker(dir, p, now() + atof(argv[3]));
	case 'p':
		return prober(dir, now() + atof(argv[3]));
	}
	return reader(dir, p, now() + atof(argv[3]));
}
