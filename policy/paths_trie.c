/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Patterns as a trie of components: what the directory machine is made from.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "paths_trie.h"

/* A component of a pattern; a double star may add one word to it. */
#define WORDS_MAX (GLOB_LENGTH_MAX + 8)
/* Ways to read the double stars inside names of one pattern: "a*b", or "a*", components, "*b". */
#define FORKS_MAX 1024

static int add_node(struct paths_trie *t, uint32_t parent, bool star, uint16_t rule,
		    uint32_t *ret_node)
{
	int r;

	r = fa_grow((void **)&t->nodes, &t->cap_nodes, t->n_nodes + 1, sizeof(*t->nodes));
	if (r < 0)
		return r;
	*ret_node = (uint32_t)t->n_nodes;
	t->nodes[t->n_nodes++] = (struct trie_node){.parent = parent, .star = star, .rule = rule};
	return 0;
}

int paths_trie_new(struct paths_lexer *lexer, struct paths_trie **ret)
{
	struct paths_trie *t HG_CLEANUP(paths_trie_free) = calloc(1, sizeof(*t));
	uint32_t root;
	int r;

	if (!t)
		return -ENOMEM;
	t->lexer = lexer;
	r = add_node(t, TRIE_ROOT, false, 0, &root);
	if (r < 0)
		return r;
	*ret = t;
	t = NULL;
	return 0;
}

void paths_trie_free(struct paths_trie **trie)
{
	struct paths_trie *t = *trie;

	if (!t)
		return;
	fa_intern_done(&t->children);
	free(t->child);
	free(t->edges);
	free(t->nodes);
	free(t->sets);
	free(t);
	*trie = NULL;
}

/* The node behind a component pattern other than '*': found, or made. */
static int child_of(struct paths_trie *t, uint32_t from, uint32_t comp, uint16_t rule,
		    uint32_t *ret_node)
{
	uint32_t words[2] = {from, comp}, id;
	int r;

	r = fa_intern_add(&t->children, words, 2, &id);
	if (r == 0)
		*ret_node = t->child[id];
	if (r <= 0)
		return r;
	r = fa_grow((void **)&t->child, &t->cap_child, (size_t)id + 1, sizeof(*t->child));
	if (r == 0)
		r = fa_grow((void **)&t->edges, &t->cap_edges, t->n_edges + 1, sizeof(*t->edges));
	if (r == 0)
		r = add_node(t, from, false, rule, ret_node);
	if (r < 0)
		return r;
	t->child[id] = *ret_node;
	t->edges[t->n_edges++] = (struct trie_edge){comp, *ret_node, t->nodes[from].first_edge};
	t->nodes[from].first_edge = (uint32_t)t->n_edges;
	return 0;
}

/* Walking one alternative of a pattern into the trie. */
struct walk {
	struct paths_trie *trie;
	const struct glob_token *tokens;
	size_t n;
	uint16_t rule;
	uint8_t actions;
	unsigned forks;
	struct ruleset_error *error;
};

struct component {
	uint32_t words[WORDS_MAX];
	size_t n;
};

static int step_star(struct walk *w, uint32_t *node)
{
	struct paths_trie *t = w->trie;
	uint32_t from = *node;
	int r = 0;

	if (t->nodes[from].star)
		return 0;
	*node = t->nodes[from].star_child;
	if (!*node) {
		r = add_node(t, from, true, w->rule, node);
		t->nodes[from].star_child = *node;
	}
	t->nodes[*node].users++;
	return r;
}

static int step_component(struct walk *w, struct component *comp, uint32_t *node)
{
	struct paths_trie *t = w->trie;
	uint32_t id, from = *node;
	int r;

	r = paths_lexer_add(t->lexer, comp->words, comp->n, w->rule, &id);
	comp->n = 0;
	if (r < 0)
		return r;
	if (id != PATHS_COMP_ANY) {
		r = child_of(t, from, id, w->rule, node);
	} else {
		*node = t->nodes[from].any_child;
		if (!*node) {
			r = add_node(t, from, false, w->rule, node);
			t->nodes[from].any_child = *node;
		}
	}
	t->nodes[*node].users++;
	return r;
}

static void accept(struct walk *w, uint32_t node)
{
	struct trie_node *n = w->trie->nodes + node;
	unsigned a;

	for (a = 0; a < HG_N_PATH_ACTIONS; a++)
		if ((w->actions & HG_BIT(a)) && n->accept[a] < w->rule + 1u)
			n->accept[a] = w->rule + 1u;
}

