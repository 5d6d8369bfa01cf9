/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Everything that a policy may get wrong, and the line and column that each error must name. */
#include "test_policy.h"

static struct tap tap;

/* Rules under test stand on line 3 behind "  - ", so that their first byte is column 5. */
#define RULE(text) "version: 1\nrules:\n  - " text "\n"

/* clang-format off */
static const struct wrong {
	const char *text;
	unsigned line, col;
	const char *part;
} wrongs[] = {
	/* ---- the document ---- */
	{ "", 1, 1, "empty" },
	{ "# nothing\n", 1, 1, "empty" },
	{ "- a\n", 1, 1, "map of keys" },
	{ "text\n", 1, 1, "map of keys" },
	{ "rules: []\n", 1, 1, "`version: 1` is missing" },
	{ "version: 2\n", 1, 10, "not 2" },
	{ "version: \"1\"\n", 1, 11, "a version is a number" },
	{ "version: 1junk\n", 1, 10, "a version is a number" },
	{ "version: 1.0\n", 1, 10, "a version is a number" },
	{ "version: [1]\n", 1, 10, "a version is a number" },
	{ "version: 1\nversion: 1\n", 2, 1, "`version` is here twice; the first is at 1:1" },
	{ "version: 1\nrules: []\n\"rules\": []\n", 3, 1, "twice" },
	{ "version: 1\nvars:\n  a: b\n  a: c\n", 4, 3, "twice" },
	{ "version: 1\nrule: []\n", 2, 1, "did you mean `rules`?" },
	{ "version: 1\nexetnds: strict\n", 2, 1, "did you mean `extends`?" },
	{ "version: 1\nzzz: 1\n", 2, 1, "there is version, name" },
	{ "version: 1\nask: { timeout: 2m }\n", 2, 1, "this version does not hold requests" },
	{ "hydraguard:\n  version: 1\n", 1, 1, "stand at the top" },
	{ "version: 1\n<<: {}\n", 2, 1, "merge keys" },
	{ "version: 1\n[a]: b\n", 2, 1, "a key is a plain word" },
	{ "version: &a 1\n", 1, 10, "anchors" },
	{ "version: 1\nvars: { a: &x b, c: *x }\n", 2, 12, "anchors" },
	{ "version: 1\nvars: { c: *x }\n", 2, 12, "aliases" },
	{ "version: 1\nvars: { c: **/x }\n", 2, 13, "in quotes" },
	{ "version: !!int 1\n", 1, 10, "tags" },
	{ "version: 1\nrules: !x []\n", 2, 8, "tags" },
	{ "version: 1\n---\nversion: 1\n", 2, 1, "second document" },
	{ "%YAML 1.1\n---\nversion: 1\n", 1, 1, "directives" },
	{ "version: 1\nrules:\n\t- x\n", 3, 1, "indent with spaces" },
	{ "version: 1\nname: a: b\n", 2, 8, "in quotes" },
	{ "version: 1\nname: \"x\n", 3, 1, "not YAML" },
	{ "version: 1\nname: a\xff\n", 2, 8, "byte 0xff is not UTF-8" },
	{ "version: 1\nname: \xc3\xa9\xc0\x80\n", 2, 8, "byte 0xc0" },
	{ "version: 1\nname: \xe2\x80\xaex\n", 2, 7, "U+202E" },
	{ "version: 1\nname: \x01\n", 2, 7, "U+0001" },
	{ "version: 1\r\nname: a\rb\r\n", 2, 8, "U+000D" },
	{ "version: 1\nname: \"a\\0b\"\n", 2, 9, "a NUL byte" },
	{ "version: 1\nvars: [[[[[[[[[[]]]]]]]]]]\n", 2, 14, "nested deeper" },
	/* ---- values of the wrong kind ---- */
	{ "version: 1\nname: [x]\n", 2, 7, "is text, not a list" },
	{ "version: 1\nname: null\n", 2, 7, "put null in quotes" },
	{ "version: 1\nname: true\n", 2, 7, "put true in quotes" },
	{ "version: 1\nname:\n", 2, 6, "is empty" },
	{ "version: 1\nname: a/b\n", 2, 7, "cannot be a name" },
	{ "version: 1\nname: ../b\n", 2, 7, "cannot be a name" },
	{ "version: 1\nrules: allow read /x\n", 2, 8, "`rules` is a list" },
	{ "version: 1\nnever: {}\n", 2, 8, "`never` is a list" },
	{ "version: 1\nvars: [a]\n", 2, 7, "`vars` is a map" },
	{ "version: 1\nvars: { a: { b: c } }\n", 2, 12, "is text, not a map" },
	{ "version: 1\nvars: { a: [b, [c]] }\n", 2, 16, "is text, not a list" },
	{ "version: 1\nvars: { a: }\n", 2, 12, "is empty" },
	{ "version: 1\nvars: { home: /x }\n", 2, 9, "has its value already" },
	{ "version: 1\nvars: { 1a: /x }\n", 2, 9, "a variable's name" },
	{ "version: 1\nvars: { a: \"${b}\", b: \"${a}\" }\n", 2, 13, "leads back to itself" },
	{ "version: 1\nvars: { a: /x/${bb} }\n", 2, 16, "with braces or brackets" },
	{ "version: 1\nvars:\n  a: /x/${bb}\n", 3, 9, "there is no variable ${bb}" },
	{ "version: 1\nmode: learn\n", 2, 7, "does not learn yet" },
	{ "version: 1\nmode: off\n", 2, 7, "enforce or audit" },
	{ "version: 1\nworkspace: srv/x\n", 2, 12, "is not absolute" },
	{ "version: 1\nworkspace: /\n", 2, 12, "whole machine" },
	{ "version: 1\nworkspace: /a//b\n", 2, 12, "empty part" },
	{ "version: 1\nworkspace: /a/../b\n", 2, 12, "`..`" },
	{ "version: 1\nworkspace: /a/\n", 2, 12, "ends with a slash" },
	{ "version: 1\nworkspace: /a/${vars}\n", 2, 15, "${name} and ${home} only" },
	{ "version: 1\nextends: nothing-such\n", 2, 10, "no shipped policy" },
	{ "version: 1\nextends: [strict, {}]\n", 2, 19, "is text, not a map" },
	/* ---- rules as YAML sees them ---- */
	{ "version: 1\nrules: [allow read,exec /x]\n", 2, 19, "an object is missing" },
	{ RULE("a: b"), 3, 5, "put it in quotes" },
	{ RULE("[allow, read]"), 3, 5, "not a list" },
	{ RULE("\"\""), 3, 6, "an empty rule" },
	/* ---- verdict, actions ---- */
	{ RULE("alow read /x"), 3, 5, "did you mean `allow`?" },
	{ RULE("Deny read /x"), 3, 5, "did you mean `deny`?" },
	{ RULE("forbid read /x"), 3, 5, "there is allow, ask and deny" },
	{ RULE("allow"), 3, 10, "an action and an object are missing" },
	{ RULE("allow read"), 3, 15, "an object is missing, as in `allow read /usr/**`" },
	{ RULE("allow connect"), 3, 18, "`allow connect 192.0.2.0/24:443`" },
	{ RULE("deny all"), 3, 13, "an object is missing" },
	{ RULE("allow reed /x"), 3, 11, "did you mean `read`?" },
	{ RULE("allow read,wirte /x"), 3, 16, "did you mean `write`?" },
	{ RULE("allow read, write /x"), 3, 16, "without blanks" },
	{ RULE("allow read,,write /x"), 3, 16, "without blanks" },
	{ RULE("allow read,read /x"), 3, 16, "already" },
	{ RULE("allow write,create /x"), 3, 17, "already" },
	{ RULE("allow read,all /x"), 3, 16, "stands alone" },
	{ RULE("allow all,read /x"), 3, 15, "stands alone" },
	{ RULE("allow read,connect /x"), 3, 16, "split the rule" },
	{ RULE("allow connect,exec /x"), 3, 19, "split the rule" },
	{ RULE("allow unix 192.0.2.1:80"), 3, 16, "is a network endpoint" },
	{ RULE("allow unix x.sock"), 3, 16, "a path is absolute" },
	{ RULE("allow read @x"), 3, 16, "goes with `unix`" },
	{ RULE("allow read,unix @x"), 3, 21, "goes with `unix`" },
	{ RULE("allow connect @x"), 3, 19, "goes with `unix`" },
	{ RULE("allow listen agent:x"), 3, 18, "goes with `connect`" },
	{ RULE("'allow unix agent:'"), 3, 23, "name is missing" },
	{ RULE("allow unix @a[b"), 3, 18, "without its ']'" },
	{ RULE("allow unix @{a"), 3, 17, "without its '}'" },
	{ RULE("allow signal agent:control"), 3, 11, "does not enforce `signal`" },
	{ RULE("deny ptrace outside"), 3, 10, "does not enforce `ptrace`" },
	{ RULE("deny read,ipc outside"), 3, 15, "does not enforce `ipc`" },
	{ RULE("allow use anonymous-exex"), 3, 15, "did you mean `anonymous-exec`?" },
	{ RULE("deny use mount mounts"), 3, 20, "did you mean `mount`?" },
	{ RULE("allow use cap:sys_time"), 3, 15, "did you mean `cap:SYS_TIME`?" },
	{ RULE("allow use cap:CAP_SYS_TIME"), 3, 15, "did you mean `cap:SYS_TIME`?" },
	{ RULE("allow use io-uring"), 3, 15, "did you mean `io_uring`?" },
	{ RULE("ask use everything"), 3, 13, "there is mount, userns" },
	{ RULE("deny use cap:CHOWN"), 3, 14, "never closed" },
	{ RULE("allow use cap:NET_RAW"), 3, 15, "write `raw-socket` or `packet-socket`" },
	{ RULE("allow use cap:MKNOD"), 3, 15, "write `device-node`" },
	{ RULE("allow use mount [freeze]"), 3, 22, "does not enforce `[freeze]`" },
	{ RULE("allow use"), 3, 14, "as in `allow use anonymous-exec`" },
	{ RULE("allow read,use /x"), 3, 16, "a rule of its own" },
	/* ---- options ---- */
	{ RULE("allow read /x [lgo]"), 3, 20, "did you mean `log`?" },
	{ RULE("allow read /x [log"), 3, 19, "never closed" },
	{ RULE("allow read /x []"), 3, 19, "no option" },
	{ RULE("allow read /x [log,log]"), 3, 24, "twice" },
	{ RULE("allow read /x [log,quiet]"), 3, 24, "contradict" },
	{ RULE("allow read /x [log] /y"), 3, 25, "options come last" },
	{ RULE("allow read /x [log] [quiet]"), 3, 25, "options come last" },
	{ RULE("deny read /x [freeze]"), 3, 19, "does not enforce `[freeze]`" },
	{ RULE("deny read /x [kill]"), 3, 19, "does not enforce `[kill]`" },
	{ RULE("allow connect *:443 [budget=50Mib/h]"), 3, 33, "a number of bytes" },
	{ RULE("allow connect *:443 [budget=/h]"), 3, 33, "a number of bytes" },
	{ RULE("allow connect *:443 [budget=0B/h]"), 3, 33, "a number of bytes" },
	{ RULE("allow connect *:443 [budget=-1B]"), 3, 33, "a number of bytes" },
	{ RULE("allow connect *:443 [budget=99999999999GiB]"), 3, 33, "a number of bytes" },
	{ RULE("allow connect *:443 [budget=1MiB/]"), 3, 38, "a period is" },
	{ RULE("allow connect *:443 [budget=1MiB/0h]"), 3, 38, "a period is" },
	{ RULE("allow connect *:443 [budget=1MiB/week]"), 3, 38, "a period is" },
	{ RULE("allow connect *:443 [budget=1MiB/h,budget=1B]"), 3, 40, "is here twice" },
	{ RULE("deny connect *:443 [budget=1MiB/h]"), 3, 5, "goes with `allow connect`" },
	{ RULE("ask connect *:443 [budget=1MiB/h]"), 3, 5, "goes with `allow connect`" },
	{ RULE("allow listen *:443 [budget=1MiB/h]"), 3, 5, "goes with `allow connect`" },
	{ RULE("allow all 192.0.2.1:1 [budget=1MiB/h]"), 3, 5, "goes with `allow connect`" },
	{ RULE("allow read /x [budget=1MiB/h]"), 3, 5, "goes with `allow connect`" },
	{ RULE("allow use bpf [budget=1MiB/h]"), 3, 5, "goes with `allow connect`" },
	{ RULE("allow connect *.a.example:443 [names=x/h]"), 3, 42, "how many names" },
	{ RULE("allow connect *.a.example:443 [names=5kB/h]"), 3, 42, "how many names" },
	{ RULE("allow connect 192.0.2.1:443 [names=5/h]"), 3, 5, "goes with host names" },
	{ RULE("deny resolve *.a.example [names=5/h]"), 3, 5, "goes with `allow connect`" },
	{ RULE("allow connect agent:x [budget=1MiB/h]"), 3, 5, "addresses and host names" },
	{ RULE("allow connect *:443 [tls=off]"), 3, 5, "[tls=off] goes with host names" },
	{ RULE("allow read /x [once]"), 3, 20, "does not enforce `[once]`" },
	{ RULE("allow read /x [for=10m]"), 3, 20, "does not enforce `[for=10m]`" },
	{ RULE("allow connect *:443 [private]"), 3, 5, "[private] goes with host names" },
	{ RULE("ask read,exec /usr/bin/git argv \"** push **\""), 3, 32, "goes with exec alone" },
	{ RULE("deny all /usr/bin/git argv \"push\""), 3, 27, "goes with exec alone" },
	{ RULE("deny exec argv \"push\""), 3, 15, "programs come before" },
	{ RULE("deny exec /a argv push"), 3, 23, "in quotes" },
	{ RULE("deny exec /a argv"), 3, 18, "in quotes" },
	{ RULE("deny exec /a argv \"x\" /b"), 3, 27, "only options may follow" },
	{ RULE("deny exec /a argv \"a** b\""), 3, 25, "stands alone" },
	{ RULE("deny exec /a argv \"{a b}\""), 3, 24, "alternatives end within" },
	{ RULE("deny exec /a argv \"[b-a]\""), 3, 27, "runs backwards" },
	/* ---- paths ---- */
	{ RULE("allow read src/x"), 3, 16, "${workspace}/src/x" },
	{ RULE("allow read ./src"), 3, 16, "${workspace}/src" },
	{ RULE("allow read ~/.ssh"), 3, 16, "${home}/.ssh" },
	{ RULE("allow all ~/.ssh"), 3, 15, "${home}/.ssh" },
	{ RULE("allow read **"), 3, 16, "everything is `/**`" },
	{ RULE("allow read 192.0.2.1:443"), 3, 16, "goes with connect or listen" },
	{ RULE("allow read /a /b/../c"), 3, 22, ".." },
	{ RULE("allow read /a//b"), 3, 18, "" },
	{ RULE("allow read /a/"), 3, 18, "" },
	{ RULE("allow read /a/{b,c"), 3, 19, "" },
	{ RULE("allow read /a/[b"), 3, 19, "" },
	{ RULE("allow read \"/a b"), 3, 16, "never closed" },
	{ RULE("allow read \"/a b\"/c"), 3, 22, "all of it in quotes" },
	{ RULE("allow read \\\"\\\""), 3, 16, "a path is absolute" },
	{ RULE("allow read /a\\"), 3, 18, "nothing follows" },
	{ RULE("allow read $HOME/x"), 3, 16, "variables have braces: ${HOME}" },
	{ RULE("allow read ${home}/x"), 3, 16, "no home is known" },
	{ RULE("allow read ${workspace}/x"), 3, 16, "no workspace is known" },
	{ RULE("allow read /x/${workspce}"), 3, 19, "did you mean ${workspace}?" },
	{ RULE("allow read /x/${name"), 3, 19, "never closed" },
	{ RULE("allow read /x/${}"), 3, 19, "without a name" },
	/* ---- endpoints ---- */
	{ RULE("allow connect /x"), 3, 19, "a path does not go with connect" },
	{ RULE("allow connect *:443\n  - deny connect a.example:443"), 4, 5, "cannot be kept closed" },
	{ RULE("allow connect 0.0.0.0/0:1-500\n  - ask connect a.example:443"), 4, 5,
	  "cannot be kept closed" },
	{ RULE("allow connect *:53/udp\n  - deny resolve a.example"), 4, 5, "cannot be kept closed" },
	{ RULE("allow connect *:*\n  - deny connect *.a.example:*"), 4, 5, "t.yaml:3" },
	{ "version: 1\nresolvers: [dns.example]\nrules: []\n", 2, 13, "a resolver is an address" },
	{ "version: 1\nresolvers: 192.0.2.300\nrules: []\n", 2, 12, "a resolver is an address" },
	{ "version: 1\nresolvers: []\nrules: []\n", 2, 12, "list of addresses" },
	{ "version: 1\nresolvers: { a: b }\nrules: []\n", 2, 12, "list of addresses" },
	{ RULE("allow connect api.model.example"), 3, 36, "a port is missing" },
	{ RULE("allow connect api.model.example/tcp"), 3, 36, "a port is missing" },
	{ RULE("allow connect api.model.example.:443"), 3, 36, "leave out the dot" },
	{ RULE("allow connect api..example:443"), 3, 23, "empty label" },
	{ RULE("allow connect .example:443"), 3, 19, "empty label" },
	{ RULE("allow connect a*.example:443"), 3, 20, "only in front" },
	{ RULE("allow connect *example:443"), 3, 20, "write *.example" },
	{ RULE("allow connect b\xc3\xbc" "cher.example:443"), 3, 20, "begins with xn--" },
	{ RULE("allow connect localhost:80"), 3, 19, "write 127.0.0.1 and [::1]" },
	{ RULE("allow connect a.localhost:80"), 3, 19, "write 127.0.0.1 and [::1]" },
	{ RULE("allow connect a.1:80"), 3, 19, "ends in a number" },
	{ RULE("allow connect a.example/24:80"), 3, 28, "no prefix length" },
	{ RULE("allow connect a.example:80/sctp"), 3, 32, "unknown protocol" },
	{ RULE("allow connect a.example:80-70"), 3, 29, "are none" },
	{ RULE("allow connect a.example:443/udp"), 3, 19, "no name is seen in UDP" },
	{ RULE("allow connect a.example/icmp"), 3, 19, "no name is seen in ICMP" },
	{ RULE("allow listen a.example:443"), 3, 18, "on an address of this machine" },
	{ RULE("allow resolve a.example:53"), 3, 28, "leave out `:53`" },
	{ RULE("allow resolve 192.0.2.1"), 3, 19, "speaks of host names" },
	{ RULE("allow resolve /x"), 3, 19, "speaks of host names" },
	{ RULE("allow connect,resolve a.example:1"), 3, 19, "may resolve it" },
	{ RULE("allow resolve a.example [tls=off]"), 3, 5, "goes with `connect`" },
	{ RULE("allow connect a.example:1 [tls=on]"), 3, 32, "only [tls=off]" },
	{ RULE("deny connect a.example:1 [private]"), 3, 5, "this rule denies" },
	{ RULE("allow read /x [private]"), 3, 5, "goes with host names" },
	{ RULE("allow use bpf [private]"), 3, 5, "go with host names" },
	{ RULE("allow read a.example:443"), 3, 16, "is a network endpoint" },
	{ RULE("allow connect localhost:80"), 3, 19, "127.0.0.1 and [::1]" },
	{ RULE("'allow connect agent:'"), 3, 26, "name is missing" },
	{ RULE("allow connect,listen agent:x"), 3, 26, "goes with `connect`" },
	{ RULE("allow connect 192.0.2.1"), 3, 28, "write 192.0.2.1:443, or 192.0.2.1:*" },
	{ RULE("allow connect 192.0.2.1/tcp"), 3, 28, "a port is missing" },
	{ RULE("allow connect 2001:db8::1"), 3, 30, "[2001:db8::1]:443" },
	{ RULE("allow connect :443"), 3, 19, "`*:443` is any address" },
	{ RULE("allow connect 192.0.2:443"), 3, 19, "IPv4 has four numbers" },
	{ RULE("allow connect 192.0.2.256:443"), 3, 19, "IPv4 has four numbers" },
	{ RULE("allow connect 192.0.2.01:443"), 3, 19, "IPv4 has four numbers" },
	{ RULE("allow connect 192.0.2.1/16:443"), 3, 19, "write 192.0.0.0/16 for the network" },
	{ RULE("allow connect [2001:db8::1/32]:443"), 3, 19, "write 2001:db8::/32 for the network" },
	{ RULE("allow connect 192.0.2.0/33:443"), 3, 29, "at most 32" },
	{ RULE("allow connect 192.0.2.0/024:443"), 3, 29, "leading zero" },
	{ RULE("allow connect 192.0.2.0/24junk:443"), 3, 31, "`j` is none" },
	{ RULE("allow connect [2001:db8::/129]:443"), 3, 31, "at most 128" },
	{ RULE("allow connect *:65536"), 3, 21, "at most 65535" },
	{ RULE("allow connect *:12junk"), 3, 23, "`j` is none" },
	{ RULE("allow connect *:080"), 3, 21, "leading zero" },
	{ RULE("'allow connect *:'"), 3, 22, "a port is a number" },
	{ RULE("allow connect *:90-80"), 3, 21, "write 80-90" },
	{ RULE("allow connect *:80-"), 3, 24, "a port is a number" },
	{ RULE("allow connect *:80,443"), 3, 23, "was not expected" },
	{ RULE("allow connect *:80/sctp"), 3, 24, "unknown protocol" },
	{ RULE("allow connect *:80/icmp"), 3, 20, "icmp has no ports" },
	{ RULE("allow connect */8:80"), 3, 20, "takes no prefix length" },
	{ RULE("allow connect [192.0.2.1]:80"), 3, 19, "only IPv6" },
	{ RULE("allow connect [2001:db8::1:80"), 3, 19, "never closed" },
	{ RULE("allow connect [fe80::1%eth0]:80"), 3, 20, "no interface" },
	{ RULE("allow connect 0.0.0.0:80"), 3, 19, "write 127.0.0.1" },
	{ RULE("deny all [::]:80"), 3, 14, "write [::1]" },
	/* ---- never ---- */
	{ "version: 1\nnever:\n  - allow read /x\n", 3, 5, "a `never` rule denies" },
	{ "version: 1\nnever:\n  - ask read /x\n", 3, 5, "a `never` rule denies" },
	/* ---- places inside of scalars ---- */
	{ RULE("\"allow read /x alow\""), 3, 20, "a path is absolute" },
	{ RULE("'allow read ''/x'' y'"), 3, 17, "a path is absolute" },
	{ RULE("\"allow read \\x2fa \\u0062\""), 3, 23, "a path is absolute" },
	{ RULE("\"allow\\tread\\\n      y\""), 3, 13, "unknown action `ready`" },
	{ RULE("\"allow\\tread\\\n      \\  y\""), 4, 10, "a path is absolute" },
	{ RULE("allow read\n     /x\n     y"), 5, 6, "a path is absolute" },
	{ RULE(">\n     allow read\n     /x  y"), 5, 10, "a path is absolute" },
	{ RULE("|-\n     allow read\n\n     y"), 6, 6, "a path is absolute" },
	{ RULE("allow read /\xc3\xa9\xc3\xa9 y"), 3, 20, "a path is absolute" },
	{ "{\"version\":1,\"rules\":[\"allow read /x\",\"deny read y\"]}", 1, 50, "a path is absolute" },
	{ "{\"version\":1,\"rules\":[\"allow read /x\",\"deny read \\u0079\"]}", 1, 50, "a path is" },
};
/* clang-format on */

