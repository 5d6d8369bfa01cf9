#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Hosts by name: asking for names that no rule allows, reaching addresses without their name, and what
# must go on working beside. Judged by what the resolvers and the servers received.
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"

HOSTS=$SRC/tests/acts/hosts.py STREAMS=$SRC/tests/acts/streams.py
DNS=192.0.2.53 LISTENS=192.0.2.55 OTHER=192.0.2.54
SHARED=192.0.2.30
WEB=192.0.2.10 FREE=192.0.2.20 EVIL=192.0.2.66
mkdir -p "$CG/control"
sysctl -q -w net.ipv4.tcp_fastopen=1539
modprobe -q tls
ip link set lo up
ip link add wire0 type dummy && ip link set wire0 up
for a in $DNS $LISTENS $OTHER $WEB $FREE $EVIL $SHARED 192.0.2.7{0..6}; do ip addr add $a/24 dev wire0; done
ip -6 addr add 2001:db8::10/64 dev wire0 nodad
printf 'nameserver %s\nnameserver %s\n' $DNS $LISTENS >/etc/resolv.conf

cat >"$T/dnsmasq.conf" <<END
listen-address=$DNS
bind-interfaces
no-resolv
no-hosts
log-queries
log-facility=$T/queries
address=/good.test/$WEB
address=/v6.good.test/2001:db8::10
address=/tiny.good.test/$WEB
cname=alias.test,good.test
address=/below.wild.test/$WEB
address=/private.test/10.9.9.9
address=/nat64.test/64:ff9b::10.9.9.9
address=/inside.test/10.9.9.9
address=/quic.test/$FREE
address=/evil.test/$EVIL
address=/early.test/$SHARED
address=/late.test/$SHARED
address=/small.test/$SHARED
address=/few.test/$WEB
END
need dnsmasq -C "$T/dnsmasq.conf" --pid-file="$T/dnsmasq.pid"
ip addr add 10.9.9.9/32 dev wire0
ip -6 addr add 64:ff9b::a09:909/128 dev wire0 nodad
python3 "$HOSTS" sink "$T/received" tcp:$WEB:80 tcp:$WEB:443 tcp:$WEB:8443 tcp:$WEB:22 udp:$WEB:{80,443} \
	tcp:2001:db8::10:443 tcp:$FREE:80 tcp:$SHARED:443 tcp:$SHARED:80 tcp:$EVIL:443 tcp:10.9.9.9:443 \
	tcp:192.0.2.7{0..6}:443 tcp:64:ff9b::a09:909:443 udp:$FREE:443 tcp:$SHARED:8443 udp:$LISTENS:53 \
	udp:$OTHER:53 tcp:$OTHER:53 udp:$EVIL:5353 \
	tcp:$DNS:{853,443} udp:224.0.0.251:5353 udp:224.0.0.252:5355 udp:ff02::fb:5353 udp:ff02::1:3:5355 2>"$T/sink" &
disown
need wait_for 10 grep -q ready "$T/received"
python3 "$STREAMS" serve $LISTENS good.test=192.0.2.75 >"$T/serves" 2>&1 &
disown
need wait_for 10 grep -q ready "$T/serves"

openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/key" -out "$T/cert" -days 2 \
	-subj /CN=good.test 2>/dev/null
openssl s_server -accept $WEB:4433 -cert "$T/cert" -key "$T/key" -www -quiet >/dev/null 2>&1 &
disown

cat >"$T/hosts.yaml" <<END
version: 1
name: hosts
rules:
  - allow read,exec /**
  - allow write /dev/null /proc/self/** $T/shared/**
  - allow write /proc/[0-9]*/{uid_map,gid_map,setgroups}
  - allow use anonymous-exec userns mount io_uring
  - allow connect good.test:443 good.test:80 good.test:4433 v6.good.test:443 alias.test:443
  - allow connect *.wild.test:443 tiny.good.test:443
  - allow connect private.test:443 nat64.test:443
  - allow connect inside.test:443 [private]
  - allow connect quic.test:443
  - allow connect good.test:8443 [tls=off]
  - allow connect good.test:443/udp [tls=off]
  - deny connect no.wild.test:443
  - allow connect early.test:8443
  - allow connect late.test:8443 [tls=off]
  - allow connect early.test:443
  - deny connect $SHARED:443
  - allow connect late.test:443
  - allow resolve told.test [log]
  - allow connect $FREE:80
  - allow connect *.few.test:443 [names=3]