static bool ends_component(const struct walk *w, size_t at)
{
	return at == w->n || (w->tokens[at].kind == GLOB_BYTE && w->tokens[at].byte == '/');
}

static int walk_tokens(struct walk *w, size_t at, uint32_t node, struct component *comp);

/* The double star at tokens[at] in mid-component, read as crossing directories. */
static int walk_fork(struct walk *w, size_t at, uint32_t node, const struct component *comp)
{
	struct component *fork;
	int r;

	if (++w->forks > FORKS_MAX)
		return ruleset_fail(w->error, -E2BIG, w->tokens[at].offset,
				    "double stars inside names can be read in more than %d ways; "
				    "write '*' where no '/' is meant",
				    FORKS_MAX);
	fork = malloc(sizeof(*fork));
	if (!fork)
		return -ENOMEM;
	fork->n = comp->n;
	memcpy(fork->words, comp->words, comp->n * sizeof(*comp->words));
	fork->words[fork->n++] = PATHS_WORD_STAR;
	r = step_component(w, fork, &node);
	if (r == 0)
		r = step_star(w, &node);
	fork->words[fork->n++] = PATHS_WORD_STAR;
	if (r == 0)
		r = walk_tokens(w, at + 1, node, fork);
	free(fork);
	return r;
}

/* A double star. Where it begins or ends a component, both its readings are one. */
static int walk_dstar(struct walk *w, size_t at, uint32_t *node, struct component *comp)
{
	bool begins = comp->n == 0, ends = ends_component(w, at + 1);
	int r = 0;

	if (!begins && !ends) {
		r = walk_fork(w, at, *node, comp);
		comp->words[comp->n++] = PATHS_WORD_STAR;
		return r;
	}
	if (!begins) {
		comp->words[comp->n++] = PATHS_WORD_STAR;
		r = step_component(w, comp, node);
	}
	if (r == 0)
		r = step_star(w, node);
	if (!ends)
		comp->words[comp->n++] = PATHS_WORD_STAR;
	return r;
}

static uint32_t word_of(const struct walk *w, const struct glob_token *token)
{
	switch (token->kind) {
	case GLOB_ONE:
		return PATHS_WORD_ONE;
	case GLOB_STAR:
		return PATHS_WORD_STAR;
	case GLOB_SET:
		return w->trie->sets[token->set];
	default:
		return token->byte;
	}
}

static int walk_tokens(struct walk *w, size_t at, uint32_t node, struct component *comp)
{
	int r = 0;

	for (; at < w->n && r == 0; at++) {
		if (w->tokens[at].kind == GLOB_DSTAR)
			r = walk_dstar(w, at, &node, comp);
		else if (!ends_component(w, at))
			comp->words[comp->n++] = word_of(w, w->tokens + at);
		else if (comp->n)
			r = step_component(w, comp, &node);
	}
	if (r == 0 && comp->n)
		r = step_component(w, comp, &node);
	if (r == 0)
		accept(w, node);
	return r;
}

static int prepare_sets(struct paths_trie *t, const struct glob *glob)
{
	size_t i;
	int r;

	r = fa_grow((void **)&t->sets, &t->cap_sets, glob->n_sets, sizeof(*t->sets));
	for (i = 0; i < glob->n_sets && r >= 0; i++) {
		r = paths_lexer_set(t->lexer, glob->sets + i, t->sets + i);
		t->sets[i] += PATHS_WORD_SET;
	}
	return r < 0 ? r : 0;
}

int paths_trie_add(struct paths_trie *t, const struct glob *glob, uint16_t rule, uint8_t actions,
		   struct ruleset_error *ret_error)
{
	struct component *comp = malloc(sizeof(*comp));
	struct walk w = {.trie = t, .rule = rule, .actions = actions, .error = ret_error};
	size_t i;
	int r;

	r = comp ? prepare_sets(t, glob) : -ENOMEM;
	for (i = 0; i < glob->n_alternatives && r == 0; i++) {
		w.tokens = glob->alternatives[i].tokens;
		w.n = glob->alternatives[i].n;
		comp->n = 0;
		r = walk_tokens(&w, 0, TRIE_ROOT, comp);
	}
	if (rule > t->max_rule)
		t->max_rule = rule;
	free(comp);
	return r;
}
