/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * HTTP heads against a reader made of regular expressions, which takes the whole head at once: over
 * random changes of good heads, both find a name in the same ones, and the same name.
 */
#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <strings.h>

#include "hello_read.h"
#include "tap.h"

#define TOKEN "[-!#$%&'*+.^_`|~0-9A-Za-z]"
#define NAME  "([-_.0-9a-z]+)"
#define PORT  ":[0-9]{1,5}"

static regex_t request, origin, absolute, connect_to, field, host, label, address;

static void compile(regex_t *re, const char *pattern, int flags)
{
	if (regcomp(re, pattern, REG_EXTENDED | flags))
		abort();
}

static void compile_all(void)
{
	compile(&request, "^([A-Z]" TOKEN "{0,19}) ([!-~]+) HTTP/1[.][01]$", 0);
	compile(&origin, "^/", 0);
	compile(&absolute, "^https?://" NAME "(" PORT ")?([/?].*)?$", REG_ICASE);
	compile(&connect_to, "^" NAME PORT "$", REG_ICASE);
	compile(&field, "^(" TOKEN "+):[ \t]*(.*)$", 0);
	compile(&host, "^" NAME "(" PORT ")?[ \t]*$", REG_ICASE);
	compile(&label, "^[-_0-9a-z]{1,63}$", REG_ICASE);
	compile(&address, "^([0-9]+|0x[0-9a-f]*)$", REG_ICASE);
}

static bool match(const regex_t *re, const char *text, regmatch_t *at)
{
	return regexec(re, text, 4, at, 0) == 0;
}

static bool is(const char *text, regmatch_t at, const char *word)
{
	size_t len = (size_t)(at.rm_eo - at.rm_so);

	return len == strlen(word) && !strncasecmp(text + at.rm_so, word, len);
}

static bool is_host(const char *name)
{
	char copy[512], *at = copy, *part = NULL, *last = NULL;
	regmatch_t m[4];

	if (strlen(name) > HG_HOST_MAX)
		return false;
	strcpy(copy, name);
	while ((part = strsep(&at, "."))) {
		if (!match(&label, part, m))
			return false;
		last = part;
	}
	return !match(&address, last, m);
}

/* The host in a request's target; "" where it has none. False: it is no target. */
static bool target_host(const char *line, const regmatch_t *m, char *ret)
{
	size_t len = (size_t)(m[2].rm_eo - m[2].rm_so);
	char target[4096];
	regmatch_t a[4];

	memcpy(target, line + m[2].rm_so, len);
	target[len] = *ret = 0;
	if (!strncmp(line, "PRI ", 4))
		return false;
	if (!strncmp(line, "CONNECT ", 8)) {
		if (!match(&connect_to, target, a))
			return false;
	} else if (match(&origin, target, a) ||
		   (!strcmp(target, "*") && !strncmp(line, "OPTIONS ", 8))) {
		return true;
	} else if (!match(&absolute, target, a)) {
		return false;
	}
	len = (size_t)(a[1].rm_eo - a[1].rm_so);
	memcpy(ret, target + a[1].rm_so, len);
	ret[len] = 0;
	return true;
}

/* The name of a head, whose lines are given without what ends them. */
static bool oracle_lines(char **lines, unsigned n, char *ret_name)
{
	char target[4096];
	regmatch_t m[4], v[4];
	unsigned hosts = 0, i;

	if (!match(&request, lines[0], m) || !target_host(lines[0], m, target))
		return false;
	for (i = 1; i < n; i++) {
		if (!match(&field, lines[i], m))
			return false;
		if (!is(lines[i], m[1], "Host"))
			continue;
		if (hosts++ || !match(&host, lines[i] + m[2].rm_so, v))
			return false;
		memcpy(ret_name, lines[i] + m[2].rm_so, (size_t)v[1].rm_eo);
		ret_name[v[1].rm_eo] = 0;
	}
	return hosts && is_host(ret_name) && (!*target || !strcasecmp(target, ret_name));
}

