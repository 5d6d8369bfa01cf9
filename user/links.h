/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Files with several names (hard links), and what a policy says of each name. A rule sees the name
 * that is used; so where the names of one file differ in rights, the least holds for all of them.
 *
 * Names of a file are all in one file system, so walking it finds them. Nearly all names of a file
 * system have the same rights, the common ones: looking by names asks only those files for their
 * number of links whose name has others, and takes names that were not met as common. That is
 * exact as long as nobody moves a name out of sight meanwhile: directories where the policy allows
 * moving are asked again at the end. Where something did move, every file is asked, and one whose
 * names do not add up is taken as one that nobody may touch.
 */
#ifndef HG_USER_LINKS_H
#define HG_USER_LINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../bpf/core/abi.h"
#include "../policy/ruleset.h"

struct link_file {
	uint64_t dev, ino;
	uint32_t nlink;
	uint32_t n;	/* names seen, each counted once */
	uint64_t *seen; /* hashes of (directory, name) */
	int64_t ctime;	/* nanoseconds */
	bool unsettled; /* its names may have changed while they were looked at */
	bool whole;	/* all its names are where was looked */
	bool copied;	/* on an overlay: changing it makes another file of it */
	bool by_names;	/* names with the rights `common` were not looked at */
	uint8_t common;
	uint8_t all, any; /* of HG_OBJECT_RIGHTS: what all its names have, what any has */
	uint16_t rule[HG_N_PATH_ACTIONS]; /* for each right: the rule at a name that lacks it */
	char *least, *most;		  /* names: one with little, another one with more */
	struct hg_link_key key;		  /* slot is 0 */
};

/* One file system to look at, or a part of one. */
struct link_root {
	int fd;		    /* directory, or a single file */
	const char *path;   /* its name in policies */
	const char *like;   /* which root's common rights count: one for all parts of a file system */
	bool whole, copied; /* see struct link_file */
	bool by_names;
	bool skip; /* directories that may not be read */
	/* The kernel's numbers for a file, from an O_PATH descriptor of it. NULL: not needed. */
	int (*identify)(void *ctx, int fd, struct hg_link_key *ret);
	void *ctx;
};

struct links {
	struct link_file *items;
	size_t n, cap;
	uint32_t *index; /* open addressing: 1 + item */
	uint32_t index_bits;
	size_t n_names, n_directories; /* looked at */
	size_t n_skipped;
	bool moved; /* a directory changed while names below others were looked at */
};

/* Not for file systems in which a file has one name, ever. */
bool links_type_has(const char *type);

/* Adds what is below root. -errno; what could not be read is told, and is not a success. */
int links_look(struct links *l, const struct image *im, const struct link_root *root);
void links_clear(struct links *l);
#define _links_ __attribute__((cleanup(links_clear)))

/* The rights of names at and below `path`: adds to *any what one has, takes from *all what one has
 * not. Where both are one in the end, over all parts of a file system, there is nothing to look for.
 * -errno. */
int links_rights(const struct image *im, const char *path, uint8_t *any, uint8_t *all);

/* Has every file been seen at rest, with all its names? */
bool links_settled(const struct links *l);
bool link_settled(const struct link_file *f);

/* What is refused at every name of a file: of HG_OBJECT_RIGHTS, 0 for nothing to do. */
uint8_t link_lacks(const struct link_file *f);

#endif
