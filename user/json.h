/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reading and writing JSON strictly: a value of another type than expected is -EBADMSG. */
#ifndef HG_JSON_H
#define HG_JSON_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#define JSON_LINE (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
#define JSON_PAGE                                                                                  \
	(JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE)

static inline void cleanup_jsonp(struct json_object **o)
{
	json_object_put(*o);
}
#define _json_ __attribute__((cleanup(cleanup_jsonp)))

/* One value and nothing behind it; -EBADMSG, -ENOMEM. */
int json_parse(const char *text, size_t len, struct json_object **ret);

/* A file of at most 64 MiB; -errno of reading, -EBADMSG. */
int json_read_file(int dir, const char *name, struct json_object **ret);
/* Replaces the file in one step. */
int json_write_file(int dir, const char *name, struct json_object *o);

/* Members of an object. -ENOENT: absent or null; -EBADMSG: another type or out of range. */
int json_get_text(struct json_object *o, const char *key, char **ret);
int json_get_u64(struct json_object *o, const char *key, uint64_t max, uint64_t *ret);
int json_get_u32(struct json_object *o, const char *key, uint32_t *ret);
int json_get_flag(struct json_object *o, const char *key, bool *ret);
int json_get_array(struct json_object *o, const char *key, struct json_object **ret);

/*
 * Adding members: a failure to allocate is remembered in *err (0 before) and makes later calls do
 * nothing. NULL text adds nothing.
 */
void json_add(struct json_object *o, const char *key, struct json_object *value, int *err);
void json_add_text(struct json_object *o, const char *key, const char *text, int *err);
void json_add_u64(struct json_object *o, const char *key, uint64_t n, int *err);
void json_add_flag(struct json_object *o, const char *key, bool flag, int *err);
/* Appends to an array. */
void json_append(struct json_object *array, struct json_object *value, int *err);

/* Prints to standard output, as a page. -EIO. */
int json_print(struct json_object *o);

#endif
