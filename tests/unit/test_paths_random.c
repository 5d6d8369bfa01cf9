/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Random rule sets of realistic patterns against the slow matcher; and what an image says of whole
 * directories (what is below, which states are alike) against walks through them.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/image.h"
#include "policy/ruleset.h"
#include "tap.h"

static const char *const parts[] = {
	"usr",
	"etc",
	"home",
	"u",
	".ssh",
	".git",
	"hooks",
	"a",
	"b",
	"ab",
	".env",
	".env.local",
	"id_rsa",
	"id_rsa.pub",
	"x.pem",
	"server.pem",
	"cert.key",
	"node_modules",
	".config",
	"gh",
	"\xff\xfe",
	"new\nline",
	"caf\xc3\xa9",
	"*",
	"a*",
	"*.pem",
	"*.key",
	"id_*",
	"?",
	"?b",
	"??*",
	"[a-c]*",
	"[!.]*",
	"[\x80-\xff]*",
	"*env*",
	".*",
	"{a,b}",
	"{.env,x.pem}",
	"a**b",
	"**.pem",
	"h**",
	"*a*b*",
	"new?line",
	".env.*",
	"{usr/lib,etc}",
};
#define N_PARTS	  (sizeof(parts) / sizeof(*parts))
#define N_LITERAL 23

static const char *part(uint64_t *seed)
{
	return parts[tap_random(seed) % N_PARTS];
}

static void random_pattern(uint64_t *seed, char *text, size_t max)
{
	unsigned n = 1 + tap_random(seed) % 4, i;

	text[0] = 0;
	if (tap_random(seed) % 3 == 0)
		strcat(text, "**");
	for (i = 0; i < n; i++) {
		strcat(text, "/");
		strncat(text, tap_random(seed) % 6 ? part(seed) : "**", max - strlen(text) - 1);
	}
	if (tap_random(seed) % 3 == 0)
		strcat(text, "/**");
}

static void random_name(uint64_t *seed, char *name)
{
	unsigned i, n;

	strcpy(name, parts[tap_random(seed) % N_LITERAL]);
	switch (tap_random(seed) % 6) {
	case 0:
		n = 1 + tap_random(seed) % 3;
		for (i = 0; i < n; i++)
			name[i] = "ab.xm\xff\n-"[tap_random(seed) % 8];
		name[n] = 0;
		break;
	case 1:
		strcat(name, parts[tap_random(seed) % N_LITERAL]);
		break;
	case 2:
		strcat(name, ".pem");
		break;
	}
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		strcpy(name, "a");
}

static size_t random_path(uint64_t *seed, char *path)
{
	unsigned n = tap_random(seed) % 6, i;
	char name[128];

	strcpy(path, n ? "" : "/");
	for (i = 0; i < n; i++) {
		random_name(seed, name);
		strcat(path, "/");
		strcat(path, name);
	}
	return strlen(path);
}

static struct ruleset *random_rules(uint64_t *seed, unsigned max_rules)
{
	struct ruleset *rs;
	char text[256];
	unsigned n = 1 + tap_random(seed) % max_rules, i, k;
	uint16_t rule;

	ruleset_new(&rs);
	for (i = 0; i < n; i++) {
		ruleset_add(rs, (enum hg_verdict)(tap_random(seed) % 3), tap_random(seed) % 4,
			    &rule);
		for (k = 0; k < 1 + tap_random(seed) % 3; k++) {
			uint8_t actions = tap_random(seed) % 3 ? 1 + tap_random(seed) % 63 : 63;

			random_pattern(seed, text, sizeof(text));
			ruleset_path(rs, rule, actions, text, strlen(text), NULL);
		}
	}
	return rs;
}

static uint16_t last_match(const struct ruleset *rs, const char *path, size_t len, unsigned action)
{
	uint16_t hits[64];
	size_t n = ruleset_match_path(rs, path, len, action, hits, 64);

	return n ? hits[n - 1] : HG_RULE_NONE;
}

/* The row that the last matching rules make. */
static bool row_right(const struct ruleset *rs, const struct image *im, const char *path,
		      size_t len, struct hg_out *ret)
{
	uint32_t n;
	const struct hg_chunk *chunks = image_chunks(im, &n);
	const struct hg_head *head = image_head(im);
	unsigned a;

	if (image_path(im, path, len, ret) < 0)
		return false;
	for (a = 0; a < HG_N_PATH_ACTIONS; a++) {
		uint16_t want = last_match(rs, path, len, a);
		struct hg_rule rule = {0};
		uint8_t bit = HG_BIT(a);

		if (ret->rule[a] != want)
			return false;
		if (want != HG_RULE_NONE)
			memcpy(&rule,
			       &chunks[head->rules.first_chunk].unit[head->rules.unit + want],
			       sizeof(rule));
		if (!!(ret->allow & bit) != (want != HG_RULE_NONE && rule.verdict == HG_ALLOW) ||
		    !!(ret->ask & bit) != (want != HG_RULE_NONE && rule.verdict == HG_ASK) ||
		    !!(ret->log & bit) != ((ret->allow & bit) && (rule.options & HG_OPT_LOG)))
			return false;
	}
	return true;
}

