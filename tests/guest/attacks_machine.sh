#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long: all guest suites together take longer than continuous integration should
# Looking into processes outside, and what root may do over the whole machine.
# These functions run in a shell of their own: $1... are their arguments.
# shellcheck disable=SC2016,SC2317,SC2329
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"
. "$here/arena.sh"

arena_make
[ "${CONTROL_ONLY-}" ] || agent_attach agent "$POLICIES/wide.yaml"
PEEK=$ACTS/peek
export PEEK

# ---- processes: somebody of the same user holds the marker in memory and in a descriptor ----
# The honest use is the same on a process of one's own.
victim_start()
{
	local who=$1 uid=$2

	: >"$T/victim"
	SECRET=${mark[closed]} in_cgroup "$who" "$uid" "$PEEK" hold "${mark[closed]}" \
		"$ARENA/$3/key" >"$T/victim" 2>&1 &
	wait_for 5 grep -q 0x "$T/victim"
	AT=$(head -n 1 "$T/victim")
	VICTIM=$(tail -n 1 "$CG/$who/cgroup.procs")
	export AT VICTIM
}
mkdir -p "$CG/control/victim"
looked()
{
	local who=$1 uid=$2 whose=$3

	arena_reset
	if [ "$whose" = own ]; then
		victim_start "$who" "$uid" ws/free/open
	else
		victim_start control/victim "$uid" closed
	fi
	# Not `run`: that ends everything in the cgroup, the victim in it as well.
	export WORD=${mark[closed]}
	code=0
	in_cgroup "$who" "$uid" bash -c "$(declare -f "$4")"$'\n''"$@"' sh "${@:4}" >"$T/out" 2>"$T/err" ||
		code=$?
	effect_of_look "$who"
}
effect_of_look()
{
	local what=1

	grep -qaF "${mark[closed]}" "$T/out" && what=0
	[ "$whose" = own ] && grep -qaF "${mark[open]}" "$T/out" && what=0
	cgroup_end control
	cgroup_end "$1"
	wait
	return $what
}
looks()
{
	local uid name=$1 act=("${@:2}")

	for uid in 1000 0; do
		judged "uid $uid: $name" 'looked control "$uid" other "${act[@]}"' \
			'looked agent "$uid" other "${act[@]}"' \
			'[ "$uid" = 0 ] || looked agent "$uid" own "${act[@]}"'
	done
}
peek() { "$PEEK" "$1" "$VICTIM" "$AT"; }
for verb in vm-read mem-read attach seize; do
	looks "another process: $verb" peek $verb
done
take_fd() { "$PEEK" take-fd "$VICTIM" 9; }
looks 'another process: pidfd_getfd' take_fd
environ() { cat "/proc/$VICTIM/environ"; }
looks 'another process: environ' environ
open_fd() { cat "/proc/$VICTIM/fd/9"; }
looks 'another process: /proc/PID/fd' open_fd
write_memory()
{
	"$PEEK" vm-write "$VICTIM" "$AT" "changed-$WORD" && "$PEEK" vm-read "$VICTIM" "$AT"
	[ $? = 0 ] && echo "$WORD"
}
looks 'another process: process_vm_writev' write_memory

# ---- root over the machine ----
set_name() { "$PEEK" set-name "x${WORD:0:20}"; }
named() { grep -qF "${mark[closed]:0:20}" /proc/sys/kernel/hostname; }
name_back() { hostname guest; }
attack -u 0 -n -e named -c name_back 'the name of the machine' set_name
clock_set() { "$PEEK" set-clock x; }
clock_wrong() { [ "$(date +%Y)" = 2001 ]; }
clock_save() { now=$(date +%s) up=${EPOCHREALTIME/./}; }
clock_back() { date -s "@$now" >/dev/null; }
attack -u 0 -n -e clock_wrong -s clock_save -c clock_back 'the clock' clock_set
ports() { "$PEEK" ports "$WORD"; }
attack -u 0 -n 'I/O ports' ports
messages() { "$PEEK" messages "$WORD"; }
attack -u 0 -n 'the kernel'\''s messages' messages
perf() { "$PEEK" perf "$WORD"; }
attack -u 0 -n 'sampling the whole machine' perf
xz -dc "$(modinfo -n dummy)" >"$T/dummy.ko" 2>/dev/null || cp "$(modinfo -n dummy)" "$T/dummy.ko"
chmod 644 "$T/dummy.ko"
export MODULE=$T/dummy.ko
module() { "$PEEK" module "$MODULE"; }
loaded() { grep -q '^dummy ' /proc/modules; }
module_out() { rmmod dummy 2>/dev/null; }
attack -u 0 -n -e loaded -c module_out 'a kernel module' module
by_modprobe() { modprobe dummy; }
attack -u 0 -n -e loaded -c module_out 'modprobe' by_modprobe
network() { ip link set lo mtu 4321; }
network_changed() { [ "$(cat /sys/class/net/lo/mtu)" = 4321 ]; }
network_back() { ip link set lo mtu 65536; }
attack -u 0 -n -e network_changed -c network_back 'a network interface of the machine' network
address_add() { ip addr add 203.0.113.77/32 dev lo; }
address_added() { ip addr show lo | grep -q 203.0.113.77; }
address_back() { ip addr del 203.0.113.77/32 dev lo; }
attack -u 0 -n -e address_added -c address_back 'an address of the machine' address_add
mount_tmpfs() { mount -t tmpfs t /srv/fs; }
mount_there() { mountpoint -q /srv/fs; }
mount_back() { umount /srv/fs; }
mkdir -p /srv/fs
attack -u 0 -n -e mount_there -c mount_back 'a mount of the machine' mount_tmpfs

# ---- honest: root of oneself ----
if [ ! "${CONTROL_ONLY-}" ]; then
	own_sandbox()
	{
		in_cgroup agent 1000 unshare -Urmpfuni sh -c \
			'hostname inside && mount -t tmpfs t /mnt && ip link set lo up && [ "$(hostname)" = inside ]'
	}
	check 'a sandbox of its own, of every namespace' own_sandbox
	check 'root keeps its rights over files: chown, chmod' in_cgroup agent 0 sh -c \
		"touch $WS/f && chown 12345 $WS/f && chmod 4755 $WS/f"
	check 'strace of a child' in_cgroup agent 1000 sh -c \
		"cd $WS && strace -o trace true && grep -q execve trace"
	check 'kill and wait for a child' in_cgroup agent 1000 \
		bash -c 'sleep 50 & kill $!; wait $!; [ $? = 143 ]'
	check 'ps, nice, ulimit' in_cgroup agent 1000 sh -c 'ps -e >/dev/null && nice true && ulimit -n 100'
fi
finish
