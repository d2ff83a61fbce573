/*
 * Every way into the kernel and the one way out.
 *
 * Ring 0 exists only to bounce: the stubs here load RSP with the address of a
 * constant frame and IRETQ to ring 3, where the rest of the kernel runs. On
 * hosts without hardware virtualisation each ring-0 instruction is emulated,
 * at about the price of a thousand ordinary ones, so their number counts.
 *
 * The kernel runs with interrupts enabled (ring 3 can't change the interrupt
 * flag everywhere). Only the tick interrupts, and only once until the kernel
 * has cleared tick_pending in the control page; a tick that lands in kernel
 * code returns, and the kernel looks at tick_pending before it leaves.
 */
#include "arch/layout.h"

	.text

/* The first instruction of the VM, in ring 3, on the kernel stack. */
	.globl	kernel_entry
kernel_entry:
	xorl	%ebp, %ebp
	call	kernel_main

/* ---------------------------------------------------------------- ring 0 */

/* SYSCALL: RCX and R11 hold RIP and RFLAGS, RSP is still the program's. */
	.balign	16
	.globl	ring0_start
ring0_start:
	.globl	syscall_stub
syscall_stub:
	movq	%rsp, syscall_rsp(%rip)
	leaq	syscall_frame(%rip), %rsp
	iretq

/*
 * Exceptions 0 to 31: the hardware frame is at the top of the trap stack,
 * and each vector has a frame of its own that leads to its own entry.
 */
	.balign	TRAP_STUB_SIZE
	.globl	trap_stubs
trap_stubs:
	.set	vector, 0
	.rept	TRAP_VECTORS
	.balign	TRAP_STUB_SIZE
	.if	vector == 14
	pushq	%rax			/* the only free register is one that we free */
	movq	%cr2, %rax
	pushq	%rax
	.endif
	leaq	trap_frames + 40 * vector(%rip), %rsp
	iretq
	.set	vector, vector + 1
	.endr

	.balign	16
	.globl	tick_stub
tick_stub:
	leaq	tick_frame(%rip), %rsp
	iretq

/* Reached by tlb_flush alone. RAX is the top-level page table. */
	.balign	16
	.globl	flush_stub
flush_stub:
	movq	%rax, %cr3
	leaq	flush_frame(%rip), %rsp
	iretq
	.globl	ring0_end
ring0_end:

/* ---------------------------------------------------------------- ring 3 */

/* Pushes the general registers below the IRETQ frame: struct registers. */
	.macro	push_general
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	%rax
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	.endm

/* Points RSP behind the registers of the current thread, which stand at its start. */
	.macro	stack_to_registers
	movq	current(%rip), %rsp
	leaq	REGISTERS_SIZE(%rsp), %rsp
	.endm

/* Copies a hardware frame (SS, RSP, RFLAGS, CS, RIP) that ends at \top. */
	.macro	push_hardware_frame top
	pushq	\top-8(%rip)
	pushq	\top-16(%rip)
	pushq	\top-24(%rip)
	pushq	\top-32(%rip)
	pushq	\top-40(%rip)
	.endm

	.macro	enter_kernel function
	leaq	kernel_stack_top(%rip), %rsp
	xorl	%ebp, %ebp
	call	\function
	.endm

syscall_entry:
	stack_to_registers
	pushq	$USER_SS
	pushq	syscall_rsp(%rip)
	pushq	%r11
	pushq	$USER_CS
	pushq	%rcx
	push_general
	enter_kernel syscall_enter

/* One entry per vector: note the vector, and an error code of 0 where the hardware pushes none. */
	.set	vector, 0
	.rept	TRAP_VECTORS
	.balign	TRAP_STUB_SIZE
	.if	vector == 0
trap_entries:
	.endif
	movl	$vector, trap_vector(%rip)
	.if	vector == 14
	movq	trap_stack_top-56(%rip), %rax
	.elseif	vector != 8 && (vector < 10 || vector > 13) && vector != 17 && vector != 21 && vector < 29
	movl	$0, trap_stack_top-48(%rip)
	.endif
	jmp	trap_entry
	.set	vector, vector + 1
	.endr

