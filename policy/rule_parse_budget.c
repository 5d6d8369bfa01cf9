/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `budget=N/PERIOD`, `names=N/PERIOD`: how many bytes may be sent, or names asked for, in which
 * time. */
#include <errno.h>
#include <string.h>
#include "rule_parse.h"

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit sizes[] = {
	{"B", 1},
	{"kB", 1000},
	{"MB", 1000000},
	{"GB", 1000000000},
	{"KiB", 1ull << 10},
	{"MiB", 1ull << 20},
	{"GiB", 1ull << 30},
	{NULL, 0},
};
static const struct unit counts[] = {
	{"", 1},
	{NULL, 0},
};
static const struct unit times[] = {
	{"s", 1000000000ull},
	{"min", 60 * 1000000000ull},
	{"h", 3600 * 1000000000ull},
	{"d", 86400 * 1000000000ull},
	{NULL, 0},
};

/* Digits, then one of the units. one: a unit alone is one of it. */
static bool quantity(const char *text, size_t len, const struct unit *units, bool one,
		     uint64_t *ret)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < len && text[i] >= '0' && text[i] <= '9'; i++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(text[i] - '0'), &n))
			return false;
	if (!i && one)
		n = 1;
	for (; units->name; units++)
		if (strlen(units->name) == len - i && !memcmp(units->name, text + i, len - i))
			return n && !__builtin_mul_overflow(n, units->factor, ret);
	return false;
}

int rule_parse_budget(const char *word, size_t len, size_t at, struct rule_budget *ret,
		      struct rule_error *e)
{
	const char *text = strchr(word, '=') + 1, *end = word + len;
	const char *slash = memchr(text, '/', (size_t)(end - text));

	bool names = !strncmp(word, "names=", strlen("names="));

	ret->period_ns = 0;
	if (!quantity(text, (size_t)((slash ? slash : end) - text), names ? counts : sizes, false,
		      &ret->amount))
		return rule_fail(
			e, at + (size_t)(text - word),
			names ? "how many names may be asked for, as in 100/h"
			      : "a budget is a number of bytes, as in 50MiB/h: B, kB, MB, GB, "
				"KiB, MiB or GiB");
	if (slash && !quantity(slash + 1, (size_t)(end - slash - 1), times, true, &ret->period_ns))
		return rule_fail(
			e, at + (size_t)(slash + 1 - word),
			"a period is s, min, h or d, or several, as in 50MiB/30min; without one "
			"it holds for good");
	return 0;
}
