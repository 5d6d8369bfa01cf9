/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Bytes for terminals and JSON; times and durations. */
#include <time.h>

#include "text.h"
#include "util.h"

static bool is_tail(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

size_t utf8_char(const char *bytes, size_t len, uint32_t *ret_char)
{
	const unsigned char *b = (const unsigned char *)bytes;
	uint32_t c, lowest;
	size_t n, i;

	if (!len)
		return 0;
	if (b[0] < 0x80) {
		*ret_char = b[0];
		return 1;
	}
	if (b[0] >= 0xc2 && b[0] <= 0xdf) {
		n = 2;
		c = b[0] & 0x1f;
		lowest = 0x80;
	} else if ((b[0] & 0xf0) == 0xe0) {
		n = 3;
		c = b[0] & 0x0f;
		lowest = 0x800;
	} else if (b[0] >= 0xf0 && b[0] <= 0xf4) {
		n = 4;
		c = b[0] & 0x07;
		lowest = 0x10000;
	} else {
		return 0;
	}
	if (len < n)
		return 0;
	for (i = 1; i < n; i++) {
		if (!is_tail(bytes[i]))
			return 0;
		c = c << 6 | (b[i] & 0x3f);
	}
	if (c < lowest || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret_char = c;
	return n;
}

bool utf8_valid(const char *bytes, size_t len)
{
	uint32_t c;
	size_t n;

	while (len) {
		n = utf8_char(bytes, len, &c);
		if (!n)
			return false;
		bytes += n;
		len -= n;
	}
	return true;
}

char *utf8_repair(const char *bytes, size_t len, size_t *ret_len)
{
	/* U+FFFD takes three bytes. */
	char *out = malloc(len * 3 + 1);
	size_t n, at = 0;
	uint32_t c;

	if (!out)
		return NULL;
	while (len) {
		n = utf8_char(bytes, len, &c);
		memcpy(out + at, n ? bytes : "\xef\xbf\xbd", n ? n : 3);
		at += n ? n : 3;
		bytes += n ? n : 1;
		len -= n ? n : 1;
	}
	out[at] = 0;
	*ret_len = at;
	return out;
}

/* Characters that change how others are shown, or show nothing themselves. */
static bool is_deceptive(uint32_t c)
{
	return (c >= 0x80 && c < 0xa0) || c == 0xad || c == 0x61c || c == 0x115f || c == 0x1160 ||
	       c == 0x180e || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0x3164 || (c >= 0xfe00 && c <= 0xfe0f) ||
	       c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe0fff);
}

static void show_ascii(FILE *f, char c)
{
	if (c == '\n')
		fputs("\\n", f);
	else if (c == '\t')
		fputs("\\t", f);
	else if (c == '\r')
		fputs("\\r", f);
	else if (c == '\\')
		fputs("\\\\", f);
	else if ((unsigned char)c < 0x20 || c == 0x7f)
		fprintf(f, "\\x%02x", (unsigned char)c);
	else
		fputc(c, f);
}

void text_show(FILE *f, const char *bytes, size_t len)
{
	uint32_t c;
	size_t n;

	while (len) {
		n = utf8_char(bytes, len, &c);
		if (!n)
			fprintf(f, "\\x%02x", (unsigned char)*bytes);
		else if (n == 1)
			show_ascii(f, *bytes);
		else if (is_deceptive(c))
			fprintf(f, "\\u{%x}", c);
		else
			fwrite(bytes, 1, n, f);
		bytes += n ? n : 1;
		len -= n ? n : 1;
	}
}

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const char *bytes, size_t len)
{
	const unsigned char *b = (const unsigned char *)bytes;
	char *out = malloc((len + 2) / 3 * 4 + 1), *p = out;
	uint32_t three;
	size_t i;

	if (!out)
		return NULL;
	for (i = 0; i < len; i += 3) {
		three = b[i] << 16;
		if (i + 1 < len)
			three |= b[i + 1] << 8;
		if (i + 2 < len)
			three |= b[i + 2];
		*p++ = base64_digits[three >> 18];
		*p++ = base64_digits[three >> 12 & 63];
		*p++ = i + 1 < len ? base64_digits[three >> 6 & 63] : '=';
		*p++ = i + 2 < len ? base64_digits[three & 63] : '=';
	}
	*p = 0;
	return out;
}

