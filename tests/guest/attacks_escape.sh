#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long: all guest suites together take longer than continuous integration should
# Leaving the agent's cgroup, and laying hands on the guard. The policy allows writing everywhere:
# what protects the guard is built in.
# These functions run in a shell of their own: $1... are their arguments.
# shellcheck disable=SC2016,SC2317,SC2329
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"
. "$here/arena.sh"

arena_make
[ "${CONTROL_ONLY-}" ] || agent_attach agent "$POLICIES/wide.yaml"
mkdir -p "$CG/control/outside"

# ---- cgroups ----
move_self() { echo $BASHPID >"$1/cgroup.procs" && cat "$BOX/key"; }
attack -u 0 -n 'its own pid written to another cgroup' move_self "$CG/control/outside"
attack -u 0 -n 'its own pid written to the root cgroup' move_self "$CG"
child_group() { mkdir "$1/sub$$" && echo $BASHPID >"$1/sub$$/cgroup.procs" && cat "$BOX/key"; }
attack -u 0 -n 'a cgroup made outside, and into it' child_group "$CG"
other_mount()
{
	mkdir -p "$WS/c" && mount -t cgroup2 c "$WS/c" && sleep 1 &&
		echo $BASHPID >"$WS/c/control/outside/cgroup.procs" && cat "$BOX/key"
}
attack -u 0 -n 'cgroup2 mounted once more' other_mount
own_cgroup_namespace()
{
	unshare -Cm bash -c 'mkdir -p "$WS/c" && mount -t cgroup2 c "$WS/c" && ls "$WS/c" &&
		mkdir "$WS/c/sub" && echo 0 >"$WS/c/sub/cgroup.procs"; cat "$BOX/key"'
}
attack -u 0 -n 'cgroup2 in a cgroup namespace' own_cgroup_namespace
handle_write()
{
	exec 8<"$CG/control/outside"
	echo $BASHPID >"/proc/self/fd/8/cgroup.procs" && cat "$BOX/key"
}
attack -u 0 -n 'by a descriptor of the directory' handle_write
clone_into() { "$ACTS/escape" clone-into "$CG/control/outside" cat "$BOX/key"; }
attack -u 0 'CLONE_INTO_CGROUP by an O_PATH descriptor, then a program' clone_into
clone_twice() { "$ACTS/escape" clone-twice "$CG/control/outside" "$BOX/key"; }
attack -u 0 'CLONE_INTO_CGROUP, then a child of the child' clone_twice
clone_root() { "$ACTS/escape" clone-into "$CG" cat "$BOX/key"; }
attack -u 0 'CLONE_INTO_CGROUP into the root cgroup' clone_root
daemons() { "$ACTS/escape" daemons "$BOX/key"; }
attack 'daemons that outlive their parents' daemons
leaderless() { "$ACTS/escape" leaderless "$BOX/key"; }
attack 'a thread whose leader has ended' leaderless
namespaces() { unshare -Urmpfuni --mount-proc cat "$BOX/key"; }
attack 'all namespaces new' namespaces
by_sudo() { sudo -n cat "$BOX/key"; }
# Its own audit socket is refused, with which sudo gives up.
attack -u 0 -n 'sudo' by_sudo
nsenter_one() { nsenter -t 1 -m -u -i -n -p cat "$BOX/key"; }
attack -u 0 -n 'nsenter into the first process' nsenter_one

# Done by somebody outside to an agent's process: it stays an agent's.
moved_by_root()
{
	local pid

	in_cgroup agent "$1" bash -c "while [ ! -e $T/moved ]; do sleep 0.1; done
		cat /srv/arena/$2/key" >"$T/out" 2>"$T/err" &
	wait_for 5 grep -q . "$CG/agent/cgroup.procs"
	sleep 0.3
	for pid in $(<"$CG/agent/cgroup.procs"); do echo "$pid" >"$CG/control/outside/cgroup.procs"; done
	touch "$T/moved"
	wait
	rm "$T/moved"
	grep -qF "${mark[$3]}" "$T/out"
}
sub_group()
{
	mkdir -p "$CG/agent/turn/one" && in_cgroup agent/turn/one "$1" cat "/srv/arena/$2/key" \
		>"$T/out" 2>"$T/err"
	grep -qF "${mark[$3]}" "$T/out"
}
if [ ! "${CONTROL_ONLY-}" ]; then
	arena_reset
	for way in moved_by_root sub_group; do
		if $way 0 closed closed; then
			not_ok "$way: still confined" 'THE ATTACK SUCCEEDS' "$(said)"
		elif ! $way 0 ws/free/open open; then
			not_ok "$way: still confined" 'the honest use does not work' "$(said)"
		else
			ok "$way: still confined"
		fi
	done
	wait_for 5 grep -q guard.escape_attempt /var/log/hydraguard/events.jsonl
	check 'an escape attempt is told of' \
		grep -q '"guard.escape_attempt"' /var/log/hydraguard/events.jsonl
fi

