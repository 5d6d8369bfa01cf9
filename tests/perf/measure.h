/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Medians of what calls take over batches, in nanoseconds, which are instructions in a guest started
 * with --icount.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define N_BATCHES 51

struct call {
	const char *name;
	void (*run)(void);
	int n;			/* in one batch */
};

static void die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/*
 * Sleeps until just after a timer tick: what earlier calls left to be freed has been, and every
 * batch meets the same ticks. Under --icount an idle guest's clock jumps, so this takes no time.
 */
static void settle(void)
{
	const uint64_t period = 40000000, ahead = 100000;
	uint64_t at = (now() / period + 1) * period + ahead;
	const struct timespec ts = {
		.tv_sec = (time_t)(at / 1000000000),
		.tv_nsec = (long)(at % 1000000000),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void measure(const struct call *call, int n_batches)
{
	uint64_t took[N_BATCHES];
	int batch, i;

	/* One more, which only fills caches. */
	for (batch = -1; batch < n_batches; batch++) {
		uint64_t start;

		settle();
		start = now();
		for (i = 0; i < call->n; i++)
			call->run();
		if (batch >= 0)
			took[batch] = now() - start;
	}
	qsort(took, n_batches, sizeof(took[0]), by_value);
	printf("%s\t%llu\n", call->name,
	       (unsigned long long)took[n_batches / 2] / (unsigned int)call->n);
}

#endif
