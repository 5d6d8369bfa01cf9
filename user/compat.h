/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What differs between kernels: which of the kernel side's programs are loaded, and onto what.
 * The only place that knows; decided from the kernel's own type information.
 */
#ifndef HG_COMPAT_H
#define HG_COMPAT_H

#include <stdbool.h>

struct bpf_program;
struct btf;

/* How the kernel side gets to its hooks. */
enum attachment {
	ATTACH_LSM,	 /* as BPF LSM programs */
	ATTACH_FALLBACK, /* `bpf` is no active LSM: on the functions that call the hooks */
};

enum choice {
	CHOICE_LOAD,
	CHOICE_LEAVE,	/* another program does it here, or there is nothing to do */
	CHOICE_MISSING, /* the kernel lacks a hook that enforcement needs */
};

struct chosen {
	enum choice choice;
	const char *hook;   /* the hook or tracepoint, NULL where there is none */
	const char *why;    /* for LEAVE and MISSING: in words */
	const char *target; /* FALLBACK: the function; static or from the program's section */
	bool entry;	    /* FALLBACK: the function returns nothing, so at its entry */
};

void compat_choose(const struct btf *btf, const struct bpf_program *prog, enum attachment how,
		   struct chosen *ret);
void chosen_clear(struct chosen *c);

#endif
