#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long: all guest suites together take longer than continuous integration should
# What an agent leaves in a repository for whoever runs git there next: under the shipped
# workspace-write (and full-access for what is at home), judged by whether the person's git ran the
# agent's program. Beside it a day's work in the same repository.
# shellcheck disable=SC2016
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"

export WS=/srv/gitws PROOF=/srv/proof/ran
mkdir -p "$CG/control" /srv/proof "$WS"
chmod 777 /srv/proof
git config --system --add safe.directory '*'
git config --system user.email a@host.example
git config --system user.name a
git config --system protocol.file.allow always
# Samples of hooks are only slow to copy.
mkdir -p /srv/template/hooks
git config --system init.templateDir /srv/template

need bash -e -c '
	cd $WS
	git init -q -b main library; git -C library commit -q --allow-empty -m l
	git init -q -b main project; cd project
	echo x >x; git add x; git commit -qm one
	git submodule --quiet add ../library sub; git submodule --quiet add ../library two; git commit -qm sub
	git config core.hooksPath .githooks; mkdir .githooks
	git config include.path ../../shared.inc; git config extensions.worktreeConfig true
	git worktree add -q ../linked -b side
	cd ..; git init -q -b main plain; git -C plain commit -q --allow-empty -m p
	git clone -q --bare project bare.git
	printf "#!/bin/sh\necho ran >>$PROOF\n" >evil; chmod 755 evil; mkdir home sub tools
	cp -a plain theirs; cp -a plain hooked; cp -a plain included; git -C project/two config core.hooksPath own
	printf "#!/bin/sh\n" >tools/hook; chmod 755 tools/hook; ln -s ../../../tools/hook hooked/.git/hooks/post-commit
	git -C included config include.path ../../first.inc
	printf "[core]\nhooksPath = inc-hooks\n[include]\npath = sub/second.inc\n" >first.inc'
chown -R 1000:1000 "$WS" /home/agent
rm -rf /srv/gitws.as-it-was
cp -a "$WS" /srv/gitws.as-it-was

# What the person has at home.
at_home()
{
	rm -rf /home/agent/{.gitconfig,.config,c,dot,template}
	mkdir -p /home/agent/{.config/git,dot,template/hooks}
	printf '[includeIf "gitdir:%s/theirs/"]\n\tpath = their.inc\n[init]\n\ttemplateDir = ~/template\n' \
		"$WS" >/home/agent/.gitconfig
	printf '[core]\n\thooksPath = .their-hooks\n' >/home/agent/their.inc
	: >/home/agent/dot/git
	ln -s ../../dot/git /home/agent/.config/git/config
	chown -R -h 1000:1000 /home/agent
}
at_home

for name in workspace-write full-access; do
	printf 'version: 1\nname: %s\nextends: %s\nworkspace: %s\n' $name $name "$WS" >"$T/$name.yaml"
	mkdir -p "$CG/$name"
	need "$HG" attach --cgroup "$CG/$name" --name $name --user agent --policy "$T/$name.yaml"
done

reset()
{
	rsync -a --delete /srv/gitws.as-it-was/ "$WS"
	at_home
	rm -rf "$PROOF"
}

# leave WHO UID SCRIPT: did the person's git run the agent's program? The person works in $tree.
leave()
{
	reset
	in_cgroup "$1" "$2" bash -c "cd \$WS; E=\$WS/evil; $3" >"$T/out" 2>&1
	rm -f "$PROOF"
	in_cgroup control 1000 bash -c "cd \$WS/$tree && ${then-$COMMIT}" >"$T/victim" 2>&1
	[ -e "$PROOF" ]
}
COMMIT='git commit -q --allow-empty -m v'

# attack TREE NAME SCRIPT
attack()
{
	local uid who=${who-workspace-write} tree=$1

	if ! leave control 1000 "$3"; then
		not_ok "$2" 'nothing runs without confinement' "$(cat "$T/out" "$T/victim")"
		return
	fi
	for uid in 1000 0; do
		if leave "$who" $uid "$3"; then
			not_ok "uid $uid: $2" 'THE ATTACK SUCCEEDS' "$(cat "$T/out")"
		else
			ok "uid $uid: $2"
		fi
	done
}

