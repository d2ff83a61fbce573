// Overwrites descriptor tables and returns: gates, segments, the task segment, its stacks and its
// port bitmap, with patterns and with single well-aimed changes.
// call: Attack
// want: any
// run: any
// args: idt 0x00
// args: idt 0xff
// args: gdt 0x00
// args: gdt 0xff
// args: tss 0x00
// args: tss 0xff
// args: gate-type 0xef
// args: gate-type 0x8f
// args: gate-type 0x0e
// args: gate-target 0
// args: gate-target 0x7f8000000000
// args: gate-target 0xffff800000000000
// args: gate-selector 0x33
// args: gate-selector 0
// args: gate-stack 0
// args: gate-stack 7
// args: ist 0
// args: ist 0x7f9000000000
// args: ist 0x7f8000000008
// args: ist 0x8000000000000000
// args: rsp0 0
// args: bitmap 0xff
// args: bitmap-offset 0xffff
// args: user-code 0x00affa000000ffff
// args: user-code 0x00cffb000000ffff
// args: ring0-code 0
// args: system 0
#include "attack.h"

struct gate {
	uint16_t low, selector;
	uint8_t stack, type;
	uint16_t middle;
	uint32_t high, reserved;
};

static void change_gates(volatile struct gate *gates, const char *how, uint64_t value)
{
	for (int i = 0; i <= 32; i++) {
		if (is(how, "gate-type")) {
			gates[i].type = (uint8_t)value;
		} else if (is(how, "gate-selector")) {
			gates[i].selector = (uint16_t)value;
		} else if (is(how, "gate-stack")) {
			gates[i].stack = (uint8_t)value;
		} else {
			gates[i].low = (uint16_t)value;
			gates[i].middle = (uint16_t)(value >> 16);
			gates[i].high = (uint32_t)(value >> 32);
		}
	}
}

static void change_task(char *tss, const char *how, uint64_t value)
{
	if (is(how, "ist")) {
		for (int i = 0; i < 7; i++) {
			memcpy(tss + 36 + 8 * i, &value, 8);
		}
	} else if (is(how, "rsp0")) {
		memcpy(tss + 4, &value, 8);
	} else if (is(how, "bitmap")) {
		memset(tss + 104, (int)value, 8193);
	} else {
		memcpy(tss + 102, &value, 2);
	}
}

static const char *attack(struct airlock_call *call, const char *how)
{
	const struct airlock_kernel_info *k = KERNEL_INFO;
	uint64_t value = number(how);
	(void)call;
	if (is(how, "idt") || is(how, "gdt") || is(how, "tss")) {
		uint64_t at = is(how, "idt") ? k->idt : is(how, "gdt") ? k->gdt : k->tss;
		size_t size = is(how, "idt") ? k->idt_limit : is(how, "gdt") ? k->gdt_limit : k->tss_limit;
		memset((void *)at, (int)value, size + 1);
	} else if (strncmp(how, "gate", 4) == 0) {
		change_gates((volatile struct gate *)k->idt, how, value);
	} else if (is(how, "user-code")) {
		((volatile uint64_t *)k->gdt)[AIRLOCK_USER_CS / 8] = value;
	} else if (is(how, "ring0-code")) {
		((volatile uint64_t *)k->gdt)[AIRLOCK_RING0_CS / 8] = value;
	} else if (is(how, "system")) {
		((volatile uint64_t *)k->gdt)[AIRLOCK_TSS_SELECTOR / 8] = value;
	} else {
		change_task((char *)k->tss, how, value);
	}
	// Use them: a fault with a handler, a tick, a hypercall.
	catch_faults();
	(void)SURVIVES(touch(16));
	(void)SURVIVES(__asm__ volatile("int3"));
	for (volatile int i = 0; i < 30000000; i++) {
	}
	use_kernel();
	return "done";
}
