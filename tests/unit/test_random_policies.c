/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whatever rules a policy has, what it is compiled into passes the check before it is loaded. */
#include <errno.h>

#include "../random_policy.h"
#include "tap.h"

#define N_POLICIES 100

static struct tap tap;

int main(void)
{
	unsigned i, n_wrong = 0, n_big = 0;
	int err;

	for (i = 1; i <= N_POLICIES; i++) {
		struct image *im = NULL;

		random_state = i;
		err = random_image(&im);
		/* Some of what is drawn multiplies states; that the compiler says so is tested elsewhere. */
		if (err == -E2BIG)
			n_big++;
		else if (err && n_wrong++ < 5)
			printf("# policy %u\n", i);
		image_free(im);
	}
	tap_ok(&tap, !n_wrong, "%u random policies compile (%u do not)", N_POLICIES, n_wrong);
	tap_ok(&tap, n_big < N_POLICIES / 5, "%u of them would grow past a limit", n_big);
	return tap_done(&tap);
}
