/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The integer types of bpf/core/, the same for both targets: the kernel's UAPI names. */
#ifndef HG_TYPES_H
#define HG_TYPES_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define HG_INLINE static inline __attribute__((always_inline, unused))

#endif
