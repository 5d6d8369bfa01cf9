/* SPDX-License-Identifier: GPL-2.0-only */
/* What PID 1 of a test guest does before it runs anything. */
#ifndef GUEST_MACHINE_H
#define GUEST_MACHINE_H

/* From the initramfs to a mounted, networked machine; ends PID 1 when something fails. */
void machine_start(void);

/* Ends PID 1, and so the guest, with a message on its console. */
_Noreturn void die(const char *what);

#endif