$(printf '  - allow connect *.%s.test:443 [names=3]\n' {spellings,types,three}-{1000,0})
  - allow connect early.test:80
  - allow connect small.test:80 [budget=20kB]
  - allow listen $DNS:53
  - allow connect $DNS:1024-65535/udp
END
# The same without names and with the rule that a standing connection has gone.
sed 's/good.test:443 good.test:80/good.test:80/; /udp/d' "$T/hosts.yaml" >"$T/without.yaml"
mkdir -p "$T/shared" && chmod 777 "$T/shared"
[ "${CONTROL_ONLY-}" ] || agent_attach agent "$T/hosts.yaml"

# What an address was learned by is forgotten after some minutes.
learned=-1000
learn()
{
	[ $((SECONDS - learned)) -gt 120 ] || return 0
	learned=$SECONDS
	in_turn agent 1000 getent ahosts good.test
}

# arrived WHERE: the text was received by the listener whose spec begins so, or asked of dnsmasq.
arrived()
{
	case $1 in
	query) grep -q "query.* $text" "$T/queries" ;;
	first*) grep -qaE "^${1#first } b.$text" "$T/received" ;; # in front of all else
	*) grep -qaE "^$1.*$text" "$T/received" ;;
	esac
}

go()
{
	local who=$1 uid=$2 where=$3
	shift 3

	text=
	case "$*" in *@*) text=$(new_word) ;; esac
	[ "$text" ] || : >"$T/received"
	in_turn "$who" "$uid" "${@/@/$text}"
	if [ $code = 0 ]; then wait_for 1 arrived "$where"; else sleep 0.1; arrived "$where"; fi
}

# refused NAME WHERE CMD...: received from outside of every agent, not from the agent. @ is the text.
refused()
{
	local name=$1 uid
	shift

	learn
	if ! go control 1000 "$@"; then
		[ $code != 77 ] || { skip "$name" "$(head -n 1 "$T/out")"; return; }
		not_ok "$name" 'no effect without confinement' "$(said)"
		return
	fi
	for uid in 1000 0; do
		if go agent $uid "$@"; then
			not_ok "uid $uid: $name" 'THE ATTACK SUCCEEDS: it was received' "$(said)"
		else
			ok "uid $uid: $name"
		fi
	done
}

# works NAME WHERE CMD...: received from the agent too.
works()
{
	local name=$1 uid
	shift

	for uid in 1000 0; do
		works_as $uid "$name" "$@"
	done
}

works_as()
{
	local uid=$1 name=$2
	shift 2

	learn
	if go agent $uid "$@"; then ok "uid $uid: $name"; else
		not_ok "uid $uid: $name" 'the honest use does not work' "$(said)"
	fi
}

prints()
{
	local name=$1 want=$2 uid
	shift 2

	for uid in 1000 0; do
		in_turn agent $uid "$@"
		if grep -qE "$want" "$T/out"; then ok "uid $uid: $name"; else
			not_ok "uid $uid: $name" "$(said)"
		fi
	done
}

# Whatever agents learned so far.
names_forget()
{
	local id key

	for id in $(bpftool -j map show name hg_names | jq 'if type == "array" then .[] else . end | .id'); do
		bpftool -j map dump id "$id" | jq -r '.[].key | join(" ")' | while read -r key; do
			# shellcheck disable=SC2086
			bpftool map delete id "$id" key $key
		done
		[ "$(bpftool -j map dump id "$id" | jq length)" = 0 ] || return 1
	done
	[ "$id" ]
}

# Their times are over; what was learned is as it was.
names_expire()
{
	local id

	for id in $(bpftool -j map show name hg_names | jq 'if type == "array" then .[] else . end | .id'); do
		bpftool -j map dump id "$id" | jq -r '.[] | (.key | join(" ")) + " value 1 0 0 0 0 0 0 0 " +
			(.value[8:] | join(" "))' | while read -r entry; do
			# shellcheck disable=SC2086
			bpftool map update id "$id" key $entry || return 1
		done || return 1
	done
	[ "$id" ]
}

