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