static bool same_bytes(const struct image *a, const struct image *b)
{
	uint32_t n, m;
	const struct hg_chunk *x = image_chunks(a, &n), *y = image_chunks(b, &m);

	return n == m && !memcmp(x, y, n * sizeof(*x));
}

static void test_paths(struct tap *t)
{
	unsigned bad = 0, failed = 0, differ = 0, allowed = 0, n, i;
	uint64_t seed = 11;

	for (n = 0; n < 200; n++) {
		struct ruleset *rs = random_rules(&seed, n % 5 ? 6 : 30);
		struct ruleset_error error = {0};
		struct image *im = NULL, *again = NULL;

		if (ruleset_compile(rs, NULL, &im, &error) < 0) {
			if (!failed++)
				tap_note("%s", error.message);
			ruleset_free(rs);
			continue;
		}
		for (i = 0; i < 70; i++) {
			char path[1024];
			size_t len = random_path(&seed, path);
			struct hg_out out;

			if (!row_right(rs, im, path, len, &out) && !bad++)
				tap_note("rule set %u, %s", n, path);
			allowed += out.allow != 0;
		}
		ruleset_compile(rs, NULL, &again, &error);
		differ += !same_bytes(im, again);
		image_free(im);
		image_free(again);
		ruleset_free(rs);
	}
	tap_ok(t, !failed, "200 random rule sets compile");
	tap_ok(t, !bad && allowed > 500, "their images decide as the slow matcher does");
	tap_ok(t, !differ, "the same rules give the same bytes");
}

/* ---- directories, over a world small enough to look at everything ---- */
static const char *const names[] = {"a", "b", "aa", "ab", "ba", "bb", "c", "ac", "cb", "cc", "abc"};
#define N_NAMES (sizeof(names) / sizeof(*names))
#define DEPTH	3

static const char *const small[] = {"a", "b", "*", "?", "a*", "*b", "[!a]", "**", "?b", "**"};

static struct ruleset *small_rules(uint64_t *seed)
{
	unsigned n = 1 + tap_random(seed) % 4, i, k, parts_n;
	struct ruleset *rs;
	char text[64];
	uint16_t rule;

	ruleset_new(&rs);
	for (i = 0; i < n; i++) {
		ruleset_add(rs, (enum hg_verdict)(tap_random(seed) % 3), 0, &rule);
		parts_n = 1 + tap_random(seed) % 3;
		for (k = 0, text[0] = 0; k < parts_n; k++) {
			strcat(text, "/");
			strcat(text, small[tap_random(seed) % 10]);
		}
		ruleset_path(rs, rule, 1 + tap_random(seed) % 63, text, strlen(text), NULL);
	}
	return rs;
}

struct below {
	uint8_t any_allow, all_allow, any_held, all_held;
};

static void look_below(const struct image *im, char *path, unsigned depth, struct below *b)
{
	size_t len = strlen(path), i;
	struct hg_out out;

	for (i = 0; depth && i < N_NAMES; i++) {
		sprintf(path + len, "%s%s", len == 1 ? "" : "/", names[i]);
		image_path(im, path, strlen(path), &out);
		b->any_allow |= out.allow;
		b->all_allow &= out.allow;
		b->any_held |= out.allow | out.ask;
		b->all_held &= out.allow | out.ask;
		look_below(im, path, depth - 1, b);
		path[len] = 0;
	}
}

static struct hg_dir dir_of(const struct image *im, uint16_t dir)
{
	uint32_t n;
	const struct hg_chunk *chunks = image_chunks(im, &n);
	const struct hg_region *r = &image_head(im)->dirs;
	struct hg_dir ret;

	memcpy(&ret, &chunks[r->first_chunk].unit[r->unit + 2 * dir], sizeof(ret));
	return ret;
}

