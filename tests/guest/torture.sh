#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Directories are exchanged between an allowed and a denied place without pause, policies reloaded,
# some of them with the opposite meaning, and file systems mounted, bound and unmounted, while agents
# open files: not one verdict may be of another moment. Longer: torture.sh SECONDS.
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"

SECONDS_LONG=${1:-45}
D=/srv/torture
mkdir -p "$D"/{allow,deny,mnt,bind}
for pair in {allow,deny}/{0,1} mixed/{allow,deny}-{2,3}; do
	mkdir -p "$D/$pair/a/b"
	echo x >"$D/$pair/a/b/file"
done
touch "$D/page"
chmod 666 "$D/page"

# policy NAME CLOSED EXTRA: with CLOSED of the two folders closed.
policy()
{
	cat >"$T/$1.yaml" <<-END
		version: 1
		name: torture
		rules:
		  - allow read,exec /**
		  - allow write $D/page
		  - deny all $D/$2/** $D/mixed/$2-*/** $D/mnt/deny/** $3 [quiet]
	END
}
policy straight deny /nothing
policy straight2 deny /nothing/else
# Other states than the same numbers of the first two stand for.
policy opposite allow '/{a,b}/nothing/**'
policy opposite2 allow '/{a,b}/nothing/{else,more}/**'
for n in 1 2 3; do
	mkdir -p "$CG/torture$n"
	need "$HG" attach --cgroup "$CG/torture$n" --name "torture$n" --policy "$T/straight.yaml"
done
for n in 1 2; do
	LIMIT=3000 in_cgroup "torture$n" 1000 "$ACTS/torture" reader "$D" "$SECONDS_LONG" >"$T/reader$n" 2>&1 &
done
LIMIT=3000 in_cgroup torture3 1000 "$ACTS/torture" prober "$D" "$SECONDS_LONG" >"$T/reader3" 2>&1 &
"$ACTS/torture" new "$D" "$SECONDS_LONG" >"$T/new" 2>&1 &
ready()
{
	grep -q ready "$T/new" && grep -q ready "$T/reader1" && grep -q ready "$T/reader2" && grep -q ready "$T/reader3"
}
need wait_for 60 ready
until=$((EPOCHSECONDS + SECONDS_LONG - 4))
"$ACTS/torture" mover "$D" "$((SECONDS_LONG - 2))" >"$T/mover" 2>&1 &

# reload_all POLICY
reload_all()
{
	local n

	for n in 1 2 3; do
		# The first slot that is free, which was another policy's a moment ago.
		rm -f /run/hydraguard/next-slot
		# Something may have been mounted between reading the policy and loading it.
		"$HG" reload --policy "$T/$1.yaml" "torture$n" || "$HG" reload --policy "$T/$1.yaml" "torture$n" ||
			"$HG" reload --policy "$T/$1.yaml" "torture$n" || return
	done
}
reloading()
{
	local n=0 now=straight next

	while [ "$EPOCHSECONDS" -lt "$until" ]; do
		reload_all "${now}2" || return
		next=opposite
		[ $now = straight ] || next=straight
		"$ACTS/torture" flip "$D" 0
		reload_all $next || return
		"$ACTS/torture" flip "$D" 1
		now=$next
		n=$((n + 6))
		echo "reloads $n"
		sleep 0.5
	done
}
reloading >"$T/reloads" 2>&1 &
mounting()
{
	local n=0 last

	while [ "$EPOCHSECONDS" -lt "$until" ]; do
		mount -t tmpfs t "$D/mnt" && mkdir "$D"/mnt/{deny,allow} &&
			echo x | tee "$D"/mnt/{deny,allow}/file >/dev/null && chmod -R a+rX "$D/mnt" &&
			mount --bind "$D/mnt/deny" "$D/bind" || return
		# Time to be named, for most; sometimes none at all.
		sleep 0.$((RANDOM % 10))
		last=bind
		if [ $((RANDOM % 2)) = 0 ]; then
			last=mnt
			wait_for 5 umount "$D/bind" || return
		else
			umount -l "$D/mnt" || return
			sleep 0.$((RANDOM % 3))
		fi
		umount -l "$D/$last" || return
		n=$((n + 1))
		echo "mounts $n"
	done
}
mounting >"$T/mounts" 2>&1 &
wait

# went_on WHAT LEAST FILE
went_on()
{
	local n

	n=$(sed -n "s/^$1 //p" "$3" | tail -n 1)
	if [ "${n:-0}" -gt "$2" ]; then
		ok "$1: $n"
	else
		not_ok "$1 all the time" "$(cat "$3")"
	fi
}
went_on moves 1000 "$T/mover"
went_on new 50 "$T/new"
went_on reloads 5 "$T/reloads"
went_on mounts 3 "$T/mounts"
for n in 1 2; do
	read -r _ checked _ allowed _ wrong _ new < <(grep ^checked "$T/reader$n")
	if [ "${checked:-0}" -gt 500 ] && [ "$wrong" = 0 ] && [ "$allowed" -gt 50 ] &&
		[ "$allowed" -lt "$((checked - 50))" ] && [ "$new" -gt 100 ]; then
		ok "reader $n: $checked verdicts, $allowed of them allow, $new in new directories, none wrong"
	else
		not_ok "reader $n: no verdict is wrong" "$(cat "$T/reader$n")"
	fi
done
read -r _ refused _ allowed _ wrong < <(grep ^refused "$T/reader3")
if [ "${refused:-0}" -gt 100 ] && [ "$wrong" = 0 ] && [ "$allowed" -gt 10 ]; then
	ok "mounted and unmounted: refused $refused times, opened what is allowed $allowed times, none wrong"
else
	not_ok 'mounted and unmounted: no verdict is wrong' "$(cat "$T/reader3")"
fi
for n in 1 2 3; do
	agent_detach "torture$n"
done

# ---- a slot that was another policy's ----
# opens NAME: what can be read of the two folders, twice, with a rename of something else in between.
opens()
{
	local side

	for side in allow deny; do
		LIMIT=30 in_cgroup slots 1000 cat "$D/$side/0/a/b/file" >/dev/null 2>&1 && echo "$side"
	done
	mv "$D/page" "$D/page2" && mv "$D/page2" "$D/page"
	for side in allow deny; do
		LIMIT=30 in_cgroup slots 1000 cat "$D/$side/0/a/b/file" >/dev/null 2>&1 && echo "$side"
	done
}
mkdir -p "$CG/slots"
need "$HG" attach --cgroup "$CG/slots" --name slots --policy "$T/straight.yaml"
opens >/dev/null
for policy in straight2 opposite opposite2 straight; do
	rm -f /run/hydraguard/next-slot
	need "$HG" reload --policy "$T/$policy.yaml" slots
	want='allow allow'
	[ "${policy%2}" = straight ] || want='deny deny'
	got=$(echo $(opens))
	if [ "$got" = "$want" ]; then ok "in a slot that was another's: $policy"; else
		not_ok "in a slot that was another's: $policy" "opened: $got"
	fi
done
agent_detach slots

# ---- names of one directory: what is kept of one is not another's, nor another policy's ----
mkdir -p "$D/names"
for name in {10..57} "a-name-that-is-longer-than-what-is-kept-"{2,3}; do echo x >"$D/names/$name"; done
# Policies whose states have the same numbers.
for digits in 02468 13579 01234; do
	cat >"$T/$digits.yaml" <<-END
		version: 1
		name: names
		rules:
		  - allow read,exec /**
		  - deny read $D/names/*[$digits] [quiet]
	END
done
# Each name three times, and some again between others.
cat >"$T/reads.sh" <<'END'
names=("$1"/*)
read_it() { read -r _ <"$1" && echo "${1##*/}"; }
for name in "${names[@]}"; do
	read_it "$name"; read_it "$name"; read_it "${names[RANDOM % ${#names[@]}]}"; read_it "$name"
done
END
mkdir -p "$CG/names"
need "$HG" attach --cgroup "$CG/names" --name names --policy "$T/01234.yaml"
set -- 02468:13579:25 13579:02468:25 01234:56789:23
for turn in {1..6}; do
	# One in between, whose slot nobody reads by: the next has the one that was read by last.
	for _ in 1 2; do
		IFS=: read -r digits other n <<<"$1"
		set -- "${@:2}" "$1"
		rm -f /run/hydraguard/next-slot
		need "$HG" reload --policy "$T/$digits.yaml" names
	done
	LIMIT=60 in_cgroup names 1000 bash "$T/reads.sh" "$D/names" >"$T/names" 2>&1
	if ! grep -q "[$digits]\$" "$T/names" && [ "$(sort -u "$T/names" | grep -c "[$other]\$")" = "$n" ]; then
		ok "names of one directory, reload $turn"
	else
		not_ok "names of one directory, reload $turn" "$(sort "$T/names" | uniq -c | head -n 60)"
	fi
done
agent_detach names
finish
