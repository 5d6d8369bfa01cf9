/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Living beside the command: signals passed on, job control, denials told as they come. */
#ifndef HG_RUN_WAIT_H
#define HG_RUN_WAIT_H

#include <signal.h>
#include <sys/types.h>

#include "report.h"

/* Takes the signals over; *ret_old: the mask that the command is to have. A descriptor or -errno.
 */
int run_signals_take(sigset_t *ret_old);

/* A signal that came before there was a command to pass it on to; 0: none. */
int run_signal_came(void);

/* Until the command ends: its exit code as a shell gives it (128 + n for signal n), or -errno. */
int run_wait(pid_t pid, int signals, struct report *report);

#endif
