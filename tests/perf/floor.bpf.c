/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs that do nothing, on the hooks where the network is decided: what being asked costs. */
#include "../../vmlinux/vmlinux.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

#define ASKED(name, section, answer) \
	SEC(section) int name(void *ctx) { return answer; }

ASKED(create, "lsm/socket_create", 0)
ASKED(connect, "lsm/socket_connect", 0)
ASKED(send, "lsm/socket_sendmsg", 0)
ASKED(option, "lsm/socket_setsockopt", 0)
ASKED(leaves, "cgroup_skb/egress", 1)
ASKED(arrives, "cgroup_skb/ingress", 1)
ASKED(stands, "sockops", 1)
ASKED(connect_4, "cgroup/connect4", 1)
