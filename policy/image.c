/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A policy image in memory, read natively with the code that the kernel runs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../bpf/core/run.h"
#include "glob.h"
#include "../bpf/core/host.h"
#include "image.h"

HG_INLINE const struct hg_chunk *hg_fetch(void *image, __u32 idx)
{
	const struct image *im = image;

	return idx < im->n ? im->chunks + idx : NULL;
}

uint64_t image_uid(const struct hg_chunk *chunks, uint32_t n)
{
	const size_t uid_unit = offsetof(struct hg_head, uid) / HG_UNIT;
	uint64_t h = 0xcbf29ce484222325ull ^ n, word;
	uint32_t c;
	size_t i;

	for (c = 0; c < n; c++)
		for (i = 0; i < HG_CHUNK_UNITS; i++) {
			word = c == 0 && i == uid_unit ? 0 : chunks[c].unit[i];
			/* FNV-1a by words; the fold brings high bits down again. */
			h = (h ^ word) * 0x9e3779b97f4a7c15ull;
			h ^= h >> 29;
		}
	h *= 0xbf58476d1ce4e5b9ull;
	h ^= h >> 32;
	return h ? h : 1;
}

void image_free(struct image *im)
{
	if (!im)
		return;
	free(im->chunks);
	free(im);
}

const struct hg_chunk *image_chunks(const struct image *im, uint32_t *ret_n)
{
	*ret_n = im->n;
	return im->chunks;
}

const struct hg_head *image_head(const struct image *im)
{
	return (const struct hg_head *)im->chunks;
}

int image_take(struct hg_chunk *chunks, uint32_t n, struct image **ret,
	       struct ruleset_error *ret_error)
{
	struct image *im;
	int r;

	r = image_verify(chunks, n, ret_error);
	im = r == 0 ? malloc(sizeof(*im)) : NULL;
	if (!im) {
		free(chunks);
		return r < 0 ? r : -ENOMEM;
	}
	*im = (struct image){chunks, n};
	*ret = im;
	return 0;
}

int image_from_bytes(const void *bytes, uint32_t n_chunks, struct image **ret,
		     struct ruleset_error *ret_error)
{
	struct hg_chunk *chunks;

	if (!n_chunks || n_chunks > HG_CHUNKS_MAX)
		return ruleset_fail(ret_error, -EBADMSG, 0, "an image has 1 to %d chunks, not %u",
				    HG_CHUNKS_MAX, n_chunks);
	chunks = malloc(n_chunks * sizeof(*chunks));
	if (!chunks)
		return -ENOMEM;
	memcpy(chunks, bytes, n_chunks * sizeof(*chunks));
	return image_take(chunks, n_chunks, ret, ret_error);
}

/* One component, in windows as the kernel side reads it. */
static int enter(struct hg_reader *r, const char *name, size_t len, struct hg_at *at)
{
	__u32 state = 0, left = (__u32)len;
	struct hg_at next;
	bool done = false;

	if (len > HG_NAME_MAX)
		return -ENAMETOOLONG;
	for (;;) {
		if (!hg_component(r, at->dir, &state, (const __u8 *)name, &left, &next, &done))
			return -EBADMSG;
		if (done)
			break;
		name += HG_WINDOW;
		left -= HG_WINDOW;
	}
	*at = next;
	return 0;
}

static int walk(struct hg_reader *r, const char *path, size_t len, struct hg_at *at)
{
	size_t start = 1, end;
	int err = 0;

	if (!glob_path_valid(path, len))
		return -EINVAL;
	if (!hg_root(r, at))
		return -EBADMSG;
	for (; start < len && err == 0; start = end + 1) {
		for (end = start; end < len && path[end] != '/';)
			end++;
		err = enter(r, path + start, end - start, at);
	}
	return err;
}

int image_path_at(const struct image *im, const char *path, size_t len, uint16_t *ret_dir,
		  uint16_t *ret_out)
{
	struct hg_reader r = {.image = (void *)im};
	struct hg_at at;
	int err;

	err = walk(&r, path, len, &at);
	if (err < 0)
		return err;
	*ret_dir = at.dir;
	*ret_out = at.out;
	return 0;
}

