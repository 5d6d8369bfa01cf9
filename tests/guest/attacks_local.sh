#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Who is at the other end inside one machine: an agent's own listeners, another agent's, a service's that
# is nobody's agent's. Judged by what the servers received.
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"

L=($PYTHON "$SRC/tests/acts/local.py")
HERE=192.0.2.1
mkdir -p "$CG/control" "$T/go"
chmod 777 "$T/go"
modprobe -q dummy
sysctl -q -w net.ipv4.tcp_fastopen=1543
ip link set lo up
ip link add wire0 type dummy && ip link set wire0 up
ip addr add $HERE/24 dev wire0
ip -6 addr add 2001:db8::1/64 dev wire0 nodad

# policy NAME RULE...: an agent of that name.
policy()
{
	local name=$1
	shift

	{
		printf 'version: 1\nname: %s\nrules:\n' "$name"
		printf '  - %s\n' 'allow read,exec /**' 'allow write /dev/null' \
			'allow listen *:7100-8999' "allow unix $T/go/**" "$@"
	} >"$T/$name.yaml"
	agent_attach "$name" "$T/$name.yaml"
}
loopback='127.0.0.0/8:* [::1]:*'
if [ ! "${CONTROL_ONLY-}" ]; then
	policy none
	policy denied "deny connect $loopback"
	policy address "allow connect $loopback"
	policy all 'allow connect *:*'
	policy friend 'allow connect agent:two'
	policy both 'allow connect *:*' 'allow connect agent:two'
	policy foe "allow connect $loopback" 'allow connect agent:two' 'deny connect agent:*'
	policy two 'allow use raw-socket' # it joins a group
else
	mkdir -p "$CG/two"
fi

# serve NAME CGROUP UID SPEC...: what it receives is in $T/NAME.got; $server is its process.
serve()
{
	local name=$1 who=$2 uid=$3
	shift 3

	"$ACTS/as" "$CG/$who" "$uid" 300 "${L[@]}" serve "$@" >"$T/$name.got" 2>&1 </dev/null &
	server=$!
	need wait_for 20 grep -q ready "$T/$name.got"
}

ends()
{
	kill "$@"
	wait "$@"
} 2>/dev/null

# received FILE N: word number N.
received() { grep -qF "$word-$2." "$T/$1.got"; }

# go WHO UID CMD...: with @ for a new word.
go()
{
	local who=$1 uid=$2
	shift 2

	word=$(new_word)
	in_turn "$who" "$uid" "${L[@]}" "${@/#@/"$word"}"
}

tell() { printf '%s\n' "$(said)" "$(tail -n 5 "$T/$1.got" | cut -c 1-200)"; }

# reach WANT NAME SERVER AGENTS -- SPEC...: in one go; WANT: closed or open.
reach()
{
	local want=$1 name=$2 server=$3 agents=$4 who uid n
	local specs=("${@:6}") reached

	go control 1000 send @ "${specs[@]}"
	for n in "${!specs[@]}"; do
		received "$server" "$n" && continue
		not_ok "$name: ${specs[n]}" 'no effect without confinement' "$(tell "$server")"
		specs[n]=none
	done
	[ ! "${CONTROL_ONLY-}" ] || { ok "$name: control"; return; }
	for who in $agents; do
		uid=0
		[ "${who%:0}" != "$who" ] || uid=1000
		go "${who%:0}" $uid send @ "${specs[@]/#none/udp:127.0.0.1:9}"
		for n in "${!specs[@]}"; do
			[ "${specs[n]}" != none ] || continue
			reached=closed
			received "$server" "$n" && reached=open
			if [ $reached = $want ]; then ok "$name, $who: ${specs[n]}"; else
				not_ok "$name, $who: ${specs[n]}" "it is $reached" "$(tell "$server")"
			fi
		done
	done
}

