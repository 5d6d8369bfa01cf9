#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The commands as a user uses them: output, exit codes, events.
# shellcheck disable=SC2016
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"

EVENTS=/var/log/hydraguard/events.jsonl
W=/srv/product
mkdir -p $W/{ws,closed,outside}
echo 'the-secret' >$W/closed/key
chown -R agent $W
cat >$W/policy.yaml <<'END'
version: 1
name: tester
rules:
  - allow read,exec /**
  - allow write /srv/product/ws/** /dev/null
  - deny all /srv/product/closed/**
END
sed 's/^name:.*/&\nmode: audit/' $W/policy.yaml >$W/audit.yaml
sed '$d' $W/policy.yaml >$W/open.yaml
printf 'version: 1\nname: broken\nrules:\n  - allow read /**\n  - allow nonsense /x\n' >$W/broken.yaml
POLICY=$W/policy.yaml

# codes EXPECTED CMD...: exit code as documented; output in $T/out and $T/err.
codes()
{
	local want=$1 code=0
	shift

	"$@" >"$T/out" 2>"$T/err" || code=$?
	[ $code = "$want" ] || { echo "exit code $code, not $want"; cat "$T/out" "$T/err"; return 1; }
}
# code NAME EXPECTED CMD...
code() { check "$1" codes "${@:2}"; }
run_as_agent() { "$HG" run --policy "$POLICY" --user agent "$@"; }
event_is() { jq -e -s "map(select($1)) | length > 0" "${2-$EVENTS}"; }

# ---- without anything loaded ----
code 'list: nothing is there' 0 "$HG" list
code 'status of nobody' 4 "$HG" status nobody
code 'unload: nothing to do' 0 "$HG" unload
code 'no verb' 2 "$HG"
code 'an unknown verb' 2 "$HG" frobnicate
code 'an unknown option' 2 "$HG" list --frobnicate
code 'check of a good policy' 0 "$HG" check $POLICY
code 'check of a bad one' 1 "$HG" check $W/broken.yaml
check 'check says where' grep -q "broken.yaml:5:" "$T/err" "$T/out"
code 'explain: allowed' 0 "$HG" explain --policy $POLICY read /etc/passwd
code 'explain: denied' 1 "$HG" explain --policy $POLICY read $W/closed/key
check 'explain says which rule' grep -q 'policy.yaml:6' "$T/out"
for preset in read-only workspace-write full-access strict; do
	code "check $preset" 0 "$HG" check --home /home/agent --workspace $W/ws $preset
	code "explain $preset: a private key" 1 "$HG" explain --policy $preset --home /home/agent \
		--workspace $W/ws read /home/agent/.ssh/id_rsa
done
code 'explain read-only: no writing' 1 "$HG" explain --policy read-only --home /home/agent \
	--workspace $W/ws write $W/ws/f
code 'explain workspace-write: the workspace' 0 "$HG" explain --policy workspace-write \
	--home /home/agent --workspace $W/ws write $W/ws/f
code 'explain workspace-write: a bashrc in it' 1 "$HG" explain --policy workspace-write \
	--home /home/agent --workspace $W/ws write $W/ws/.bashrc
code 'explain full-access: connect' 0 "$HG" explain --policy full-access --home /home/agent \
	--workspace $W/ws connect 192.0.2.1:443

code 'check: an unknown policy' 1 "$HG" check workspace-rite
check 'check: names the shipped ones' grep -q 'did you mean .workspace-write.? (shipped: .*strict' \
	"$T/out"
code 'check: no workspace' 1 "$HG" check --home /home/agent workspace-write
check 'check: which is said once' sh -c "[ \$(grep -c 'no workspace' $T/out) = 1 ]"
check 'check: from a here-document' sh -c "$HG check /dev/stdin <$POLICY"
check 'check: from a pipe' sh -c "cat $POLICY | $HG check /dev/stdin"
code 'check --show' 0 "$HG" check --show no-secrets
check 'check --show: the text' cmp "$T/out" $SRC/policy/presets/no-secrets.yaml
code 'check --show: none of that name' 1 "$HG" check --show nothing
code 'doctor: without root' 0 setpriv --reuid 1000 --regid 1000 --clear-groups "$HG" doctor
code 'doctor' 0 "$HG" doctor
check 'doctor: short where all is well' sh -c "[ \$(wc -l <$T/out) -lt 6 ]"

