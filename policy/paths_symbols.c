/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The lexers of all contexts as one automaton with many starts. What a context's own names leave
 * behind, once a component has departed from them, is what every other context has too.
 */
#include <errno.h>
#include <string.h>

#include "paths_lexer.h"

struct context {
	uint32_t start;
	uint32_t *symbols; /* that occur, rising */
	size_t n;
};

struct paths_symbols {
	const struct paths_lexer *lexer;
	struct fa_builder *builder;
	struct fa_intern sets;	   /* a symbol's component patterns */
	struct fa_intern by_comps; /* a context's component patterns */
	struct context *contexts;
	size_t cap_contexts;
	uint64_t *presence;
	uint32_t *comps; /* of the set at hand */
	size_t cap_comps;
	struct paths_walk walk;
};

static int compare_words(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The symbol of a set of nodes: the component patterns that end in it. */
static int symbol_of(void *ctx, const uint32_t *nodes, size_t n, uint32_t *ret_out)
{
	struct paths_symbols *s = ctx;
	size_t i, k = 0;
	int r;

	r = fa_grow((void **)&s->comps, &s->cap_comps, n, sizeof(*s->comps));
	if (r < 0)
		return r;
	for (i = 0; i < n; i++)
		if (s->lexer->nodes[nodes[i]].comp != PATHS_NO_COMP)
			s->comps[k++] = s->lexer->nodes[nodes[i]].comp;
	if (k)
		qsort(s->comps, k, sizeof(*s->comps), compare_words);
	r = fa_intern_add(&s->sets, s->comps, k, ret_out);
	return r < 0 ? r : 0;
}

int paths_symbols_new(const struct paths_lexer *lexer, const struct paths_limits *limits,
		      struct paths_symbols **ret)
{
	struct paths_symbols *s HG_CLEANUP(paths_symbols_free) = calloc(1, sizeof(*s));
	struct fa_subset sub = {
		.ctx = s,
		.output = symbol_of,
		.n_symbols = 256,
		.rest = PATHS_BYTE_REST,
		.max_states = limits->max_states,
		.max_edges = limits->max_edges,
	};
	uint32_t none;
	int r;

	if (!s)
		return -ENOMEM;
	s->lexer = lexer;
	s->presence = calloc(lexer->n_nodes + 1, sizeof(*s->presence));
	if (!s->presence)
		return -ENOMEM;
	sub.presence = s->presence;
	r = fa_intern_add(&s->sets, NULL, 0, &none);
	if (r >= 0)
		r = fa_builder_new(lexer->nfa, &sub, &s->builder);
	if (r < 0)
		return r;
	*ret = s;
	s = NULL;
	return 0;
}

void paths_symbols_free(struct paths_symbols **symbols)
{
	struct paths_symbols *s = *symbols;
	size_t i;

	if (!s)
		return;
	for (i = 0; i < s->by_comps.n; i++)
		free(s->contexts[i].symbols);
	free(s->contexts);
	fa_builder_free(&s->builder);
	fa_intern_done(&s->sets);
	fa_intern_done(&s->by_comps);
	free(s->presence);
	free(s->comps);
	paths_walk_done(&s->walk);
	free(s);
	*symbols = NULL;
}

static int blame(const struct paths_symbols *s, struct ruleset_error *error)
{
	uint64_t *weight = calloc(s->lexer->max_rule + 1, sizeof(*weight));
	size_t i;
	int r;

	if (!weight)
		return -ENOMEM;
	for (i = 0; i < s->lexer->n_nodes; i++)
		weight[s->lexer->nodes[i].rule] += s->presence[i];
	r = paths_blame(error, weight, s->lexer->max_rule + 1,
			"name patterns multiply each other; fewer stars inside names, or fewer of "
			"these rules");
	free(weight);
	return r;
}

int paths_symbols_context(struct paths_symbols *s, const uint32_t *comps, size_t n,
			  uint32_t *ret_context, struct ruleset_error *ret_error)
{
	uint32_t *starts, out;
	struct context *c;
	size_t i;
	int r;

	r = fa_intern_add(&s->by_comps, comps, n, ret_context);
	if (r <= 0)
		return r;
	r = fa_grow((void **)&s->contexts, &s->cap_contexts, s->by_comps.n, sizeof(*s->contexts));
	if (r < 0) {
		s->by_comps.n--; /* the two go together; nothing is looked up after an error */
		return r;
	}
	c = s->contexts + *ret_context;
	*c = (struct context){0};
	starts = malloc((n + 1) * sizeof(*starts));
	if (!starts)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		starts[i] = s->lexer->start[comps[i]];
	r = fa_builder_start(s->builder, starts, n, &c->start, &out);
	free(starts);
	if (r == -E2BIG)
		return blame(s, ret_error);
	return r < 0 ? r
		     : paths_walk(&s->walk, fa_builder_fa(s->builder), c->start, &c->symbols,
				  &c->n);
}

const uint32_t *paths_symbols_of(const struct paths_symbols *s, uint32_t context, size_t *ret_n)
{
	*ret_n = s->contexts[context].n;
	return s->contexts[context].symbols;
}

const uint32_t *paths_symbols_comps(const struct paths_symbols *s, uint32_t symbol, size_t *ret_n)
{
	return fa_intern_get(&s->sets, symbol, ret_n);
}

const uint32_t *paths_symbols_context_comps(const struct paths_symbols *s, uint32_t context,
					    size_t *ret_n)
{
	return fa_intern_get(&s->by_comps, context, ret_n);
}

int paths_symbols_find(const struct paths_symbols *s, const uint32_t *comps, size_t n,
		       uint32_t *ret_symbol)
{
	return fa_intern_find(&s->sets, comps, n, ret_symbol);
}

uint32_t paths_symbols_count(const struct paths_symbols *s)
{
	return (uint32_t)s->sets.n;
}

uint32_t paths_symbols_contexts(const struct paths_symbols *s)
{
	return (uint32_t)s->by_comps.n;
}

const struct fa *paths_symbols_fa(const struct paths_symbols *s)
{
	return fa_builder_fa(s->builder);
}

uint32_t paths_symbols_start(const struct paths_symbols *s, uint32_t context)
{
	return s->contexts[context].start;
}
