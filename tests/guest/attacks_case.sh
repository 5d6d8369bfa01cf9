#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long: all guest suites together take longer than continuous integration should
# File systems that take other spellings of a name for the name: a file that a rule denies is asked for
# by another case, by its short name, and made, moved and run by them.
# shellcheck disable=SC2016,SC2317,SC2329
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"

WORD=the-secret-word
modprobe -q vfat
modprobe -q nls_ascii nls_iso8859-1 nls_cp437 2>/dev/null
mkdir -p /srv/fat /srv/fold
fat_make /scratch/fat.img
need mount -o loop,uid=1000,umask=000 /scratch/fat.img /srv/fat
need truncate -s 64M /scratch/fold.img
need mkfs.ext4 -q -O casefold /scratch/fold.img
need mount -o loop /scratch/fold.img /srv/fold
chmod 777 /srv/fold
need mkdir /srv/fold/folded /srv/fold/links /srv/fold/plain
need chattr +F /srv/fold/folded /srv/fold/links
chmod 777 /srv/fold/links
fill()
{
	local dir

	for dir in /srv/fat /srv/fold/folded /srv/fold/plain; do
		mkdir -p "$dir/open" "$dir/box/deep"
		echo "$WORD" >"$dir/secret-of-somebody.txt"
		echo "$WORD" >"$dir/box/deep/inner"
		echo hello >"$dir/open/note"
		cp /bin/true "$dir/a-denied-tool"
		chmod -R a+rwX "$dir"
		chmod a+rx "$dir/a-denied-tool"
	done
	sync
	# What a name was first looked up by would be kept.
	echo 3 >/proc/sys/vm/drop_caches
}

