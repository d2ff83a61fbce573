// Asks CPUID for everything, odd leaves too, and the counters: none of it says that the guest may
// do more, all of it returns.
// call: Attack
// want: any
// run: any
// args: cpuid
// args: tsc
// args: xgetbv
#include "attack.h"

static void cpuid(unsigned leaf, unsigned sub)
{
	__asm__ volatile("cpuid" : "+a"(leaf), "+c"(sub)::"ebx", "edx");
}

static const char *attack(struct airlock_call *call, const char *how)
{
	(void)call;
	catch_faults();
	if (is(how, "cpuid")) {
		static const unsigned starts[] = {0, 0x40000000, 0x40000100, 0x80000000, 0x8ffffff0, 0xc0000000, 0xfffffff0};
		for (volatile unsigned i = 0; i < 7 * 48 * 4; i++) {
			(void)SURVIVES(cpuid(starts[i % 7] + i / 7 % 48, i / 336 == 3 ? ~0u : i / 336));
		}
		return "done";
	}
	volatile uint64_t last = 0;
	for (volatile int i = 0; i < 20000; i++) {
		volatile unsigned low = 0, high = 0;
		if (is(how, "xgetbv")) {
			(void)SURVIVES(__asm__ volatile("xgetbv" ::"c"(i) : "eax", "edx"));
			(void)SURVIVES(__asm__ volatile("rdpmc" ::"c"(i) : "eax", "edx"));
			i += 400;
			continue;
		}
		(void)SURVIVES(__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) :: "memory"));
		uint64_t now = (uint64_t)high << 32 | low;
		if (now < last) {
			return "the counter went back";
		}
		last = now;
		(void)SURVIVES(__asm__ volatile("rdtscp" ::: "eax", "ecx", "edx"));
	}
	return "done";
}
