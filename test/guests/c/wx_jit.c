// A just-in-time compiler's way: write code, make it executable, call it, write it again.
// Inside a sandbox this needs the option that allows executable anonymous memory.
// want: exit 0
// stdout: SUCCESS
// options: allow-exec
#include "check.h"
#include <sys/mman.h>

int main(void)
{
	unsigned char code[] = {0xb8, 0, 0, 0, 0, 0xc3}; // mov $n, %eax; ret
	unsigned char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	for (int n = 0; n < 100; n++) {
		CHECK_EQ(mprotect(p, 4096, PROT_READ | PROT_WRITE), 0);
		memcpy(p, code, sizeof code);
		p[1] = n;
		CHECK_EQ(mprotect(p, 4096, PROT_READ | PROT_EXEC), 0);
		int (*f)(void);
		memcpy(&f, &p, sizeof f);
		CHECK_EQ(f(), n);
	}
	CHECK_EQ(munmap(p, 4096), 0);
	return success();
}