static bool oracle(const char *bytes, size_t len, char *ret_name)
{
	static char text[4096];
	char *lines[512], *end;
	unsigned n = 0;
	size_t i;

	memcpy(text, bytes, len);
	text[len] = 0;
	end = memmem(text, len, "\r\n\r\n", 4);
	if (!end)
		return false;
	*end = 0;
	for (i = 0; text + i < end; i++)
		if (!(text[i] >= ' ' && text[i] <= '~') && !strchr("\t\r\n", text[i]))
			return false;
	if (strlen(text) != (size_t)(end - text))
		return false;
	for (lines[n++] = text; (end = strstr(lines[n - 1], "\r\n")); lines[n++] = end + 2)
		*end = 0;
	for (i = 0; i < n; i++)
		if (strpbrk(lines[i], "\r\n"))
			return false;
	return oracle_lines(lines, n, ret_name);
}

static const char *const seeds[] = {
	"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
	"GET / HTTP/1.0\r\nX: y\r\nhost:\t a.example:80\t\r\nHosts: b.example\r\n\r\nmore",
	"GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
	"GET https://a.example:8443?q HTTP/1.1\r\nAccept: */*\r\nHost: A.EXAMPLE:1\r\n\r\n",
	"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n",
	"OPTIONS * HTTP/1.1\r\nHost: a.example\r\nX:\r\n\r\n",
};
#define N_SEEDS (sizeof(seeds) / sizeof(*seeds))
static const char *const pieces[] = {
	"\r\n",	    " ",	"\t",
	":",	    "\n",	"\r",
	"\r\n\r\n", "Host: ",	"Host: a.example\r\n",
	".",	    "a",	"0",
	"@",	    "/",	"\\",
	"0x",	    "1",	"http://a.example",
	"?",	    "#",	"X: y\r\n",
	"host",	    "GET ",	":80",
	"\x85",	    "CONNECT ", " HTTP/1.1",
	"*",	    "PRI ",	"HTTP/",
};
#define N_PIECES (sizeof(pieces) / sizeof(*pieces))

static size_t change(char *text, size_t len, uint64_t *seed)
{
	size_t at = tap_random(seed) % (len + 1), n;
	const char *piece = pieces[tap_random(seed) % N_PIECES];

	switch (tap_random(seed) % 5) {
	case 0:
		n = tap_random(seed) % 4 ? 1 : tap_random(seed) % 20;
		n = n < len - at ? n : len - at;
		memmove(text + at, text + at + n, len - at - n);
		return len - n;
	case 1:
		if (at < len)
			text[at] = (char)tap_random(seed);
		return len;
	case 2:
		if (at < len)
			text[at] ^= 0x20;
		return len;
	}
	n = strlen(piece);
	memmove(text + at + n, text + at, len - at);
	memcpy(text + at, piece, n);
	return len + n;
}

int main(int argc, char **argv)
{
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000, i;
	unsigned long named = 0, changed = 0, wrong = 0;
	uint64_t seed = 20261121;
	struct tap t = {0};

	compile_all();
	for (i = 0; i < rounds; i++) {
		char text[2048], name[4096] = "";
		const char *from = seeds[tap_random(&seed) % N_SEEDS];
		size_t len = strlen(from);
		unsigned n = tap_random(&seed) % 4, k;
		struct reading r;
		bool want;

		memcpy(text, from, len + 1);
		while (n--)
			len = change(text, len, &seed);
		want = oracle(text, len, name);
		for (k = 0; name[k]; k++)
			name[k] = (char)tolower(name[k]);
		r = hello_read(text, len);
		named += want;
		changed += want && strcmp(name, "a.example");
		if (want ? !names(r, name) : r.status == HG_HELLO_NAME)
			if (wrong++ < 5)
				tap_note("oracle %d %s, here %d %s: %.*s", want, name, r.status,
					 r.name, (int)len, text);
	}
	tap_ok(&t, !wrong, "of %lu heads the same ones have a name, and the same name", rounds);
	tap_ok(&t, named > rounds / 10 && named < rounds && changed > rounds / 100,
	       "%lu of them have one, %lu a new one", named, changed);
	return tap_done(&t);
}
