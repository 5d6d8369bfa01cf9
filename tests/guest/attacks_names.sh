#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long: all guest suites together take longer than continuous integration should
# A file by other names than its own, and read without being read.
# These functions run in a shell of their own: $1... are their arguments.
# shellcheck disable=SC2016,SC2317,SC2329
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"
. "$here/arena.sh"

modprobe overlay
arena_make
[ "${CONTROL_ONLY-}" ] || agent_attach agent "$POLICIES/attacks.yaml"

# ---- plainly: what all others are about ----
plain() { cat "$BOX/$1"; }
attack 'open and read' plain key
attack 'in a directory below' plain dir/sub/deepest
attack 'a name of 255 bytes' plain "$LONG_NAME"
attack 'a name with a line feed' plain $'new\nline'
attack 'a name that is no UTF-8' plain $'\xff\xfe'
list() { ls -R "$BOX" | grep -q inner && echo "$WORD"; }
attack 'list' list

reading() { "$ACTS/read" "$1" "$BOX/key" "${@:2}"; }
attack 'open for reading and writing' reading rdwr
attack 'open with O_CREAT' reading creat
attack 'O_DIRECT and O_NOATIME' reading direct
attack 'openat2 RESOLVE_CACHED' reading cached
attack 'memory mapping' reading mapped
attack 'sendfile' reading sendfile
attack 'splice' reading splice
attack 'copy_file_range' reading copy "$WS/copy"
attack 'user xattr' reading xattr user.mark
attack 'user xattr through an O_PATH descriptor' reading xattr-path-fd user.mark
reflink() { "$ACTS/read" reflink "$BOX/key" "$WS/copy"; }
attack 'reflink' reflink
getfattr_all() { getfattr -d "$BOX/key"; }
attack 'getfattr' getfattr_all

# ---- descriptors ----
attack 'O_PATH and /proc/self/fd' reading reopen
beneath() { "$ACTS/read" beneath "$BOX" dir/inner; }
attack 'openat2 RESOLVE_BENEATH from an O_PATH directory' beneath
in_root() { "$ACTS/read" in-root "$BOX" dir/inner; }
attack 'openat2 RESOLVE_IN_ROOT' in_root
from_dir() { "$ACTS/read" from-dir "$BOX/dir" inner; }
attack 'fchdir and a bare name' from_dir
handle() { "$ACTS/read" handle "$BOX/key" "$WS"; }
attack -u 0 'open_by_handle_at' handle
handle_cold()
{
	sync
	echo 3 >/proc/sys/vm/drop_caches
	"$ACTS/read" handle "$BOX/dir/sub/deepest" "$WS"
}
attack -u 0 -n 'open_by_handle_at of what is in no cache' handle_cold

# ---- symbolic links and paths ----
through_link() { ln -s "$BOX/key" "$WS/l" && cat "$WS/l"; }
attack 'symbolic link' through_link
through_dir_link() { ln -s "$BOX" "$WS/l" && cat "$WS/l/dir/inner"; }
attack 'symbolic link to a directory' through_dir_link
link_chain()
{
	ln -s "$BOX" "$WS/l0"
	for i in {1..30}; do ln -s "l$((i - 1))" "$WS/l$i"; done
	cat "$WS/l30/link"
}
attack 'thirty links one behind the other' link_chain
dangling() { ln -s "$BOX/made" "$WS/l" && echo x >"$WS/l"; }
attack -w 'writing through a link to what does not exist yet' dangling
dotdot() { cat "$WS/../ws//./../${BOX#/srv/arena/}/dir/../key"; }
attack '.. and // and .' dotdot
from_within() { cd "$BOX/dir" && cat ../key; }
attack 'a relative path from inside' from_within
proc_root() { cat "/proc/self/root$BOX/key"; }
attack '/proc/self/root' proc_root
proc_cwd() { cd "$BOX" && cat /proc/self/cwd/key; }
attack '/proc/self/cwd' proc_cwd
thread_self() { cat "/proc/thread-self/root$BOX/key"; }
attack '/proc/thread-self/root' thread_self
other_root() { cat "/proc/$HOLDER/root$BOX/key"; }
attack -n -h '/proc/PID/root of a process outside' other_root
other_cwd() { cat "/proc/$HOLDER/cwd/key"; }
attack -n -h '/proc/PID/cwd of a process outside' other_cwd
other_fd() { cat "/proc/$HOLDER/fd/9"; }
attack -n -h '/proc/PID/fd of a process outside' other_fd
other_map() { cat "/proc/$HOLDER/task/$HOLDER/cwd/dir/inner"; }
attack -n -h '/proc/PID/task/TID/cwd of a process outside' other_map

