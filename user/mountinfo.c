/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* /proc/self/mountinfo as a table. */
#include <inttypes.h>

#include "mountinfo.h"
#include "util.h"

/* Space, tab, line feed, backslash and # are written as three octal digits (mangle()). */
static char *octal_decode(const char *text, size_t len)
{
	char *out = malloc(len + 1), *to = out;
	size_t i;

	if (!out)
		return NULL;
	for (i = 0; i < len; i++) {
		const char *p = text + i;

		if (*p == '\\' && i + 3 < len && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' &&
		    p[2] <= '7' && p[3] >= '0' && p[3] <= '7') {
			*to++ = (p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0');
			i += 3;
		} else {
			*to++ = *p;
		}
	}
	*to = 0;
	return out;
}

/* The next word of a line; NULL at its end. */
static const char *word_next(const char **p, size_t *ret_len)
{
	const char *word = *p;
	size_t len = strcspn(word, " \n");

	if (!len)
		return NULL;
	*p = word + len + (word[len] == ' ');
	*ret_len = len;
	return word;
}

static int text_next(const char **p, char **ret)
{
	size_t len;
	const char *word = word_next(p, &len);

	if (!word)
		return -EBADMSG;
	*ret = octal_decode(word, len);
	return *ret ? 0 : -ENOMEM;
}

/* Behind the mount options: any number of tags, "-", then the type. */
static int skip_tags(const char **p)
{
	const char *word;
	size_t len;

	do {
		word = word_next(p, &len);
		if (!word)
			return -EBADMSG;
	} while (len != 1 || *word != '-');
	return 0;
}

static int line_parse(const char *p, struct mount_line *m)
{
	const char *options;
	int n = 0, err;
	size_t len;

	if (sscanf(p, "%" SCNu64 " %" SCNu64 " %" SCNu32 ":%" SCNu32 " %n", &m->id, &m->parent,
		   &m->major, &m->minor, &n) != 4 ||
	    !n)
		return -EBADMSG;
	p += n;
	err = text_next(&p, &m->root);
	if (!err)
		err = text_next(&p, &m->path);
	if (err)
		return err;
	options = word_next(&p, &len);
	if (!options || skip_tags(&p))
		return -EBADMSG;
	return text_next(&p, &m->type);
}

int mount_table_parse(const char *text, struct mount_table *ret)
{
	_mount_table_ struct mount_table t = {};
	struct mount_line *more;
	const char *end;
	int err;

	for (; *text; text = end + 1) {
		end = strchr(text, '\n');
		if (!end)
			return -EBADMSG;
		more = reallocarray(t.lines, t.n + 1, sizeof(*t.lines));
		if (!more)
			return -ENOMEM;
		t.lines = more;
		more[t.n] = (struct mount_line){};
		err = line_parse(text, &more[t.n++]);
		if (err)
			return err;
	}
	*ret = t;
	t = (struct mount_table){};
	return 0;
}

void mount_table_clear(struct mount_table *t)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		free(t->lines[i].root);
		free(t->lines[i].path);
		free(t->lines[i].type);
	}
	free(t->lines);
	*t = (struct mount_table){};
}

static int number_compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int candidate_compare(const void *a, const void *b)
{
	const struct mount_line *x = *(const struct mount_line *const *)a;
	const struct mount_line *y = *(const struct mount_line *const *)b;
	int c = number_compare(x->major, y->major);

	c = c ? c : number_compare(x->minor, y->minor);
	c = c ? c : number_compare(strlen(x->root), strlen(y->root));
	/* The line that comes first: new mounts are appended, while ids of mounts that are gone are
	 * given again (mnt_alloc_id), so that the smallest is not the oldest. */
	c = c ? c : number_compare((uintptr_t)x, (uintptr_t)y);
	return c;
}

const struct mount_line **mount_table_candidates(const struct mount_table *t)
{
	const struct mount_line **order = calloc(t->n + 1, sizeof(*order));
	size_t i;

	if (!order)
		return NULL;
	for (i = 0; i < t->n; i++)
		order[i] = &t->lines[i];
	qsort(order, t->n, sizeof(*order), candidate_compare);
	return order;
}

static bool type_is_in(const char *type, const char *const *list)
{
	size_t len = strcspn(type, ".");

	for (; *list; list++)
		if (strlen(*list) == len && !strncmp(type, *list, len))
			return true;
	return false;
}

bool mount_is_nameable(const struct mount_line *m)
{
	/* Those with a home (enum hg_home): the kernel side goes by the type. */
	static const char *const homes[] = {"proc", "sysfs", "devpts", "cgroup2", "bpf", NULL};
	static const char gone[] = "//deleted";
	size_t len = strlen(m->root);

	if (*m->root != '/' || *m->path != '/' || type_is_in(m->type, homes))
		return false;
	return len < sizeof(gone) - 1 || strcmp(m->root + len - (sizeof(gone) - 1), gone);
}

static const struct mount_line *line_by_id(const struct mount_table *t, uint64_t id)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (t->lines[i].id == id)
			return &t->lines[i];
	return NULL;
}

bool mount_may_block(const struct mount_table *t, const struct mount_line *m)
{
	static const char *const waiting[] = {
		"fuse",	    "nfs",  "nfs4",   "cifs",	   "smb3",   "smbfs", "9p",
		"ceph",	    "afs",  "autofs", "glusterfs", "lustre", "gfs2",  "ocfs2",
		"orangefs", "coda", "ncpfs",  "virtiofs",  "beegfs", "gpfs",  NULL};
	size_t steps;

	/* The path to a mount leads over those it lies on. */
	for (steps = 0; m && steps <= t->n; steps++) {
		if (type_is_in(m->type, waiting))
			return true;
		m = m->parent == m->id ? NULL : line_by_id(t, m->parent);
	}
	return false;
}
