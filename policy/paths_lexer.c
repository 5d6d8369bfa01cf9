/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The lexer: component patterns to one automaton over bytes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "paths.h"

#define NO_COMP UINT32_MAX
#define BYTE_REST 0u	/* NUL is in no component, so no pattern speaks of it */

struct lexer_node {
	uint32_t comp;		/* whose pattern ends here, or NO_COMP */
	uint32_t users;		/* patterns through here */
	uint16_t rule;		/* the first of them */
};

struct paths_lexer {
	struct fa_nfa *nfa;
	uint32_t root;
	struct fa_intern comps, sets;
	uint32_t byte_label[256];
	uint32_t *set_label;
	size_t cap_set_label;
	struct lexer_node *nodes;
	size_t cap_nodes, n_nodes;
	uint32_t *words;	/* of the pattern at hand */
	size_t cap_words;
	unsigned max_rule;
};

int paths_lexer_new(struct paths_lexer **ret)
{
	struct paths_lexer *lexer = calloc(1, sizeof(*lexer));
	int r;

	if (!lexer)
		return -ENOMEM;
	r = fa_nfa_new(&lexer->nfa);
	if (r == 0)
		r = fa_nfa_node(lexer->nfa, &lexer->root);
	if (r < 0) {
		paths_lexer_free(&lexer);
		return r;
	}
	*ret = lexer;
	return 0;
}

void paths_lexer_free(struct paths_lexer **lexer)
{
	struct paths_lexer *l = *lexer;

	if (!l)
		return;
	fa_nfa_free(&l->nfa);
	fa_intern_done(&l->comps);
	fa_intern_done(&l->sets);
	free(l->set_label);
	free(l->nodes);
	free(l->words);
	free(l);
	*lexer = NULL;
}

uint32_t paths_lexer_size(const struct paths_lexer *lexer)
{
	return (uint32_t)lexer->comps.n;
}

static unsigned set_count(const struct glob_set *set)
{
	unsigned i, n = 0;

	for (i = 0; i < sizeof(set->bits); i++)
		n += (unsigned)__builtin_popcount(set->bits[i]);
	return n;
}

/* The label of a set. A wide one takes in the bytes that occur in no component, BYTE_REST among
 * them: then it is the default of its states, and what it leaves out are the exceptions. */
static int label_set(struct paths_lexer *l, const struct glob_set *set, uint32_t *ret_label)
{
	bool wide = set_count(set) >= 128, in;
	unsigned b;
	int r;

	r = fa_nfa_label(l->nfa, ret_label);
	for (b = 0; b < 256 && r == 0; b++) {
		in = glob_set_has(set, (uint8_t)b) || (wide && (b == 0 || b == '/'));
		if (in)
			r = fa_nfa_label_add(l->nfa, *ret_label, (struct fa_range){ b, b });
	}
	return r;
}

int paths_lexer_set(struct paths_lexer *l, const struct glob_set *set, uint32_t *ret_set)
{
	uint32_t words[sizeof(set->bits) / sizeof(uint32_t)], id;
	int r;

	memcpy(words, set->bits, sizeof(words));
	r = fa_intern_add(&l->sets, words, sizeof(words) / sizeof(*words), &id);
	if (r == 1) {
		r = fa_grow((void **)&l->set_label, &l->cap_set_label, (size_t)id + 1,
			    sizeof(*l->set_label));
		if (r == 0)
			r = label_set(l, set, l->set_label + id);
	}
	*ret_set = id;
	return r;
}

/* A set of one byte is the byte, a set of all bytes is '?'. */
static uint32_t simplify_word(const struct paths_lexer *l, uint32_t word)
{
	struct glob_set set;
	unsigned n, b;
	size_t len;

	if (word < PATHS_WORD_SET)
		return word;
	memcpy(set.bits, fa_intern_get(&l->sets, word - PATHS_WORD_SET, &len), sizeof(set.bits));
	n = set_count(&set);
	if (n == 254)
		return PATHS_WORD_ONE;
	for (b = 0; n == 1 && b < 256; b++)
		if (glob_set_has(&set, (uint8_t)b))
			return b;
	return word;
}

/* Normal form in l->words: among neighbouring '?' and '*' the '?' come first, one '*' last. */
static int normalise(struct paths_lexer *l, const uint32_t *words, size_t n, size_t *ret_n)
{
	bool star = false;
	size_t i, k = 0;
	uint32_t w;
	int r;

	r = fa_grow((void **)&l->words, &l->cap_words, n + 1, sizeof(*l->words));
	if (r < 0)
		return r;
	for (i = 0; i < n; i++) {
		w = simplify_word(l, words[i]);
		if (w == PATHS_WORD_STAR) {
			star = true;
			continue;
		}
		if (w != PATHS_WORD_ONE && star) {
			l->words[k++] = PATHS_WORD_STAR;
			star = false;
		}
		l->words[k++] = w;
	}
	if (star)
		l->words[k++] = PATHS_WORD_STAR;
	*ret_n = k;
	return 0;
}

static int label_of(struct paths_lexer *l, uint32_t word, uint32_t *ret_label)
{
	int r;

	if (word == PATHS_WORD_ONE) {
		*ret_label = FA_ANY;
		return 0;
	}
	if (word >= PATHS_WORD_SET) {
		*ret_label = l->set_label[word - PATHS_WORD_SET];
		return 0;
	}
	if (!l->byte_label[word]) {
		r = fa_nfa_label(l->nfa, l->byte_label + word);
		if (r < 0)
			return r;
		r = fa_nfa_label_add(l->nfa, l->byte_label[word], (struct fa_range){ word, word });
		if (r < 0)
			return r;
	}
	*ret_label = l->byte_label[word];
	return 0;
}

