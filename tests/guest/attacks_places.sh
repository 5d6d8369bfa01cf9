#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long: all guest suites together take longer than continuous integration should
# File systems beside the plain ones: overlays, what an agent mounts for itself, what root outside
# mounts and unmounts later.
# These functions run in a shell of their own: $1... are their arguments.
# shellcheck disable=SC2016,SC2317,SC2329
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"

S=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
export P=/srv/p S
export O=$P/over WS=$P/ws
cat >"$T/places.yaml" <<END
version: 1
name: places
rules:
  - allow read,exec /**
  - allow write $P/ws/** $P/over/merged/work/** /dev/{null,fuse}
  - allow write /proc/[0-9]*/{uid_map,gid_map,setgroups}
  - allow use userns mount chroot
  - deny all $P/over/{lower,upper,wd}/** $P/over/merged/private/** $P/closed/**
  - deny all **/vault/**
  - deny read /proc/[0-9]*/environ
END
mkdir -p $P/{closed,ws/m,ws/n,later,src} $O/{lower/{pub,private,work},upper,wd,merged}
for f in $P/closed/key $O/lower/private/key; do echo "$S" >$f; done
echo public >$O/lower/pub/file
echo one | tee $O/lower/work/{low,low2,low3} >/dev/null
ln $O/lower/private/key $O/lower/work/alias
chown -R 1000:1000 $P
chmod 777 $P/ws
need mount -t overlay over -o "lowerdir=$O/lower,upperdir=$O/upper,workdir=$O/wd" $O/merged
modprobe -q fuse
[ ! -e /dev/fuse ] || chmod 666 /dev/fuse
mkdir $P/fuse
"$ACTS/fuse" serve $P/fuse "$S" >"$T/fuse" 2>&1 &
fuse=$!
wait_for 5 mountpoint -q $P/fuse || fuse=
[ "${CONTROL_ONLY-}" ] || for a in agent other; do agent_attach $a "$T/places.yaml"; done

# as WHO UID FUNCTION [ARG...]: output in $T/out.
as()
{
	in_turn "$1" "$2" bash -c "$(declare -f "$3")"$'\n''cd /; "$@"' sh "${@:3}"
	return $code
}

# closed NAME FUNCTION [ARG...]: shows the secret, but to no agent. -u UID: to this user alone; -a: the agent.
closed()
{
	local uids='1000 0' agent=agent uid name

	[ "$1" != -u ] || { uids=$2; shift 2; }
	[ "$1" != -a ] || { agent=$2; shift 2; }
	name=$1
	shift
	for uid in $uids; do
		as control "$uid" "$@"
		if grep -q ^SKIP "$T/out"; then
			skip "uid $uid: $name" "$(sed -n 's/^SKIP //p' "$T/out")"
			continue
		elif ! grep -qF "$S" "$T/out"; then
			not_ok "uid $uid: $name" 'no effect without confinement' "$(said)"
			continue
		fi
		[ ! "${CONTROL_ONLY-}" ] || { ok "uid $uid: $name"; continue; }
		as $agent "$uid" "$@"
		if grep -qF "$S" "$T/out"; then
			not_ok "uid $uid: $name" 'THE ATTACK SUCCEEDS' "$(said)"
		else
			ok "uid $uid: $name"
		fi
	done
}
# works NAME FUNCTION [ARG...]: for an agent of either user.
works()
{
	local uid name=$1

	shift
	for uid in 1000 0; do
		if as agent $uid "$@"; then
			ok "uid $uid: $name"
		else
			not_ok "uid $uid: $name" "$(said)"
		fi
	done
}
mkdir -p "$CG/control"

# ---- FUSE that was there before ----
show() { cat "$1"; }
if [ "$fuse" ]; then
	closed 'FUSE: what a rule closes there' show $P/fuse/vault/key
	shown() { grep -qF "$S" "$1"; }
	[ "${CONTROL_ONLY-}" ] || works 'FUSE: reading' shown $P/fuse/fine
	umount -l $P/fuse
	wait $fuse
else
	skip 'FUSE that was there before' "$(cat "$T/fuse")"
fi

