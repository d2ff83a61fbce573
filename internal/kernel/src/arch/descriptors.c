/*
 * GDT, IDT and TSS (AMD64 Architecture Programmer's Manual volume 2,
 * chapters 4, 8 and 12).
 */
#include "arch/descriptors.h"

#include "airlock_abi.h"
#include "arch/layout.h"
#include "arch/registers.h"
#include "lib/types.h"

#define GATE_INTERRUPT 0x8e /* present, DPL 0, clears IF */
#define GATE_PROGRAM 0xee   /* the same, and INT3 may use it from ring 3 */
#define TRAP_STACK 1
#define TICK_STACK 2

#define RING0_TABLE __attribute__((aligned(16), section(".ring0.tables")))

u64 gdt[10] RING0_TABLE;
struct gate idt[AIRLOCK_TICK_VECTOR + 1] RING0_TABLE;
struct task_state tss __attribute__((aligned(PAGE_SIZE))) RING0_TABLE;

_Static_assert(sizeof(struct task_state) == 104 + 8192 + 1, "task state segment");

/* Between these tlb_flush changes that of INT3; see arch/entry.S. */
extern struct gate flush_gate, breakpoint_gate;
struct gate flush_gate, breakpoint_gate;

extern const u8 trap_stubs[], tick_stub[], flush_stub[];
extern u8 trap_stack_top[], tick_stack_top[];

static struct gate make_gate(u64 stub, u8 stack, u8 type)
{
	return (struct gate){
		.offset_low = (u16)stub,
		.selector = RING0_CS,
		.stack = stack,
		.type = type,
		.offset_middle = (u16)(stub >> 16),
		.offset_high = (u32)(stub >> 32),
	};
}

static void gdt_init(void)
{
	u64 base = (u64)&tss, limit = sizeof(tss) - 1;

	gdt[RING0_CS / 8] = 0x00af9b000000ffff;
	gdt[RING0_SS / 8] = 0x00cf93000000ffff;
	gdt[USER_SS / 8] = 0x00cff3000000ffff;
	gdt[USER_CS / 8] = 0x00affb000000ffff;
	gdt[AIRLOCK_TSS_SELECTOR / 8] =
		(limit & 0xffff) | (base & 0xffffff) << 16 | 0x8bull << 40 | (base >> 24 & 0xff) << 56;
	gdt[AIRLOCK_TSS_SELECTOR / 8 + 1] = base >> 32;
}

void descriptors_init(void)
{
	gdt_init();
	tss.rsp[0] = tss.stack[TRAP_STACK - 1] = (u64)trap_stack_top;
	tss.stack[TICK_STACK - 1] = (u64)tick_stack_top;
	tss.bitmap_offset = offsetof(struct task_state, bitmap);
	tss.bitmap_end = 0xff;
	for (u32 vector = 0; vector < VECTOR_COUNT; vector++) {
		bool program = vector == VECTOR_BREAKPOINT || vector == VECTOR_OVERFLOW;

		idt[vector] = make_gate((u64)trap_stubs + (u64)TRAP_STUB_SIZE * vector, TRAP_STACK,
					program ? GATE_PROGRAM : GATE_INTERRUPT);
	}
	idt[AIRLOCK_TICK_VECTOR] = make_gate((u64)tick_stub, TICK_STACK, GATE_INTERRUPT);
	flush_gate = make_gate((u64)flush_stub, TRAP_STACK, GATE_PROGRAM);
	breakpoint_gate = idt[VECTOR_BREAKPOINT];
}