# refused_now UID NAME: without asking for the name anew, good.test is out of reach.
refused_now()
{
	learned=$SECONDS
	: >"$T/received"
	go agent $1 "tcp:$WEB:443" "${H[@]}" tls all $WEB 443 good.test
	if [ $code = 1 ] && grep -q 'Permission' "$T/out" && ! grep -q good.test "$T/received"; then ok "uid $1: $2"; else
		not_ok "uid $1: $2" "$(said)"
	fi
	learned=-1000
}

H=(python3 "$HOSTS")

# ---- questions ----
refused 'asking for a name' query "${H[@]}" dns plain $DNS @.evil.test
refused 'asking for a name below one that is allowed' query "${H[@]}" dns plain $DNS @.good.test
refused 'asking for a name that an allowed one is in front of' query \
	"${H[@]}" dns plain $DNS @good.test.evil.test
refused 'asking for a name that ends like an allowed one' query \
	"${H[@]}" dns plain $DNS @good.test
refused 'asking over a connected socket' query "${H[@]}" dns connected $DNS @.evil.test
for how in sendmsg send-zc-to; do
	refused "asking by io_uring: $how" query \
		sh -c "python3 $HOSTS query @.evil.test | $ACTS/uring say task $how $DNS 53"
done
refused 'a question written in two parts' query "${H[@]}" dns corked $DNS @.evil.test
refused 'asking for an address of the other kind' query "${H[@]}" dns aaaa $DNS @.evil.test
refused 'asking for text' query "${H[@]}" dns txt $DNS @.evil.test
refused 'asking over TCP' query "${H[@]}" dns tcp $DNS @.evil.test
refused 'asking over TCP, byte by byte' query "${H[@]}" dns tcp-bytes $DNS @.evil.test
refused 'asking over TCP, behind an allowed question' query "${H[@]}" dns tcp-behind $DNS @.evil.test
refused 'two datagrams of one call' query "${H[@]}" dns segments $DNS @.evil.test
refused 'a second datagram' query "${H[@]}" dns mixed $DNS @.evil.test
for how in trailing second subnet option additional update chaos dotted; do
	refused "a question of an unusual form: $how" "udp:$LISTENS" \
		"${H[@]}" dns $how $LISTENS @
done
refused 'asking somebody else' "udp:$OTHER" "${H[@]}" dns plain $OTHER @.evil.test
refused 'asking somebody else for an allowed name' "udp:$OTHER" \
	"${H[@]}" raw udp $OTHER 53 @
refused 'mDNS' "udp:$EVIL" "${H[@]}" raw udp $EVIL 5353 @
for to in '224.0.0.251 5353' 'ff02::fb 5353' '224.0.0.252 5355' 'ff02::1:3 5355'; do
	# shellcheck disable=SC2086
	refused "mDNS and LLMNR: ${to% *}" "udp:${to/ /:}" "${H[@]}" group $to @.local
done
refused 'a resolver over TLS, at its port' "tcp:$DNS:853" "${H[@]}" tls all $DNS 853 @.good.test
refused 'a resolver over TLS, with an allowed name' "tcp:$DNS:853" "${H[@]}" tls all $DNS 853 good.test
refused 'a resolver over https' "tcp:$DNS:443" "${H[@]}" tls all $DNS 443 @.test
refused 'a resolver over https, with an allowed name' "tcp:$DNS:443" "${H[@]}" tls all $DNS 443 good.test
refused 'a resolver over plain http' "tcp:$DNS:443" "${H[@]}" http all $DNS 443 @
prints 'an allowed name' "^$WEB " getent ahosts good.test
prints 'in capitals' "^$WEB$" "${H[@]}" dns upper $DNS good.test
prints 'with EDNS' "^$WEB$" "${H[@]}" dns edns $DNS good.test
prints 'with a cookie' "^$WEB$" "${H[@]}" dns cookie $DNS good.test
prints 'over TCP' "^$WEB$" "${H[@]}" dns tcp $DNS good.test
prints 'over TCP, byte by byte' "^$WEB$" "${H[@]}" dns tcp-bytes $DNS good.test
prints 'an IPv6 address' '^2001:db8::10 ' getent ahosts v6.good.test
in_turn agent 1000 bash -c 'time getent ahosts evil.test'
if [ $code = 2 ] && grep -q 'real.0m[01]\.' "$T/err"; then ok 'a refused name is no time-out'; else
	not_ok 'a refused name is no time-out' "$(said)"
