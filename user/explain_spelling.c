/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What `explain` says where a name has other spellings: there the kernel side does not go by names
 * (bpf/place.h, chain_spelled()). */
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include "explain.h"
#include "util.h"
#include "../policy/image.h"

/* Does the directory take other spellings of its names? Where it cannot be asked, it does not. */
static bool directory_respells(const char *path)
{
	_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int flags = 0;

	return fd >= 0 && !ioctl(fd, FS_IOC_GETFLAGS, &flags) && (flags & FS_CASEFOLD_FL);
}

/* The outermost folder above `path` that does, *ret; NULL: none. */
static int folder_respelling(const struct question *q, const char *path, char **ret)
{
	const struct mount_name *mount = mount_names_find(&q->p->mounts, path);
	_free_ char *at = strdup(path);
	const char *rest;
	char *slash;

	*ret = NULL;
	if (!at)
		return -ENOMEM;
	for (slash = strchr(at + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if ((mount && mount->respelled && path_is_in(at, mount->path, &rest)) ||
		    directory_respells(at)) {
			*ret = take(at);
			return 0;
		}
		*slash = '/';
	}
	return 0;
}

int explain_respelled(const struct question *q, struct answer *a)
{
	_free_ char *folder = NULL;
	struct hg_dir dir;
	uint16_t at, row;
	int err;

	err = q->no_resolve ? 0 : folder_respelling(q, a->named, &folder);
	if (err || !folder)
		return err;
	err = image_path_at(q->p->image, folder, strlen(folder), &at, &row);
	if (err)
		return err;
	if (!image_dir(q->p->image, at, &dir))
		return -EBADMSG;
	a->out = (struct hg_out){.allow = dir.all_allow};
	memset(a->out.rule, 0xff, sizeof(a->out.rule));
	a->n_rules = 0;
	a->respelled = true;
	return 0;
}
