/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Endpoint rules as one Moore machine over the bytes of bpf/core/endpoint.h; outputs are rows. */
#ifndef HG_ENDPOINTS_H
#define HG_ENDPOINTS_H

#include "fa.h"
#include "glob.h"
#include "pack_rows.h"
#include "paths.h"

struct endpoints;

int endpoints_new(struct endpoints **ret);
void endpoints_free(struct endpoints **endpoints);
/* ep has passed endpoints_check(). */
int endpoints_add(struct endpoints *endpoints, const struct ruleset_endpoint *ep, uint16_t rule,
		  uint8_t actions);
/* Names of a kind; glob has been made by glob_parse_label(). */
int endpoints_add_label(struct endpoints *endpoints, uint8_t kind, const struct glob *glob,
			uint16_t rule, uint8_t actions);
/* host has passed hosts_check(). actions: HG_BIT(HG_CONNECT), HG_BIT(HG_RESOLVE). */
int endpoints_add_host(struct endpoints *endpoints, const struct ruleset_host *host, uint16_t rule,
		       uint8_t actions);
int endpoints_compile(struct endpoints *endpoints, struct pack_rows *rows,
		      const struct paths_limits *limits, struct fa **ret,
		      struct ruleset_error *ret_error);

int endpoints_check(const struct ruleset_endpoint *ep, struct ruleset_error *ret_error);
/* Whether the set has the endpoint, by arithmetic alone. */
bool endpoints_match(const struct ruleset_endpoint *set, const struct hg_endpoint *ep);

int hosts_check(const struct ruleset_host *host, struct ruleset_error *ret_error);
/* Whether the set has the name, in small letters and without a dot at its end. */
bool hosts_match(const struct ruleset_host *set, const char *name, size_t len);

#endif
