/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An event's fields. */
#include <inttypes.h>
#include <stdarg.h>

#include "event.h"
#include "util.h"

const struct event_field event_fields[EV_N] = {
#define X(key, name, type) [EV_##key] = {name, type},
	EVENT_FIELDS(X)
#undef X
};

void event_set_bytes(struct event *ev, enum event_key key, const char *bytes, size_t len)
{
	struct event_value *v = &ev->value[key];
	char *copy = malloc(len + 1);

	if (!copy) {
		ev->no_memory = true;
		return;
	}
	memcpy(copy, bytes, len);
	copy[len] = 0;
	free(v->bytes);
	v->bytes = copy;
	v->len = len;
	v->set = true;
}

void event_set(struct event *ev, enum event_key key, const char *text)
{
	if (text)
		event_set_bytes(ev, key, text, strlen(text));
}

void event_set_number(struct event *ev, enum event_key key, uint64_t number)
{
	ev->value[key].number = number;
	ev->value[key].set = true;
}

void event_setf(struct event *ev, enum event_key key, const char *fmt, ...)
{
	_free_ char *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0) {
		text = NULL;
		ev->no_memory = true;
	}
	va_end(args);
	event_set(ev, key, text);
}

void event_add(struct event *ev, enum event_key key, const char *text, size_t len)
{
	struct event_value *v = &ev->value[key];
	char *more = realloc(v->bytes, v->len + len + 2);

	if (!more) {
		ev->no_memory = true;
		return;
	}
	v->bytes = more;
	memcpy(more + v->len, text, len);
	v->len += len + 1;
	more[v->len - 1] = 0;
	more[v->len] = 0;
	v->set = true;
}

void event_clear(struct event *ev)
{
	unsigned int i;

	for (i = 0; i < EV_N; i++)
		free(ev->value[i].bytes);
	memset(ev, 0, sizeof(*ev));
}

bool event_is_decision(const struct event *ev)
{
	return event_has(ev, EV_VERDICT);
}

char *event_kind(const struct event *ev)
{
	static const enum event_key keys[] = {EV_EVENT,	 EV_UID,     EV_VERDICT, EV_ACTION,
					      EV_PATH,	 EV_TARGET,  EV_ADDRESS, EV_TRANSPORT,
					      EV_FAMILY, EV_COMMAND, EV_REASON,	 EV_RULE_AT,
					      EV_DNS_NAME, EV_DNS_TYPE, EV_SAID_NAME, EV_SCRIPT};
	char *kind = NULL;
	size_t i, len;
	FILE *f;

	if (!event_is_decision(ev))
		return NULL;
	f = open_memstream(&kind, &len);
	if (!f)
		return NULL;
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		fprintf(f, "%s|", event_text(ev, keys[i]));
	fprintf(f, "%" PRIu64, event_number(ev, EV_PORT));
	if (fclose(f)) {
		free(kind);
		return NULL;
	}
	return kind;
}
