/* The registers of a program's thread while the kernel runs, in the order in which arch/entry.S pushes them. */
#ifndef ARCH_REGISTERS_H
#define ARCH_REGISTERS_H

#include "lib/types.h"

struct registers {
	u64 r15, r14, r13, r12, rbp, rbx;
	u64 r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	u64 rip, cs, rflags, rsp, ss; /* what IRETQ pops */
};

_Static_assert(sizeof(struct registers) == 20 * 8, "arch/entry.S counts on it");

/* Bits of RFLAGS (AMD64 Architecture Programmer's Manual volume 2, section 3.1.6). */
#define RFLAGS_CARRY 0x001ull
#define RFLAGS_FIXED 0x002ull
#define RFLAGS_TRAP 0x100ull
#define RFLAGS_INTERRUPT 0x200ull
#define RFLAGS_IOPL 0x3000ull
/* What a program may set by itself: CF PF AF ZF SF TF DF OF RF AC ID. */
#define RFLAGS_PROGRAM 0x250dd5ull

/* Exception vectors (volume 2, section 8.2). */
enum vector {
	VECTOR_DIVIDE = 0,
	VECTOR_DEBUG = 1,
	VECTOR_BREAKPOINT = 3,
	VECTOR_OVERFLOW = 4,
	VECTOR_BOUND = 5,
	VECTOR_OPCODE = 6,
	VECTOR_STACK = 12,
	VECTOR_PROTECTION = 13,
	VECTOR_PAGE = 14,
	VECTOR_X87 = 16,
	VECTOR_ALIGNMENT = 17,
	VECTOR_SIMD = 19,
	VECTOR_COUNT = 32,
};

/* Bits of a page fault's error code (volume 2, section 8.4.2). */
#define PAGE_FAULT_PRESENT 1u
#define PAGE_FAULT_WRITE 2u
#define PAGE_FAULT_EXEC 16u

/* A trap as the program's thread saw it. */
struct trap {
	u32 vector;
	u32 error_code;
	u64 address; /* CR2, of a page fault */
};

#endif
