/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From the kernel side's records to events. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <time.h>

#include "cgroup.h"
#include "decode.h"
#include "log.h"
#include "reasons.h"
#include "util.h"
#include "../policy/rule_parse.h"

void decoder_set_clock(struct decoder *d)
{
	d->since_1970 = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
}

void decoder_refresh(struct decoder *d)
{
	_places_ struct places fresh = {};
	struct places old;

	decoder_set_clock(d);
	if (places_read(&fresh))
		return;
	old = d->places;
	d->places = fresh;
	fresh = old;
}

int decoder_open(struct decoder *ret)
{
	_free_ char *boot = NULL, *mount = NULL;

	*ret = (struct decoder){.cgroup_fd = -1};
	if (!read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &boot, NULL))
		snprintf(ret->boot, sizeof(ret->boot), "%.*s", (int)strcspn(boot, "\n"), boot);
	if (!cgroup_mount(&mount))
		ret->cgroup_fd = cgroup_open(mount);
	decoder_refresh(ret);
	return 0;
}

void decoder_close(struct decoder *d)
{
	if (d->cgroup_fd >= 0)
		close(d->cgroup_fd);
	places_clear(&d->places);
}

bool event_record_ok(const void *data, size_t size)
{
	const struct hg_event *e = data;
	size_t tail;

	if (size < sizeof(*e))
		return false;
	tail = (size_t)e->path_len + e->path2_len + e->exe_len + e->argv_len;
	return tail <= size - sizeof(*e) && e->what < HG_N_WHAT && e->why < HG_N_WHY &&
	       e->said <= HG_SAID_LOGGED && e->endpoint.len <= sizeof(e->endpoint.bytes);
}

/* The name of a place, then the path below it. What has no place keeps its path alone. */
static void set_path(struct decoder *d, struct event *ev, enum event_key key, uint32_t place,
		     const char *path, size_t len)
{
	const char *name = places_path(&d->places, place);
	_free_ char *whole = NULL;
	size_t name_len;

	if (!name && place >= HG_FIRST_PLACE) {
		decoder_refresh(d);
		name = places_path(&d->places, place);
	}
	if (!name)
		name = "";
	/* "/" and "/etc" give "/etc"; "/" and "" give "/". */
	name_len = strlen(name);
	if (len && name_len && name[name_len - 1] == '/')
		name_len--;
	whole = malloc(name_len + len + 1);
	if (!whole) {
		ev->no_memory = true;
		return;
	}
	memcpy(whole, name, name_len);
	memcpy(whole + name_len, path, len);
	event_set_bytes(ev, key, whole, name_len + len);
}

static void set_cut(struct event *ev, const struct hg_event *e)
{
	const struct {
		uint8_t flag;
		enum event_key key;
	} cuts[] = {
		{HG_EVENT_PATH_CUT, EV_PATH},
		{HG_EVENT_PATH2_CUT, e->flags & HG_EVENT_SCRIPT ? EV_SCRIPT : EV_TARGET},
		{HG_EVENT_EXE_CUT, EV_EXE},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cuts); i++)
		if (e->flags & cuts[i].flag)
			event_add(ev, EV_CUT, event_fields[cuts[i].key].name,
				  strlen(event_fields[cuts[i].key].name));
}

/* The arguments, of which there are argc; what lies behind them is not theirs and stays untold. */
static void set_arguments(struct event *ev, const struct hg_event *e)
{
	const char *at = (const char *)(e + 1) + e->path_len + e->path2_len + e->exe_len;
	const char *end = at + e->argv_len;
	bool whole = true;
	uint32_t i;

	for (i = 0; i < e->argc && at < end; i++) {
		size_t len = strnlen(at, end - at);

		whole = at + len < end;
		event_add(ev, EV_ARGS, at, len);
		at += len + 1;
	}
	if (e->argv_len && (i < e->argc || !whole))
		event_add(ev, EV_CUT, event_fields[EV_ARGS].name,
			  strlen(event_fields[EV_ARGS].name));
}

