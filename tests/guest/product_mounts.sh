#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Rules on paths below bind mounts: what check and explain say, and what is enforced.
# shellcheck disable=SC2016
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"

W=/srv/bound
mkdir -p $W/{a/x,b,c,ws,real,t,sub,later,top/b,keys,free} /home/agent/.ssh $W/a/m
mount --make-rprivate /
for f in a/x/key a/m/key c/key keys/id real/f free/f; do echo the-secret >$W/$f; done
mount --bind $W/a $W/b                      # a part of the same superblock
mount --bind $W/b $W/top/b                  # and that again
mount --bind $W/keys /home/agent/.ssh       # what a floating rule means
mount --bind $W/real $W/ws                  # a workspace
mount -t tmpfs none $W/t && mkdir -p $W/t/in && echo the-secret >$W/t/in/key
mount --bind $W/t/in $W/sub                 # a part of another superblock
mount -t tmpfs none $W/b/m && echo the-secret >$W/b/m/key   # on the mount; hides a/m
chown -R agent $W /home/agent/.ssh
cat >$W/policy.yaml <<'END2'
version: 1
name: bound
workspace: /srv/bound/ws
rules:
  - allow read,exec /**
  - allow write /dev/null ${workspace}/**
  - deny read /srv/bound/b/x/** /srv/bound/sub/**
  - deny read **/.ssh/**
  - deny read /srv/bound/later/**
END2

# read_by UID PATH: can it be read in agent `one`?
read_by() { in_cgroup one "$1" cat "$2" 2>/dev/null | grep -q the-secret; }
# closed NAME PATH: to nobody; open NAME PATH: to both.
closed() { for u in 1000 0; do check "$1, as $u" not read_by $u "$2"; done; }
open() { for u in 1000 0; do check "$1, as $u" wait_for 5 read_by $u "$2"; done; }
not() { ! "$@"; }
explain() { "$HG" explain --policy $W/policy.yaml "$@"; }

check 'check: says what a bind mount is' sh -c "$HG check $W/policy.yaml |
	grep -q 'policy.yaml:7:15: note: .*/srv/bound/b is another mount of /srv/bound/a'"
check 'check: without privilege as well' setpriv --reuid 1000 --regid 1000 --clear-groups sh -c \
	"$HG check $W/policy.yaml | grep -q 'another mount of /srv/bound/a'"
check 'explain: the name as the kernel has it' sh -c "! $HG explain --policy $W/policy.yaml \
	read /srv/bound/top/b/x/key >$T/explained"
check 'explain: and by which mount' grep -q 'deny read /srv/bound/top/b/x/key (/srv/bound/a/x/key)' "$T/explained"
check 'explain: and by which rule' grep -q 'policy.yaml:7' "$T/explained"
check 'explain: what is allowed' explain read $W/top/b/other
check 'explain: in the workspace' explain write $W/ws/new
check 'explain: by the workspace'\''s name' explain write $W/real/new
check 'explain: a write is told once' sh -c \
	"[ \$($HG explain --policy $W/policy.yaml write /srv/bound/c/x | grep -c '^deny') = 1 ]"

agent_attach one $W/policy.yaml
closed 'a denial: the path as written' $W/b/x/key
closed 'a denial: the name of it' $W/a/x/key
closed 'a denial: another mount of it' $W/top/b/x/key
open 'beside it' $W/c/key
open 'what is mounted on the mount' $W/b/m/key
open 'what that hides' $W/a/m/key
closed 'a part of another file system' $W/sub/key
closed 'the same by its name' $W/t/in/key
closed 'a floating rule' /home/agent/.ssh/id
closed 'the same by its name' $W/keys/id
check 'the workspace can be written' in_cgroup one 1000 touch $W/ws/made
check 'by its name too' in_cgroup one 1000 touch $W/real/made2
check 'and nothing else' not in_cgroup one 1000 touch $W/c/made
# A namespace of its own gives no other name.
check 'a bind mount of its own' not in_cgroup one 0 unshare -m sh -c \
	"mount --bind $W/a $W/free && cat $W/free/x/key"

# ---- mounts that come later ----
open 'before it is mounted' $W/free/f
mount --bind $W/free $W/later
later() { not read_by 1000 $W/free/f && not read_by 0 $W/later/f; }
check 'a later bind mount: the rule is followed to it' wait_for 10 later
check 'a later bind mount: told' wait_for 5 sh -c "$HG tail --json -n 30 |
	jq -e -s 'map(select(.event == \"policy.loaded\" and .hydraguard.generation == 2)) | length > 0'"
closed 'and the old rules hold' $W/top/b/x/key
umount $W/later
check 'unmounted again: the name is free again' wait_for 10 read_by 1000 $W/free/f
sed -i 's#- allow read,exec /\*\*#- allow read,exec,attr /**#' $W/policy.yaml
mount --bind $W/free $W/later
check 'an edited policy is not loaded for a mount: told' wait_for 10 sh -c "$HG tail --json -n 30 |
	jq -e -s 'map(select(.event == \"policy.rejected\" and (.hydraguard.message | contains(\"reload\")))) | length > 0'"
check 'and it stays as it is' read_by 1000 $W/free/f
need "$HG" reload one
closed 'until it is reloaded' $W/free/f

# The mount that names a superblock goes: the next one does.
umount -l $W/t
closed 'a superblock that is named anew' $W/sub/key
# Three mounts, of which the last is closed; the one that names them goes.
mkdir -p $W/n1 $W/n2 $W/later2
mount -t tmpfs none $W/n1 && echo the-secret >$W/n1/f
mount --bind $W/n1 $W/n2
open 'a new file system, mounted twice' $W/n2/f
mount --bind $W/n1 $W/later
check 'and a third time: closed' wait_for 10 not read_by 1000 $W/n2/f
gone() { for _ in {1..40}; do read_by 1000 $W/n2/f && return 1; done; true; }
umount -l $W/n1
check 'named anew, it is closed all the time' gone
check 'and by the rule' wait_for 5 sh -c "$HG tail --json -n 5 |
	jq -e -s 'map(select(.file.path == \"$W/n2/f\" and .hydraguard.reason == \"rule\")) | length > 0'"
finish
