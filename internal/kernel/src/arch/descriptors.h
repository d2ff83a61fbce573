/* GDT, IDT and TSS. The host points the CPU at them; the kernel fills them before its first trap. */
#ifndef ARCH_DESCRIPTORS_H
#define ARCH_DESCRIPTORS_H

#include "airlock_abi.h"
#include "lib/types.h"

#define PORT_COUNT 65536u

struct gate {
	u16 offset_low, selector;
	u8 stack, type;
	u16 offset_middle;
	u32 offset_high, reserved;
};

struct task_state {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 stack[7]; /* the interrupt stack table, 1 to 7 */
	u64 reserved2;
	u16 reserved3;
	u16 bitmap_offset;
	/* One bit per port, clear: ring 3 may use it. The host refuses what is no hypercall. */
	u8 bitmap[PORT_COUNT / 8];
	u8 bitmap_end;
} __attribute__((packed));

extern u64 gdt[10];
extern struct gate idt[AIRLOCK_TICK_VECTOR + 1];
extern struct task_state tss;

void descriptors_init(void);

#endif
