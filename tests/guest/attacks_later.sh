#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What comes to be after the policy was loaded, what was there before it, and odd file systems.
# These functions run in a shell of their own: $1... are their arguments.
# shellcheck disable=SC2016,SC2317,SC2329
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"
. "$here/arena.sh"

modprobe overlay
arena_make
# The places that do not exist yet; the open one is made by the same functions.
box_at[later]=$ARENA/later mark[later]=LATER-${mark[closed]}
box_at[inner]=$WS/later mark[inner]=INNER-${mark[closed]}
box_at[new]=$WS/new mark[new]=NEW-${mark[closed]}
[ "${CONTROL_ONLY-}" ] || agent_attach agent "$POLICIES/attacks.yaml"

# ---- made by somebody outside, read by an agent ----
made_outside()
{
	local who=$1 uid=$2 box=$3

	by=read
	arena_reset
	mkdir -p "${box_at[$box]}/deep"
	echo "${mark[$box]}" | tee "${box_at[$box]}/key" >"${box_at[$box]}/deep/key"
	chown -R 1000:1000 "${box_at[$box]}"
	run "$who" "$uid" "$box" "${@:4}"
	effect "$box"
}
# three NAME HOW BOX ARG...: HOW tried by each user as arena.sh has it.
three()
{
	local name=$1 how=$2 box=$3 act=("${@:4}") uid

	for uid in 1000 0; do
		judged "uid $uid: $name" '"$how" control "$uid" "$box" "${act[@]}"' \
			'"$how" agent "$uid" "$box" "${act[@]}"' '"$how" agent "$uid" new "${act[@]}"'
	done
}
plain() { cat "$BOX/key"; }
plain_deep() { cd "$BOX" && cat deep/key; }
for box in later inner; do
	three "$box: made outside, then read" made_outside $box plain
	three "$box: made outside, then read further down" made_outside $box plain_deep
done
moved_out() { mv "$BOX" "$WS/got" && cat "$WS/got/key"; }
three 'made outside, then moved' made_outside inner moved_out

# ---- made by the agent itself, in whatever way ----
made_inside()
{
	by=change
	arena_reset
	run "$@"
	effect "$3"
}
by_mkdir() { mkdir "$BOX"; }
by_file() { echo x >"$BOX"; }
by_symlink() { ln -s /etc "$BOX"; }
by_link() { echo x >"$WS/mine" && ln "$WS/mine" "$BOX"; }
by_rename() { mkdir -p "$WS/mine/deep" && mv "$WS/mine" "$BOX"; }
by_rename_file() { echo x >"$WS/mine" && mv "$WS/mine" "$BOX"; }
by_exchange() { echo x >"$WS/mine" && : >"$BOX" && "$ACTS/name" exchange "$WS/mine" "$BOX"; }
by_node() { "$ACTS/name" "$1" "$BOX"; }
by_tmpfile() { "$ACTS/name" tmpfile "$WS" "$BOX"; }
by_dangling() { ln -s "$BOX" "$WS/l" && echo x >"$WS/l"; }
by_copy() { cp -r /etc/default "$BOX"; }
by_parent() { mkdir -p "$WS/a/${BOX##*/}" && mv "$WS/a" "$WS/b" && mv "$WS/b/${BOX##*/}" "$BOX"; }
for way in mkdir file symlink link rename rename_file exchange tmpfile dangling copy parent; do
	three "making the protected name: $way" made_inside inner "by_$way"
done
for verb in fifo socket regular node; do
	three "making the protected name: $verb" made_inside inner by_node $verb
done

# ---- planted in front of a protected name, before it exists ----
# A secret that somebody outside writes to .../cfg/later must not become readable because cfg is not
# what it was taken for.
planted()
{
	local who=$1 uid=$2 box=$3 at=$WS/cfg/later

	by=read
	[ "$box" != new ] || at=$WS/cfg2/later
	arena_reset
	export AT=$at
	run "$who" "$uid" "$box" "${@:4}"
	mkdir -p "${at%/*}"
	echo "${mark[$box]}" >"$at"
	chmod a+r "$at"
	run "$who" "$uid" "$box" cat_all
	effect "$box"
}
cat_all() { cat "$WS"/trap/* "${AT%/*}"/*; }
plant_link() { mkdir "$WS/trap" && ln -s "$WS/trap" "${AT%/*}"; }
plant_dir() { mkdir "${AT%/*}"; }
three 'a directory made in front of a protected name' planted inner plant_dir
three 'a symbolic link planted in front of a protected name' planted inner plant_link

# ---- hard links that were there before the policy ----
before()
{
	by=read
	arena_reset
	ln "${box_at[$3]}/key" "$WS/before"
	[ "$1" = control ] || "$HG" reload agent >"$T/reload" 2>&1
	run "$1" "$2" "$3" "${@:4}"
	effect "$3"
}
by_other_name() { cat "$WS/before"; }
for box in closed nested floating; do
	judged "$box: a hard link made before" "before control 1000 $box by_other_name" \
		"before agent 1000 $box by_other_name"
done

# ---- message queues: names in a file system that is reached by calls of its own ----
for name in secret secret-too secret-last; do
	in_cgroup control 1000 "$ACTS/kernel" queue-make $name "${mark[closed]}"
done
queue() { "$ACTS/kernel" "$@"; }
queue_read()
{
	run "$1" 1000 closed queue queue-read "${@:2}"
	grep -qF "${mark[closed]}" "$T/out"
}
check 'control: a message queue can be read' queue_read control secret-last 0
if [ ! "${CONTROL_ONLY-}" ]; then
	# 0x20 in f_flags is the kernel's own mark of a program that is run; mq_open passes it on.
	for flag in 0 0x20; do
		if queue_read agent secret $flag; then
			not_ok "a message queue, open flag $flag" 'THE ATTACK SUCCEEDS' "$(said)"
		else
			ok "a message queue, open flag $flag"
		fi
	done
	run agent 1000 closed queue queue-unlink secret-too
	if [ -e /dev/mqueue/secret-too ]; then
		ok 'deleting a message queue'
	else
		skip 'deleting a message queue' 'open: IPC is not judged yet (README)'
	fi
fi
finish