/* Whether both places have the same verdicts below; rows: the same rules too. */
static bool alike(const struct image *im, char *a, char *b, unsigned depth, bool rows)
{
	size_t len_a = strlen(a), len_b = strlen(b), i;
	struct hg_out x, y;
	bool same = true;

	for (i = 0; depth && same && i < N_NAMES; i++) {
		sprintf(a + len_a, "%s%s", len_a == 1 ? "" : "/", names[i]);
		sprintf(b + len_b, "%s%s", len_b == 1 ? "" : "/", names[i]);
		image_path(im, a, strlen(a), &x);
		image_path(im, b, strlen(b), &y);
		same = x.allow == y.allow && x.ask == y.ask &&
		       (!rows || !memcmp(&x, &y, sizeof(x)));
		same = same && alike(im, a, b, depth - 1, rows);
		a[len_a] = b[len_b] = 0;
	}
	return same;
}

static unsigned check_below(const struct image *im, uint64_t *seed)
{
	struct below b = {.all_allow = 63, .all_held = 63};
	char path[128];
	uint16_t dir, out;
	struct hg_dir d;

	strcpy(path, "/");
	if (tap_random(seed) % 4)
		sprintf(path, "/%s", names[tap_random(seed) % N_NAMES]);
	image_path_at(im, path, strlen(path), &dir, &out);
	d = dir_of(im, dir);
	look_below(im, path, DEPTH, &b);
	return d.any_allow != b.any_allow || d.all_allow != b.all_allow ||
	       d.any_held != b.any_held || d.all_held != b.all_held;
}

static unsigned check_alike(const struct image *im, uint64_t *seed)
{
	char a[128], b[128];
	uint16_t dir_a, dir_b, out;
	unsigned bad = 0;

	sprintf(a, "/%s", names[tap_random(seed) % N_NAMES]);
	sprintf(b, "/%s/%s", names[tap_random(seed) % N_NAMES], names[tap_random(seed) % N_NAMES]);
	image_path_at(im, a, strlen(a), &dir_a, &out);
	image_path_at(im, b, strlen(b), &dir_b, &out);
	if (dir_a == dir_b)
		bad += !alike(im, a, b, 2, true);
	if (dir_of(im, dir_a).kin == dir_of(im, dir_b).kin)
		bad += !alike(im, a, b, 2, false);
	return bad;
}

static void test_directories(struct tap *t)
{
	unsigned bad_below = 0, bad_alike = 0, n, i;
	uint64_t seed = 12;

	for (n = 0; n < 200; n++) {
		struct ruleset *rs = small_rules(&seed);
		struct image *im = NULL;

		ruleset_compile(rs, NULL, &im, NULL);
		for (i = 0; im && i < 4; i++) {
			bad_below += check_below(im, &seed);
			bad_alike += check_alike(im, &seed);
		}
		bad_below += !im;
		image_free(im);
		ruleset_free(rs);
	}
	tap_ok(t, !bad_below, "some and every right below a directory: exactly what a walk finds");
	tap_ok(t, !bad_alike, "equal states and kin: nothing below tells them apart");
}

/* Two folders under one rule are one state: a tree can be moved between them. */
static void test_one_state(struct tap *t)
{
	struct ruleset *rs;
	struct image *im = NULL;
	uint16_t rule, other, a, b, c, out;

	ruleset_new(&rs);
	ruleset_add(rs, HG_ALLOW, 0, &rule);
	ruleset_path(rs, rule, 63, "/srv/w/**", 9, NULL);
	ruleset_path(rs, rule, 63, "/tmp/**", 7, NULL);
	ruleset_add(rs, HG_ALLOW, 0, &other);
	ruleset_path(rs, other, 63, "/var/tmp/**", 11, NULL);
	ruleset_add(rs, HG_DENY, 0, &rule);
	ruleset_path(rs, rule, 63, "**/.ssh/**", 10, NULL);
	ruleset_compile(rs, NULL, &im, NULL);
	image_path_at(im, "/srv/w/x/y", 10, &a, &out);
	image_path_at(im, "/tmp", 4, &b, &out);
	image_path_at(im, "/var/tmp", 8, &c, &out);
	tap_ok(t, a == b, "two folders under one rule are one state");
	tap_ok(t, a != c && dir_of(im, a).kin == dir_of(im, c).kin,
	       "under two rules of one verdict they are kin");
	image_free(im);
	ruleset_free(rs);
}

/* ---- proofs ---- */
static void every_path(char *path, unsigned depth, void (*see)(void *ctx, const char *path),
		       void *ctx)
{
	size_t len = strlen(path), i;

	see(ctx, path);
	for (i = 0; depth && i < N_NAMES; i++) {
		sprintf(path + len, "%s%s", len == 1 ? "" : "/", names[i]);
		every_path(path, depth - 1, see, ctx);
		path[len] = 0;
	}
}

struct deciding {
	const struct image *im;
	bool decides[8];
};

