/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The event log: numbers without a gap, through rotation, writers that are killed, and full disks.
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "../../user/journal.h"
#include "../../user/log.h"
#include "../../user/util.h"
#include "tap.h"

static int dir, seq;

static int put(unsigned int n)
{
	_batch_ struct batch b = {};

	while (n--) {
		_event_ struct event ev = {};

		event_set(&ev, EV_EVENT, "file.access");
		event_set(&ev, EV_PATH, "/some/path\n");
		batch_add(&b, &ev);
	}
	return journal_append(dir, seq, &b);
}

/* Lines of the log; *ret_gap: a line whose number is not the one before plus one, or that is no
 * event. */
static unsigned int lines(const char *file, uint64_t first, bool *ret_gap)
{
	_free_ char *text = NULL;
	unsigned int n = 0;
	char *p, *end;
	size_t len;

	*ret_gap = false;
	if (read_file(dir, file, 1 << 24, &text, &len))
		return 0;
	for (p = text; p < text + len; p = end + 1, n++) {
		_event_ struct event ev = {};

		end = strchr(p, '\n');
		if (!end) {
			*ret_gap = true;
			return n;
		}
		*ret_gap |=
			event_from_json(p, end - p, &ev) || event_number(&ev, EV_SEQ) != first + n;
	}
	return n;
}

static void log_is(struct tap *t, unsigned int n, uint64_t first, const char *what)
{
	bool gap;
	unsigned int got = lines("events.jsonl", first, &gap);

	tap_ok(t, got == n && !gap, "%s (%u lines%s)", what, got, gap ? ", a gap" : "");
}

static void fresh(void)
{
	unlinkat(dir, "events.jsonl", 0);
	if (ftruncate(seq, 0))
		abort();
}

static void test_plain(struct tap *t)
{
	fresh();
	tap_ok(t, !put(0) && faccessat(dir, "events.jsonl", F_OK, 0), "nothing to write");
	tap_ok(t, !put(3) && !put(1), "written");
	log_is(t, 4, 1, "numbered from 1");
}

static void test_rotate(struct tap *t)
{
	_close_ int fd = -1;

	fresh();
	put(3);
	renameat(dir, "events.jsonl", dir, "events.jsonl.1");
	put(2);
	log_is(t, 2, 4, "on in a new file after renaming");
	fd = openat(dir, "events.jsonl", O_WRONLY);
	if (ftruncate(fd, 0))
		abort();
	put(2);
	log_is(t, 2, 6, "on after copy and truncate");
}

/* Killed between the log and the number: the number is behind. */
static void test_killed(struct tap *t)
{
	_close_ int fd = -1;
	char old[128];
	ssize_t n;

	fresh();
	put(3);
	n = pread(seq, old, sizeof(old), 0);
	put(2);
	if (pwrite(seq, old, n, 0) != n)
		abort();
	put(1);
	log_is(t, 6, 1, "the log's last line says how far it came");

	fd = openat(dir, "events.jsonl", O_WRONLY | O_APPEND);
	write_all(fd, "{\"time\":\"20", 11);
	put(1);
	log_is(t, 7, 1, "half a line at the end is taken away");
}

/* A log of an earlier boot: numbers begin anew. */
static void test_boot(struct tap *t)
{
	fresh();
	put(5);
	if (ftruncate(seq, 0))
		abort();
	put(1);
	tap_ok(t, true, "a new boot");
	{
		_free_ char *text = NULL;

		read_file(dir, "events.jsonl", 1 << 20, &text, NULL);
		tap_ok(t, strstr(strrchr(text, '{') ? text : "", "\"seq\":1,\"event\"") != NULL,
		       "begins at 1");
	}
}

static void test_full(struct tap *t)
{
	struct rlimit limit = {4096, RLIM_INFINITY};
	_batch_ struct batch b = {};
	unsigned int i;
	int err;

	fresh();
	put(2);
	for (i = 0; i < 200; i++) {
		_event_ struct event ev = {};

		event_set(&ev, EV_EVENT, "file.access");
		batch_add(&b, &ev);
	}
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	err = journal_append(dir, seq, &b);
	tap_ok(t, err == -EFBIG && b.n == 200, "what does not fit is kept whole (%d)", err);
	log_is(t, 2, 1, "and the log is as it was");
	limit.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_FSIZE, &limit);
	tap_ok(t, !journal_append(dir, seq, &b) && !b.n, "written when there is room");
	log_is(t, 202, 1, "without a gap");
}

static void test_many(struct tap *t)
{
	unsigned int i, k;
	int status, bad = 0;

	fresh();
	for (i = 0; i < 4; i++) {
		if (fork())
			continue;
		/* A description of its own, as each process has. */
		seq = openat(dir, "seq", O_RDWR);
		for (k = 0; k < 50; k++)
			if (put(1 + k % 3))
				_exit(1);
		_exit(0);
	}
	while (wait(&status) > 0)
		bad += status != 0;
	tap_ok(t, !bad, "four writers at once");
	log_is(t, 4 * (17 * 1 + 17 * 2 + 16 * 3), 1, "every line, no gap");
}

static void test_garbled(struct tap *t)
{
	fresh();
	put(4);
	if (pwrite(seq, "garbage", 7, 0) != 7 || ftruncate(seq, 7))
		abort();
	tap_ok(t, !put(1), "a damaged number");
	log_is(t, 5, 1, "is found again in the log");
}

int main(void)
{
	char path[] = "/tmp/hydraguard-test-XXXXXX";
	struct tap t = {};

	log_level = LOG_QUIET;
	if (!mkdtemp(path))
		return 1;
	dir = open(path, O_RDONLY | O_DIRECTORY);
	seq = openat(dir, "seq", O_RDWR | O_CREAT, 0600);
	test_plain(&t);
	test_rotate(&t);
	test_killed(&t);
	test_boot(&t);
	test_full(&t);
	test_many(&t);
	test_garbled(&t);
	remove_tree(AT_FDCWD, path);
	return tap_done(&t);
}