# ---- a known overlay: a container's root ----
closed 'overlay: what a rule closes there' show $O/merged/private/key
closed 'overlay: its lower layer by its own name' show $O/lower/private/key
closed 'overlay: another link to it, made before' show $O/merged/work/alias
moved_out()
{
	mv $O/merged/work/alias $O/merged/work/alias2 && cat $O/merged/work/alias2
	mv $O/merged/work/alias2 $O/merged/work/alias
}
closed 'overlay: the link renamed, which copies it up' moved_out
over_own()
{
	unshare -Urm bash -c 'mount -t overlay o -o "lowerdir=$1:$WS/n" "$WS/m" && cat "$WS/m/key"' sh "$1"
}
closed 'an own overlay over the closed folder' over_own $P/closed
closed 'an own overlay over the layer' over_own $O/lower/private
# Nobody but the agent says what is on it; but it has no name, as an overlay has none.
own_fuse() { unshare -Urm "$ACTS/fuse" own "$WS/m" "$S" "$1"; }
closed 'an own FUSE' own_fuse fine
closed 'an own FUSE: a name that a rule closes' own_fuse vault/key
over_tmpfs()
{
	unshare -Urm bash -c 'mount -t tmpfs t "$WS/n" && mkdir "$WS/n/u" "$WS/n/w" &&
		mount -t overlay o -o "lowerdir=$1,upperdir=$WS/n/u,workdir=$WS/n/w,userxattr" "$WS/m" &&
		{ cat "$WS/m/key"; chmod 644 "$WS/m/key"; : >>"$WS/m/key"; mv "$WS/m/key" "$WS/m/k"
		cat "$WS/n/u/key" "$WS/n/u/k"; }' sh "$1"
}
closed 'an own overlay that copies it up to an own tmpfs' over_tmpfs $P/closed
written() { echo planted >>"$1" && cp "$1" $WS/copy && chmod a+rw $WS/copy; }
for f in $O/merged/pub/file $O/merged/private/key $O/lower/work/low $O/upper/work/low; do
	for uid in 1000 0; do
		[ ! "${CONTROL_ONLY-}" ] || continue
		as agent $uid written $f
		if grep -qs planted $f; then
			not_ok "uid $uid: overlay: writing to $f" 'THE ATTACK SUCCEEDS' "$(said)"
		else
			ok "uid $uid: overlay: writing to $f"
		fi
	done
done
[ ! "${CONTROL_ONLY-}" ] || finish
read_all() { [ "$(cat $O/merged/pub/file)" = public ] && ls $O/merged/pub $O/merged/work; }
works 'overlay: reading and listing' read_all
copied_up()
{
	local f=$O/merged/work/low d=$O/merged/work/d$(id -u)

	echo two >>$f && chmod 664 $f && touch $f && [ "$(head -n 1 $f)" = one ] && mkdir -p $d/e &&
		mv $O/merged/work/low $d/e/ && mv $d/e/low $O/merged/work/low && ln $f $d/l &&
		ln -s l $d/s && echo x >$d/new && truncate -s 1 $d/new && rm -r $d
}
works 'overlay: changing, moving, making and deleting' copied_up
git_there()
{
	cd $O/merged/work && rm -rf r c && export HOME=/nonexistent && git init -q r && cd r &&
		echo x >f && git add f && git -c user.name=a -c user.email=a@b.test commit -qm 1 &&
		git clone -q . ../c && git -C ../c fsck
}
works 'overlay: git' git_there

