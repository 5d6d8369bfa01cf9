/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reading a policy image: the one body that decides, in the kernel and natively.
 *
 * The includer supplies hg_fetch(): chunk `idx` of the image that `image` stands for, NULL when
 * there is none. A missing chunk makes every reader here return false; callers deny.
 */
#ifndef HG_RUN_H
#define HG_RUN_H

#include "endpoint.h"
#include "hash.h"
#include "table.h"

HG_INLINE const struct hg_chunk *hg_fetch(void *image, __u32 idx);

/* An image being read, its first chunk once that was needed, and the chunk at hand. */
struct hg_reader {
	void *image;
	const struct hg_chunk *head, *chunk;
	__u32 idx;
};

/* A place in the tree of names: the residual policy below, and the verdict row of the place. */
struct hg_at {
	__u16 dir, out;
};

/* The first chunk is at hand until another is asked for: with a chunk always there, the kernel's
 * verifier has one state to follow where each lookup would add one. */
HG_INLINE bool hg_open(struct hg_reader *r)
{
	if (!r->head) {
		r->head = hg_fetch(r->image, 0);
		r->chunk = r->head;
		r->idx = 0;
	}
	return r->head != NULL;
}

HG_INLINE bool hg_seek(struct hg_reader *r, __u32 idx)
{
	const struct hg_chunk *chunk;

	if (r->idx == idx && r->chunk)
		return true;
	chunk = hg_fetch(r->image, idx);
	if (!chunk)
		return false;
	r->chunk = chunk;
	r->idx = idx;
	return true;
}

/* The one indexed read of a chunk. The empty asm keeps the compiler from proving the mask
 * needless and dropping it, which the kernel's verifier would not follow. */
HG_INLINE __u64 hg_unit(const struct hg_chunk *c, __u32 unit)
{
	__u64 u = unit;

	asm("" : "+r"(u));
	u &= HG_CHUNK_UNITS - 1;
	return c->unit[u];
}

HG_INLINE __u8 hg_class(const struct hg_chunk *c, __u32 classes, __u8 byte)
{
	__u64 b = byte;

	asm("" : "+r"(b));
	b &= 0xff;
	return ((const __u8 *)c)[classes * HG_UNIT + b];
}

/* Where a class leads from a hub. */
HG_INLINE __u32 hg_hub(const struct hg_chunk *c, __u32 state, __u8 class)
{
	__u64 at = (state >> 15) + 4 + class;	/* in u32: twice the unit, and the row's two */

	asm("" : "+r"(at));
	at &= 2 * HG_CHUNK_UNITS - 1;
	return ((const __u32 *)c)[at];
}

/* One step of a byte DFA from the row at hand, which is no sink. */
HG_INLINE __u32 hg_step(const struct hg_chunk *c, __u32 state, __u8 class)
{
	__u64 row, edge;

	if (state & HG_STATE_HUB)
		return hg_hub(c, state, class);
	row = hg_unit(c, state >> 16);
	edge = hg_unit(c, ((row >> 32) & 0xffff) + class);
	if (((edge >> 32) & 0xffff) == HG_STATE_UNIT(state))
		return (__u32)edge;
	if ((row >> 48) & HG_ROW_DELEGATES)
		return hg_hub(c, (__u32)row, class);
	return (__u32)row;
}

/* What the row that the machine stopped in says, the second word of struct hg_row: out in the
 * lowest 16 bits, and of a lexer's row the symbol's fallback. */
HG_INLINE bool hg_row_out(struct hg_reader *r, __u32 state, __u64 *ret_out)
{
	if (!hg_seek(r, HG_STATE_CHUNK(state)))
		return false;
	*ret_out = hg_unit(r->chunk, (state >> 16) + 1);
	return true;
}

/*
 * Runs a byte DFA over at most HG_WINDOW of bytes[0..*len). len is read anew in each turn, from
 * memory: with its value in a register the kernel's verifier would learn another bound from each
 * turn's comparison and follow what comes after the loop once for each. Sets *ret_done when the
 * row that is now at hand is the last: all bytes read, or a sink.
 */
HG_INLINE bool hg_window(struct hg_reader *r, __u32 classes, __u32 *state, const __u8 *bytes,
			 const __u32 *len, bool *ret_done)
{
	__u32 at = *state, i;

	*ret_done = false;
	for (i = 0; i < HG_WINDOW; i++) {
		if ((at & HG_STATE_SINK) || i >= *(const volatile __u32 *)len) {
			*ret_done = true;
			break;
		}
		if (!hg_seek(r, HG_STATE_CHUNK(at)))
			return false;
		at = hg_step(r->chunk, at, hg_class(r->chunk, classes, bytes[i]));
	}
	*state = at;
	return true;
}

/* A field of the head, as the unit it lies in; hg_open() was asked. */
#define HG_HEAD_UNIT(field) (offsetof(struct hg_head, field) / HG_UNIT)
#define hg_head(r, field) ((r)->head->unit[HG_HEAD_UNIT(field)])

