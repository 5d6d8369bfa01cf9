/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between kernels, one name each. Hooks that differ are separate programs; which of
 * them is loaded is decided in user/compat.c from the kernel's own BTF.
 */
#ifndef HG_COMPAT_H
#define HG_COMPAT_H

/* Maps and globals are shared by every object that is linked, so each defines them weakly. */
#include "../vmlinux/vmlinux.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_endian.h>

/*
 * Address of rename_lock (fs/dcache.c): a seqlock_t, whose first member is the sequence; 6.1 to 6.18
 * alike. Set by user space from /proc/kallsyms before loading, because bpf_linker of libbpf 1.1
 * cannot link an untyped ksym and the variable is not in BTF.
 */
const volatile __u64 rename_lock_address __weak SEC(".rodata");
/* Of chrdevs (fs/char_dev.c) and misc_list (drivers/char/misc.c): which driver has which numbers, as
 * /proc/devices and /proc/misc show it. Set likewise; 6.1 to 6.18 alike. */
const volatile __u64 chrdevs_address __weak SEC(".rodata");
const volatile __u64 misc_list_address __weak SEC(".rodata");
/* Kernel memory as a type's, read without a call; not on 6.1. */
extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym __weak;
/* Inode storage is there only where BPF LSM is active; user space clears it for the fallback. */
const volatile bool directories_cached __weak SEC(".rodata") = true;
/* Arguments are read by a program that may sleep, which only BPF LSM has; cleared likewise. */
const volatile bool arguments_read __weak SEC(".rodata") = true;

#endif
