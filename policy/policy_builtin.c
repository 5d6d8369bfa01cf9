/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The guard's own rules. They stand behind every policy's, `never` lists included, so that no
 * policy, full-access neither, gives an agent the means to take the guard away or to write what is
 * loaded next. What other hands an agent may not move is the presets' (no-doors), not this file's.
 *
 * Not here because it is no path: bpf(), other processes' memory; device files that are these under
 * another name (bpf/devices.h); what `use` opens.
 */
#include <stddef.h>
#include "policy_load.h"

const char *const policy_builtin_rules[] = {
	/* Pinned programs, maps and links; the cgroup that makes an agent one. */
	"deny all /sys/fs/bpf/**",
	"deny write /sys/fs/cgroup/**",

	/* The guard's own files: policies, state, record, socket, program, units. */
	"deny write /etc/hydraguard/**",
	"deny write,read /var/lib/hydraguard/**",
	"deny write,read /var/log/hydraguard/**",
	"deny write,read /run/hydraguard/**",
	"deny write /{usr/,usr/local/,}{bin,sbin}/hydraguard /{usr/,usr/local/,}lib/hydraguard/**",
	"deny write /{etc,run,usr/lib,usr/local/lib,lib}/systemd/{system,user}/hydraguard*",
	"deny write /{etc,run,usr/lib,usr/local/lib,lib}/systemd/{system,user}/hydraguard*/**",

	/* Kernel memory. */
	"deny all /proc/kcore /proc/vmcore /dev/{mem,kmem,port,nvram,snapshot} /dev/cpu/*/msr",
	/* Devices' registers and memory (BARs): to read some is to change them. */
	"deny all /sys/devices/**/resource[0-9]*",
	/* Disks by their controllers, with `use raw-disk` too. Under other names: bpf/devices.h. */
	"deny all /dev/bsg/** /dev/ng[0-9]* /dev/{nvme[0-9],nvme[0-9][0-9],nvme-fabrics}",

	/*
	 * What the kernel does for whoever writes here it does for the whole machine: core_pattern,
	 * modprobe and hotplug name programs that run outside every agent; sysrq, power and
	 * firmware stop or replace the machine; PCI configuration gives memory away; tracefs sees
	 * everybody. Names that begin with a digit under /proc are processes and are not meant.
	 */
	"deny write /proc/sys/** /proc/sysrq-trigger /proc/[!0-9]*/** /proc/[!0-9]*",
	"deny write /sys/kernel/** /sys/module/** /sys/firmware/** /sys/power/** /sys/**",
	"deny all /sys/kernel/debug/** /sys/kernel/tracing/**",

	/* Lines that pass for the kernel's. */
	"deny write /dev/kmsg",
	NULL,
};