EVIL='printf "[core]\n\tfsmonitor = %s\n" $E'
attack plain 'a line in .git/config' "$EVIL >>plain/.git/config"
attack plain 'config.lock, renamed as git does' "
	(cat plain/.git/config; $EVIL) >plain/.git/config.lock; mv -f plain/.git/config.lock plain/.git/config"
attack plain 'git config itself' 'git -C plain config core.fsmonitor $E'
attack plain 'another file renamed onto it' "(cat plain/.git/config; $EVIL) >c; mv -f c plain/.git/config"
attack plain 'a hard link instead of it' "(cat plain/.git/config; $EVIL) >c; ln -f c plain/.git/config"
attack plain 'a symbolic link instead of it' "
	(cat plain/.git/config; $EVIL) >c; ln -sf \$WS/c plain/.git/config"
attack plain '.git renamed, another in its place' "
	cp -r plain/.git g; $EVIL >>g/config; mv plain/.git old; mv g plain/.git"
attack plain '.git exchanged with another' "
	cp -r plain/.git g; $EVIL >>g/config; \$ACTS/name exchange g plain/.git"
attack plain '.git replaced by a file' "
	cp -r plain/.git g; $EVIL >>g/config; mv plain/.git old; echo gitdir: \$WS/g >plain/.git"
attack plain 'the working tree renamed, another in its place' "
	cp -r plain g; $EVIL >>g/.git/config; mv plain old; mv g plain"
attack plain 'commondir, which moves the configuration elsewhere' "
	cp -r plain/.git g; $EVIL >>g/config; echo ../../g >plain/.git/commondir"
attack plain 'a hook' 'cp $E plain/.git/hooks/post-commit'
attack plain 'a hook that no list of hooks has yet' '
	mkdir h; cp $E h/post-commit; mv plain/.git/hooks old; ln -s $WS/h plain/.git/hooks'
attack project 'core.hooksPath' 'cp $E project/.githooks/pre-commit'
attack project 'core.hooksPath, renamed' 'mkdir h; cp $E h/pre-commit; mv project/.githooks o; mv h project/.githooks'
attack project 'the target of include.path' "$EVIL >shared.inc"
attack included 'a file that an included one includes, not there yet' "$EVIL >sub/second.inc"
attack included 'core.hooksPath of an included file' '
	mkdir -p included/inc-hooks; cp $E included/inc-hooks/post-commit'
attack theirs 'core.hooksPath of a file that ~/.gitconfig includes' '
	mkdir -p theirs/.their-hooks; cp $E theirs/.their-hooks/post-commit'
attack hooked 'the target of a hook that is a link' 'cp $E tools/hook'
attack project/two "core.hooksPath of a submodule" 'mkdir -p project/two/own; cp $E project/two/own/post-commit'
attack linked 'core.hooksPath, of a linked working tree' '
	mkdir -p linked/.githooks; cp $E linked/.githooks/post-commit'
attack linked 'a linked working tree: its .git file' "
	cp -r project/.git g; $EVIL >>g/config; echo gitdir: \$WS/g >linked/.git"
attack linked 'a linked working tree: its commondir' "
	cp -r project/.git g; $EVIL >>g/config; echo \$WS/g >project/.git/worktrees/linked/commondir"
attack linked 'a linked working tree: config.worktree' "$EVIL >project/.git/worktrees/linked/config.worktree"
attack project 'config.worktree of the main one' "$EVIL >project/.git/config.worktree"
attack project/sub "a submodule's configuration" "$EVIL >>project/.git/modules/sub/config"
attack project/sub "a submodule's hook" 'cp $E project/.git/modules/sub/hooks/post-commit'
attack project/sub "a submodule's .git file" "
	cp -r library/.git g; $EVIL >>g/config; echo gitdir: \$WS/g >project/sub/.git"