/* "@NAME", as rules write it but for escapes: any bytes, NUL too. */
static void set_abstract(struct event *ev, const char *name, size_t len)
{
	char whole[1 + UINT8_MAX] = "@";

	len = len < sizeof(whole) - 1 ? len : sizeof(whole) - 1;
	memcpy(whole + 1, name, len);
	event_set_bytes(ev, EV_ADDRESS, whole, 1 + len);
}

static void set_paths(struct decoder *d, struct event *ev, const struct hg_event *e)
{
	const char *path = (const char *)(e + 1), *path2 = path + e->path_len;
	const char *exe = path2 + e->path2_len;

	if (e->flags & HG_EVENT_HOST)
		; /* set_host() */
	else if (e->flags & HG_EVENT_ABSTRACT)
		set_abstract(ev, path, e->path_len);
	else if (e->place || e->path_len)
		set_path(d, ev, EV_PATH, e->place, path, e->path_len);
	else if (e->what == HG_WHAT_PATH)
		event_set(ev, EV_PATH, "/");
	if (event_has(ev, EV_PATH) && !e->place)
		event_set_number(ev, EV_UNPLACED, 1);
	if (e->flags & HG_EVENT_PEER)
		event_set_bytes(ev, EV_PEER, path2, e->path2_len);
	else if (e->flags & HG_EVENT_SCRIPT)
		event_set_bytes(ev, EV_SCRIPT, path2, e->path2_len);
	else if (e->place2 || e->path2_len)
		set_path(d, ev, EV_TARGET, e->place2, path2, e->path2_len);
	if (e->exe_place || e->exe_len)
		set_path(d, ev, EV_EXE, e->exe_place, exe, e->exe_len);
	if (e->flags & HG_EVENT_DIRECTORY)
		event_set_number(ev, EV_DIRECTORY, 1);
	if (e->flags & HG_EVENT_UNLINKED)
		event_set_number(ev, EV_UNLINKED, 1);
	if (e->flags & HG_EVENT_UNSEEN)
		event_set_number(ev, EV_UNSEEN, 1);
	set_cut(ev, e);
	set_arguments(ev, e);
}

static const char *transport_name(uint8_t proto, char *buf, size_t len)
{
	switch (proto) {
	case HG_TCP:
		return "tcp";
	case HG_UDP:
		return "udp";
	case HG_ICMP:
		return "icmp";
	}
	snprintf(buf, len, "%u", proto);
	return buf;
}

static void set_endpoint(struct event *ev, const struct hg_endpoint *ep)
{
	bool v6 = ep->bytes[0] == 6;
	size_t at = v6 ? 17 : 5;
	char text[INET6_ADDRSTRLEN], number[8];

	/* Absent where the address was not understood. */
	if (ep->len != at + 3 || (!v6 && ep->bytes[0] != 4))
		return;
	if (!inet_ntop(v6 ? AF_INET6 : AF_INET, ep->bytes + 1, text, sizeof(text)))
		return;
	event_set(ev, EV_ADDRESS, text);
	event_set(ev, EV_NET_TYPE, v6 ? "ipv6" : "ipv4");
	/* An answer's address is nobody's port. */
	if (!ep->bytes[at])
		return;
	event_set(ev, EV_TRANSPORT, transport_name(ep->bytes[at], number, sizeof(number)));
	if (ep->bytes[at] != HG_ICMP)
		event_set_number(ev, EV_PORT, ep->bytes[at + 1] << 8 | ep->bytes[at + 2]);
}

static void set_number_name(struct event *ev, enum event_key key, const char *name,
			    unsigned int number)
{
	if (name)
		event_set(ev, key, name);
	else
		event_setf(ev, key, "%u", number);
}

static void set_socket(struct event *ev, const struct hg_endpoint *ep)
{
	set_number_name(ev, EV_FAMILY, family_name(ep->bytes[0]), ep->bytes[0]);
	set_number_name(ev, EV_SOCK_TYPE, socket_type_name(ep->bytes[1]), ep->bytes[1]);
	event_set_number(ev, EV_PROTOCOL, ep->bytes[2] | ep->bytes[3] << 8);
}