# ---- what an agent mounts for itself ----
tmpfs_work()
{
	unshare -Urm bash -ec 'mount -t tmpfs t "$WS/m"; cd "$WS/m"; mkdir d; echo x >d/f; mv d e; ln e/f g
		ln -s g h; chmod 600 g; echo y >>h; [ "$(cat e/f)" = "$(printf "x\ny")" ]; rm g
		mkfifo p; setfattr -n user.x -v y e/f || :; truncate -s 0 e/f; rm -r e; git init -q r'
}
works 'own tmpfs: everything but running' tmpfs_work
tmpfs_detached() { unshare -Ur "$ACTS/mounts" own-tmpfs x; }
works 'own tmpfs that is mounted nowhere' tmpfs_detached
tmpfs_sandbox()
{
	unshare -Urm bash -ec 'mount -t tmpfs t "$WS/m"; mkdir "$WS/m/usr" "$WS/m/ws" "$WS/m/o" "$WS/m/proc"
		mount --rbind /usr "$WS/m/usr"; mount --rbind /proc "$WS/m/proc"; ln -s usr/lib usr/lib64 usr/bin "$WS/m"
		mount --bind "$WS" "$WS/m/ws"; cd "$WS/m"; pivot_root . o; cd /; umount -l /o
		echo x >/tmp-file; echo x >/ws/from-sandbox; cat /ws/from-sandbox; rm /ws/from-sandbox'
}
works 'a sandbox of namespaces, its root a tmpfs' tmpfs_sandbox
tmpfs_bound()
{
	unshare -Urm bash -c 'mount -t tmpfs t "$WS/m" && mkdir "$WS/m/c" && mount --bind "$1" "$WS/m/c" &&
		cat "$WS/m/c/key"' sh $P/closed
}
closed 'own tmpfs: a closed folder bound into it' tmpfs_bound
tmpfs_linked()
{
	unshare -Urm bash -c 'mount -t tmpfs t "$WS/m" && ln -s "$1" "$WS/m/l" && cat "$WS/m/l"' sh \
		$P/closed/key
}
closed 'own tmpfs: a symbolic link on it' tmpfs_linked
tmpfs_run()
{
	unshare -Urm bash -c 'mount -t tmpfs t "$WS/m" && printf "#!/bin/sh\necho $S\n" >"$WS/m/x" &&
		chmod 755 "$WS/m/x" && "$WS/m/x"'
}
closed 'own tmpfs: running what was written there' tmpfs_run
own_proc()
{
	unshare -Urpfm --mount-proc bash -c 'exec cat /proc/1/environ'
}
closed 'proc of an own pid namespace: as /proc' own_proc
# One agent's tmpfs is not another's: a descriptor of it leads nowhere.
tmpfs_give()
{
	unshare -Urm bash -c 'mount -t tmpfs t "$WS/m" && echo "$S" >"$WS/m/key" && chmod -R 777 "$WS/m" &&
		cat "$WS/m/key" && exec 9<"$WS/m" && exec sleep 20'
}
for uid in 1000 0; do
	in_cgroup agent $uid bash -c "$(declare -f tmpfs_give); tmpfs_give" >"$T/given" &
	wait_for 10 grep -q "$S" "$T/given"
	giver=$(pgrep -f '^sleep 20$' | tail -n 1)
	exec 8<"/proc/$giver/fd/9"
	if [ "$(cat /proc/self/fd/8/key)" != "$S" ]; then
		not_ok "uid $uid: another agent's tmpfs" 'no effect without confinement'
	elif in_cgroup other $uid cat /proc/self/fd/8/key >"$T/out" 2>"$T/err"; then
		not_ok "uid $uid: another agent's tmpfs" 'THE ATTACK SUCCEEDS' "$(said)"
	else
		ok "uid $uid: another agent's tmpfs"
	fi
	exec 8<&-
	kill "$giver"
	wait
done

# The same of what is mounted nowhere, by its descriptor, by the root and by the working directory of who has it.
for uid in 1000 0; do
	in_cgroup agent $uid unshare -Ur "$ACTS/mounts" hold "$S" >"$T/given" 2>&1 &
	wait_for 10 grep -q "$S" "$T/given" || not_ok "uid $uid: a mount of its own to hold" "$(cat "$T/given")"
	giver=$(tail -n 1 "$CG/agent/cgroup.procs")
	for way in fd/9 cwd; do
		name="uid $uid: another agent's mount that hangs nowhere, by /proc/PID/$way"
		exec 8<"/proc/$giver/$way"
		if [ "$(cat /proc/self/fd/8/key)" != "$S" ]; then
			not_ok "$name" 'no effect without confinement'
		elif in_cgroup other $uid sh -c "cat /proc/self/fd/8/key; cd /proc/self/fd/8 && cat key
			cat /proc/$giver/$way/key" >"$T/out" 2>"$T/err" || grep -qF "$S" "$T/out"; then
			not_ok "$name" 'THE ATTACK SUCCEEDS' "$(said)"
		else
			ok "$name"
		fi
		exec 8<&-
	done
	cgroup_end agent
	wait
done
victim_root()
{
	unshare -Urm bash -c 'mount -t tmpfs t "$WS/m" && echo "$S" >"$WS/m/key" && chmod -R 777 "$WS/m" &&
		cat "$WS/m/key" && cd "$WS/m" && exec sleep 60'
}
export -f victim_root
for uid in 1000 0; do
	in_cgroup agent $uid bash -c victim_root >"$T/given" 2>&1 &
	wait_for 10 grep -q "$S" "$T/given"
	giver=$(tail -n 1 "$CG/agent/cgroup.procs")
	for path in "root$WS/m/key" cwd/key; do
		name="uid $uid: another agent's process, /proc/PID/${path%%/*}"
		in_turn control $uid cat "/proc/$giver/$path"
		if ! grep -qF "$S" "$T/out"; then
			not_ok "$name" 'no effect without confinement' "$(said)"
			continue
		fi
		in_turn other $uid cat "/proc/$giver/$path"
		if grep -qF "$S" "$T/out"; then not_ok "$name" 'THE ATTACK SUCCEEDS' "$(said)"; else ok "$name"; fi
	done
	cgroup_end agent
	wait
