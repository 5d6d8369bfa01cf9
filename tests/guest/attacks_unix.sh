#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long: all guest suites together take longer than continuous integration should
# Unix sockets: reaching what no rule allows, by every call and every name, judged by what the
# listener received; and standing in for a service, judged by what its client told the agent.
# shellcheck disable=SC2016
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"

D=/srv/unix
LIMIT=30
S=$ACTS/sockets
NINETY=$(printf 'n%.0s' {1..90})
export D S NINETY
got=$T/received
mkdir -p "$D" "$CG/control"
chmod 777 "$D"
: >"$got"

serving=()
for type in stream seqpacket dgram; do
	for name in closed open; do
		serving+=("$type" "$D/$name.$type" "$type" "@$name.$type")
	done
done
"$S" serve "$got" "${serving[@]}" stream "@c~l"$'\xff'osed stream "@o~p"$'\xff'en \
	stream "@${NINETY}yes" stream "@${NINETY}not" stream "$D/quiet.s" stream "$D/told.s" stream '@quiet.s' >"$T/serve" &
need wait_for 5 grep -q serving "$T/serve"
chown -R 1000:1000 "$D"

agent_attach agent "$POLICIES/sockets.yaml"
for name in second friend; do
	agent_attach $name "$POLICIES/sockets.yaml"
done

# The listener writes a moment after the sender has gone.
received()
{
	local _

	for _ in 1 2 3 4 5 6; do
		grep -q "$1" "$got" && return
		sleep 0.05
	done
	return 1
}

n_words=0
# reach WHO UID closed|open SCRIPT: the script runs with % as the name; did its word arrive?
reach()
{
	n_words=$((n_words + 1))
	WORD=word-$n_words- in_cgroup "$1" "$2" bash -c "export WORD; ${4//%/$3}" >"$T/out" 2>&1
	code=$?
	received "word-$n_words-"
}

# attack NAME SCRIPT
attack()
{
	local uid name honest=open

	for uid in ${uids-1000 0}; do
		name="uid $uid: $1"
		if ! reach control "$uid" closed "$2"; then
			if [ $code = 77 ]; then
				skip "$name" "$(grep -a SKIP "$T/out" | head -n 1)"
			else
				not_ok "$name" 'nothing arrives without confinement' "$(cat "$T/out")"
			fi
		elif reach agent "$uid" closed "$2"; then
			not_ok "$name" 'THE ATTACK SUCCEEDS' "$(cat "$T/out")"
		elif [ "$honest" ] && ! reach agent "$uid" open "$2"; then
			not_ok "$name" 'the honest use does not work' "$(cat "$T/out")" \
				"$("$HG" tail --agent agent | tail -n 3)"
		else
			ok "$name"
		fi
		honest=${honest_each-}
	done
}

# ---- every call ----
for type in stream seqpacket dgram; do
	attack "$type, connect to a path" '"$S" send '$type' $D/%.'$type' $WORD'
	attack "$type, connect to an abstract name" '"$S" send '$type' @%.'$type' $WORD'
done
attack 'sendto, path' '"$S" sendto $D/%.dgram $WORD'
attack 'sendto, abstract' '"$S" sendto @%.dgram $WORD'
attack 'sendmmsg, the first to an own socket' '"$S" sendmmsg $D/own$$ $D/%.dgram $WORD'
attack 'reconnected from an own socket' '"$S" reconnect $D/own$$ $D/%.dgram $WORD'
attack 'by a socket that has a name' '"$S" named $D/%.dgram $WORD'
for mode in task worker poll; do
	attack "io_uring ($mode), connect" '"$ACTS/uring" unix '$mode' $D/%.stream $WORD'
done
attack 'io_uring, sendmsg' '"$ACTS/uring" unix-dgram task $D/%.dgram $WORD'
attack 'abstract name with NUL and bytes' '
	[ % = open ] && a=$(printf "@o~p\xffen") || a=$(printf "@c~l\xffosed"); "$S" send stream "$a" $WORD'

attack 'a long abstract name' '[ % = open ] && e=yes || e=not; "$S" send stream "@$NINETY$e" $WORD'

# ---- every name ----
attack 'a symbolic link' 'ln -sf $D/%.stream $D/l; "$S" send stream $D/l $WORD; rm $D/l'
attack 'a hard link that looks allowed' '
	ln -f $D/%.stream $D/open.link; "$S" send stream $D/open.link $WORD; c=$?; rm -f $D/open.link; exit $c'
attack 'renamed to an allowed name' '
	mv $D/%.dgram $D/open.moved && { "$S" sendto $D/open.moved $WORD; mv $D/open.moved $D/%.dgram; }'
attack 'through /proc/self/root, ..' '"$S" send stream /proc/self/root/tmp/..$D/%.stream $WORD'
attack 'from the folder itself' 'cd $D && "$S" send stream %.stream $WORD'
attack 'bind mount in a namespace' '
	unshare -rm sh -c "mkdir -p /tmp/b && mount --bind $D /tmp/b && $S send stream /tmp/b/%.stream $WORD"'
