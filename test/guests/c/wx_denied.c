// Anonymous memory cannot be made executable unless the sandbox allows it: EACCES.
// want: exit 0
// stdout: SUCCESS
// native: no
#include "check.h"
#include <stdint.h>
#include <sys/mman.h>

int main(void)
{
	enum { page = 4096, rwx = PROT_READ | PROT_WRITE | PROT_EXEC, flags = MAP_PRIVATE | MAP_ANONYMOUS };
	char *a = mmap(NULL, page, PROT_READ | PROT_WRITE, flags, -1, 0);
	CHECK(a != MAP_FAILED);
	a[0] = 7;
	CHECK_ERR(mprotect(a, page, PROT_READ | PROT_EXEC), EACCES);
	CHECK_ERR(mprotect(a, page, rwx), EACCES);
	CHECK_ERR(mprotect(a, page, PROT_EXEC), EACCES);
	CHECK_EQ(a[0], 7);
	a[0] = 8; // still writable
	CHECK_ERR((intptr_t)mmap(NULL, page, PROT_READ | PROT_EXEC, flags, -1, 0), EACCES);
	CHECK_ERR((intptr_t)mmap(NULL, page, rwx, flags, -1, 0), EACCES);
	// The program's own text must not become writable.
	char *text = (char *)((uintptr_t)main & ~(uintptr_t)(page - 1));
	CHECK_ERR(mprotect(text, page, rwx), EACCES);
	char here;
	CHECK_ERR(mprotect((char *)((uintptr_t)&here & ~(uintptr_t)(page - 1)), page, rwx), EACCES);
	return success();
}
