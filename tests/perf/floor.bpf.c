/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs that do nothing, where an agent's calls are decided: what being asked costs. */
#include "../../vmlinux/vmlinux.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

#define ASKED(name, section, answer) \
	SEC(section) int name(void *ctx) { return answer; }

ASKED(opens, "lsm/file_open", 0)
ASKED(makes, "lsm/path_mknod", 0)
ASKED(makes_directory, "lsm/path_mkdir", 0)
ASKED(removes, "lsm/path_unlink", 0)
ASKED(removes_directory, "lsm/path_rmdir", 0)
ASKED(renames, "lsm/path_rename", 0)
ASKED(sets, "lsm/inode_setattr", 0)
ASKED(controls, "lsm/file_ioctl", 0)
ASKED(forks, "tp_btf/sched_process_fork", 0)
ASKED(runs, "lsm/bprm_check_security", 0)
ASKED(has_run, "lsm.s/bprm_committed_creds", 0)
ASKED(maps, "lsm/mmap_file", 0)
ASKED(protects, "lsm/file_mprotect", 0)
ASKED(may, "lsm/capable", 0)
ASKED(ends, "tp_btf/sched_process_exit", 0)
ASKED(create, "lsm/socket_create", 0)
ASKED(connect, "lsm/socket_connect", 0)
ASKED(send, "lsm/socket_sendmsg", 0)
ASKED(option, "lsm/socket_setsockopt", 0)
ASKED(leaves, "cgroup_skb/egress", 1)
ASKED(arrives, "cgroup_skb/ingress", 1)
ASKED(stands, "sockops", 1)
ASKED(connect_4, "cgroup/connect4", 1)
