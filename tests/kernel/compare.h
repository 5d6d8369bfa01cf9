/* SPDX-License-Identifier: GPL-2.0-only */
/* What the two halves of the native-versus-kernel comparison exchange: a batch of cases. */
#ifndef COMPARE_H
#define COMPARE_H

#include "../../bpf/core/abi.h"

#define CASE_COMPONENTS	8	/* a power of two */
#define CASES		64

enum case_kind {
	CASE_PATH,	/* components -> at */
	CASE_ENDPOINT,	/* endpoint string -> out */
	CASE_V4,	/* raw address, proto, port -> endpoint string, out */
	CASE_V6,
	CASE_ARGV,	/* lens[0] bytes from names[0] on, lens[1] arguments to skip, lens[2] to read,
			 * starting at proto -> out */
	CASE_HOST,	/* lens[0] bytes of a host's name, in names[0] and backwards in names[1], at a proto and
			 * port, or asked for (proto 0) -> out */
	CASE_AGENT,	/* the same of an agent's name, as it is written */
};
#define CASE_LINE_MAX (CASE_COMPONENTS * HG_WINDOW)

struct compare_case {
	__u32 kind;
	__u32 n_components;
	__u32 lens[CASE_COMPONENTS];
	__u8 names[CASE_COMPONENTS][256];
	struct hg_endpoint endpoint;
	__u8 address[16];
	__u16 port;
	__u8 proto, peer;
	/* Results: */
	__u32 answered;
	struct hg_at at;
	__u32 ret_out;
	struct hg_out out;
	struct hg_dir dir;
	struct hg_rule rule;
};

#endif
