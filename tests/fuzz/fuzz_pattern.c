/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Patterns from anywhere: the input is lines, patterns first, then after an empty line paths. What
 * is taken must compile within its limits or be refused, and decide each path as the slow matcher
 * does. The first byte of a pattern's line gives its verdict and actions.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/ruleset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t line_length(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, '\n', size);

	return end ? (size_t)(end - data) : size;
}

static void add_pattern(struct ruleset *rs, const uint8_t *line, size_t len)
{
	struct ruleset_error error;
	/* An exact copy: a read past the end is seen. */
	char *pattern = malloc(len ? len - 1 : 1);
	uint16_t rule;
	int r;

	if (len && ruleset_add(rs, (enum hg_verdict)(line[0] % 3), 0, &rule) == 0) {
		memcpy(pattern, line + 1, len - 1);
		r = ruleset_path(rs, rule, line[0] % 63 + 1, pattern, len - 1, &error);
		if (r == -EINVAL && (!error.message[0] || error.offset > len))
			abort();
		if (r != 0 && r != -EINVAL && r != -E2BIG)
			abort();
	}
	free(pattern);
}

static void check_path(const struct ruleset *rs, const struct image *im, const uint8_t *line,
		       size_t len)
{
	char *path = malloc(len + 1);
	uint16_t hits[256];
	struct hg_out out;
	unsigned a;
	size_t n;

	memcpy(path, line, len);
	if (image_path(im, path, len, &out) == 0)
		for (a = 0; a < HG_N_PATH_ACTIONS; a++) {
			n = ruleset_match_path(rs, path, len, a, hits, 256);
			if (n <= 256 && out.rule[a] != (n ? hits[n - 1] : HG_RULE_NONE))
				abort();
		}
	free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct ruleset_limits limits = {.max_states = 2000, .max_chunks = 8};
	struct ruleset_error error;
	struct image *im = NULL;
	struct ruleset *rs;
	size_t at = 0, len;
	int r;

	if (ruleset_new(&rs) < 0)
		return 0;
	for (; at < size; at += len + 1) {
		len = line_length(data + at, size - at);
		if (!len)
			break;
		add_pattern(rs, data + at, len);
	}
	r = ruleset_compile(rs, &limits, &im, &error);
	if (r < 0 && (r != -E2BIG || !error.message[0]))
		abort();
	for (at++; im && at < size; at += len + 1) {
		len = line_length(data + at, size - at);
		check_path(rs, im, data + at, len);
	}
	image_free(im);
	ruleset_free(rs);
	return 0;
}
