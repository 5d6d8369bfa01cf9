#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A day's work in a workspace under the shipped workspace-write, as an ordinary user: everything
# works, and nothing is denied.
# shellcheck disable=SC2016
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"

WS=/srv/work
mkdir -p "$WS"
chown agent "$WS"
cat >"$T/policy.yaml" <<END
version: 1
name: worker
extends: workspace-write
workspace: $WS
END
need "$HG" check --home /home/agent "$T/policy.yaml"
mkdir -p "$CG/worker"
need "$HG" attach --cgroup "$CG/worker" --name worker --user agent --policy "$T/policy.yaml"
LIMIT=120

# work NAME SCRIPT: SCRIPT as the agent, in the workspace, succeeds and meets no denial. npm wants a
# cache, and its usual one is outside the workspace.
work()
{
	local before after

	before=$(denials worker)
	if ! in_cgroup worker 1000 env HOME=/home/agent USER=agent npm_config_cache="$WS/.npm" \
		bash -ec "cd $WS; $2" >"$T/work" 2>&1; then
		not_ok "$1" "$(cat "$T/work")" "$("$HG" tail --agent worker | tail -n 5)"
		return
	fi
	after=$(denials worker)
	if [ "$before" = "$after" ]; then
		ok "$1"
	else
		not_ok "$1 (denials: $before, then $after)" "$("$HG" tail --agent worker | tail -n 5)"
	fi
}

work 'git init, commit' '
	git init -q -b main project; cd project
	git config user.email agent@host.example; git config user.name agent
	for i in $(seq 40); do echo "int f$i(void) { return $i; }" >f$i.c; done
	echo "int main(void) { return 0; }" >main.c
	printf "program: \$(patsubst %%.c,%%.o,\$(wildcard *.c))\n\t\$(CC) -o \$@ \$^\n" >Makefile
	git add .; git commit -qm one; [ "$(git log --oneline | wc -l)" = 1 ]'
work 'git checkout -b, merge, branch -D' '
	cd project; git checkout -q -b topic; echo x >y; git add y; git commit -qm two
	git checkout -q main; git merge -q topic; git branch -D topic; test -f y'
work 'git stash, rebase, tag, worktree' '
	cd project; echo z >>y; git stash -q; ! grep z y; git stash pop -q; grep -q z y
	git commit -qam three; git tag v1; git worktree add -q ../tree -b side; test -f ../tree/y
	cd ../tree; echo s >s; git add s; git commit -qm side; git rebase -q main'
work 'git clone, fetch, pull' '
	git clone -q project copy; cd copy; git config user.email a@host.example
	git config user.name a; git pull -q; git fetch -q; git remote add other ../project'
work 'git gc' 'cd project; git gc -q --prune=now; git fsck'
work 'git submodule, clean, restore' '
	cd copy; git -c protocol.file.allow=always submodule --quiet add ../project sub
	git commit -qm sub; echo dirt >dirt; git clean -qfd; rm y; git restore y; test -f y'
work 'make and gcc, 41 files' 'cd project; make -s -j2; ./program'
work 'make again after a change' 'cd project; touch f1.c; make -s; make -q'
work 'ar, ld -shared, a program with its own library' '
	mkdir lib; cd lib; echo "int g(void) { return 7; }" >g.c; gcc -shared -fPIC -o libg.so g.c
	echo "int g(void); int main(void) { return g() != 7; }" >m.c
	gcc -o m m.c -L. -lg -Wl,-rpath,$PWD; ./m; ar rcs libg.a; strip m'
work 'python3: sqlite, subprocess, temporary files, unittest' '
	cat >t.py <<END
import os, sqlite3, subprocess, sys, tempfile, unittest, multiprocessing
class T(unittest.TestCase):
    def test_sqlite(self):
        c = sqlite3.connect("d.db"); c.execute("create table t(a)"); c.commit()
    def test_subprocess(self):
        self.assertEqual(subprocess.check_output(["echo", "x"]), b"x\n")
    def test_tempfile(self):
        with tempfile.NamedTemporaryFile() as f: f.write(b"x")
        with tempfile.TemporaryDirectory() as d: open(d + "/a", "w").close()
    def test_lock(self):
        with multiprocessing.Lock(): pass
unittest.main()
END
	python3 t.py'
work 'python3 -m venv, and what it made' '
	python3 -m venv venv; . venv/bin/activate; pip --version; python -c "import pip"'
work 'node' '
	node -e "const fs=require(\"fs\"); fs.writeFileSync(\"n\", \"1\"); fs.renameSync(\"n\", \"m\");
		require(\"child_process\").execSync(\"true\")"'
work 'npm pack, npm install from the archive, npx' '
	mkdir pkg app; echo "{\"name\":\"pkg\",\"version\":\"1.0.0\",\"bin\":{\"pk\":\"i.js\"}}" >pkg/package.json
	printf "#!/usr/bin/env node\nconsole.log(\"it runs\")\n" >pkg/i.js
	(cd pkg; npm pack --silent); echo "{\"name\":\"app\",\"version\":\"1.0.0\"}" >app/package.json
	cd app; npm install --offline --no-audit --no-fund ../pkg/pkg-1.0.0.tgz
	[ "$(node_modules/.bin/pk)" = "it runs" ]; npm ls'
work 'tar with modes and times' '
	chmod 640 project/y; touch -d 2001-02-03 project/y; tar czf t.tgz project; mkdir out
	tar xzpf t.tgz -C out; [ "$(stat -c "%a %Y" out/project/y)" = "$(stat -c "%a %Y" project/y)" ]'
work 'rsync -a, twice' 'rsync -a project/ synced/; touch project/f2.c; rsync -a project/ synced/
	diff -r project synced'
work 'pipes, here-documents, process substitution, background jobs' '
	[ "$(sort <<END | uniq -c | wc -l
b
a
a
END
	)" = 2 ]; diff <(echo 1) <(echo 1); (sleep 0.1; echo late >late) & wait; test -f late'
work 'a large sort, sed -i, find -exec, mktemp, links' '
	seq 200000 | sort -R | sort -n -S 1M | tail -n 1 >last; [ "$(cat last)" = 200000 ]
	sed -i s/200000/x/ last; grep -q x last; find project -name "*.o" -exec rm {} +
	d=$(mktemp -d); echo 1 >"$d/f"; mv "$d/f" here; rm -r "$d"; ln here there; ln -s here sym
	cp -a project copied; mv copied moved; rm -r moved'
work 'vim saves with a backup' '
	printf "hello\n" >e.txt; vim.tiny -es -u NONE -c "set backup writebackup" \
		-c "%s/hello/bye/" -c wq e.txt; grep -q bye e.txt'
work 'gdb-like: strace of a child, a core limit, nice, flock' '
	strace -o trace true; grep -q execve trace; nice true; flock lockfile true; ulimit -c 0'

# All of this would pass if nothing were confined.
in_cgroup worker 1000 sh -c 'echo x >/home/agent/outside' 2>/dev/null
if [ -e /home/agent/outside ]; then
	not_ok 'a write outside the workspace is denied'
else
	ok 'a write outside the workspace is denied'
fi
agent_detach worker
finish
