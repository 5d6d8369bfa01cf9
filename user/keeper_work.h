/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the keeper does; the nucleus of the daemon. */
#ifndef HG_KEEPER_WORK_H
#define HG_KEEPER_WORK_H

#include "paths.h"

#define KEEPER_LOCK HG_RUN_DIR "/keeper.lock"
#define KEEPER_POKE HG_AGENTS_DIR "/.poke"

/* Until no agent is left or SIGTERM; ready_fd gets a byte when it has begun, -1 for nobody.
 * Tells why. */
int keeper_work(int ready_fd);

#endif
