/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running: programs, their interpreters (bprm_check_security fires for each link of a chain), and
 * any file mapped executable, which is how ld.so runs a program that is only its argument.
 */
#include "check.h"

SEC("lsm/bprm_check_security")
int BPF_PROG(bprm_check_security, struct linux_binprm *bprm)
{
	return check_path_often(bprm->file->f_path.dentry, HG_BIT(HG_EXEC));
}

SEC("lsm/mmap_file")
int BPF_PROG(mmap_file, struct file *file, unsigned long reqprot, unsigned long prot,
	     unsigned long flags)
{
	/* prot has what READ_IMPLIES_EXEC adds. Memory without a file is no program's name. */
	if (!file || !(prot & PROT_EXEC))
		return 0;
	return check_path_often(file->f_path.dentry, HG_BIT(HG_EXEC));
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
	return check_path(file->f_path.dentry, HG_BIT(HG_EXEC));
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
