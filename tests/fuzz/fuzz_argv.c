/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Argument patterns from anywhere: the input is lines, patterns first, then after an empty line
 * command lines, in which '|' stands for the end of an argument. What is taken must compile or be
 * refused for its size, and decide each line as the slow matcher does. The first byte of a pattern's
 * line gives its verdict.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/argvs.h"
#include "policy/ruleset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RULES_MAX 64

struct rules {
	struct argv_pattern pattern[RULES_MAX];
	size_t n;
};

static size_t line_length(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, '\n', size);

	return end ? (size_t)(end - data) : size;
}

static void add_pattern(struct ruleset *rs, struct rules *rules, const uint8_t *line, size_t len)
{
	struct ruleset_error error;
	/* An exact copy: a read past the end is seen. */
	char *pattern = malloc(len);
	struct argv_pattern parsed;
	uint16_t rule;
	int r;

	memcpy(pattern, line + 1, len - 1);
	r = argv_pattern_parse(pattern, len - 1, &parsed, &error);
	if (r == -EINVAL && (!error.message[0] || error.offset > len))
		abort();
	if (r == 0) {
		if (ruleset_add(rs, (enum hg_verdict)(line[0] % 3), 0, &rule) < 0 ||
		    ruleset_argv(rs, rule, pattern, len - 1, &error) < 0 ||
		    ruleset_path(rs, rule, HG_BIT(HG_EXEC), "/p", 2, &error) < 0)
			abort();
		rules->pattern[rules->n++] = parsed;
	}
	free(pattern);
}

static void check_line(const struct image *im, const struct rules *rules, const uint8_t *text,
		       size_t len)
{
	char *line = malloc(len + 3);
	struct hg_out out, row;
	uint16_t want = HG_RULE_NONE;
	size_t i;

	memcpy(line, "p", 2);
	for (i = 0; i < len; i++)
		line[2 + i] = text[i] == '|' ? 0 : (char)text[i];
	line[2 + len] = 0;
	for (i = 0; i < rules->n; i++)
		if (argv_pattern_match(&rules->pattern[i], line + 2, len + 1) == 1)
			want = (uint16_t)i;
	if (image_path(im, "/p", 2, &out) < 0)
		abort();
	row = out;
	if (out.argv && image_argv(im, &out, line, len + 3, &row) < 0)
		abort();
	if (row.rule[HG_EXEC] != want)
		abort();
	free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct ruleset_limits limits = {.max_states = 4000, .max_chunks = 8};
	struct rules rules = {.n = 0};
	struct ruleset_error error;
	struct image *im = NULL;
	struct ruleset *rs;
	size_t at = 0, len, i;
	int r;

	if (size > 2048 || ruleset_new(&rs) < 0)
		return 0;
	for (; at < size && rules.n < RULES_MAX; at += len + 1) {
		len = line_length(data + at, size - at);
		if (!len)
			break;
		add_pattern(rs, &rules, data + at, len);
	}
	r = ruleset_compile(rs, &limits, &im, &error);
	if (r < 0 && (r != -E2BIG || !error.message[0]))
		abort();
	for (at++; im && at < size; at += len + 1) {
		len = line_length(data + at, size - at);
		check_line(im, &rules, data + at, len);
	}
	image_free(im);
	for (i = 0; i < rules.n; i++)
		argv_pattern_done(&rules.pattern[i]);
	ruleset_free(rs);
	return 0;
}
