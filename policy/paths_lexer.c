/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Component patterns: each once, as a chain of nodes of its own. */
#include <errno.h>
#include <string.h>

#include "paths_lexer.h"

int paths_lexer_new(struct paths_lexer **ret)
{
	struct paths_lexer *lexer = calloc(1, sizeof(*lexer));
	int r;

	if (!lexer)
		return -ENOMEM;
	r = fa_nfa_new(&lexer->nfa);
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
	free(l->start);
	free(l->words);
	free(l);
	*lexer = NULL;
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
			r = fa_nfa_label_add(l->nfa, *ret_label, (struct fa_range){b, b});
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
		r = fa_nfa_label_add(l->nfa, l->byte_label[word], (struct fa_range){word, word});
		if (r < 0)
			return r;
	}
	*ret_label = l->byte_label[word];
	return 0;
}

static int add_node(struct paths_lexer *l, uint16_t rule, uint32_t *ret_node)
{
	int r;

	r = fa_grow((void **)&l->nodes, &l->cap_nodes, l->n_nodes + 1, sizeof(*l->nodes));
	if (r < 0)
		return r;
	l->nodes[l->n_nodes++] = (struct lexer_node){PATHS_NO_COMP, rule};
	return fa_nfa_node(l->nfa, ret_node);
}

/* The chain of l->words[0..n). */
static int add_chain(struct paths_lexer *l, size_t n, uint16_t rule, uint32_t comp)
{
	uint32_t node, next, label;
	size_t i;
	int r;

	r = fa_grow((void **)&l->start, &l->cap_start, (size_t)comp + 1, sizeof(*l->start));
	if (r == 0)
		r = add_node(l, rule, &node);
	if (r < 0)
		return r;
	l->start[comp] = node;
	for (i = 0; i < n && r == 0; i++) {
		if (l->words[i] == PATHS_WORD_STAR) {
			r = fa_nfa_edge(l->nfa, node, FA_ANY, node);
			continue;
		}
		r = label_of(l, l->words[i], &label);
		if (r == 0)
			r = add_node(l, rule, &next);
		if (r == 0)
			r = fa_nfa_edge(l->nfa, node, label, next);
		node = next;
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
		r = add_chain(l, k, rule, comp);
	*ret_comp = comp;
	return r;
}
