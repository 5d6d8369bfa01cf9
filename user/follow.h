/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reading a growing file line by line, over rotation (a new file of that name) and truncation. */
#ifndef HG_FOLLOW_H
#define HG_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct follow {
	char *dir, *name;
	int fd, inotify; /* fd -1: the file is not there (yet) */
	ino_t inode;
	off_t at;
	char *buf;
	size_t len, used, room;
};

/* Begins at the end, or at the beginning. `wake`: a directory in which a file is written after each
 * line; what is watched makes every open on its file system dearer (inotify), so that the log's
 * own is better left alone. -errno: it cannot be watched. */
int follow_open(struct follow *f, const char *dir, const char *name, const char *wake,
		bool at_end);
void follow_close(struct follow *f);

/* For poll(2): readable when there may be more. */
int follow_fd(const struct follow *f);

/* The next whole line without its line feed, valid until the next call; 0: none for now; 1: there
 * is; -errno. */
int follow_next(struct follow *f, const char **ret_line, size_t *ret_len);

#endif
