#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Asking for names: questions that no rule allows, answers that nobody gave, and how many names are too many.
# Judged by what the resolvers and the servers received.
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"
. "$here/servers.sh"

# ---- questions ----
refused 'asking for a name' query "${Q[@]}" ask plain $DNS @.evil.test
refused 'asking for a name below one that is allowed' query "${Q[@]}" ask plain $DNS @.good.test
refused 'asking for a name that an allowed one is in front of' query \
	"${Q[@]}" ask plain $DNS @good.test.evil.test
refused 'asking for a name that ends like an allowed one' query \
	"${Q[@]}" ask plain $DNS @good.test
refused 'asking over a connected socket' query "${Q[@]}" ask connected $DNS @.evil.test
for how in sendmsg send-zc-to; do
	refused "asking by io_uring: $how" query \
		sh -c "$PYTHON $QUESTIONS show @.evil.test | $ACTS/uring say task $how $DNS 53"
done
refused 'a question written in two parts' query "${Q[@]}" ask corked $DNS @.evil.test
refused 'asking for an address of the other kind' query "${Q[@]}" ask aaaa $DNS @.evil.test
refused 'asking for text' query "${Q[@]}" ask txt $DNS @.evil.test
refused 'asking over TCP' query "${Q[@]}" ask tcp $DNS @.evil.test
refused 'asking over TCP, byte by byte' query "${Q[@]}" ask tcp-bytes $DNS @.evil.test
refused 'asking over TCP, behind an allowed question' query "${Q[@]}" ask tcp-behind $DNS @.evil.test
refused 'two datagrams of one call' query "${Q[@]}" ask segments $DNS @.evil.test
refused 'a second datagram' query "${Q[@]}" ask mixed $DNS @.evil.test
for how in trailing second subnet option additional update chaos dotted; do
	refused "a question of an unusual form: $how" "udp:$LISTENS" \
		"${Q[@]}" ask $how $LISTENS @
done
refused 'asking somebody else' "udp:$OTHER" "${Q[@]}" ask plain $OTHER @.evil.test
refused 'asking somebody else for an allowed name' "udp:$OTHER" \
	"${H[@]}" raw udp $OTHER 53 @
refused 'mDNS' "udp:$EVIL" "${H[@]}" raw udp $EVIL 5353 @
for to in '224.0.0.251 5353' 'ff02::fb 5353' '224.0.0.252 5355' 'ff02::1:3 5355'; do
	# shellcheck disable=SC2086
	refused "mDNS and LLMNR: ${to% *}" "udp:${to/ /:}" "${Q[@]}" group $to @.local
done
refused 'a resolver over TLS, at its port' "tcp:$DNS:853" "${H[@]}" tls all $DNS 853 @.good.test
refused 'a resolver over TLS, with an allowed name' "tcp:$DNS:853" "${H[@]}" tls all $DNS 853 good.test
refused 'a resolver over https' "tcp:$DNS:443" "${H[@]}" tls all $DNS 443 @.test
refused 'a resolver over https, with an allowed name' "tcp:$DNS:443" "${H[@]}" tls all $DNS 443 good.test
refused 'a resolver over plain http' "tcp:$DNS:443" "${H[@]}" http all $DNS 443 @
prints 'an allowed name' "^$WEB " getent ahosts good.test
prints 'in capitals' "^$WEB$" "${Q[@]}" ask upper $DNS good.test
prints 'with EDNS' "^$WEB$" "${Q[@]}" ask edns $DNS good.test
prints 'with a cookie' "^$WEB$" "${Q[@]}" ask cookie $DNS good.test
prints 'over TCP' "^$WEB$" "${Q[@]}" ask tcp $DNS good.test
prints 'over TCP, byte by byte' "^$WEB$" "${Q[@]}" ask tcp-bytes $DNS good.test
prints 'an IPv6 address' '^2001:db8::10 ' getent ahosts v6.good.test
in_turn agent 1000 getent ahosts told.test
in_turn agent 1000 bash -c 'time getent ahosts evil.test'
if [ $code = 2 ] && grep -q 'real.0m[01]\.' "$T/err"; then ok 'a refused name is no time-out'; else
	not_ok 'a refused name is no time-out' "$(said)"
fi

# ---- answers ----
in_turn agent 1000 getent ahosts private.test
refused 'a public name with a private address' 'tcp:10.9.9.9:443' \
	"${H[@]}" raw all 10.9.9.9 443 @
in_turn agent 1000 getent ahosts nat64.test
refused 'the same in an address for translation' 'tcp:64:ff9b::a09:909:443' \
	"${H[@]}" tls all 64:ff9b::a09:909 443 nat64.test
refused 'a hint of the same' 'tcp:10.9.9.9:443' sh -c "$PYTHON $STREAMS services $LISTENS inward.wild.test
	$PYTHON $HOSTS tls all 10.9.9.9 443 inward.wild.test"
if [ ! "${CONTROL_ONLY-}" ]; then
	for uid in 1000 0; do
		names_forget
		learned=-1000
		in_turn agent $uid getent ahosts inside.test
		works_as $uid 'one that may have such' 'tcp:10.9.9.9:443.*inside.test' \
			"${H[@]}" tls all 10.9.9.9 443 inside.test
		works_as $uid 'what a hint says' 'tcp:192.0.2.76:443.*hinted.wild' \
			sh -c "$PYTHON $STREAMS services $LISTENS hinted.wild.test
				$PYTHON $HOSTS tls all 192.0.2.76 443 hinted.wild.test"
	done
