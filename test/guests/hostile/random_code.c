// Runs random bytes as code, from many places, with handlers for whatever comes of it.
// want: any
// native: no
// args: 1
// args: 2
// args: 3
// args: 4
// args: 5
#include "hostile.h"
#include <sys/time.h>

// 64 KiB of noise in the text section, as there is no other executable memory.
extern const char noise[];
__asm__(".text\nnoise:\n.set state, 12345\n.rept 65536\n"
        ".set state, (state * 1103515245 + 12345) & 0x7fffffff\n.byte (state >> 16) & 255\n.endr\n");

static void run(const char *at, uint64_t a, uint64_t b)
{
	__asm__ volatile("mov %%rax, %%rcx; mov %%rbx, %%rdx; mov %%rax, %%rsi; mov %%rbx, %%rdi\ncall *%2"
	                 : "+a"(a), "+b"(b)
	                 : "r"(at)
	                 : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "memory");
}

int main(int argc, char **argv)
{
	sandbox_only();
	catch_faults();
	volatile unsigned seed = 1 + (argc > 1 ? strtoul(argv[1], NULL, 0) * 99991 : 0);
	struct itimerval every = {{0, 2000}, {0, 2000}}; // gets us out of loops
	for (volatile int i = 0; i < 2000; i++) {
		unsigned s = seed;
		uint64_t a = KERNEL + random32(&s) % 65536, b = random32(&s);
		const char *at = noise + random32(&s) % 65536;
		seed = s;
		setitimer(ITIMER_REAL, &every, NULL);
		(void)SURVIVES(run(at, a, b));
	}
	return 0;
}
