// Leaves a secret wherever there is room for one, and looks for it when it is called again. The
// tests restore its sandbox in between, or give it to somebody else; "arm" is how they begin.
// call: Attack
// want: result not armed
#include "secrets.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/time.h>

enum { words = 6, clean = 0x0101 };

static struct {
	int file, descriptors;
	void *end;
	uint8_t message[4096];
	size_t length;
} before;
static uint64_t data[4096] = {1}, zeros[65536];
static volatile int alive;

static void fill(void *at, size_t size, uint64_t secret)
{
	for (size_t i = 0; i + 8 <= size; i += 8) {
		memcpy((char *)at + i, &secret, 8);
	}
}

static int open_descriptors(void)
{
	int n = 0;
	for (int fd = 0; fd < 64; fd++) {
		n += fcntl(fd, F_GETFD) >= 0;
	}
	return n;
}

static void *stay_alive(void *secret)
{
	uint64_t local[512];
	fill(local, sizeof local, (uint64_t)secret);
	for (;;) {
		alive++;
		__asm__ volatile("" ::"r"(local) : "memory");
	}
	return secret;
}

static void plant_memory(uint64_t secret)
{
	char *at;
	fill(data, sizeof data, secret);
	fill(zeros, sizeof zeros, secret);
	fill(__builtin_alloca(65536), 65536, secret);
	for (size_t size = 16; size < 1 << 20; size *= 2) {
		fill(at = malloc(size), size, secret);
		if (size % 3) {
			free(at);
		}
	}
	fill(sbrk(65536), 65536, secret);
	for (int i = 0; i < 2; i++) { // pages that go back to the pool, and such that stay
		at = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		fill(at, 1 << 20, secret);
		if (i == 0) {
			munmap(at, 1 << 20);
		}
	}
	fill((void *)(AIRLOCK_PHYSMAP + CONTROL->boot.pool_end - 4096), 4096, secret);
}

static void plant_kernel(uint64_t secret)
{
	uint64_t block[512], events = secret & 0x7fffffffffffffff;
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = secret};
	int ends[2], set = epoll_create1(0), counter = eventfd(0, EFD_NONBLOCK);
	pthread_t thread;
	fill(block, sizeof block, secret);
	write(1, block, sizeof block);
	write(2, block, 64);
	if (pipe(ends) == 0) {
		write(ends[1], block, sizeof block);
		epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event);
	}
	write(counter, &events, 8);
	lseek(before.file, 77, SEEK_SET);
	read(before.file, block, 16);
	prctl(PR_SET_NAME, &secret);
	syscall(SYS_set_robust_list, secret, 24);
	syscall(9999, secret, secret, secret, secret, secret, secret);
	pthread_create(&thread, NULL, stay_alive, (void *)secret);
	while (!alive) {
		sched_yield();
	}
	(void)SURVIVES(__asm__ volatile("mov %0, %%r8; mov %0, %%r9; mov %0, %%r10; ud2" ::"r"(secret) : "r8", "r9", "r10"));
}

static void plant_signals(uint64_t secret)
{
	struct itimerval soon = {{1000, 0}, {1000, 0}};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1, .sigev_value.sival_ptr = (void *)secret};
	struct itimerspec spec = {{1000, 0}, {1000, 0}};
	timer_t timer;
	sigset_t all;
	sigfillset(&all);
	sigdelset(&all, SIGILL); // plant_kernel needs it
	sigprocmask(SIG_BLOCK, &all, NULL); // for its thread too
	sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_ptr = (void *)secret});
	setitimer(ITIMER_REAL, &soon, NULL);
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &spec, NULL);
}

static void plant_messages(uint64_t secret)
{
	char text[128], back[256];
	struct airlock_value argument = airlock_value_bytes(airlock_bytes_of(data, 4096)), result;
	static char large[8192];
	snprintf(text, sizeof text, "%016lx", secret);
	echo(text);
	airlock_call_host(&bytes_import, &argument, &result, large, sizeof large);
	airlock_log(AIRLOCK_LOG_INFO, "secrets", text);
	memcpy(back, text, 16);
}

