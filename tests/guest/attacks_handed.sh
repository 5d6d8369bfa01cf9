#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long: all guest suites together take longer than continuous integration should
# Sockets that change hands, before and after they have a port; rings; and networks within the network.
# Judged by what was received.
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"

L=($PYTHON "$SRC/tests/acts/local.py")
GO=$T/go
mkdir -p "$CG/control" "$GO"
chmod 777 "$GO"
ip link set lo up

# policy NAME RULE...
policy()
{
	local name=$1
	shift

	{
		printf 'version: 1\nname: %s\nrules:\n' "$name"
		printf '  - %s\n' 'allow read,exec /**' "allow write /dev/null $GO/**" \
			"allow unix $GO/** agent:*" 'allow use io_uring' "$@"
	} >"$T/$name.yaml"
	agent_attach "$name" "$T/$name.yaml"
}
if [ ! "${CONTROL_ONLY-}" ]; then
	policy giver 'allow listen 127.0.0.1:7100-7199' 'allow connect 127.0.0.1:9/udp'
	policy deaf
	policy hears 'allow listen 127.0.0.1:7100-7199' 'allow connect 127.0.0.1:*'
fi

# hands GIVER WHO UID KIND PORT: does WHO get what is sent to the port of the socket that GIVER gives it?
hands()
{
	local giver=$1 who=$2 uid=$3 kind=$4 port=$5 how=tcp giving taking got=1

	case $kind in *bound | connected) how=udp ;; esac
	rm -f "$GO/line"
	: >"$T/out"
	"$ACTS/as" "$CG/$giver" 1000 30 "${L[@]}" hand "$GO/line" "$port" >"$T/hand.out" 2>&1 </dev/null &
	giving=$!
	need wait_for 20 grep -q ready "$T/hand.out"
	"$ACTS/as" "$CG/$who" "$uid" 20 "${L[@]}" take "$GO/line" "$kind" >"$T/out" 2>"$T/err" </dev/null &
	taking=$!
	wait_for 10 grep -qsE 'taken|not given|waits' "$T/out" "$T/hand.out"
	sleep 0.7
	word=$(new_word)
	in_cgroup control 1000 "${L[@]}" send "$word" $how:127.0.0.1:"$port" >/dev/null 2>&1
	wait_for 1 grep -qF "$word" "$T/out" && got=0
	code=$got
	kill $giving $taking 2>/dev/null
	wait $giving $taking 2>/dev/null
	return $got
}

# hears WHO UID HOW PORT: does it receive what is sent to where it listens? Port 0: where the kernel says.
hears()
{
	local who=$1 uid=$2 how=$3 port=$4 taking kind=tcp got=1

	[ "$how" != udp ] || kind=udp
	: >"$T/out"
	"$ACTS/as" "$CG/$who" "$uid" 20 "${L[@]}" listen "$how" "$port" >"$T/out" 2>"$T/err" </dev/null &
	taking=$!
	if wait_for 10 grep -qE 'listens|Errno' "$T/out" "$T/err" && port=$(sed -n 's/^listens //p' "$T/out") &&
		[ "$port" ]; then
		word=$(new_word)
		in_cgroup control 1000 "${L[@]}" send "$word" $kind:127.0.0.1:"$port" >/dev/null 2>&1
		wait_for 2 grep -qF "$word" "$T/out" && got=0
	fi
	code=$got
	kill $taking 2>/dev/null
	wait $taking 2>/dev/null
	return $got
}

# What the kernel chooses is not in `hears`' range.
sysctl -q -w net.ipv4.ip_local_port_range='20000 29999'
[ "${CONTROL_ONLY-}" ] || policy open 'allow listen *:*'
for how in bound unbound any udp; do
	for uid in 1000 0; do
		honest=hears
		case $how in unbound | any) honest=open ;; esac
		judged "uid $uid: listening by no rule: $how" "hears control $uid $how 7150" \
			"hears deaf $uid $how 7150 || { [ $honest != open ] && hears hears $uid $how 7250; }" \
			"hears $honest $uid $how 7150"
	done
done

