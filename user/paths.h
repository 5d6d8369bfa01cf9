/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where hydraguard keeps what. */
#ifndef HG_PATHS_H
#define HG_PATHS_H

#define HG_VERSION "0.1"

/* Maps and links of the kernel side; removing them stops enforcement. */
#define HG_PIN_PARENT "/sys/fs/bpf"
#define HG_PIN_DIR    HG_PIN_PARENT "/hydraguard"

/* Forgotten at reboot, as what is pinned is. */
#define HG_RUN_DIR    "/run/hydraguard"
#define HG_AGENTS_DIR HG_RUN_DIR "/agents"

#define HG_LOG_DIR     "/var/log/hydraguard"
#define HG_EVENTS_NAME "events.jsonl"
#define HG_EVENTS_FILE HG_LOG_DIR "/" HG_EVENTS_NAME
#define HG_KEEPER_LOG  HG_LOG_DIR "/keeper.log"

/* Where `extends: NAME` is looked for, beside the shipped policies. */
#define HG_POLICY_DIR "/etc/hydraguard/policies"

/* Parent of the cgroups that `run` makes, below the cgroup2 mount. */
#define HG_CGROUP_NAME "hydraguard"

#endif