attack 'bind mount onto an allowed name' '
	touch $D/open.m; unshare -rm sh -c "mount --bind $D/%.stream $D/open.m && $S send stream $D/open.m $WORD"'
attack 'in an own network namespace' 'unshare -rn "$S" send stream $D/%.stream $WORD'
attack 'by a daemon in a session of its own' '
	setsid -f "$S" send stream $D/%.stream $WORD; sleep 0.2'
uids=0 attack 'in a chroot' 'chroot / "$S" send stream $D/%.stream $WORD'

# ---- own sockets: whatever they are called ----
own()
{
	local uid name=$1

	for uid in 1000 0; do
		if in_cgroup agent $uid bash -c "$2" >"$T/out" 2>&1 && grep -q hello "$T/out"; then
			ok "uid $uid: own: $name"
		else
			not_ok "uid $uid: own: $name" "$(cat "$T/out")" \
				"$("$HG" tail --agent agent | tail -n 3)"
		fi
	done
}
for type in stream seqpacket dgram; do
	own "$type on a path that others are denied" '"$S" own '$type' $D/quiet.own hello'
	own "$type, abstract" '"$S" own '$type' @mine.'$type' hello'
done
own 'on a tmpfs of its own' 'unshare -rm sh -c "
	mkdir -p /tmp/t && mount -t tmpfs t /tmp/t && $S own stream /tmp/t/s hello"'
