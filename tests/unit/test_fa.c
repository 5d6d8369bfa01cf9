/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Automata against brute force: random nondeterministic ones run directly, random deterministic
 * ones compared on every word up to a length.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/fa.h"
#include "tap.h"

#define SYMBOLS	 4
#define NODES	 7
#define WORD_MAX 6

/* A nondeterministic automaton as a table, to run directly. Node i is accepting "rule" rule[i]. */
struct table {
	uint8_t edge[NODES][NODES]; /* bit s: symbol s, bit 7: without reading */
	uint8_t rule[NODES];	    /* 0: not accepting */
};

static struct table random_table(uint64_t *seed)
{
	struct table t = {0};
	int i, k;

	for (i = 0; i < NODES; i++) {
		for (k = 0; k < NODES; k++)
			if (tap_random(seed) % 4 == 0)
				t.edge[i][k] = tap_random(seed) % 16 |
					       (tap_random(seed) % 6 == 0 ? 0x80 : 0);
		if (tap_random(seed) % 3 == 0)
			t.rule[i] = 1 + tap_random(seed) % 5;
	}
	return t;
}

static unsigned close_set(const struct table *t, unsigned set)
{
	unsigned before;
	int i, k;

	do {
		before = set;
		for (i = 0; i < NODES; i++)
			for (k = 0; k < NODES; k++)
				if ((set >> i & 1) && (t->edge[i][k] & 0x80))
					set |= 1u << k;
	} while (set != before);
	return set;
}

static unsigned step_set(const struct table *t, unsigned set, unsigned symbol)
{
	unsigned to = 0;
	int i, k;

	for (i = 0; i < NODES; i++)
		for (k = 0; k < NODES; k++)
			if ((set >> i & 1) && (t->edge[i][k] >> symbol & 1))
				to |= 1u << k;
	return close_set(t, to);
}

static uint32_t set_rule(const struct table *t, unsigned set)
{
	uint32_t best = 0;
	int i;

	for (i = 0; i < NODES; i++)
		if ((set >> i & 1) && t->rule[i] > best)
			best = t->rule[i];
	return best;
}

static int table_output(void *ctx, const uint32_t *nodes, size_t n, uint32_t *ret_out)
{
	const struct table *t = ctx;
	size_t i;

	*ret_out = 0;
	for (i = 0; i < n; i++)
		if (t->rule[nodes[i]] > *ret_out)
			*ret_out = t->rule[nodes[i]];
	return 0;
}

static struct fa *determinise(const struct table *t, bool mealy, uint32_t rest)
{
	struct fa_subset sub = {
		.ctx = (void *)t,
		.output = table_output,
		.mealy = mealy,
		.n_symbols = SYMBOLS,
		.rest = rest,
		.max_states = 1000,
		.max_edges = 10000,
	};
	struct fa_nfa *nfa;
	struct fa *fa = NULL;
	uint32_t node, label;
	int i, k, s;

	fa_nfa_new(&nfa);
	for (i = 0; i < NODES; i++)
		fa_nfa_node(nfa, &node);
	for (i = 0; i < NODES; i++)
		for (k = 0; k < NODES; k++) {
			if (t->edge[i][k] & 0x80)
				fa_nfa_edge(nfa, i, FA_EPSILON, k);
			if ((t->edge[i][k] & 0xf) == 0xf) {
				fa_nfa_edge(nfa, i, FA_ANY, k);
				continue;
			}
			fa_nfa_label(nfa, &label);
			for (s = 0; s < SYMBOLS; s++)
				if (t->edge[i][k] >> s & 1)
					fa_nfa_label_add(nfa, label, (struct fa_range){s, s});
			fa_nfa_edge(nfa, i, label, k);
		}
	fa_determinise(nfa, 0, &sub, &fa);
	fa_nfa_free(&nfa);
	return fa;
}

/* Calls for every word up to WORD_MAX, the empty one first, shorter before longer. */
struct every {
	uint32_t word[WORD_MAX];
	size_t len;
};

static bool next_word(struct every *e)
{
	size_t i = e->len;

	while (i && e->word[i - 1] == SYMBOLS - 1)
		e->word[--i] = 0;
	if (i) {
		e->word[i - 1]++;
		return true;
	}
	if (e->len == WORD_MAX)
		return false;
	memset(e->word, 0, sizeof(e->word));
	e->len++;
	return true;
}

static uint32_t run_table(const struct table *t, const struct every *e)
{
	unsigned set = close_set(t, 1);
	size_t i;

	for (i = 0; i < e->len; i++)
		set = step_set(t, set, e->word[i]);
	return set_rule(t, set);
}