fi

# ---- addresses without their name ----
if [ ! "${CONTROL_ONLY-}" ]; then
	"$HG" detach agent >/dev/null
	agent_attach agent "$T/hosts.yaml"
	for uid in 1000 0; do
		refused_now $uid 'before its name was asked for'
	done
	for uid in 1000 0; do
		learned=-1000
		works_as $uid 'afterwards' "tcp:$WEB:443.*good.test" "${H[@]}" tls all $WEB 443 good.test
		need names_expire
		refused_now $uid 'when its time is over'
	done
fi
refused 'another name in TLS' "tcp:$WEB:443" "${H[@]}" tls all $WEB 443 @.evil.test
refused 'a name below the one that is allowed' "tcp:$WEB:443" "${H[@]}" tls all $WEB 443 @.good.test
refused 'another name, byte by byte' "tcp:$WEB:443" "${H[@]}" tls bytes $WEB 443 @.evil.test
refused 'another name, ten bytes a time' "tcp:$WEB:443" "${H[@]}" tls tens $WEB 443 @.evil.test
refused 'another name over many records' "tcp:$WEB:443" "${H[@]}" tls records $WEB 443 evil.test
refused 'another name, a record for each byte' "tcp:$WEB:443" \
	"${H[@]}" tls one-byte-records $WEB 443 evil.test
refused 'another name, spliced' "tcp:$WEB:443" "${H[@]}" tls file $WEB 443 @.evil.test
refused 'two names' "tcp:$WEB:443" "${H[@]}" tls two-names $WEB 443 @.evil.test
refused 'no name' "tcp:$WEB:443" "${H[@]}" tls no-name $WEB 443 @
refused 'an alert in front' "tcp:$WEB:443" "${H[@]}" tls alert-first $WEB 443 @.evil.test
refused 'neither TLS nor HTTP' "tcp:$WEB:443" "${H[@]}" raw all $WEB 443 @
for how in again again-behind again-bytes; do
	refused "a second ClientHello with another name: $how" "tcp:$WEB:443" \
		"${H[@]}" tls $how $WEB 443 @.evil.test
done
for how in nul utf8 dot late-nul; do
	refused "another name, spelled oddly: $how" "tcp:$WEB:443" "${H[@]}" tls odd-$how $WEB 443 @
	refused "another host, spelled oddly: $how" "tcp:$WEB:80" "${H[@]}" http odd-$how $WEB 80 @
done
refused 'another outer name of an encrypted ClientHello' "tcp:$WEB:443" \
	"${H[@]}" tls ech-evil.test $WEB 443 @
for how in send send-zc; do
	refused "another name, by io_uring: $how" "tcp:$WEB:443" \
		sh -c "python3 $HOSTS hello @.evil.test | $ACTS/uring say task $how $WEB 443"
done
refused 'a record that the kernel encrypts behind the hello' "tcp:$WEB:443.*x16.x03.x03.x00=" \
	"${H[@]}" tls ktls $WEB 443 good.test
refused 'an urgent byte' "tcp:$WEB:443" "${H[@]}" raw urgent $WEB 443 @x
refused 'data in the first packet' "tcp:$WEB:443" "${H[@]}" raw fast-open $WEB 443 @
refused 'data in the first packet, by connect' "tcp:$WEB:443" \
	"${H[@]}" raw fast-open-connect $WEB 443 @
refused 'MPTCP' "tcp:$WEB:443" "${H[@]}" raw mptcp $WEB 443 @
refused 'a port that the name has not' "tcp:$WEB:22" "${H[@]}" tls all $WEB 22 @
# As far away as it takes to send before the connection stands.
need tc qdisc add dev lo root netem delay 300ms
for how in waiting waiting-spliced; do
	refused "a send that waits for the connection: $how" "tcp:$WEB:443" "${H[@]}" raw $how $WEB 443 @
