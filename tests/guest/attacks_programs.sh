#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long: all guest suites together take longer than continuous integration should
# Programs that may not be run, by every way there is to run code from a file, and programs that may
# be run only with some arguments.
# These functions run in a shell of their own: $1... are their arguments.
# shellcheck disable=SC2016,SC2317,SC2329
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"
. "$here/arena.sh"

arena_make
# A library in each box that says the box's marker when it is loaded.
cat >"$T/lib.c" <<'E'
#include <stdio.h>
static const char *volatile marker = "@@@@@@@@MARKER-GOES-HERE@@@@@@@@";
__attribute__((constructor)) static void loaded(void) { puts(marker); fflush(stdout); }
E
need gcc -shared -fPIC -O1 -o "$T/lib.so" "$T/lib.c"
for box in "${!box_at[@]}"; do
	at=/srv/template${box_at[$box]#"$ARENA"}
	sed "s/@@@@@@@@MARKER-GOES-HERE@@@@@@@@/${mark[$box]}/" "$T/lib.so" >"$at/lib.so"
	chown 1000:1000 "$at/lib.so"
done
arena_dirty=1
arena_reset
[ "${CONTROL_ONLY-}" ] || agent_attach agent "$POLICIES/programs.yaml"
export LD_SO=/lib64/ld-linux-x86-64.so.2

# ---- a folder from which nothing is run ----
protected() { attack -b noexec -r "$@"; }
plain() { "$BOX/$1"; }
protected 'run' plain tool
protected 'run a script' plain script
by_loader() { "$LD_SO" "$BOX/tool"; }
protected 'as the argument of ld.so' by_loader
preload_loader() { "$LD_SO" --preload "$BOX/lib.so" /bin/true; }
protected 'ld.so --preload' preload_loader
preload() { LD_PRELOAD="$BOX/lib.so" /bin/true; }
protected 'LD_PRELOAD' preload
audit() { LD_AUDIT="$BOX/lib.so" /bin/true; }
protected 'LD_AUDIT' audit
dlopen() { python3 -c 'import ctypes, os; ctypes.CDLL(os.environ["BOX"] + "/lib.so")'; }
protected 'dlopen' dlopen
running() { "$ACTS/read" "$1" "$BOX/tool" "$WORD"; }
protected 'execveat of an O_PATH descriptor' running exec-fd
protected 'exec of /proc/self/fd' running exec-proc-fd
coding() { "$ACTS/code" "$1" "$BOX/tool" "$WORD"; }
for way in personality shared written write-exec pkey moved over uselib; do
	protected "made executable: $way" coding $way
done
attack -b noexec -n -r 'copied to a memfd and mapped' coding memfd-map
attack -b noexec -n -r 'copied to a memfd and run' running memfd-run
interpreter() { printf '#!%s\n' "$BOX/tool" >"$WS/free/open/s" && chmod +x "$WS/free/open/s" && "$WS/free/open/s"; }
protected 'as the interpreter of a script that may be run' interpreter
nested() {
	cd "$WS/free/open" && printf '#!%s\n' "$BOX/script" >s1 && printf '#!%s/s1\n' "$PWD" >s2 &&
		chmod +x s1 s2 && ./s2
}
protected 'as the interpreter of an interpreter' nested
by_misc()
{
	mount -t binfmt_misc b /proc/sys/fs/binfmt_misc 2>/dev/null
	echo ":hg:E::hgx::$BOX/tool:" >/proc/sys/fs/binfmt_misc/register
	touch "$WS/free/open/f.hgx" && chmod +x "$WS/free/open/f.hgx" && "$WS/free/open/f.hgx"
}
misc_end() { [ ! -e /proc/sys/fs/binfmt_misc/hg ] || echo -1 >/proc/sys/fs/binfmt_misc/hg; }
attack -u 0 -b noexec -n -r -c misc_end 'binfmt_misc' by_misc

# ---- copies ----
copy_run() { cp "$BOX/tool" "$1/copy" && "$1/copy"; }
attack -b noexec -n -r 'a copy where nothing is run' copy_run "$WS"
tmpfile() { "$ACTS/code" tmpfile-run "$BOX/tool" "$WS"; }
attack -b noexec -n -r 'a copy without a name' tmpfile
copy_in() { cat "$BOX/tool" >"$WS/c" && chmod +x "$WS/c" && "$LD_SO" "$WS/c"; }
attack -b noexec -n -r 'a copy by ld.so' copy_in

# ---- arguments: everything but push ----
tool() { "$BOX/tool" "$@"; }
script() { "$BOX/script" "$@"; }
attack -r 'an argument that is denied' tool push
attack -r 'options before it' tool -C x --bare push origin
attack -r 'as the last of many' tool a b c d e f g push
many() { "$BOX/tool" $(seq 20000) push; }
attack -r 'behind a hundred thousand bytes' many
too_many() { "$BOX/tool" "$(head -c 120000 /dev/zero | tr '\0' x)"{1..9} push; }
attack -r 'behind a million bytes' too_many
attack -r 'of a script' script -x push
by_env() { env "$BOX/tool" push; }
attack -r 'through env' by_env
by_shell() { sh -c "$BOX/tool push"; }
attack -r 'through sh -c' by_shell
by_xargs() { echo push | xargs "$BOX/tool"; }
attack -r 'through xargs' by_xargs
by_python() { python3 -c 'import os; os.execv(os.environ["BOX"] + "/tool", ["tool", "push"])'; }
attack -r 'through python' by_python
by_fd() { python3 -c 'import os; os.execve(os.open(os.environ["BOX"] + "/tool", os.O_RDONLY), ["tool", "push"], {})'; }
attack -r 'by a descriptor' by_fd
by_fd_script() { python3 -c 'import os
f = os.open(os.environ["BOX"] + "/script", os.O_RDONLY)
os.set_inheritable(f, True)
os.execve(f, ["script", "push"], {})'; }
attack -r 'a script by a descriptor' by_fd_script
by_link() { ln -s "$BOX/tool" "$WS/tool" && "$WS/tool" push; }
attack -r 'by a symbolic link' by_link
by_proc() { "/proc/self/root$BOX/tool" push; }
attack -r 'by /proc/self/root' by_proc
first() { unshare -Urpf "$BOX/tool" push; }
attack -r 'as the first process of a pid namespace' first
nested_script() { cd "$WS/free/open" && printf '#!%s push\n' "$BOX/tool" >s && chmod +x s && ./s; }
attack -r 'as the argument that a script gives its interpreter' nested_script
# A program may do by its name what it else does by an argument.
other_name() { bash -c 'exec -a push "$BOX/tool"'; }
attack -r 'by another name' other_name
linked_name() { ln -s "$BOX/tool" "$WS/tool-push" && "$WS/tool-push"; }
attack -r "by a link's name" linked_name
no_name() { "$ACTS/code" exec-args "$BOX/tool" "" status; }
attack -r 'by an empty name' no_name
no_arguments() { "$ACTS/code" exec-none "$BOX/tool"; }
attack -r 'by no name at all' no_arguments
script_name() { ln -s "$BOX/script" "$WS/other" && "$WS/other" status; }
attack -r "a script by a link's name" script_name
# Where arguments cannot be told, what holds for all of them decides.
attack -r 'without arguments that can be read, by ld.so' by_loader
traced() { strace -qq -o /dev/null "$BOX/tool" status; }
attack -r 'traced' traced
mapped() { "$ACTS/read" "$1" "$BOX/tool" "$WORD"; }
attack -r 'mapped' mapped map-exec-at-once
hard_link() { ln "$BOX/tool" "$WS/free/open/t" && "$WS/free/open/t" push; }
attack -n -r 'by a hard link where it may be run with all arguments' hard_link

# ---- arguments: nothing but status ----
allowed_only() { attack -b outside -e word_seen "$@"; }
word_seen() { grep -qaF "$WORD" "$T/out"; }
allowed_only 'none at all' tool
allowed_only 'an option before the one that is allowed' tool -c alias.status=push status
allowed_only 'one that begins alike' tool statusx
allowed_only 'the right one as the second' tool x status
allowed_only 'of a script, the right one as the second' script x status

# ---- honest, and what is told ----
runs() { in_cgroup agent 1000 "$@" >"$T/out" 2>"$T/err"; code=$?; cat "$T/out" "$T/err"; return $code; }
git_repository()
{
	rm -rf "$WS/repo" "$WS/remote" && in_cgroup agent 1000 sh -ec 'cd $0 && git init -q --bare remote
		git init -q repo && cd repo && git config user.email a@b.test && git config user.name a
		git remote add origin ../remote && git commit -q --allow-empty -m one' "$WS"
}
pushed() { git -c safe.directory='*' --git-dir "$WS/remote" log --all --oneline 2>/dev/null | grep -q .; }
if [ ! "${CONTROL_ONLY-}" ]; then
	arena_reset
	seen_status() { runs "$ARENA/$1" status x | grep -qF "${mark[$2]}"; }
	check 'other arguments: a program' seen_status closed/tool closed
	check 'other arguments: a script' seen_status closed/script closed
	check 'allowed arguments: a program' seen_status outside/tool outside
	check 'allowed arguments: a script' seen_status outside/script outside
	check 'a push that is an argument of something else' runs echo push
	check 'git: init, commit' git_repository
	for command in 'git push origin HEAD' 'git -C . push origin HEAD' \
		'git -c alias.x=push x origin HEAD' 'git -c "alias.x=!git push" x origin HEAD' \
		'git-push origin HEAD' '/usr/lib/git-core/git-push origin HEAD' \
		'/usr/lib/git-core/git push origin HEAD' 'exec -a git-push git origin HEAD' \
		'env GIT_EXEC_PATH=/tmp git push origin HEAD' \
		'GIT_TRACE=1 git submodule foreach true; git push origin HEAD' \
		'cp /usr/bin/git ../free/g; ../free/g push origin HEAD' \
		'cp /usr/bin/git ../free/g; /lib64/ld-linux-x86-64.so.2 ../free/g push origin HEAD'; do
		in_cgroup agent 1000 bash -c "cd $WS/repo && $command" >"$T/out" 2>"$T/err"
		code=$?
		if pushed; then
			not_ok "$command" 'THE ATTACK SUCCEEDS: it is pushed' "$(said)"
			git_repository
		else
			ok "$command"
		fi
	done
	check 'git: status, log, a second commit' runs sh -c \
		"cd $WS/repo && git status && git log --oneline && git commit -q --allow-empty -m 'push it'"
	runs "$ARENA/closed/tool" -C 'a b' push >/dev/null
	told()
	{
		tail -n 50 /var/log/hydraguard/events.jsonl | grep '"a b"' | jq -e '
			select(.event == "process.exec") | .file.path == "/srv/arena/closed/tool" and
			.process.command_args == ["/srv/arena/closed/tool", "-C", "a b", "push"] and
			.hydraguard.reason == "rule"' | grep -q true
	}
	check 'the event has the arguments' wait_for 5 told
	printf '#!%s\n' "$ARENA/closed/tool" >"$WS/free/open/s" && chmod 755 "$WS/free/open/s"
	runs "$WS/free/open/s" push >/dev/null
	told_script()
	{
		tail -n 50 /var/log/hydraguard/events.jsonl | jq -e "
			select(.event == \"process.exec\" and .file.path == \"$ARENA/closed/tool\") |
			.hydraguard.script == \"$WS/free/open/s\"" | grep -q true
	}
	check 'the event of an interpreter has the script' wait_for 5 told_script
	check 'explain says the same' eval '! "$HG" explain --policy "$POLICIES/programs.yaml" -- \
		exec /usr/bin/git -C x push && "$HG" explain --policy "$POLICIES/programs.yaml" -- \
		exec /usr/bin/git commit -m no-push'

	# An execve that fails after it was asked about leaves an entry until its thread tries again.
	arena_dirty=1
	echo '#!/nowhere' >"$ARENA/closed/script"
	after_failed()
	{
		in_cgroup agent 1000 bash -c 'shopt -s execfail
			exec "$0/script" status; exec "$0/tool" "$1"' "$ARENA/closed" "$1" 2>/dev/null |
			grep -q "${mark[closed]}"
	}
	check 'after one that failed, what is allowed runs' after_failed status
	check 'after one that failed, what is denied does not' eval '! after_failed push'
	# More of them than one agent has room for (HG_EXECS_EACH), none of which ends.
	export FAILED=$WS/failed
	many_failed()
	{
		LIMIT=300 in_cgroup agent 1000 python3 -c 'import os, signal, sys
for i in range(140):
    if os.fork() == 0:
        try: os.execv(sys.argv[1], ["script", "status"])
        except OSError: open(os.environ["FAILED"], "a").write("x")
        signal.pause()
signal.pause()' "$ARENA/closed/script" &
		wait_for 60 eval '[ "$(wc -c <"$FAILED")" = 140 ]'
	}
	status() { in_cgroup "$1" 1000 "$ARENA/closed/tool" status 2>&1 | grep -q "${mark[closed]}"; }
	agent_attach other "$POLICIES/programs.yaml"
	check '140 processes whose execve failed' many_failed
	check 'their agent has no room left' eval '! status agent'
	check 'another agent has' status other
	check 'and is still denied what it may not do' eval \
		'! in_cgroup other 1000 "$ARENA/closed/tool" push | grep -q "${mark[closed]}"'
	cgroup_end agent
	check 'when they have ended, so has their agent' status agent
	agent_detach other

	# Code that is made at run time.
	agent_detach agent
	mkdir -p "$CG/maker"
	need "$HG" attach --cgroup "$CG/maker" --name maker --policy workspace-write --workspace "$WS"
	makes() { [ "$(in_cgroup maker 1000 "$ACTS/code" "$1")" = 42 ]; }
	check 'workspace-write: anonymous memory made executable' makes jit-anonymous
	check 'workspace-write: memory writable and executable' makes jit-rwx
	check 'workspace-write: no memfd mapped executable' eval '! makes jit-memfd'
	ctypes() { in_cgroup maker 1000 python3 -c 'import ctypes
f = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda x: x + 1)
assert f(1) == 2'; }
	check 'workspace-write: a callback of ctypes' ctypes
	for runtime in 'node -e console.log(1)' 'java -version' 'perl -e print(1)' 'luajit -e print(1)'; do
		if command -v "${runtime%% *}" >/dev/null; then
			# shellcheck disable=SC2086
			check "workspace-write: $runtime" in_cgroup maker 1000 $runtime
		fi
	done
	own_program()
	{
		in_cgroup maker 1000 sh -c "cd $WS && cp /bin/echo e && ./e made | grep -q made"
	}
	check 'workspace-write: a program of its own' own_program
fi
finish
