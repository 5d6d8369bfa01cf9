/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Ownership and small helpers. An owning local carries its destructor, and leaves its function only
 * through a visible take().
 */
#ifndef HG_UTIL_H
#define HG_UTIL_H

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline void cleanup_freep(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void cleanup_closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

#define _free_	   __attribute__((cleanup(cleanup_freep)))
#define _close_	   __attribute__((cleanup(cleanup_closep)))
#define _fclose_   __attribute__((cleanup(cleanup_fclosep)))
#define _closedir_ __attribute__((cleanup(cleanup_closedirp)))

/* Gives an owned pointer away: the local is NULL afterwards. */
#define take(p)                                                                                    \
	({                                                                                         \
		__typeof__(p) *p_ = &(p), taken_ = *p_;                                            \
		*p_ = NULL;                                                                        \
		taken_;                                                                            \
	})

static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* The fd of a path below dir for reading; -errno. */
int open_read(int dir, const char *path);

/* A whole regular file, NUL-terminated beside its length; -EFBIG above max bytes. */
int read_file(int dir, const char *path, size_t max, char **ret, size_t *ret_len);

/* Replaces a file in one step (written aside, renamed), mode 0600. */
int write_file(int dir, const char *name, const char *data, size_t len);

/* Writes all of it; -errno, with what was written before unknown. */
int write_all(int fd, const void *data, size_t len);

/* Opens a directory that belongs to us, made with `mode` where it is not there. */
int open_own_dir(const char *path, unsigned int mode);

/* Removes a directory below dir with all that is in it; absent is done. */
int remove_tree(int dir, const char *name);

/* A decimal number that is all of the string; -EINVAL, -ERANGE. */
int parse_u64(const char *s, uint64_t max, uint64_t *ret);

uint64_t clock_ns(int clock);

/* Is word one of a comma-separated list? */
bool list_has(const char *list, const char *word);

#endif