fi
# Over TCP, over any number of segments; of two in one, the second.
n=0
for names in whole prefix bytes long 'hold two'; do
	how=${names#* }
	# shellcheck disable=SC2086
	in_turn agent 1000 $PYTHON "$STREAMS" ask $LISTENS ${names// /.wild.test }.wild.test
	works "an answer over TCP: $names" "tcp:192.0.2.7$n:443.*$how.wild" \
		"${H[@]}" tls all 192.0.2.7$n 443 $how.wild.test
	n=$((n + 1))
done
for how in text huge after; do
	refused "a text that is an answer, from where a segment begins: $how" \
		'tcp:192.0.2.75:443.*good.test' \
		sh -c "$PYTHON $STREAMS inside $LISTENS $how.wild.test good.test
			$PYTHON $HOSTS tls all 192.0.2.75 443 good.test"
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
		'"$PYTHON"' '$QUESTIONS' forge '$DNS' '$EVIL' & sleep 2
		getent ahosts good.test'
}
export DNS QUESTIONS EVIL
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
		in_turn control $uid "${Q[@]}" speak $how good.test $EVIL
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
		in_turn speaker $uid "${Q[@]}" speak $how good.test $EVIL
		learned "$name" speaker $uid
	done
done
if [ ! "${CONTROL_ONLY-}" ]; then
	serves() { sh -c "$PYTHON $QUESTIONS forge 127.0.0.5 $EVIL & sleep 2; $PYTHON $QUESTIONS ask plain 127.0.0.5 x.test"; }
	export -f serves
	in_turn speaker 1000 bash -c serves
	check 'a server of its own where nobody has a resolver' grep -qx "$EVIL" "$T/out"
	agent_detach speaker >/dev/null 2>&1
	learned=-1000
fi

# ---- how many names ----
# asked WHO UID NAME: was the resolver asked?
asked()
{
	in_turn "$1" "$2" getent ahosts "$3"
	wait_for 1 grep -q "query.* $3 " "$T/queries"
}

# counted WHO UID HOW: questions of a name in many forms; how many reached the resolver.
counted()
{
	text=$(new_word)
	in_turn "$1" "$2" "${Q[@]}" $3 $LISTENS "$text.$3-$2.test"
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
		in_turn agent $uid "${Q[@]}" three $DNS {one,two,three,four}.three-$uid.test
		check "uid $uid: [names=3]: A, AAAA and HTTPS of three names" grep -qx '9 answers' "$T/out"
		check "uid $uid: [names=3]: a fourth" eval "! asked agent $uid four-$uid.few.test"
		in_turn agent $uid getent ahosts two.few.test
		check "uid $uid: [names=3]: one of the three again" grep -q $WEB "$T/out"
	done
	check 'status says how many names' sh -c "'$HG' status agent | grep 'asked for 3 of 3 names'"
fi

if [ ! "${CONTROL_ONLY-}" ]; then
	# ---- the resolver is a stub on this machine ----
	sed "s/^rules:/resolvers: [$STUB]\n&/" "$T/hosts.yaml" >"$T/stub.yaml"
	need "$HG" reload agent --policy "$T/stub.yaml"
	need names_forget
	cp /etc/resolv.conf "$T/resolv.conf"
	echo "nameserver $STUB" >/etc/resolv.conf
	for uid in 1000 0; do
		in_turn agent $uid curl -sk -o /dev/null -w '%{http_code}' https://good.test:4433/
		check "uid $uid: curl, by a stub resolver" [ "$(cat "$T/out")" = 200 ]
		text=$(new_word)
		in_turn control $uid getent ahosts $text-control.evil.test
		check "uid $uid: without confinement the stub is asked" grep -q $text-control "$T/queries"
		in_turn agent $uid getent ahosts $text-agent.evil.test
		check "uid $uid: and not for a refused name" sh -c "! grep -q $text-agent '$T/queries'"
	done
	cp "$T/resolv.conf" /etc/resolv.conf
	# ---- a resolver whose address is open ----
	sed "\$a\\  - allow connect $LISTENS:53" "$T/hosts.yaml" >"$T/open.yaml"
	need "$HG" reload agent --policy "$T/open.yaml"
	need names_forget
	in_turn agent 1000 $PYTHON "$STREAMS" ask $LISTENS whole.wild.test
	works 'an answer over TCP from a resolver whose address is open' \
		"tcp:192.0.2.70:443.*whole.wild" "${H[@]}" tls all 192.0.2.70 443 whole.wild.test
	in_turn agent 1000 $PYTHON "$STREAMS" ask $LISTENS whole.evil.test
	check 'which may be asked for anything' grep -qx 1 "$T/out"
	cgroup_end agent
	# ---- what is told ----
	cp /var/log/hydraguard/events.jsonl "$T/events"
	for type in A AAAA TXT; do
		check "a refused question is told with name and type: $type" jq -e -n --arg type $type '[inputs |
			select(.event == "dns.query" and .dns.question.type == $type and
				(.dns.question.name // "" | endswith(".evil.test")))] | length > 1' "$T/events"
	done
	for what in '"event":"dns.query".*"name":"[^"]*evil.test".*' '"verdict":"allowed".*told.test' \
		'private_answer' 'malformed'; do
		check "the log has $what" grep -qE "$what" "$T/events"
	done
	agent_detach agent >/dev/null 2>&1
	check 'nothing is left of the agent' bash -c \
		'! ls /sys/fs/bpf/hydraguard/agents/* 2>/dev/null | grep -q .'
fi
finish
