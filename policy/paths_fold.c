/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Nodes of a trie that nothing tells apart become one: a dozen folders below which one rule speaks for
 * everything are one place to be in, not a dozen. Sets of places are what states are made of, so what is
 * not folded here multiplies there, and is found to be equal only when the automaton is minimised.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "paths_trie.h"

struct fold {
	struct paths_trie *t;
	uint32_t *same;		 /* for each node the one that stands for it */
	struct fa_intern looks;	 /* what a node does, by nodes that stand for others */
	uint32_t *first;	 /* for each look */
	size_t cap_first;
	uint32_t *key;
	size_t cap_key;
};

/* Children have higher numbers than their parents. */
static void fill_subtrees(struct paths_trie *t)
{
	struct trie_node *n, *parent;
	size_t i;

	for (i = 0; i < t->n_nodes; i++) {
		n = t->nodes + i;
		memcpy(n->subtree, n->accept, sizeof(n->accept));
		memset(n->later, 0, sizeof(n->later));
	}
	for (i = t->n_nodes; i-- > 1;) {
		n = t->nodes + i;
		parent = t->nodes + n->parent;
		trie_raise(parent->subtree, n->subtree);
		/* A double star is in every set its parent is in, as a node of its own. */
		if (!n->star)
			trie_raise(parent->later, n->subtree);
	}
}

static int compare_edges(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (x[0] > y[0]) - (x[0] < y[0]);
}

/* What a node does, its children being folded already: their edges by pattern, each of which is there once. */
static int look_of(struct fold *f, const struct trie_node *n, size_t *ret_n)
{
	uint32_t head[HG_N_PATH_ACTIONS + 3], e;
	const struct trie_edge *edge;
	size_t k = sizeof(head) / sizeof(*head);
	int r;

	memcpy(head, n->accept, sizeof(n->accept));
	head[HG_N_PATH_ACTIONS] = n->star;
	head[HG_N_PATH_ACTIONS + 1] = n->any_child;
	head[HG_N_PATH_ACTIONS + 2] = n->star_child;
	r = fa_grow((void **)&f->key, &f->cap_key, k, sizeof(*f->key));
	if (r == 0)
		memcpy(f->key, head, sizeof(head));
	for (e = n->first_edge; e && r == 0; e = edge->next) {
		edge = f->t->edges + e - 1;
		r = fa_grow((void **)&f->key, &f->cap_key, k + 2, sizeof(*f->key));
		if (r == 0) {
			f->key[k++] = edge->comp;
			f->key[k++] = edge->child;
		}
	}
	if (r < 0)
		return r;
	qsort(f->key + sizeof(head) / sizeof(*head), (k - sizeof(head) / sizeof(*head)) / 2,
	      2 * sizeof(*f->key), compare_edges);
	*ret_n = k;
	return 0;
}

static int fold_node(struct fold *f, uint32_t node)
{
	struct trie_node *n = f->t->nodes + node;
	uint32_t e, look;
	size_t len;
	int r;

	n->any_child = f->same[n->any_child];
	n->star_child = f->same[n->star_child];
	for (e = n->first_edge; e; e = f->t->edges[e - 1].next)
		f->t->edges[e - 1].child = f->same[f->t->edges[e - 1].child];
	r = look_of(f, n, &len);
	if (r == 0)
		r = fa_intern_add(&f->looks, f->key, len, &look);
	if (r == 1) {
		r = fa_grow((void **)&f->first, &f->cap_first, f->looks.n, sizeof(*f->first));
		if (r == 0)
			f->first[look] = node;
	}
	if (r == 0)
		f->same[node] = f->first[look];
	return r;
}

int paths_trie_fold(struct paths_trie *t)
{
	struct fold f = {.t = t, .same = calloc(t->n_nodes, sizeof(*f.same))};
	size_t i;
	int r = f.same ? 0 : -ENOMEM;

	fill_subtrees(t);
	/* The root is nobody's child, and stands for "no child". */
	for (i = t->n_nodes; i-- > 1 && r == 0;)
		r = fold_node(&f, (uint32_t)i);
	if (r == 0)
		r = fold_node(&f, TRIE_ROOT);
	fa_intern_done(&f.looks);
	free(f.same);
	free(f.first);
	free(f.key);
	return r;
}