then='cd ../plain; git push -q ../bare.git HEAD:pushed'
attack bare.git "a bare repository's hook" 'cp $E bare.git/hooks/update'
then='git diff main~1 main'
attack bare.git "a bare repository's configuration" 'printf "[diff]\n\texternal = %s\n" $E >>bare.git/config'
unset then
who=full-access
attack plain 'the configuration at home' "$EVIL >>/home/agent/.gitconfig"
attack plain 'the configuration at home, by rename' "$EVIL >/home/agent/c; mv /home/agent/c /home/agent/.gitconfig"
attack plain '/home/agent/.config/git/config' "mkdir -p /home/agent/.config/git; $EVIL >/home/agent/.config/git/config"
attack plain '/home/agent/.config renamed' "mkdir -p /home/agent/c/git; $EVIL >/home/agent/c/git/config; rm -rf /home/agent/.config; mv /home/agent/c /home/agent/.config"
attack plain 'what ~/.config/git/config is a link to' "$EVIL >>/home/agent/dot/git"
attack theirs 'what ~/.gitconfig includes' "$EVIL >>/home/agent/their.inc"
then='git init -q ../new; cd ../new; git commit -q --allow-empty -m v'
attack plain 'the template of new repositories' 'cp $E /home/agent/template/hooks/post-commit'
unset then
attack plain 'full-access: .git/config' "$EVIL >>plain/.git/config"
unset who

# ---- the same repository, honestly ----
reset
LIMIT=120
work()
{
	if in_cgroup workspace-write 1000 env HOME=/home/agent npm_config_cache="$WS/.npm" \
		bash -ec "cd \$WS/plain; $2" >"$T/work" 2>&1; then
		ok "work: $1"
	else
		not_ok "work: $1" "$(cat "$T/work")" "$("$HG" tail --agent workspace-write | tail -n 4)"
	fi
}
work 'commit, checkout -b, merge, branch -D' '
	echo 1 >f; git add f; git commit -qm f; git checkout -q -b topic; echo 2 >f; git commit -qam g
	git checkout -q main; git merge -q topic; git branch -D topic; git tag t; git stash list'
work 'rebase, stash, cherry-pick, reset, gc' '
	git checkout -q -b r HEAD~1; echo 3 >k; git add k; git commit -qm k; git rebase -q main
	echo 4 >>k; git stash -q; git stash pop -q; git checkout -q k; git reset -q --hard main
	git gc -q --prune=now; git fsck'
work 'fetch and pull from another' 'git fetch -q ../library; git fetch -q ../project main; git log -1 FETCH_HEAD'
work 'a linked working tree, made and removed' '
	git worktree add -q ../more -b more; cd ../more; echo m >m; git add m; git commit -qm m
	cd ../plain; git worktree remove ../more; git branch -D more'
work 'work in the submodule and the linked tree' '
	cd ../project/sub; echo s >s; git add s; git commit -qm s; cd ..; git add sub; git commit -qm sub
	cd ../linked; echo s >s; git add s; git commit -qm s'
work 'a new repository, with a configuration of its own' '
	cd ..; git init -q fresh; cd fresh; git config user.name other; git remote add o ../plain
	git fetch -q o; git checkout -q -b x o/main; git submodule --quiet add ../library l; cd ..
	mv fresh moved; git clone -q plain copy; git -C copy push -q ../bare.git HEAD:c; rm -rf moved copy'
work 'npm ci' '
	mkdir ../pkg; echo "{\"name\":\"pkg\",\"version\":\"1.0.0\"}" >../pkg/package.json
	echo "{\"name\":\"app\",\"version\":\"1.0.0\",\"dependencies\":{\"pkg\":\"file:../pkg\"}}" >package.json
	npm install --offline --no-audit --no-fund; rm -rf node_modules; npm ci --offline --no-audit --no-fund
	test -e node_modules/pkg/package.json'
for name in workspace-write full-access; do
	agent_detach $name
done
finish
