/*
 * What is special about a program in C: threads that are made by its library,
 * ends that its library and its compiler make of a mistake, and no runtime that
 * makes something else of a fault.
 */
#include "guest.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	THREADS = 100
};

/* ---- Threads. */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t sum;

static void *add(void *number)
{
	nanosleep(&(struct timespec){0, 1000000}, NULL);
	pthread_mutex_lock(&lock);
	sum += (int64_t)(intptr_t)number;
	pthread_mutex_unlock(&lock);
	return NULL;
}

/* The sum of what as many threads were given. */
static void threads(struct airlock_call *call)
{
	pthread_t list[THREADS];

	sum = 0;
	for (intptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&list[i], NULL, add, (void *)i) != 0)
			airlock_abort("pthread_create failed");
	for (int i = 0; i < THREADS; i++)
		pthread_join(list[i], NULL);
	airlock_return_int64(call, sum);
}

/* Runs fn on a thread while the call waits for it. */
static void on_thread(void *(*fn)(void *))
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, fn, NULL) != 0)
		airlock_abort("pthread_create failed");
	pthread_join(thread, NULL);
}

static __attribute__((noinline)) int dig(volatile int *up)
{
	volatile int frame[64];

	frame[0] = *up + 1;
	return frame[0] < 0 ? 0 : dig(frame) + frame[0];
}

static void *overflow(void *zero) { return dig(&(volatile int){0}) == 0 ? zero : NULL; }

/* The guard page below the stack of a thread. */
static void thread_stack(struct airlock_call *call)
{
	(void)call;
	on_thread(overflow);
}

static void *abort_here(void *unused)
{
	(void)unused;
	airlock_abort("of another thread");
}

/* An end that another thread than the call's asks for. */
static void thread_abort(struct airlock_call *call)
{
	(void)call;
	on_thread(abort_here);
}

/* The program lives on without its first thread, with nobody to answer; when the last one is gone, it ends. */
static void thread_exit(struct airlock_call *call)
{
	(void)call;
	pthread_exit(NULL);
}

/* ---- What the library and the compiler make of mistakes: SIGABRT. */

static void double_free(struct airlock_call *call)
{
	void *volatile memory = malloc(100);
	void *volatile same = memory;

	(void)call;
	free(memory);
	free(same);
}

/* Writes over the canary between an array and the return address. */
static __attribute__((noinline)) void smash(volatile size_t size)
{
	char array[16];
	volatile char *byte = array;

	for (size_t i = 0; i < size; i++)
		byte[i] = 'x';
}

static void stack_smash(struct airlock_call *call)
{
	(void)call;
	smash(64);
}

/* malloc, which never says that there is no more: the kernel hands out memory when it is touched. */
static void heap(struct airlock_call *call)
{
	(void)call;
	for (;;) {
		void *volatile chunk = malloc(1 << 20);

		if (chunk == NULL)
			airlock_abort("malloc failed");
		memset(chunk, 1, 1 << 20);
	}
}

/* ---- Faults that the program handles itself: nobody else hears of them. */

static sigjmp_buf back;

static void handler(int signal) { siglongjmp(back, signal); }

static void handled(struct airlock_call *call)
{
	struct sigaction now = {.sa_handler = handler}, before;
	volatile int signals = 0;

	sigaction(SIGSEGV, &now, &before);
	for (volatile int i = 0; i < 3; i++)
		if (sigsetjmp(back, 1) == 0)
			*(volatile char *)0x123456789000 = 1;
		else
			signals++;
	sigaction(SIGSEGV, &before, NULL);
	airlock_return_int32(call, signals);
}

/* ---- Calls of host functions that the program has not declared, or not so. */

static void host_unknown(struct airlock_call *call)
{
	static const struct airlock_import unknown = {"Unknown", AIRLOCK_VOID, {0}};

	airlock_return_string(call, failure(&unknown, NULL));
}

static void host_wrong_type(struct airlock_call *call)
{
	static const struct airlock_import wrong = {"Double", AIRLOCK_INT32, {AIRLOCK_INT64}};
	const struct airlock_value value = airlock_value_int64(21);

	airlock_return_string(call, failure(&wrong, &value));
}

static void host_wrong_count(struct airlock_call *call)
{
	static const struct airlock_import wrong = {"Double", AIRLOCK_INT32, {AIRLOCK_INT32, AIRLOCK_INT32}};
	const struct airlock_value values[] = {airlock_value_int32(21), airlock_value_int32(21)};

	airlock_return_string(call, failure(&wrong, values));
}

/* ---- What C shows of values. */

/* The bits of a float: no conversion has touched them. */
static void float_bits(struct airlock_call *call)
{
	float v = airlock_argument_float32(call, 0);
	uint32_t bits;

	memcpy(&bits, &v, sizeof(bits));
	airlock_return_uint32(call, bits);
}

/* An argument is read as another type than the one that is declared: the SDK ends the program. */
static void wrong_type(struct airlock_call *call) { airlock_return_int32(call, airlock_argument_int32(call, 0)); }

/* A result is promised, and none is there. */
static void no_result(struct airlock_call *call) { (void)call; }

/* Before a snapshot: fails if it was told to. */
static bool refusing;

static void snapshot(struct airlock_call *call)
{
	if (refusing)
		airlock_return_error(call, "not now");
}

static void refuse_snapshots(struct airlock_call *call) { refusing = airlock_argument_bool(call, 0); }

static const struct airlock_function functions[] = {
	{"CThreads", AIRLOCK_INT64, {0}, threads},
	{"CThreadStack", AIRLOCK_VOID, {0}, thread_stack},
	{"CThreadAbort", AIRLOCK_VOID, {0}, thread_abort},
	{"CThreadExit", AIRLOCK_VOID, {0}, thread_exit},
	{"CDoubleFree", AIRLOCK_VOID, {0}, double_free},
	{"CStackSmash", AIRLOCK_VOID, {0}, stack_smash},
	{"CHeap", AIRLOCK_VOID, {0}, heap},
	{"CHandled", AIRLOCK_INT32, {0}, handled},
	{"CHostUnknown", AIRLOCK_STRING, {0}, host_unknown},
	{"CHostWrongType", AIRLOCK_STRING, {0}, host_wrong_type},
	{"CHostWrongCount", AIRLOCK_STRING, {0}, host_wrong_count},
	{"CFloat32Bits", AIRLOCK_UINT32, {AIRLOCK_FLOAT32}, float_bits},
	{"CWrongType", AIRLOCK_INT32, {AIRLOCK_STRING}, wrong_type},
	{"CNoResult", AIRLOCK_STRING, {0}, no_result},
	{"CRefuseSnapshots", AIRLOCK_VOID, {AIRLOCK_BOOL}, refuse_snapshots},
	{AIRLOCK_SNAPSHOT, AIRLOCK_VOID, {0}, snapshot},
};

const struct exports language_exports = {functions, AIRLOCK_COUNT(functions)};