static uint32_t run(const struct fa *fa, const struct every *e)
{
	uint32_t out;

	fa_run(fa, e->word, e->len, &out);
	return out;
}

static void test_determinise(struct tap *t)
{
	uint64_t seed = 1;
	unsigned bad = 0, n;

	for (n = 0; n < 300; n++) {
		struct table table = random_table(&seed);
		struct fa *moore = determinise(&table, false, n % SYMBOLS), *small = NULL;
		struct fa *mealy = determinise(&table, true, n % SYMBOLS), *small_mealy = NULL;
		struct every e = {0};

		fa_minimise(moore, &small);
		fa_minimise(mealy, &small_mealy);
		do {
			uint32_t want = run_table(&table, &e);

			bad += run(moore, &e) != want || run(mealy, &e) != want ||
			       run(small, &e) != want || run(small_mealy, &e) != want;
		} while (next_word(&e));
		bad += small_mealy->n_states > small->n_states;
		fa_free(&moore);
		fa_free(&mealy);
		fa_free(&small);
		fa_free(&small_mealy);
	}
	tap_ok(t, bad == 0,
	       "300 automata give every word up to %d the rule that a direct run gives", WORD_MAX);
}

/* Whether two states of a Moore machine differ on some word, by marking pairs. */
static bool states_differ(const struct fa *fa, uint32_t a, uint32_t b)
{
	size_t n = fa->n_states, i, k;
	bool *differ = calloc(n * n, sizeof(*differ)), more = true, ret;
	uint32_t out, s;

	for (i = 0; i < n; i++)
		for (k = 0; k < n; k++)
			differ[i * n + k] = fa->states[i].out != fa->states[k].out;
	while (more) {
		more = false;
		for (i = 0; i < n; i++)
			for (k = 0; k < n; k++)
				for (s = 0; s < SYMBOLS && !differ[i * n + k]; s++)
					if (differ[fa_next(fa, i, s, &out) * n +
						   fa_next(fa, k, s, &out)])
						differ[i * n + k] = more = true;
	}
	ret = differ[a * n + b];
	free(differ);
	return ret;
}

static void test_minimal(struct tap *t)
{
	uint64_t seed = 2;
	unsigned bad = 0, n;
	uint32_t i, k;

	for (n = 0; n < 60; n++) {
		struct table table = random_table(&seed);
		struct fa *fa = determinise(&table, false, 0), *small = NULL, *again = NULL;
		uint32_t *class = malloc(fa->n_states * sizeof(*class));

		fa_minimise(fa, &small);
		for (i = 0; i < small->n_states; i++)
			for (k = 0; k < i; k++)
				bad += !states_differ(small, i, k);
		fa_minimise(small, &again);
		bad += again->n_states != small->n_states || again->n_edges != small->n_edges ||
		       (small->n_edges &&
			memcmp(again->edges, small->edges, small->n_edges * sizeof(*small->edges)));
		fa_classes(fa, class);
		for (i = 0; i < fa->n_states; i++)
			for (k = 0; k < i; k++)
				bad += (class[i] == class[k]) == states_differ(fa, i, k);
		free(class);
		fa_free(&fa);
		fa_free(&small);
		fa_free(&again);
	}
	tap_ok(t, bad == 0, "minimal: every two states differ on some word, and it stays as it is");
}

static int pair_output(void *ctx, uint32_t a, uint32_t b, uint32_t *ret_out)
{
	(void)ctx;
	*ret_out = a * 16 + b;
	return 0;
}

static bool is_47(void *ctx, uint32_t out)
{
	return out == *(const uint32_t *)ctx;
}

static uint32_t word_cost(const struct every *e, const uint32_t *cost)
{
	uint32_t total = 0;
	size_t i;

	for (i = 0; i < e->len; i++)
		total += cost[e->word[i]];
	return total;
}

static uint32_t costs[SYMBOLS];

static uint32_t cost_of(void *ctx, uint32_t state, uint32_t symbol)
{
	(void)ctx;
	(void)state;
	return costs[symbol];
}

static const struct fa *cheapest_in;

static uint32_t cheapest_other(void *ctx, uint32_t state)
{
	uint32_t s, best = UINT32_MAX;

	(void)ctx;
	for (s = 0; s < SYMBOLS; s++)
		if (costs[s] && !fa_has_edge(cheapest_in, cheapest_in->states + state, s) &&
		    (best == UINT32_MAX || costs[s] < costs[best]))
			best = s;
	return best;
}

