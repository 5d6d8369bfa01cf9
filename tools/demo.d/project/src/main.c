/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* roman NUMBER: prints it as the Romans wrote it. */
#include <stdio.h>
#include <stdlib.h>

#include "roman.h"

int main(int argc, char **argv)
{
	char text[32];

	if (argc != 2 || roman_write(text, sizeof(text), (unsigned int)atoi(argv[1])) < 0) {
		fprintf(stderr, "usage: roman NUMBER, from 1 to 3999\n");
		return 2;
	}
	puts(text);
	return 0;
}
