/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Tests of src/roman.c. */
#include <stdio.h>
#include <string.h>

#include "roman.h"

static const struct {
	unsigned int number;
	const char *text;
} cases[] = {
	{1, "I"}, {4, "IV"}, {9, "IX"}, {14, "XIV"}, {40, "XL"}, {1984, "MCMLXXXIV"},
	{2026, "MMXXVI"}, {3888, "MMMDCCCLXXXVIII"}, {3999, "MMMCMXCIX"},
};

int main(void)
{
	const size_t n = sizeof(cases) / sizeof(cases[0]);
	size_t i, n_failed = 0;
	char text[32];

	for (i = 0; i < n; i++) {
		if (roman_write(text, sizeof(text), cases[i].number) == 0 &&
		    !strcmp(text, cases[i].text))
			continue;
		printf("%u is %s, not %s\n", cases[i].number, cases[i].text, text);
		n_failed++;
	}
	printf("%zu of %zu tests pass\n", n - n_failed, n);
	return n_failed > 0;
}