# ---- run ----
code 'run: success' 0 run_as_agent -- true
code "run: the command's code" 7 run_as_agent -- sh -c 'exit 7'
code 'run: a signal' 137 run_as_agent -- sh -c 'kill -9 $$'
code 'run: not found' 127 run_as_agent -- /no/such/program
code 'run: not executable' 126 run_as_agent -- /etc/passwd
code 'run: no policy' 125 "$HG" run -- true
code 'run: an unknown option' 125 "$HG" run --frobnicate -- true
check 'run: says who it is' grep -q '^hydraguard run: ' "$T/err"
code 'run: a broken policy' 125 "$HG" run --policy $W/broken.yaml -- touch $W/ran
check 'run: nothing was started' test ! -e $W/ran
code 'run: no such user' 125 "$HG" run --policy $POLICY --user nobody-here -- true
code 'run: as the user' 0 run_as_agent -- sh -c 'test "$(id -u)" = 1000 && test "$HOME" = /home/agent'
code 'run: an environment, a directory, standard input' 0 bash -c 'cd '$W'/ws && echo line |
	X=1 '"$HG"' run --policy '$POLICY' --user agent -- sh -c "read l; test \$l\$X\$PWD = line1'$W'/ws"'
code 'run: denials are told' 1 run_as_agent --name told --events "$T/own" -- cat $W/closed/key
check 'run: on standard error' grep -q 'told denied read /srv/product/closed/key by cat' "$T/err"
check 'run: with the rule' grep -q 'policy.yaml:6' "$T/err"
check 'run: the secret is not' sh -c "! grep -r the-secret $T/out $T/err $T/own"
check 'run: events in a file' event_is '.file.path == "/srv/product/closed/key"' "$T/own"
code 'run: quiet' 1 run_as_agent --quiet -- cat $W/closed/key
check 'run: and it is quiet' sh -c "! grep -q 'denied read' $T/err"
# On a terminal the command's own lines stay whole.
on_terminal() { script -qec "$*" /dev/null </dev/null >"$T/out"; }
if command -v script >"$T/err"; then
	check 'run: on a terminal' on_terminal "$HG" run --policy $POLICY --user agent --name held -- \
		"sh -c 'printf begin-; for i in 1 2 3; do cat $W/closed/key 2>/dev/null; done; sleep 1; echo end'"
	check 'run: denials are told at the end' grep -q '^begin-end' "$T/out"
	check 'run: the same ones once' grep -q 'held .*denied.* read .*/closed/key.*(3 times)' "$T/out"
	check 'run --live' on_terminal "$HG" run --live --policy $POLICY --user agent --name live -- \
		"sh -c 'printf begin-; cat $W/closed/key 2>/dev/null; sleep 2; echo end'"
	check 'run --live: at once' sh -c "! grep -q '^begin-end' $T/out && grep -q 'live .*denied' $T/out"
	check 'tail: folds on a terminal' on_terminal "NO_COLOR=1 $HG tail --agent held"
	check 'tail: with their number' grep -q 'denied read .*/closed/key .*(3 times)' "$T/out"
else
	skip 'run: on a terminal' 'no script(1)'
fi
cd $W/ws || exit 1
code 'run: the workspace is where it is run' 0 "$HG" run --policy workspace-write --user agent -- \
	touch $W/ws/by-default
cd /home/agent || exit 1
code 'run: but not a home' 125 "$HG" run --policy workspace-write --user agent -- true
cd / || exit 1
code 'run: nor everything' 125 "$HG" run --policy workspace-write --user agent -- true
check 'run: its cgroup is gone' sh -c "[ -z \"\$(ls -d $CG/hydraguard/*/ 2>/dev/null)\" ]"
check 'run: no agent is left' sh -c "! $HG list | grep -q told"
# What it starts in the background does not outlive it unconfined.
run_as_agent --name parent -- sh -c "(sleep 2; cat $W/closed/key >$W/ws/late) & exit 0" >"$T/out" 2>&1
sleep 2.5
check 'run: what was left in the background read nothing' sh -c "! grep -q secret $W/ws/late"
code 'run: setuid programs give no other user' 0 run_as_agent -- \
	sh -c '! sudo -n true; grep -q "NoNewPrivs:.*1" /proc/self/status'