static void each_error(void)
{
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(*wrongs); i++) {
		const struct wrong *w = &wrongs[i];
		struct loaded l = load_text(w->text, strlen(w->text), NULL);
		char *name = diag_printable(w->text, strlen(w->text));

		if (!tap_ok(&tap,
			    l.err == -EINVAL && !l.p &&
				    has_diag(&l.d, DIAG_ERROR, "t.yaml", w->line, w->col, w->part),
			    "%u:%u %s -- in %s", w->line, w->col, w->part, name))
			show_diags(&l.d);
		free(name);
		unload(&l);
	}
}

static void several_errors(void)
{
	static const char text[] =
		"version: 1\nmod: x\nrules:\n  - alow read /x\n  - allow read y z\n"
		"never:\n  - ask read /x\n";
	struct loaded l = load_text(text, strlen(text), NULL);
	char many[4096] = "version: 1\nrules:\n";

	if (!tap_ok(&tap,
		    l.d.n_errors == 5 && has_diag(&l.d, DIAG_ERROR, NULL, 2, 1, "mod") &&
			    has_diag(&l.d, DIAG_ERROR, NULL, 4, 5, "alow") &&
			    has_diag(&l.d, DIAG_ERROR, NULL, 5, 16, "**/y") &&
			    has_diag(&l.d, DIAG_ERROR, NULL, 5, 18, "**/z") &&
			    has_diag(&l.d, DIAG_ERROR, NULL, 7, 5, "never"),
		    "several errors at once"))
		show_diags(&l.d);
	unload(&l);

	for (unsigned i = 0; i < 50; i++)
		strcat(many, "  - alow read /x\n");
	l = load_text(many, strlen(many), NULL);
	tap_ok(&tap,
	       l.d.n_errors == 50 && l.d.n == 21 && strstr(l.d.items[20].message, "more errors"),
	       "twenty errors, then that there are more");
	unload(&l);
}

