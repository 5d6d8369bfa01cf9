/* SPDX-License-Identifier: GPL-2.0-only */
/* The guard itself: an agent, root or not, has no business with bpf(2). */
#include "check.h"

SEC("lsm/bpf")
int BPF_PROG(bpf, int cmd, void *attr, unsigned int size)
{
	return check_flag(0, HG_WHY_GUARD, HG_WHAT_BPF, 0, NULL, NULL);
}
