// Stack overflow in the main thread and in other threads is caught on the alternate stack.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>

enum { alt_size = 32768 };
static __thread sigjmp_buf back;
static __thread char *alt, *deepest;

static void handler(int sig, siginfo_t *info, void *context)
{
	char here;
	stack_t now;
	(void)context;
	CHECK_EQ(sig, SIGSEGV);
	CHECK(&here > alt && &here < alt + alt_size);
	CHECK(sigaltstack(NULL, &now) == 0 && now.ss_flags == SS_ONSTACK);
	CHECK(now.ss_sp == alt && now.ss_size == alt_size);
	now.ss_flags = 0;
	CHECK_ERR(sigaltstack(&now, NULL), EPERM);
	CHECK(info->si_code == SEGV_MAPERR || info->si_code == SEGV_ACCERR);
	CHECK(llabs((char *)info->si_addr - deepest) < 3 * 4096);
	siglongjmp(back, 1);
}

static __attribute__((noinline)) int dig(int depth)
{
	volatile char frame[1024];
	frame[0] = depth;
	deepest = (char *)frame;
	return depth < 0 ? 0 : dig(depth + 1) + frame[0];
}

static void *overflow(void *arg)
{
	stack_t ss = {.ss_sp = malloc(alt_size), .ss_size = alt_size}, old;
	alt = ss.ss_sp;
	CHECK(alt != NULL);
	CHECK(sigaltstack(NULL, &old) == 0 && old.ss_flags == SS_DISABLE);
	CHECK_EQ(sigaltstack(&ss, NULL), 0);
	for (volatile int i = 0; i < 10; i++) {
		if (sigsetjmp(back, 1) == 0) {
			dig(1);
			CHECK(!"the stack has no end");
		}
		CHECK(sigaltstack(NULL, &old) == 0 && old.ss_flags == 0);
	}
	ss.ss_size = 100;
	CHECK_ERR(sigaltstack(&ss, NULL), ENOMEM);
	ss.ss_size = alt_size;
	ss.ss_flags = 0x1234;
	CHECK_ERR(sigaltstack(&ss, NULL), EINVAL);
	ss.ss_flags = SS_DISABLE;
	CHECK_EQ(sigaltstack(&ss, NULL), 0);
	free(alt);
	return arg;
}

int main(void)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	CHECK_EQ(sigaction(SIGSEGV, &sa, NULL), 0);
	overflow(NULL);
	pthread_t t[4];
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	CHECK_EQ(pthread_attr_setstacksize(&attr, 128 << 10), 0);
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(pthread_create(&t[i], &attr, overflow, NULL), 0);
	}
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	}
	return success();
}