/* Sees to the facts of a node that a pattern of `rule` goes through. */
static int visit(struct paths_lexer *l, uint32_t node, uint16_t rule)
{
	int r;

	r = fa_grow((void **)&l->nodes, &l->cap_nodes, (size_t)node + 1, sizeof(*l->nodes));
	if (r < 0)
		return r;
	for (; l->n_nodes <= node; l->n_nodes++)
		l->nodes[l->n_nodes] = (struct lexer_node){ .comp = NO_COMP, .rule = rule };
	l->nodes[node].users++;
	return 0;
}

static int add_nodes(struct paths_lexer *l, size_t n, uint16_t rule, uint32_t comp)
{
	uint32_t node = l->root, label;
	size_t i;
	int r;

	r = visit(l, node, rule);
	for (i = 0; i < n && r == 0; i++) {
		if (l->words[i] == PATHS_WORD_STAR) {
			r = fa_nfa_star(l->nfa, node, &node);
		} else {
			r = label_of(l, l->words[i], &label);
			if (r == 0)
				r = fa_nfa_child(l->nfa, node, label, &node);
		}
		if (r == 0)
			r = visit(l, node, rule);
	}
	if (r == 0)
		l->nodes[node].comp = comp;
	return r;
}

int paths_lexer_add(struct paths_lexer *l, const uint32_t *words, size_t n, uint16_t rule,
		    uint32_t *ret_comp)
{
	uint32_t comp;
	size_t k;
	int r;

	r = normalise(l, words, n, &k);
	if (r < 0)
		return r;
	/* Components are not empty, so '?*' is '*'. */
	if (l->words[k - 1] == PATHS_WORD_STAR &&
	    (k == 1 || (k == 2 && l->words[0] == PATHS_WORD_ONE))) {
		*ret_comp = PATHS_COMP_ANY;
		return 0;
	}
	if (rule > l->max_rule)
		l->max_rule = rule;
	r = fa_intern_add(&l->comps, l->words, k, &comp);
	if (r == 1)
		r = add_nodes(l, k, rule, comp);
	*ret_comp = comp;
	return r;
}

struct compile {
	struct paths_lexer *lexer;
	struct paths_symbols *symbols;
	uint32_t *comps;	/* of the set at hand */
	size_t cap_comps;
};

static int compare_words(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The symbol of a set of nodes: the component patterns that end in it. */
static int symbol_of(void *ctx, const uint32_t *nodes, size_t n, uint32_t *ret_out)
{
	struct compile *c = ctx;
	size_t i, k = 0;
	int r;

	r = fa_grow((void **)&c->comps, &c->cap_comps, n, sizeof(*c->comps));
	if (r < 0)
		return r;
	for (i = 0; i < n; i++)
		if (nodes[i] < c->lexer->n_nodes && c->lexer->nodes[nodes[i]].comp != NO_COMP)
			c->comps[k++] = c->lexer->nodes[nodes[i]].comp;
	qsort(c->comps, k, sizeof(*c->comps), compare_words);
	r = fa_intern_add(&c->symbols->comps, c->comps, k, ret_out);
	return r < 0 ? r : 0;
}

static int blame_lexer(struct paths_lexer *l, const uint64_t *presence,
		       struct ruleset_error *error)
{
	uint64_t *weight = calloc(l->max_rule + 1, sizeof(*weight));
	size_t i;

	if (!weight)
		return -ENOMEM;
	for (i = 0; i < l->n_nodes; i++)
		if (l->nodes[i].users)
			weight[l->nodes[i].rule] += presence[i] / l->nodes[i].users;
	paths_blame(error, weight, l->max_rule + 1,
		    "name patterns multiply each other; fewer stars inside names, or fewer of "
		    "these rules");
	free(weight);
	return -E2BIG;
}

static int determinise(struct compile *c, const struct paths_limits *limits, uint64_t *presence)
{
	struct fa_subset sub = {
		.ctx = c, .output = symbol_of, .n_symbols = 256, .rest = BYTE_REST,
		.max_states = limits->max_states, .max_edges = limits->max_edges,
		.presence = presence,
	};
	uint32_t none;
	int r;

	/* Symbol 0 is "none", also where no component is without a pattern. */
	r = fa_intern_add(&c->symbols->comps, NULL, 0, &none);
	return r < 0 ? r : fa_determinise(c->lexer->nfa, c->lexer->root, &sub, &c->symbols->fa);
}

int paths_lexer_compile(struct paths_lexer *lexer, const struct paths_limits *limits,
			struct paths_symbols *ret, struct ruleset_error *ret_error)
{
	uint64_t *presence = calloc(fa_nfa_size(lexer->nfa), sizeof(*presence));
	struct compile c = { .lexer = lexer, .symbols = ret };
	int r;

	*ret = (struct paths_symbols){ 0 };
	r = presence ? determinise(&c, limits, presence) : -ENOMEM;
	if (r == -E2BIG)
		r = blame_lexer(lexer, presence, ret_error);
	if (r == 0) {
		ret->n = (uint32_t)ret->comps.n;
		r = paths_symbols_real(ret);
	}
	free(c.comps);
	free(presence);
	if (r < 0)
		paths_symbols_done(ret);
	return r;
}

void paths_symbols_done(struct paths_symbols *symbols)
{
	fa_free(&symbols->fa);
	free(symbols->real);
	fa_intern_done(&symbols->comps);
	*symbols = (struct paths_symbols){ 0 };
}
