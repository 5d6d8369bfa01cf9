/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The words users see for the enums of bpf/core/abi.h. */
#ifndef HG_REASONS_H
#define HG_REASONS_H

#include <stddef.h>

#include "../bpf/core/abi.h"

struct reason {
	const char *name;  /* hydraguard.reason: part of the interface, never changed */
	const char *words; /* follows "denied … —" in the readable form */
	const char *hint;  /* what to do about it; NULL where nothing is to be done */
};
extern const struct reason reasons[HG_N_WHY];

/* By hydraguard.reason; NULL for a name this version does not know. */
const struct reason *reason_by_name(const char *name);

extern const char *const path_action_names[HG_N_PATH_ACTIONS];
extern const char *const endpoint_action_names[HG_N_EP_ACTIONS];
extern const char *const verdict_names[]; /* by enum hg_verdict_said */

/* Address family and socket type as the policy language and programmers name them; NULL: no name.
 */
const char *family_name(unsigned int family);
const char *socket_type_name(unsigned int type);

#endif