port=7100
for giver in control giver; do
	[ -d "$CG/$giver" ] || continue
	for kind in listening bound connected accepted late-listening late-bound; do
		name="given by $giver: $kind"
		port=$((port + 1))
		if ! hands $giver control 1000 $kind $port; then
			not_ok "$name" 'no effect without confinement' "$(said)" "$(tail -n 3 "$T/hand.out")"
			continue
		fi
		[ ! "${CONTROL_ONLY-}" ] || { ok "$name"; continue; }
		for uid in 1000 0; do
			if ! hands $giver deaf $uid $kind $port; then
				ok "uid $uid: $name"
			elif [ "${kind#late}" != "$kind" ]; then
				# Whoever binds it for the agent could as well pass on what comes.
				skip "uid $uid: $name" 'open: it has its port from the giver (README)'
			else
				not_ok "uid $uid: $name" 'THE ATTACK SUCCEEDS' "$(said)"
			fi
		done
		if hands $giver hears 1000 $kind $port; then ok "honest: $name"; else
			not_ok "honest: $name" "$(said)" "$(tail -n 3 "$T/hand.out")"
		fi
	done
done

# ---- rings ----
# listens WHO UID MODE PORT: binds, listens and accepts by a ring; does it receive?
listens()
{
	local taking got=1

	: >"$T/out"
	"$ACTS/as" "$CG/$1" "$2" 15 "$ACTS/uring" listen "$3" "$4" >"$T/out" 2>"$T/err" </dev/null &
	taking=$!
	wait_for 5 grep -qE 'listening|SKIP' "$T/out"
	word=$(new_word)
	in_cgroup control 1000 "${L[@]}" send "$word" tcp:127.0.0.1:"$4" >/dev/null 2>&1
	wait_for 1 grep -qF "$word" "$T/out" && got=0
	code=$got
	kill $taking 2>/dev/null
	wait $taking 2>/dev/null
	return $got
}
for mode in task worker poll; do
	name="bind, listen and accept by io_uring ($mode)"
	port=$((port + 1))
	if ! listens control 1000 $mode $port; then
		if grep -q SKIP "$T/out"; then skip "$name" "$(sed -n 's/^SKIP //p' "$T/out")"; else
			not_ok "$name" 'no effect without confinement' "$(said)"
		fi
		continue
	fi
	[ ! "${CONTROL_ONLY-}" ] || { ok "$name"; continue; }
	for uid in 1000 0; do
		if listens deaf $uid $mode $port; then not_ok "uid $uid: $name" 'THE ATTACK SUCCEEDS' "$(said)"; else
			ok "uid $uid: $name"
		fi
		if listens hears $uid $mode $port; then ok "uid $uid: honest: $name"; else
			not_ok "uid $uid: honest: $name" "$(said)"
		fi
	done
done
# A ring that somebody outside made, with a file open in it: read by whoever holds the ring.
echo "$(new_word)-secret" >"$GO/secret" && chmod 600 "$GO/secret"
check 'a ring cannot be sent, confined or not' sh -c \
	"'$ACTS/lend' serve '$ACTS/as' '$CG/control' 0 20 '$ACTS/lend' ring-read 'ring $GO/secret' >'$T/out' 2>&1
	! grep -q secret '$T/out'"

# ---- a network within the network: what is sent inside a VRF does not pass the loopback device ----
if modprobe -q vrf && ip link add vrf0 type vrf table 10 && ip link set vrf0 up; then
	ip addr add 203.0.113.1/32 dev vrf0
	if [ ! "${CONTROL_ONLY-}" ]; then
		policy all 'allow connect *:*'
		policy two 'allow listen *:7200-7299'
	fi
	server=two
	[ ! "${CONTROL_ONLY-}" ] || server=control
	"$ACTS/as" "$CG/$server" 0 100 "${L[@]}" serve tcp:203.0.113.1:7201,vrf0 udp:203.0.113.1:7201,vrf0 \
		>"$T/two.got" 2>&1 </dev/null &
	need wait_for 20 grep -q ready "$T/two.got"
	for kind in tcp udp; do
		for who in control all; do
			[ -d "$CG/$who" ] || continue
			word=$(new_word)
			in_turn $who 0 "${L[@]}" send "$word" vrf-$kind:203.0.113.1:7201
			reached=
			wait_for 1 grep -qF "$word" "$T/two.got" && reached=control
			if [ $who = control ] && [ ! $reached ]; then
				not_ok "another agent's in a VRF, $kind" 'no effect without confinement' "$(said)"
			elif [ $who = all ] && [ $reached ]; then
				skip "another agent's in a VRF, $kind" 'open: it goes by the rules on addresses (README)'
			else
				ok "another agent's in a VRF, $kind, $who"
			fi
		done
	done
else
	skip "another agent's in a VRF" 'no such device'
fi
finish
