// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Files with several names: every set of names of one file, against what their rights say. */
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "tap.h"
#include "user/links.h"
#include "user/util.h"

/* Each name has other rights. "away" lies where is not looked. */
static const char *const names[] = {"ws/a",    "closed/b", "ws/vault/c",
				    "plain/d", "plain/e",  "ws/x/f"};
#define N_NAMES ARRAY_SIZE(names)
#define READS	HG_BIT(HG_READ)
#define ALL	HG_OBJECT_RIGHTS
static const uint8_t rights[N_NAMES] = {ALL, 0, 0, READS, READS, ALL};

static char top[] = "/tmp/test_links.XXXXXX";

static void rule(struct ruleset *rs, enum hg_verdict verdict, uint8_t actions, const char *below)
{
	struct ruleset_error why;
	char pattern[256];
	uint16_t number;

	snprintf(pattern, sizeof(pattern), "%s%s", *below == '/' ? top : "", below);
	if (ruleset_add(rs, verdict, 0, &number) ||
	    ruleset_path(rs, number, actions, pattern, strlen(pattern), &why))
		abort();
}

static struct image *image_make(void)
{
	struct ruleset_error why;
	struct ruleset *rs;
	struct image *im;

	if (ruleset_new(&rs))
		abort();
	rule(rs, HG_ALLOW, READS, "/**");
	rule(rs, HG_ALLOW, HG_ALL_PATH_ACTIONS, "/ws/**");
	rule(rs, HG_DENY, HG_ALL_PATH_ACTIONS, "/closed/**");
	rule(rs, HG_DENY, HG_ALL_PATH_ACTIONS, "**/vault/**");
	if (ruleset_compile(rs, NULL, &im, &why))
		abort();
	ruleset_free(rs);
	return im;
}

static void tree_make(int dir)
{
	static const char *const dirs[] = {"ws", "ws/vault", "ws/x", "closed", "plain", "away"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(dirs); i++)
		if (mkdirat(dir, dirs[i], 0700))
			abort();
}

/* Files named after the set of names they have: bit i stands for names[i], the last for away/. */
static void files_make(int dir)
{
	char path[64], first[64];
	unsigned int set, i;
	int fd;

	for (set = 1; set < 1u << (N_NAMES + 1); set++) {
		*first = 0;
		for (i = 0; i <= N_NAMES; i++) {
			if (!(set & 1u << i))
				continue;
			snprintf(path, sizeof(path), "%s%u", i < N_NAMES ? names[i] : "away/g",
				 set);
			if (!*first) {
				fd = openat(dir, path, O_WRONLY | O_CREAT, 0600);
				if (fd < 0 || write(fd, &set, sizeof(set)) != sizeof(set))
					abort();
				close(fd);
				strcpy(first, path);
			} else if (linkat(dir, first, dir, path, 0)) {
				abort();
			}
		}
	}
}

static const struct link_file *file_find(const struct links *l, int dir, unsigned int set)
{
	struct stat st;
	char path[64];
	size_t i;

	for (i = 0; !(set & 1u << i); i++)
		;
	snprintf(path, sizeof(path), "%s%u", i < N_NAMES ? names[i] : "away/g", set);
	if (fstatat(dir, path, &st, 0))
		abort();
	for (i = 0; i < l->n; i++)
		if (l->items[i].ino == st.st_ino && l->items[i].dev == st.st_dev)
			return &l->items[i];
	return NULL;
}

/* What must be refused: rights that one name has and another has not; `away` is a plain name when
 * looked by names (which is told the directory is whole), and unknown otherwise. */
static uint8_t oracle(unsigned int set, uint8_t away)
{
	uint8_t any = 0, all = ALL;
	unsigned int i;

	for (i = 0; i <= N_NAMES; i++)
		if (set & 1u << i) {
			any |= i < N_NAMES ? rights[i] : away;
			all &= i < N_NAMES ? rights[i] : away;
		}
	return any & ~all;
}

static unsigned int wrong(const struct links *l, int dir, uint8_t away)
{
	unsigned int set, n = 0;

	for (set = 1; set < 1u << (N_NAMES + 1); set++) {
		const struct link_file *f = file_find(l, dir, set);
		uint8_t lacks = f ? link_lacks(f) : 0, must = oracle(set, away);

		if (lacks != must && n++ < 5)
			printf("# names %#x: %#x is refused, not %#x\n", set, lacks, must);
	}
	return n;
}

