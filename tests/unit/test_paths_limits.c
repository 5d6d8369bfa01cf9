/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Policies whose automaton grows: refused in bounds, with the rules that make it grow. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/ruleset.h"
#include "tap.h"

static uint16_t add(struct ruleset *rs, const char *pattern)
{
	uint16_t rule;

	ruleset_add(rs, HG_DENY, 0, &rule);
	if (ruleset_path(rs, rule, HG_ALL_PATH_ACTIONS, pattern, strlen(pattern), NULL) < 0)
		tap_note("bad pattern %s", pattern);
	return rule;
}

/* Twenty rules that harm nobody. */
static void add_bystanders(struct ruleset *rs)
{
	char text[64];
	int i;

	for (i = 0; i < 20; i++) {
		sprintf(text, i % 2 ? "/srv/p%d/**" : "**/.secret%d", i);
		add(rs, text);
	}
}

static bool blames(const struct ruleset_error *error, uint16_t first, uint16_t last)
{
	unsigned i;

	for (i = 0; i < error->n_blamed; i++)
		if (error->blamed[i] < first || error->blamed[i] > last)
			return false;
	return error->n_blamed > 0 && strstr(error->message, "limit");
}

/* Words inside names, in any combination: each doubles what the lexer must remember. */
static void test_names(struct tap *t)
{
	const struct ruleset_limits limits = {.max_states = 3000};
	struct ruleset_error error = {0};
	struct image *im = NULL;
	struct ruleset *rs;
	uint16_t first, last = 0;
	char text[64];
	int i, r;

	ruleset_new(&rs);
	add_bystanders(rs);
	first = add(rs, "/x/*w0rd0*");
	for (i = 1; i < 9; i++) {
		sprintf(text, "/x/*w%drd%d*", i, i);
		last = add(rs, text);
	}
	add_bystanders(rs);
	r = ruleset_compile(rs, &limits, &im, &error);
	tap_ok(t, r == -E2BIG && !im, "nine words anywhere in a name: -E2BIG at 3000 states");
	tap_ok(t, blames(&error, first, last), "the rules with the words are blamed");
	ruleset_free(rs);
}

/* Names at a distance from the end of the path: each doubles the directories. */
static void test_directories(struct tap *t)
{
	const struct ruleset_limits limits = {.max_states = 3000};
	struct ruleset_error error = {0};
	struct image *im = NULL;
	struct ruleset *rs;
	uint16_t guilty;
	int r;

	ruleset_new(&rs);
	add_bystanders(rs);
	guilty = add(rs, "**/a/*/*/*/*/*/*/*/*/*/*/*/*/b");
	add_bystanders(rs);
	r = ruleset_compile(rs, &limits, &im, &error);
	tap_ok(t, r == -E2BIG && !im, "a name twelve directories from the end: -E2BIG");
	tap_ok(t, blames(&error, guilty, guilty), "and that rule alone is blamed");
	ruleset_free(rs);
}

static void test_endpoints(struct tap *t)
{
	const struct ruleset_limits limits = {.max_states = 500};
	struct ruleset_endpoint ep = {
		.family = 4, .prefix_len = 32, .port_high = 65535, .tcp = true};
	struct ruleset_error error = {0};
	struct image *im = NULL;
	struct ruleset *rs;
	uint16_t rule;
	int i, r = 0;

	ruleset_new(&rs);
	add_bystanders(rs);
	for (i = 0; i < 300; i++) {
		ruleset_add(rs, HG_ALLOW, 0, &rule);
		ep.address[0] = 10;
		ep.address[2] = (uint8_t)i;
		ep.address[3] = (uint8_t)(i * 7);
		r |= ruleset_endpoint(rs, rule, HG_BIT(HG_CONNECT), &ep, &error);
	}
	r |= ruleset_compile(rs, &limits, &im, &error);
	tap_ok(t, r == -E2BIG && !im, "three hundred addresses in 500 states: -E2BIG");
	tap_ok(t, blames(&error, 20, 319), "address rules are blamed");
	ruleset_free(rs);
}

static void test_chunks(struct tap *t)
{
	const struct ruleset_limits limits = {.max_chunks = 1};
	struct ruleset_error error = {0};
	struct image *im = NULL;
	struct ruleset *rs;
	uint32_t n = 0;
	char text[64];
	int i, r;

	ruleset_new(&rs);
	for (i = 0; i < 3000; i++) {
		sprintf(text, "/srv/d%d/name-%d", i % 97, i * 7919);
		add(rs, text);
	}
	r = ruleset_compile(rs, &limits, &im, &error);
	tap_ok(t, r == -E2BIG && !im && strstr(error.message, "chunk"),
	       "three thousand names in one chunk: -E2BIG");
	r = ruleset_compile(rs, NULL, &im, &error);
	if (r == 0)
		image_chunks(im, &n);
	tap_ok(t, r == 0 && n > 1, "without that limit in several");
	image_free(im);
	ruleset_free(rs);
}

/* What looks alike but does not grow: overlapping "everything below" rules, and names that are
 * ruled on anywhere, in any number. */
static void test_harmless(struct tap *t)
{
	const struct ruleset_limits limits = {.max_states = 4000};
	struct ruleset_error error = {0};
	struct image *im = NULL;
	struct ruleset *rs;
	char text[64];
	int i, r;

	ruleset_new(&rs);
	for (i = 0; i < 200; i++) {
		sprintf(text, "**/.dir%d/**", i);
		add(rs, text);
	}
	r = ruleset_compile(rs, &limits, &im, &error);
	tap_ok(t, r == 0 && image_head(im)->n_dirs <= 210,
	       "200 directories closed wherever they are: a state each, not one for each set");
	image_free(im);
	ruleset_free(rs);
}

/* Folders below which one rule speaks are one place to be in, beside as many where others are in wait: sixty
 * times sixty sets of places would be more than the limit. */
static void test_places(struct tap *t)
{
	const struct ruleset_limits limits = {.max_states = 1500};
	struct ruleset_error error = {0};
	struct image *im = NULL;
	uint16_t closed, kept;
	struct ruleset *rs;
	char text[64];
	int i, r = 0;

	ruleset_new(&rs);
	ruleset_add(rs, HG_DENY, 0, &closed);
	ruleset_add(rs, HG_DENY, 0, &kept);
	for (i = 0; i < 60; i++) {
		sprintf(text, "**/.s%d/**", i);
		r |= ruleset_path(rs, closed, HG_BIT(HG_READ), text, strlen(text), NULL);
		sprintf(text, "**/.t%d/k%d", i, i);
		r |= ruleset_path(rs, kept, HG_BIT(HG_MODIFY), text, strlen(text), NULL);
	}
	r |= ruleset_compile(rs, &limits, &im, &error);
	tap_ok(t, r == 0, "sixty folders closed by one rule, and sixty with a name kept: %d %s", r, error.message);
	image_free(im);
	ruleset_free(rs);
}

int main(void)
{
	struct tap t = {0};

	test_names(&t);
	test_directories(&t);
	test_endpoints(&t);
	test_chunks(&t);
	test_harmless(&t);
	test_places(&t);
	return tap_done(&t);
}