/* "read,modify" */
static void set_actions(struct event *ev, uint8_t actions, const char *const *names, size_t n)
{
	char text[64] = "";
	size_t i, len = 0;

	for (i = 0; i < n; i++)
		if (actions & HG_BIT(i))
			len += snprintf(text + len, sizeof(text) - len, "%s%s", len ? "," : "",
					names[i]);
	event_set(ev, EV_ACTION, text);
}

/* The word, and what of it was used. */
static void set_use(struct event *ev, const struct hg_event *e)
{
	const struct hg_endpoint *ep = &e->endpoint;
	const char *word = ep->bytes[0] < HG_N_USES ? rule_use_names[ep->bytes[0]] : NULL;
	struct hg_endpoint socket = {};

	event_set(ev, EV_EVENT, "privilege.use");
	set_number_name(ev, EV_ACTION, word, ep->bytes[0]);
	switch (ep->bytes[0]) {
	case HG_USE_RAW_SOCKET:
	case HG_USE_PACKET_SOCKET:
	case HG_USE_NETLINK:
	case HG_USE_VSOCK:
		/* None where it is a network device. */
		memcpy(socket.bytes, ep->bytes + 1, 4);
		if (socket.bytes[0])
			set_socket(ev, &socket);
		break;
	case HG_USE_MODULE:
		if (ep->len > 1)
			event_set_bytes(ev, EV_MODULE, (const char *)ep->bytes + 1, ep->len - 1);
		break;
	}
}

/* A host name, which lies backwards. */
static void set_host(struct event *ev, enum event_key key, const struct hg_event *e)
{
	const char *path = (const char *)(e + 1);
	char name[HG_HOST_MAX];
	size_t n = e->path_len < sizeof(name) ? e->path_len : sizeof(name), i;

	if (!(e->flags & HG_EVENT_HOST))
		return;
	for (i = 0; i < n; i++)
		name[i] = path[n - 1 - i];
	event_set_bytes(ev, key, name, n);
}

static void set_question(struct event *ev, const struct hg_event *e)
{
	static const struct {
		uint16_t type;
		const char *name;
	} types[] = {
		/* The IANA registry of RRs; others by number (RFC 3597 5). */
		{1, "A"},      {2, "NS"},   {5, "CNAME"}, {6, "SOA"},	{12, "PTR"},  {15, "MX"},
		{16, "TXT"},   {28, "AAAA"}, {33, "SRV"},  {64, "SVCB"}, {65, "HTTPS"}, {255, "ANY"},
	};
	size_t i;

	set_host(ev, EV_DNS_NAME, e);
	if (!e->detail)
		return;
	for (i = 0; i < ARRAY_SIZE(types) && types[i].type != e->detail; i++)
		;
	if (i < ARRAY_SIZE(types))
		event_set(ev, EV_DNS_TYPE, types[i].name);
	else
		event_setf(ev, EV_DNS_TYPE, "TYPE%u", e->detail);
}

static void set_what(struct event *ev, const struct hg_event *e)
{
	switch ((enum hg_what)e->what) {
	case HG_WHAT_PATH:
		event_set(ev, EV_EVENT,
			  e->actions & HG_BIT(HG_EXEC) ? "process.exec" : "file.access");
		set_actions(ev, e->actions, path_action_names, HG_N_PATH_ACTIONS);
		break;
	case HG_WHAT_CONNECT:
	case HG_WHAT_LISTEN:
		event_set(ev, EV_EVENT,
			  e->what == HG_WHAT_CONNECT ? "network.connect" : "network.listen");
		set_actions(ev, e->actions, endpoint_action_names, HG_N_EP_ACTIONS);
		set_endpoint(ev, &e->endpoint);
		break;
	case HG_WHAT_SOCKET:
		event_set(ev, EV_EVENT, "privilege.use");
		event_set(ev, EV_ACTION, "socket");
		set_socket(ev, &e->endpoint);
		break;
	case HG_WHAT_BPF:
		event_set(ev, EV_EVENT, "privilege.use");
		event_set(ev, EV_ACTION, "bpf");
		break;
	case HG_WHAT_USE:
		set_use(ev, e);
		break;
	case HG_WHAT_PTRACE:
		event_set(ev, EV_EVENT, "process.ptrace");
		event_set(ev, EV_ACTION, "ptrace");
		break;
	case HG_WHAT_UNIX:
	case HG_WHAT_UNIX_LISTEN:
		event_set(ev, EV_EVENT, e->what == HG_WHAT_UNIX ? "unix.connect" : "unix.listen");
		event_set(ev, EV_ACTION, e->what == HG_WHAT_UNIX ? "unix" : "listen");
		event_set(ev, EV_TRANSPORT, "unix");
		break;
	case HG_WHAT_DNS:
		event_set(ev, EV_EVENT, "dns.query");
		event_set(ev, EV_ACTION, "resolve");
		set_question(ev, e);
		set_endpoint(ev, &e->endpoint);
		break;
	case HG_WHAT_HELLO:
		event_set(ev, EV_EVENT, "tls.client_hello");
		event_set(ev, EV_ACTION, "connect");
		set_host(ev, EV_SAID_NAME, e);
		set_endpoint(ev, &e->endpoint);
		break;
	case HG_WHAT_ESCAPE:
		event_set(ev, EV_EVENT, "guard.escape_attempt");
		event_set(ev, EV_ACTION, "leave-cgroup");
		break;
	case HG_N_WHAT:
		break;
	}
}

