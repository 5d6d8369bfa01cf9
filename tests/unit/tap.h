/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Unit tests in a few lines: `ok N - name`, `not ok N - name`, and an exit code. A test that can
 * fail in thousands of places counts its failures and reports once, with the first of them.
 */
#ifndef HG_TAP_H
#define HG_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct tap {
	unsigned n, failed;
};

__attribute__((format(printf, 3, 4), unused)) static bool tap_ok(struct tap *t, bool ok,
								 const char *name, ...)
{
	va_list ap;

	t->n++;
	t->failed += !ok;
	printf("%s %u - ", ok ? "ok" : "not ok", t->n);
	va_start(ap, name);
	vprintf(name, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	return ok;
}

__attribute__((format(printf, 1, 2), unused)) static void tap_note(const char *format, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
}

__attribute__((unused)) static int tap_done(const struct tap *t)
{
	printf("1..%u\n", t->n);
	if (t->failed)
		printf("# %u of %u failed\n", t->failed, t->n);
	return t->failed != 0;
}

/* xorshift64*: the same numbers from the same seed everywhere. */
__attribute__((unused)) static uint32_t tap_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return (uint32_t)((x * 0x2545f4914f6cdd1dull) >> 32);
}

#endif
