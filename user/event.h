/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An event: one thing that happened, as a set of named fields. The table below names every field
 * once; the JSON line, the line people read and every export are made from it.
 *
 * Keys are the dotted names of OpenTelemetry's attributes where one exists and hydraguard.* where
 * none does; in JSON they nest at the dots.
 */
#ifndef HG_EVENT_H
#define HG_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* BYTES: chosen by anybody, maybe not UTF-8. LIST: texts, each ended by a NUL. */
enum event_type { EVENT_TIME, EVENT_NUMBER, EVENT_BYTES, EVENT_LIST, EVENT_FLAG };

/* clang-format off */
/* Order is the order in a line. TIME must stay first and SEQ second (user/journal.c). */
#define EVENT_FIELDS(X)                                                                           \
	X(TIME,		"time",				EVENT_TIME)                               \
	X(SEQ,		"seq",				EVENT_NUMBER)                             \
	X(EVENT,	"event",			EVENT_BYTES)                              \
	X(AGENT,	"gen_ai.agent.name",		EVENT_BYTES)                              \
	X(POLICY,	"security_rule.ruleset.name",	EVENT_BYTES)                              \
	X(RULE,		"security_rule.name",		EVENT_BYTES)                              \
	X(VERDICT,	"hydraguard.verdict",		EVENT_BYTES)                              \
	X(MODE,		"hydraguard.mode",		EVENT_BYTES)                              \
	X(ACTION,	"hydraguard.action",		EVENT_BYTES)                              \
	X(REASON,	"hydraguard.reason",		EVENT_BYTES)                              \
	X(RULE_AT,	"hydraguard.rule_at",		EVENT_BYTES)                              \
	X(GENERATION,	"hydraguard.generation",	EVENT_NUMBER)                             \
	X(COUNT,	"hydraguard.count",		EVENT_NUMBER)                             \
	X(MISSED,	"hydraguard.missed",		EVENT_NUMBER)                             \
	X(DENIED,	"hydraguard.denied",		EVENT_NUMBER)                             \
	X(LOGGED,	"hydraguard.logged",		EVENT_NUMBER)                             \
	X(LOST,		"hydraguard.lost",		EVENT_NUMBER)                             \
	X(CGROUP,	"hydraguard.cgroup",		EVENT_BYTES)                              \
	X(UID,		"hydraguard.agent_uid",		EVENT_BYTES)                              \
	X(IMAGE,	"hydraguard.image",		EVENT_BYTES)                              \
	X(EXEC_ID,	"hydraguard.exec_id",		EVENT_BYTES)                              \
	X(ANCESTRY,	"hydraguard.ancestry",		EVENT_LIST)                               \
	X(CUT,		"hydraguard.cut",		EVENT_LIST)                               \
	X(PATH,		"file.path",			EVENT_BYTES)                              \
	X(TARGET,	"hydraguard.file.target",	EVENT_BYTES)                              \
	X(SCRIPT,	"hydraguard.script",		EVENT_BYTES)                              \
	X(DIRECTORY,	"hydraguard.file.directory",	EVENT_FLAG)                               \
	X(UNLINKED,	"hydraguard.file.unlinked",	EVENT_FLAG)                               \
	X(UNSEEN,	"hydraguard.file.unseen",	EVENT_FLAG)                               \
	X(UNPLACED,	"hydraguard.file.unplaced",	EVENT_FLAG)                               \
	X(ADDRESS,	"server.address",		EVENT_BYTES)                              \
	X(PORT,		"server.port",			EVENT_NUMBER)                             \
	X(TRANSPORT,	"network.transport",		EVENT_BYTES)                              \
	X(NET_TYPE,	"network.type",			EVENT_BYTES)                              \
	X(DNS_NAME,	"dns.question.name",		EVENT_BYTES)                              \
	X(DNS_TYPE,	"dns.question.type",		EVENT_BYTES)                              \
	X(SAID_NAME,	"tls.client.server_name",	EVENT_BYTES)                              \
	X(PEER,		"hydraguard.peer_agent",	EVENT_BYTES)                              \
	X(FAMILY,	"hydraguard.socket.family",	EVENT_BYTES)                              \
	X(SOCK_TYPE,	"hydraguard.socket.type",	EVENT_BYTES)                              \
	X(PROTOCOL,	"hydraguard.socket.protocol",	EVENT_NUMBER)                             \
	X(MODULE,	"hydraguard.module",		EVENT_BYTES)                              \
	X(PID,		"process.pid",			EVENT_NUMBER)                             \
	X(PARENT_PID,	"process.parent_pid",		EVENT_NUMBER)                             \
	X(TID,		"thread.id",			EVENT_NUMBER)                             \
	X(EXE,		"process.executable.path",	EVENT_BYTES)                              \
	X(COMMAND,	"process.command",		EVENT_BYTES)                              \
	X(ARGS,		"process.command_args",		EVENT_LIST)                               \
	X(USER,		"user.id",			EVENT_BYTES)                              \
	X(MESSAGE,	"hydraguard.message",		EVENT_BYTES)
/* clang-format on */

enum event_key {
#define X(key, name, type) EV_##key,
	EVENT_FIELDS(X)
#undef X
		EV_N,
};

struct event_field {
	const char *name;
	enum event_type type;
};
extern const struct event_field event_fields[EV_N];

struct event_value {
	bool set;
	uint64_t number; /* TIME: nanoseconds since 1970; FLAG: 0 or 1 */
	char *bytes;	 /* BYTES, LIST; NUL-terminated beside its length */
	size_t len;
};

struct event {
	struct event_value value[EV_N];
	bool no_memory; /* a value could not be kept; event_json refuses */
};

/* Values are copied. Setting an EV_BYTES field to NULL leaves it as it is. */
void event_set(struct event *ev, enum event_key key, const char *text);
void event_set_bytes(struct event *ev, enum event_key key, const char *bytes, size_t len);
void event_set_number(struct event *ev, enum event_key key, uint64_t number);
void event_setf(struct event *ev, enum event_key key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Appends one text to a list. */
void event_add(struct event *ev, enum event_key key, const char *text, size_t len);
void event_clear(struct event *ev);

static inline bool event_has(const struct event *ev, enum event_key key)
{
	return ev->value[key].set;
}

/* The bytes of a field; "" where it is not set. */
static inline const char *event_text(const struct event *ev, enum event_key key)
{
	return ev->value[key].bytes ? ev->value[key].bytes : "";
}

static inline uint64_t event_number(const struct event *ev, enum event_key key)
{
	return ev->value[key].number;
}

#define _event_ __attribute__((cleanup(event_clear)))

/* Is it about something the agent did (not about hydraguard itself)? */
bool event_is_decision(const struct event *ev);

/* What makes two decisions the same to a reader, to be freed; NULL where it is none, or without
 * memory. */
char *event_kind(const struct event *ev);

/* One JSON object without line feed, to be freed; 0, -ENOMEM. */
int event_to_json(const struct event *ev, char **ret, size_t *ret_len);
/* The reverse: -EBADMSG where the line is not one JSON object or a field has another type. Fields
 * that this version does not know are left out. ret is to be cleared in any case. */
int event_from_json(const char *line, size_t len, struct event *ret);

/* One readable line with its line feed. */
void event_show(FILE *f, const struct event *ev, bool colour);

#endif
