/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the guest's init sends to the host's relay over one virtio-serial port: frames, each a
 * header and then `len` bytes. One stream keeps stdout and stderr in order and puts the exit code
 * behind the last byte of output, so that no output can be lost by stopping the guest too early.
 */
#ifndef GUEST_FRAME_H
#define GUEST_FRAME_H

#include <assert.h>
#include <stdint.h>

enum frame_kind {
	FRAME_STARTED = 1, /* no payload: the command is about to run */
	FRAME_STDOUT = 2,
	FRAME_STDERR = 3,
	FRAME_EXIT = 4, /* payload: struct frame_exit; nothing follows */
};

/* Both ends are the same machine type: native byte order. */
struct frame_header {
	uint32_t kind; /* enum frame_kind */
	uint32_t len; /* bytes of payload, at most FRAME_PAYLOAD_MAX */
};

struct frame_exit {
	uint32_t code; /* 0..255, as a shell reports it: 128+N for signal N */
};

/* The kernel's virtio-serial port takes at most 32 KiB in one write. */
#define FRAME_MAX 32768
#define FRAME_PAYLOAD_MAX (FRAME_MAX - sizeof(struct frame_header))

static_assert(sizeof(struct frame_header) == 8, "no padding");

#endif
