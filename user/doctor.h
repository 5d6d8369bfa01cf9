/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What `doctor` finds: a list of named findings. */
#ifndef HG_DOCTOR_H
#define HG_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

enum finding_level {
	FINDING_OK,
	FINDING_NOTE, /* different here, and covered */
	FINDING_WARN, /* agents are confined, but something is to be done */
	FINDING_FAIL, /* the kernel cannot enforce */
	N_FINDING_LEVELS,
};

struct finding {
	const char *name; /* stable; static text */
	enum finding_level level;
	char *says, *fix; /* fix: NULL where nothing is to be changed */
};

struct findings {
	struct finding *items;
	size_t n;
	bool no_memory;
};

/* fix may be NULL; it is copied. */
void found(struct findings *f, const char *name, enum finding_level level, const char *fix,
	   const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void findings_clear(struct findings *f);
#define _findings_ __attribute__((cleanup(findings_clear)))

/* The kernel, hook by hook. root: false leaves out what only root can see. */
void doctor_kernel(struct findings *f, bool root);
/* What is mounted and configured on this machine. */
void doctor_machine(struct findings *f, bool root);
/* What is loaded now, and whether it works; for root. */
void doctor_state(struct findings *f);

#endif
