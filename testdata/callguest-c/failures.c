/* The ways to end badly that a program in any language has. */
#include "guest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

static void end_abort(struct airlock_call *call) { airlock_abort(airlock_argument_string(call, 0).data); }
static void end_exit(struct airlock_call *call) { exit((int)airlock_argument_int64(call, 0)); }

static void end_signal(struct airlock_call *call)
{
	(void)call;
	abort();
}

/* ---- Instructions. Compilers know that some of them are mistakes: written in C they would do anything. */

#define INSTRUCTION(name, ...)                                                                                         \
	static void end_##name(struct airlock_call *call)                                                              \
	{                                                                                                              \
		(void)call;                                                                                            \
		__asm__ volatile(__VA_ARGS__ : "memory");                                                              \
	}

INSTRUCTION(divide, "div %%ecx" ::"a"(1), "c"(0), "d"(0))
INSTRUCTION(opcode, "ud2" ::)
INSTRUCTION(privileged, "hlt" ::)
INSTRUCTION(port, "out %%eax, %%dx" ::"a"(0), "d"(0x3f8))
INSTRUCTION(read_null, "movb (%0), %%al" ::"r"(0L))
INSTRUCTION(read_unmapped, "movb (%0), %%al" ::"r"(0x123456789000))
INSTRUCTION(read_last_page, "movb (%0), %%al" ::"r"(0x7ffffffff000))
INSTRUCTION(read_upper_half, "movb (%0), %%al" ::"r"(0xfffffffffffff000))
INSTRUCTION(write_code, "movb $1, (%0)" ::"r"(end_divide))

static void end_execute_data(struct airlock_call *call)
{
	static char code[] = {(char)0xc3}; /* RET */

	(void)call;
	__asm__ volatile("call *%0" ::"r"(code) : "memory");
}

/* ---- Stacks. */

static __attribute__((noinline)) int dig(volatile int *up)
{
	volatile int frame[64];

	frame[0] = *up + 1;
	return frame[0] < 0 ? 0 : dig(frame) + frame[0];
}

static void end_recursion(struct airlock_call *call)
{
	volatile int zero = 0;

	(void)call;
	dig(&zero);
}

/* A frame that is larger than the stack. */
static __attribute__((noinline)) int jump_over(size_t size)
{
	volatile char *frame = __builtin_alloca(size);

	frame[0] = 1;
	return frame[0];
}

static void end_frame(struct airlock_call *call)
{
	volatile size_t size = 1UL << 30;

	(void)call;
	jump_over(size);
}

/* ---- Memory. */

enum {
	PAGE = 4096,
	CHUNK = 1 << 20,
	KEEP = 512 << 10
};

/* Uses up memory until not more than rest bytes are left. */
static void eat(uint64_t rest)
{
	for (;;) {
		volatile char *chunk = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (chunk == MAP_FAILED)
			airlock_abort(strerror(errno));
		for (size_t offset = 0; offset < CHUNK; offset += PAGE) {
			struct sysinfo info;

			if (rest > 0 && (sysinfo(&info) != 0 || info.freeram * info.mem_unit <= rest))
				return;
			chunk[offset] = 1;
		}
	}
}

static void end_memory(struct airlock_call *call)
{
	(void)call;
	eat(0);
}

/* With next to no memory left the end must still be told. */
static void end_abort_full(struct airlock_call *call)
{
	(void)call;
	eat(KEEP);
	airlock_abort("no memory left");
}

static const struct airlock_function functions[] = {
	{"Abort", AIRLOCK_VOID, {AIRLOCK_STRING}, end_abort},
	{"Exit", AIRLOCK_VOID, {AIRLOCK_INT64}, end_exit},
	{"Signal", AIRLOCK_VOID, {0}, end_signal},
	{"Divide", AIRLOCK_VOID, {0}, end_divide},
	{"Opcode", AIRLOCK_VOID, {0}, end_opcode},
	{"Privileged", AIRLOCK_VOID, {0}, end_privileged},
	{"Port", AIRLOCK_VOID, {0}, end_port},
	{"ReadNull", AIRLOCK_VOID, {0}, end_read_null},
	{"ReadUnmapped", AIRLOCK_VOID, {0}, end_read_unmapped},
	{"ReadLastPage", AIRLOCK_VOID, {0}, end_read_last_page},
	{"ReadUpperHalf", AIRLOCK_VOID, {0}, end_read_upper_half},
	{"WriteCode", AIRLOCK_VOID, {0}, end_write_code},
	{"ExecuteData", AIRLOCK_VOID, {0}, end_execute_data},
	{"StackRecursion", AIRLOCK_VOID, {0}, end_recursion},
	{"StackFrame", AIRLOCK_VOID, {0}, end_frame},
	{"Memory", AIRLOCK_VOID, {0}, end_memory},
	{"AbortFull", AIRLOCK_VOID, {0}, end_abort_full},
};

const struct exports failure_exports = {functions, AIRLOCK_COUNT(functions)};
