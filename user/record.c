/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The files that say which agents there are. */
#include <fcntl.h>
#include <sys/stat.h>

#include "../bpf/core/limits.h"
#include "json.h"
#include "log.h"
#include "record.h"
#include "util.h"

#define AGENT_FILE "agent.json"
#define PATH_LEN   (AGENT_NAME_MAX + 64)

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.';
}

bool agent_name_ok(const char *name)
{
	size_t len = strlen(name), i;

	if (!len || len > AGENT_NAME_MAX || *name == '.' || *name == '-')
		return false;
	for (i = 0; i < len; i++)
		if (!name_char(name[i]))
			return false;
	return true;
}

void agent_name_from(const char *text, char *buf)
{
	size_t i;

	for (i = 0; text[i] && i < AGENT_NAME_MAX; i++)
		buf[i] = name_char(text[i]) ? text[i] : '-';
	buf[i] = 0;
	if (!i || *buf == '.' || *buf == '-') {
		*buf = 'a';
		buf[i ? i : 1] = 0;
	}
}

void agent_record_clear(struct agent_record *a)
{
	free(a->name);
	free(a->cgroup);
	free(a->policy_file);
	free(a->cwd);
	free(a->home);
	free(a->workspace);
	free(a->policy_name);
	memset(a, 0, sizeof(*a));
}

void generation_clear(struct generation_record *g)
{
	size_t i;

	for (i = 0; i < g->n_rules; i++) {
		free(g->rules[i].file);
		free(g->rules[i].text);
	}
	free(g->rules);
	free(g->policy_name);
	memset(g, 0, sizeof(*g));
}

static int optional(int err)
{
	return err == -ENOENT ? 0 : err;
}

static int agent_fill(struct json_object *o, struct agent_record *a)
{
	int err;

	if ((err = json_get_text(o, "name", &a->name)) ||
	    (err = json_get_u32(o, "number", &a->number)) ||
	    (err = json_get_u64(o, "uid", UINT64_MAX, &a->uid)) ||
	    (err = json_get_text(o, "cgroup", &a->cgroup)) ||
	    (err = json_get_u64(o, "cgroup_id", UINT64_MAX, &a->cgroup_id)) ||
	    (err = json_get_flag(o, "made_cgroup", &a->made_cgroup)) ||
	    (err = json_get_text(o, "policy_file", &a->policy_file)) ||
	    (err = json_get_text(o, "cwd", &a->cwd)) ||
	    (err = optional(json_get_text(o, "home", &a->home))) ||
	    (err = optional(json_get_text(o, "workspace", &a->workspace))) ||
	    (err = json_get_text(o, "policy_name", &a->policy_name)) ||
	    (err = json_get_u32(o, "generation", &a->generation)) ||
	    (err = json_get_u64(o, "mounts", UINT64_MAX, &a->mounts)) ||
	    (err = json_get_u64(o, "sources", UINT64_MAX, &a->sources)) ||
	    (err = json_get_u64(o, "attached", UINT64_MAX, &a->attached)) ||
	    (err = json_get_u64(o, "retired_hits", UINT64_MAX, &a->retired_hits)))
		return err == -ENOENT ? -EBADMSG : err;
	return 0;
}

int agent_record_read(int dir, const char *name, struct agent_record *ret)
{
	_json_ struct json_object *o = NULL;
	_record_ struct agent_record a = {};
	char path[PATH_LEN];
	int err;

	if (!agent_name_ok(name))
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/" AGENT_FILE, name);
	err = json_read_file(dir, path, &o);
	if (err)
		return err;
	err = agent_fill(o, &a);
	if (err)
		return err;
	if (strcmp(a.name, name) || !a.number || a.number >= HG_AGENTS_MAX || !a.uid ||
	    *a.cgroup != '/')
		return -EBADMSG;
	*ret = a;
	a = (struct agent_record){};
	return 0;
}

