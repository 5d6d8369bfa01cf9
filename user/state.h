/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The state directory /run/hydraguard: who may change things now, and numbers never used twice. */
#ifndef HG_STATE_H
#define HG_STATE_H

#include <stdbool.h>

/*
 * Waits until no other command changes anything, and is the one that does until the descriptor
 * is closed. Makes the directory. Tells why.
 */
int state_lock(void);
/* The same without waiting: -EAGAIN when another one does (no message). */
int state_trylock(void);

/* Directory of the agents' records; made when `make`. -ENOENT (no message) where there is none. */
int agents_dir_open(bool make);

#endif