# ---- attach, list, status, detach ----
mkdir -p "$CG/one" "$CG/two"
code 'attach' 0 "$HG" attach --cgroup "$CG/one" --name one --policy $POLICY
code 'attach: the name is taken' 4 "$HG" attach --cgroup "$CG/two" --name one --policy $POLICY
code 'attach: the cgroup is taken' 4 "$HG" attach --cgroup "$CG/one" --name two --policy $POLICY
code 'attach: no such cgroup' 4 "$HG" attach --cgroup "$CG/none" --name none --policy $POLICY
code 'attach: no cgroup at all' 4 "$HG" attach --cgroup /etc --name none --policy $POLICY
code 'attach: a broken policy' 1 "$HG" attach --cgroup "$CG/two" --name two --policy $W/broken.yaml
code 'attach: a bad name' 1 "$HG" attach --cgroup "$CG/two" --name 'a/../b' --policy $POLICY
check 'attach: the broken one is told of' event_is '.event == "policy.rejected"'
check 'list' sh -c "$HG list | grep -q '^one .*tester.*enforce'"
check 'list --json' sh -c "$HG list --json | jq -e '.agents[0].name == \"one\"'"
in_cgroup one 1000 cat $W/closed/key 2>/dev/null
check 'status --json: counted by rule' sh -c "$HG status --json one |
	jq -e '.agents[0].denied == 1 and (.agents[0].rules | map(.hits) | add) == 1'"
check 'status: names the rule' sh -c "$HG status one | grep -q 'deny all /srv/product/closed'"
code 'detach: unknown' 4 "$HG" detach two
code 'unload: agents are attached' 4 "$HG" unload
sleep 30 &
echo $! >"$CG/two/cgroup.procs"
code 'attach by process' 0 "$HG" attach --pid $! --name two --policy $POLICY
check 'attach by process: its cgroup' sh -c "$HG list --json | jq -e '.agents[] |
	select(.name == \"two\") | .cgroup == \"$CG/two\"'"
code 'detach --kill' 0 "$HG" detach --kill two
check 'detach --kill: it is dead' sh -c "! kill -0 $!"

# What ran before attach is confined from then on, its children and threads as well.
in_cgroup_late()
{
	"$ACTS/as" "$CG/two" 1000 30 bash -c "while [ ! -e $T/now ]; do sleep 0.1; done
		cat $W/closed/key; (cat $W/closed/key)" >"$T/late" 2>&1 &
	wait_for 5 grep -q . "$CG/two/cgroup.procs"
	"$HG" attach --cgroup "$CG/two" --name two --policy $POLICY
	touch "$T/now"
	wait $!
	! grep -q secret "$T/late" && grep -q denied "$T/late"
}
check 'attach: processes that were there before' in_cgroup_late
"$HG" detach two 2>/dev/null
check 'detach: everything is allowed again' \
	sh -c "$ACTS/as $CG/two 1000 9 cat $W/closed/key | grep -q secret"

# ---- events ----
sleep 0.5
check 'events: every line is one object' jq -e . $EVENTS
check 'events: numbers without a gap' sh -c "jq .seq $EVENTS | awk 'NR > 1 && \$1 != last + 1 { exit 1 }
	{ last = \$1 }'"
check 'events: times' sh -c "! jq -r .time $EVENTS | grep -vE '^20..-..-..T..:..:..\.[0-9]{9}Z$'"
for key in .time .seq .event .gen_ai.agent.name .security_rule.ruleset.name .security_rule.name \
	.hydraguard.verdict .hydraguard.mode .hydraguard.action .hydraguard.reason \
	.hydraguard.rule_at .hydraguard.generation .hydraguard.count .hydraguard.cgroup \
	.hydraguard.exec_id .hydraguard.ancestry .file.path .process.pid .process.parent_pid \
	.process.executable.path .user.id; do
	check "events: a denial has $key" sh -c "jq -e 'select(.event == \"file.access\") | $key' $EVENTS |
		grep -q ."
done
check 'tail: readable' sh -c "$HG tail -n 50 | grep -q 'one denied read /srv/product/closed/key'"
check 'tail --json' sh -c "$HG tail --json -n 1 | jq -e .seq"
check 'tail --agent' sh -c "! $HG tail --agent told | grep -v told"
check 'tail --since' sh -c "[ \$($HG tail --since 1h | wc -l) -gt 5 ]"
check 'tail --since: nothing new' sh -c "[ -z \"\$($HG tail --since 0s)\" ]"
"$HG" tail -f -n 1 --agent one >"$T/followed" 2>&1 &
follower=$!
sleep 1
in_cgroup one 1000 ls $W/closed 2>/dev/null
check 'tail -f' wait_for 5 grep -q 'one denied read /srv/product/closed by ls' "$T/followed"
kill $follower

# open(O_CREAT) of what exists is asked about before the kernel has looked: the event says so.
echo there >$W/outside/there
chmod 666 $W/outside/there
echo 3 >/proc/sys/vm/drop_caches
in_cgroup one 1000 python3 -c "import os; os.open('$W/outside/there', os.O_RDONLY | os.O_CREAT)" &&
	in_cgroup one 1000 mkdir $W/outside/new 2>/dev/null
sleep 0.5
check 'events: creating what may be there' sh -c "! jq -e -s 'map(select(.file.path == \"$W/outside/there\" and
	.hydraguard.file.unseen != true)) | length > 0' $EVENTS"
