/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The state directory. */
#include <fcntl.h>
#include <sys/file.h>

#include "log.h"
#include "paths.h"
#include "state.h"
#include "util.h"

#define LOCK_FILE HG_RUN_DIR "/lock"

static int lock_take(int how)
{
	_close_ int dir = open_own_dir(HG_RUN_DIR, 0700);
	_close_ int fd = -1;

	if (dir < 0)
		return log_errno(dir, "cannot use " HG_RUN_DIR);
	fd = open(LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return log_errno(errno, "cannot open " LOCK_FILE);
	while (flock(fd, how)) {
		if (errno == EWOULDBLOCK)
			return -EAGAIN;
		if (errno != EINTR)
			return log_errno(errno, "cannot lock " LOCK_FILE);
	}
	return take_fd(&fd);
}

int state_trylock(void)
{
	return lock_take(LOCK_EX | LOCK_NB);
}

int state_lock(void)
{
	int fd = state_trylock();

	if (fd != -EAGAIN)
		return fd;
	log_verbose("waiting for another hydraguard command to finish");
	return lock_take(LOCK_EX);
}

int agents_dir_open(bool make)
{
	_close_ int dir = -1;
	int fd;

	if (make) {
		dir = open_own_dir(HG_RUN_DIR, 0700);
		fd = dir < 0 ? dir : open_own_dir(HG_AGENTS_DIR, 0700);
		return fd < 0 ? log_errno(fd, "cannot use " HG_AGENTS_DIR) : fd;
	}
	fd = open(HG_AGENTS_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		return -ENOENT;
	return log_errno(errno, "cannot open " HG_AGENTS_DIR);
}