done

# ---- attributes of mounts ----
# The agent `mounter` may mount over the machine as well.
sed 's/name: places/name: mounter/; s/use userns mount/use cap:SYS_ADMIN userns mount/' "$T/places.yaml" >"$T/mounter.yaml"
agent_attach mounter "$T/mounter.yaml"
idmapped() { "$ACTS/mounts" idmapped "$1"; }
closed -u 0 'files that are somebody else'"'"'s by a mount' idmapped $P/closed
closed -u 0 -a mounter 'files that are somebody else'"'"'s by a mount, where mounting is allowed' idmapped $P/closed
handled() { "$ACTS/mounts" handle "$1"; }
closed -u 0 'a handle on a mount that hangs nowhere' handled $P/closed
closed -u 0 -a mounter 'a handle on a mount that hangs nowhere, where mounting is allowed' handled $P/closed
echo open >$WS/idmapped && mkdir -p $WS/free && echo "$S" >$WS/free/key && chown -R 1000:1000 $WS/free
as mounter 0 idmapped $WS/free
check 'honest: such a mount of what may be read' grep -qF "$S" "$T/out"
mkdir -p $WS/fixed && mount -t tmpfs -o mode=777 t $WS/fixed && echo x >$WS/fixed/f && chmod 666 $WS/fixed/f
made_writable() { "$ACTS/mounts" "$1" $WS/fixed f "$S"; }
mount -o remount,bind,ro $WS/fixed
closed -u 0 'a read-only mount made writable' made_writable writable
mount -o remount,bind,rw $WS/fixed
read_only() { mount -o remount,ro $WS/fixed && mount -o remount,bind,rw $WS/fixed; }
read_only
as control 0 made_writable writable-picked
check 'a read-only file system made writable: without confinement' grep -qF "$S" "$T/out"
read_only
as agent 0 made_writable writable-picked
check 'uid 0: a read-only file system made writable' sh -c "! grep -qF '$S' '$T/out'"
umount $WS/fixed
agent_detach mounter >/dev/null

# ---- what root outside mounts and unmounts while agents run ----
sees() { in_cgroup agent 1000 grep -q fine "$1" 2>/dev/null; }
fill() { mkdir -p "$1/vault" && echo "$S" >"$1/vault/key" && echo fine >"$1/fine" && chmod -R a+rX "$1"; }
mount -t tmpfs t $P/later && fill $P/later
check 'mounted later: named after a while' wait_for 20 sees $P/later/fine
closed 'mounted later: closed by a floating rule' show $P/later/vault/key
mount --bind $P/closed $WS/n
closed 'a closed folder bound into the workspace by root' show $WS/n/key
need wait_for 10 umount $WS/n
mount --bind $P/later/vault $WS/n
closed 'a part of a file system bound elsewhere' show $WS/n/key
umount -l $P/later
closed 'its first mount gone' show $WS/n/key
need wait_for 10 umount $WS/n
mount -t tmpfs t $P/later && fill $P/later
check 'another one at the same place: named' wait_for 20 sees $P/later/fine
closed 'another one at the same place' show $P/later/vault/key
need wait_for 10 umount $P/later
need wait_for 10 umount $O/merged
closed 'an overlay unmounted: its layer stays closed' show $O/lower/private/key
mount -t overlay over -o "lowerdir=$O/lower,upperdir=$O/upper,workdir=$O/wd" $O/merged
over_again() { in_cgroup agent 1000 grep -q public $O/merged/pub/file 2>/dev/null; }
check 'an overlay mounted again: named' wait_for 20 over_again
closed 'an overlay mounted again' show $O/merged/private/key
works 'an overlay mounted again: changing' copied_up

# ---- names that are none ----
unlinked() { exec 9<>$WS/gone && rm $WS/gone && echo x >&9 && cat /proc/self/fd/9; }
works 'a file of its own without a name' unlinked
finish