# whole NAME WHO UID PORT SPEC...: an agent's own, each of them.
whole()
{
	local name=$1 who=$2 uid=$3 port=$4 n
	shift 4

	in_turn "$who" "$uid" "${L[@]}" own "$port" "$@"
	n=0
	while [ $# -gt 0 ]; do
		if grep -qx "$n whole" "$T/out"; then ok "$name, $who, uid $uid: $1"; else
			not_ok "$name, $who, uid $uid: $1" "$(said)"
		fi
		shift
		n=$((n + 1))
	done
}

# ---- one's own ----
own=('bulk:127.0.0.1>127.0.0.1' 'bulk:::1>::1' 'tcp:127.0.0.1>::ffff:127.0.0.1' 'tcp:0.0.0.0>0.0.0.0'
	'tcp:127.0.0.1>localhost' 'tcp:::>127.0.0.1' 'tcp:::>::' 'udp:127.0.0.1>127.0.0.1'
	'udpc:127.0.0.1>127.0.0.1' 'udpc:::1>::1' 'udp:::>127.0.0.1' 'mptcp:127.0.0.1>127.0.0.1'
	'twotcp:127.0.0.1>127.0.0.1' 'twoudp:127.0.0.1>127.0.0.1' 'twotcp:::>::1')
whole 'one'"'"'s own' control 1000 7100 "${own[@]}"
if [ ! "${CONTROL_ONLY-}" ]; then
	whole 'one'"'"'s own' none 0 7120 "${own[@]}"
	whole 'one'"'"'s own' denied 1000 7140 "${own[@]}"
	serve mine denied 1000 tcp:127.0.0.1:7160 udp:127.0.0.1:7160
	need "$HG" reload denied --policy "$T/denied.yaml"
	go denied 1000 send @ tcp:127.0.0.1:7160 udpc:127.0.0.1:7160
	check 'one'"'"'s own, over a reload' sh -c "grep -F $word-0. $T/mine.got && grep -F $word-1. $T/mine.got"
	cgroup_end denied
fi

# ---- another agent's, and a service's ----
serve two two 1000 tcp:127.0.0.1:7201 udp:127.0.0.1:7201 tcp:::1:7201 udp:::1:7201 \
	tcp:0.0.0.0:7202 udp:0.0.0.0:7202,reuseaddr,join tcp:2001:db8::1:7203 udp:2001:db8::1:7203 \
	mptcp:127.0.0.1:7204
serve service control 1000 tcp:127.0.0.1:7301 udp:127.0.0.1:7301,reuseaddr tcp:::1:7301 udp:::1:7301 \
	tcp:127.0.0.1:7302
near=(tcp:127.0.0.1:7201 tcp:::1:7201 tcp:::ffff:127.0.0.1:7201 tcp:0.0.0.0:7202 mptcp:127.0.0.1:7201
	tcp:127.0.0.1:7204 fast:127.0.0.1:7201 udp:127.0.0.1:7201 udp:::1:7201 udpc:127.0.0.1:7201
	udp:::ffff:127.0.0.1:7201 udpc:0.0.0.0:7202)
far=(tcp:$HERE:7202 fast:$HERE:7202 mptcp:$HERE:7202 udp:$HERE:7202 udpc:$HERE:7202 tcp:2001:db8::1:7203
	udp:2001:db8::1:7203)
reach closed "another agent's" two 'none address:0 all foe:0' -- "${near[@]}"
reach closed "another agent's, at other addresses" two 'all all:0' -- "${far[@]}"
# A group's members are who joined it: what goes to all of them goes by the rules on addresses (README).
reach open "a group that another agent joined, by its address" two all -- group:239.1.2.3:7202
reach closed "a group that another agent joined" two 'none friend:0' -- group:239.1.2.3:7202
reach open "another agent's, by its name" two friend -- "${near[@]}"
reach open "another agent's, by its name and its address" two both -- "${far[@]}"
service=(tcp:127.0.0.1:7301 tcp:::1:7301 mptcp:127.0.0.1:7301 fast:127.0.0.1:7301 udp:127.0.0.1:7301
	udpc:127.0.0.1:7301 udp:::1:7301 tcp:0.0.0.0:7302)
# Of one's own there is: at the same port, where the kernel lets that be.
if [ ! "${CONTROL_ONLY-}" ]; then
	serve mine none 1000 tcp:127.0.0.1:7160 udp:0.0.0.0:7301,reuseaddr tcp:0.0.0.0:7302,reuseport
	mine=$server
fi
reach closed "a service's" service 'none friend:0' -- "${service[@]}"
reach open "a service's, by its address" service address -- "${service[@]}"
[ "${CONTROL_ONLY-}" ] || ends "$mine"

# One socket, to an own listener and to somebody else's at a time.
for kind in tcp udp; do
	for at in two:7201 service:7301; do
		for who in control:1000 none:1000 none:0; do
			[ -d "$CG/${who%:*}" ] || continue
			name="one $kind socket, two peers, ${at%:*}, $who"
			case $name in *service,\ control* | *service*:1000 | *two,*:0) continue ;; esac
			go "${who%:*}" "${who#*:}" race @ $kind 7170 "${at#*:}"
			reached=none # what is right for the agent of that name
			received "${at%:*}" 0 && reached=control
			if [ $reached = "${who%:*}" ]; then ok "$name"; else
				not_ok "$name" "reached from: $reached" "$(tell "${at%:*}")"
			fi
		done
	done