# ---- long and deep ----
deep() { "$ACTS/deep" make "$BOX" "$1" "$2" "$WORD" && "$ACTS/deep" "$3" "$BOX" "$1" "$2"; }
attack 'seventy components' deep 70 10 get
attack 'a path of 4,000 bytes in one go' deep 15 250 get-long
attack 'deeper than PATH_MAX, step by step' deep 40 200 get
# Below more than 128 directories nothing is decided, and so everything is denied.
attack -n 'three hundred components' deep 300 3 get

# ---- mounts in a namespace of one's own ----
mounting() { mkdir -p "$WS/m" && "$ACTS/mounts" "$1" "$BOX" "$WS/m"; }
attack 'bind mount' mounting bind
attack 'bind mount of the file' mounting bind-file
attack 'detached copy of a mount' mounting detached
attack 'detached copy, changed and moved in' mounting detached-moved
attack 'chroot' mounting chroot
attack 'pivot_root' mounting pivot
attack 'bound where something allowed is, under a tmpfs' mounting covered
# An overlay that nobody named has no honest use: everything on it is denied.
attack -n 'overlay over it' mounting overlay
# For root in a user namespace, files of others are files of others.
beside()
{
	mkdir -p "$ARENA/w" && chmod 777 "$ARENA/w" "$ARENA/outside" && arena_dirty=1 &&
		arena_look=$("$ACTS/look" "$ARENA")
}
overlay_upper() { mkdir -p "$WS/m" && "$ACTS/mounts" overlay-upper "$BOX" "$WS/m" "$BOX/../w"; }
attack -n -b outside -s beside 'overlay that writes into it' overlay_upper
# Its directories have to be of users that are known in the namespace.
attack -u 1000 'a handle on a mount of its own' mounting handle-bound

# ---- io_uring ----
ring() { "$ACTS/uring" "$1" "$2" "$BOX/key" "${@:3}"; }
for mode in task worker poll; do
	attack "io_uring openat ($mode)" ring read "$mode"
	attack "io_uring getxattr ($mode)" ring getxattr "$mode"
done
attack 'io_uring openat2' ring read2 task

# ---- programs ----
run_it() { "$BOX/$1"; }
attack -b noexec -r 'run' run_it tool
attack -b noexec -r 'run a script' run_it script
running() { "$ACTS/read" "$1" "$BOX/tool" "$WORD"; }
attack -b noexec -r 'execveat of an O_PATH descriptor' running exec-fd
attack -b noexec -r 'exec of /proc/self/fd' running exec-proc-fd
attack -b noexec -r 'map executable' running map-exec-at-once
attack -b noexec -r 'map, then make executable' running map-exec
attack -b noexec -n -r 'copy to a memfd and run that' running memfd-run
by_loader() { /lib64/ld-linux-x86-64.so.2 "$BOX/tool"; }
attack -b noexec -r 'as the argument of ld.so' by_loader
shebang() { printf '#!%s\n' "$BOX/tool" >"$WS/s" && chmod +x "$WS/s" && "$WS/s"; }
attack -b noexec -r 'as the interpreter of a script' shebang
env_shebang() { printf '#!/usr/bin/env %s\n' "$BOX/tool" >"$WS/s" && chmod +x "$WS/s" && "$WS/s"; }
attack -b noexec -r 'behind env in a script' env_shebang
preload() { LD_PRELOAD="$BOX/tool" "$ACTS/tool" 2>&1 | grep -q 'cannot be preloaded' || echo "$WORD"; }
link_run() { ln "$BOX/tool" "$WS/t" && "$WS/t"; }
attack -b noexec -r 'by a hard link where running is allowed' link_run
move_run() { mv "$BOX/tool" "$WS/t" && "$WS/t"; }
attack -b noexec -r 'moved to where running is allowed' move_run

# ---- honest, with nothing protected near ----
begins_alike()
{
	mkdir -p "$ARENA/closed2" && echo fine >"$ARENA/closed2/f" && chmod -R a+rX "$ARENA/closed2"
	[ "$(in_cgroup agent 1000 cat "$ARENA/closed2/f")" = fine ]
}
mkdir -p /srv/runonly
cp "$ARENA/noexec/tool" /srv/runonly/tool
runs_unread()
{
	! in_cgroup agent 1000 cat /srv/runonly/tool && in_cgroup agent 1000 /srv/runonly/tool
}
if [ ! "${CONTROL_ONLY-}" ]; then
	check 'a program that may be run but not read' runs_unread
	check 'a name that begins like a denied one is another name' begins_alike
	check 'a user namespace and its own tmpfs are no crime' \
		in_cgroup agent 1000 unshare -Urm sh -c 'mount -t tmpfs t /mnt'
fi
finish
