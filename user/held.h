/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What processes had open before they were confined and their policy would deny: files, directories,
 * mappings and connected or listening sockets. It stays theirs; the kernel asks only about
 * what is opened or received from now on.
 */
#ifndef HG_HELD_H
#define HG_HELD_H

#include <sys/types.h>

#include "json.h"
#include "../policy/policy.h"

struct held {
	pid_t pid;
	char comm[17];
	int fd;		      /* -1: a mapping without a descriptor */
	char *object;	      /* the path as the process sees it, or address:port */
	bool endpoint;	      /* object is one */
	uint8_t held, denied; /* actions that it is open for; of these, the ones denied */
	uint16_t rule;	      /* that denies the lowest of them; HG_RULE_NONE: none allows it */
};

struct helds {
	struct held *items;
	size_t n;
	size_t n_unread; /* processes that could not be looked into */
};

/* Of the processes in a cgroup and below. -errno without a message. */
int held_find(const char *cgroup, const struct policy *p, struct helds *ret);
void held_clear(struct helds *h);
#define _held_ __attribute__((cleanup(held_clear)))

/* Lines on standard error; how many of them there are is bounded. */
void held_print(const struct helds *h, const struct policy *p);
/* All of it, as an array. */
struct json_object *held_json(const struct helds *h, const struct policy *p, int *err);

#endif
