/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Any bytes as a policy: it loads, or there is an error with a place inside the document, and what
 * loads decides, with warnings or without, and never gives the guard's own files away.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../policy/policy_load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_places(const struct diags *d, const char *text, size_t len)
{
	unsigned lines = 1;

	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	for (size_t i = 0; i < d->n; i++) {
		if (d->items[i].line > lines && !strcmp(d->items[i].file, "f.yaml"))
			abort();
	}
}

static void check_guard(const struct policy *p)
{
	static const char socket[] = "/run/hydraguard/control.sock";
	struct hg_out out;

	if (image_path(p->image, socket, sizeof(socket) - 1, &out))
		abort();
	if ((out.allow | out.ask) & HG_BIT(HG_MODIFY))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct policy_params params = {
		.name = "fuzz",
		.home = "/home/u",
		.workspace = "/srv/w*s",
		.no_resolve = true,
	};
	/* What grows past this is the automata's own fuzzers' matter, and slow. */
	static const struct ruleset_limits limits = {.max_states = 4096, .max_chunks = 16};
	struct policy *p = NULL;
	struct diags d = {};
	char *exact = malloc(size ? size : 1);
	int err;

	if (!exact)
		return 0;
	memcpy(exact, data, size);
	err = policy_load_text("f.yaml", exact, size, &params, &limits, &d, &p);
	if (err && !d.n_errors)
		abort();
	if (!err && (d.n_errors || !p || !p->image))
		abort();
	if (!err)
		check_guard(p);
	if (!err && policy_warn(p, &d))
		abort();
	check_places(&d, exact, size);
	diags_clear(&d);
	policy_free(p);
	free(exact);
	return 0;
}
