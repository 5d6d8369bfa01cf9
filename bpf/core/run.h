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
#include "table.h"

HG_INLINE const struct hg_chunk *hg_fetch(void *image, __u32 idx);

/* An image being read, and the chunk at hand. */
struct hg_reader {
	void *image;
	const struct hg_chunk *chunk;
	__u32 idx;
};

/* A place in the tree of names: the residual policy below, and the verdict row of the place. */
struct hg_at {
	__u16 dir, out;
};

HG_INLINE bool hg_seek(struct hg_reader *r, __u32 idx)
{
	if (r->idx == idx && r->chunk)
		return true;
	r->chunk = hg_fetch(r->image, idx);
	r->idx = idx;
	return r->chunk != NULL;
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

/* One step of a byte DFA from the row at hand. Sets *ret_sink when reading on changes nothing. */
HG_INLINE __u32 hg_step(const struct hg_chunk *c, __u32 classes, __u32 state, __u8 byte,
			bool *ret_sink)
{
	__u64 row = hg_unit(c, state & 0xffff);
	__u64 edge;

	if ((row >> 48) & HG_ROW_SINK) {
		*ret_sink = true;
		return state;
	}
	edge = hg_unit(c, ((row >> 32) & 0xffff) + hg_class(c, classes, byte));
	if (((edge >> 32) & 0xffff) == (state & 0xffff))
		return (__u32)edge;
	if ((row >> 48) & HG_ROW_DELEGATES) {
		edge = hg_unit(c, row & 0xffff);
		edge = hg_unit(c, ((edge >> 32) & 0xffff) + hg_class(c, classes, byte));
		if (((edge >> 32) & 0xffff) == (row & 0xffff))
			return (__u32)edge;
	}
	return (__u32)row;
}

/* What the row that the machine stopped in says, the second word of struct hg_row: out in the
 * lowest 16 bits, and of a lexer's row the symbol's fallback. */
HG_INLINE bool hg_row_out(struct hg_reader *r, __u32 state, __u64 *ret_out)
{
	if (!hg_seek(r, state >> 16))
		return false;
	*ret_out = hg_unit(r->chunk, (state & 0xffff) + 1);
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
		if (i >= *(const volatile __u32 *)len) {
			*ret_done = true;
			break;
		}
		if (!hg_seek(r, at >> 16))
			return false;
		at = hg_step(r->chunk, classes, at, bytes[i], ret_done);
		if (*ret_done)
			break;
	}
	*state = at;
	return true;
}

/* Element i of a region, elem bytes (8 or 16) each: seeks its chunk and gives its unit. */
HG_INLINE bool hg_region_seek(struct hg_reader *r, __u64 region, __u32 i, __u32 units,
			      __u32 *ret_unit)
{
	__u32 shift = (region >> 32) & 31;

	if (!hg_seek(r, (__u32)(region & 0xffff) + (i >> shift)))
		return false;
	*ret_unit = (__u32)((region >> 16) & 0xffff) + (i & ((1u << shift) - 1)) * units;
	return true;
}

/* A field of the head, as the unit it lies in. */
#define HG_HEAD_UNIT(field) (offsetof(struct hg_head, field) / HG_UNIT)

HG_INLINE __u32 hg_hash(__u32 key, __u32 bits)
{
	/* Fibonacci hashing: the top bits of a product with 2^32 / golden ratio. */
	return bits ? (key * 0x9e3779b1u) >> (32 - bits) : 0;
}