own 'socket pairs' '"$S" pair hello'
own 'a name of the kernel'\''s choice' '"$S" autobind && echo hello'
own 'node, an HTTP server on a socket' 'node -e "
	const h = require(\"http\"), p = \"/tmp/n\" + process.pid;
	const s = h.createServer((q, r) => r.end(\"hello\")).listen(p, () =>
		h.get({socketPath: p}, r => r.on(\"data\", d => { console.log(\"\" + d); s.close(); })));"'
own 'python multiprocessing manager' 'python3 -c "
import multiprocessing as m
if __name__ == \"__main__\":
    with m.Manager() as x: print(x.list([\"hello\"])[0])"'
mkdir -p "$CG/agent/child"
in_cgroup agent/child 1000 "$S" take stream "$D/deeper" 5 >"$T/take" 2>&1 &
wait_for 3 grep -q taken "$T/take"
check 'own: made in a cgroup below' in_cgroup agent 1000 "$S" send stream "$D/deeper" hello
wait $!
rmdir "$CG/agent/child"

# ---- other agents ----
# reaches WHO UID OTHER TYPE ADDRESS: what WHO sends to what OTHER stands at
reaches()
{
	local seen=1

	in_cgroup "$3" 1000 "$S" take "$4" "$5" 5 >"$T/take" 2>&1 &
	wait_for 3 grep -q taken "$T/take"
	in_cgroup "$1" "$2" "$S" send "$4" "$5" hello >"$T/out" 2>&1
	wait_for 1 grep -q hello "$T/take" && seen=0
	cgroup_end "$3"
	wait $! 2>/dev/null
	rm -f "$5"
	return $seen
}
# others NAME TYPE ADDRESS: `second` and `friend` each stand there; only the friend is reached.
others()
{
	local uid name

	for uid in 1000 0; do
		name="uid $uid: another agent, $1"
		if ! reaches control $uid second "$2" "$3"; then
			not_ok "$name" 'nothing arrives without confinement' "$(cat "$T/take" "$T/out")"
		elif reaches agent $uid second "$2" "$3"; then
			not_ok "$name" 'THE ATTACK SUCCEEDS' "$(cat "$T/take" "$T/out")"
		elif ! reaches agent $uid friend "$2" "$3"; then
			not_ok "$name" 'the honest use does not work' "$(cat "$T/take" "$T/out")"
		else
			ok "$name"
		fi
	done
}
others 'stream, at a path that is allowed' stream "$D/open.other"
others 'datagrams, at a path that is allowed' dgram "$D/open.other"
others 'an abstract name that is allowed' stream @open.other

# A process of the agent in another agent's cgroup: what it made there would be taken for the other's.
in_cgroup agent 0 bash -c 'echo $$; read -rt 5 <>/dev/zero -n 0; sleep 1; exec "$S" take stream $D/stray 3' \
	>"$T/stray" 2>&1 &
wait_for 3 grep -q '[0-9]' "$T/stray"
head -n 1 "$T/stray" >"$CG/second/cgroup.procs"
sleep 1.3
in_cgroup second 0 "$S" send stream "$D/stray" secret >"$T/out" 2>&1
sleep 0.1
if grep -q secret "$T/stray"; then
	not_ok 'a stray makes no sockets for another agent' "$(cat "$T/stray")"
else
	ok 'a stray makes no sockets for another agent'
fi
kill $! 2>/dev/null

# ---- standing in for a service ----
# is_told WHO NAME: does the service's client, outside, talk to WHO, which ends?
is_told()
{
	local told=1

	"$S" send stream "$2" password >/dev/null 2>&1
	wait_for 1 grep -q password "$T/take" && told=0
	cgroup_end "$1"
	wait $! 2>/dev/null
	return $told
}
# stand_in WHO UID NAME
stand_in()
{
	in_cgroup "$1" "$2" "$S" take stream "$3" 3 >"$T/take" 2>&1 &
	wait_for 1 grep -q taken "$T/take"
	is_told "$1" "$3"
}
for uid in 1000 0; do
	if ! stand_in control $uid @service; then
		not_ok "uid $uid: taking a service's abstract name" 'control' "$(cat "$T/take")"
	elif stand_in agent $uid @service; then
		not_ok "uid $uid: taking a service's abstract name" 'THE ATTACK SUCCEEDS'
	elif ! stand_in agent $uid @mine.service; then
		not_ok "uid $uid: taking a service's abstract name" 'honest use' "$(cat "$T/take")"
	else
		ok "uid $uid: taking a service's abstract name"
	fi
done
# The same by a path in a folder that is everybody's, as PostgreSQL has it: bound there, or moved there.
# moved_in WHO UID PATH
moved_in()
{
	in_cgroup "$1" "$2" bash -c 'rm -f "$0.x"; "$S" take stream "$0.x" 3 & sleep 0.5; mv "$0.x" "$0"; wait' \
		"$3" >"$T/take" 2>&1 &
	wait_for 3 test -S "$3"
	is_told "$1" "$3"
}
for way in stand_in moved_in; do
	for uid in 1000 0; do
		name="uid $uid: taking a service's path ($way)"
		rm -f /tmp/.s.PGSQL.5432*
		if ! $way control $uid /tmp/.s.PGSQL.5432; then
			not_ok "$name" 'control' "$(cat "$T/take")"
			continue
		fi
		rm -f /tmp/.s.PGSQL.5432* /tmp/mine.sock*
		if $way agent $uid /tmp/.s.PGSQL.5432; then
			not_ok "$name" 'THE ATTACK SUCCEEDS' "$(cat "$T/take")"
		elif ! $way agent $uid /tmp/mine.sock; then
			not_ok "$name" 'honest use' "$(cat "$T/take")"
		else
			ok "$name"
		fi
	done
done

# ---- after a change of policy ----
in_cgroup agent 1000 "$S" repeat "$D/open.dgram" steady 4 &
need received steady
sed 's/allow unix .*/deny unix *\/**/;s/ \*\/\*\*/ \/srv\/**/' "$POLICIES/sockets.yaml" >"$T/less.yaml"
cp "$POLICIES/sockets.yaml" "$T/more.yaml"
agent_attach changing "$T/more.yaml"
in_cgroup changing 1000 "$S" repeat "$D/open.dgram" until-now 4 &
need received until-now
cp "$T/less.yaml" "$T/more.yaml"
need "$HG" reload changing
sleep 0.3
before=$(grep -c until-now "$got")
sleep 0.5
check 'a connected datagram socket obeys the next policy' test "$before" = "$(grep -c until-now "$got")"
agent_detach changing

# ---- the record ----
last()
{
	sleep 0.3
	"$HG" tail --json --agent agent | tail -n 1 | jq -e "$1"
}
in_cgroup agent 1000 "$S" send stream "$D/closed.stream" x 2>/dev/null
check 'event: unix.connect with the path' last '.event == "unix.connect" and
	.file.path == "/srv/unix/closed.stream" and .hydraguard.verdict == "denied" and
	.hydraguard.reason == "default"'
in_cgroup agent 1000 "$S" send stream "@c~l"$'\xff'osed x 2>/dev/null
check 'event: the abstract name, every byte' last '.server.address == "@c\u0000l\ufffdosed" and
	.server.address_b64 == "QGMAbP9vc2Vk" and .network.transport == "unix"'
check 'event: shown with escapes' sh -c "'$HG' tail --agent agent | tail -n 1 | grep -F '@c\\x00l\\xffosed'"
in_cgroup agent 1000 "$S" send stream "$D/told.s" x
check 'event: allowed and told' last '.hydraguard.verdict == "allowed" and
	.security_rule.name == "allow unix /srv/unix/told.* [log]"'
in_cgroup agent 1000 "$S" send stream "$D/quiet.s" x 2>/dev/null
check 'a quiet denial is counted, not told' last '.file.path != "/srv/unix/quiet.s"'
in_cgroup agent 1000 "$S" take stream @other 1 2>/dev/null
check 'event: unix.listen' last '.event == "unix.listen" and .server.address == "@other"'
sed 's/^name:.*/name: sockets\nmode: audit/' "$POLICIES/sockets.yaml" >"$T/audit.yaml"
agent_attach audited "$T/audit.yaml"
in_cgroup audited 1000 "$S" send stream "$D/closed.stream" audited-word
check 'audit: it arrives' received audited-word
sleep 0.3
check 'audit: and is told' sh -c "'$HG' tail --json --agent audited |
	jq -e 'select(.file.path == \"/srv/unix/closed.stream\") | .hydraguard.verdict == \"audited\"'"
agent_detach audited
check 'explain: a path' "$HG" explain --policy "$POLICIES/sockets.yaml" unix "$D/open.x"
check 'explain: an abstract name' "$HG" explain --policy "$POLICIES/sockets.yaml" unix '@o\x00p\xffen'
for name in agent second friend; do
	agent_detach $name
done
kill %1
finish
