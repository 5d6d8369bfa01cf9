# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What the guest suites share: TAP lines, agents, and effects. Runs as root in a guest of tools/vm;
# a suite sources it, prints one line for each thing tested and ends with `finish`.

set -u
LC_ALL=C.UTF-8
SRC=/src
ACTS=$SRC/build/tests/acts
POLICIES=$SRC/tests/policies
T=/run/suite
CG=/sys/fs/cgroup
HG=$SRC/build/hydraguard
# An emulated python begins slowly: without what its site adds.
PYTHON='python3 -SE'
export ACTS CG PYTHON
mkdir -p "$T"

n_tests=0

# ---- TAP ----

ok()
{
	n_tests=$((n_tests + 1))
	echo "ok $n_tests - $1"
}

# not_ok NAME [DIAGNOSTIC...]
not_ok()
{
	n_tests=$((n_tests + 1))
	echo "not ok $n_tests - $1"
	shift
	printf '%s\n' "$@" | tail -n 25 | cat -v | sed 's/^/#   /'
}

skip()
{
	n_tests=$((n_tests + 1))
	echo "ok $n_tests - $1 # SKIP $2"
}

# check NAME CMD...: CMD, run here, succeeds. What it printed is the diagnostic.
check()
{
	local name=$1
	shift

	if "$@" >"$T/check" 2>&1; then
		ok "$name"
	else
		not_ok "$name" "exit code $? of: $*" "$(cat "$T/check")"
	fi
}

# fat_make FILE: an empty FAT16: boot sector, two tables, room.
fat_make()
{
	python3 - "$1" <<-'END'
		import struct, sys
		boot = b'\xeb\x3c\x90mkdosfs ' + struct.pack('<HBHBHHBHHHLLBBBL', 512, 2, 1, 2, 512, 16384, 0xf8,
			32, 32, 64, 0, 0, 0x80, 0, 0x29, 1) + b'TEST       FAT16   '
		table = b'\xf8\xff\xff\xff'.ljust(32 * 512, b'\0')
		image = boot.ljust(510, b'\0') + b'\x55\xaa' + table * 2
		open(sys.argv[1], 'wb').write(image.ljust(8 << 20, b'\0'))
	END
}

finish()
{
	echo "1..$n_tests"
	exit 0
}

# For what the tests need and are not about: without it there is nothing to test.
need()
{
	"$@" >"$T/need" 2>&1 && return
	echo "Bail out! exit code $? of: $*"
	sed 's/^/#   /' "$T/need"
	exit 1
}

# wait_for SECONDS CMD...
wait_for()
{
	local until=$((${EPOCHREALTIME/./} + $1 * 1000000))
	shift

	until "$@" 2>/dev/null; do
		[ "${EPOCHREALTIME/./}" -lt "$until" ] || return 1
		sleep 0.05
	done
}

# ---- processes in a cgroup ----

# in_cgroup NAME UID CMD...: CMD as UID in a cgroup, ended after LIMIT seconds.
LIMIT=30
in_cgroup()
{
	"$ACTS/as" "$CG/$1" "$2" "$LIMIT" "${@:3}" </dev/null
}

new_word() { head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n'; }

# in_turn NAME UID CMD...: as in_cgroup. How it ended is in $code, what it printed in $T/out and
# $T/err; `said` shows all of that.
in_turn()
{
	code=0
	in_cgroup "$1" "$2" "${@:3}" >"$T/out" 2>"$T/err" || code=$?
}
said()
{
	printf '%s\n' "exit code $code" "$(head -c 400 "$T/out" | tr -cd '\n -~')" \
		"$(tail -n 5 "$T/err")"
}

# judged NAME CONTROL AGENT [HONEST]: commands, evaluated here. CONTROL shows that the attack has its effect;
# AGENT, the same from inside, must have none; HONEST must work. A control that ends with 77 skips.
judged()
{
	code=0
	if ! eval "$2"; then
		if [ "$code" = 77 ]; then
			skip "$1" "$(grep -ahm 1 SKIP "$T/out" "$T/err" | sed 's/^SKIP //' | tr -cd ' -~')"
		else
			not_ok "$1" 'no effect without confinement: it tests nothing' "$(said)"
		fi
	elif [ "${CONTROL_ONLY-}" ]; then
		ok "$1"
	elif eval "$3"; then
		not_ok "$1" "THE ATTACK SUCCEEDS: ${seen-}" "$(said)"
	elif [ "${4-}" ] && ! eval "$4"; then
		not_ok "$1" 'the honest use does not work' "$(said)"
	else
		ok "$1"
	fi
}

cgroup_empty()
{
	local events

	events=$(<"$CG/$1/cgroup.events")
	[ "${events#*populated 0}" != "$events" ]
}

cgroup_end()
{
	cgroup_empty "$1" && return
	echo 1 >"$CG/$1/cgroup.kill"
	wait_for 5 cgroup_empty "$1"
}

# agent_attach NAME POLICY-FILE: a cgroup of that name, confined. The first one loads the programs.
agent_attach()
{
	mkdir -p "$CG/$1"
	need "$HG" attach --cgroup "$CG/$1" --name "$1" --policy "$2"
}

agent_detach()
{
	cgroup_end "$1"
	"$HG" detach "$1"
	rmdir "$CG/$1"
}

# Denials so far, by the kernel's own count.
denials()
{
	"$HG" status --json "$1" 2>/dev/null | jq -r '.. | .denied? // empty | numbers' | head -n 1
}
