/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The directory machine: from tries of patterns to a Mealy machine over component symbols.
 *
 * A set of trie nodes would remember every rule that ever began to match. What can no longer
 * decide is dropped when a state is built: below a place where rule r speaks for everything, rules
 * before r are silent. So states count what differs, not what was passed, and sets of overlapping
 * "everything below" rules do not multiply.
 */
#include <errno.h>
#include <string.h>

#include "paths_trie.h"

/* Words of all sets together: what bounds memory when sets, not their number, grow. */
#define SET_WORDS_MAX (32u << 20)

/* A set holds nodes of all tries: number * PATHS_TRIES_MAX + trie. */
#define NODE(number, trie) ((number)*PATHS_TRIES_MAX + (trie))

struct way {
	uint32_t comp, node;
};

struct builder {
	const struct paths_dirs *in;
	struct fa *fa;
	struct fa_intern sets; /* number is the state */
	uint32_t *base;	       /* where every component leads, with closures */
	size_t n_base, cap_base;
	struct way *ways; /* where single component patterns lead, by pattern */
	size_t n_ways, cap_ways;
	uint32_t *comps; /* those patterns */
	size_t cap_comps;
	uint32_t *key;
	size_t n_key, cap_key;
	uint64_t *presence[PATHS_TRIES_MAX];
	struct ruleset_error *error;
};

static const struct trie_node *node_of(const struct builder *b, uint32_t node)
{
	return b->in->tries[node % PATHS_TRIES_MAX]->nodes + node / PATHS_TRIES_MAX;
}

static bool exceeds(const uint32_t what[HG_N_PATH_ACTIONS], const uint32_t floor[HG_N_PATH_ACTIONS])
{
	unsigned a;

	for (a = 0; a < HG_N_PATH_ACTIONS; a++)
		if (what[a] > floor[a])
			return true;
	return false;
}

static int push(uint32_t **words, size_t *n, size_t *cap, uint32_t word)
{
	int r = fa_grow((void **)words, cap, *n + 1, sizeof(**words));

	if (r == 0)
		(*words)[(*n)++] = word;
	return r;
}

/* Adds a node that is reached, and the double star behind it, which takes nothing to reach. */
static int push_reached(struct builder *b, uint32_t **words, size_t *n, size_t *cap, uint32_t node)
{
	uint32_t star = node_of(b, node)->star_child;
	int r = push(words, n, cap, node);

	if (r == 0 && star)
		r = push(words, n, cap, NODE(star, node % PATHS_TRIES_MAX));
	return r;
}

