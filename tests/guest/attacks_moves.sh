#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long: all guest suites together take longer than continuous integration should
# Moving and linking: nobody's rights to what is moved may change.
# These functions run in a shell of their own: $1... are their arguments.
# shellcheck disable=SC2016,SC2317,SC2329
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"
. "$here/arena.sh"

arena_make
[ "${CONTROL_ONLY-}" ] || agent_attach agent "$POLICIES/attacks.yaml"

# ---- a file out of the box ----
file_out() { "$ACTS/name" "$1" "$BOX/key" "$WS/got" && cat "$WS/got"; }
for box in closed nested floating; do
	attack -b $box "$box: rename a file out" file_out rename
	attack -b $box "$box: hard link to a file" file_out link
	attack -b $box "$box: rename without replacing" file_out noreplace
	attack -b $box "$box: rename that leaves a whiteout" file_out whiteout
done
file_exchange() { echo x >"$WS/got" && "$ACTS/name" exchange "$BOX/key" "$WS/got" && cat "$WS/got"; }
exchange_back() { echo x >"$WS/got" && "$ACTS/name" exchange "$WS/got" "$BOX/key" && cat "$WS/got"; }
for box in closed nested floating outside; do
	attack -b $box "$box: exchange a file" file_exchange
	attack -b $box "$box: exchange, the other way round" exchange_back
done
by_dir_fds() { "$ACTS/name" rename-at "$BOX" key "$WS" got && cat "$WS/got"; }
attack 'rename by directories'\'' descriptors' by_dir_fds
attack 'hard link from a descriptor, AT_EMPTY_PATH' file_out link-empty
attack 'hard link from /proc/self/fd' file_out link-proc
by_mv() { mv "$BOX/key" "$WS/got" && cat "$WS/got"; }
attack -b outside -w 'mv out of a read-only place' by_mv
attack -b outside -w 'hard link to a read-only file' file_out link
attack -b noexec -w 'hard link to where more is allowed' file_out link
ring() { "$ACTS/uring" "$1" "$2" "$BOX/key" "$WS/got" && cat "$WS/got"; }
for mode in task worker poll; do
	attack "io_uring renameat ($mode)" ring rename "$mode"
	attack "io_uring linkat ($mode)" ring link "$mode"
done

# ---- something into the box ----
file_in() { echo planted >"$WS/mine" && "$ACTS/name" "$1" "$WS/mine" "$BOX/$2"; }
for box in closed nested floating outside; do
	attack -b $box "$box: rename a file in" file_in rename new
	attack -b $box "$box: rename a file over another" file_in rename key
	attack -b $box "$box: hard link into it" file_in link new
done
tmpfile_in() { "$ACTS/name" tmpfile "$1" "$BOX/new"; }
tmpfile_inside() { "$ACTS/name" tmpfile "$BOX" "$BOX/new"; }
for box in closed nested outside; do
	attack -b $box "$box: O_TMPFILE elsewhere, linked into it" tmpfile_in "$WS"
	attack -b $box "$box: O_TMPFILE and link, both in it" tmpfile_inside
done
dir_in() { mkdir "$WS/mine" && touch "$WS/mine/f" && "$ACTS/name" rename "$WS/mine" "$BOX/new"; }
attack 'a directory into it' dir_in

# ---- directories: out of the box, and the box itself ----
dir_out() { "$ACTS/name" "$1" "$BOX/dir" "$WS/got" && cat "$WS/got/inner"; }
attack 'a directory out of it' dir_out rename
attack -b nested 'a directory out of a nested one' dir_out rename
attack -b outside 'a directory out of a read-only place' dir_out rename
dir_exchange() { mkdir -p "$WS/got" && "$ACTS/name" exchange "$BOX/dir" "$WS/got" && cat "$WS/got/inner"; }
attack 'exchange of directories' dir_exchange
attack -b nested 'exchange of directories, nested' dir_exchange
box_out() { "$ACTS/name" rename "$BOX" "$WS/got" && cat "$WS/got/key"; }
for box in closed nested floating; do
	attack -b $box "$box: itself to another name" box_out
done
attack -b noexec -w 'noexec: itself to another name' box_out

# ---- ancestors of the box ----
parent_moved()
{
	cd "$BOX/../.." && mv "$(basename "$(dirname "$BOX")")" got &&
		cat "got/$(basename "$BOX")/key"
}
attack -b nested 'its parent to another name' parent_moved
parent_exchanged()
{
	local parent
	parent=$(dirname "$BOX")
	mkdir -p "$WS/got" && "$ACTS/name" exchange "$parent" "$WS/got" &&
		cat "$WS/got/$(basename "$BOX")/key"
}
attack -b nested 'its parent exchanged with another directory' parent_exchanged
parent_deeper()
{
	mkdir -p "$WS/a/b" && mv "$(dirname "$BOX")" "$WS/a/b/" &&
		cat "$WS/a/b/$(basename "$(dirname "$BOX")")/$(basename "$BOX")/key"
}
attack -b nested 'its parent further down' parent_deeper
ring_parent() { "$ACTS/uring" rename task "$(dirname "$BOX")" "$WS/got" &&
	cat "$WS/got/$(basename "$BOX")/key"; }