done

# Sockets that no agent made, given to one: their packets are not the agent's, and whoever gives them to it
# could as well pass on what it says. The rules on addresses hold (README).
"$ACTS/as" "$CG/control" 1000 300 "${L[@]}" give "$T/go/give" 7201 >"$T/give.got" 2>&1 </dev/null &
need wait_for 20 grep -q ready "$T/give.got"
what=('a datagram socket' 'a stream socket' 'a connection')
for who in control:1000 none:1000 address:1000 address:0; do
	[ -d "$CG/${who%:*}" ] || continue
	wants=
	case $who in control:* | address:*) wants=control ;; esac
	go "${who%:*}" "${who#*:}" given @ "$T/go/give" 7201
	for n in 0 1 2; do
		reached=
		received two $n && reached=control
		if [ "$reached" = "$wants" ]; then ok "given by nobody's agent: ${what[n]}, $who"; else
			not_ok "given by nobody's agent: ${what[n]}, $who" "reached: $reached" "$(said)"
		fi
	done
done

# ---- who is there changes ----
"$ACTS/as" "$CG/two" 1000 100 "${L[@]}" flap 7210 >"$T/flap.got" 2>&1 </dev/null &
flap=$!
need wait_for 20 grep -q ready "$T/flap.got"
for who in control address all; do
	[ -d "$CG/$who" ] || continue
	go $who 1000 storm @ 7210
	reached=
	received flap 0 && reached=control
	if [ "$reached" = "${who/#a*}" ]; then ok "a listener that comes and goes, $who"; else
		not_ok "a listener that comes and goes, $who" "reached: $reached" \
			"$(grep -c "$word" "$T/flap.got") times" "$(tail -n 3 "$T/flap.got")"
	fi
done
ends $flap

