// All futex operations with garbage addresses and arguments: each must give an error or return.
// want: exit 0
// stdout: SUCCESS
// native: no
#include "hostile.h"

int main(void)
{
	sandbox_only();
	static uint32_t good[4] = {1, 2, 3, 4};
	uintptr_t addresses[] = {0, 1, 3, 4096, (uintptr_t)good, (uintptr_t)good + 2, KERNEL, KERNEL + 4096, DIRECT_MAP,
	                         (uintptr_t)main, 0x123456789000, 0x8000000000000000, (uintptr_t)-4, (uintptr_t)-4096};
	size_t n = sizeof addresses / sizeof *addresses;
	struct timespec soon = {0, 1000};
	for (int op = 0; op < 16; op++) {
		for (int flags = 0; flags < 512; flags += 128) {
			for (size_t a = 0; a < n; a++) {
				for (size_t b = 0; b < n; b++) {
					// In waits the fourth argument is a timeout, elsewhere a number.
					int waits = op == 0 || op == 9 || op == 6 || op == 11 || op == 13;
					uintptr_t fourth = waits ? (uintptr_t)&soon : addresses[b];
					syscall(SYS_futex, addresses[a], op | flags, 77, fourth, addresses[b], b * 0x11111111);
				}
			}
		}
	}
	return success();
}