attack -b nested 'its parent by io_uring' ring_parent
ws_moved()
{
	mv "$WS" "$WS.moved" && cat "$WS.moved/${BOX#"$WS/"}/key"
	mv "$WS.moved" "$WS"
}
# The open box's grandparent is the workspace itself, whose own name nobody may change.
attack -b nested -n 'the workspace itself' ws_moved

# ---- aside and again, and two sessions ----
recreate()
{
	local parent
	parent=$(dirname "$BOX")
	mv "$parent" "$WS/aside" && mkdir -p "$parent" && cp -r "$WS/aside/$(basename "$BOX")" "$WS/got" &&
		cat "$WS/got/key"
}
attack -b nested 'moved aside and made again' recreate
stand_inside() { cd "$BOX/.." && mv "$PWD" "$WS/got" && cat "./$(basename "$BOX")/key"; }
attack -b nested 'moved from under one'\''s feet' stand_inside
hold_parent()
{
	exec 8<"$BOX/.."
	mv "$(dirname "$BOX")" "$WS/got"
	cat "/proc/self/fd/8/$(basename "$BOX")/key"
}
# Reading by an old descriptor is honest where moving is.
attack -b nested 'moved, then by a descriptor of the parent' hold_parent
# Several agents with one policy: what the first moves, the second reads.
first_moves() { mv "$BOX/key" "$WS/got"; }
second_reads() { cat "$WS/got"; }
# two_sessions WHO BOX: was it read?
two_sessions()
{
	by=read
	arena_reset
	run "$1" 1000 "$2" first_moves
	run "$1" 0 "$2" second_reads
	effect "$2"
}
check 'one session moves, the next reads: without confinement' two_sessions control nested
if [ ! "${CONTROL_ONLY-}" ]; then
	check 'one session moves, the next reads' eval '! two_sessions agent nested'
	check 'one session moves, the next reads: where moving is allowed' two_sessions agent open
fi

# ---- deleting, and the box replaced ----
remove() { rm -rf "$BOX/dir"; }
for box in closed nested floating outside; do
	attack -b $box -w "$box: remove" remove
done
ring_remove() { "$ACTS/uring" unlink "$1" "$BOX/key"; }
for mode in task worker; do
	attack -b outside "io_uring unlinkat ($mode)" ring_remove $mode
done
replace_dir() { mv "$BOX" "$BOX.old" && mkdir "$BOX" && echo mine >"$BOX/key"; }
attack -b outside 'replaced by a directory of one'\''s own' replace_dir
replace_link() { rm -rf "$BOX" && ln -s "$WS" "$BOX"; }
attack -b floating -w 'replaced by a symbolic link' replace_link

# ---- honest: what is in a project moves with it and stays protected ----
project_moves()
{
	by=
	arena_reset
	in_cgroup agent 1000 mv "$WS/some" "$WS/other" || return 1
	in_cgroup agent 1000 cat "$WS/other/vault/key" && return 1
	in_cgroup agent 1000 mv "$WS/other" "$WS/some" || return 1
	arena_dirty=1
}
tree_moves()
{
	arena_reset
	in_cgroup agent 1000 sh -c "cd $WS && mkdir -p a/b/c && echo x >a/b/c/f && mv a d &&
		mv d/b e && ln e/c/f g && mv -f g e/c/f && mv e/c/f h && rm -r d e && cat h"
	arena_dirty=1
}
if [ ! "${CONTROL_ONLY-}" ]; then
	check 'a folder with something protected in it moves, and that stays protected' project_moves
	check 'moving, linking and replacing in the workspace' tree_moves
fi

# ---- races ----
race_links()
{
	mkdir -p "$WS/r" && echo fine >"$WS/fine"
	"$ACTS/race" links "$WS/r" "$WS/fine" "$BOX/key"
}
attack 'a link that is swapped while it is opened' race_links
race_bytes() { echo fine >"$WS/fine" && "$ACTS/race" bytes "$WS/fine" "$BOX/key"; }
attack 'a path that changes in memory' race_bytes
race_dirs()
{
	mkdir -p "$WS/r" && mv "$(dirname "$BOX")" "$WS/r/x" &&
		"$ACTS/race" dirs "$WS/r" "$(basename "$BOX")/key"
	ls -R "$WS/r" >&2
}
attack -b floating -r 'ancestors renamed while it is opened' race_dirs
finish