/* The cheapest word with the output among all up to WORD_MAX whose symbols occur. */
static uint32_t cheapest(const struct fa *fa, uint32_t out)
{
	uint32_t best = UINT32_MAX, cost;
	struct every e = {0};
	bool occurs;
	size_t i;

	do {
		for (i = 0, occurs = true; i < e.len; i++)
			occurs &= costs[e.word[i]] != 0;
		cost = word_cost(&e, costs);
		if (occurs && cost < best && run(fa, &e) == out)
			best = cost;
	} while (next_word(&e));
	return best;
}

static unsigned check_witness(const struct fa *fa, uint32_t out)
{
	struct fa_want want = {
		.ctx = &out, .want = is_47, .cost = cost_of, .other = cheapest_other};
	uint32_t *word = NULL, want_cost = cheapest(fa, out), cost = 0, got;
	size_t len, i;
	unsigned bad;
	int r;

	cheapest_in = fa;
	r = fa_witness(fa, &want, &word, &len);
	if (r != 1) {
		/* None at all, so none up to WORD_MAX. */
		return r != 0 || want_cost != UINT32_MAX;
	}
	for (i = 0; i < len; i++)
		cost += costs[word[i]];
	fa_run(fa, word, len, &got);
	/* The brute force looks no further than WORD_MAX symbols. */
	bad = got != out ||
	      (want_cost != UINT32_MAX ? cost != want_cost && len <= WORD_MAX : len <= WORD_MAX);
	free(word);
	return bad;
}

static void test_product(struct tap *t)
{
	struct fa_pair pair = {.output = pair_output};
	uint64_t seed = 3;
	unsigned bad = 0, bad_witness = 0, bad_equal = 0, n;
	uint32_t out, s;

	for (n = 0; n < 120; n++) {
		struct table ta = random_table(&seed), tb = random_table(&seed);
		bool mealy = n % 2;
		struct fa *a = determinise(&ta, mealy, 1), *b = determinise(&tb, mealy, 1);
		struct fa *both = NULL, *small = NULL;
		uint32_t *word = NULL;
		struct every e = {0};
		bool differ = false;
		size_t len;
		int r;

		fa_product(a, b, &pair, &both);
		do {
			uint32_t x = run_table(&ta, &e), y = run_table(&tb, &e);

			bad += run(both, &e) != x * 16 + y;
			differ |= x != y;
		} while (next_word(&e));
		for (s = 0; s < SYMBOLS; s++)
			costs[s] = tap_random(&seed) % 4;
		for (out = 1; out < 16 * 6; out += 5)
			bad_witness += check_witness(both, out);
		r = fa_equivalent(a, b, &word, &len);
		if (r == 0) {
			uint32_t x, y;

			fa_run(a, word, len, &x);
			fa_run(b, word, len, &y);
			bad_equal += x == y;
			free(word);
		}
		bad_equal += r == 1 && differ;
		fa_minimise(a, &small);
		bad_equal += fa_equivalent(a, small, &word, &len) != 1;
		fa_free(&a);
		fa_free(&b);
		fa_free(&both);
		fa_free(&small);
	}
	tap_ok(t, bad == 0, "a product gives each word the outputs of both");
	tap_ok(t, bad_witness == 0, "a witness is the cheapest word there is");
	tap_ok(t, bad_equal == 0, "equivalent: exactly when no word differs");
}

static uint32_t out_bits(void *ctx, uint32_t out)
{
	(void)ctx;
	return out * 0x21 ^ 0x5; /* some bits for each output */
}

/* Bits below a state, from every word up to a length that reaches everything. */
static unsigned check_below(const struct fa *fa, const uint32_t *any, const uint32_t *all)
{
	unsigned bad = 0;
	uint32_t i;

	for (i = 0; i < fa->n_states; i++) {
		uint32_t some = 0, every = UINT32_MAX, out;
		struct fa from = *fa;
		struct every e = {0};

		from.start = i;
		while (next_word(&e)) {
			fa_run(&from, e.word, e.len, &out);
			some |= out_bits(NULL, out);
			every &= out_bits(NULL, out);
		}
		bad += some != any[i] || every != all[i];
	}
	return bad;
}