int agent_record_write(int dir, const struct agent_record *a)
{
	_json_ struct json_object *o = json_object_new_object();
	_close_ int sub = -1;
	int err = o ? 0 : -ENOMEM;

	json_add_text(o, "name", a->name, &err);
	json_add_u64(o, "number", a->number, &err);
	json_add_u64(o, "uid", a->uid, &err);
	json_add_text(o, "cgroup", a->cgroup, &err);
	json_add_u64(o, "cgroup_id", a->cgroup_id, &err);
	json_add_flag(o, "made_cgroup", a->made_cgroup, &err);
	json_add_text(o, "policy_file", a->policy_file, &err);
	json_add_text(o, "cwd", a->cwd, &err);
	json_add_text(o, "home", a->home, &err);
	json_add_text(o, "workspace", a->workspace, &err);
	json_add_text(o, "policy_name", a->policy_name, &err);
	json_add_u64(o, "generation", a->generation, &err);
	json_add_u64(o, "mounts", a->mounts, &err);
	json_add_u64(o, "sources", a->sources, &err);
	json_add_u64(o, "attached", a->attached, &err);
	json_add_u64(o, "retired_hits", a->retired_hits, &err);
	if (err)
		return err;
	if (mkdirat(dir, a->name, 0700) && errno != EEXIST)
		return -errno;
	sub = openat(dir, a->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (sub < 0)
		return -errno;
	return json_write_file(sub, AGENT_FILE, o);
}

static void generation_path(char *buf, const char *name, uint32_t generation)
{
	if (name)
		snprintf(buf, PATH_LEN, "%s/generation-%u.json", name, generation);
	else
		snprintf(buf, PATH_LEN, "generation-%u.json", generation);
}

static int rules_fill(struct json_object *list, struct generation_record *g)
{
	size_t n = json_object_array_length(list), i;
	struct json_object *item;
	int err;

	if (n > HG_RULES_MAX)
		return -EBADMSG;
	g->rules = calloc(n ? n : 1, sizeof(*g->rules));
	if (!g->rules)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		g->n_rules = i + 1;
		item = json_object_array_get_idx(list, i);
		if ((err = json_get_text(item, "file", &g->rules[i].file)) ||
		    (err = json_get_text(item, "text", &g->rules[i].text)) ||
		    (err = json_get_u32(item, "line", &g->rules[i].line)))
			return err == -ENOENT ? -EBADMSG : err;
	}
	return 0;
}

int generation_read(int dir, const char *name, uint32_t generation, struct generation_record *ret)
{
	_json_ struct json_object *o = NULL;
	_generation_ struct generation_record g = {};
	struct json_object *list;
	char path[PATH_LEN];
	int err;

	if (!agent_name_ok(name))
		return -ENOENT;
	generation_path(path, name, generation);
	err = json_read_file(dir, path, &o);
	if (err)
		return err;
	if ((err = json_get_u32(o, "generation", &g.generation)) ||
	    (err = json_get_u64(o, "image", UINT64_MAX, &g.image)) ||
	    (err = json_get_text(o, "policy_name", &g.policy_name)) ||
	    (err = json_get_u32(o, "mode", &g.mode)) || (err = json_get_array(o, "rules", &list)) ||
	    (err = rules_fill(list, &g)))
		return err == -ENOENT ? -EBADMSG : err;
	if (g.generation != generation)
		return -EBADMSG;
	*ret = g;
	g = (struct generation_record){};
	return 0;
}

static struct json_object *rule_new(const struct rule_record *rule, int *err)
{
	struct json_object *o = json_object_new_object();

	json_add_text(o, "file", rule->file, err);
	json_add_u64(o, "line", rule->line, err);
	json_add_text(o, "text", rule->text, err);
	return o;
}

int generation_write(int dir, const char *name, const struct generation_record *g)
{
	_json_ struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();
	_close_ int sub = -1;
	char file[PATH_LEN];
	int err = o ? 0 : -ENOMEM;
	size_t i;

	json_add_u64(o, "generation", g->generation, &err);
	json_add_u64(o, "image", g->image, &err);
	json_add_text(o, "policy_name", g->policy_name, &err);
	json_add_u64(o, "mode", g->mode, &err);
	json_add(o, "rules", list, &err);
	for (i = 0; i < g->n_rules && !err; i++)
		json_append(list, rule_new(&g->rules[i], &err), &err);
	if (err)
		return err;
	if (mkdirat(dir, name, 0700) && errno != EEXIST)
		return -errno;
	sub = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (sub < 0)
		return -errno;
	generation_path(file, NULL, g->generation);
	return json_write_file(sub, file, o);
}

