#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The demonstration itself, as root on a machine whose kernel can enforce; started by tools/demo.
# show.sh USER: a user made for it, or the one of a throw-away guest. Fails when the agent's work
# did not succeed, or something that should be denied did.
set -euo pipefail

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
hydraguard=$here/../../build/hydraguard
user=$1
home=$(getent passwd "$user" | cut -d : -f 6)
project=$home/roman
# Reserved for documentation (RFC 5737): nobody's.
address=192.0.2.10
port=8080
url=http://$address:$port/
marker=THE-SECRET-OF-THE-DEMO
patience=60

work=$(mktemp -d)
listener=
loaded_before=
[ ! -e /sys/fs/bpf/hydraguard ] || loaded_before=1

if [ -n "${DEMO_COLOUR-}" ]; then
	bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
else
	bold='' green='' red='' plain=''
fi

clean_up()
{
	[ -z "$listener" ] || kill "$listener" 2>/dev/null || :
	[ -z "${agent_PID-}" ] || kill "$agent_PID" 2>/dev/null || :
	ip address del "$address/32" dev lo 2>/dev/null || :
	[ -n "$loaded_before" ] || "$hydraguard" unload >/dev/null 2>&1 || :
	rm -rf "$work"
}
trap clean_up EXIT

die()
{
	printf '%sdemo: %s%s\n' "$red" "$*" "$plain" >&2
	exit 1
}

# Indents; leaves of a very long rule its beginning and its place.
present()
{
	LC_ALL=C.UTF-8 sed -E \
		-e 's/^(.{110}).{10,}( \([^ ]*:[0-9]+\))/\1…\2/' \
		-e "s/ denied / ${red}denied${plain} /" \
		-e "s/^\\$ .*/${bold}&${plain}/" \
		-e 's/^/  /'
}

heading()
{
	printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}

as_user()
{
	runuser -u "$user" -- env -C "$home" HOME="$home" "$@"
}

n_failed=0
# check WHAT TEST...: says whether TEST succeeds.
check()
{
	local what=$1
	shift

	if "$@" >/dev/null 2>&1; then
		printf '  %sok%s      %s\n' "$green" "$plain" "$what"
	else
		printf '  %sFAILED%s  %s\n' "$red" "$plain" "$what"
		n_failed=$((n_failed + 1))
	fi
}

not()
{
	! "$@"
}

# A secret, a start-up file and a project under git with a test that fails.
home_make()
{
	as_user mkdir -p "$home/.ssh"
	as_user tee "$home/.ssh/id_rsa" <<<"$marker" >/dev/null
	as_user chmod 600 "$home/.ssh/id_rsa"
	as_user touch "$home/.bashrc"
	cp "$home/.bashrc" "$work/bashrc"

	cp -r "$here/project" "$project"
	cp "$here/agent.sh" "$work/agent.sh"
	chmod 755 "$work" "$work/agent.sh"
	chown -R "$user": "$project"
	as_user git -C "$project" init -q -b main
	as_user git -C "$project" config user.name 'Demo agent'
	as_user git -C "$project" config user.email agent@host.example
	as_user git -C "$project" add -A
	as_user git -C "$project" commit -q -m 'Roman numerals'
}

listener_start()
{
	ip address add "$address/32" dev lo
	: >"$work/received"
	mkfifo "$work/ready"
	python3 "$here/listener.py" "$address" "$port" "$work/received" >"$work/ready" &
	listener=$!
	read -r -t "$patience" _ <"$work/ready" || die "the listener does not start"
}

post()
{
	python3 -c 'import sys, urllib.request as u; u.urlopen(sys.argv[1], sys.argv[2].encode())' \
		"$url" "$1"
}

# What the agent will be denied works for its user otherwise.
world_check()
{
	as_user grep -q "$marker" "$home/.ssh/id_rsa" || die "the user cannot read the secret"
	as_user sh -c ': >>~/.bashrc' || die "the user cannot write ~/.bashrc"
	post reachable || die "the listener cannot be reached"
	grep -q reachable "$work/received" || die "the listener does not keep what it receives"
	: >"$work/received"
}

agent_start()
{
	coproc agent {
		cd "$project" && exec "$hydraguard" run --policy "$here/policy.yaml" --name demo \
			--user "$user" -- "$work/agent.sh" 2>"$work/run.err"
	}
	exec {agent_in}>&"${agent[1]}" {agent_out}<&"${agent[0]}"
}

# agent_turn MESSAGE: shows what the agent answers; its code in $turn.
agent_turn()
{
	local line

	printf '%s\n' "$*" >&"$agent_in"
	while IFS= read -r -t "$patience" -u "$agent_out" line; do
		case $line in
		turn\ *) turn=${line#turn }; return ;;
		*)
			present <<<"$line"
			printf '%s\n' "$line" >>"$work/shown"
			;;
		esac
	done
	cat "$work/run.err" >&2
	die "the agent does not answer"
}

# shown_command HYDRAGUARD-ARGUMENT...
shown_command()
{
	present <<<"\$ hydraguard $*"
	"$hydraguard" "$@" | tee -a "$work/shown" | present
}

# event_has PATTERN...: one event matches them all.
event_has()
{
	local events pattern

	events=$("$hydraguard" tail --agent demo --since "$started" --json)
	for pattern in "$@"; do
		events=$(grep -E -- "$pattern" <<<"$events") || return 1
	done
}

started=$(date -u +%FT%TZ)
home_make
listener_start
world_check

heading "1. An agent, and its policy"
sed 1,2d "$here/policy.yaml" | present
present <<<"\$ hydraguard run --policy policy.yaml --name demo --user $user -- agent.sh"
agent_start

heading "2. \"Fix the failing test, and commit.\""
agent_turn work
worked=$turn

heading "3. A text in the project talks it into mischief"
agent_turn misbehave "$url"

heading "4. What its owner sees"
shown_command tail -n 5 --agent demo
printf '\n'
shown_command status demo

heading "5. When it ends"
exec {agent_in}>&- {agent_out}<&-
eval "exec ${agent[1]}>&- ${agent[0]}<&-" 2>/dev/null || :
wait "${agent_PID}" 2>/dev/null || :
agent_PID=
tail -n 1 "$work/run.err" | present

heading "6. Checked"
check "the agent built, tested and committed" [ "$worked" = 0 ]
check "the commit is in the repository" \
	sh -c "[ \$(runuser -u '$user' -- git -C '$project' rev-list --count main) = 2 ]"
check "the tests pass" as_user make -C "$project" -s test
check "the secret was not shown" not grep -q "$marker" "$work/shown"
check "the start-up file is as it was" cmp "$home/.bashrc" "$work/bashrc"
check "the listener received nothing" [ ! -s "$work/received" ]
check "the listener was there all the time" post reachable
check "an event names the secret, the rule and its line" \
	event_has '"path": *"[^"]*/\.ssh/id_rsa"' '"rule_at": *"[^"]+:[0-9]+"'
check "an event names the start-up file, the rule and its line" \
	event_has '"path": *"[^"]*/\.bashrc"' '"rule_at": *"[^"]+:[0-9]+"'
check "an event names the host, the rule and its line" \
	event_has "\"address\": *\"$address\"" '"rule_at": *"[^"]+:[0-9]+"'
[ "$n_failed" = 0 ] || die "$n_failed of the checks failed"