static void see_deciding(void *ctx, const char *path)
{
	struct deciding *d = ctx;
	struct hg_out out;
	unsigned a;

	image_path(d->im, path, strlen(path), &out);
	for (a = 0; a < HG_N_PATH_ACTIONS; a++)
		if (out.rule[a] != HG_RULE_NONE)
			d->decides[out.rule[a]] = true;
}

static void test_dead(struct tap *t)
{
	unsigned bad = 0, dead_n = 0, n, i;
	uint64_t seed = 13;

	for (n = 0; n < 200; n++) {
		struct ruleset *rs = small_rules(&seed);
		struct deciding d = {0};
		struct image *im = NULL;
		uint8_t dead[8] = {0};
		char path[128] = "/";

		ruleset_compile(rs, NULL, &im, NULL);
		d.im = im;
		every_path(path, DEPTH, see_deciding, &d);
		ruleset_dead(rs, dead);
		for (i = 0; i < image_head(im)->n_rules; i++) {
			bad += dead[i] == d.decides[i];
			dead_n += dead[i];
		}
		image_free(im);
		ruleset_free(rs);
	}
	tap_ok(t, !bad && dead_n > 10, "dead: exactly the rules that decide no path (%u of them)",
	       dead_n);
}

/* "." and ".." are no names, whatever the bytes of a pattern. */
static void test_dots(struct tap *t)
{
	static const char *const dots[] = {"/x/[.]", "/x/[.][.]", "/x/[.][.]?", "/x/[.]*", "/x/?"};
	static const bool want[] = {true, true, false, false, false};
	struct image *im = NULL;
	struct ruleset *rs;
	uint8_t dead[6] = {0};
	uint16_t rule, dir, out;
	unsigned i;

	for (i = 0; i < 5; i++) {
		ruleset_new(&rs);
		ruleset_add(rs, HG_ALLOW, 0, &rule);
		ruleset_path(rs, rule, 63, "/**", 3, NULL);
		ruleset_add(rs, HG_DENY, 0, &rule);
		ruleset_path(rs, rule, 63, dots[i], strlen(dots[i]), NULL);
		ruleset_compile(rs, NULL, &im, NULL);
		ruleset_dead(rs, dead);
		image_path_at(im, "/x", 2, &dir, &out);
		tap_ok(t, dead[1] == want[i] && (dir_of(im, dir).all_allow == 63) == want[i],
		       "%s %s", dots[i], want[i] ? "denies no name" : "denies some");
		image_free(im);
		ruleset_free(rs);
	}
}

struct newly {
	const struct image *a, *b;
	size_t shortest;
};

static void see_newly(void *ctx, const char *path)
{
	struct newly *n = ctx;
	struct hg_out x, y;
	size_t len = strlen(path);

	image_path(n->a, path, len, &x);
	image_path(n->b, path, len, &y);
	if ((y.allow & ~x.allow) && len < n->shortest)
		n->shortest = len;
}

static void test_newly(struct tap *t)
{
	unsigned bad = 0, found = 0, n;
	uint64_t seed = 14;

	for (n = 0; n < 160; n++) {
		struct ruleset *rs_a = small_rules(&seed), *rs_b = small_rules(&seed);
		struct image *a = NULL, *b = NULL;
		struct newly w = {.shortest = SIZE_MAX};
		char path[128] = "/", witness[4096];
		struct hg_out x, y;
		unsigned action;
		int r;

		ruleset_compile(rs_a, NULL, &a, NULL);
		ruleset_compile(rs_b, NULL, &b, NULL);
		w.a = a;
		w.b = b;
		every_path(path, DEPTH, see_newly, &w);
		r = ruleset_newly_allows(rs_a, rs_b, &action, witness, sizeof(witness));
		bad += r < 0 || (r == 0) != (w.shortest == SIZE_MAX);
		if (r == 1) {
			found++;
			bad += image_path(a, witness, strlen(witness), &x) < 0 ||
			       image_path(b, witness, strlen(witness), &y) < 0 ||
			       (x.allow & HG_BIT(action)) || !(y.allow & HG_BIT(action)) ||
			       strlen(witness) > w.shortest;
		}
		bad += ruleset_newly_allows(rs_a, rs_a, &action, witness, sizeof(witness)) != 0;
		image_free(a);
		image_free(b);
		ruleset_free(rs_a);
		ruleset_free(rs_b);
	}
	tap_ok(t, !bad && found > 60, "newly allowed: a shortest example, or there is none");
}

int main(void)
{
	struct tap t = {0};

	test_paths(&t);
	test_directories(&t);
	test_one_state(&t);
	test_dead(&t);
	test_dots(&t);
	test_newly(&t);
	return tap_done(&t);
}
