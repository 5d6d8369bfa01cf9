/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Contexts made more alike. What two contexts have in common they share, but only while they follow
 * the same patterns that begin with a star: each other set of these copies the lexer of everything
 * else. One set for all would multiply patterns that never meet. Between the two, contexts are
 * given each other's patterns of this kind as long as an estimate of the image's size falls.
 *
 * Such a context tells more names apart than its directories ask for. That changes no verdict.
 */
#include <errno.h>
#include <string.h>

#include "paths_lexer.h"

#define CLUSTERS_MAX 256
/* Symbols of joined contexts, for each exact context. */
#define PAIRS_MAX (8u << 20)

/* What a lexer state and an exception of a directory take up, about. */
#define STATE_BYTES 34
#define CELL_BYTES  16

/* Contexts that follow the same patterns that begin with a star. */
struct cluster {
	uint32_t *comps; /* of all its contexts, rising */
	size_t n;
	bool gone; /* joined with another */
};

struct clustering {
	const struct paths_lexer *lexer;
	const struct paths_symbols *exact;
	const struct fa *dirs;
	uint32_t n_contexts;
	uint32_t *n_dirs;     /* for each context */
	uint32_t *cluster_of; /* for each context */
	bool *popular;	      /* for each component pattern: most directories know it */
	struct cluster *clusters;
	size_t n_clusters, cap_clusters;
	struct fa_intern prefixes; /* (node before, word) */
	uint32_t *stamp;	   /* for each prefix, when it was last counted */
	size_t cap_stamp, n_stamp;
	uint32_t now;
};

static const uint32_t *words_of(const struct clustering *c, uint32_t comp, size_t *ret_n)
{
	return fa_intern_get(&c->lexer->comps, comp, ret_n);
}

static bool begins_with_star(const struct clustering *c, uint32_t comp)
{
	size_t n;

	return words_of(c, comp, &n)[0] == PATHS_WORD_STAR;
}

static int count_dirs(struct clustering *c)
{
	size_t n_comps = c->lexer->comps.n, n, i;
	uint32_t *known = calloc(n_comps + 1, sizeof(*known)), k;

	if (!known)
		return -ENOMEM;
	for (k = 0; k < c->dirs->n_states; k++)
		c->n_dirs[c->dirs->states[k].tag]++;
	for (k = 0; k < c->n_contexts; k++) {
		const uint32_t *comps = paths_symbols_context_comps(c->exact, k, &n);

		for (i = 0; i < n; i++)
			known[comps[i]] += c->n_dirs[k];
	}
	for (i = 0; i < n_comps; i++)
		c->popular[i] = known[i] > c->dirs->n_states / 2;
	free(known);
	return 0;
}

/* Both lists, each element once; the caller frees. NULL without memory. */
static uint32_t *merge_lists(const uint32_t *a, size_t n_a, const uint32_t *b, size_t n_b,
			     size_t *ret_n)
{
	uint32_t *to = malloc((n_a + n_b + 1) * sizeof(*to));
	size_t i = 0, j = 0, k = 0;

	while (to && (i < n_a || j < n_b)) {
		uint32_t next = j == n_b || (i < n_a && a[i] <= b[j]) ? a[i] : b[j];

		i += i < n_a && a[i] == next;
		j += j < n_b && b[j] == next;
		to[k++] = next;
	}
	*ret_n = k;
	return to;
}

static int join_comps(struct cluster *to, const uint32_t *comps, size_t n)
{
	size_t n_all;
	uint32_t *all = merge_lists(to->comps, to->n, comps, n, &n_all);

	if (!all)
		return -ENOMEM;
	free(to->comps);
	to->comps = all;
	to->n = n_all;
	return 0;
}

static int group_contexts(struct clustering *c)
{
	struct fa_intern keys = {0};
	uint32_t k, *key = NULL;
	size_t n, i, n_key, cap = 0;
	int r = 0;

	for (k = 0; k < c->n_contexts && r >= 0; k++) {
		const uint32_t *comps = paths_symbols_context_comps(c->exact, k, &n);

		r = fa_grow((void **)&key, &cap, n + 1, sizeof(*key));
		if (r < 0)
			break;
		for (i = n_key = 0; i < n; i++)
			if (begins_with_star(c, comps[i]))
				key[n_key++] = comps[i];
		/* Where nothing can decide any more one lexer state does. */
		if (!n)
			key[n_key++] = PATHS_NO_COMP;
		r = fa_intern_add(&keys, key, n_key, c->cluster_of + k);
		if (r == 1) {
			r = fa_grow((void **)&c->clusters, &c->cap_clusters, keys.n,
				    sizeof(*c->clusters));
			if (r < 0)
				break;
			c->clusters[c->n_clusters++] = (struct cluster){0};
		}
		if (r >= 0)
			r = join_comps(c->clusters + c->cluster_of[k], comps, n);
	}
	free(key);
	fa_intern_done(&keys);
	return r < 0 ? r : 0;
}

