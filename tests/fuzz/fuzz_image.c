/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Images from elsewhere: the input is a list of changes to a good image. Whatever
 * image_from_bytes() takes must be safe to read with any path and endpoint.
 *
 * Input: one byte chooses the image; then nine bytes a change: two of chunk and place among those
 * that hold something, one operation, six of value; a change whose operation is 0xff ends them, and
 * what follows are names of a path.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/image.h"
#include "policy/ruleset.h"
#include "tests/endpoint_sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add(struct ruleset *rs, enum hg_verdict verdict, uint8_t actions, const char *pattern)
{
	uint16_t rule;

	if (ruleset_add(rs, verdict, 0, &rule) < 0 ||
	    ruleset_path(rs, rule, actions, pattern, strlen(pattern), NULL) < 0)
		abort();
}

static struct image *make_image(unsigned kind)
{
	struct image *im = NULL;
	struct ruleset *rs;
	uint16_t rule;

	ruleset_new(&rs);
	add(rs, HG_ALLOW, 63, "/**");
	if (kind) {
		add(rs, HG_ASK, 30, "/srv/w/**");
		add(rs, HG_DENY, 30, "**/.git/{hooks/**,config}");
		add(rs, HG_DENY, 63, "/home/*/[!.]*.kdbx");
		add(rs, HG_DENY, 33, "**/.ssh/**");
		add(rs, HG_DENY, 33, "**/{*.pem,.env}");
		ruleset_add(rs, HG_ALLOW, HG_OPT_LOG, &rule);
		ruleset_endpoint(rs, rule, HG_BIT(HG_CONNECT), &endpoint_sample, NULL);
	}
	if (ruleset_compile(rs, NULL, &im, NULL) < 0)
		abort();
	ruleset_free(rs);
	return im;
}

/* The i-th unit that is not zero, counted around. */
static uint64_t *busy_unit(struct hg_chunk *chunk, unsigned i)
{
	unsigned u, n = 0;

	for (u = 0; u < HG_CHUNK_UNITS; u++)
		n += chunk->unit[u] != 0;
	if (!n)
		return (uint64_t *)chunk->unit;
	i %= n;
	for (u = 0; i || !chunk->unit[u]; u++)
		i -= chunk->unit[u] != 0;
	return (uint64_t *)chunk->unit + u;
}

static void change(struct hg_chunk *chunks, uint32_t n, const uint8_t c[9])
{
	uint64_t *unit = busy_unit(chunks + c[1] % n, c[0] | (c[1] >> 1) << 8);
	uint64_t value = 0;

	memcpy(&value, c + 3, 6);
	value <<= c[2] & 0x30;
	switch (c[2] & 3) {
	case 0:
		*unit ^= value;
		break;
	case 1:
		*unit += value;
		break;
	case 2:
		*unit = value;
		break;
	case 3:
		*unit = chunks[0].unit[value % HG_CHUNK_UNITS];
		break;
	}
}

static void read_all(const struct image *im, const uint8_t *data, size_t size)
{
	struct hg_endpoint ep = {0};
	struct hg_out out;
	uint16_t dir, row;
	char path[600];
	size_t n = 1, i;
	unsigned a;

	path[0] = '/';
	for (i = 0; i < size && n < sizeof(path); i++)
		path[n++] = data[i] ? (char)data[i] : '/';
	for (i = 1; i <= n; i++) {
		if (image_path_at(im, path, i, &dir, &row) < 0)
			continue;
		if (dir >= image_head(im)->n_dirs || row >= image_head(im)->n_outs ||
		    image_path(im, path, i, &out) < 0)
			abort();
		for (a = 0; a < HG_N_PATH_ACTIONS; a++)
			if (out.rule[a] != HG_RULE_NONE && out.rule[a] >= image_head(im)->n_rules)
				abort();
	}
	for (i = 0; i < size; i++) {
		ep.bytes[i % HG_ENDPOINT_MAX] = data[i];
		ep.len = i % (HG_ENDPOINT_MAX + 1);
		if (image_endpoint(im, &ep, &out) < 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct image *images[2];
	const struct hg_chunk *chunks;
	struct hg_chunk *copy;
	struct image *im = NULL;
	size_t at = 1;
	uint32_t n;

	if (!size)
		return 0;
	if (!images[data[0] & 1])
		images[data[0] & 1] = make_image(data[0] & 1);
	chunks = image_chunks(images[data[0] & 1], &n);
	copy = malloc(n * sizeof(*copy));
	memcpy(copy, chunks, n * sizeof(*copy));
	for (; at + 9 <= size && data[at + 2] != 0xff; at += 9)
		change(copy, n, data + at);
	((struct hg_head *)copy)->uid = image_uid(copy, n);
	if (image_from_bytes(copy, n, &im, NULL) == 0)
		read_all(im, data + at, size - at);
	image_free(im);
	free(copy);
	return 0;
}
