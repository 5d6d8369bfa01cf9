#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long: all guest suites together take longer than continuous integration should
# Changing what may only be read, without opening it for writing; making names; and having the
# kernel write or watch.
# These functions run in a shell of their own: $1... are their arguments.
# shellcheck disable=SC2016,SC2317,SC2329
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"
. "$here/arena.sh"

arena_make
[ "${CONTROL_ONLY-}" ] || agent_attach agent "$POLICIES/attacks.yaml"

# ---- content ----
change() { "$ACTS/change" "$1" "$BOX/${2-key}"; }
for verb in truncate truncate-grow truncate-fd open-trunc open-trunc-3 creat-trunc reopen-write; do
	attack -b outside "$verb" change $verb
done
plainly() { echo x >"$BOX/key"; }
attack -b outside 'open for writing' plainly
append() { echo x >>"$BOX/key"; }
attack -b outside 'append' append
through_link() { ln -s "$BOX/key" "$WS/l" && echo x >"$WS/l"; }
attack -b outside 'write through a symbolic link' through_link
proc_root() { echo x >"/proc/self/root$BOX/key"; }
attack -b outside 'write through /proc/self/root' proc_root
in_place() { sed -i s/./x/ "$BOX/key"; }
attack -b outside 'sed -i' in_place

# ---- attributes ----
for verb in mode mode-fd mode-path-fd mode-at2 times times-fd times-now times-half times-old xattr \
	xattr-fd xattr-path-fd xattr-remove xattr-remove-fd acl acl-fd acl-remove flags fsx; do
	attack -b outside "$verb" change $verb
done
for verb in owner owner-fd owner-link owner-empty; do
	attack -u 0 -b outside "$verb" change $verb
done
give_suid() { chmod 4777 "${box_at[outside]}/key" "${box_at[open]}/key"; }
lost_suid() { [ ! -u "$BOX/key" ]; }
attack -b outside -s give_suid -e lost_suid 'the set-user-ID bit, by an owner that stays' change owner-same
# What the kernel does to a file that is written to takes no right to its attributes.
fixed=$ARENA/ws/fixed
fixed_make() { mkdir -p "$fixed" && echo old >"$fixed/f" && chown -R 1000:1000 "$fixed" && chmod 4777 "$fixed/f"; }
fixed_written() { in_cgroup agent 1000 sh -c "$1" && [ ! -u "$fixed/f" ] && [ "$(stat -c %a "$fixed/f")" = 777 ]; }
if [ ! "${CONTROL_ONLY-}" ]; then
	arena_dirty=1
	for write in "echo x >>$fixed/f" "echo x >$fixed/f" "truncate -s 1 $fixed/f"; do
		need fixed_make
		check "a set-user-ID file without a right to its mode: $write" fixed_written "$write"
		need fixed_make
		check '... whose mode, owner and times stay' in_cgroup agent 1000 sh -c "! chmod 755 $fixed/f &&
			! chown 1000 $fixed/f && ! touch $fixed/f && [ -u $fixed/f ]"
	done
fi
for verb in mode times xattr acl flags; do
	attack -b outside "$verb of a directory" change $verb dir
done
attack -b outside 'times of a symbolic link' change times-half link
by_setfacl() { setfacl -m u:nobody:rwx "$BOX/key"; }
attack -b outside 'setfacl' by_setfacl
by_chattr() { chattr +d "$BOX/dir/inner"; }
attack -b outside 'chattr' by_chattr
immutable() { chattr +i "$BOX/key" && lsattr -d "$BOX/key" && chattr -i "$BOX/key" && touch "$BOX/key"; }
attack -u 0 -b outside 'make immutable' immutable
default_acl() { setfacl -d -m u:nobody:rwx "$BOX/dir"; }
attack -b outside 'default ACL' default_acl
ring_xattr() { "$ACTS/uring" setxattr "$1" "$BOX/key"; }
for mode in task worker; do
	attack -b outside "io_uring setxattr ($mode)" ring_xattr $mode
done

# ---- new names ----
make_name() { "$ACTS/name" "$1" "$BOX/new"; }
for box in closed outside; do
	for verb in node fifo regular socket; do
		attack -b $box "$box: new $verb" make_name $verb
	done
	new_file() { echo x >"$BOX/new"; }
	attack -b $box "$box: new file" new_file
	new_dir() { mkdir "$BOX/new"; }
	attack -b $box "$box: new directory" new_dir
	new_link() { ln -s /etc "$BOX/new"; }
	attack -b $box "$box: new symbolic link" new_link
done
ring_new() { "$ACTS/uring" "$1" "$2" "$BOX/new"; }
ring_symlink() { "$ACTS/uring" symlink "$1" /etc "$BOX/new"; }
for mode in task worker poll; do
	attack -b outside "io_uring mkdirat ($mode)" ring_new mkdir $mode
	attack -b outside "io_uring openat with O_CREAT ($mode)" ring_new create $mode
	attack -b outside "io_uring symlinkat ($mode)" ring_symlink $mode
