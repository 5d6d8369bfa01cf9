/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Numbers and names of superblocks. */
#include <assert.h>
#include <fcntl.h>

#include "../bpf/core/abi.h"
#include "json.h"
#include "paths.h"
#include "places.h"
#include "util.h"

#define PLACES_FILE "places.json"

static const char *const homes[] = {
	[HG_HOME_NONE] = NULL,
	[HG_HOME_PROC] = "/proc",
	[HG_HOME_SYSFS] = "/sys",
	[HG_HOME_DEVPTS] = "/dev/pts",
	[HG_HOME_CGROUP2] = "/sys/fs/cgroup",
	[HG_HOME_BPF] = "/sys/fs/bpf",
};
static_assert(ARRAY_SIZE(homes) == N_HOMES, "one for each enum hg_home");

const char *home_path(uint32_t home)
{
	return home < ARRAY_SIZE(homes) ? homes[home] : NULL;
}

const char *places_path(const struct places *p, uint32_t number)
{
	size_t i;

	if (number < HG_FIRST_PLACE)
		return home_path(number);
	for (i = 0; i < p->n; i++)
		if (p->items[i].number == number)
			return p->items[i].path;
	return NULL;
}

static void place_clear(struct place *p)
{
	size_t i;

	for (i = 0; i < p->n_before; i++) {
		free(p->before[i].root);
		free(p->before[i].path);
	}
	free(p->root);
	free(p->path);
	free(p->type);
}

void places_clear_missing(struct places *p)
{
	size_t i;

	for (i = 0; i < p->n_missing; i++) {
		free(p->missing[i].path);
		free(p->missing[i].type);
		free(p->missing[i].why);
	}
	free(p->missing);
	p->missing = NULL;
	p->n_missing = 0;
}

void places_clear(struct places *p)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		place_clear(&p->items[i]);
	free(p->items);
	places_clear_missing(p);
	*p = (struct places){};
}

/* Room for one more, zeroed. */
static struct place *place_new(struct places *p)
{
	struct place *more = reallocarray(p->items, p->n + 1, sizeof(*p->items));

	if (!more)
		return NULL;
	p->items = more;
	more[p->n] = (struct place){};
	return &more[p->n];
}

struct place *places_add(struct places *p, uint32_t major, uint32_t minor, const char *root,
			 const char *path, const char *type)
{
	struct place *place = place_new(p);

	if (!place || p->next == UINT32_MAX)
		return NULL;
	place->number = p->next < HG_FIRST_PLACE ? HG_FIRST_PLACE : p->next;
	place->major = major;
	place->minor = minor;
	place->root = strdup(root);
	place->path = strdup(path);
	place->type = strdup(type);
	if (!place->root || !place->path || !place->type) {
		place_clear(place);
		return NULL;
	}
	p->next = place->number + 1;
	p->n++;
	return place;
}

void places_remove(struct places *p, size_t i)
{
	place_clear(&p->items[i]);
	p->n--;
	memmove(&p->items[i], &p->items[i + 1], (p->n - i) * sizeof(*p->items));
}

bool place_add_before(struct place *place, const char *root, const char *path)
{
	struct place_before *b = &place->before[place->n_before];

	if (place->n_before == HG_PARTS_MAX)
		return true;
	*b = (struct place_before){strdup(root), strdup(path)};
	place->n_before++;
	return b->root && b->path;
}