/* Counts a pattern's prefix up to its first star, as far as it was not counted yet. */
static int count_prefix(struct clustering *c, const uint32_t *words, size_t n, uint64_t *trie)
{
	uint32_t at = UINT32_MAX;
	size_t i;
	int r;

	for (i = 0; i < n && words[i] != PATHS_WORD_STAR; i++) {
		uint32_t step[2] = {at, words[i]};

		r = fa_intern_add(&c->prefixes, step, 2, &at);
		if (r < 0)
			return r;
		r = fa_grow((void **)&c->stamp, &c->cap_stamp, c->prefixes.n, sizeof(*c->stamp));
		if (r < 0)
			return r;
		for (; c->n_stamp < c->prefixes.n; c->n_stamp++)
			c->stamp[c->n_stamp] = 0;
		*trie += c->stamp[at] != c->now;
		c->stamp[at] = c->now;
	}
	return 0;
}

/* Patterns that begin with a star keep their progress beside everything else; where another star
 * has been passed, only that progress is left to follow, once for each such place. */
static int estimate_lexer(struct clustering *c, const uint32_t *comps, size_t n, uint64_t *ret)
{
	uint64_t trie = 1, progress = 1, places = 0;
	size_t i, k, len;
	int r;

	c->now++;
	for (i = 0; i < n; i++) {
		const uint32_t *words = words_of(c, comps[i], &len);
		bool star = words[0] == PATHS_WORD_STAR;

		for (k = star; k < len; k++)
			places += words[k] == PATHS_WORD_STAR;
		if (star)
			progress += len - 1;
		r = count_prefix(c, words, len, &trie);
		if (r < 0)
			return r;
	}
	*ret = (trie + progress * (places + 1)) * STATE_BYTES;
	return 0;
}

/* Names that nearly all directories rule on cost a cell in each that does not. */
static uint64_t estimate_cells(const struct clustering *c, uint32_t cluster, const uint32_t *comps,
			       size_t n)
{
	uint64_t cells = 0, missing;
	const uint32_t *own;
	size_t n_own, i, j;
	uint32_t k;

	for (k = 0; k < c->n_contexts; k++) {
		if (c->cluster_of[k] != cluster)
			continue;
		own = paths_symbols_context_comps(c->exact, k, &n_own);
		for (i = j = missing = 0; i < n; i++) {
			while (j < n_own && own[j] < comps[i])
				j++;
			if ((j == n_own || own[j] != comps[i]) && c->popular[comps[i]] &&
			    begins_with_star(c, comps[i]))
				missing++;
		}
		cells += missing * c->n_dirs[k];
	}
	return cells * CELL_BYTES;
}

static int estimate(struct clustering *c, uint32_t a, uint32_t b, uint64_t *ret)
{
	struct cluster *ca = c->clusters + a, *cb = c->clusters + b;
	uint32_t *comps HG_CLEANUP(fa_free_words) = NULL;
	size_t n;
	int r;

	comps = merge_lists(ca->comps, ca->n, cb->comps, cb->n, &n);
	if (!comps)
		return -ENOMEM;
	r = estimate_lexer(c, comps, n, ret);
	*ret += estimate_cells(c, a, comps, n);
	if (a != b)
		*ret += estimate_cells(c, b, comps, n);
	return r;
}

/* Joins b into the one before it with which most is won; nothing when nothing is. */
static int join_cluster(struct clustering *c, uint32_t b)
{
	uint64_t alone, other, both, best_gain = 0;
	uint32_t a, best = b, k;
	int r;

	r = estimate(c, b, b, &alone);
	for (a = 0; a < b && r == 0; a++) {
		if (c->clusters[a].gone || !c->clusters[a].n)
			continue;
		r = estimate(c, a, a, &other);
		if (r == 0)
			r = estimate(c, a, b, &both);
		if (r == 0 && alone + other > both && alone + other - both > best_gain) {
			best_gain = alone + other - both;
			best = a;
		}
	}
	if (r < 0 || best == b)
		return r;
	for (k = 0; k < c->n_contexts; k++)
		if (c->cluster_of[k] == b)
			c->cluster_of[k] = best;
	c->clusters[b].gone = true;
	return join_comps(c->clusters + best, c->clusters[b].comps, c->clusters[b].n);
}

