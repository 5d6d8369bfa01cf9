/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* UTF-8 against an oracle, what terminals are shown, base64, times and durations. */
#include <string.h>

#include "../../user/text.h"
#include "../../user/util.h"
#include "tap.h"

/* RFC 3629, written as its table of allowed byte ranges. */
static size_t oracle(const unsigned char *b, size_t len)
{
	static const struct {
		size_t n;
		unsigned char low[4], high[4];
	} rows[] = {
		{1, {0x00}, {0x7f}},
		{2, {0xc2, 0x80}, {0xdf, 0xbf}},
		{3, {0xe0, 0xa0, 0x80}, {0xe0, 0xbf, 0xbf}},
		{3, {0xe1, 0x80, 0x80}, {0xec, 0xbf, 0xbf}},
		{3, {0xed, 0x80, 0x80}, {0xed, 0x9f, 0xbf}},
		{3, {0xee, 0x80, 0x80}, {0xef, 0xbf, 0xbf}},
		{4, {0xf0, 0x90, 0x80, 0x80}, {0xf0, 0xbf, 0xbf, 0xbf}},
		{4, {0xf1, 0x80, 0x80, 0x80}, {0xf3, 0xbf, 0xbf, 0xbf}},
		{4, {0xf4, 0x80, 0x80, 0x80}, {0xf4, 0x8f, 0xbf, 0xbf}},
	};
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		for (k = 0; k < rows[i].n && k < len; k++)
			if (b[k] < rows[i].low[k] || b[k] > rows[i].high[k])
				break;
		if (k == rows[i].n)
			return k;
	}
	return 0;
}

static void test_utf8(struct tap *t)
{
	static const unsigned char edges[] = {
		0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf,
		0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xff,
	};
	unsigned int a, b, c, d, n = ARRAY_SIZE(edges), wrong = 0;
	unsigned char bytes[4];
	uint32_t ch;
	size_t len;

	for (a = 0; a < n; a++)
		for (b = 0; b < n; b++)
			for (c = 0; c < n; c++)
				for (d = 0; d < n; d++)
					for (len = 0; len <= 4; len++) {
						bytes[0] = edges[a];
						bytes[1] = edges[b];
						bytes[2] = edges[c];
						bytes[3] = edges[d];
						wrong += utf8_char((char *)bytes, len, &ch) !=
							 oracle(bytes, len);
					}
	tap_ok(t, !wrong, "utf8_char agrees with RFC 3629's table (%u differences)", wrong);
	tap_ok(t, utf8_char("\xf0\x9f\x92\xa9", 4, &ch) == 4 && ch == 0x1f4a9, "its value");
}

static void test_repair(struct tap *t)
{
	_free_ char *a = NULL, *b = NULL;
	size_t len;

	a = utf8_repair("a\xff\xc3(\xe2\x82", 6, &len);
	tap_ok(t,
	       len == strlen(a) && !strcmp(a, "a\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd"),
	       "each stray byte becomes U+FFFD");
	b = utf8_repair("\xc3\xa4\0x", 4, &len);
	tap_ok(t, len == 4 && !memcmp(b, "\xc3\xa4\0x", 4), "what is fine is left, NUL included");
}

static char *shown(const char *bytes, size_t len)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	text_show(f, bytes, len);
	fclose(f);
	return text;
}

static void show_is(struct tap *t, const char *bytes, size_t len, const char *want)
{
	_free_ char *got = shown(bytes, len);

	tap_ok(t, !strcmp(got, want), "shown as %s (%s)", want, got);
}

