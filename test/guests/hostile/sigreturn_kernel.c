// Edits the signal frame before it returns: RIP and RSP in the kernel, odd selectors and flags.
// want: any
// native: no
// args: rip 0x7fc000000000
// args: rip 0x8000000000000000
// args: rip 0xffffffff81000000
// args: rsp 0x7fc000010000
// args: rsp 0x8000000000000000
// args: cs 0x08
// args: cs 0x10
// args: cs 0x23
// args: cs 0xfffb
// args: ss 0x10
// args: ss 0
// args: flags 0x3000
// args: flags 0x0
// args: flags 0x100
// args: flags 0x20000
// args: flags 0x44000
// args: flags 0xffffffffffffffff
#include "hostile.h"
#include <ucontext.h>

static const char *what;
static uint64_t value;

static void handler(int sig, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	(void)sig;
	(void)info;
	if (strcmp(what, "rip") == 0) {
		regs[REG_RIP] = value;
	} else if (strcmp(what, "rsp") == 0) {
		regs[REG_RSP] = value;
	} else if (strcmp(what, "cs") == 0) {
		regs[REG_CSGSFS] = (regs[REG_CSGSFS] & ~0xffffLL) | (greg_t)value;
	} else if (strcmp(what, "ss") == 0) {
		regs[REG_CSGSFS] = (regs[REG_CSGSFS] & 0xffffffffffffLL) | (greg_t)(value << 48);
	} else {
		regs[REG_EFL] = value;
	}
}

int main(int argc, char **argv)
{
	sandbox_only();
	what = argc > 2 ? argv[1] : "rip";
	value = strtoull(argv[argc - 1], NULL, 0);
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	use_kernel();
	for (volatile int i = 0; i < 100000000; i++) { // a tick must still come
	}
	use_kernel();
	return 0;
}