# ---- bpf(2) ----
bpf_act() { "$ACTS/escape" "$@" "$WORD"; }
attack -u 0 -n 'bpf: a map made' bpf_act bpf-map
attack -u 0 -n 'bpf: maps listed by id' bpf_act bpf-next
if [ ! "${CONTROL_ONLY-}" ]; then
	attack -u 0 -n 'bpf: a pinned map opened' bpf_act bpf-get \
		/sys/fs/bpf/hydraguard/maps/agents
fi
bpftool_list() { bpftool map list | grep -q . && echo "$WORD"; }
attack -u 0 -n 'bpftool' bpftool_list

# ---- the kernel's own settings, wherever they are mounted ----
setting() { echo "$WORD" >"$1"; }
settled() { grep -qsF "${mark[closed]}" /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe; }
restore_settings()
{
	echo core >/proc/sys/kernel/core_pattern
	echo /sbin/modprobe >/proc/sys/kernel/modprobe
}
for file in core_pattern modprobe; do
	attack -u 0 -n -e settled -c restore_settings "$file" setting /proc/sys/kernel/$file
done
proc_elsewhere() { mkdir -p "$WS/p" && mount -t proc p "$WS/p" && sleep 0.5 &&
	echo "$WORD" >"$WS/p/sys/kernel/core_pattern"; }
attack -u 0 -n -e settled -c restore_settings 'core_pattern in a proc of its own' proc_elsewhere
proc_namespace() { unshare -mpf bash -c 'mount -t proc p /proc && echo "$WORD" >/proc/sys/kernel/core_pattern'; }
attack -u 0 -n -e settled -c restore_settings 'core_pattern in a pid namespace' proc_namespace
elf_read() { head -c 4 "$1" | grep -q ELF && echo "$WORD"; }
attack -u 0 -n '/proc/kcore' elf_read /proc/kcore
mem_read() { [ "$(head -c 64 "$1" | wc -c)" = 64 ] && echo "$WORD"; }
attack -u 0 -n '/dev/mem' mem_read /dev/mem
mem_node() { mknod "$WS/mem" c 1 1 && [ "$(head -c 64 "$WS/mem" | wc -c)" = 64 ] && echo "$WORD"; }
attack -u 0 -n '/dev/mem by a node of its own, which this policy allows to make' mem_node
make_node() { mkdir -p "$WS/chroot/dev" && mknod "$WS/chroot/dev/mem" c 1 1; }
old_node() { [ "$(head -c 64 "$WS/chroot/dev/mem" | wc -c)" = 64 ] && echo "$WORD"; }
attack -u 0 -n -s make_node '/dev/mem by a node that was there, in a chroot' old_node
registers=$(find /sys/devices -name 'resource[0-9]*' -size +3k | head -n 1)
registers_read() { python3 -c "import mmap, os
m = mmap.mmap(os.open('$1', os.O_RDONLY), 4096, mmap.MAP_SHARED, mmap.PROT_READ)
print(m[0])" && echo "$WORD"; }
if [ "$registers" ]; then
	attack -u 0 -n "a device's registers" registers_read "$registers"
else
	skip "a device's registers" 'no device here has any'
fi
trace_word()
{
	echo "$WORD" >/sys/kernel/tracing/trace_marker && grep -F "$WORD" /sys/kernel/tracing/trace
}
attack -u 0 -n 'tracefs' trace_word

# ---- the guard's files and commands ----
if [ ! "${CONTROL_ONLY-}" ]; then
	still_guarded()
	{
		"$HG" status agent && ! in_cgroup agent 0 cat "$ARENA/closed/key"
	}
	for command in 'rm -rf /sys/fs/bpf/hydraguard' 'rm -rf /run/hydraguard' \
		'mv /run/hydraguard /run/other' 'mv /sys/fs/bpf/hydraguard /sys/fs/bpf/other' \
		"$HG detach agent" "$HG unload --force" "$HG reload --policy full-access agent" \
		"$HG attach --cgroup $CG/agent --name x --policy full-access" \
		'mkdir -p /etc/hydraguard && echo x >/etc/hydraguard/x' \
		'echo x >>/var/log/hydraguard/events.jsonl' 'rm -rf /var/log/hydraguard' \
		'ln -sf /etc/passwd /var/log/hydraguard/events.jsonl' \
		'mount -t tmpfs t /sys/fs/bpf' 'mount -t tmpfs t /run/hydraguard'; do
		arena_reset
		lines=$(wc -l </var/log/hydraguard/events.jsonl)
		in_cgroup agent 0 sh -c "$command" >"$T/out" 2>"$T/err"
		code=$?
		if ! still_guarded >"$T/guard" 2>&1; then
			not_ok "as an agent: $command" 'THE ATTACK SUCCEEDS' "$(said)"
		elif [ $code = 0 ] && [ "$(wc -l </var/log/hydraguard/events.jsonl)" -lt "$lines" ]; then
			not_ok "as an agent: $command" 'the record was cut' "$(said)"
		else
			ok "as an agent: $command"
		fi
		case $code:$command in 0:mount*) umount -q "${command##* }" ;; esac
	done
	check 'the commands still work for those outside' "$HG" status agent
fi
finish