static int join_clusters(struct clustering *c)
{
	uint32_t b;
	int r = 0;

	if (c->n_clusters > CLUSTERS_MAX)
		return 0;
	for (b = 1; b < c->n_clusters && r == 0; b++)
		if (c->clusters[b].n)
			r = join_cluster(c, b);
	return r;
}

/* A symbol of an exact context and one of the joined context that is it there. */
struct pair {
	uint32_t exact, joined;
};

struct mapping {
	struct pair *pairs;
	size_t n, cap;
	size_t *first;	   /* for each exact context and the end */
	uint32_t *context; /* for each exact context the joined one */
};

static int compare_pairs(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (x->exact != y->exact)
		return x->exact < y->exact ? -1 : 1;
	return (x->joined > y->joined) - (x->joined < y->joined);
}

/* The exact symbol of the names that have a symbol of the joined context: what is left of its
 * patterns in the exact context. */
static int map_context(const struct clustering *c, const struct paths_symbols *joined,
		       uint32_t context, struct mapping *m)
{
	const uint32_t *symbols, *own, *comps;
	size_t n_symbols, n_own, n, i, j, k, n_left;
	uint32_t *left HG_CLEANUP(fa_free_words) = NULL;
	size_t cap = 0;
	int r;

	symbols = paths_symbols_of(joined, m->context[context], &n_symbols);
	own = paths_symbols_context_comps(c->exact, context, &n_own);
	r = fa_grow((void **)&m->pairs, &m->cap, m->n + n_symbols, sizeof(*m->pairs));
	for (i = 0; i < n_symbols && r == 0; i++) {
		comps = paths_symbols_comps(joined, symbols[i], &n);
		r = fa_grow((void **)&left, &cap, n + 1, sizeof(*left));
		for (j = k = n_left = 0; j < n && r == 0; j++) {
			while (k < n_own && own[k] < comps[j])
				k++;
			if (k < n_own && own[k] == comps[j])
				left[n_left++] = comps[j];
		}
		if (r == 0 && !paths_symbols_find(c->exact, left, n_left, &m->pairs[m->n].exact))
			return -EINVAL;
		m->pairs[m->n++].joined = symbols[i];
	}
	if (n_symbols && r == 0)
		qsort(m->pairs + m->first[context], n_symbols, sizeof(*m->pairs), compare_pairs);
	m->first[context + 1] = m->n;
	return r;
}

/* A context as its cluster has it. */
static int widen_context(const struct clustering *c, struct paths_symbols *joined, uint32_t context,
			 uint32_t *ret_context)
{
	const struct cluster *k = c->clusters + c->cluster_of[context];
	uint32_t *stars HG_CLEANUP(fa_free_words) = malloc((k->n + 1) * sizeof(*stars));
	uint32_t *all HG_CLEANUP(fa_free_words) = NULL;
	const uint32_t *own;
	size_t n_own, n_stars = 0, n, i;

	if (!stars)
		return -ENOMEM;
	for (i = 0; i < k->n; i++)
		if (begins_with_star(c, k->comps[i]))
			stars[n_stars++] = k->comps[i];
	own = paths_symbols_context_comps(c->exact, context, &n_own);
	all = merge_lists(own, n_own, stars, n_stars, &n);
	return all ? paths_symbols_context(joined, all, n, ret_context, NULL) : -ENOMEM;
}

static int map_contexts(struct clustering *c, struct paths_symbols *joined, struct mapping *m)
{
	size_t n, total = 0;
	uint32_t k;
	int r = 0;

	m->first = calloc(c->n_contexts + 1, sizeof(*m->first));
	m->context = calloc(c->n_contexts + 1, sizeof(*m->context));
	if (!m->first || !m->context)
		return -ENOMEM;
	for (k = 0; k < c->n_contexts && r == 0; k++) {
		r = widen_context(c, joined, k, m->context + k);
		if (r < 0)
			return r;
		paths_symbols_of(joined, m->context[k], &n);
		total += n;
		r = total > PAIRS_MAX ? -E2BIG : map_context(c, joined, k, m);
	}
	return r;
}