static void set_process(struct decoder *d, struct event *ev, const struct hg_event *e)
{
	_free_ char *cgroup = NULL;
	char ancestor[32];
	int i;

	event_set_number(ev, EV_PID, e->pid);
	event_set_number(ev, EV_PARENT_PID, e->ppid);
	event_set_number(ev, EV_TID, e->tid);
	event_set_bytes(ev, EV_COMMAND, e->comm, strnlen(e->comm, sizeof(e->comm)));
	event_setf(ev, EV_USER, "%u", e->uid);
	event_setf(ev, EV_EXEC_ID, "%s:%u:%" PRIu64, d->boot, e->pid, (uint64_t)e->start);
	for (i = 0; i < HG_ANCESTORS && e->ancestors[i].pid; i++) {
		snprintf(ancestor, sizeof(ancestor), "%.*s[%u]", (int)sizeof(e->ancestors[i].comm),
			 e->ancestors[i].comm, e->ancestors[i].pid);
		event_add(ev, EV_ANCESTRY, ancestor, strlen(ancestor));
	}
	if (d->cgroup_fd >= 0 && !cgroup_path_of(d->cgroup_fd, e->cgroup, &cgroup))
		event_set(ev, EV_CGROUP, cgroup);
	else
		event_setf(ev, EV_CGROUP, "id:%" PRIu64, (uint64_t)e->cgroup);
}

static void set_rule(struct event *ev, const struct hg_event *e, const struct generation_record *g)
{
	const struct rule_record *rule;
	bool audit;

	event_set_number(ev, EV_GENERATION, e->generation);
	event_set(ev, EV_VERDICT, verdict_names[e->said]);
	event_set(ev, EV_REASON, reasons[e->why].name);
	audit = g ? g->mode == HG_AUDIT : e->said == HG_SAID_AUDITED;
	event_set(ev, EV_MODE, audit ? "audit" : "enforce");
	if (g)
		event_set(ev, EV_POLICY, g->policy_name);
	if (e->rule == HG_RULE_NONE)
		return;
	if (!g || e->rule >= g->n_rules) {
		event_setf(ev, EV_RULE, "rule %u", e->rule);
		event_set(ev, EV_RULE_AT, "?");
		return;
	}
	rule = &g->rules[e->rule];
	event_set(ev, EV_RULE, rule->text);
	event_setf(ev, EV_RULE_AT, "%s:%u", rule->file, rule->line);
}

void event_decode(struct decoder *d, const struct decode_agent *agent, const struct hg_event *data,
		  struct event *ret)
{
	event_set_number(ret, EV_TIME, data->time + d->since_1970);
	event_set(ret, EV_AGENT, agent->name);
	event_setf(ret, EV_UID, "%016" PRIx64, (uint64_t)data->agent_uid);
	event_set_number(ret, EV_COUNT, 1);
	set_rule(ret, data, agent->generation);
	set_what(ret, data);
	set_process(d, ret, data);
	set_paths(d, ret, data);
}