/* Element i of a region, of `units` units: seeks its chunk and gives its unit. */
HG_INLINE bool hg_region_seek(struct hg_reader *r, __u64 region, __u32 i, __u32 units,
			      __u32 *ret_unit)
{
	__u32 shift = (region >> 32) & 31;

	if (!hg_seek(r, (__u32)(region & 0xffff) + (i >> shift)))
		return false;
	*ret_unit = (__u32)((region >> 16) & 0xffff) + (i & ((1u << shift) - 1)) * units;
	return true;
}

/* The exception of a directory state for a symbol. */
HG_INLINE bool hg_exception(struct hg_reader *r, __u32 dir, __u64 symbol, __u64 *ret_cell,
			    bool *ret_found)
{
	__u32 key = dir << 16 | (__u32)(symbol & 0xffff), bits, slot, unit = 0, i;
	__u64 cells, cell;

	*ret_found = false;
	if (!hg_open(r))
		return false;
	bits = (__u32)hg_head(r, hash_bits) & 31;
	cells = hg_head(r, cells);
	slot = hg_hash(key, bits);
	for (i = 0; i < HG_PROBES_MAX; i++) {
		if (!hg_region_seek(r, cells, (slot + i) & ((1u << bits) - 1), 1, &unit))
			return false;
		cell = hg_unit(r->chunk, unit);
		if ((__u32)cell == HG_CELL_FREE)
			break;
		if ((__u32)cell == key) {
			*ret_cell = cell;
			*ret_found = true;
			break;
		}
	}
	return true;
}

/* A struct hg_dir, as two words. */
struct hg_dir_words {
	__u64 first, second;
};

HG_INLINE bool hg_dir_words(struct hg_reader *r, __u16 dir, struct hg_dir_words *ret)
{
	__u32 unit;

	if (!hg_open(r) || !hg_region_seek(r, hg_head(r, dirs), dir, 2, &unit))
		return false;
	ret->first = hg_unit(r->chunk, unit);
	ret->second = hg_unit(r->chunk, unit + 1);
	return true;
}

/* From a directory state over a symbol as hg_row_out() gives it, with its fallback. */
HG_INLINE bool hg_enter(struct hg_reader *r, __u16 dir, const struct hg_dir_words *words,
			__u64 symbol, struct hg_at *ret)
{
	__u32 fallback = symbol >> 32 & 0xffff, base = words->second & 0xffff;
	__u64 cell = 0;
	bool found = false;

	if (!(fallback & HG_FALLBACK_ONLY)) {
		if (!hg_exception(r, dir, symbol, &cell, &found))
			return false;
		if (!found && base != dir && !hg_exception(r, base, symbol, &cell, &found))
			return false;
	}
	/* next and out, at the place that they have in a cell */
	if (!found && (fallback & HG_FALLBACK_PLACE))
		cell = (symbol >> 16 & 0xffff) << 32 | symbol >> 48 << 48;
	else if (!found && (fallback & HG_FALLBACK_VERDICT))
		cell = (words->first & 0xffff) << 32 | symbol >> 48 << 48;
	else if (!found)
		cell = words->first << 32;
	ret->dir = (cell >> 32) & 0xffff;
	ret->out = (cell >> 48) & 0xffff;
	return true;
}

/*
 * One path component from directory state `dir`, window by window: name points behind what was
 * read before, *left bytes are left, *state is 0 before the first window. When *ret_done is set,
 * *ret is the place; otherwise go on HG_WINDOW bytes further.
 */
HG_INLINE bool hg_component(struct hg_reader *r, __u16 dir, __u32 *state, const __u8 *name,
			    const __u32 *left, struct hg_at *ret, bool *ret_done)
{
	struct hg_dir_words words;
	__u64 symbol;

	if (!hg_dir_words(r, dir, &words))
		return false;
	if (!*state)
		*state = words.second >> 32;
	if (!hg_window(r, HG_LEXER_CLASSES, state, name, left, ret_done))
		return false;
	if (!*ret_done)
		return true;
	return hg_row_out(r, *state, &symbol) && hg_enter(r, dir, &words, symbol, ret);
}

HG_INLINE bool hg_root(struct hg_reader *r, struct hg_at *ret)
{
	__u64 u;

	if (!hg_open(r))
		return false;
	u = hg_head(r, root_dir);
	ret->dir = u & 0xffff;
	ret->out = (u >> 16) & 0xffff;
	return true;
}

/* Copies an element, whatever the alignment of its type. */
HG_INLINE void hg_three_units(const struct hg_chunk *c, __u32 unit, void *to)
{
	__u64 words[3];

	words[0] = hg_unit(c, unit);
	words[1] = hg_unit(c, unit + 1);
	words[2] = hg_unit(c, unit + 2);
	__builtin_memcpy(to, words, sizeof(words));
}

HG_INLINE void hg_two_units(const struct hg_chunk *c, __u32 unit, void *to)
{
	__u64 words[2];

	words[0] = hg_unit(c, unit);
	words[1] = hg_unit(c, unit + 1);
	__builtin_memcpy(to, words, sizeof(words));
}

