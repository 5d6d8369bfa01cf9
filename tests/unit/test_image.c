/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Images as bytes: what is taken is safe to read; and what reading gives when a path is not one. */
#include "test_image.h"

/* Of the words, the two that make_image() names and no other. */
static bool uses_kept(const struct image *im)
{
	struct hg_out out;
	unsigned use;

	for (use = 0; use < HG_N_USES; use++) {
		bool named = use == HG_USE_ANONYMOUS_EXEC || use == HG_USE_CAP + 25;

		if (image_use(im, use, &out) || out.allow != (named ? HG_BIT(HG_USE) : 0) ||
		    (out.rule[HG_USE] == HG_RULE_NONE) == named)
			return false;
	}
	return image_use(im, HG_N_USES, &out) < 0;
}

static void test_round_trip(struct tap *t)
{
	struct image *im = make_image(0), *large = make_image(4000), *again;
	struct ruleset_error error = {0};
	struct bytes b = copy_of(im), c = copy_of(large);

	tap_ok(t, b.n == 1, "a small policy is one chunk");
	tap_ok(t, c.n > 1, "a large one is %u", c.n);
	tap_ok(t, take(&b, &again, &error) == 0 && reads_safely(again), "its bytes are taken");
	image_free(again);
	tap_ok(t, take(&c, &again, &error) == 0 && reads_safely(again),
	       "so are those of the large one");
	image_free(again);
	tap_ok(t, uses_kept(im), "the words of `use` are kept");
	tap_ok(t, image_head(im)->uid && image_head(im)->uid != image_head(large)->uid,
	       "different policies have different identities");
	b.n = 0;
	tap_ok(t, take(&b, &again, &error) == -EBADMSG, "no chunk is no image");
	b.n = HG_CHUNKS_MAX + 1;
	tap_ok(t, take(&b, &again, &error) == -EBADMSG, "too many chunks are none");
	c.n--;
	tap_ok(t, take(&c, &again, &error) == -EBADMSG,
	       "with the last chunk missing it is refused");
	free(b.chunks);
	free(c.chunks);
	image_free(im);
	image_free(large);
}

/* Any byte changed, with the hash made right again: refused, or still safe. And with the hash left
 * alone: refused. */
static void test_any_byte(struct tap *t, const struct image *im, unsigned tries)
{
	unsigned unsafe = 0, unsigned_taken = 0, taken = 0, i;
	uint64_t seed = 31;
	struct image *again;

	for (i = 0; i < tries; i++) {
		struct bytes b = copy_of(im);
		uint8_t *bytes = (uint8_t *)b.chunks;
		size_t at = tap_random(&seed) % (b.n * sizeof(*b.chunks));

		/* Mostly where something is. */
		while (!bytes[at] && tap_random(&seed) % 64)
			at = tap_random(&seed) % (b.n * sizeof(*b.chunks));
		bytes[at] ^= 1u << tap_random(&seed) % 8;
		unsigned_taken += take(&b, &again, NULL) == 0;
		image_free(again);
		sign(&b);
		if (take(&b, &again, NULL) == 0) {
			taken++;
			unsafe += !reads_safely(again);
		}
		image_free(again);
		free(b.chunks);
	}
	tap_ok(t, !unsigned_taken, "a changed bit is noticed by the hash, %u times", tries);
	tap_ok(t, !unsafe, "with the hash made right it is refused or safe (%u of %u taken)", taken,
	       tries);
}

static void test_reading(struct tap *t, const struct image *im)
{
	static const char *const wrong[] = {"", "a", "//", "/a/", "/a//b", "/.", "/a/..", "/a/./b"};
	struct hg_endpoint ep = {.len = HG_ENDPOINT_MAX + 1};
	struct hg_out out;
	char name[300];
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		tap_ok(t, image_path(im, wrong[i], strlen(wrong[i]), &out) == -EINVAL,
		       "\"%s\" is no path", wrong[i]);
	tap_ok(t, image_path(im, "/a\0b", 4, &out) == -EINVAL, "nor is one with NUL");
	memset(name, 'x', sizeof(name));
	name[0] = '/';
	tap_ok(t, image_path(im, name, 256, &out) == 0, "a name of 255 bytes is read");
	tap_ok(t, image_path(im, name, 257, &out) == -ENAMETOOLONG, "a longer one is refused");
	tap_ok(t, image_endpoint(im, &ep, &out) == -EINVAL,
	       "an endpoint that is too long is refused");
	/* As many bytes as a window, one less, one more; the verdict hangs on the last. */
	for (i = HG_WINDOW - 2; i < HG_WINDOW + 3; i++) {
		struct hg_out with, without;

		memcpy(name + i - 3, ".pem", 4);
		image_path(im, name, i + 1, &with);
		image_path(im, name, i, &without);
		tap_ok(t, memcmp(&with, &without, sizeof(with)), "the last byte of %zu counts", i);
		memset(name + 1, 'x', sizeof(name) - 1);
	}
}

int main(void)
{
	struct image *im = make_image(0), *large = make_image(3000);
	struct tap t = {0};

	test_round_trip(&t);
	test_any_byte(&t, im, 700);
	test_any_byte(&t, large, 60);
	test_reading(&t, im);
	image_free(im);
	image_free(large);
	return tap_done(&t);
}
