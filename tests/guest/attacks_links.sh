#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long: all guest suites together take longer than continuous integration should
# Hard links that were there before the policy: a file by a name for which no rule refuses it.
# These functions run in a shell of their own: $1... are their arguments.
# shellcheck disable=SC2016,SC2317,SC2329
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"
. "$here/arena.sh"

BOXES='closed nested floating noexec outside open'
export L=$WS/links
sed "/later/d; s,^  - deny exec.*,&\n  - deny read $WS/unread/**\n  - ask all $WS/asked/**," \
	"$POLICIES/attacks.yaml" >"$T/links.yaml"

# What somebody did before: each box's files have other names in the workspace.
links_make()
{
	local box name

	arena_reset
	mkdir -p "$L/deep/er"
	for box in $BOXES; do
		for name in key tool script; do
			ln "${box_at[$box]}/$name" "$L/$box-$name"
		done
		ln "${box_at[$box]}/dir/inner" "$L/deep/er/$box-inner"
	done
	mkdir "$WS/unread" && echo "${mark[closed]}" >"$WS/unread/key" && ln "$WS/unread/key" "$L/unread"
	mkdir "$WS/asked" && echo "${mark[asked]}" >"$WS/asked/key" && ln "$WS/asked/key" "$L/asked-key"
	chown -R 1000:1000 "$L" "$WS/unread" "$WS/asked"
	arena_look=$("$ACTS/look" "$ARENA")
}
reload() { need "$HG" reload agent; }
links_reset()
{
	[ "$arena_dirty" ] || return
	links_make
	[ "${CONTROL_ONLY-}" ] || reload
}

# link_try WHO UID BOX FUNCTION [ARG...]: was there an effect?
link_try()
{
	links_reset
	run "$@"
	effect "$3"
}

# linked -r|-w|-rh|-wh BOX NAME FUNCTION [ARG...]: for both users; with h the honest use, too.
linked()
{
	local by='' judge='' uid name box honest='' act

	case $1 in
	-r*) by=read ;;
	-w*) by=change ;;
	esac
	case $1 in *h) honest=1 ;; esac
	shift
	box=$1 name="$1: $2" act=("${@:3}")
	for uid in 1000 0; do
		judged "uid $uid: $name" 'link_try control "$uid" "$box" "${act[@]}"' \
			'link_try agent "$uid" "$box" "${act[@]}"' \
			'[ ! "$honest" ] || link_try agent "$uid" open "${act[@]//$box/open}"'
	done
}

arena_make
box_at[asked]=$WS/asked mark[asked]=ASKED-${mark[closed]}
arena_dirty=1
links_make
[ "${CONTROL_ONLY-}" ] || agent_attach agent "$T/links.yaml"

# ---- the file by its other name ----
by_name() { cat "$1"; }
for box in closed nested floating; do
	linked -rh $box 'read by another name' by_name "$L/$box-key"
done
linked -r closed 'a name further down' by_name "$L/deep/er/closed-inner"
linked -rh asked 'what has to be asked for, read by another name' by_name "$L/asked-key"
put() { echo planted >>"$1"; }
linked -wh closed 'written to' put "$L/closed-key"
linked -wh asked 'what has to be asked for, written to' put "$L/asked-key"
linked -w outside 'what may only be read, written to' put "$L/outside-key"
cut() { truncate -s 0 "$1"; }
linked -w outside 'truncated' cut "$L/outside-key"
mode() { chmod 4777 "$1"; }
linked -wh outside 'mode' mode "$L/outside-key"
attrs() { setfattr -n user.planted -v x "$1"; }
linked -w outside 'xattr' attrs "$L/outside-key"
run_it() { "$1"; }
linked -rh noexec 'run' run_it "$L/noexec-tool"
linked -r noexec 'a script run' run_it "$L/noexec-script"
mapped() { "$ACTS/read" map-exec-at-once "$1" "$WORD"; }
linked -r noexec 'mapped executable' mapped "$L/noexec-tool"

# ---- what may be changed but not read ----
unread() { cat "$1"; }
linked -r closed 'what may only be written, read' unread "$L/unread"
renumbered() { "$ACTS/fsctl" generation-unread "$1"; cat "$1" "$2"; }
linked -r closed 'given another generation' renumbered "$L/unread" "$WS/unread/key"

# ---- one more name, or another ----
renamed() { mv "$1" "$1.2" && cat "$1.2"; }
linked -rh closed 'the other name renamed' renamed "$L/closed-key"
linked_again() { ln "$1" "$WS/again" && cat "$WS/again"; }
linked -r closed 'linked once more' linked_again "$L/closed-key"
through_fd() { exec 9<"$1" && cat /proc/self/fd/9; }
linked -r closed 'by a descriptor' through_fd "$L/closed-key"
by_symlink() { ln -s "$1" "$WS/sym" && cat "$WS/sym"; }
linked -r closed 'by a symbolic link' by_symlink "$L/closed-key"
directory_moved() { mv "$L/deep" "$L/moved" && cat "$L/moved/er/$1-inner"; }
linked -r closed 'its directory moved' directory_moved closed
mapped_ring() { "$ACTS/uring" read task "$1"; }
linked -r closed 'io_uring' mapped_ring "$L/closed-key"
in_namespace()
{
	mkdir -p "$WS/m" && unshare -Urm bash -c 'mount --bind "$1" "$WS/m" && cat "$WS/m/$2"' sh \
		"$L" "$1-key"
}
linked -r closed 'bind mount' in_namespace closed

[ ! "${CONTROL_ONLY-}" ] || finish
listed() { "$HG" check --links "$T/links.yaml" | grep "$L/closed-key" | grep "${box_at[closed]}/key"; }
links_reset
check '`check --links` lists both names' listed