done
remove() { rm "$BOX/key"; }
attack -b outside 'unlink' remove
remove_dir() { rm "$BOX"/dir/sub/* && rmdir "$BOX/dir/sub"; }
attack -b outside 'rmdir' remove_dir

# ---- the kernel as the one who writes ----
account() { "$ACTS/kernel" account "$BOX/key"; }
attack -u 0 -n -b outside 'process accounting' account
dump() { [ "$(cat /proc/sys/kernel/core_pattern)" = core ] || exit 77; "$ACTS/kernel" dump "$BOX"; }
attack -b outside -w 'core dump' dump
# ---- watching ----
# The name of what somebody outside makes in the box carries the marker.
outsider()
{
	local i

	for ((i = 0; i < 60; i++)); do
		[ -e "$WS/ready" ] && break
		sleep 0.05
	done
	setpriv --reuid 1000 --regid 1000 --clear-groups sh -c \
		"echo x >'$1/x$2' && cat '$1/key' >/dev/null"
}
watch_attack()
{
	local uids=$1 name=$2 uid
	shift 2

	for uid in $uids; do
		watch_as "$uid" "$name" "$@"
	done
}
watched()
{
	local who=$1 uid=$2 box=$3

	arena_reset
	outsider "${box_at[$box]}" "${mark[$box]}" &
	run "$who" "$uid" "$box" "${@:4}"
	wait
	arena_dirty=1
	grep -qaF "${mark[$box]}" "$T/out"
}
watch_as()
{
	local uid=$1 name="uid $1: $2" how=("${@:3}")

	judged "$name" 'watched control "$uid" closed "${how[@]}"' 'watched $watcher "$uid" closed "${how[@]}"' \
		'[ "${how[0]}" = watch_at ] || watched $watcher "$uid" open "${how[@]}"'
}
watch_box() { "$ACTS/watch" "$1" "$BOX" "$WS/ready"; }
watch_at() { "$ACTS/watch" "$1" "$2" "$WS/ready"; }
watcher=agent
watch_attack '1000 0' 'inotify' watch_box inotify
watch_attack '1000 0' 'fanotify, names by a mark on the directory' watch_box fanotify-fid
# It tells that something changed, not what.
dnotified() { "$ACTS/watch" dnotify "$BOX" "$WS/ready" | grep -q changed && echo "$WORD"; }
watch_attack '1000 0' 'dnotify' dnotified
# What takes a capability, by an agent that has it: or that alone would say no.
sed 's/^  - allow use userns.*/& cap:SYS_ADMIN/' "$POLICIES/attacks.yaml" >"$T/admin.yaml"
[ "${CONTROL_ONLY-}" ] || agent_attach admin "$T/admin.yaml"
watcher=admin
watch_attack 0 'fanotify' watch_box fanotify
watch_attack 0 'fanotify, contents by a mark on the whole mount' watch_at fanotify-mount /
watch_attack 0 'fanotify, names by a mark on the whole file system' watch_at fanotify-names /

# A lease: whoever else opens the file waits until it is given back, or for 45 seconds.
leased()
{
	local who=$1 uid=$2 at=${box_at[$3]}/key kind=$4 holder

	arena_reset
	arena_dirty=1
	in_cgroup "$who" "$uid" "$ACTS/watch" lease "$kind" "$at" "$WS/ready" >"$T/out" 2>"$T/err" &
	holder=$!
	wait_for 5 test -e "$WS/ready"
	# Who may only read stands in the way of writers by one kind, of readers by the other.
	if [ "$kind" = read ]; then
		timeout -s KILL 2 bash -c 'exec 9>>"$1"' sh "$at"
	else
		timeout -s KILL 2 bash -c 'exec 9<"$1"' sh "$at"
	fi 2>/dev/null
	code=$?
	cgroup_end "$who"
	wait $holder 2>/dev/null
	[ $code = 137 ]
}
for uid in 1000 0; do
	for kind in read write; do
		name="uid $uid: a lease ($kind) on what may only be read"
		if ! leased control $uid outside $kind; then
			not_ok "$name" 'nobody waits without confinement' "$(said)"
		elif [ "${CONTROL_ONLY-}" ]; then
			ok "$name"
		elif leased agent $uid outside $kind; then
			not_ok "$name" 'THE ATTACK SUCCEEDS' "$(said)"
		elif ! leased agent $uid open $kind; then
			not_ok "$name" 'the honest use does not work' "$(said)"
		else
			ok "$name"
		fi
	done
	[ "${CONTROL_ONLY-}" ] || check "uid $uid: honest: locks on what may only be read" in_cgroup agent $uid \
		python3 -c 'import fcntl, os, sys
f = os.open(sys.argv[1], os.O_RDONLY)
fcntl.flock(f, fcntl.LOCK_SH); fcntl.flock(f, fcntl.LOCK_EX); fcntl.flock(f, fcntl.LOCK_UN)
fcntl.lockf(f, fcntl.LOCK_SH)' "$ARENA/outside/key"
done

# Permission events nobody answers: whoever opens anything on the mount waits.
stalled()
{
	local who=$1 from watcher

	arena_reset
	in_cgroup "$who" 0 "$ACTS/watch" fanotify-stall / "$WS/ready" >"$T/out" 2>"$T/err" &
	watcher=$!
	# Not by sleep: starting a program would wait already.
	until [ -s "$T/out" ] || ! kill -0 "$watcher" 2>/dev/null; do :; done
	from=${EPOCHREALTIME/./}
	read -r _ </etc/hostname
	from=$((${EPOCHREALTIME/./} - from))
	wait "$watcher"
	arena_dirty=1
	[ "$from" -gt 1000000 ]
}
if ! stalled control; then
	skip 'uid 0: fanotify permission events' 'nothing stalled without confinement either'
elif [ ! "${CONTROL_ONLY-}" ] && stalled $watcher; then
	not_ok 'uid 0: fanotify permission events' 'THE ATTACK SUCCEEDS: the machine stood still'
else
	ok 'uid 0: fanotify permission events'
fi
finish
