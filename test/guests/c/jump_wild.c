// A jump to where no code is gives SIGSEGV with the address, wherever that is, and what was written before is there.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <setjmp.h>
#include <signal.h>

static sigjmp_buf back;
static volatile unsigned long fault;
static volatile int code;

static void handler(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	fault = (unsigned long)info->si_addr;
	code = info->si_code;
	siglongjmp(back, 1);
}

int main(void)
{
	static const unsigned long wild[] = {
		0x12345000, 0x7ffd12345000, 0x7ffffffff000, 0xffff800000000000, 0xffffffff80000000, 0xffffffffffffe000,
	};
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	CHECK_EQ(sigaction(SIGSEGV, &action, NULL), 0);
	for (size_t i = 0; i < sizeof(wild) / sizeof(*wild); i++) {
		volatile size_t at = i;
		fault = 0;
		if (sigsetjmp(back, 1) == 0) {
			((void (*)(void))wild[i])();
			CHECK(0);
		}
		CHECK_EQ(fault, wild[at]);
		CHECK_EQ(code, SEGV_MAPERR);
	}
	return success();
}
