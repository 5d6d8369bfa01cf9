/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* resolv.conf(5) to addresses. */
#include <arpa/inet.h>

#include "resolvers.h"
#include "util.h"

static const uint8_t loopback[16] = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1};

bool resolvers_have(const struct resolvers *r, const uint8_t address[16])
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (!memcmp(r->address[i], address, 16))
			return true;
	return false;
}

static void resolvers_add(struct resolvers *r, const uint8_t address[16])
{
	if (r->n < RESOLVERS_MAX && !resolvers_have(r, address))
		memcpy(r->address[r->n++], address, 16);
}

void resolvers_line(struct resolvers *r, const char *line)
{
	static const char word[] = "nameserver";
	char text[INET6_ADDRSTRLEN + 1];
	uint8_t address[16] = {[10] = 0xff, [11] = 0xff};
	size_t len;

	if (strncmp(line, word, strlen(word)))
		return;
	line += strlen(word);
	len = strspn(line, " \t");
	if (!len)
		return;
	line += len;
	/* A link-local address has an interface behind it; packets do not. */
	len = strcspn(line, " \t\r%#;");
	if (!len || len >= sizeof(text))
		return;
	memcpy(text, line, len);
	text[len] = 0;
	if (inet_pton(AF_INET, text, address + 12) == 1 || inet_pton(AF_INET6, text, address) == 1)
		resolvers_add(r, address);
}

int resolvers_read(const char *path, struct resolvers *ret)
{
	_free_ char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	FILE *f = fopen(path, "re");

	*ret = (struct resolvers){};
	if (!f && errno != ENOENT)
		return -errno;
	while (f && (n = getline(&line, &cap, f)) > 0) {
		line[strcspn(line, "\n")] = 0;
		resolvers_line(ret, line);
	}
	if (f)
		fclose(f);
	if (!ret->n)
		resolvers_add(ret, loopback);
	return 0;
}