check 'events: creating what is not there' event_is \
	'.file.path == "/srv/product/outside/new" and .hydraguard.file.unseen == null'

# Names that would forge lines, or speak to a terminal.
odd=($'a\n00:00:00.000 one denied read !forged' $'\e]0;x\a\e[31m' $'\xff\xfe\x80' $'\u202egpj')
for name in "${odd[@]}"; do
	touch "$W/closed/$name"
	in_cgroup one 1000 cat "$W/closed/$name" 2>/dev/null
done
sleep 0.5
check 'odd names: one object a line' jq -e . $EVENTS
check 'odd names: the exact bytes' event_is \
	'.file.path_b64 == "'"$(printf '%s' "$W/closed/${odd[2]}" | base64 -w 0)"'"'
check 'odd names: and readable' event_is '(.file.path_b64 | length > 0) and (.file.path | contains("\ufffd"))'
check 'odd names: no forged line' sh -c "! $HG tail -n 20 | grep -q '^00:00:00'"
check 'odd names: no escape sequence' sh -c "! $HG tail -n 20 | grep -qP '[\x00-\x08\x0b-\x1f\x7f]'"
check 'odd names: no right-to-left override' sh -c "! $HG tail -n 20 | grep -q $'\u202e'"

# ---- audit: decides and tells, and lets through ----
code 'reload with another policy' 0 "$HG" reload --policy $W/audit.yaml one
check 'audit: let through' sh -c "$ACTS/as $CG/one 1000 9 cat $W/closed/key | grep -q secret"
sleep 0.5
check 'audit: told' event_is '.hydraguard.verdict == "audited" and .file.path == "/srv/product/closed/key"'
code 'reload to enforce again' 0 "$HG" reload --policy $POLICY one
check 'enforced again' sh -c "! $ACTS/as $CG/one 1000 9 cat $W/closed/key"
code 'reload: a broken policy' 1 "$HG" reload --policy $W/broken.yaml one
check 'reload: the old one stays in force' sh -c "! $ACTS/as $CG/one 1000 9 cat $W/closed/key"
code 'reload: the file it had' 0 "$HG" reload one
code 'reload: unknown agent' 4 "$HG" reload nobody
sed -i 's/deny all/allow read/' $W/policy.yaml
code 'reload: an edited file' 0 "$HG" reload one
check 'reload: is in force' sh -c "$ACTS/as $CG/one 1000 9 cat $W/closed/key | grep -q secret"

# ---- a program that is taken off an agent's cgroup ----
check 'list: all is there' sh -c "$HG list | grep -q enforce"
rm /sys/fs/bpf/hydraguard/agents/*/packet_out
check 'list: one is missing' sh -c "$HG list | grep -q 'NETWORK NOT WATCHED'"
check 'list --json: one is missing' sh -c "$HG list --json | jq -e '.agents[0].confined == false'"
check 'status: one is missing' sh -c "$HG status one | grep -q 'NETWORK NOT WATCHED'"
check 'doctor: one is missing' sh -c "$HG doctor 2>&1 | grep -q 'packet_out is not on its cgroup'"

# ---- the end ----
code 'detach' 0 "$HG" detach one
check 'detach: told with the generation it had' event_is \
	'.event == "agent.detached" and .gen_ai.agent.name == "one" and .hydraguard.generation == 5'
code 'unload' 0 "$HG" unload
check 'unload: no pin is left' sh -c '[ -z "$(ls /sys/fs/bpf)" ]'
check 'unload: no program is left' wait_for 10 sh -c "! bpftool prog list | grep -q 'lsm '"
check 'unload: no keeper is left' sh -c '! pgrep -f "[h]ydraguard.*keeper"'
finish