int image_path(const struct image *im, const char *path, size_t len, struct hg_out *ret)
{
	struct hg_reader r = {.image = (void *)im};
	struct hg_at at;
	int err;

	err = walk(&r, path, len, &at);
	if (err < 0)
		return err;
	return hg_out_read(&r, at.out, ret) ? 0 : -EBADMSG;
}

int image_endpoint(const struct image *im, const struct hg_endpoint *ep, struct hg_out *ret)
{
	struct hg_reader r = {.image = (void *)im};
	uint32_t out;

	if (ep->len > HG_ENDPOINT_MAX)
		return -EINVAL;
	if (!hg_endpoint(&r, ep, &out))
		return -EBADMSG;
	return hg_out_read(&r, out, ret) ? 0 : -EBADMSG;
}

int image_use(const struct image *im, enum hg_use use, struct hg_out *ret)
{
	struct hg_reader r = {.image = (void *)im};

	return hg_use_read(&r, use, ret) ? 0 : -EBADMSG;
}

int image_argv(const struct image *im, const struct hg_out *out, const char *line, size_t len,
	       struct hg_out *ret)
{
	struct hg_reader r = {.image = (void *)im};
	uint32_t state, left = (uint32_t)len;
	struct hg_line args = {0};
	bool done = false;
	__u64 row;
	size_t i;

	if (len > HG_ARGV_MAX)
		return -ENAMETOOLONG;
	if (!len || line[len - 1])
		return -EINVAL;
	for (i = 0; i < len; i++)
		args.args += !line[i];
	if (!hg_argv_start(&r, out->argv, &state))
		return -EBADMSG;
	for (;;) {
		if (!hg_argv_window(&r, &state, &args, (const __u8 *)line, &left, &done))
			return -EBADMSG;
		if (done || left < HG_WINDOW)
			break;
		line += HG_WINDOW;
		left -= HG_WINDOW;
	}
	if (!hg_row_out(&r, state, &row) || !hg_out_read(&r, row & 0xffff, ret))
		return -EBADMSG;
	return 0;
}

int image_label(const struct image *im, enum hg_label kind, const char *name, size_t len,
		struct hg_out *ret)
{
	struct hg_reader r = {.image = (void *)im};
	uint8_t bytes[HG_LABEL_MAX + HG_WINDOW] = {kind};
	uint32_t state = 0, left = (uint32_t)len + 1, from = 0, out;
	bool done = false;

	if (len > HG_LABEL_MAX - 1)
		return -ENAMETOOLONG;
	memcpy(bytes + 1, name, len);
	for (;;) {
		if (!hg_label(&r, &state, bytes + from, &left, &out, &done))
			return -EBADMSG;
		if (done)
			return hg_out_read(&r, out, ret) ? 0 : -EBADMSG;
		from += HG_WINDOW;
		left -= HG_WINDOW;
	}
}

int image_host(const struct image *im, const char *name, uint8_t proto, uint16_t port,
	       struct hg_out *ret)
{
	char bytes[HG_LABEL_MAX];
	struct hg_host host;
	size_t len, i;

	hg_host_begin(&host);
	for (i = 0; name[i]; i++)
		hg_host_add(&host, (uint8_t)name[i]);
	if (!hg_host_end(&host))
		return -EINVAL;
	len = host.len;
	memcpy(bytes, host.bytes + HG_HOST_END - len, len);
	bytes[len++] = '\0';
	if (proto) {
		bytes[len++] = (char)proto;
		bytes[len++] = (char)(port >> 8);
		bytes[len++] = (char)port;
	}
	return image_label(im, HG_LABEL_HOST, bytes, len, ret);
}

bool image_row(const struct image *im, uint32_t row, struct hg_out *ret)
{
	struct hg_reader r = {.image = (void *)im};

	return hg_out_read(&r, row, ret);
}

bool image_dir(const struct image *im, uint16_t dir, struct hg_dir *ret)
{
	struct hg_reader r = {.image = (void *)im};

	return hg_dir_read(&r, dir, ret);
}

int image_enter(const struct image *im, const char *name, size_t len, uint16_t *dir,
		uint16_t *ret_out)
{
	struct hg_reader r = {.image = (void *)im};
	struct hg_at at = {.dir = *dir};
	int err;

	err = enter(&r, name, len, &at);
	if (err < 0)
		return err;
	*dir = at.dir;
	*ret_out = at.out;
	return 0;
}
