/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The words users see for the enums of bpf/core/abi.h. */
#include <assert.h>
#include <string.h>
#include <sys/socket.h>

#include "reasons.h"
#include "util.h"

const struct reason reasons[] = {
	[HG_WHY_RULE] = {"rule", "a rule of the policy", NULL},
	[HG_WHY_DEFAULT] = {"default", "no rule allows it", NULL},
	[HG_WHY_NO_APPROVER] = {"no_approver", "the rule asks, and there is nobody to ask", NULL},
	[HG_WHY_NO_POLICY] = {"no_policy", "the agent has no policy in force",
			      "reload or detach the agent"},
	[HG_WHY_UNMAPPED_FILESYSTEM] = {"unmapped_filesystem",
					"a file system that has no name here",
					"`hydraguard doctor` lists what is not mapped"},
	[HG_WHY_DISCONNECTED] = {"disconnected", "the file has no path in what is mounted of its file system", NULL},
	[HG_WHY_RACED] = {"raced", "renames kept changing the path while it was read", "try again"},
	[HG_WHY_TOO_LONG] = {"too_long", "the path has too many components, or the arguments too many bytes", NULL},
	[HG_WHY_TOO_BUSY] = {"too_busy", "no room to decide at that moment", "try again"},
	[HG_WHY_BROKEN_POLICY] = {"broken_policy", "the policy in the kernel is damaged",
				  "reload the agent, and report this as a bug"},
	[HG_WHY_RIGHTS_WOULD_CHANGE] = {"rights_would_change", "other rights hold at the new name",
					"copy instead of moving"},
	[HG_WHY_SOCKET_FAMILY] = {"socket_family", "a kind of socket that no rule speaks of", NULL},
	[HG_WHY_ADDRESS_FAMILY] = {"address_family", "an address that does not fit the socket",
				   NULL},
	[HG_WHY_GUARD] = {"guard", "it would reach the guard itself, or beyond any rule", NULL},
	[HG_WHY_SOURCE_ROUTE] = {"source_route", "it would send by way of another address", NULL},
	[HG_WHY_PRIVILEGE] = {"privilege", "it would reach beyond the agent", NULL},
	[HG_WHY_HARD_LINK] = {"hard_link", "the file has another name, where it is refused",
			      "copy the file instead of linking it"},
	[HG_WHY_TRACED] = {"traced", "its arguments decide, and a tracer could change them",
			   "run it without a debugger or strace"},
	[HG_WHY_OTHER_AGENT] = {"other_agent", "it is another agent's, and no rule names that one",
				"the policy may say `unix agent:NAME`"},
	[HG_WHY_NAME_NOT_ALLOWED] = {"name_not_allowed", "no rule allows this name",
				     "the policy may say `allow connect NAME:PORT`"},
	[HG_WHY_NAME_MISMATCH] = {"sni_mismatch", "what is sent names a host that the policy does not "
						  "allow at this address", NULL},
	[HG_WHY_NAME_MISSING] = {"sni_missing", "what is sent names no host, and the address is allowed "
						"by its name only",
				 "the policy may say [tls=off]"},
	[HG_WHY_NAME_UNSEEN] = {"name_unseen", "the address is allowed by its name only, and this way of "
					       "sending does not show it", NULL},
	[HG_WHY_MALFORMED] = {"malformed", "a message that cannot be read with certainty", NULL},
	[HG_WHY_BUDGET] = {"budget", "the rule allows so many bytes, and they have been sent"},
	[HG_WHY_RESOLVER] = {"resolver", "it would pass for an answer of the resolver's", NULL},
	[HG_WHY_OUTSIDE] = {"outside", "a socket made outside of the agent's cgroup, where what it sends "
				       "is not seen", NULL},
	[HG_WHY_SPELLING] = {"spelling", "names can be spelled in other ways there (a file system that ignores "
					 "case), and rules on them cannot hold",
			     "the policy may give all names below the directory the same rights"},
	[HG_WHY_PRIVATE_ANSWER] = {"private_answer", "a name that may be anywhere has an address that is "
						     "not public",
				   "the policy may say [private]"},
};
static_assert(ARRAY_SIZE(reasons) == HG_N_WHY, "one for each enum hg_why");

const char *const path_action_names[] = {
	[HG_READ] = "read",	[HG_MODIFY] = "modify", [HG_CREATE] = "create",
	[HG_DELETE] = "delete", [HG_ATTR] = "attr",	[HG_EXEC] = "exec",
	[HG_UNIX] = "unix",
};
static_assert(ARRAY_SIZE(path_action_names) == HG_N_PATH_ACTIONS, "one for each enum hg_action");

const char *const endpoint_action_names[] = {
	[HG_CONNECT] = "connect",
	[HG_LISTEN] = "listen",
	[HG_RESOLVE] = "resolve",
};
static_assert(ARRAY_SIZE(endpoint_action_names) == HG_N_EP_ACTIONS, "one for each");

const char *const verdict_names[] = {
	[HG_SAID_DENIED] = "denied",
	[HG_SAID_AUDITED] = "audited",
	[HG_SAID_LOGGED] = "allowed",
};

const struct reason *reason_by_name(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(reasons); i++)
		if (!strcmp(reasons[i].name, name))
			return &reasons[i];
	return NULL;
}

static const char *const families[] = {
	[AF_UNIX] = "unix",
	[AF_INET] = "inet",
	[AF_INET6] = "inet6",
	[AF_NETLINK] = "netlink",
	[AF_PACKET] = "packet",
	[AF_VSOCK] = "vsock",
	[AF_BLUETOOTH] = "bluetooth",
	[AF_ALG] = "alg",
	[AF_XDP] = "xdp",
	[AF_CAN] = "can",
	[AF_TIPC] = "tipc",
	[AF_KCM] = "kcm",
	[AF_RDS] = "rds",
	[AF_KEY] = "key",
	[AF_QIPCRTR] = "qrtr",
	[AF_X25] = "x25",
	[AF_AX25] = "ax25",
	[AF_SMC] = "smc",
	[AF_NFC] = "nfc",
	[AF_PHONET] = "phonet",
	[AF_IEEE802154] = "ieee802154",
	[AF_PPPOX] = "pppox",
	[AF_LLC] = "llc",
	[AF_RXRPC] = "rxrpc",
	[AF_APPLETALK] = "appletalk",
};

const char *family_name(unsigned int family)
{
	return family < ARRAY_SIZE(families) ? families[family] : NULL;
}

const char *socket_type_name(unsigned int type)
{
	static const char *const types[] = {
		[SOCK_STREAM] = "stream", [SOCK_DGRAM] = "dgram",	  [SOCK_RAW] = "raw",
		[SOCK_RDM] = "rdm",	  [SOCK_SEQPACKET] = "seqpacket", [SOCK_PACKET] = "packet",
	};

	return type < ARRAY_SIZE(types) ? types[type] : NULL;
}
