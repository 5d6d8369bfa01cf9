/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Diagnostics. */
#include <bpf/libbpf.h>
#include <stdarg.h>
#include <time.h>

#include "log.h"
#include "util.h"

enum log_level log_level = LOG_NOTE;
static bool log_timed;
static const char *log_verb;

void log_with_time(void)
{
	log_timed = true;
}

void log_as(const char *verb)
{
	log_verb = verb;
}

/* One write for a line, so that lines of two processes do not mix. */
static void log_line(const char *fmt, va_list args, const char *tail)
{
	char line[4096], stamp[40] = "";
	size_t len, room = sizeof(line) - 2;
	struct tm tm;
	time_t now;

	if (log_timed) {
		now = time(NULL);
		strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ ", gmtime_r(&now, &tm));
	}
	len = snprintf(line, room, "%shydraguard%s%s: ", stamp, log_verb ? " " : "",
		       log_verb ? log_verb : "");
	len += vsnprintf(line + len, room - len, fmt, args);
	if (tail && len < room)
		len += snprintf(line + len, room - len, ": %s", tail);
	if (len > room - 1)
		len = room - 1;
	line[len] = '\n';
	if (write(STDERR_FILENO, line, len + 1) < 0)
		return;
}

void log_at(enum log_level level, const char *fmt, ...)
{
	int saved = errno;
	va_list args;

	if (level > log_level)
		return;
	va_start(args, fmt);
	log_line(fmt, args, NULL);
	va_end(args);
	errno = saved;
}

int log_errno(int err, const char *fmt, ...)
{
	va_list args;

	if (err < 0)
		err = -err;
	if (log_level >= LOG_ERROR) {
		va_start(args, fmt);
		log_line(fmt, args, strerror(err));
		va_end(args);
	}
	return -err;
}

static int log_libbpf(enum libbpf_print_level level, const char *fmt, va_list args)
{
	if (log_level < LOG_VERBOSE || level == LIBBPF_DEBUG)
		return 0;
	return vfprintf(stderr, fmt, args);
}

void log_take_libbpf(void)
{
	libbpf_set_print(log_libbpf);
}
