/* The first bytes of the image: what the host puts into the virtual CPU's registers. */
#include "airlock_abi.h"
#include "arch/descriptors.h"
#include "arch/layout.h"
#include "lib/types.h"

extern const u8 syscall_stub[], trap_stubs[], tick_stub[], ring0_start[], ring0_end[];
extern u8 ring0_tables_start[], ring0_tables_end[];
extern u8 kernel_stack_top[];

extern const struct airlock_kernel_info kernel_info;

__attribute__((section(".info"), used)) const struct airlock_kernel_info kernel_info = {
	.magic = AIRLOCK_KERNEL_MAGIC,
	.abi_version = AIRLOCK_ABI_VERSION,
	.stack = (u64)kernel_stack_top,
	.syscall_stub = (u64)syscall_stub,
	.ring0_start = (u64)ring0_start,
	.ring0_end = (u64)ring0_end,
	.gdt = (u64)gdt,
	.idt = (u64)idt,
	.tss = (u64)&tss,
	.gdt_limit = sizeof(gdt) - 1,
	.idt_limit = sizeof(idt) - 1,
	.tss_limit = sizeof(tss) - 1,
	.trap_stub_size = TRAP_STUB_SIZE,
	.trap_stubs = (u64)trap_stubs,
	.tick_stub = (u64)tick_stub,
	.tables_start = (u64)ring0_tables_start,
	.tables_end = (u64)ring0_tables_end,
};