# takes_over WHO UID CGROUP PORT: the port was WHO's, then it is CGROUP's; who of its clients gets through?
takes_over()
{
	local client i

	rm -f "$T/go/on"
	word=$(new_word)
	in_cgroup "$1" "$2" "${L[@]}" turned "$word" "$4" "$T/go/on" >"$T/out" 2>&1 &
	client=$!
	need wait_for 20 grep -q closed "$T/out"
	serve after "$3" "$2" "tcp:127.0.0.1:$4,reuseaddr" "udp:127.0.0.1:$4"
	touch "$T/go/on"
	wait $client
	got=
	for i in 0 1 2; do received after $i && got+=" $i"; done
	ends $server
}
port=7400 code=0
for after in control two; do
	for who in control:1000 none:1000 denied:0; do
		[ -d "$CG/${who%:*}" ] || continue
		port=$((port + 1))
		takes_over "${who%:*}" "${who#*:}" $after $port
		want=
		[ "${who%:*}" != control ] || want=' 0 1 2'
		if [ "$got" = "$want" ]; then ok "the port goes over to $after, $who"; else
			not_ok "the port goes over to $after, $who" "received:$got" "$(tell after)"
		fi
	done
done
cgroup_end two

# ---- taking ports ----
# What; how the victim has the port; how it is taken; who asks the victim. Ports are counted from 7500.
victim_first=(
	'SO_REUSEPORT,tcp:127.0.0.1 reuseport,tcp:127.0.0.1 reuseport,tcp*:127.0.0.1'
	'SO_REUSEPORT,udp:127.0.0.1 reuseport,udp:127.0.0.1 reuseport,udp*:127.0.0.1'
	'SO_REUSEADDR,udp:127.0.0.1 reuseaddr,udp:127.0.0.1 reuseaddr,udp*:127.0.0.1'
	'below a wildcard,tcp:0.0.0.0 reuseport,tcp:127.0.0.1 reuseport,tcp*:127.0.0.1'
	'below a wildcard,udp:0.0.0.0 reuseaddr,udp:127.0.0.1 reuseaddr,udp*:127.0.0.1'
	'below one of both families,tcp::: reuseport,tcp:127.0.0.1 reuseport,tcp*:127.0.0.1'
	'below one of both families,udp::: reuseaddr,udp:127.0.0.1 reuseaddr,udp*:127.0.0.1'
	'v6,udp:::1 reuseaddr,udp:::1 reuseaddr,udp*:::1'
	'v6,tcp:::1 reuseport,tcp:::1 reuseport,tcp*:::1'
	'MPTCP,tcp:127.0.0.1 reuseport,mptcp:127.0.0.1 reuseport,tcp*:127.0.0.1'
	'of a device,udp:127.0.0.1 reuseaddr lo,udp:127.0.0.1 reuseaddr lo,udp*:127.0.0.1'
	'of a device,tcp:127.0.0.1 reuseport lo,tcp:127.0.0.1 reuseport lo,tcp*:127.0.0.1'
	'a wildcard connected to the client,udp:127.0.0.1 reuseaddr,udp-claim:0.0.0.0 reuseaddr,from:127.0.0.1'
	'a wildcard of both families connected to it,udp:127.0.0.1 reuseaddr,udp-claim::: reuseaddr,from:127.0.0.1'
	'one below one of IPv4,udp:0.0.0.0 reuseaddr,udp-claim::: reuseaddr,from:127.0.0.1'
	'bound to a device as well,udp:127.0.0.1 reuseaddr,udp:127.0.0.1 reuseaddr lo,udp*:127.0.0.1'
	'a wildcard connected to a host,udp:192.0.2.1 reuseaddr,udp-claim-host:0.0.0.0 reuseaddr,udp:192.0.2.1'
)
taker_first=(
	'listening late,tcp:127.0.0.1 reuseport,late:127.0.0.1 reuseport,tcp*:127.0.0.1'
	'connected for a while,udp:0.0.0.0 reuseaddr,udp-turned:0.0.0.0 reuseaddr,udp*:127.0.0.1'
	'being there first,tcp:127.0.0.1 reuseport,tcp:127.0.0.1 reuseport,tcp*:127.0.0.1'
	'sending to everybody,udp:0.0.0.0 reuseaddr,udp-shout:127.255.255.255 reuseaddr,udp:127.0.0.1'
)