static void test_show(struct tap *t)
{
	unsigned int i, bad = 0;
	char c;

	show_is(t, "/tmp/a b", 8, "/tmp/a b");
	show_is(t, "x\n12:00 fake denied", 19, "x\\n12:00 fake denied");
	show_is(t, "\033[2J\r\t\\", 7, "\\x1b[2J\\r\\t\\\\");
	show_is(t,
		"\xe2\x80\xae"
		"gpj.exe",
		10, "\\u{202e}gpj.exe");
	show_is(t,
		"a\xe2\x80\x8b"
		"b",
		5, "a\\u{200b}b");
	show_is(t,
		"\xc2\x9b"
		"31m",
		5, "\\u{9b}31m");
	show_is(t, "\xff\xfe", 2, "\\xff\\xfe");
	show_is(t, "gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f");
	show_is(t, "a\0b", 3, "a\\x00b");
	for (i = 0; i < 256; i++) {
		_free_ char *text = NULL;
		char *p;

		c = i;
		text = shown(&c, 1);
		for (p = text; *p; p++)
			bad += (unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f;
	}
	tap_ok(t, !bad, "no single byte reaches the terminal as a control");
}

static void test_base64(struct tap *t)
{
	static const char *const wrong[] = {
		"A", "AB", "ABC", "A===", "=AAA", "AB=C", "AA A", "\xff\xff\xff\xff", "AAAA=AAA"};
	uint64_t seed = 7;
	unsigned int i, bad = 0;
	char bytes[64], *back;
	size_t n, len, k;

	for (i = 0; i < 2000; i++) {
		_free_ char *text = NULL;

		len = tap_random(&seed) % sizeof(bytes);
		for (k = 0; k < len; k++)
			bytes[k] = tap_random(&seed);
		text = base64_encode(bytes, len);
		back = NULL;
		bad += base64_decode(text, &back, &n) || n != len || memcmp(back, bytes, len);
		free(back);
	}
	tap_ok(t, !bad, "base64 and back");
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		back = NULL;
		tap_ok(t, base64_decode(wrong[i], &back, &n) == -EINVAL, "not base64: %u", i);
		free(back);
	}
}

static void time_is(struct tap *t, const char *text, uint64_t want)
{
	uint64_t ns = 0;

	tap_ok(t, !time_parse(text, &ns) && ns == want, "%s (%llu)", text, (unsigned long long)ns);
}

static void test_time(struct tap *t)
{
	static const char *const wrong[] = {"",
					    "yesterday",
					    "2024-05-06",
					    "2024-05-06T07:08:09",
					    "2024-05-06T07:08:09+0200",
					    "2024-05-06T07:08:09Zx",
					    "1960-01-01T00:00:00Z"};
	char text[TIME_TEXT_LEN + 1];
	uint64_t ns;
	unsigned int i;

	time_text(1714979289000000001ull, text);
	tap_ok(t, !strcmp(text, "2024-05-06T07:08:09.000000001Z"), "%s", text);
	tap_ok(t, strlen(text) == TIME_TEXT_LEN, "its length is TIME_TEXT_LEN");
	time_is(t, "2024-05-06T07:08:09.000000001Z", 1714979289000000001ull);
	time_is(t, "2024-05-06T07:08:09Z", 1714979289000000000ull);
	time_is(t, "2024-05-06T09:08:09.5+02:00", 1714979289500000000ull);
	time_is(t, "2024-05-06T06:38:09-00:30", 1714979289000000000ull);
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		tap_ok(t, time_parse(wrong[i], &ns), "not a time: \"%s\"", wrong[i]);
}

static void test_duration(struct tap *t)
{
	static const char *const wrong[] = {
		"",	  "5",		 "m", "5x", "-5m", "5m ", "1h30", "99999999999999999999s",
		"40000d", "36500d36500d"};
	uint64_t ns = 0;
	unsigned int i;

	tap_ok(t, !duration_parse("90s", &ns) && ns == 90000000000ull, "90s");
	tap_ok(t, !duration_parse("1h30m", &ns) && ns == 5400000000000ull, "1h30m");
	tap_ok(t, !duration_parse("2d", &ns) && ns == 172800000000000ull, "2d");
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		tap_ok(t, duration_parse(wrong[i], &ns), "not a duration: \"%s\"", wrong[i]);
}

int main(void)
{
	struct tap t = {};

	test_utf8(&t);
	test_repair(&t);
	test_show(&t);
	test_base64(&t);
	test_time(&t);
	test_duration(&t);
	return tap_done(&t);
}
