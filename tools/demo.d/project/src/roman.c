/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Roman numerals: the largest value that still fits, again and again. */
#include "roman.h"

#include <string.h>

static const struct {
	unsigned int value;
	const char *text;
} numerals[] = {
	{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"},
	{100, "C"}, {90, "XC"}, {50, "L"}, {40, "XL"},
	{10, "X"}, {9, "IX"}, {5, "V"},
	{1, "I"},
};

int roman_write(char *text, size_t room, unsigned int number)
{
	size_t i = 0, used = 0;

	if (number == 0 || number > 3999)
		return -1;
	while (number > 0) {
		size_t len = strlen(numerals[i].text);

		if (number < numerals[i].value) {
			i++;
			continue;
		}
		if (used + len >= room)
			return -1;
		memcpy(text + used, numerals[i].text, len);
		used += len;
		number -= numerals[i].value;
	}
	text[used] = '\0';
	return 0;
}