# policy EXTRA...
policy()
{
	cat <<-'END'
		version: 1
		name: spelling
		rules:
		  - allow read,exec /**
		  - allow write /srv/fat/** /srv/fold/**
		  - deny all /srv/{fat,fold/folded,fold/plain}/{secret-of-somebody.txt,a-denied-tool,box/**}
	END
}
policy >"$T/closed.yaml"
cat >"$T/open.yaml" <<-'END'
	version: 1
	name: spelling-open
	rules:
	  - allow read,exec /**
	  - allow write /srv/fat/** /srv/fold/**
END
# What others write there the agent may not read, but it may make anything.
cat >"$T/links.yaml" <<-'END'
	version: 1
	name: spelling-links
	rules:
	  - allow read,exec /**
	  - allow write /srv/fold/**
	  - deny read /**/later/**
END
fill
mkdir -p "$CG/agent" "$CG/open" "$CG/links" "$CG/control"
agent_attach agent "$T/closed.yaml"
agent_attach links "$T/links.yaml"
agent_attach open "$T/open.yaml"

# spelled NAME DIR CMD...: gains nothing in the agent, and works without confinement.
spelled()
{
	local name=$1 uid
	shift

	for uid in 1000 0; do
		echo 3 >/proc/sys/vm/drop_caches
		if ! "$@" control "$uid"; then
			not_ok "uid $uid: $name" 'gains nothing without confinement either'
			continue
		fi
		fill
		if "$@" agent "$uid"; then not_ok "uid $uid: $name" 'THE ATTACK SUCCEEDS'; else
			ok "uid $uid: $name"
		fi
		fill
	done
}
reads() { in_cgroup "$2" "$3" cat "$1" 2>/dev/null | grep -q "$WORD"; }
runs() { in_cgroup "$2" "$3" "$1" 2>/dev/null; }
removes() { in_cgroup "$2" "$3" rm -f "$1" 2>/dev/null; [ ! -e "$1" ]; }
writes() { in_cgroup "$2" "$3" sh -c 'echo changed >>"$1"' sh "$1" 2>/dev/null; grep -q changed "$1"; }
# moves FROM TO READ: moved there, it can be read.
moves()
{
	in_cgroup "$4" "$5" mv "$1" "$2" 2>/dev/null
	in_cgroup "$4" "$5" cat "$3" 2>/dev/null | grep -q "$WORD"
}

for dir in /srv/fat /srv/fold/folded; do
	spelled "$dir: as it is" reads "$dir/secret-of-somebody.txt"
	spelled "$dir: another case" reads "$dir/SECRET-of-Somebody.TXT"
	spelled "$dir: below a directory in another case" reads "$dir/BOX/deep/inner"
	spelled "$dir: below two" reads "$dir/Box/Deep/inner"
	if [ $dir = /srv/fat ]; then
		spelled "$dir: its short name" reads "$dir/SECRET~1.TXT"
		spelled "$dir: a dot behind" reads "$dir/secret-of-somebody.txt."
	fi
	spelled "$dir: running it in another case" runs "$dir/A-Denied-Tool"
	spelled "$dir: removed in another case" removes "$dir/SECRET-of-somebody.txt"
	spelled "$dir: written in another case" writes "$dir/SECRET-of-somebody.txt"
	spelled "$dir: moved away in another case" moves "$dir/SECRET-of-somebody.txt" "$dir/open/x" "$dir/open/x"
	spelled "$dir: its directory moved in another case" moves "$dir/BOX" "$dir/open/box2" "$dir/open/box2/deep/inner"
	for uid in 1000 0; do
		if in_cgroup open "$uid" cat "$dir/OPEN/Note" | grep -q hello &&
			in_cgroup open "$uid" sh -c 'echo y >"$1/open/own" && mv "$1/open/own" "$1/open/own2" &&
				rm "$1/open/own2"' sh "$dir"; then
			ok "uid $uid: $dir: where all names have the same rights, all work"
		else
			not_ok "uid $uid: $dir: where all names have the same rights, all work"
		fi
	done
done
dir=/srv/fold/plain
spelled "$dir: as it is" reads "$dir/secret-of-somebody.txt"
spelled "$dir: moved into a directory that takes any case" moves "$dir/secret-of-somebody.txt" \
	/srv/fold/folded/open/x /srv/fold/folded/open/X
for uid in 1000 0; do
	if in_cgroup agent "$uid" cat "$dir/open/note" | grep -q hello; then
		ok "uid $uid: beside it, in a directory where case matters, rules on names hold"
	else
		not_ok "uid $uid: beside it, in a directory where case matters, rules on names hold"
	fi
done

# ---- what is told of it ----
"$HG" check "$T/closed.yaml" >"$T/checked" 2>&1
check 'check warns where rules tell names apart' \
	grep -q "closed.yaml:5:5: warning: on /srv/fat a name has other spellings" "$T/checked"
"$HG" check "$T/open.yaml" >"$T/checked" 2>&1
check 'and not where they do not' sh -c "! grep -q 'other spellings' $T/checked"
for path in /srv/fat/open/note /srv/fold/folded/open/note /srv/fold/plain/open/note; do
	for uid in 1000 0; do
		said=$("$HG" explain --policy "$T/closed.yaml" read $path)
		in_cgroup agent $uid cat $path >"$T/out" 2>/dev/null && does=allow || does=deny
		check "uid $uid: explain says what is done: $path" [ "${said%% *}" = $does ]
	done
done
"$HG" explain --policy "$T/closed.yaml" read /srv/fat/x >"$T/explained"
check 'and why: FAT' grep -q 'by spelling:' "$T/explained"
"$HG" explain --json --policy "$T/closed.yaml" write /srv/fold/folded/x/y >"$T/explained"
check 'and why: a folder' sh -c "jq -e 'all(.results[]; .reason == \"spelling\" and .verdict == \"deny\")' $T/explained"
check 'allowed there is what all have' "$HG" explain --policy "$T/open.yaml" write /srv/fat/X/y

# ---- what others write, led elsewhere by a link that is there before ----
# leads LINK MOVED CGROUP UID: LINK, made by the agent and moved (-: not), takes what somebody writes below `later`.
leads()
{
	local cgroup=$3 uid=$4 link=$1 moved=$2

	rm -rf /srv/fold/links/* /srv/fold/plain/open/note
	in_cgroup "$cgroup" "$uid" ln -s /srv/fold/plain/open "/srv/fold/links/$link" 2>/dev/null
	[ "$moved" = - ] || in_cgroup "$cgroup" "$uid" mv -T "/srv/fold/links/$link" "/srv/fold/links/$moved" 2>/dev/null
	mkdir -p /srv/fold/links/later 2>/dev/null
	echo "$WORD" >/srv/fold/links/later/note
	in_cgroup "$cgroup" "$uid" cat /srv/fold/plain/open/note 2>/dev/null | grep -q "$WORD"
}
for uid in 1000 0; do
	for how in 'later -' 'LATER -' 'other LATER'; do
		# shellcheck disable=SC2086
		if ! leads $how control "$uid"; then
			not_ok "uid $uid: a link for what is written later: $how" 'gains nothing without confinement either'
		elif leads $how links "$uid"; then
			not_ok "uid $uid: a link for what is written later: $how" 'THE ATTACK SUCCEEDS'
		else
			ok "uid $uid: a link for what is written later: $how"
		fi
	done
	rm -rf /srv/fold/links/*
	if in_cgroup links "$uid" sh -c 'cd /srv/fold/links && echo x >own && mv own own2 && mkdir dir && mv dir dir2'; then
		ok "uid $uid: files and directories there can be made and moved"
	else
		not_ok "uid $uid: files and directories there can be made and moved"
	fi
	if in_cgroup open "$uid" ln -s nowhere /srv/fold/links/link; then
		ok "uid $uid: a link where all names have the same rights"
	else
		not_ok "uid $uid: a link where all names have the same rights"
	fi
done
finish
