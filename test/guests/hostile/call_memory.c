// Takes all memory in a call, in one way after the other.
// call: Attack
// want: any
// run: any
// args: mmap
// args: brk
// args: threads
// args: stacks
// args: buffers
// args: kernel
#include "attack.h"
#include <pthread.h>
#include <sys/eventfd.h>

static void *use_stack(void *unused)
{
	volatile char frame[256 << 10];
	for (size_t i = 0; i < sizeof frame; i += 4096) {
		frame[i] = 1;
	}
	pause();
	return unused;
}

static void *wait_here(void *unused)
{
	pause();
	return unused;
}

static const char *attack(struct airlock_call *call, const char *how)
{
	struct airlock_info info = message_info();
	pthread_t thread;
	int ends[2];
	(void)call;
	for (;;) {
		if (is(how, "mmap")) {
			char *at = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			if (at == MAP_FAILED) {
				return "no more";
			}
			memset(at, 1, 1 << 20);
		} else if (is(how, "brk")) {
			char *at = sbrk(1 << 20);
			if (at == (void *)-1) {
				return "no more";
			}
			memset(at, 1, 1 << 20);
		} else if (is(how, "threads") || is(how, "stacks")) {
			if (pthread_create(&thread, NULL, is(how, "threads") ? wait_here : use_stack, NULL) != 0) {
				return "no more";
			}
		} else if (is(how, "buffers")) {
			if (pipe(ends) != 0) {
				return "no more";
			}
			for (int i = 0; i < 16; i++) {
				write(ends[1], (void *)info.input, 4096);
			}
		} else if (eventfd(0, 0) < 0 && timer_create(CLOCK_MONOTONIC, NULL, &(timer_t){0}) != 0) {
			return "no more";
		}
	}
}