static void nul_and_size(void)
{
	static const char nul[] = "version: 1\nname: a\0b\n";
	struct loaded l = load_text(nul, sizeof(nul) - 1, NULL);
	size_t len = DOCUMENT_SIZE_MAX + 1;
	char *big;

	tap_ok(&tap, has_diag(&l.d, DIAG_ERROR, NULL, 2, 8, "a NUL byte"),
	       "a NUL byte in the document");
	unload(&l);
	big = malloc(len);
	memset(big, '#', len);
	l = load_text(big, len, NULL);
	tap_ok(&tap, has_diag(&l.d, DIAG_ERROR, NULL, 0, 0, "larger than"),
	       "a document that is too large");
	unload(&l);
	/* Deep nesting must end early, not grow with the document. */
	memset(big, '[', len - 1);
	l = load_text(big, len - 1, NULL);
	tap_ok(&tap, l.err == -EINVAL, "a mebibyte of brackets");
	unload(&l);
	free(big);
}

/* What is shown to a person must not do anything to the terminal. */
static void deceptive_text(void)
{
	static const char text[] = "version: 1\nrules:\n  - \"allow read \\e[31m\\u202ex\"\n";
	struct loaded l = load_text(text, strlen(text), NULL);

	if (!tap_ok(&tap,
		    l.d.n_errors == 1 && !strchr(l.d.items[0].message, '\033') &&
			    strstr(l.d.items[0].message, "\\x1b[31m\\u202ex"),
		    "controls in messages are escaped"))
		show_diags(&l.d);
	unload(&l);
}

int main(void)
{
	each_error();
	several_errors();
	nul_and_size();
	deceptive_text();
	return tap_done(&tap);
}