/* The exception of a directory state for a symbol. */
HG_INLINE bool hg_exception(struct hg_reader *r, __u32 dir, __u64 symbol, __u64 *ret_cell,
			    bool *ret_found)
{
	__u32 key = dir << 16 | (__u32)(symbol & 0xffff), bits, slot, unit = 0, i;
	__u64 cells, cell;

	*ret_found = false;
	if (!hg_seek(r, 0))
		return false;
	bits = (__u32)hg_unit(r->chunk, HG_HEAD_UNIT(hash_bits)) & 31;
	cells = hg_unit(r->chunk, HG_HEAD_UNIT(cells));
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

/* From directory state `dir` over a symbol as hg_row_out() gives it, with its fallback. */
HG_INLINE bool hg_enter(struct hg_reader *r, __u16 dir, __u64 symbol, struct hg_at *ret)
{
	__u64 dirs, state, cell = 0;
	__u32 unit = 0, base;
	bool found;

	if (!hg_exception(r, dir, symbol, &cell, &found))
		return false;
	if (!found) {
		if (!hg_seek(r, 0))
			return false;
		dirs = hg_unit(r->chunk, HG_HEAD_UNIT(dirs));
		if (!hg_region_seek(r, dirs, dir, 2, &unit))
			return false;
		state = hg_unit(r->chunk, unit);
		base = hg_unit(r->chunk, unit + 1) & 0xffff;
		if (base != dir && !hg_exception(r, base, symbol, &cell, &found))
			return false;
		/* next and out, at the place that they have in a cell */
		if (!found && (symbol >> 32 & 0xffff) == HG_FALLBACK_PLACE)
			cell = (symbol >> 16 & 0xffff) << 32 | symbol >> 48 << 48;
		else if (!found && (symbol >> 32 & 0xffff) == HG_FALLBACK_VERDICT)
			cell = (state & 0xffff) << 32 | symbol >> 48 << 48;
		else if (!found)
			cell = state << 32;
	}
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
	__u64 symbol;
	__u32 unit;

	if (!*state) {
		if (!hg_seek(r, 0))
			return false;
		if (!hg_region_seek(r, hg_unit(r->chunk, HG_HEAD_UNIT(dirs)), dir, 2, &unit))
			return false;
		*state = hg_unit(r->chunk, unit + 1) >> 32;
	}
	if (!hg_window(r, HG_LEXER_CLASSES, state, name, left, ret_done))
		return false;
	if (!*ret_done)
		return true;
	return hg_row_out(r, *state, &symbol) && hg_enter(r, dir, symbol, ret);
}

HG_INLINE bool hg_root(struct hg_reader *r, struct hg_at *ret)
{
	__u64 u;

	if (!hg_seek(r, 0))
		return false;
	u = hg_unit(r->chunk, HG_HEAD_UNIT(root_dir));
	ret->dir = u & 0xffff;
	ret->out = (u >> 16) & 0xffff;
	return true;
}

/* Copies an element of sixteen bytes, whatever the alignment of its type. */
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

	if (!hg_seek(r, 0))
		return false;
	if (!hg_region_seek(r, hg_unit(r->chunk, HG_HEAD_UNIT(outs)), out, 2, &unit))
		return false;
	hg_two_units(r->chunk, unit, ret);
	return true;
}

HG_INLINE bool hg_dir_read(struct hg_reader *r, __u16 dir, struct hg_dir *ret)
{
	__u32 unit;

	if (!hg_seek(r, 0))
		return false;
	if (!hg_region_seek(r, hg_unit(r->chunk, HG_HEAD_UNIT(dirs)), dir, 2, &unit))
		return false;
	hg_two_units(r->chunk, unit, ret);
	return true;
}

HG_INLINE bool hg_rule_read(struct hg_reader *r, __u32 rule, struct hg_rule *ret)
{
	__u64 word;
	__u32 unit;

	if (!hg_seek(r, 0))
		return false;
	if (!hg_region_seek(r, hg_unit(r->chunk, HG_HEAD_UNIT(rules)), rule, 1, &unit))
		return false;
	word = hg_unit(r->chunk, unit);
	__builtin_memcpy(ret, &word, sizeof(word));
	return true;
}

/* An endpoint string (core/endpoint.h) to its verdict row. */
HG_INLINE bool hg_endpoint(struct hg_reader *r, const struct hg_endpoint *ep, __u32 *ret_out)
{
	__u32 state;
	__u64 out;
	bool done;

	_Static_assert(HG_ENDPOINT_MAX <= HG_WINDOW, "one window");
	if (!hg_seek(r, 0))
		return false;
	state = (__u32)(hg_unit(r->chunk, HG_HEAD_UNIT(endpoint)) >> 32);
	if (!hg_window(r, HG_ENDPOINT_CLASSES, &state, ep->bytes, &ep->len, &done) ||
	    !hg_row_out(r, state, &out))
		return false;
	*ret_out = out & 0xffff;
	return true;
}

#endif
