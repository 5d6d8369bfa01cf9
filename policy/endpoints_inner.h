/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The endpoint machine while it is built; for endpoints*.c only. */
#ifndef HG_ENDPOINTS_INNER_H
#define HG_ENDPOINTS_INNER_H

#include "endpoints.h"

struct endpoint_node {
	uint32_t accept[HG_N_PATH_ACTIONS]; /* 1 + last rule, as far as HG_N_EP_ACTIONS */
	uint32_t users;
	uint16_t rule;
};

struct endpoints {
	struct fa_nfa *nfa;
	uint32_t root;
	struct fa_intern ranges; /* (lo, hi) */
	uint32_t *label;	 /* for each range */
	size_t cap_label;
	struct endpoint_node *nodes;
	size_t n_nodes, cap_nodes;
	uint32_t no_slash; /* label of every byte but '/'; 0: not made yet */
	unsigned max_rule;
};

/* One byte in lo..hi further. */
int endpoints_step(struct endpoints *e, uint32_t *node, uint32_t lo, uint32_t hi, uint16_t rule);
/* The label of the bytes in lo..hi. */
int endpoints_label(struct endpoints *e, uint32_t lo, uint32_t hi, uint32_t *ret_label);
/* The rule passes through the node. */
int endpoints_visit(struct endpoints *e, uint32_t node, uint16_t rule);
/* rule_actions: rule | actions << 16, here and below. */
void endpoints_accept(struct endpoints *e, uint32_t node, uint32_t rule_actions);
/* Ports are two bytes: a range is a first high byte, whole high bytes, and a last one. */
int endpoints_ports(struct endpoints *e, uint32_t node, uint16_t port_low, uint16_t port_high,
		    uint32_t rule_actions);

#endif