trap_entry:
	stack_to_registers
	push_hardware_frame trap_stack_top
	push_general
	movl	trap_vector(%rip), %edi
	movl	trap_stack_top-48(%rip), %esi
	movq	trap_stack_top-64(%rip), %rdx
	enter_kernel trap_enter

tick_entry:
	pushq	%rax
	leaq	kernel_text_start(%rip), %rax
	cmpq	%rax, tick_stack_top-40(%rip)
	jae	1f
	popq	%rax
	stack_to_registers
	push_hardware_frame tick_stack_top
	push_general
	enter_kernel tick_enter
1:	/*
	 * Kernel code was interrupted. In the window at the end of resume it was
	 * done but for loading the thread's registers, which are still saved.
	 */
	leaq	resume_window_start(%rip), %rax
	cmpq	%rax, tick_stack_top-40(%rip)
	jb	2f
	leaq	resume_window_end(%rip), %rax
	cmpq	%rax, tick_stack_top-40(%rip)
	jae	2f
	enter_kernel tick_enter
2:	popq	%rax
	leaq	tick_stack_top-40(%rip), %rsp
	iretq

/*
 * void resume(const u32 *tick_pending): back to the program, in the current
 * thread. Returns only if a tick is pending, so that the caller looks again at
 * what should run.
 */
	.globl	resume
resume:
resume_window_start:
	cmpl	$0, (%rdi)
	jne	1f
	movq	current(%rip), %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	iretq				/* ring 3 to ring 3 */
resume_window_end:
1:	ret

/*
 * void tlb_flush(void): reloads CR3, which takes ring 0. INT3 gets there: for
 * the length of one its gate leads to flush_stub. (INT n does not work on
 * KVM-PVM, nor does IRETQ from ring 0 to ring 0, so SYSCALL can't be lent.)
 */
	.macro	set_breakpoint_gate gate
	movq	\gate(%rip), %rax
	movq	%rax, idt+16*3(%rip)
	movq	\gate+8(%rip), %rax
	movq	%rax, idt+16*3+8(%rip)
	.endm

	.globl	tlb_flush
tlb_flush:
	movq	%rsp, flush_rsp(%rip)
	set_breakpoint_gate flush_gate
	movq	page_table_root(%rip), %rax
	int3
flush_return:
	set_breakpoint_gate breakpoint_gate
	movq	flush_rsp(%rip), %rsp
	ret

/* ---------------------------------------------------------------- data */

	.section .rodata, "a"
	.balign	16

/* What IRETQ pops: RIP, CS, RFLAGS, RSP, SS. Entries that set RSP themselves don't care for it. */
	.macro	frame rip, rsp
	.quad	\rip, USER_CS, KERNEL_RFLAGS, \rsp, USER_SS
	.endm

syscall_frame:
	frame	syscall_entry, kernel_stack_top
flush_frame:
	frame	flush_return, kernel_stack_top
tick_frame:
	frame	tick_entry, tick_scratch_top
trap_frames:
	.set	vector, 0
	.rept	TRAP_VECTORS
	frame	trap_entries+TRAP_STUB_SIZE*vector, kernel_stack_top
	.set	vector, vector + 1
	.endr

	.bss
	.balign	64
syscall_rsp:
	.skip	8
flush_rsp:
	.skip	8
trap_vector:
	.skip	8

	.balign	64
	.skip	TRAP_STACK_SIZE
	.globl	trap_stack_top
trap_stack_top:
	.skip	TRAP_STACK_SIZE
	.globl	tick_stack_top
tick_stack_top:
	.skip	64
tick_scratch_top:
	.balign	64
	.skip	KERNEL_STACK_SIZE
	.globl	kernel_stack_top
kernel_stack_top:

	.section .note.GNU-stack, "", @progbits
