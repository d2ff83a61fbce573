/* Numbers that arch/entry.S and C share. Plain constants: the assembler reads this file too. */
#ifndef ARCH_LAYOUT_H
#define ARCH_LAYOUT_H

#define KERNEL_STACK_SIZE 16384
#define TRAP_STACK_SIZE 256 /* one hardware frame and what a stub pushes */

#define RING0_CS 0x10
#define RING0_SS 0x18
#define USER_CS 0x33
#define USER_SS 0x2b

/* RFLAGS in the constant frames: fixed bit 1, IF, IOPL 3. */
#define KERNEL_RFLAGS 0x3202

/* Offsets into struct registers (arch/registers.h), checked in arch/trap.c. */
#define REGISTERS_RIP 120
#define REGISTERS_SIZE 160

#define TRAP_STUB_SIZE 32 /* bytes from one vector's ring-0 stub to the next */
#define TRAP_VECTORS 32

#endif
