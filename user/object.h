/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The kernel side's object file, carried in the binary. */
#ifndef HG_OBJECT_H
#define HG_OBJECT_H

#include <stddef.h>
#include <stdint.h>

#include "compat.h"

struct bpf_object;

/* Opens it, not yet loaded. Tells why. */
int object_open(struct bpf_object **ret);

/* A name for this very build: a hash of the object, as 16 hexadecimal digits and a NUL. */
void object_build(char *buf);

/* Where a variable lies in .bss or .rodata (section without the dot's prefix, e.g. ".bss"). */
int object_variable(struct bpf_object *obj, const char *section, const char *name,
		    size_t *ret_offset);

/* Chooses programs for this kernel, sets what must be known before loading, and loads. Tells why;
 * -EOPNOTSUPP where the kernel cannot enforce. ret_how: how programs are to be attached. */
int object_load(struct bpf_object *obj, enum attachment *ret_how);

/* How programs get to their hooks on this kernel. Tells why not, and when it is the fallback. */
int object_attachment(enum attachment *ret_how);

/* Says so where agents are confined through the fallback. */
void object_warn_fallback(void);

#endif
