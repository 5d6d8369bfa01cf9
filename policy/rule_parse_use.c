/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The words of `use`, capabilities among them. */
#include <assert.h>
#include <linux/capability.h>
#include <string.h>
#include "diag.h"
#include "rule_parse.h"

#define CAP(name) [HG_USE_CAP + CAP_##name] = "cap:" #name

const char *const rule_use_names[HG_N_USES] = {
	[HG_USE_MOUNT] = "mount",
	[HG_USE_USERNS] = "userns",
	[HG_USE_CHROOT] = "chroot",
	[HG_USE_BPF] = "bpf",
	[HG_USE_PERF] = "perf",
	[HG_USE_MODULE] = "module",
	[HG_USE_KEYRING] = "keyring",
	[HG_USE_IO_URING] = "io_uring",
	[HG_USE_RAW_SOCKET] = "raw-socket",
	[HG_USE_PACKET_SOCKET] = "packet-socket",
	[HG_USE_NETLINK] = "netlink",
	[HG_USE_VSOCK] = "vsock",
	[HG_USE_DEVICE_NODE] = "device-node",
	[HG_USE_RAW_DISK] = "raw-disk",
	[HG_USE_ANONYMOUS_EXEC] = "anonymous-exec",
	CAP(CHOWN),
	CAP(DAC_OVERRIDE),
	CAP(DAC_READ_SEARCH),
	CAP(FOWNER),
	CAP(FSETID),
	CAP(KILL),
	CAP(SETGID),
	CAP(SETUID),
	CAP(SETPCAP),
	CAP(LINUX_IMMUTABLE),
	CAP(NET_BIND_SERVICE),
	CAP(NET_BROADCAST),
	CAP(NET_ADMIN),
	CAP(NET_RAW),
	CAP(IPC_LOCK),
	CAP(IPC_OWNER),
	CAP(SYS_MODULE),
	CAP(SYS_RAWIO),
	CAP(SYS_CHROOT),
	CAP(SYS_PTRACE),
	CAP(SYS_PACCT),
	CAP(SYS_ADMIN),
	CAP(SYS_BOOT),
	CAP(SYS_NICE),
	CAP(SYS_RESOURCE),
	CAP(SYS_TIME),
	CAP(SYS_TTY_CONFIG),
	CAP(MKNOD),
	CAP(LEASE),
	CAP(AUDIT_WRITE),
	CAP(AUDIT_CONTROL),
	CAP(SETFCAP),
	CAP(MAC_OVERRIDE),
	CAP(MAC_ADMIN),
	CAP(SYSLOG),
	CAP(WAKE_ALARM),
	CAP(BLOCK_SUSPEND),
	CAP(AUDIT_READ),
	CAP(PERFMON),
	CAP(BPF),
	CAP(CHECKPOINT_RESTORE),
};

/* The one place where the capabilities' numbers (bpf/core/table.h) and names meet. */
#define BIT(name) (1ull << CAP_##name)
static_assert(HG_MACHINE_CAPS ==
		      (BIT(NET_ADMIN) | BIT(SYS_MODULE) | BIT(SYS_RAWIO) | BIT(SYS_PTRACE) |
		       BIT(SYS_PACCT) | BIT(SYS_ADMIN) | BIT(SYS_BOOT) | BIT(SYS_TIME) |
		       BIT(SYS_TTY_CONFIG) | BIT(AUDIT_CONTROL) | BIT(MAC_OVERRIDE) |
		       BIT(MAC_ADMIN) | BIT(SYSLOG) | BIT(PERFMON) | BIT(BPF) |
		       BIT(CHECKPOINT_RESTORE)),
	      "the kernel side's capabilities");

/* A word can be of use in a rule: the kernel side asks about it. */
static bool asked(unsigned use)
{
	return use < HG_USE_CAP || HG_MACHINE_CAPS >> (use - HG_USE_CAP) & 1;
}

/* Capabilities that are never closed; what they are for may be. */
static int not_asked(struct rule_error *e, size_t at, unsigned use)
{
	static const struct {
		unsigned cap;
		const char *word;
	} others[] = {
		{CAP_NET_RAW, "raw-socket` or `packet-socket"},
		{CAP_MKNOD, "device-node"},
		{CAP_SYS_CHROOT, "chroot"},
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (use == HG_USE_CAP + others[i].cap)
			return rule_fail(e, at,
					 "`%s` is judged by what it is used for; write `%s`",
					 rule_use_names[use], others[i].word);
	return rule_fail(e, at,
			 "`%s` is over the agent's own files and processes and never closed; leave "
			 "the word out, or run the agent as a user without it",
			 rule_use_names[use]);
}

int rule_use_word(const char *word, size_t len, size_t at, enum hg_use *ret, struct rule_error *e)
{
	const char *names[HG_N_USES + 1], *near;
	size_t n = 0;

	for (unsigned i = 0; i < HG_N_USES; i++) {
		if (!rule_use_names[i])
			continue;
		if (strlen(rule_use_names[i]) == len && !memcmp(rule_use_names[i], word, len)) {
			*ret = i;
			return asked(i) ? 0 : not_asked(e, at, i);
		}
		if (asked(i))
			names[n++] = rule_use_names[i];
	}
	names[n] = NULL;
	near = diag_near(word, len, names);
	if (near)
		return rule_fail(e, at, "unknown thing to use `%.*s`; did you mean `%s`?", (int)len,
				 word, near);
	return rule_fail(e, at,
			 "unknown thing to use `%.*s`; there is mount, userns, chroot, bpf, perf, "
			 "module, keyring, io_uring, raw-socket, packet-socket, netlink, vsock, "
			 "device-node, raw-disk, anonymous-exec, and cap:NAME as in cap:SYS_TIME",
			 (int)len, word);
}