# takes ORDER VICTIM TAKER UID LINE...: $taken says, of each line, 1 where the taker had its way.
takes()
{
	local order=$1 victim=$2 taker=$3 uid=$4 vs=() ts=("$T/go/on") asks=() v t a n=0 port servers=()
	shift 4

	for line; do
		port=$((base + n)) n=$((n + 1))
		IFS=, read -r _ v t a <<<"$line"
		for one in v t a; do
			local -n spec=$one
			# KIND:ADDR OPTION... to KIND:ADDR:PORT,OPTION...
			set -- $spec
			spec="$1:$port" && shift
			while [ $# -gt 0 ]; do spec+=",$1"; shift; done
		done
		vs+=("$v") ts+=("$t") asks+=("$a")
	done
	rm -f "$T/go/on"
	if [ "$order" = victim ]; then serve victim "$victim" "$uid" "${vs[@]}"; servers+=("$server"); fi
	serve taker "$taker" "$uid" "${ts[@]}"
	servers+=("$server")
	if [ "$order" = taker ]; then serve victim "$victim" "$uid" "${vs[@]}"; servers+=("$server"); fi
	touch "$T/go/on"
	sleep 0.5
	go control "$uid" send @ "${asks[@]}"
	taken=()
	for n in "${!asks[@]}"; do
		taken[n]=0
		received taker "$n" && taken[n]=1
		# Nobody's, where the victim was told so.
		grep -q "^cannot .*:$((base + n))[, ]" "$T/victim.got" && taken[n]=0
		grep -qF "shout-$((base + n))." "$T/victim.got" && taken[n]=1
	done
	ends "${servers[@]}"
	base=$((base + 20))
}

base=7500
for order in victim taker; do
	declare -n lines=${order}_first
	for round in control/control/1000 control/none/1000 control/none/0 two/all/1000; do
		IFS=/ read -r victim taker uid <<<"$round"
		[ -d "$CG/$taker" ] || continue
		takes $order "$victim" "$taker" "$uid" "${lines[@]}"
		for n in "${!lines[@]}"; do
			name="taking the port of $victim ($order first), $taker, uid $uid: ${lines[n]%%:*}"
			want=0
			[ "$taker" != control ] || want=1
			# Its rule is on every address.
			case $taker/$name in all/*'to everybody'*) want=1 ;; esac
			if [ "${taken[n]}" = $want ]; then
				ok "$name"
				continue
			fi
			case $taker/$name in
			[!c]*'to everybody'*) not_ok "$name" 'THE ATTACK SUCCEEDS' ;;
			[!c]*'(taker first)'* | [!c]*': of a device'* | [!c]*'connected to a host'*) skip "$name" 'open: shared ports (README)' ;;
			*)
				not_ok "$name" "taken: ${taken[n]}, wanted: $want" \
					"$(grep -F ":$((base - 20 + n))" "$T/taker.got" "$T/victim.got" | head -n 6)"
			esac
		done
	done
done

# A port that the kernel chooses is nobody's but where both ask it to share.
for who in control:1000 none:1000 none:0; do
	[ -d "$CG/${who%:*}" ] || continue
	name="a shared port that the kernel chooses, ${who%:*}, uid ${who#*:}"
	serve victim control 1000 udp:127.0.0.1:45000,reuseaddr
	victim=$server
	"$ACTS/as" "$CG/${who%:*}" "${who#*:}" 100 "${L[@]}" lands 45000 >"$T/lands.got" 2>&1 </dev/null &
	taker=$!
	wait_for 40 grep -q landed "$T/lands.got"
	go control 1000 send @ udp:127.0.0.1:45000
	case $who/$(received lands 0 && echo taken) in
	control*/taken) ok "$name" ;;
	control*) not_ok "$name" 'no effect without confinement' "$(tell lands)" ;;
	*/taken) skip "$name" 'open: shared ports (README)' ;;
	*) ok "$name" ;;
	esac
	ends "$victim" "$taker"
done
finish
