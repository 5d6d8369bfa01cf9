/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The event log. */
#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "journal.h"
#include "log.h"
#include "paths.h"
#include "text.h"
#include "util.h"

#define SEQ_FILE HG_RUN_DIR "/seq"

/* Each line starts with its time, whose length never changes; seq goes behind it. */
#define TIME_START  "{\"time\":\""
#define SEQ_AT	    (sizeof(TIME_START) - 1 + TIME_TEXT_LEN + 1)
#define SEQ_LEN_MAX 32

/* The longest line is far below: three paths, each with its exact bytes. */
#define LINE_LEN_MAX (256 * 1024)

/* What the sequence file holds: the last number given, and the log as it was left then, so that a
 * writer killed between writing the log and this file is noticed. */
struct seq_state {
	uint64_t seq, size, inode;
};

int batch_add(struct batch *b, struct event *ev)
{
	_free_ char *line = NULL;
	size_t len, room;
	char *more;
	int err;

	if (!event_has(ev, EV_TIME))
		event_set_number(ev, EV_TIME, clock_ns(CLOCK_REALTIME));
	err = event_to_json(ev, &line, &len);
	if (err)
		return err;
	assert(len > SEQ_AT && line[SEQ_AT - 1] == '"' && line[SEQ_AT] == ',');
	if (b->room - b->len < len + 1) {
		room = (b->len + len + 1) * 2;
		more = realloc(b->text, room);
		if (!more)
			return -ENOMEM;
		b->text = more;
		b->room = room;
	}
	memcpy(b->text + b->len, line, len);
	b->text[b->len + len] = '\n';
	b->len += len + 1;
	b->n++;
	return 0;
}

void batch_clear(struct batch *b)
{
	free(b->text);
	memset(b, 0, sizeof(*b));
}

static int seq_read(int fd, struct seq_state *ret)
{
	char text[128];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n < 0)
		return -errno;
	*ret = (struct seq_state){};
	text[n] = 0;
	/* Empty: the first writer of this boot. */
	if (n && sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64, &ret->seq, &ret->size,
			&ret->inode) != 3)
		return -EBADMSG;
	return 0;
}

static int seq_write(int fd, const struct seq_state *s)
{
	char text[128];
	int len = snprintf(text, sizeof(text), "%020" PRIu64 " %020" PRIu64 " %020" PRIu64 "\n",
			   s->seq, s->size, s->inode);

	return pwrite(fd, text, len, 0) == len ? 0 : -EIO;
}

/*
 * A writer was killed between the two files: the log's last line says how far it came, and half a
 * line at the end is taken away.
 */
static int seq_recover(int log, struct stat *st, struct seq_state *s)
{
	size_t room = LINE_LEN_MAX, len, start;
	_free_ char *tail = malloc(room);
	_event_ struct event ev = {};
	off_t from;
	ssize_t n;

	if (!tail)
		return -ENOMEM;
	from = (size_t)st->st_size > room ? st->st_size - (off_t)room : 0;
	n = pread(log, tail, room, from);
	if (n < 0)
		return -errno;
	for (len = n; len && tail[len - 1] != '\n'; len--)
		;
	if (len < (size_t)n && (len || !from)) {
		if (ftruncate(log, from + len))
			return -errno;
		st->st_size = from + len;
	}
	if (!len)
		return 0;
	for (start = len - 1; start && tail[start - 1] != '\n'; start--)
		;
	if (!event_from_json(tail + start, len - 1 - start, &ev) &&
	    event_number(&ev, EV_SEQ) > s->seq)
		s->seq = event_number(&ev, EV_SEQ);
	return 0;
}

/* The batch with numbers put in. */
static char *batch_numbered(const struct batch *b, uint64_t seq, size_t *ret_len)
{
	char *out = malloc(b->len + b->n * SEQ_LEN_MAX), *to = out;
	const char *p = b->text, *end = p + b->len, *next;

	if (!out)
		return NULL;
	for (; p < end; p = next) {
		next = (char *)memchr(p, '\n', end - p) + 1;
		to = mempcpy(to, p, SEQ_AT);
		to += sprintf(to, ",\"seq\":%" PRIu64, ++seq);
		to = mempcpy(to, p + SEQ_AT, next - p - SEQ_AT);
	}
	*ret_len = to - out;
	return out;
}

static int append_locked(int dir, int seq_fd, const struct batch *b)
{
	_close_ int log = -1;
	_free_ char *text = NULL;
	struct seq_state s;
	struct stat st;
	size_t len;
	int err;

	log = openat(dir, HG_EVENTS_NAME,
		     O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
	if (log < 0 || fstat(log, &st))
		return -errno;
	err = seq_read(seq_fd, &s);
	if (err == -EBADMSG)
		s = (struct seq_state){.inode = 1};
	else if (err)
		return err;
	/* inode 0: nothing was written in this boot yet, what is there is of an earlier one. */
	if (s.inode && st.st_size && (s.inode != st.st_ino || (uint64_t)st.st_size > s.size)) {
		err = seq_recover(log, &st, &s);
		if (err)
			return err;
	}
	text = batch_numbered(b, s.seq, &len);
	if (!text)
		return -ENOMEM;
	err = write_all(log, text, len);
	if (err) {
		if (ftruncate(log, st.st_size))
			log_errno(errno, "cannot take half a line out of " HG_EVENTS_NAME);
		return err;
	}
	s.seq += b->n;
	s.size = st.st_size + len;
	s.inode = st.st_ino;
	return seq_write(seq_fd, &s);
}

int journal_append(int dir, int seq_fd, struct batch *b)
{
	int err;

	if (!b->n)
		return 0;
	while (flock(seq_fd, LOCK_EX))
		if (errno != EINTR)
			return -errno;
	err = append_locked(dir, seq_fd, b);
	flock(seq_fd, LOCK_UN);
	if (err)
		return err;
	b->len = 0;
	b->n = 0;
	return 0;
}

int journal_open(struct journal *ret)
{
	_close_ int run = -1;

	ret->seq_fd = -1;
	ret->dir = open_own_dir(HG_LOG_DIR, 0700);
	if (ret->dir < 0)
		return log_errno(ret->dir, "cannot use " HG_LOG_DIR);
	run = open_own_dir(HG_RUN_DIR, 0700);
	if (run < 0)
		return log_errno(run, "cannot use " HG_RUN_DIR);
	ret->seq_fd = open(SEQ_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (ret->seq_fd < 0)
		return log_errno(errno, "cannot open " SEQ_FILE);
	return 0;
}

void journal_close(struct journal *j)
{
	if (j->dir >= 0)
		close(j->dir);
	if (j->seq_fd >= 0)
		close(j->seq_fd);
	j->dir = j->seq_fd = -1;
}

int journal_put(struct event *ev)
{
	_journal_ struct journal j = {-1, -1};
	_batch_ struct batch b = {};
	int err;

	err = journal_open(&j);
	if (!err) {
		err = batch_add(&b, ev);
		if (!err)
			err = journal_append(j.dir, j.seq_fd, &b);
		if (err)
			log_errno(err, "event %s is not in " HG_EVENTS_FILE,
				  event_text(ev, EV_EVENT));
	}
	event_clear(ev);
	return err;
}