# ---- what comes later ----
# alone NAME: the agent cannot read closed's key by its name in the workspace.
alone()
{
	local uid

	for uid in 1000 0; do
		if link_try agent $uid closed cat "${2-$L/closed-key}"; then
			not_ok "uid $uid: $1" 'THE ATTACK SUCCEEDS' "$(said)"
		else
			ok "uid $uid: $1"
		fi
	done
}
by=read judge=
links_reset
rm "${box_at[closed]}/key"
alone 'its own name is deleted by somebody outside: it is still that file'
arena_dirty=1
links_reset
sync
echo 3 >/proc/sys/vm/drop_caches
alone 'out of the cache and back'
reload
alone 'after a reload'
sed '/closed/d' "$T/links.yaml" >"$T/open.yaml"
need "$HG" reload --policy "$T/open.yaml" agent
check 'a policy without the rule: the other name opens it' \
	in_cgroup agent 1000 cat "$L/closed-key"
need "$HG" reload --policy "$T/links.yaml" agent
alone 'the rule is back'
agent_attach other "$T/open.yaml"
alone 'beside another agent that may'
check 'the other agent may' in_cgroup other 1000 cat "$L/closed-key"
agent_detach other
alone 'after the other agent is detached'

# ---- under a mount, on a mount of its own, mounted later ----
mkdir -p "$ARENA/closed/covered" && echo "${mark[closed]}" >"$ARENA/closed/covered/key"
ln "$ARENA/closed/covered/key" "$L/covered"
mount -t tmpfs t "$ARENA/closed/covered"
arena_look=$("$ACTS/look" "$ARENA")
reload
alone 'its own name lies below a mount' "$L/covered"
umount "$ARENA/closed/covered"
truncate -s 8M "$T/disk" && mke2fs -q -F "$T/disk" && mkdir -p /srv/later
need mount -o loop "$T/disk" /srv/later
mkdir -p /srv/later/vault && echo "${mark[closed]}" >/srv/later/vault/key
echo fine >/srv/later/fine
ln /srv/later/vault/key /srv/later/alias
# The keeper may be looking at it.
need wait_for 10 umount /srv/later
need mount -o loop "$T/disk" /srv/later
need wait_for 20 in_cgroup agent 1000 cat /srv/later/fine
alone 'on a file system that is mounted later' /srv/later/alias
umount /srv/later

# ---- a reload while the agent hides names from it ----
hiding()
{
	mkdir -p "$WS/hide/a/b" "$WS/hide/c"
	while :; do
		mv "$WS/some/vault" "$WS/hide/a/b/vault" && mv "$WS/hide/a/b/vault" "$WS/some/vault"
		mv "$WS/some" "$WS/hide/some" && mv "$WS/hide/some" "$WS/some"
		cat "$L/floating-key" "$L/outside-key" >/dev/null
		{ : >>"$L/outside-key"; } && echo "$WORD"
		cat "$L/floating-key"
		mv "$L/outside-key" "$L/x"; mv "$L/x" "$L/outside-key"
	done
}
links_reset
for uid in 1000 0; do
	run agent $uid floating timeout 5 bash -c "$(declare -f hiding); hiding" &
	for i in 1 2 3; do reload; done
	wait
	if grep -qF "${mark[floating]}" "$T/out"; then
		not_ok "uid $uid: names moved away during a reload" 'THE ATTACK SUCCEEDS' "$(said)"
	else
		ok "uid $uid: names moved away during a reload"
	fi
	arena_dirty=1
	links_reset
done

# ---- honest use, and things that must not stop a load ----
mkfifo "$L/fifo" && ln "$L/fifo" "${box_at[closed]}/fifo"
mknod "$L/dev" c 10 130 && ln "$L/dev" "${box_at[closed]}/dev"
ln -s nowhere "$L/symlink" && ln "$L/symlink" "${box_at[closed]}/symlink"
check 'fifos, devices and symbolic links with several names' timeout 60 "$HG" reload agent
pairs() { cd "$WS" && echo 1 >p && ln p q && echo 2 >>q && [ "$(wc -l <p)" = 2 ] && rm p q; }
check 'links of its own' in_cgroup agent 1000 bash -c "$(declare -f pairs); pairs"
clones()
{
	cd "$WS" && git init -q repo && cd repo && echo x >f && git add f &&
		git -c user.name=a -c user.email=a@b.test commit -qm 1 && cd .. &&
		git clone -q repo copy && cd copy && git fsck && echo y >>f &&
		git -c user.name=a -c user.email=a@b.test commit -qam 2 && git gc -q
}
check 'git clone with links' in_cgroup agent 1000 bash -c "$(declare -f clones); clones"
reload
check 'a repository with linked objects after a load' \
	in_cgroup agent 1000 git -C "$WS/repo" fsck
away() { rm "$L/closed-key" "$L/closed-tool"; }
check 'deleting the name in the workspace' in_cgroup agent 1000 bash -c "$(declare -f away); away"
# What has the number of a marked file again is another file.
arena_dirty=1
links_reset
ino=$(stat -c %i "$L/closed-key")
rm -f "$L/closed-key" "${box_at[closed]}/key"
again()
{
	for i in {1..200}; do
		echo new >"$WS/n$i"
		[ "$(stat -c %i "$WS/n$i")" != "$1" ] || { cat "$WS/n$i" && echo same; return; }
	done
	echo other
}
in_cgroup agent 1000 bash -c "$(declare -f again); again $ino" >"$T/again"
case $(tail -n 1 "$T/again") in
same) ok 'an inode number used again is another file' ;;
other) skip 'an inode number used again is another file' 'the number was not given again' ;;
*) not_ok 'an inode number used again is another file' "$(cat "$T/again")" ;;
esac
finish