int places_add_missing(struct places *p, const char *path, const char *type, const char *why)
{
	struct unplaced *more, u;

	more = reallocarray(p->missing, p->n_missing + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	p->missing = more;
	u = (struct unplaced){strdup(path), strdup(type), strdup(why)};
	if (!u.path || !u.type || !u.why) {
		free(u.path);
		free(u.type);
		free(u.why);
		return -ENOMEM;
	}
	more[p->n_missing++] = u;
	return 0;
}

/* Not of an older version's. */
static int place_fill_before(struct json_object *o, struct place *place)
{
	struct json_object *list;
	size_t i;
	int err;

	err = json_get_array(o, "before", &list);
	for (i = 0; !err && i < json_object_array_length(list); i++) {
		struct json_object *b = json_object_array_get_idx(list, i);
		_free_ char *root = NULL, *path = NULL;

		if ((err = json_get_text(b, "root", &root)) ||
		    (err = json_get_text(b, "path", &path)))
			return err;
		if (!place_add_before(place, root, path))
			return -ENOMEM;
	}
	return err == -ENOENT ? 0 : err;
}

static int place_fill(struct json_object *o, struct places *p)
{
	struct place *place = place_new(p);
	int err;

	if (!place)
		return -ENOMEM;
	p->n++;
	if ((err = json_get_u32(o, "number", &place->number)) ||
	    (err = json_get_u32(o, "major", &place->major)) ||
	    (err = json_get_u32(o, "minor", &place->minor)) ||
	    (err = json_get_text(o, "root", &place->root)) ||
	    (err = json_get_text(o, "path", &place->path)) ||
	    (err = json_get_text(o, "type", &place->type)) ||
	    (err = place_fill_before(o, place)))
		return err;
	if (place->number < HG_FIRST_PLACE || place->number >= p->next || *place->path != '/')
		return -EBADMSG;
	return 0;
}

static int missing_fill(struct json_object *o, struct places *p)
{
	_free_ char *path = NULL, *type = NULL, *why = NULL;
	int err;

	if ((err = json_get_text(o, "path", &path)) || (err = json_get_text(o, "type", &type)) ||
	    (err = json_get_text(o, "why", &why)))
		return err;
	return places_add_missing(p, path, type, why);
}

static int list_fill(struct json_object *o, const char *key, struct places *p,
		     int (*fill)(struct json_object *o, struct places *p))
{
	struct json_object *list;
	size_t i;
	int err;

	err = json_get_array(o, key, &list);
	for (i = 0; !err && i < json_object_array_length(list); i++)
		err = fill(json_object_array_get_idx(list, i), p);
	return err;
}

int places_read(struct places *ret)
{
	_close_ int dir = open(HG_RUN_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_json_ struct json_object *o = NULL;
	_places_ struct places p = {};
	int err;

	*ret = (struct places){.next = HG_FIRST_PLACE};
	if (dir < 0)
		return errno == ENOENT ? 0 : -errno;
	err = json_read_file(dir, PLACES_FILE, &o);
	if (err)
		return err == -ENOENT ? 0 : err;
	if ((err = json_get_u32(o, "next", &p.next)) ||
	    (err = list_fill(o, "places", &p, place_fill)) ||
	    (err = list_fill(o, "missing", &p, missing_fill)))
		return err == -ENOENT ? -EBADMSG : err;
	*ret = p;
	p = (struct places){};
	return 0;
}

static struct json_object *before_json(const struct place_before *b, int *err)
{
	struct json_object *o = json_object_new_object();

	json_add_text(o, "root", b->root, err);
	json_add_text(o, "path", b->path, err);
	return o;
}

static struct json_object *place_json(const struct place *place, int *err)
{
	struct json_object *o = json_object_new_object();
	struct json_object *before = json_object_new_array();
	size_t i;

	json_add_u64(o, "number", place->number, err);
	json_add_u64(o, "major", place->major, err);
	json_add_u64(o, "minor", place->minor, err);
	json_add_text(o, "root", place->root, err);
	json_add_text(o, "path", place->path, err);
	json_add_text(o, "type", place->type, err);
	json_add(o, "before", before, err);
	for (i = 0; !*err && i < place->n_before; i++)
		json_append(before, before_json(&place->before[i], err), err);
	return o;
}

static struct json_object *missing_json(const struct unplaced *u, int *err)
{
	struct json_object *o = json_object_new_object();

	json_add_text(o, "path", u->path, err);
	json_add_text(o, "type", u->type, err);
	json_add_text(o, "why", u->why, err);
	return o;
}

int places_write(const struct places *p)
{
	_close_ int dir = open(HG_RUN_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_json_ struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();
	struct json_object *missing = json_object_new_array();
	int err = dir < 0 ? -errno : o ? 0 : -ENOMEM;
	size_t i;

	json_add_u64(o, "next", p->next, &err);
	json_add(o, "places", list, &err);
	json_add(o, "missing", missing, &err);
	for (i = 0; !err && i < p->n; i++)
		json_append(list, place_json(&p->items[i], &err), &err);
	for (i = 0; !err && i < p->n_missing; i++)
		json_append(missing, missing_json(&p->missing[i], &err), &err);
	return err ? err : json_write_file(dir, PLACES_FILE, o);
}
