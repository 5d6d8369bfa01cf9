/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The directory machine: from the trie of patterns to a Mealy machine over component symbols.
 *
 * A set of trie nodes would remember every rule that ever began to match. What can no longer
 * decide is dropped when a state is built: below a place where rule r speaks for everything, rules
 * before r are silent. So states count what differs, not what was passed, and sets of overlapping
 * "everything below" rules do not multiply.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "paths_trie.h"

struct dirs {
	const struct paths_trie *trie;
	struct pack_rows *rows;
};

static void raise(uint32_t to[HG_N_PATH_ACTIONS], const uint32_t from[HG_N_PATH_ACTIONS])
{
	unsigned a;

	for (a = 0; a < HG_N_PATH_ACTIONS; a++)
		if (to[a] < from[a])
			to[a] = from[a];
}

/* Fills later[] of every node. Children have higher numbers than their parents. */
static int fill_later(struct paths_trie *t)
{
	uint32_t (*subtree)[HG_N_PATH_ACTIONS] = calloc(t->n_nodes, sizeof(*subtree));
	size_t i;

	if (!subtree)
		return -ENOMEM;
	for (i = 0; i < t->n_nodes; i++)
		memset(t->nodes[i].later, 0, sizeof(t->nodes[i].later));
	for (i = t->n_nodes; i-- > 0;) {
		struct trie_node *n = t->nodes + i;

		raise(subtree[i], n->accept);
		if (n->star)
			raise(n->later, n->accept);
		if (i == t->root)
			continue;
		raise(subtree[n->parent], subtree[i]);
		/* A star is in every set its parent is in, as a node of its own. */
		if (!n->star)
			raise(t->nodes[n->parent].later, subtree[i]);
	}
	free(subtree);
	return 0;
}

/* The verdict row of a name: for each action the last rule that ends here. */
static int row_of(void *ctx, const uint32_t *nodes, size_t n, uint32_t *ret_out)
{
	struct dirs *d = ctx;
	uint32_t last[HG_N_PATH_ACTIONS] = { 0 };
	size_t i;

	for (i = 0; i < n; i++)
		raise(last, d->trie->nodes[nodes[i]].accept);
	return pack_rows_add(d->rows, last, ret_out);
}

/* Keeps a node when it can still decide, or when it is the first to say what holds for all. */
static size_t keep_deciding(void *ctx, uint32_t *nodes, size_t n)
{
	struct dirs *d = ctx;
	uint32_t everywhere[HG_N_PATH_ACTIONS] = { 0 };
	bool said[HG_N_PATH_ACTIONS] = { false }, keep;
	size_t i, k = 0;
	unsigned a;

	for (i = 0; i < n; i++)
		if (d->trie->nodes[nodes[i]].star)
			raise(everywhere, d->trie->nodes[nodes[i]].accept);
	for (i = 0; i < n; i++) {
		const struct trie_node *node = d->trie->nodes + nodes[i];

		keep = false;
		for (a = 0; a < HG_N_PATH_ACTIONS; a++) {
			if (node->later[a] > everywhere[a])
				keep = true;
			if (node->star && node->accept[a] && node->accept[a] == everywhere[a] &&
			    !said[a])
				keep = said[a] = true;
		}
		if (keep)
			nodes[k++] = nodes[i];
	}
	return k;
}

static int fill_labels(struct paths_trie *t, const struct paths_symbols *symbols)
{
	const uint32_t *comps;
	uint32_t symbol;
	size_t n, i;
	int r;

	for (symbol = 0; symbol < symbols->n; symbol++) {
		if (!symbols->real[symbol])
			continue;
		comps = fa_intern_get(&symbols->comps, symbol, &n);
		for (i = 0; i < n; i++) {
			if (comps[i] >= t->n_label || !t->label[comps[i]])
				continue;
			r = fa_nfa_label_add(t->nfa, t->label[comps[i]],
					     (struct fa_range){ symbol, symbol });
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int blame(const struct paths_trie *t, const uint64_t *presence,
		 struct ruleset_error *error)
{
	uint64_t *weight = calloc(t->max_rule + 1, sizeof(*weight));
	size_t i;

	if (!weight)
		return -ENOMEM;
	for (i = 0; i < t->n_nodes; i++)
		if (t->nodes[i].users)
			weight[t->nodes[i].rule] += presence[i] / t->nodes[i].users;
	paths_blame(error, weight, t->max_rule + 1,
		    "patterns over several directories multiply each other; fewer double stars in "
		    "mid-path, or fewer of these rules");
	free(weight);
	return -E2BIG;
}

int paths_trie_compile(struct paths_trie *trie, const struct paths_symbols *symbols,
		       struct pack_rows *rows, const struct paths_limits *limits, struct fa **ret,
		       struct ruleset_error *ret_error)
{
	uint64_t *presence = calloc(fa_nfa_size(trie->nfa), sizeof(*presence));
	struct fa *fa HG_CLEANUP(fa_free) = NULL;
	struct dirs d = { trie, rows };
	struct fa_subset sub = {
		.ctx = &d, .output = row_of, .reduce = keep_deciding, .mealy = true,
		.n_symbols = symbols->n, .rest = 0, .max_states = limits->max_states,
		.max_edges = limits->max_edges, .presence = presence,
	};
	int r;

	r = presence ? fill_later(trie) : -ENOMEM;
	if (r == 0)
		r = fill_labels(trie, symbols);
	if (r == 0)
		r = fa_determinise(trie->nfa, trie->root, &sub, &fa);
	if (r == -E2BIG)
		r = blame(trie, presence, ret_error);
	free(presence);
	return r < 0 ? r : fa_minimise(fa, ret);
}

void paths_blame(struct ruleset_error *error, const uint64_t *weight, size_t n_rules,
		 const char *what)
{
	const unsigned max = sizeof(error->blamed) / sizeof(*error->blamed);
	bool *told = calloc(n_rules + 1, sizeof(*told));
	uint64_t top = 0;
	size_t best, i;
	unsigned n;

	ruleset_fail(error, -E2BIG, 0, "the policy's automaton grows past its limit: %s", what);
	for (n = 0; error && told && n < max; n++) {
		best = n_rules;
		for (i = 0; i < n_rules; i++)
			if (!told[i] && (best == n_rules || weight[i] > weight[best]))
				best = i;
		/* Rules with a small share are bystanders. */
		if (best == n_rules || !weight[best] || weight[best] < top / 8)
			break;
		top = n ? top : weight[best];
		told[best] = true;
		error->blamed[n] = (uint16_t)best;
		error->n_blamed = n + 1;
	}
	free(told);
}
