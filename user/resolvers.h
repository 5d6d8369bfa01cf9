/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who is asked for names: the `nameserver` lines of resolv.conf(5). */
#ifndef HG_RESOLVERS_H
#define HG_RESOLVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../policy/policy.h"

/* -errno. Without the file, or without such a line, 127.0.0.1 is asked (resolv.conf(5)). */
int resolvers_read(const char *path, struct resolvers *ret);
/* One line, without its newline; what is no `nameserver` line adds nothing. */
void resolvers_line(struct resolvers *r, const char *line);
bool resolvers_have(const struct resolvers *r, const uint8_t address[16]);

#endif
