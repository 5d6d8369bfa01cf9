/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Verifies a whole image, so that reading it needs no checks: every reference is in bounds and
 * leads to what it says, every table entry can be found, every unit has one owner and the rest is
 * zero. Reads by its own means, not with bpf/core/run.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../bpf/core/hash.h"
#include "image_verify.h"

int image_bad(struct verifier *v, const char *what, uint64_t where)
{
	return ruleset_fail(v->error, -EBADMSG, 0, "the image is damaged: %s (at %llu)", what,
			    (unsigned long long)where);
}

uint64_t image_unit(const struct verifier *v, uint32_t chunk, uint32_t unit)
{
	return v->chunks[chunk].unit[unit];
}

/* Gives units an owner; they may have none yet. */
int image_claim(struct verifier *v, uint32_t chunk, uint32_t unit, uint32_t n)
{
	uint8_t *owned = v->owned + (size_t)chunk * HG_CHUNK_UNITS + unit;
	uint32_t i;

	if (chunk >= v->n || unit >= HG_CHUNK_UNITS || n > HG_CHUNK_UNITS - unit)
		return image_bad(v, "something lies outside its chunk", chunk);
	for (i = 0; i < n; i++)
		if (owned[i]++)
			return image_bad(v, "two things lie in one place", unit + i);
	return 0;
}

/* Element i of a region that check_region() has seen. */
static uint64_t element(const struct verifier *v, const struct hg_region *region, uint32_t i,
			uint32_t units, uint32_t word)
{
	uint32_t at = region->unit + (i & ((1u << region->shift) - 1)) * units + word;

	return image_unit(v, region->first_chunk + (i >> region->shift), at);
}

