/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reading and writing JSON strictly. */
#include "json.h"
#include "text.h"
#include "util.h"

#define FILE_MAX  (64u * 1024 * 1024)
#define DEPTH_MAX 16

int json_parse(const char *text, size_t len, struct json_object **ret)
{
	struct json_tokener *tok = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *o;
	size_t used;
	int err = 0;

	if (!tok)
		return -ENOMEM;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
	if (len > INT32_MAX - 1) {
		json_tokener_free(tok);
		return -EBADMSG;
	}
	/* The terminating NUL ends a bare number. */
	o = json_tokener_parse_ex(tok, text, len + 1);
	used = json_tokener_get_parse_end(tok);
	if (json_tokener_get_error(tok) != json_tokener_success)
		err = -EBADMSG;
	while (!err && used < len && strchr(" \t\r\n", text[used]) && text[used])
		used++;
	if (!err && used < len)
		err = -EBADMSG;
	json_tokener_free(tok);
	if (err) {
		json_object_put(o);
		return err;
	}
	*ret = o;
	return 0;
}

int json_read_file(int dir, const char *name, struct json_object **ret)
{
	_free_ char *text = NULL;
	size_t len;
	int err;

	err = read_file(dir, name, FILE_MAX, &text, &len);
	if (err)
		return err;
	return json_parse(text, len, ret);
}

int json_write_file(int dir, const char *name, struct json_object *o)
{
	_free_ char *line = NULL;
	const char *text;
	size_t len;

	text = json_object_to_json_string_length(o, JSON_PAGE, &len);
	if (!text)
		return -ENOMEM;
	line = malloc(len + 1);
	if (!line)
		return -ENOMEM;
	memcpy(line, text, len);
	line[len] = '\n';
	return write_file(dir, name, line, len + 1);
}

static int json_get(struct json_object *o, const char *key, enum json_type type,
		    struct json_object **ret)
{
	if (!json_object_is_type(o, json_type_object))
		return -EBADMSG;
	if (!json_object_object_get_ex(o, key, ret) || !*ret)
		return -ENOENT;
	return json_object_is_type(*ret, type) ? 0 : -EBADMSG;
}

int json_get_text(struct json_object *o, const char *key, char **ret)
{
	struct json_object *value;
	int err = json_get(o, key, json_type_string, &value);

	if (err)
		return err;
	if (strlen(json_object_get_string(value)) != (size_t)json_object_get_string_len(value))
		return -EBADMSG;
	*ret = strdup(json_object_get_string(value));
	return *ret ? 0 : -ENOMEM;
}

int json_get_u64(struct json_object *o, const char *key, uint64_t max, uint64_t *ret)
{
	struct json_object *value;
	int err = json_get(o, key, json_type_int, &value);
	uint64_t n;

	if (err)
		return err;
	/* json-c gives 0 for what is negative. */
	n = json_object_get_uint64(value);
	if (n > max || (!n && json_object_get_int64(value)))
		return -EBADMSG;
	*ret = n;
	return 0;
}

int json_get_u32(struct json_object *o, const char *key, uint32_t *ret)
{
	uint64_t n;
	int err = json_get_u64(o, key, UINT32_MAX, &n);

	if (!err)
		*ret = n;
	return err;
}

int json_get_flag(struct json_object *o, const char *key, bool *ret)
{
	struct json_object *value;
	int err = json_get(o, key, json_type_boolean, &value);

	if (!err)
		*ret = json_object_get_boolean(value);
	return err;
}

int json_get_array(struct json_object *o, const char *key, struct json_object **ret)
{
	return json_get(o, key, json_type_array, ret);
}

void json_add(struct json_object *o, const char *key, struct json_object *value, int *err)
{
	if (!value || !o)
		*err = -ENOMEM;
	if (!*err && json_object_object_add(o, key, value))
		*err = -ENOMEM;
	if (*err)
		json_object_put(value);
}

void json_add_text(struct json_object *o, const char *key, const char *text, int *err)
{
	if (text)
		json_add(o, key, json_object_new_string(text), err);
}

void json_add_u64(struct json_object *o, const char *key, uint64_t n, int *err)
{
	json_add(o, key, json_object_new_uint64(n), err);
}

void json_add_flag(struct json_object *o, const char *key, bool flag, int *err)
{
	json_add(o, key, json_object_new_boolean(flag), err);
}

void json_append(struct json_object *array, struct json_object *value, int *err)
{
	if (!value || !array)
		*err = -ENOMEM;
	if (!*err && json_object_array_add(array, value))
		*err = -ENOMEM;
	if (*err)
		json_object_put(value);
}

/* Strings from the state may hold any bytes; what is printed must be valid JSON. */
int json_print(struct json_object *o)
{
	_free_ char *repaired = NULL;
	const char *text;
	size_t len;

	text = json_object_to_json_string_length(o, JSON_PAGE, &len);
	if (!text)
		return -ENOMEM;
	repaired = utf8_repair(text, len, &len);
	if (!repaired)
		return -ENOMEM;
	if (fwrite(repaired, 1, len, stdout) != len || fputc('\n', stdout) == EOF || fflush(stdout))
		return -EIO;
	return 0;
}
