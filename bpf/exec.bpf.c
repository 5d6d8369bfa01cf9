/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running: programs, their interpreters (bprm_check_security fires for each link of a chain), and
 * any file mapped executable, which is how ld.so runs a program that is only its argument.
 *
 * Where the verdict depends on the arguments, they cannot be read yet: such a link is kept in
 * `execs` and judged in arguments.bpf.c, before the program's first instruction.
 */
#include "check.h"
#include "execs.h"

/* Keeps a link for when its arguments can be read. enum hg_why. */
static __noinline int link_keep(struct hg_ask *a, struct linux_binprm *bprm,
				const struct hg_out *out)
{
	struct hg_exec *e = exec_kept();
	struct hg_exec_link *link;
	__u32 n;

	if (!e)
		e = exec_keep(a->who.n, a->tell.policy);
	if (!e)
		return HG_WHY_TOO_BUSY;
	e->bprm = (__u64)bprm;
	n = e->n;
	if (n >= HG_CHAIN_MAX)
		return HG_WHY_TOO_LONG;
	if (e->policy != a->tell.policy)
		return HG_WHY_RACED;
	link = &e->link[n];
	link->argc = bprm->argc;
	link->rule = out->rule[HG_EXEC];
	link->allowed = !!(out->allow & HG_BIT(HG_EXEC));
	link->argv = out->argv;
	e->n = n + 1;
	return HG_WHY_RULE;
}

static __noinline int decide_program(struct linux_binprm *bprm)
{
	struct dentry *dentry = bprm->file->f_path.dentry;
	struct hg_objects o = { .object = dentry };
	enum hg_why why;
	struct hg_ask a;

	if (!ask_begin(&a, HG_WHAT_PATH, HG_BIT(HG_EXEC)) || overlay_at_work())
		return 0;
	why = ask_file(&a, dentry);
	if (why == HG_WHY_ANONYMOUS)
		return ask_anonymous(&a, HG_BIT(HG_EXEC), &o);
	if (a.s)
		a.s->script = exec_script(bprm);
	if (why != HG_WHY_RULE || !a.s)
		return ask_refuse(&a, why, &o);
	if (arguments_read && a.s->out.argv && !(a.s->linked & HG_BIT(HG_EXEC))) {
		why = link_keep(&a, bprm, &a.s->out);
		return why == HG_WHY_RULE ? ask_allow(&a) : ask_refuse(&a, why, &o);
	}
	/* Without arguments: what holds whatever they are. */
	return ask_out(&a, &a.s->out, HG_BIT(HG_EXEC), &o);
}

SEC("lsm/bprm_check_security")
int BPF_PROG(bprm_check_security, struct linux_binprm *bprm)
{
	struct hg_who who;

	exec_begin(bprm);
	if (!agent_current(&who) ||
	    fast_allows(agent_slot(who.agent), bprm->file->f_path.dentry, HG_BIT(HG_EXEC)))
		return 0;
	return decide_program(bprm);
}

/*
 * A file mapped executable. The kernel maps the program that it is starting, which has been asked
 * about as such, with its arguments; its loader has not. What a process maps by itself is run
 * without arguments that could be read, so what depends on them is refused (check_path).
 */
HG_INLINE int check_mapping(struct file *file)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	struct hg_who who;

	if (!agent_current(&who) || (task->mm->exe_file == file && executing()))
		return 0;
	return agent_path(who.agent, file->f_path.dentry, HG_BIT(HG_EXEC));
}

SEC("lsm/mmap_file")
int BPF_PROG(mmap_file, struct file *file, unsigned long reqprot, unsigned long prot,
	     unsigned long flags)
{
	/* prot has what READ_IMPLIES_EXEC adds. Memory without a file is no program's name. */
	if (!file || !(prot & PROT_EXEC))
		return 0;
	return check_mapping(file);
}

/*
 * Only for the fallback without BPF LSM (user/compat.c), which attaches to security_mmap_file(): that
 * function works out the second `prot` itself. What READ_IMPLIES_EXEC would add is assumed.
 */
SEC("?lsm/mmap_file")
int BPF_PROG(mmap_file_3, struct file *file, unsigned long prot, unsigned long flags)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();

	if (!file)
		return 0;
	if (!(prot & PROT_EXEC) &&
	    !((prot & PROT_READ) && (task->personality & READ_IMPLIES_EXEC)))
		return 0;
	return check_mapping(file);
}

SEC("lsm/file_mprotect")
int BPF_PROG(file_mprotect, struct vm_area_struct *vma, unsigned long reqprot, unsigned long prot)
{
	struct file *file;

	if (!(prot & PROT_EXEC) || (vma->vm_flags & VM_EXEC))
		return 0;
	file = vma->vm_file;
	if (!file)
		return 0;
	return check_path(file->f_path.dentry, HG_BIT(HG_EXEC));
}
