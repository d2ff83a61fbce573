// Changes page tables through the direct map and returns: a table that maps itself, tables in a
// loop, frames outside of memory, reserved bits, without the kernel, without the direct map, with
// stubs that can be written or not be run, with all rights for everything.
// call: Attack
// want: any
// run: any
// args: self
// args: loop
// args: outside 0x2000000
// args: outside 0x40000000
// args: outside 0xfee00000
// args: outside 0x7ffffffffff000
// args: outside-table 0x40000000
// args: outside-root-entry 0x7ffffffffff000
// args: reserved
// args: kernel-unmapped
// args: physmap-unmapped
// args: stubs-writable
// args: stubs-nx
// args: stubs-supervisor
// args: stubs-replaced
// args: all-rights
// args: large-kernel
// args: huge
// args: message-buffers
// args: control-elsewhere
#include "attack.h"

static void everything(volatile uint64_t *table, int level)
{
	for (int i = 0; i < 512; i++) {
		if (table[i] & 1) {
			table[i] = (table[i] | 7) & ~(1ull << 63);
			if (level > 1 && !(level < 4 && (table[i] & 0x80))) {
				everything(table_at(table[i]), level - 1);
			}
		}
	}
}

static void change(const char *how, uint64_t page, uint64_t stubs)
{
	volatile uint64_t *root = table_at(CONTROL->boot.page_table);
	uint64_t value = number(how);
	if (is(how, "self")) {
		root[200] = CONTROL->boot.page_table | 0x67;
		*(volatile uint64_t *)(200ull << 39 | 200ull << 30 | 200ull << 21 | 200ull << 12 | 8) = ~0ull;
	} else if (is(how, "loop")) {
		*entry_of(page, 2) = (CONTROL->boot.page_table & ~0xfffull) | 0x67;
		*entry_of(page, 3) = (CONTROL->boot.page_table & ~0xfffull) | 0x67;
	} else if (is(how, "outside")) {
		*entry_of(page, 1) = value | 0x67;
	} else if (is(how, "outside-table")) {
		*entry_of(page, 2) = value | 0x67;
	} else if (is(how, "outside-root-entry")) {
		root[201] = value | 0x67;
		*(volatile int *)(201ull << 39) = 1;
	} else if (is(how, "reserved")) {
		*entry_of(page, 1) |= 0x7ull << 52 | 0x3full << 46;
		*entry_of(page, 4) |= 0x80;
	} else if (is(how, "kernel-unmapped")) {
		*entry_of(AIRLOCK_KERNEL_BASE, 4) = 0;
	} else if (is(how, "physmap-unmapped")) {
		*entry_of(AIRLOCK_PHYSMAP, 4) = 0;
	} else if (is(how, "stubs-writable")) {
		*entry_of(stubs, 1) |= 2;
		memset((void *)stubs, 0xf4, KERNEL_INFO->ring0_end - KERNEL_INFO->ring0_start); // HLT
	} else if (is(how, "stubs-nx")) {
		*entry_of(stubs, 1) |= 1ull << 63;
	} else if (is(how, "stubs-supervisor")) {
		*entry_of(stubs, 1) &= ~4ull;
	} else if (is(how, "stubs-replaced")) {
		*entry_of(stubs, 1) = (physical_of(page) & ~0xfffull) | 0x67;
	} else if (is(how, "all-rights")) {
		everything(root, 4);
	} else if (is(how, "large-kernel")) {
		*entry_of(AIRLOCK_KERNEL_BASE, 2) = 0x200000 | 0xe7;
	} else if (is(how, "huge")) {
		*entry_of(page, 3) = 0xe7;
	} else if (is(how, "message-buffers")) {
		*entry_of(AIRLOCK_MESSAGES, 1) = 0x67;
	} else {
		*entry_of(AIRLOCK_PHYSMAP, 2) = 0x200000 | 0xe7;
	}
}

static const char *attack(struct airlock_call *call, const char *how)
{
	char *page = mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	(void)call;
	memset(page, 0x90, 2 << 20);
	catch_faults();
	(void)SURVIVES(change(how, (uint64_t)page, KERNEL_INFO->ring0_start));
	munmap(page + (1 << 20), 1 << 20); // its flush makes the processor look again
	(void)SURVIVES(memset(page, 1, 4096));
	(void)SURVIVES(touch(16));
	use_kernel();
	return "done";
}
