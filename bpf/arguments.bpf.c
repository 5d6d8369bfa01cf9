/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs judged by their arguments.
 *
 * At bprm_committed_creds the new program's stack is the process's own memory, nobody else can have
 * it open yet (exec_update_lock), and no instruction has been run: what is read is what the program
 * will see. A refusal kills the process, for execve(2) cannot fail any more. Whatever goes wrong in
 * reading is a refusal.
 *
 * A tracer could change them later; so under one, and for one that comes, what holds whatever the
 * arguments are decides.
 */
#include "check.h"
#include "execs.h"

/* What is copied from the stack at a time; a power of two, and a multiple of HG_WINDOW. */
#define LINE_PIECE 4096

/*
 * Global functions from here to check_line(), as in place.h: the kernel's verifier reads each once,
 * not for each link of a chain and each window of a line. What they need of the program that
 * starts is copied from its linux_binprm.
 */

/* Copies the next piece of the command line; false when there is none or it cannot be read. */
HG_INLINE bool line_more(struct hg_scratch *s)
{
	__u64 len = s->line_end - s->line_at;

	if (s->line_at >= s->line_end)
		return false;
	if (len > LINE_PIECE)
		len = LINE_PIECE;
	asm("" : "+r"(len));
	if (len > LINE_PIECE)
		return false;
	if (bpf_copy_from_user(s->data, len, (void *)s->line_at))
		return false;
	s->line_at += len;
	s->line_from = 0;
	s->line_len = len;
	return true;
}

/* A window further. Ends the loop when s->why is set: HG_WHY_RULE, the row at hand is the last. */
__weak __noinline int line_step(struct hg_scratch *s)
{
	struct hg_reader r;
	bool done;
	__u64 from;

	if (!s)
		return 1;
	if (!s->line_len && !line_more(s)) {
		s->why = HG_WHY_TOO_LONG;
		return 1;
	}
	from = s->line_from;
	asm("" : "+r"(from));
	from &= LINE_PIECE - 1;
	if (!image_open(&r, s->slot) ||
	    !hg_argv_window(&r, &s->line_state, &s->line, &s->data[from], &s->line_len, &done)) {
		s->why = HG_WHY_BROKEN_POLICY;
		return 1;
	}
	if (done || !s->line.args) {
		s->why = HG_WHY_RULE;
		return 1;
	}
	s->line_from += HG_WINDOW;
	s->line_len = s->line_len > HG_WINDOW ? s->line_len - HG_WINDOW : 0;
	return 0;
}

static long line_turn(__u32 turn, struct hg_loop *loop)
{
	if (line_step(loop->s))
		return 1;
	return 0;
}

/* The verdict row of a link's command line, in s->out; enum hg_why. */
HG_INLINE int line_judge(struct hg_scratch *s, const struct hg_exec_link *link)
{
	struct hg_loop loop = { .s = s };
	struct hg_reader r;
	__u64 row;

	/* The arguments that this link was asked about are the last of those there are now, behind
	 * the interpreter's own; the first is its name, or the script's that took its place. */
	if (!link->argc || link->argc > s->argc)
		return HG_WHY_BROKEN_POLICY;
	s->line.skip = s->argc - link->argc;
	s->line.args = link->argc;
	s->line_at = s->argv_at;
	s->line_end = s->argv_at + s->argv_max;
	if (s->argv_max > HG_ARGV_MAX)
		s->line_end = s->line_at + HG_ARGV_MAX;
	s->line_len = 0;
	s->why = HG_WHY_TOO_LONG;
	if (!image_open(&r, s->slot) || !hg_argv_start(&r, link->argv, &s->line_state))
		return HG_WHY_BROKEN_POLICY;
	bpf_loop(HG_ARGV_MAX / HG_WINDOW + 1, line_turn, &loop, 0);
	if (s->why != HG_WHY_RULE)
		return s->why;
	if (!image_open(&r, s->slot) || !hg_row_out(&r, s->line_state, &row) ||
	    !hg_out_read(&r, row & 0xffff, &s->out))
		return HG_WHY_BROKEN_POLICY;
	return HG_WHY_RULE;
}