HG_INLINE bool hg_out_read(struct hg_reader *r, __u32 out, struct hg_out *ret)
{
	__u32 unit;

	if (!hg_open(r) || !hg_region_seek(r, hg_head(r, outs), out, HG_OUT_UNITS, &unit))
		return false;
	hg_three_units(r->chunk, unit, ret);
	return true;
}

HG_INLINE bool hg_dir_read(struct hg_reader *r, __u16 dir, struct hg_dir *ret)
{
	struct hg_dir_words words;

	_Static_assert(sizeof(words) == sizeof(*ret), "the same");
	if (!hg_dir_words(r, dir, &words))
		return false;
	__builtin_memcpy(ret, &words, sizeof(words));
	return true;
}

HG_INLINE bool hg_rule_read(struct hg_reader *r, __u32 rule, struct hg_rule *ret)
{
	__u64 word;
	__u32 unit;

	if (!hg_open(r) || !hg_region_seek(r, hg_head(r, rules), rule, 1, &unit))
		return false;
	word = hg_unit(r->chunk, unit);
	__builtin_memcpy(ret, &word, sizeof(word));
	return true;
}

/* What the policy says of a word. */
HG_INLINE bool hg_use_read(struct hg_reader *r, __u32 use, struct hg_out *ret)
{
	__u32 unit;

	if (use >= HG_N_USES || !hg_open(r) || !hg_region_seek(r, hg_head(r, uses), use, 1, &unit))
		return false;
	return hg_out_read(r, hg_unit(r->chunk, unit) & 0xffff, ret);
}

/* Where the argument machine starts for a verdict row's argv, which is not 0. */
HG_INLINE bool hg_argv_start(struct hg_reader *r, __u8 argv, __u32 *ret_state)
{
	__u32 unit;

	if (!hg_open(r) || !argv || argv > hg_head(r, n_argvs) >> 32)
		return false;
	if (!hg_region_seek(r, hg_head(r, argvs), argv - 1u, 1, &unit))
		return false;
	*ret_state = (__u32)hg_unit(r->chunk, unit);
	return true;
}

/* A command line being read: arguments to pass over, arguments to read, each up to its NUL. */
struct hg_line {
	__u32 skip, args;
};

/*
 * Runs the argument machine over at most HG_WINDOW of bytes[0..*len), and stops behind the last
 * argument. *len and *line are read anew in each turn, as in hg_window(). *ret_done: the row at hand
 * is the last.
 */
HG_INLINE bool hg_argv_window(struct hg_reader *r, __u32 *state, struct hg_line *line,
			      const __u8 *bytes, const __u32 *len, bool *ret_done)
{
	volatile struct hg_line *left = line;
	__u32 at = *state, i;

	*ret_done = false;
	for (i = 0; i < HG_WINDOW; i++) {
		__u8 byte;

		if (!left->args || (at & HG_STATE_SINK)) {
			*ret_done = true;
			break;
		}
		if (i >= *(const volatile __u32 *)len)
			break;
		byte = bytes[i];
		if (left->skip) {
			if (!byte)
				left->skip--;
			continue;
		}
		if (!hg_seek(r, HG_STATE_CHUNK(at)))
			return false;
		at = hg_step(r->chunk, at, hg_class(r->chunk, HG_ARGV_CLASSES, byte));
		if (!byte)
			left->args--;
	}
	*state = at;
	return true;
}

/* An endpoint string (core/endpoint.h) to its verdict row. */
HG_INLINE bool hg_endpoint(struct hg_reader *r, const struct hg_endpoint *ep, __u32 *ret_out)
{
	__u32 state;
	__u64 out;
	bool done;

	_Static_assert(HG_ENDPOINT_MAX <= HG_WINDOW, "one window");
	if (!hg_open(r))
		return false;
	state = (__u32)(hg_head(r, endpoint) >> 32);
	if (!hg_window(r, HG_ENDPOINT_CLASSES, &state, ep->bytes, &ep->len, &done) ||
	    !hg_row_out(r, state, &out))
		return false;
	*ret_out = out & 0xffff;
	return true;
}

/*
 * A name string (core/endpoint.h) to its verdict row, window by window: bytes points behind what was
 * read before, *left bytes are left, *state is 0 before the first window. When *ret_done is set,
 * *ret_out is the row; otherwise go on HG_WINDOW bytes further.
 */
HG_INLINE bool hg_label(struct hg_reader *r, __u32 *state, const __u8 *bytes, const __u32 *left,
			__u32 *ret_out, bool *ret_done)
{
	__u64 out;

	if (!*state) {
		if (!hg_open(r))
			return false;
		*state = (__u32)(hg_head(r, endpoint) >> 32);
	}
	if (!hg_window(r, HG_ENDPOINT_CLASSES, state, bytes, left, ret_done))
		return false;
	if (!*ret_done)
		return true;
	if (!hg_row_out(r, *state, &out))
		return false;
	*ret_out = out & 0xffff;
	return true;
}

#endif
