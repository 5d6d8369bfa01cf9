/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Diagnostics, on stderr. A message says what failed, on which object, why, and what to do.
 * Functions whose header says "tells why" have logged when they return an error; their callers only
 * pass it on.
 */
#ifndef HG_LOG_H
#define HG_LOG_H

enum log_level { LOG_QUIET, LOG_ERROR, LOG_WARN, LOG_NOTE, LOG_VERBOSE };

/* What is printed at most. */
extern enum log_level log_level;

void log_at(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Appends ": " and the text of err (an errno of either sign); returns it negative. */
int log_errno(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)	 log_at(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)	 log_at(LOG_WARN, __VA_ARGS__)
#define log_note(...)	 log_at(LOG_NOTE, __VA_ARGS__)
#define log_verbose(...) log_at(LOG_VERBOSE, __VA_ARGS__)

/* Says the verb in each line: "hydraguard run: ...". */
void log_as(const char *verb);

/* Puts the time before each line: for a log file. */
void log_with_time(void);

/* libbpf's own messages: only at LOG_VERBOSE. */
void log_take_libbpf(void);

#endif
