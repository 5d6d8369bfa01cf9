/* SPDX-License-Identifier: GPL-2.0-only */
/* What the two halves of the hello comparison exchange. */
#ifndef HELLO_H
#define HELLO_H

#include "../../bpf/core/hello.h"

#define HELLO_CASES 64

struct hello_case {
	struct hg_hello h;
	__u32 turns; /* taken; more than HG_HELLO_TURNS: it did not end */
};

/* Which case a run is to read. */
struct hello_run {
	__u32 nth;
};

#endif