static int base64_four(const char *text, size_t n_digits, char *out)
{
	const char *digit;
	uint32_t four = 0;
	size_t i;

	for (i = 0; i < 4; i++) {
		digit = i < n_digits ? strchr(base64_digits, text[i]) : base64_digits;
		if (!digit)
			return -EINVAL;
		four = four << 6 | (digit - base64_digits);
	}
	for (i = 0; i + 1 < n_digits; i++)
		out[i] = four >> (16 - 8 * i);
	return 0;
}

int base64_decode(const char *text, char **ret, size_t *ret_len)
{
	size_t len = strlen(text), i, n, at = 0;
	_free_ char *out = malloc(len / 4 * 3 + 1);

	if (!out)
		return -ENOMEM;
	if (len % 4)
		return -EINVAL;
	for (i = 0; i < len; i += 4) {
		n = 4;
		if (i + 4 == len)
			n -= (text[i + 3] == '=') + (text[i + 3] == '=' && text[i + 2] == '=');
		if (base64_four(text + i, n, out + at))
			return -EINVAL;
		at += n - 1;
	}
	out[at] = 0;
	*ret = take(out);
	*ret_len = at;
	return 0;
}

void time_text(uint64_t ns, char *buf)
{
	time_t seconds = ns / 1000000000;
	struct tm tm;
	size_t n;

	n = strftime(buf, TIME_TEXT_LEN + 1, "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &tm));
	snprintf(buf + n, TIME_TEXT_LEN + 1 - n, ".%09uZ", (unsigned int)(ns % 1000000000));
}

/* ".123" and what follows: nanoseconds, and where the digits end. */
static const char *fraction_parse(const char *p, uint64_t *ret_ns)
{
	uint64_t unit = 100000000;

	*ret_ns = 0;
	if (*p != '.')
		return p;
	for (p++; *p >= '0' && *p <= '9'; p++) {
		*ret_ns += (*p - '0') * unit;
		unit /= 10;
	}
	return p;
}

int time_parse(const char *text, uint64_t *ret_ns)
{
	struct tm tm = {};
	int hours, minutes, n = 0;
	const char *p;
	time_t t;

	p = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!p)
		p = strptime(text, "%Y-%m-%d %H:%M:%S", &tm);
	if (!p)
		return -EINVAL;
	t = timegm(&tm);
	p = fraction_parse(p, ret_ns);
	if ((*p == '+' || *p == '-') && sscanf(p + 1, "%2d:%2d%n", &hours, &minutes, &n) == 2 &&
	    !p[1 + n])
		t -= (*p == '-' ? -60 : 60) * (hours * 60 + minutes);
	else if (strcmp(p, "Z") && strcmp(p, "z"))
		return -EINVAL;
	if (t < 0)
		return -EINVAL;
	*ret_ns += (uint64_t)t * 1000000000;
	return 0;
}

int duration_parse(const char *text, uint64_t *ret_ns)
{
	static const struct {
		char letter;
		uint64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	uint64_t total = 0, n;
	unsigned int i;
	char *end;

	if (!*text)
		return -EINVAL;
	for (; *text; text = end + 1) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		n = strtoull(text, &end, 10);
		for (i = 0; i < ARRAY_SIZE(units); i++)
			if (*end == units[i].letter)
				break;
		if (i == ARRAY_SIZE(units) || n > 36500 * 86400ull / units[i].seconds)
			return -EINVAL;
		total += n * units[i].seconds;
	}
	if (total > 36500 * 86400ull)
		return -EINVAL;
	*ret_ns = total * 1000000000;
	return 0;
}