static void test_below(struct tap *t)
{
	struct fa_below below = {.bits = out_bits};
	uint64_t seed = 4;
	unsigned bad = 0, n;

	for (n = 0; n < 60; n++) {
		struct table table = random_table(&seed);
		struct fa *fa = determinise(&table, n % 2, 2), *small = NULL;
		uint32_t *any, *all;

		fa_minimise(fa, &small);
		any = malloc(small->n_states * sizeof(*any));
		all = malloc(small->n_states * sizeof(*all));
		fa_below(small, &below, any, all);
		/* Words up to WORD_MAX reach every state when there are no more than that. */
		if (small->n_states <= WORD_MAX)
			bad += check_below(small, any, all);
		free(any);
		free(all);
		fa_free(&fa);
		fa_free(&small);
	}
	tap_ok(t, bad == 0, "some and every below a state, against all words");
}

/* The n-th symbol from the end is 1: needs 2^n states. */
static void test_limits(struct tap *t)
{
	struct table table = {.rule = {[NODES - 1] = 1}};
	struct fa_subset sub = {.ctx = &table,
				.output = table_output,
				.n_symbols = SYMBOLS,
				.max_states = 20,
				.max_edges = 10000};
	uint64_t presence[NODES] = {0};
	struct fa_nfa *nfa;
	struct fa *fa = NULL;
	uint32_t node, label;
	int i, r;

	sub.presence = presence;
	fa_nfa_new(&nfa);
	for (i = 0; i < NODES; i++)
		fa_nfa_node(nfa, &node);
	fa_nfa_label(nfa, &label);
	fa_nfa_label_add(nfa, label, (struct fa_range){1, 1});
	fa_nfa_edge(nfa, 0, FA_ANY, 0);
	fa_nfa_edge(nfa, 0, label, 1);
	for (i = 1; i < NODES - 1; i++)
		fa_nfa_edge(nfa, i, FA_ANY, i + 1);
	r = fa_determinise(nfa, 0, &sub, &fa);
	tap_ok(t, r == -E2BIG && !fa, "too many states: -E2BIG");
	tap_ok(t, presence[0] >= 20 && presence[1] > 0 && presence[0] > presence[2],
	       "and where the nodes were is told");
	sub.max_states = 64;
	r = fa_determinise(nfa, 0, &sub, &fa);
	tap_ok(t, r == 0 && fa->n_states == 64,
	       "exactly 2^6 states for the sixth symbol from the end");
	fa_free(&fa);
	sub.max_edges = 10;
	tap_ok(t, fa_determinise(nfa, 0, &sub, &fa) == -E2BIG, "too many transitions: -E2BIG");
	fa_nfa_free(&nfa);
}

/* An alphabet of 60,000 costs what is exceptional. */
static void test_large_alphabet(struct tap *t)
{
	static const struct table table = {.rule = {[1] = 1, [2] = 2}};
	struct fa_subset sub = {.ctx = (void *)&table,
				.output = table_output,
				.n_symbols = 60000,
				.max_states = 100,
				.max_edges = 100};
	struct fa_nfa *nfa;
	struct fa *fa = NULL, *small = NULL;
	uint32_t node, one, wide, out;
	int i, r;

	fa_nfa_new(&nfa);
	for (i = 0; i < 3; i++)
		fa_nfa_node(nfa, &node);
	fa_nfa_label(nfa, &one);
	fa_nfa_label_add(nfa, one, (struct fa_range){31234, 31234});
	fa_nfa_label(nfa, &wide);
	fa_nfa_label_add(nfa, wide, (struct fa_range){100, 59999});
	fa_nfa_edge(nfa, 0, FA_ANY, 0);
	fa_nfa_edge(nfa, 0, wide, 1);
	fa_nfa_edge(nfa, 0, one, 2);
	r = fa_determinise(nfa, 0, &sub, &fa);
	r = r < 0 ? r : fa_minimise(fa, &small);
	tap_ok(t, r == 0 && small->n_states == 3 && small->n_edges <= 9,
	       "a wide label is a range, not its symbols");
	if (r == 0) {
		uint32_t a = 99, b = 100, c = 31234, d = 59999, e = 31235, bad = 0;

		fa_run(small, &a, 1, &out);
		bad += out != 0;
		fa_run(small, &b, 1, &out);
		bad += out != 1;
		fa_run(small, &c, 1, &out);
		bad += out != 2;
		fa_run(small, &d, 1, &out);
		bad += out != 1;
		fa_run(small, &e, 1, &out);
		bad += out != 1;
		tap_ok(t, bad == 0, "its borders and the exception inside it are right");
	}
	fa_free(&fa);
	fa_free(&small);
	fa_nfa_free(&nfa);
}

int main(void)
{
	struct tap t = {0};

	test_determinise(&t);
	test_minimal(&t);
	test_product(&t);
	test_below(&t);
	test_limits(&t);
	test_large_alphabet(&t);
	return tap_done(&t);
}
