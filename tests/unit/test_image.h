/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Images that tests are made on, as bytes that can be changed, and what a change must come to. */
#ifndef TEST_IMAGE_H
#define TEST_IMAGE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/image.h"
#include "policy/ruleset.h"
#include "tap.h"
#include "tests/endpoint_sample.h"

static inline void add(struct ruleset *rs, enum hg_verdict verdict, uint8_t options,
		       const char *pattern)
{
	uint16_t rule;

	ruleset_add(rs, verdict, options, &rule);
	ruleset_path(rs, rule, 1 + rule * 7 % 63, pattern, strlen(pattern), NULL);
}

/* A little of everything: fallbacks, bases, exceptions, several contexts, endpoints. n_more names
 * make it as large as is wanted. */
static inline struct image *make_image(unsigned n_more)
{
	struct image *im = NULL;
	struct ruleset *rs;
	char text[64];
	uint16_t rule;
	unsigned i;

	ruleset_new(&rs);
	add(rs, HG_ALLOW, 0, "/**");
	add(rs, HG_ALLOW, HG_OPT_LOG, "/srv/w/**");
	add(rs, HG_ASK, 0, "/srv/w/.git/**");
	add(rs, HG_DENY, HG_OPT_QUIET, "/etc/{shadow,sudoers}*");
	add(rs, HG_DENY, 0, "/home/*/*.kdbx");
	for (i = 0; i < n_more; i++) {
		sprintf(text, "/data/%u/file-%u", i % 50, i * 7919);
		add(rs, (enum hg_verdict)(i % 3), 0, text);
	}
	add(rs, HG_DENY, 0, "**/.ssh/**");
	add(rs, HG_DENY, 0, "**/.git/hooks/**");
	add(rs, HG_DENY, 0, "**/*.pem");
	add(rs, HG_DENY, 0, "**/.env");
	ruleset_add(rs, HG_ALLOW, 0, &rule);
	ruleset_endpoint(rs, rule, HG_BIT(HG_CONNECT), &endpoint_sample, NULL);
	ruleset_use(rs, rule, HG_USE_ANONYMOUS_EXEC);
	ruleset_use(rs, rule, HG_USE_CAP + 25);
	ruleset_compile(rs, NULL, &im, NULL);
	ruleset_free(rs);
	return im;
}

struct bytes {
	struct hg_chunk *chunks;
	uint32_t n;
	const struct hg_head *head;
};

static inline struct bytes copy_of(const struct image *im)
{
	struct bytes b;
	const struct hg_chunk *chunks = image_chunks(im, &b.n);

	b.chunks = malloc(b.n * sizeof(*b.chunks));
	memcpy(b.chunks, chunks, b.n * sizeof(*b.chunks));
	b.head = (const struct hg_head *)b.chunks;
	return b;
}

/* So that the change itself is judged, not the hash. */
static inline void sign(struct bytes *b)
{
	((struct hg_head *)b->chunks)->uid = image_uid(b->chunks, b->n);
}

static inline int take(const struct bytes *b, struct image **ret, struct ruleset_error *error)
{
	*ret = NULL;
	return image_from_bytes(b->chunks, b->n, ret, error);
}

static const char *const paths[] = {
	"/",
	"/srv",
	"/srv/w",
	"/srv/w/a/b",
	"/srv/w/.git/hooks/x",
	"/home/u/.ssh/id",
	"/etc/shadow-",
	"/x.pem",
	"/a/.env",
	"/data/7/file-7919",
	"/home/u/x.kdbx",
	"/a/b/c/d/e/f/g/h/i/j/k/l",
	"/srv/w/.git",
	"/\xff\n",
	"/data/49",
};

/* Everything that reading gives lies where it should. */
static inline bool reads_safely(const struct image *im)
{
	const struct hg_head *h = image_head(im);
	struct hg_endpoint ep = {0};
	struct hg_out out;
	uint16_t dir, row;
	unsigned i, a;

	for (i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		size_t len = strlen(paths[i]);

		if (image_path_at(im, paths[i], len, &dir, &row) < 0 || dir >= h->n_dirs ||
		    row >= h->n_outs || image_path(im, paths[i], len, &out) < 0)
			return false;
		for (a = 0; a < HG_N_PATH_ACTIONS; a++)
			if (out.rule[a] != HG_RULE_NONE && out.rule[a] >= h->n_rules)
				return false;
	}
	for (i = 0; i < 300; i++) {
		const uint8_t addr[4] = {i % 2 ? 10 : i, i, i / 2, 255 - i};

		hg_endpoint_v4(&ep, addr, i % 3 ? HG_TCP : HG_UDP, i * 211, true);
		if (image_endpoint(im, &ep, &out) < 0)
			return false;
	}
	return true;
}

struct change {
	const char *what;
	struct hg_region *region;      /* of the element, or NULL: the head */
	uint32_t index, units, offset; /* element, its size, byte in it */
	uint8_t size;		       /* of the field, in bytes */
	uint64_t value;
};

static inline void *field(struct bytes *b, const struct change *c)
{
	const struct hg_region *r = c->region;
	uint8_t *at = (uint8_t *)b->chunks;

	if (r)
		at = (uint8_t *)(b->chunks[r->first_chunk + (c->index >> r->shift)].unit + r->unit +
				 (c->index & ((1u << r->shift) - 1)) * c->units);
	return at + c->offset;
}

static inline void expect_refused(struct tap *t, const struct image *im, const struct change *c)
{
	struct ruleset_error error = {0};
	struct bytes b = copy_of(im);
	struct image *again;
	struct change local = *c;
	uint64_t old = 0;
	int r;

	memcpy(&old, field(&b, &local), c->size);
	memcpy(field(&b, &local), &c->value, c->size);
	sign(&b);
	r = take(&b, &again, &error);
	tap_ok(t, old != c->value && r == -EBADMSG && error.message[0], "%s: refused (%s)", c->what,
	       error.message);
	image_free(again);
	free(b.chunks);
}

#endif