done
refused 'the same, in front of what says an allowed name' "tcp:$WEB:443" "${H[@]}" raw waiting-before $WEB 443 @
for how in waiting waiting-spliced; do
	refused "a question that waits for the connection: $how" query "${H[@]}" dns tcp-$how $DNS @.evil.test
done
works 'a name, far away' "tcp:$WEB:443" "${H[@]}" tls all $WEB 443 good.test
works 'a question, far away' query "${H[@]}" dns tcp $DNS @.wild.test
need tc qdisc del dev lo root
refused 'one socket, two peers at a time' "tcp:$WEB:443" "${H[@]}" raw twice $WEB 443 @
# What goes behind the hello of the first connection is not looked at: what begins another one is.
refused 'one socket, the same peer anew' "first tcp:$WEB:443" "${H[@]}" raw anew $WEB 443 @
refused 'another host in HTTP' "tcp:$WEB:80" "${H[@]}" http all $WEB 80 @.evil.test
refused 'another host, byte by byte' "tcp:$WEB:80" "${H[@]}" http bytes $WEB 80 @.evil.test
for how in absolute two-hosts folded no-host preface; do
	refused "HTTP: $how" "tcp:$WEB:80" "${H[@]}" http $how $WEB 80 @
done
refused 'a datagram to where connections may go, by a socket that may be connected' "udp:$WEB:80" \
	"${H[@]}" raw udp-connected $WEB 80 @
in_turn agent 1000 getent ahosts quic.test
refused 'QUIC without [tls=off]' "udp:$FREE:443" "${H[@]}" raw udp $FREE 443 @
for how in sendmsg send-zc-to; do
	refused "QUIC by io_uring: $how" "udp:$FREE:443" \
		sh -c "echo @ | $ACTS/uring say task $how $FREE 443"
done
refused 'QUIC by sendmmsg, behind what is allowed' "udp:$FREE:443" "$ACTS/send" sendmmsg $WEB 443 $FREE 443 @
refused 'an address that nobody allows' "tcp:$EVIL:443" "${H[@]}" tls all $EVIL 443 @

# ---- of a name, its address and another name, the last rule ----
in_turn agent 1000 sh -c 'getent ahosts early.test; getent ahosts late.test; getent ahosts told.test'
refused 'a name that a later rule on the address refuses' "tcp:$SHARED:443" \
	"${H[@]}" tls all $SHARED 443 early.test
works 'one that comes behind that rule' "tcp:$SHARED:443.*late.test" \
	"${H[@]}" tls all $SHARED 443 late.test

works 'of two names, what [tls=off] allows, whichever was asked for first' "tcp:$SHARED:8443" \
	"${H[@]}" raw all $SHARED 8443 @
if [ ! "${CONTROL_ONLY-}" ]; then
	need names_forget
	in_turn agent 1000 sh -c 'getent ahosts late.test; getent ahosts early.test'
fi
refused 'the other way round: a name that a later rule on the address refuses' "tcp:$SHARED:443" \
	"${H[@]}" tls all $SHARED 443 early.test
works 'the other way round: one that comes behind that rule' "tcp:$SHARED:443.*late.test" \
	"${H[@]}" tls all $SHARED 443 late.test
works 'the other way round: what [tls=off] allows' "tcp:$SHARED:8443" "${H[@]}" raw all $SHARED 8443 @

# ---- answers ----
in_turn agent 1000 getent ahosts private.test
refused 'a public name with a private address' 'tcp:10.9.9.9:443' \
	"${H[@]}" raw all 10.9.9.9 443 @
in_turn agent 1000 getent ahosts nat64.test
refused 'the same in an address for translation' 'tcp:64:ff9b::a09:909:443' \
	"${H[@]}" tls all 64:ff9b::a09:909 443 nat64.test
refused 'a hint of the same' 'tcp:10.9.9.9:443' sh -c "python3 $STREAMS services $LISTENS inward.wild.test
	python3 $HOSTS tls all 10.9.9.9 443 inward.wild.test"