/* The same tree as three parts of a file system, and what else there is out of reach. */
static bool parts_look(struct links *l, const struct image *im, int dir, bool by_names)
{
	static const char *const parts[] = {"plain", "closed", "ws"};
	char like[64], path[64];
	bool ok = true;
	size_t i;

	snprintf(like, sizeof(like), "%s/%s", top, parts[0]);
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		struct link_root root = {.path = path, .like = like, .by_names = by_names};

		snprintf(path, sizeof(path), "%s/%s", top, parts[i]);
		root.fd = openat(dir, parts[i], O_RDONLY | O_DIRECTORY);
		ok = ok && root.fd >= 0 && !links_look(l, im, &root);
		close(root.fd);
	}
	return ok;
}

static void test_parts(struct tap *t, const struct image *im, int dir)
{
	_links_ struct links l = {};
	unsigned int set, n_wrong = 0, n_open = 0;

	tap_ok(t, parts_look(&l, im, dir, false) && links_settled(&l), "parts, every file: at rest");
	for (set = 1; set < 1u << (N_NAMES + 1); set++) {
		const struct link_file *f = file_find(&l, dir, set);

		/* A name out of reach may have any right. */
		n_wrong += (f ? link_lacks(f) : 0) != (f ? oracle(set, ALL) : 0);
	}
	tap_ok(t, !n_wrong, "and every set of names (%u wrong)", n_wrong);
	links_clear(&l);
	/* Those that are in doubt are looked at again as above. */
	tap_ok(t, parts_look(&l, im, dir, true), "parts, by names");
	for (set = 1; set < 1u << N_NAMES; set++) {
		const struct link_file *f = file_find(&l, dir, set);

		n_open += oracle(set, READS) & ~(f ? link_lacks(f) : 0) ? 1 : 0;
	}
	tap_ok(t, !n_open, "and no right is left that a name has not (%u)", n_open);
}

/* A mount of a single file, and another name of it in a part. */
static void test_file(struct tap *t, const struct image *im, int dir)
{
	_links_ struct links l = {};
	char like[64], path[64];
	struct link_root file = {.path = path, .like = like}, part = {.path = like, .like = like};

	snprintf(like, sizeof(like), "%s/ws", top);
	snprintf(path, sizeof(path), "%s/closed/b3", top);
	part.fd = openat(dir, "ws", O_RDONLY | O_DIRECTORY);
	file.fd = openat(dir, "closed/b3", O_PATH);
	for (int by_names = 0; by_names < 2; by_names++) {
		part.by_names = file.by_names = by_names;
		tap_ok(t, !links_look(&l, im, &part) && !links_look(&l, im, &file) &&
				  file_find(&l, dir, 3) && link_lacks(file_find(&l, dir, 3)) == ALL,
		       "a file mounted by itself is one of its names%s", by_names ? ", by names" : "");
		links_clear(&l);
	}
	close(part.fd);
	close(file.fd);
}

int main(void)
{
	_links_ struct links l = {};
	struct tap t = {};
	struct link_root root = {.path = top, .whole = true};
	struct image *im;
	int dir;

	if (!mkdtemp(top))
		abort();
	dir = root.fd = open(top, O_RDONLY | O_DIRECTORY);
	tree_make(dir);
	files_make(dir);
	im = image_make();

	root.by_names = true;
	tap_ok(&t, !links_look(&l, im, &root) && links_settled(&l), "looked by names: at rest");
	tap_ok(&t, !wrong(&l, dir, READS), "by names: every set of names");
	links_clear(&l);
	root.by_names = false;
	tap_ok(&t, !links_look(&l, im, &root) && links_settled(&l),
	       "looked at every file: at rest");
	tap_ok(&t, !wrong(&l, dir, READS), "every file: every set of names");
	links_clear(&l);

	test_parts(&t, im, dir);
	test_file(&t, im, dir);

	/* A name that was taken away while others were looked at. */
	tap_ok(&t, !renameat(dir, "ws/a1", AT_FDCWD, "/tmp/test_links.away"), "a name goes away");
	tap_ok(&t, !linkat(AT_FDCWD, "/tmp/test_links.away", dir, "ws/a1", 0),
	       "and is there twice");
	root.by_names = false;
	tap_ok(&t, !links_look(&l, im, &root) && !links_settled(&l),
	       "a name that is not found is missed");
	tap_ok(&t, link_lacks(file_find(&l, dir, 1)) == ALL, "and the file refused");
	links_clear(&l);
	unlink("/tmp/test_links.away");
	remove_tree(AT_FDCWD, top);
	image_free(im);
	return tap_done(&t);
}