/* One link of the chain: 0 or -EACCES. bprm: a struct linux_binprm. */
__weak __noinline int check_line(const struct hg_exec_link *link, __u64 policy, __u64 bprm)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	const struct linux_binprm *program = (const void *)bprm;
	struct hg_objects o = {};
	enum hg_why why;
	struct hg_ask a;

	if (!link)
		return -EACCES;
	o.object = BPF_CORE_READ(program, file, f_path.dentry);
	if (!ask_begin(&a, HG_WHAT_PATH, HG_BIT(HG_EXEC)))
		return 0;
	why = ask_prepare(&a);
	if (why != HG_WHY_RULE || !a.s)
		return ask_refuse(&a, why, &o);
	a.s->script = exec_script(program);
	a.s->argv_at = BPF_CORE_READ(program, p);
	a.s->argv_max = BPF_CORE_READ(program, exec) - a.s->argv_at;
	a.s->argc = BPF_CORE_READ(program, argc);
	/* Another policy came into force meanwhile, with other starts. */
	if (a.tell.policy != policy)
		return ask_refuse(&a, HG_WHY_RACED, &o);
	if (task->ptrace) {
		a.tell.rule = link->rule;
		if (!link->allowed)
			return ask_refuse(&a, HG_WHY_TRACED, &o);
		a.s->argv_at = 0;
		return ask_allow(&a);
	}
	why = line_judge(a.s, link);
	if (why != HG_WHY_RULE)
		return ask_refuse(&a, why, &o);
	if (a.s->out.allow & ~(__u32)a.s->out.log & HG_BIT(HG_EXEC))
		a.s->argv_at = 0;
	return ask_out(&a, &a.s->out, HG_BIT(HG_EXEC), &o);
}

SEC("lsm.s/bprm_committed_creds")
int BPF_PROG(bprm_committed_creds, struct linux_binprm *bprm)
{
	struct hg_exec *e = exec_kept();
	__u32 i;

	/* Nothing of it is judged by arguments: bprm_check_security has said all there is. Where it
	 * could not keep what is, it has refused. */
	if (!e)
		return 0;
	for (i = 0; i < HG_CHAIN_MAX; i++) {
		if (i >= *(volatile __u32 *)&e->n)
			break;
		if (check_line(&e->link[i], e->policy, e->bprm)) {
			bpf_send_signal(SIGKILL);
			break;
		}
	}
	exec_forget();
	return 0;
}

/* Has the policy a rule on arguments at all? */
HG_INLINE bool any_arguments(__u32 slot)
{
	struct hg_reader r;

	return !image_open(&r, slot) || hg_head(&r, n_argvs) >> 32;
}

/* A tracer, or who writes to its memory, could change the arguments of what was judged by them. */
SEC("lsm/ptrace_access_check")
int BPF_PROG(ptrace_judged, struct task_struct *child, unsigned int mode)
{
	struct hg_objects o = {};
	struct dentry *exe;
	enum hg_why why;
	struct hg_ask a;

	if (!(mode & PTRACE_MODE_ATTACH))
		return 0;
	exe = BPF_CORE_READ(child, mm, exe_file, f_path.dentry);
	/* A thread of the kernel, or one that has ended: no memory to write to. */
	if (!exe || !ask_begin(&a, HG_WHAT_PTRACE, 0))
		return 0;
	why = ask_prepare(&a);
	if (why != HG_WHY_RULE || !a.s)
		return ask_refuse(&a, why, &o);
	if (!any_arguments(a.s->slot))
		return ask_allow(&a);
	/* By the long way: this is no pointer that the directory's storage would take. */
	a.s->dentry = (__u64)exe;
	why = place_walk(a.s);
	if (why == HG_WHY_ANONYMOUS)
		return ask_allow(&a);
	if (why != HG_WHY_RULE)
		return ask_refuse(&a, why, &o);
	if (!a.s->out.argv || (a.s->out.allow & HG_BIT(HG_EXEC)))
		return ask_allow(&a);
	a.tell.rule = a.s->out.rule[HG_EXEC];
	return ask_refuse(&a, HG_WHY_TRACED, &o);
}
