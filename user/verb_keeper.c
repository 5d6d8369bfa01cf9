/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The keeper's own verb; started by the others, see keeper.h. */
#include <fcntl.h>

#include "keeper_work.h"
#include "log.h"
#include "util.h"
#include "verbs.h"

int verb_keeper(int argc, char **argv)
{
	/* What keeper_start() has put there. */
	int ready = fcntl(3, F_GETFD) < 0 ? -1 : 3;

	(void)argc;
	(void)argv;
	log_with_time();
	return exit_code(keeper_work(ready));
}
