/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Draining an agent's ring into the event log. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>
#include <time.h>

#include "log.h"
#include "ring.h"
#include "util.h"

/* Text kept in memory before it is written; the rest waits in the ring. */
#define BATCH_MAX (1u << 20)
#define DRAIN_PATIENCE_MS 3000

/* How many losses have been told: by events.lost, and as `missed` of a later event. */
struct told {
	uint64_t lost, missed;
};

struct ring {
	struct ring_buffer *rb;
	int map_fd;
	int agents_dir, drain_fd;
	char *name;
	uint64_t uid;
	const struct hg_agent *live;
	struct generation_record generation;	/* the one looked up last */
	struct batch batch;
	struct told told;
	struct decoder *decoder;		/* while draining */
	bool full;
};

static int sample(void *ctx, void *data, size_t size);

void ring_close(struct ring *r)
{
	if (!r)
		return;
	ring_buffer__free(r->rb);
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
	r->rb = ring_buffer__new(r->map_fd, sample, r, NULL);
	if (!r->rb)
		return -errno;
	*ret = take(r);
	return 0;
}

int ring_fd(const struct ring *r)
{
	return ring_buffer__epoll_fd(r->rb);
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
	struct decode_agent agent = { r->name, generation_of(r, data->generation) };
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

/* libbpf counts a record as taken whatever this returns, so a record is kept or lost here. */
static int sample(void *ctx, void *data, size_t size)
{
	struct ring *r = ctx;
	int err;

	if (!event_record_ok(data, size)) {
		log_error("agent %s: a record of %zu bytes is not an event", r->name, size);
		return 0;
	}
	err = sample_add(r, data);
	if (err)
		log_errno(err, "agent %s: an event could not be kept", r->name);
	if (r->batch.len < BATCH_MAX)
		return 0;
	r->full = true;
	return -EAGAIN;
}

static int drain_locked(struct ring *r, const struct journal *j)
{
	int n, err;

	do {
		r->full = false;
		err = journal_append(j->dir, j->seq_fd, &r->batch);
		if (err)
			return err;
		n = ring_buffer__consume(r->rb);
		if (n < 0 && !r->full)
			return n;
	} while (r->full);
	/* Losses that no event has followed yet. */
	err = tell_lost(r, __atomic_load_n(&r->live->lost, __ATOMIC_ACQUIRE), 0);
	return err ? err : journal_append(j->dir, j->seq_fd, &r->batch);
}

/* Who holds it is draining, which is soon done, or cannot write the log, which may last. */
static int drain_lock(const struct ring *r)
{
	struct timespec nap = { .tv_nsec = 5 * 1000000 };
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
	struct told before;
	int err;

	err = drain_lock(r);
	if (err)
		return err;
	/* With events in hand, what has been told is in hand as well. */
	if (!r->batch.n)
		told_read(r);
	before = r->told;
	decoder_set_clock(d);
	r->decoder = d;
	err = drain_locked(r, j);
	if (memcmp(&before, &r->told, sizeof(before)))
		told_write(r);
	/* Unwritten events keep the lock: nobody else may write later ones before them. */
	if (!r->batch.n)
		flock(r->drain_fd, LOCK_UN);
	return err;
}
