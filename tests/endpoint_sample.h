/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The endpoints that images for tests have a rule on: 10.0.0.0/8:80-8080/tcp. */
#ifndef ENDPOINT_SAMPLE_H
#define ENDPOINT_SAMPLE_H

#include "policy/ruleset.h"

static const struct ruleset_endpoint endpoint_sample = {
	.family = 4,
	.address = {10},
	.prefix_len = 8,
	.port_low = 80,
	.port_high = 8080,
	.tcp = true,
};

#endif