static int compare_edges(const void *a, const void *b)
{
	const struct fa_edge *x = a, *y = b;

	return (x->lo > y->lo) - (x->lo < y->lo);
}

/* The edges of a state over the symbols of its joined context. */
static int map_state(const struct fa *dirs, const struct mapping *m, uint32_t state,
		     struct fa_edge **edges, size_t *cap, size_t *ret_n)
{
	const struct fa_state *s = dirs->states + state;
	const struct pair *p = m->pairs + m->first[s->tag], *end = m->pairs + m->first[s->tag + 1];
	uint32_t i;
	size_t n = 0;
	int r;

	for (i = 0; i < s->n_edges; i++) {
		const struct fa_edge *e = dirs->edges + s->first_edge + i;

		while (p < end && p->exact < e->lo)
			p++;
		for (; p < end && p->exact <= e->hi; p++) {
			r = fa_grow((void **)edges, cap, n + 1, sizeof(**edges));
			if (r < 0)
				return r;
			(*edges)[n++] = (struct fa_edge){p->joined, p->joined, e->next, e->out};
		}
	}
	if (n)
		qsort(*edges, n, sizeof(**edges), compare_edges);
	*ret_n = n;
	return 0;
}

static int map_dirs(const struct fa *dirs, const struct mapping *m, uint32_t n_symbols,
		    struct fa **ret)
{
	struct fa *out HG_CLEANUP(fa_free) = NULL;
	struct fa_edge *edges = NULL;
	size_t cap = 0, n, i;
	uint32_t state;
	int r;

	r = fa_new(n_symbols, 0, &out);
	for (state = 0; state < dirs->n_states && r == 0; state++) {
		const struct fa_state *s = dirs->states + state;

		r = fa_add_state(out, 0, s->next, s->next_out);
		if (r == 0) {
			out->states[state].tag = m->context[s->tag];
			r = map_state(dirs, m, state, &edges, &cap, &n);
		}
		for (i = 0; r == 0 && i < n; i++)
			r = fa_add_edge(out, edges + i);
	}
	free(edges);
	if (r < 0)
		return r;
	out->start = dirs->start;
	out->start_out = dirs->start_out;
	/* States that differed in what they left out may be one now. */
	return fa_minimise(out, ret);
}

static int cluster(struct clustering *c)
{
	int r;

	c->n_dirs = calloc(c->n_contexts + 1, sizeof(*c->n_dirs));
	c->cluster_of = calloc(c->n_contexts + 1, sizeof(*c->cluster_of));
	c->popular = calloc(c->lexer->comps.n + 1, sizeof(*c->popular));
	if (!c->n_dirs || !c->cluster_of || !c->popular)
		return -ENOMEM;
	r = count_dirs(c);
	if (r == 0)
		r = group_contexts(c);
	return r < 0 ? r : join_clusters(c);
}

int paths_cluster(const struct paths_lexer *lexer, const struct paths_limits *limits,
		  struct paths_symbols **symbols, struct fa **dirs)
{
	struct clustering c = {.lexer = lexer,
			       .exact = *symbols,
			       .dirs = *dirs,
			       .n_contexts = paths_symbols_contexts(*symbols)};
	struct paths_symbols *joined HG_CLEANUP(paths_symbols_free) = NULL;
	struct fa *mapped HG_CLEANUP(fa_free) = NULL;
	struct mapping m = {0};
	size_t i;
	int r;

	r = cluster(&c);
	if (r == 0)
		r = paths_symbols_new(lexer, limits, &joined);
	if (r == 0)
		r = map_contexts(&c, joined, &m);
	if (r == 0)
		r = map_dirs(*dirs, &m, paths_symbols_count(joined), &mapped);
	for (i = 0; i < c.n_clusters; i++)
		free(c.clusters[i].comps);
	free(c.clusters);
	free(c.n_dirs);
	free(c.cluster_of);
	free(c.popular);
	free(c.stamp);
	fa_intern_done(&c.prefixes);
	free(m.pairs);
	free(m.first);
	free(m.context);
	/* The exact contexts are right as they are; joining them may turn out too dear. */
	if (r == -E2BIG)
		return 0;
	if (r < 0)
		return r;
	paths_symbols_free(symbols);
	fa_free(dirs);
	*symbols = joined;
	*dirs = mapped;
	joined = NULL;
	mapped = NULL;
	return 0;
}