static int check_region(struct verifier *v, const struct hg_region *region, uint64_t n,
			uint32_t units)
{
	uint64_t per_chunk, i, here;
	int r;

	if (region->shift > 31)
		return image_bad(v, "a table's shift", region->shift);
	per_chunk = (uint64_t)1 << region->shift;
	for (i = 0; i < n; i += per_chunk) {
		here = n - i < per_chunk ? n - i : per_chunk;
		if (here * units > HG_CHUNK_UNITS || i / per_chunk >= v->n)
			return image_bad(v, "a table is longer than its chunks", n);
		r = image_claim(v, region->first_chunk + (uint32_t)(i / per_chunk), region->unit,
				(uint32_t)here * units);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_head(struct verifier *v)
{
	const struct hg_head *h = v->head;

	if (h->magic != HG_MAGIC)
		return image_bad(v, "not an image of this version", h->magic);
	if (h->n_chunks != v->n)
		return image_bad(v, "number of chunks", h->n_chunks);
	if (!h->uid || h->uid != image_uid(v->chunks, v->n))
		return image_bad(v, "its hash", h->uid);
	if (!h->n_dirs || h->n_dirs > HG_DIRS_MAX || !h->n_outs || h->n_outs > HG_OUTS_MAX ||
	    !h->n_symbols || h->n_symbols > HG_SYMBOLS_MAX || h->n_rules > HG_RULES_MAX)
		return image_bad(v, "a count", h->n_dirs);
	if (h->hash_bits > 21)
		return image_bad(v, "size of the hash", h->hash_bits);
	if (h->root_dir >= h->n_dirs || h->root_out >= h->n_outs)
		return image_bad(v, "state of the root directory", h->root_dir);
	if (h->n_argvs > HG_ARGVS_MAX)
		return image_bad(v, "number of argument starts", h->n_argvs);
	if (h->hosts > (HG_HOSTS_SOME | HG_HOSTS_BUDGET) || h->hosts == HG_HOSTS_BUDGET)
		return image_bad(v, "whether there are host names", h->hosts);
	if (h->agents > 1)
		return image_bad(v, "whether there are agents", h->agents);
	return 0;
}

static int check_regions(struct verifier *v)
{
	const struct hg_head *h = v->head;
	int r;

	r = image_claim(v, 0, 0, sizeof(*h) / HG_UNIT);
	if (r == 0)
		r = check_region(v, &h->dirs, h->n_dirs, 2);
	if (r == 0)
		r = check_region(v, &h->outs, h->n_outs, HG_OUT_UNITS);
	if (r == 0)
		r = check_region(v, &h->cells, (uint64_t)1 << h->hash_bits, 1);
	if (r == 0)
		r = check_region(v, &h->rules, h->n_rules, 1);
	if (r == 0)
		r = check_region(v, &h->uses, HG_N_USES, 1);
	if (r == 0)
		r = check_region(v, &h->argvs, h->n_argvs, 1);
	return r;
}

uint64_t image_argv_at(const struct verifier *v, uint32_t i)
{
	return element(v, &v->head->argvs, i, 1, 0);
}

static struct hg_rule rule_at(const struct verifier *v, uint32_t i)
{
	uint64_t word = element(v, &v->head->rules, i, 1, 0);
	struct hg_rule rule;

	memcpy(&rule, &word, sizeof(rule));
	return rule;
}

static int check_rules(struct verifier *v)
{
	uint32_t i;

	for (i = 0; i < v->head->n_rules; i++) {
		struct hg_rule rule = rule_at(v, i);

		if (rule.verdict > HG_ALLOW || rule.options & ~HG_OPT_ALL ||
		    rule.zero || rule.spare)
			return image_bad(v, "a rule", i);
	}
	return 0;
}

struct hg_out image_out_at(const struct verifier *v, uint32_t i)
{
	uint64_t words[HG_OUT_UNITS];
	struct hg_out out;
	uint32_t word;

	for (word = 0; word < HG_OUT_UNITS; word++)
		words[word] = element(v, &v->head->outs, i, HG_OUT_UNITS, word);
	memcpy(&out, words, sizeof(out));
	return out;
}

/* A row says for each action what the rule that it names says. */
static int check_outs(struct verifier *v)
{
	uint32_t i;
	unsigned a;

	for (i = 0; i < v->head->n_outs; i++) {
		struct hg_out out = image_out_at(v, i), want = {.argv = out.argv};

		if (out.argv > v->head->n_argvs)
			return image_bad(v, "a verdict row's arguments", i);

		for (a = 0; a < HG_N_PATH_ACTIONS; a++) {
			struct hg_rule rule = {0};

			want.rule[a] = out.rule[a];
			if (out.rule[a] == HG_RULE_NONE)
				continue;
			if (out.rule[a] >= v->head->n_rules)
				return image_bad(v, "a verdict row's rule", i);
			rule = rule_at(v, out.rule[a]);
			want.allow |= rule.verdict == HG_ALLOW ? HG_BIT(a) : 0;
			want.ask |= rule.verdict == HG_ASK ? HG_BIT(a) : 0;
			want.log |= rule.verdict == HG_ALLOW && (rule.options & HG_OPT_LOG)
					    ? HG_BIT(a)
					    : 0;
		}
		if (memcmp(&out, &want, sizeof(out)))
			return image_bad(v, "a verdict row", i);
	}
	return 0;
}

static int check_uses(struct verifier *v)
{
	uint32_t i;

	for (i = 0; i < HG_N_USES; i++)
		if (element(v, &v->head->uses, i, 1, 0) >= v->head->n_outs)
			return image_bad(v, "the verdict row of a word", i);
	return 0;
}

struct hg_dir image_dir_at(const struct verifier *v, uint32_t i)
{
	uint64_t words[2] = {element(v, &v->head->dirs, i, 2, 0),
			     element(v, &v->head->dirs, i, 2, 1)};
	struct hg_dir dir;

	memcpy(&dir, words, sizeof(dir));
	return dir;
}

static int check_dirs(struct verifier *v)
{
	uint32_t i;

	for (i = 0; i < v->head->n_dirs; i++) {
		struct hg_dir d = image_dir_at(v, i);

		if (d.next >= v->head->n_dirs || d.out >= v->head->n_outs ||
		    d.base >= v->head->n_dirs || d.kin > i)
			return image_bad(v, "a directory state", i);
	}
	return 0;
}

struct hg_cell image_cell_at(const struct verifier *v, uint32_t i)
{
	uint64_t word = element(v, &v->head->cells, i, 1, 0);
	struct hg_cell cell;

	memcpy(&cell, &word, sizeof(cell));
	return cell;
}

/* Whether looking for the cell's key from its home finds this cell. */
static bool cell_found(const struct verifier *v, uint32_t at, uint32_t key)
{
	uint32_t bits = v->head->hash_bits, mask = (1u << bits) - 1, i, slot, other;

	slot = hg_hash(key, bits);
	for (i = 0; i < HG_PROBES_MAX; i++, slot = (slot + 1) & mask) {
		other = image_cell_at(v, slot).key;
		if (other == key)
			return slot == at;
		if (other == HG_CELL_FREE)
			return false;
	}
	return false;
}

static int check_cells(struct verifier *v)
{
	uint32_t i;

	for (i = 0; i < 1u << v->head->hash_bits; i++) {
		struct hg_cell c = image_cell_at(v, i);

		if (c.key == HG_CELL_FREE) {
			if (c.next || c.out)
				return image_bad(v, "a free cell", i);
			continue;
		}
		if (c.key >> 16 >= v->head->n_dirs || (c.key & 0xffff) >= v->head->n_symbols ||
		    c.next >= v->head->n_dirs || c.out >= v->head->n_outs)
			return image_bad(v, "a cell", i);
		if (!cell_found(v, i, c.key))
			return image_bad(v, "a cell that cannot be found", i);
		v->symbol[c.key & 0xffff].exception = true;
	}
	return 0;
}

/* What nothing owns is zero, so that an image has one form and carries nothing else. */
static int check_rest(struct verifier *v)
{
	size_t i;

	for (i = 0; i < (size_t)v->n * HG_CHUNK_UNITS; i++)
		if (!v->owned[i] && v->chunks[i / HG_CHUNK_UNITS].unit[i % HG_CHUNK_UNITS])
			return image_bad(v, "something in unused room", i);
	return 0;
}

int image_verify(const struct hg_chunk *chunks, uint32_t n, struct ruleset_error *ret_error)
{
	struct verifier v = {.chunks = chunks, .n = n, .error = ret_error};
	int r;

	if (!n || n > HG_CHUNKS_MAX)
		return image_bad(&v, "number of chunks", n);
	v.head = (const struct hg_head *)chunks;
	r = check_head(&v);
	if (r < 0)
		return r;
	v.owned = calloc((size_t)n * HG_CHUNK_UNITS, 1);
	v.symbol = calloc(v.head->n_symbols, sizeof(*v.symbol));
	v.start = calloc(v.head->n_dirs, sizeof(*v.start));
	r = v.owned && v.symbol && v.start ? check_regions(&v) : -ENOMEM;
	if (r == 0)
		r = check_rules(&v);
	if (r == 0)
		r = check_outs(&v);
	if (r == 0)
		r = check_uses(&v);
	if (r == 0)
		r = check_dirs(&v);
	if (r == 0)
		r = check_cells(&v);
	if (r == 0)
		r = image_verify_bytes(&v);
	if (r == 0)
		r = image_verify_below(&v);
	if (r == 0)
		r = check_rest(&v);
	free(v.owned);
	free(v.symbol);
	free(v.start);
	fa_free(&v.lexer);
	return r;
}
