/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Draining an agent's ring into the event log. */
#include <bpf/bpf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>
#include <time.h>

#include "log.h"
#include "ring.h"
#include "ring_reader.h"
#include "util.h"

/* Text kept in memory before it is written. */
#define BATCH_MAX	  (1u << 20)
#define DRAIN_PATIENCE_MS 3000

/* How many losses have been told: by events.lost, and as `missed` of a later event. */
struct told {
	uint64_t lost, missed;
};

struct ring {
	struct ring_reader reader;
	int map_fd;
	int agents_dir, drain_fd;
	char *name;
	uint64_t uid;
	const struct hg_agent *live;
	struct generation_record generation; /* the one looked up last */
	struct batch batch;
	struct told told;
	struct decoder *decoder; /* while draining */
};

void ring_close(struct ring *r)
{
	if (!r)
		return;
	ring_reader_close(&r->reader);
	if (r->map_fd >= 0)
		close(r->map_fd);
	if (r->agents_dir >= 0)
		close(r->agents_dir);
	if (r->drain_fd >= 0)
		close(r->drain_fd);
	generation_clear(&r->generation);
	batch_clear(&r->batch);
	free(r->name);
	free(r);
}

static int ring_map_open(const struct engine *e, uint32_t number)
{
	__u32 id;
	int fd;

	if (bpf_map_lookup_elem(e->rings, &number, &id))
		return -errno;
	fd = bpf_map_get_fd_by_id(id);
	return fd < 0 ? -errno : fd;
}

int ring_open(const struct engine *e, int agents_dir, const struct agent_record *a,
	      struct ring **ret)
{
	_ring_ struct ring *r = calloc(1, sizeof(*r));
	char path[AGENT_NAME_MAX + 16];
	int err;

	if (!r)
		return -ENOMEM;
	r->drain_fd = r->agents_dir = -1;
	r->map_fd = ring_map_open(e, a->number);
	if (r->map_fd < 0)
		return r->map_fd;
	r->uid = a->uid;
	r->live = &e->agent[a->number];
	r->name = strdup(a->name);
	r->agents_dir = fcntl(agents_dir, F_DUPFD_CLOEXEC, 3);
	if (!r->name || r->agents_dir < 0)
		return -ENOMEM;
	snprintf(path, sizeof(path), "%s/drain", a->name);
	r->drain_fd = openat(agents_dir, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (r->drain_fd < 0)
		return -errno;
	err = ring_reader_open(&r->reader, r->map_fd);
	if (err)
		return err;
	*ret = take(r);
	return 0;
}

int ring_fd(const struct ring *r)
{
	return r->map_fd;
}

const char *ring_agent(const struct ring *r)
{
	return r->name;
}

uint64_t ring_uid(const struct ring *r)
{
	return r->uid;
}

static void told_read(struct ring *r)
{
	char text[64];
	ssize_t n = pread(r->drain_fd, text, sizeof(text) - 1, 0);

	r->told = (struct told){};
	if (n <= 0)
		return;
	text[n] = 0;
	if (sscanf(text, "%" SCNu64 " %" SCNu64, &r->told.lost, &r->told.missed) != 2)
		r->told = (struct told){};
}

static void told_write(const struct ring *r)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "%020" PRIu64 " %020" PRIu64 "\n", r->told.lost,
			   r->told.missed);

	if (pwrite(r->drain_fd, text, len, 0) != len)
		log_verbose("agent %s: losses may be told twice", r->name);
}

static const struct generation_record *generation_of(struct ring *r, uint32_t generation)
{
	struct generation_record fresh;

	if (r->generation.generation == generation)
		return &r->generation;
	if (generation_read(r->agents_dir, r->name, generation, &fresh))
		return NULL;
	generation_clear(&r->generation);
	r->generation = fresh;
	return &r->generation;
}

/* Says that up to `lost` events in all have found the ring full. */
static int tell_lost(struct ring *r, uint64_t lost, uint64_t time)
{
	_event_ struct event ev = {};
	int err;

	if (lost <= r->told.lost)
		return 0;
	event_set(&ev, EV_EVENT, "events.lost");
	if (time)
		event_set_number(&ev, EV_TIME, time);
	event_set(&ev, EV_AGENT, r->name);
	event_setf(&ev, EV_UID, "%016" PRIx64, r->uid);
	event_set_number(&ev, EV_COUNT, lost - r->told.lost);
	event_set_number(&ev, EV_LOST, lost);
	err = batch_add(&r->batch, &ev);
	if (!err)
		r->told.lost = lost;
	return err;
}

static int sample_add(struct ring *r, const struct hg_event *data)
{
	struct decode_agent agent = {r->name, generation_of(r, data->generation)};
	_event_ struct event ev = {};
	int err;

	event_decode(r->decoder, &agent, data, &ev);
	err = tell_lost(r, data->missed, event_number(&ev, EV_TIME));
	if (err)
		return err;
	if (data->missed > r->told.missed) {
		event_set_number(&ev, EV_MISSED, data->missed - r->told.missed);
		r->told.missed = data->missed;
	}
	return batch_add(&r->batch, &ev);
}

/* Everything that is whole by now, up to a batch; 1: there may be more. */
static int batch_fill(struct ring *r)
{
	const void *record;
	size_t size;
	int err;

	while (r->batch.len < BATCH_MAX) {
		record = ring_reader_next(&r->reader, &size);
		if (!record)
			return 0;
		if (!event_record_ok(record, size)) {
			log_error("agent %s: a record of %zu bytes is not an event", r->name, size);
			continue;
		}
		err = sample_add(r, record);
		if (err)
			return err;
	}
	return 1;
}

/* Losses that no event has followed yet. The number may be another agent's by now. */
static int tell_last_lost(struct ring *r)
{
	uint64_t lost = __atomic_load_n(&r->live->lost, __ATOMIC_ACQUIRE);
	uint64_t uid = __atomic_load_n(&r->live->uid, __ATOMIC_ACQUIRE);

	return uid == r->uid || !uid ? tell_lost(r, lost, 0) : 0;
}

/*
 * One batch: written down first, then given back, then what it told is noted. Where that ends
 * halfway the events are still in the ring; killed in between, they are written twice rather
 * than never.
 */
static int drain_batch(struct ring *r, const struct journal *j)
{
	struct told before = r->told;
	int more, err;

	ring_reader_begin(&r->reader);
	more = batch_fill(r);
	err = more < 0 ? more : 0;
	if (!more)
		err = tell_last_lost(r);
	if (!err)
		err = journal_append(j->dir, j->seq_fd, &r->batch);
	if (err) {
		batch_clear(&r->batch);
		r->told = before;
		return err;
	}
	ring_reader_commit(&r->reader);
	if (memcmp(&before, &r->told, sizeof(before)))
		told_write(r);
	return more;
}

/* Who holds it is draining, which is soon done. */
static int drain_lock(const struct ring *r)
{
	struct timespec nap = {.tv_nsec = 5 * 1000000};
	int i;

	for (i = 0; flock(r->drain_fd, LOCK_EX | LOCK_NB); i++) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (i == DRAIN_PATIENCE_MS / 5)
			return -EAGAIN;
		nanosleep(&nap, NULL);
	}
	return 0;
}

int ring_drain(struct ring *r, struct decoder *d, const struct journal *j)
{
	int err;

	err = drain_lock(r);
	if (err)
		return err;
	told_read(r);
	decoder_set_clock(d);
	r->decoder = d;
	do {
		err = drain_batch(r, j);
	} while (err > 0);
	flock(r->drain_fd, LOCK_UN);
	return err;
}
