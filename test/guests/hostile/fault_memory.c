// Touches more memory than there is.
// want: out-of-memory
// native: no
#include "hostile.h"

int main(void)
{
	sandbox_only();
	for (;;) {
		char *page = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (page == MAP_FAILED) {
			return 1;
		}
		memset(page, 1, 1 << 20);
	}
}
