/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reading a growing file. */
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "follow.h"
#include "util.h"

#define READ_SIZE 65536
/* No event is as long; a line that is, is no event. */
#define LINE_MAX_LEN (4u << 20)

/* Opens the file of that name, if there is one. */
static int file_open(struct follow *f, bool at_end)
{
	_free_ char *path = NULL;
	_close_ int fd = -1;
	struct stat st;

	if (asprintf(&path, "%s/%s", f->dir, f->name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st))
		return -errno;
	f->inode = st.st_ino;
	f->at = at_end ? st.st_size : 0;
	f->len = f->used = 0;
	f->fd = take_fd(&fd);
	return 0;
}

int follow_open(struct follow *f, const char *dir, const char *name, const char *wake,
		bool at_end)
{
	*f = (struct follow){.fd = -1, .inotify = -1};
	f->dir = strdup(dir);
	f->name = strdup(name);
	if (!f->dir || !f->name)
		return -ENOMEM;
	f->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (f->inotify < 0 ||
	    inotify_add_watch(f->inotify, wake, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
		return -errno;
	return file_open(f, at_end);
}

void follow_close(struct follow *f)
{
	if (f->fd >= 0)
		close(f->fd);
	if (f->inotify >= 0)
		close(f->inotify);
	free(f->dir);
	free(f->name);
	free(f->buf);
}

int follow_fd(const struct follow *f)
{
	return f->inotify;
}

static void inotify_empty(int fd)
{
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

	while (read(fd, buf, sizeof(buf)) > 0)
		;
}

/* At the end of what is open: is there another file of that name, or has this one begun anew? 1:
 * there is more to read. */
static int file_renewed(struct follow *f)
{
	_free_ char *path = NULL;
	struct stat st;
	int err;

	if (f->fd >= 0 && !fstat(f->fd, &st) && st.st_size < f->at) {
		f->at = 0;
		f->len = f->used = 0;
		return 1;
	}
	if (asprintf(&path, "%s/%s", f->dir, f->name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	if (stat(path, &st) || (f->fd >= 0 && st.st_ino == f->inode))
		return 0;
	if (f->fd >= 0)
		close(take_fd(&f->fd));
	err = file_open(f, false);
	return err ? err : f->fd >= 0;
}

/* 1: there is more in the buffer; 0: nothing to read. */
static int fill(struct follow *f)
{
	char *more;
	ssize_t n;

	if (f->used)
		memmove(f->buf, f->buf + f->used, f->len - f->used);
	f->len -= f->used;
	f->used = 0;
	/* Too long for a line of ours: drop what is there of it. */
	if (f->len > LINE_MAX_LEN)
		f->len = 0;
	if (f->room - f->len < READ_SIZE) {
		more = realloc(f->buf, f->len + READ_SIZE);
		if (!more)
			return -ENOMEM;
		f->buf = more;
		f->room = f->len + READ_SIZE;
	}
	n = f->fd < 0 ? 0 : pread(f->fd, f->buf + f->len, f->room - f->len, f->at);
	if (n < 0)
		return -errno;
	f->len += n;
	f->at += n;
	return n > 0;
}

int follow_next(struct follow *f, const char **ret_line, size_t *ret_len)
{
	char *end;
	int more;

	for (;;) {
		end = f->len > f->used ? memchr(f->buf + f->used, '\n', f->len - f->used) : NULL;
		if (end) {
			*ret_line = f->buf + f->used;
			*ret_len = end - *ret_line;
			f->used += *ret_len + 1;
			return 1;
		}
		/* Before reading, so that what is written meanwhile wakes again. */
		inotify_empty(f->inotify);
		more = fill(f);
		if (!more)
			more = file_renewed(f);
		if (more <= 0)
			return more;
	}
}