static int compare_words(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int compare_ways(const void *a, const void *b)
{
	const struct way *x = a, *y = b;

	if (x->comp != y->comp)
		return x->comp < y->comp ? -1 : 1;
	return (x->node > y->node) - (x->node < y->node);
}

static void sort_key(struct builder *b)
{
	size_t i, j;
	uint32_t w;

	if (b->n_key > 48)
		qsort(b->key, b->n_key, sizeof(*b->key), compare_words);
	for (i = 1; i < b->n_key && b->n_key <= 48; i++) {
		w = b->key[i];
		for (j = i; j && b->key[j - 1] > w; j--)
			b->key[j] = b->key[j - 1];
		b->key[j] = w;
	}
	for (i = j = 0; i < b->n_key; i++)
		if (!j || b->key[j - 1] != b->key[i])
			b->key[j++] = b->key[i];
	b->n_key = j;
}

/* For each trie and action the last rule that speaks for everything below the set. */
static void find_floor(const struct builder *b, const uint32_t *nodes, size_t n,
		       uint32_t floor[PATHS_TRIES_MAX][HG_N_PATH_ACTIONS])
{
	size_t i;

	memset(floor, 0, PATHS_TRIES_MAX * sizeof(*floor));
	for (i = 0; i < n; i++)
		if (node_of(b, nodes[i])->star)
			trie_raise(floor[nodes[i] % PATHS_TRIES_MAX], node_of(b, nodes[i])->accept);
}

/* Drops from the key what cannot decide any more; of the nodes that say what holds for everything,
 * the first for each action stays. */
static void reduce(struct builder *b)
{
	uint32_t floor[PATHS_TRIES_MAX][HG_N_PATH_ACTIONS];
	bool said[PATHS_TRIES_MAX][HG_N_PATH_ACTIONS] = {{false}}, keep;
	size_t i, k = 0;
	unsigned a, t;

	find_floor(b, b->key, b->n_key, floor);
	for (i = 0; i < b->n_key; i++) {
		const struct trie_node *n = node_of(b, b->key[i]);

		t = b->key[i] % PATHS_TRIES_MAX;
		keep = false;
		for (a = 0; n->star && a < HG_N_PATH_ACTIONS; a++)
			if (n->accept[a] && n->accept[a] == floor[t][a] && !said[t][a])
				keep = said[t][a] = true;
		if (keep || exceeds(n->later, floor[t]))
			b->key[k++] = b->key[i];
	}
	b->n_key = k;
}

/* The key as a state, and the output of having just come to it. */
static int intern_key(struct builder *b, uint32_t *ret_state, uint32_t *ret_out)
{
	uint32_t last[PATHS_TRIES_MAX][HG_N_PATH_ACTIONS] = {{0}};
	size_t i;
	int r;

	sort_key(b);
	for (i = 0; i < b->n_key; i++)
		trie_raise(last[b->key[i] % PATHS_TRIES_MAX], node_of(b, b->key[i])->accept);
	r = b->in->output(b->in->ctx, (const uint32_t(*)[HG_N_PATH_ACTIONS])last, ret_out);
	if (r < 0)
		return r;
	reduce(b);
	r = fa_intern_add(&b->sets, b->key, b->n_key, ret_state);
	if (r <= 0)
		return r;
	for (i = 0; i < b->n_key; i++)
		b->presence[b->key[i] % PATHS_TRIES_MAX][b->key[i] / PATHS_TRIES_MAX]++;
	if (*ret_state >= b->in->limits.max_states || b->sets.n_words > SET_WORDS_MAX)
		return -E2BIG;
	return 0;
}

static int gather_node(struct builder *b, uint32_t node, const uint32_t *floor)
{
	unsigned trie = node % PATHS_TRIES_MAX;
	const struct paths_trie *t = b->in->tries[trie];
	const struct trie_node *n = node_of(b, node);
	uint32_t e;
	int r = 0;

	if (n->star)
		r = push(&b->base, &b->n_base, &b->cap_base, node);
	if (r == 0 && n->any_child)
		r = push_reached(b, &b->base, &b->n_base, &b->cap_base, NODE(n->any_child, trie));
	for (e = n->first_edge; e && r == 0; e = t->edges[e - 1].next) {
		const struct trie_edge *edge = t->edges + e - 1;

		if (!exceeds(t->nodes[edge->child].subtree, floor))
			continue;
		r = fa_grow((void **)&b->ways, &b->cap_ways, b->n_ways + 1, sizeof(*b->ways));
		if (r == 0)
			b->ways[b->n_ways++] = (struct way){edge->comp, NODE(edge->child, trie)};
	}
	return r;
}

/* What leaves a state: b->base on every component, b->ways on some. Gives the state's context. */
static int gather(struct builder *b, uint32_t state, uint32_t *ret_context)
{
	uint32_t floor[PATHS_TRIES_MAX][HG_N_PATH_ACTIONS];
	const uint32_t *nodes;
	size_t n, i, k = 0;
	int r = 0;

	b->n_base = b->n_ways = 0;
	nodes = fa_intern_get(&b->sets, state, &n);
	find_floor(b, nodes, n, floor);
	for (i = 0; i < n && r == 0; i++)
		r = gather_node(b, nodes[i], floor[nodes[i] % PATHS_TRIES_MAX]);
	if (r == 0)
		r = fa_grow((void **)&b->comps, &b->cap_comps, b->n_ways, sizeof(*b->comps));
	if (r < 0)
		return r;
	if (b->n_ways)
		qsort(b->ways, b->n_ways, sizeof(*b->ways), compare_ways);
	for (i = 0; i < b->n_ways; i++)
		if (!k || b->comps[k - 1] != b->ways[i].comp)
			b->comps[k++] = b->ways[i].comp;
	return paths_symbols_context(b->in->symbols, b->comps, k, ret_context, b->error);
}

static int push_ways(struct builder *b, uint32_t comp)
{
	size_t lo = 0, hi = b->n_ways, mid;
	int r = 0;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (b->ways[mid].comp < comp)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < b->n_ways && b->ways[lo].comp == comp && r == 0; lo++)
		r = push_reached(b, &b->key, &b->n_key, &b->cap_key, b->ways[lo].node);
	return r;
}