int generation_remove(int dir, const char *name, uint32_t generation)
{
	char path[PATH_LEN];

	generation_path(path, name, generation);
	return unlinkat(dir, path, 0) && errno != ENOENT ? -errno : 0;
}

static int number_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

int generations_list(int dir, const char *name, uint32_t **ret, size_t *ret_n)
{
	_closedir_ DIR *d = NULL;
	_free_ uint32_t *numbers = NULL;
	struct dirent *entry;
	size_t n = 0;
	uint32_t *more;
	int fd, end;

	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	d = fdopendir(fd);
	if (!d) {
		close(fd);
		return -ENOMEM;
	}
	while ((entry = readdir(d))) {
		more = reallocarray(numbers, n + 1, sizeof(*numbers));
		if (!more)
			return -ENOMEM;
		numbers = more;
		end = 0;
		if (sscanf(entry->d_name, "generation-%u.json%n", &numbers[n], &end) == 1 && end &&
		    !entry->d_name[end])
			n++;
	}
	if (n)
		qsort(numbers, n, sizeof(*numbers), number_compare);
	*ret = take(numbers);
	*ret_n = n;
	return 0;
}

static int record_compare(const void *a, const void *b)
{
	const struct agent_record *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int records_add_broken(struct records *r, const char *name)
{
	char **more = reallocarray(r->broken, r->n_broken + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	r->broken = more;
	more[r->n_broken] = strdup(name);
	if (!more[r->n_broken])
		return -ENOMEM;
	r->n_broken++;
	return 0;
}

void records_tell_broken(const struct records *r)
{
	size_t i;

	for (i = 0; i < r->n_broken; i++)
		log_error("agent %s: its record (/run/hydraguard/agents/%s/" AGENT_FILE
			  ") is damaged; "
			  "it stays confined, and `hydraguard unload --force` starts afresh",
			  r->broken[i], r->broken[i]);
}

static int records_add(int dir, const char *name, struct records *r)
{
	struct agent_record *more;
	int err;

	more = reallocarray(r->items, r->n + 1, sizeof(*r->items));
	if (!more)
		return -ENOMEM;
	r->items = more;
	memset(&more[r->n], 0, sizeof(*more));
	err = agent_record_read(dir, name, &more[r->n]);
	if (err == -ENOMEM)
		return err;
	if (!err)
		r->n++;
	/* Without the file it is just being made or removed, or was given up halfway. */
	else if (err != -ENOENT)
		return records_add_broken(r, name);
	return 0;
}

int records_read(int dir, struct records *ret)
{
	_records_ struct records r = {};
	_closedir_ DIR *d = NULL;
	struct dirent *entry;
	int fd, err;

	*ret = (struct records){};
	if (dir < 0)
		return 0;
	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	d = fdopendir(fd);
	if (!d) {
		close(fd);
		return -ENOMEM;
	}
	while ((entry = readdir(d))) {
		if (*entry->d_name == '.' || !agent_name_ok(entry->d_name))
			continue;
		err = records_add(dir, entry->d_name, &r);
		if (err)
			return err;
	}
	if (r.n)
		qsort(r.items, r.n, sizeof(*r.items), record_compare);
	*ret = r;
	r = (struct records){};
	return 0;
}

void records_clear(struct records *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		agent_record_clear(&r->items[i]);
	for (i = 0; i < r->n_broken; i++)
		free(r->broken[i]);
	free(r->broken);
	free(r->items);
	memset(r, 0, sizeof(*r));
}

struct agent_record *records_find(const struct records *r, const char *name)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (!strcmp(r->items[i].name, name))
			return &r->items[i];
	return NULL;
}

bool records_taken(const struct records *r, const char *name)
{
	size_t i;

	for (i = 0; i < r->n_broken; i++)
		if (!strcmp(r->broken[i], name))
			return true;
	return records_find(r, name);
}
