// Fills the extended state in a signal frame with garbage and returns to it.
// want: any
// args: 0x00
// args: 0xff
// args: 0x55
// args: random
// args: header
#include "hostile.h"
#include <ucontext.h>

static const char *pattern = "0xff";

static void handler(int sig, siginfo_t *info, void *context)
{
	char *state = (char *)((ucontext_t *)context)->uc_mcontext.fpregs;
	unsigned seed = 5;
	(void)sig;
	(void)info;
	if (strcmp(pattern, "header") == 0) { // components that do not exist, compacted format, huge size
		memset(state + 512, 0xff, 64);
		memset(state + 464, 0xff, 48);
	} else {
		fill_words((uint64_t *)state, 832, pattern, &seed);
	}
}

int main(int argc, char **argv)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	pattern = argc > 1 ? argv[1] : pattern;
	sigaction(SIGUSR1, &sa, NULL);
	for (int i = 0; i < 10; i++) {
		raise(SIGUSR1);
		use_kernel();
	}
	return 0;
}
