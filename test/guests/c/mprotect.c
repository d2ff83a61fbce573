// mprotect splits and joins mappings; guard pages fault; contents survive PROT_NONE.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum { page = 4096, pages = 16 };
static sigjmp_buf back;
static char *volatile fault_addr;

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)context;
	CHECK_EQ(sig, SIGSEGV);
	CHECK_EQ(info->si_code, SEGV_ACCERR);
	fault_addr = info->si_addr;
	siglongjmp(back, 1);
}

static int can_read(volatile char *p)
{
	if (sigsetjmp(back, 1) == 0) {
		(void)*p;
		return 1;
	}
	CHECK(fault_addr == p);
	return 0;
}

static int can_write(volatile char *p)
{
	if (sigsetjmp(back, 1) == 0) {
		*p = *p;
		return 1;
	}
	CHECK(fault_addr == p);
	return 0;
}

int main(void)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	CHECK_EQ(sigaction(SIGSEGV, &sa, NULL), 0);
	char *a = mmap(NULL, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(a != MAP_FAILED);
	for (int i = 0; i < pages; i++) {
		a[i * page] = (char)i;
	}
	// Make every second page read-only and every third inaccessible, then check all.
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < pages; i++) {
			int prot = i % 3 == 0 ? PROT_NONE : i % 2 == 0 ? PROT_READ : PROT_READ | PROT_WRITE;
			CHECK_EQ(mprotect(a + i * page, page, prot), 0);
		}
		for (int i = 0; i < pages; i++) {
			CHECK_EQ(can_read(a + i * page), i % 3 != 0);
			CHECK_EQ(can_read(a + i * page + page - 1), i % 3 != 0);
			if (i % 3 != 0) {
				CHECK_EQ(can_write(a + i * page), i % 2 != 0);
				CHECK_EQ(a[i * page], (char)i);
			}
		}
		CHECK_EQ(mprotect(a, pages * page, PROT_READ | PROT_WRITE), 0); // over all pieces at once
		for (int i = 0; i < pages; i++) {
			CHECK(can_write(a + i * page));
			CHECK_EQ(a[i * page], (char)i);
		}
	}
	// Protect pages that were never touched.
	char *b = mmap(NULL, 4 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(!can_read(b));
	CHECK_EQ(mprotect(b + page, page, PROT_READ), 0);
	CHECK(can_read(b + page) && !can_write(b + page));
	CHECK_EQ(mprotect(b + page, page, PROT_READ | PROT_WRITE), 0);
	CHECK_EQ(b[page], 0);
	b[page] = 5;
	CHECK(!can_read(b + 2 * page) && !can_read(b + page - 1) && b[page] == 5);

	CHECK_ERR(syscall(SYS_mprotect, a + 1, page, PROT_READ), EINVAL); // musl would align it
	CHECK_EQ(mprotect(a, 0, PROT_READ), 0);
	CHECK_EQ(munmap(a + page, page), 0);
	CHECK_ERR(mprotect(a + page, page, PROT_READ), ENOMEM);
	CHECK_ERR(mprotect(a, 3 * page, PROT_READ), ENOMEM); // runs into the hole
	CHECK(can_read(a));
	// A string constant is read-only, code can be read but not written.
	CHECK(can_read((char *)main) && !can_write((char *)main));
	return success();
}