if [ ! "${CONTROL_ONLY-}" ]; then
	for uid in 1000 0; do
		names_forget
		learned=-1000
		in_turn agent $uid getent ahosts inside.test
		works_as $uid 'one that may have such' 'tcp:10.9.9.9:443.*inside.test' \
			"${H[@]}" tls all 10.9.9.9 443 inside.test
		works_as $uid 'what a hint says' 'tcp:192.0.2.76:443.*hinted.wild' \
			sh -c "python3 $STREAMS services $LISTENS hinted.wild.test
				python3 $HOSTS tls all 192.0.2.76 443 hinted.wild.test"
	done
fi
# Over TCP, over any number of segments; of two in one, the second.
n=0
for names in whole prefix bytes long 'hold two'; do
	how=${names#* }
	# shellcheck disable=SC2086
	in_turn agent 1000 python3 "$STREAMS" ask $LISTENS ${names// /.wild.test }.wild.test
	works "an answer over TCP: $names" "tcp:192.0.2.7$n:443.*$how.wild" \
		"${H[@]}" tls all 192.0.2.7$n 443 $how.wild.test
	n=$((n + 1))
done
for how in text huge after; do
	refused "a text that is an answer, from where a segment begins: $how" \
		'tcp:192.0.2.75:443.*good.test' \
		sh -c "python3 $STREAMS inside $LISTENS $how.wild.test good.test
			python3 $HOSTS tls all 192.0.2.75 443 good.test"
done
# learned NAME CGROUP UID: has what it was told of good.test brought it where it wants to go?
learned()
{
	if go "$2" "$3" "tcp:$EVIL:443" "${H[@]}" tls all $EVIL 443 good.test ||
		grep -qa "^tcp:$EVIL:443.*good.test" "$T/received"; then
		not_ok "$1" 'THE ATTACK SUCCEEDS' "$(said)"
	else
		ok "$1"
	fi
}
# Its own resolver, in a network of its own, says that good.test is where it wants to go.
forged()
{
	unshare -rn sh -c 'ip link set lo up; ip addr add '$DNS'/32 dev lo
		python3 '$HOSTS' forge '$DNS' '$EVIL' & sleep 2
		getent ahosts good.test'
}
export DNS HOSTS EVIL
export -f forged
in_turn control 1000 bash -c forged
check 'without confinement its own resolver answers' grep -q "^$EVIL" "$T/out"
for uid in 1000 0; do
	in_turn agent $uid bash -c forged
	learned "uid $uid: an answer in a network of its own" agent $uid
done
# In the machine's own: what it sends as a resolver, whose address it has or not, to a socket of its own.
# SILENT is asked and says nothing, FAR are elsewhere, NOBODY is no one's.
SILENT=$LISTENS FAR=198.51.100.53 FAR6=2001:db8:53::53 NOBODY=127.0.0.77 NOBODY_NEAR=192.0.2.56
ip addr add $NOBODY_NEAR/24 dev wire0
ip route add 198.51.100.0/24 dev wire0
ip -6 route add 2001:db8:53::/64 dev wire0
sysctl -q -w net.ipv4.ip_unprivileged_port_start=0
cat >"$T/speaker.yaml" <<END
version: 1
name: speaker
resolvers: [$DNS, $SILENT, $FAR, $FAR6, $NOBODY, $NOBODY_NEAR]
rules:
  - allow read,exec /**
  - allow write /dev/null
  - allow connect good.test:443
  - allow listen *:53
END
[ "${CONTROL_ONLY-}" ] || agent_attach speaker "$T/speaker.yaml"
for how in "pktinfo $SILENT" "transparent $FAR" "freebind $FAR6" "bound $NOBODY" "bound $NOBODY_NEAR" \
	"tcp $NOBODY" "tcp $NOBODY_NEAR"; do
	for uid in 1000 0; do
		name="uid $uid: an answer of its own making: $how"
		# shellcheck disable=SC2086
		in_turn control $uid "${H[@]}" speak $how good.test $EVIL
		if [ $uid/${how% *} = 1000/transparent ]; then
			continue # takes CAP_NET_RAW
		elif ! grep -qx "$EVIL" "$T/out"; then
			not_ok "$name" 'no effect without confinement' "$(said)"
			continue
		elif [ "${CONTROL_ONLY-}" ]; then
			ok "$name"
			continue
		fi
		names_forget
		# shellcheck disable=SC2086
		in_turn speaker $uid "${H[@]}" speak $how good.test $EVIL
		learned "$name" speaker $uid
	done
done
if [ ! "${CONTROL_ONLY-}" ]; then
	serves() { sh -c "python3 $HOSTS forge 127.0.0.5 $EVIL & sleep 2; python3 $HOSTS dns plain 127.0.0.5 x.test"; }
	export -f serves
	in_turn speaker 1000 bash -c serves
	check 'a server of its own where nobody has a resolver' grep -qx "$EVIL" "$T/out"
	agent_detach speaker >/dev/null 2>&1
	learned=-1000
fi

# ---- what must go on ----
works 'TLS with the name' "tcp:$WEB:443.*good.test" "${H[@]}" tls all $WEB 443 good.test
works 'byte by byte' "tcp:$WEB:443 end.*good.test" "${H[@]}" tls bytes $WEB 443 good.test
works 'ten bytes a time' "tcp:$WEB:443 end.*good.test" "${H[@]}" tls tens $WEB 443 good.test
works 'over many records' "tcp:$WEB:443 end" "${H[@]}" tls records $WEB 443 good.test
works 'spliced' "tcp:$WEB:443.*good.test" "${H[@]}" tls file $WEB 443 good.test
works 'HTTP with the host' "tcp:$WEB:80.*good.test" "${H[@]}" http all $WEB 80 good.test
works 'HTTP byte by byte' "tcp:$WEB:80 end.*good.test" "${H[@]}" http bytes $WEB 80 good.test
works '[tls=off]: anything' "tcp:$WEB:8443" "${H[@]}" raw all $WEB 8443 @
works '[tls=off]: datagrams' "udp:$WEB:443" "${H[@]}" raw udp $WEB 443 @
works 'an address that is allowed by itself' "tcp:$FREE:80" "${H[@]}" raw all $FREE 80 @
for uid in 1000 0; do
	learn
	in_turn agent $uid "${H[@]}" bulk $WEB 80 good.test 3000000
	if [ -s "$T/out" ] && wait_for 5 grep -q "$(cat "$T/out")" "$T/received"; then
		ok "uid $uid: three million bytes in sends of all sizes arrive as they were"
	else
		not_ok "uid $uid: three million bytes in sends of all sizes arrive as they were" "$(said)"
	fi
	in_turn agent $uid curl -sk -o /dev/null -w '%{http_code}' https://good.test:4433/
	if [ "$(cat "$T/out")" = 200 ]; then ok "uid $uid: curl"; else
		not_ok "uid $uid: curl" "$(said)"
	fi
done

# ---- how many names, how many bytes ----
# asked WHO UID NAME: was the resolver asked?
asked()
{
	in_turn "$1" "$2" getent ahosts "$3"
	wait_for 1 grep -q "query.* $3 " "$T/queries"
}

# bulk_arrives UID NAME: 300 kB to the shared address, by that name, arrive whole.
bulk_arrives()
{
	in_turn agent "$1" getent ahosts early.test
	in_turn agent "$1" getent ahosts small.test
	: >"$T/received"
	in_turn agent "$1" timeout 15 "${H[@]}" bulk $SHARED 80 "$2" 300000
	[ -s "$T/out" ] && wait_for 5 grep -q "$(cat "$T/out")" "$T/received"
}

# counted WHO UID HOW: questions of a name in many forms; how many reached the resolver.
counted()
{
	text=$(new_word)
	in_turn "$1" "$2" "${H[@]}" $3 $LISTENS "$text.$3-$2.test"
	sleep 0.5
	got=$(grep -aic "^udp:$LISTENS:53 .*$text" "$T/received")
}
for how in spellings types; do
	for uid in 1000 0; do
		counted control $uid $how
		if [ "$got" != 32 ]; then
			not_ok "uid $uid: [names=3]: $how of one name" "without confinement $got of 32" "$(said)"
			continue
		fi
		[ ! "${CONTROL_ONLY-}" ] || { ok "uid $uid: [names=3]: $how of one name"; continue; }
		counted agent $uid $how
		if [ "$got" -gt 3 ]; then
			not_ok "uid $uid: [names=3]: $how of one name" "THE ATTACK SUCCEEDS: $got arrived"
		else
			check "uid $uid: [names=3]: $how of one name" [ "$got" = 3 ]
		fi
	done
done
check '[names=3]: without confinement a fourth is asked for' asked control 1000 zero.few.test
if [ ! "${CONTROL_ONLY-}" ]; then
	for n in one two three; do
		check "[names=3]: $n" asked agent 1000 $n.few.test
	done
	for uid in 1000 0; do
		in_turn agent $uid "${H[@]}" three $DNS {one,two,three,four}.three-$uid.test
		check "uid $uid: [names=3]: A, AAAA and HTTPS of three names" grep -qx '9 answers' "$T/out"
		check "uid $uid: [names=3]: a fourth" eval "! asked agent $uid four-$uid.few.test"
		in_turn agent $uid getent ahosts two.few.test
		check "uid $uid: [names=3]: one of the three again" grep -q $WEB "$T/out"
		check "uid $uid: two names of an address: the one that is said has no budget" \
			bulk_arrives $uid early.test
		check "uid $uid: two names of an address: the one that is said has one" \
			eval "! bulk_arrives $uid small.test"
	done
	check 'status says how many names' sh -c "'$HG' status agent | grep 'asked for 3 of 3 names'"
fi

# ---- the policy changes under a connection ----
# keeps NAME WANT POLICY [NAMES-LOST]: a connection that said good.test, over a reload of the policy.
keeps()
{
	local name=$1 want=$2 policy=$3 word

	# What is dropped is sent again, and arrives when its rule comes back.
	word=$(new_word)
	learned=-1000
	learn
	rm -f "$T/shared/go"
	: >"$T/received"
	in_cgroup agent 1000 "${H[@]}" keep $WEB 443 good.test "$T/shared/go" "$word" >"$T/kept" 2>&1 &
	need wait_for 5 grep -q sent "$T/kept"
	[ ! "${4-}" ] || need names_forget
	need "$HG" reload agent --policy "$policy"
	touch "$T/shared/go"
	if [ "$want" = stands ]; then
		check "$name" wait_for 5 grep -qa "$word" "$T/received"
	else
		sleep 2
		check "$name" sh -c "! grep -qa $word $T/received"
	fi
	wait $!
}

if [ ! "${CONTROL_ONLY-}" ]; then
	keeps 'a connection outlives a reload that leaves its rule' stands "$T/hosts.yaml"
	keeps 'also when its address is called nothing any more' stands "$T/hosts.yaml" lost
	keeps 'it ends when its rule goes' ends "$T/without.yaml"
	need "$HG" reload agent --policy "$T/hosts.yaml"
	# Another name of the same address, and port, is allowed under both.
	in_turn agent 1000 getent ahosts alias.test
	keeps 'also where another name of its address stays allowed' ends "$T/without.yaml"
	# ---- a resolver whose address is open ----
	sed "\$a\\  - allow connect $LISTENS:53" "$T/hosts.yaml" >"$T/open.yaml"
	need "$HG" reload agent --policy "$T/open.yaml"
	need names_forget
	in_turn agent 1000 python3 "$STREAMS" ask $LISTENS whole.wild.test
	works 'an answer over TCP from a resolver whose address is open' \
		"tcp:192.0.2.70:443.*whole.wild" "${H[@]}" tls all 192.0.2.70 443 whole.wild.test
	in_turn agent 1000 python3 "$STREAMS" ask $LISTENS whole.evil.test
	check 'which may be asked for anything' grep -qx 1 "$T/out"
	cgroup_end agent
	# ---- what is told ----
	cp /var/log/hydraguard/events.jsonl "$T/events"
	for what in '"event":"dns.query".*"name":"[^"]*evil.test".*' '"event":"tls.client_hello".*evil.test' \
		'"verdict":"allowed".*told.test' 'private_answer' 'sni_missing' 'sni_mismatch' 'name_unseen' 'malformed'; do
		check "the log has $what" grep -qE "$what" "$T/events"
	done
	agent_detach agent >/dev/null 2>&1
	check 'nothing is left of the agent' bash -c \
		'! ls /sys/fs/bpf/hydraguard/agents/* 2>/dev/null | grep -q .'
fi
finish
