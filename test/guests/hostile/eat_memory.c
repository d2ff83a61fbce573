// Takes memory in every way until there is none left, and goes on.
// want: any
// native: no
#include "hostile.h"

int main(void)
{
	for (size_t size = 1 << 20;; size = size > 4096 ? size / 2 : 4096) {
		char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		char *heap = sbrk(4096);
		if (p == MAP_FAILED && heap == (void *)-1) {
			_exit(7);
		}
		for (size_t i = 0; p != MAP_FAILED && i < size; i += 4096) {
			p[i] = 1;
		}
		if (heap != (void *)-1) {
			*heap = 1;
		}
		size *= 2;
	}
}
