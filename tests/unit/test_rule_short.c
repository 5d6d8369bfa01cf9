/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Long rules in lines for people. */
#include <string.h>

#include "../../user/rule_short.h"
#include "../../user/util.h"
#include "tap.h"

static struct tap tap;

static const char rule[] =
	"deny read,exec /etc/shadow /root/** **/.{ssh,gnupg,aws}/** **/*.key ${home}/.config/x/** "
	"\"/a b/**\" /srv/\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4/**";

static void is(const char *text, const char *object, const char *want)
{
	_free_ char *got = rule_short(text, object);

	if (!tap_ok(&tap, got && !strcmp(got, want), "%s", want))
		tap_note("got %s", got ? got : "nothing");
}

int main(void)
{
	char text[400] = "deny all ";
	_free_ char *got = NULL;

	is("deny all /x/**", "/x/y", "deny all /x/**");
	is(rule, "/etc/shadow", "deny read,exec /etc/shadow …");
	is(rule, "/home/u/.ssh/id", "deny read,exec … **/.{ssh,gnupg,aws}/** …");
	is(rule, "/a b/c", "deny read,exec … /a b/** …");
	is(rule, "/srv/\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4/x",
	   "deny read,exec … /srv/\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4/**");
	is(rule, "/home/u/.config/x/y", "deny read,exec … ${home}/.config/x/** …");
	is("deny write **/.{bashrc,bash_profile,bash_login,bash_logout,bash_aliases,profile,login}",
	   "/h/.login", "deny write … **/.login …");
	is("deny write "
	   "/x/*.{bashrc,bash_profile,bash_login,bash_logout,bash_aliases,profile,login}/?[a-c]/**",
	   "/x/y.login/zb/t", "deny write … /x/*.login/?[…]/** …");
	is(rule, "/nothing",
	   "deny read,exec /etc/shadow /root/** **/.{ssh,gnupg,aws}/** **/*.key …");
	is(rule, NULL, "deny read,exec /etc/shadow /root/** **/.{ssh,gnupg,aws}/** **/*.key …");
	memset(text + 9, 'x', 300);
	text[9] = '/';
	got = rule_short(text, text + 9);
	tap_ok(&tap, got && strlen(got) < 110 && strstr(got, "deny all /xxx"), "one long pattern");
	free(take(got));
	memset(text, 'y', 300);
	got = rule_short(text, "/x");
	tap_ok(&tap, got && strlen(got) < 110, "what is no rule");
	return tap_done(&tap);
}
