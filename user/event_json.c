/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Events as JSON and back. What is not UTF-8 becomes U+FFFD beside a sibling KEY_b64 with the exact
 * bytes, so that a line is always valid JSON (RFC 8259) and nothing is lost.
 */
#include <json-c/json.h>

#include "event.h"
#include "json.h"
#include "text.h"
#include "util.h"

#define NAME_MAX_LEN 64

/* The object that holds the last word of a dotted name, made where absent; *ret_word: that word. */
static struct json_object *json_parent(struct json_object *root, const char *name,
				       const char **ret_word)
{
	struct json_object *child;
	char word[NAME_MAX_LEN];
	const char *dot;

	while ((dot = strchr(name, '.'))) {
		memcpy(word, name, dot - name);
		word[dot - name] = 0;
		if (!json_object_object_get_ex(root, word, &child)) {
			child = json_object_new_object();
			if (!child || json_object_object_add(root, word, child))
				return NULL;
		}
		root = child;
		name = dot + 1;
	}
	*ret_word = name;
	return root;
}

static int json_put(struct json_object *to, const char *word, struct json_object *value)
{
	if (!value)
		return -ENOMEM;
	if (json_object_object_add(to, word, value)) {
		json_object_put(value);
		return -ENOMEM;
	}
	return 0;
}

static struct json_object *json_text_new(const char *bytes, size_t len)
{
	_free_ char *repaired = utf8_repair(bytes, len, &len);

	return repaired ? json_object_new_string_len(repaired, len) : NULL;
}

static int put_bytes(struct json_object *to, const char *word, const struct event_value *v)
{
	char sibling[NAME_MAX_LEN + 8];
	_free_ char *exact = NULL;
	int err;

	err = json_put(to, word, json_text_new(v->bytes, v->len));
	if (err || utf8_valid(v->bytes, v->len))
		return err;
	exact = base64_encode(v->bytes, v->len);
	if (!exact)
		return -ENOMEM;
	snprintf(sibling, sizeof(sibling), "%s_b64", word);
	return json_put(to, sibling, json_object_new_string(exact));
}

static int put_list(struct json_object *to, const char *word, const struct event_value *v)
{
	struct json_object *list = json_object_new_array();
	const char *p = v->bytes, *end = p + v->len;

	if (json_put(to, word, list))
		return -ENOMEM;
	for (; p < end; p += strlen(p) + 1)
		if (json_object_array_add(list, json_text_new(p, strlen(p))))
			return -ENOMEM;
	return 0;
}

static int put_time(struct json_object *to, const char *word, uint64_t ns)
{
	char text[TIME_TEXT_LEN + 1];

	time_text(ns, text);
	return json_put(to, word, json_object_new_string(text));
}

static int put_field(struct json_object *root, const struct event_field *field,
		     const struct event_value *v)
{
	const char *word;
	struct json_object *to = json_parent(root, field->name, &word);

	if (!to)
		return -ENOMEM;
	switch (field->type) {
	case EVENT_TIME:
		return put_time(to, word, v->number);
	case EVENT_NUMBER:
		return json_put(to, word, json_object_new_uint64(v->number));
	case EVENT_FLAG:
		return json_put(to, word, json_object_new_boolean(v->number));
	case EVENT_BYTES:
		return put_bytes(to, word, v);
	case EVENT_LIST:
		return put_list(to, word, v);
	}
	return -EINVAL;
}

int event_to_json(const struct event *ev, char **ret, size_t *ret_len)
{
	_json_ struct json_object *root = json_object_new_object();
	const char *text;
	unsigned int i;
	int err;

	if (!root || ev->no_memory)
		return -ENOMEM;
	for (i = 0; i < EV_N; i++) {
		if (!ev->value[i].set)
			continue;
		err = put_field(root, &event_fields[i], &ev->value[i]);
		if (err)
			return err;
	}
	text = json_object_to_json_string_length(root, JSON_LINE, ret_len);
	*ret = text ? strdup(text) : NULL;
	return *ret ? 0 : -ENOMEM;
}

/* The value at a dotted name; NULL: absent. */
static struct json_object *json_at(struct json_object *root, const char *name, const char *suffix)
{
	char word[NAME_MAX_LEN + 8];
	const char *dot;

	for (;; name = dot + 1) {
		dot = strchr(name, '.');
		if (dot)
			snprintf(word, sizeof(word), "%.*s", (int)(dot - name), name);
		else
			snprintf(word, sizeof(word), "%s%s", name, suffix);
		if (!json_object_is_type(root, json_type_object) ||
		    !json_object_object_get_ex(root, word, &root))
			return NULL;
		if (!dot)
			return root;
	}
}

static int get_bytes(struct json_object *root, const char *name, struct json_object *value,
		     struct event *ev, enum event_key key)
{
	struct json_object *exact = json_at(root, name, "_b64");
	_free_ char *bytes = NULL;
	size_t len;
	int err;

	if (!json_object_is_type(value, json_type_string))
		return -EBADMSG;
	if (!exact) {
		event_set_bytes(ev, key, json_object_get_string(value),
				json_object_get_string_len(value));
		return 0;
	}
	if (!json_object_is_type(exact, json_type_string))
		return -EBADMSG;
	err = base64_decode(json_object_get_string(exact), &bytes, &len);
	if (err)
		return err == -ENOMEM ? err : -EBADMSG;
	event_set_bytes(ev, key, bytes, len);
	return 0;
}

static int get_list(struct json_object *value, struct event *ev, enum event_key key)
{
	struct json_object *item;
	size_t i;

	if (!json_object_is_type(value, json_type_array))
		return -EBADMSG;
	for (i = 0; i < json_object_array_length(value); i++) {
		item = json_object_array_get_idx(value, i);
		if (!json_object_is_type(item, json_type_string))
			return -EBADMSG;
		event_add(ev, key, json_object_get_string(item), json_object_get_string_len(item));
	}
	return 0;
}

static int get_time(struct json_object *value, struct event *ev, enum event_key key)
{
	uint64_t ns;

	if (!json_object_is_type(value, json_type_string) ||
	    time_parse(json_object_get_string(value), &ns))
		return -EBADMSG;
	event_set_number(ev, key, ns);
	return 0;
}

static int get_field(struct json_object *root, enum event_key key, struct event *ev)
{
	const struct event_field *field = &event_fields[key];
	struct json_object *value = json_at(root, field->name, "");

	if (!value)
		return 0;
	switch (field->type) {
	case EVENT_TIME:
		return get_time(value, ev, key);
	case EVENT_NUMBER:
		if (!json_object_is_type(value, json_type_int))
			return -EBADMSG;
		event_set_number(ev, key, json_object_get_uint64(value));
		return 0;
	case EVENT_FLAG:
		if (!json_object_is_type(value, json_type_boolean))
			return -EBADMSG;
		event_set_number(ev, key, json_object_get_boolean(value));
		return 0;
	case EVENT_BYTES:
		return get_bytes(root, field->name, value, ev, key);
	case EVENT_LIST:
		return get_list(value, ev, key);
	}
	return -EBADMSG;
}

int event_from_json(const char *line, size_t len, struct event *ret)
{
	_json_ struct json_object *root = NULL;
	unsigned int i;
	int err;

	err = json_parse(line, len, &root);
	if (err)
		return err;
	if (!json_object_is_type(root, json_type_object))
		return -EBADMSG;
	for (i = 0; i < EV_N; i++) {
		err = get_field(root, i, ret);
		if (err)
			return err;
	}
	return ret->no_memory ? -ENOMEM : 0;
}