/* Where a symbol leads from the state gathered last. */
static int follow(struct builder *b, uint32_t symbol, uint32_t *ret_next, uint32_t *ret_out)
{
	const uint32_t *comps;
	size_t i, n;
	int r = 0;

	b->n_key = 0;
	for (i = 0; i < b->n_base && r == 0; i++)
		r = push(&b->key, &b->n_key, &b->cap_key, b->base[i]);
	comps = paths_symbols_comps(b->in->symbols, symbol, &n);
	for (i = 0; i < n && r == 0; i++)
		r = push_ways(b, comps[i]);
	return r < 0 ? r : intern_key(b, ret_next, ret_out);
}

static int add_state(struct builder *b, uint32_t state)
{
	uint32_t context, next, out;
	const uint32_t *symbols;
	struct fa_edge e;
	size_t i, n;
	int r;

	r = gather(b, state, &context);
	if (r < 0)
		return r;
	/* The first is 0, "no pattern", or every component matches some: then its target is as
	 * good a default as any. */
	symbols = paths_symbols_of(b->in->symbols, context, &n);
	r = follow(b, n ? symbols[0] : 0, &next, &out);
	if (r == 0)
		r = fa_add_state(b->fa, 0, next, out);
	if (r < 0)
		return r;
	b->fa->states[state].tag = context;
	for (i = 1; i < n && r == 0; i++) {
		r = follow(b, symbols[i], &e.next, &e.out);
		e.lo = e.hi = symbols[i];
		if (r == 0)
			r = fa_add_edge(b->fa, &e);
	}
	return r == 0 && b->fa->n_edges > b->in->limits.max_edges ? -E2BIG : r;
}

static int build(struct builder *b)
{
	uint32_t state;
	unsigned t;
	int r;

	/* The number of symbols is known at the end. */
	r = fa_new(UINT32_MAX, 0, &b->fa);
	for (t = 0; t < b->in->n_tries && r == 0; t++)
		r = push_reached(b, &b->key, &b->n_key, &b->cap_key, NODE(TRIE_ROOT, t));
	if (r == 0)
		r = intern_key(b, &b->fa->start, &b->fa->start_out);
	for (state = 0; r == 0 && state < b->sets.n; state++)
		r = add_state(b, state);
	if (r == 0)
		b->fa->n_symbols = paths_symbols_count(b->in->symbols);
	return r;
}

static int blame(const struct builder *b)
{
	unsigned max_rule = 0, t;
	uint64_t *weight;
	size_t i;
	int r;

	for (t = 0; t < b->in->n_tries; t++)
		if (b->in->tries[t]->max_rule > max_rule)
			max_rule = b->in->tries[t]->max_rule;
	weight = calloc(max_rule + 1, sizeof(*weight));
	if (!weight)
		return -ENOMEM;
	for (t = 0; t < b->in->n_tries; t++)
		for (i = 1; i < b->in->tries[t]->n_nodes; i++) {
			const struct trie_node *n = b->in->tries[t]->nodes + i;

			weight[n->rule] += b->presence[t][i] / (n->users ? n->users : 1);
		}
	r = paths_blame(b->error, weight, max_rule + 1,
			"patterns over several directories multiply each other; fewer double stars "
			"in mid-path, or fewer of these rules");
	free(weight);
	return r;
}

int paths_dirs_compile(const struct paths_dirs *in, struct fa **ret,
		       struct ruleset_error *ret_error)
{
	struct builder b = {.in = in, .error = ret_error};
	struct ruleset_error none = {0};
	unsigned t;
	int r = 0;

	if (!b.error)
		b.error = &none;
	b.error->n_blamed = 0;
	for (t = 0; t < in->n_tries; t++) {
		b.presence[t] = calloc(in->tries[t]->n_nodes, sizeof(*b.presence[t]));
		if (r == 0)
			r = b.presence[t] ? paths_trie_fold(in->tries[t]) : -ENOMEM;
	}
	if (r == 0)
		r = build(&b);
	if (r == -E2BIG && !b.error->n_blamed)
		r = blame(&b);
	if (r == 0)
		r = fa_minimise(b.fa, ret);
	for (t = 0; t < in->n_tries; t++)
		free(b.presence[t]);
	fa_free(&b.fa);
	fa_intern_done(&b.sets);
	free(b.base);
	free(b.ways);
	free(b.comps);
	free(b.key);
	return r;
}
