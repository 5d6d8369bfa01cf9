// SPDX-License-Identifier: GPL-2.0-only
/* A program whose running can be seen: it says the marker that the tests write over this text. */
#include <stdio.h>

static const volatile char marker[] = "@@@@@@@@MARKER-GOES-HERE@@@@@@@@";

int main(void)
{
	for (const volatile char *p = marker; *p; p++)
		putchar(*p);
	putchar('\n');
	return 0;
}
