/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The keeper: a process in the background that drains every agent's ring into the event log and
 * names file systems as they are mounted, from the first agent to the last. Enforcement does not
 * need it: without it events wait in their rings and are then counted as lost, and file systems
 * mounted meanwhile are denied.
 */
#ifndef HG_KEEPER_H
#define HG_KEEPER_H

#include <stdbool.h>
#include <sys/types.h>

/* Is there one? *ret_pid may be NULL. */
bool keeper_alive(pid_t *ret_pid);

/* Starts one where there is none, and tells the one there is to look at the agents. Under
 * state_lock(), after an agent's record is written. Tells why. */
int keeper_ensure(void);

/* Ends it and waits until it has ended. Tells why. */
int keeper_stop(void);

/* Says that there are agents and no keeper, where that is so. */
void keeper_warn(void);

#endif