// look_kernel names what of the kernel's state is not as it was when the guest was armed.
static void look_kernel(char *report)
{
	sigset_t mask, pending;
	struct sigaction action;
	struct itimerval timer;
	struct itimerspec spec;
	stack_t stack;
	char name[16] = "";
	int was = alive;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	sigpending(&pending);
	sigaction(SIGSEGV, NULL, &action);
	sigaltstack(NULL, &stack);
	getitimer(ITIMER_REAL, &timer);
	prctl(PR_GET_NAME, name);
	sched_yield();
	sprintf(report, "%s%s%s%s%s%s%s%s%s%s%s", sigismember(&mask, SIGUSR1) ? " mask" : "",
	        sigismember(&pending, SIGRTMIN) ? " pending" : "", action.sa_handler != SIG_DFL ? " handler" : "",
	        stack.ss_flags != SS_DISABLE ? " altstack" : "", timer.it_value.tv_sec ? " itimer" : "",
	        syscall(SYS_timer_gettime, 0, &spec) == 0 ? " timer" : "", open_descriptors() != before.descriptors ? " descriptors" : "",
	        lseek(before.file, 0, SEEK_CUR) ? " offset" : "", sbrk(0) != before.end ? " brk" : "", alive || was ? " thread" : "",
	        name[0] & 0x80 ? " name" : "");
}

// look_memory counts where one of the words is in physical memory. They are known to it behind a
// mask only, or it would find itself.
static size_t look_memory(const uint64_t *masked)
{
	const uint64_t mask = 0x5555aaaa3333cccc;
	size_t n = 0, size = CONTROL->boot.memory_size;
	for (size_t page = 0; page < size; page += 4096) {
		const char *at = (const char *)AIRLOCK_PHYSMAP + page;
		uint64_t any = 0;
		for (int i = 0; i < 4096; i += 8) {
			any |= *(const volatile uint64_t *)(at + i);
		}
		for (int i = 0; any && i <= 4096 - 8; i++) {
			uint64_t word;
			memcpy(&word, at + i, 8);
			word ^= mask;
			__asm__ volatile("" : "+r"(word));
			for (int k = 0; k < words; k++) {
				n += word == masked[k];
			}
		}
	}
	return n;
}

// look writes what there is of the secret, the kernel's clock and its random numbers.
static const char *look(const char *how)
{
	static char report[1024];
	char registers[256], kernel[256];
	uint64_t masked[words], random[2];
	struct timespec now;
	differences(registers);
	for (int k = 0; k < words; k++) {
		sscanf(how + 5 + 17 * k, "%16lx", &masked[k]);
	}
	size_t n = look_memory(masked);
	look_kernel(kernel);
	syscall(SYS_getrandom, random, sizeof random, 0);
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(report, sizeof report, "%ld%09ld %016lx%016lx %zu%s%s", now.tv_sec, now.tv_nsec, random[0], random[1], n, registers, kernel);
	return report;
}

// next asks for a call and returns the text that it says in its argument.
static const char *next(void)
{
	struct airlock_info info = message_info();
	memcpy((void *)info.output, before.message, before.length);
	CONTROL->message.length = before.length;
	exchange();
	char *at = memmem((void *)info.input, info.input_size, "LOOK ", 5);
	return at ? at : memmem((void *)info.input, info.input_size, "LEAVE ", 6);
}

static const char *attack(struct airlock_call *call, const char *how)
{
	(void)call;
	if (!is(how, "arm")) {
		return "not armed";
	}
	for (unsigned byte; sscanf(how + 4 + 2 * before.length, "%2x", &byte) == 1;) {
		before.message[before.length++] = (uint8_t)byte;
	}
	before.file = open("/proc/cpuinfo", O_RDONLY);
	before.descriptors = open_descriptors();
	before.end = sbrk(0);
	load_with(clean, 0);
	const char *said = next();
	while (said && is(said, "LEAVE")) {
		uint64_t secret = strtoull(said + 6, NULL, 16);
		catch_faults(); // handlers stay behind too, and a stack for them
		plant_memory(secret);
		plant_messages(secret);
		plant_signals(secret);
		plant_kernel(secret);
		load_with(secret, 1);
		said = next();
		load_with(clean, 0);
	}
	return said ? look(said) : "what?";
}
