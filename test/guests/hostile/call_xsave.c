// Loads extended states with odd headers, reserved bits and compact formats, and returns with
// whatever has come of it, exceptions pending included.
// call: Attack
// want: any
// run: any
// args: header
// args: compact
// args: reserved
// args: random
// args: init
// args: pending
#include "attack.h"

static unsigned seed = 12345;
static char area[16384] __attribute__((aligned(64)));

static const char *attack(struct airlock_call *call, const char *how)
{
	(void)call;
	catch_faults();
	__asm__ volatile("xsave %0" : "+m"(area) : "a"(~0u), "d"(~0u));
	for (volatile int i = 0; i < 200; i++) {
		uint64_t *header = (uint64_t *)(area + 512);
		if (is(how, "header")) {
			header[i % 8] = (uint64_t)random32(&seed) << 32 | random32(&seed);
		} else if (is(how, "compact")) {
			header[1] = 1ull << 63 | random32(&seed);
		} else if (is(how, "reserved")) {
			memset(area + 24, (int)random32(&seed), 8); // MXCSR and its mask
		} else if (is(how, "random")) {
			for (int at = 0; at < 512; at++) {
				area[at] = (char)random32(&seed);
			}
		} else if (is(how, "init")) {
			header[0] = 0;
		} else {
			*(uint16_t *)area = 0;        // x87: all exceptions unmasked,
			*(uint16_t *)(area + 2) = 0xbfff; // and pending
			*(uint32_t *)(area + 24) = 0x3f;
			header[0] |= 3;
		}
		(void)SURVIVES(__asm__ volatile("xrstor %0" ::"m"(area), "a"(~0u), "d"(~0u)));
		if (is(how, "header") || is(how, "compact")) {
			memset(header, 0, 64);
		}
	}
	return "done";
}
