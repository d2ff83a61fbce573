/*
 * The first thread and its stack (System V ABI for AMD64, section 3.4.1,
 * "Initial Stack and Register State"). From the top down: the strings, the
 * random bytes, the auxiliary vector, environment, arguments, their count.
 */
#include "exec.h"

#include <linux/auxvec.h>

#include "airlock_abi.h"
#include "arch/fpu.h"
#include "arch/hypercall.h"
#include "arch/layout.h"
#include "arch/registers.h"
#include "file/proc.h"
#include "lib/string.h"
#include "mm/space.h"
#include "mm/user.h"
#include "sched/sched.h"
#include "sys/random.h"

#define AUXILIARY_LIMIT 24u
#define PLATFORM "x86_64"
#define HWCAP2_FSGSBASE 2u
#define CLOCK_TICKS 100u       /* per second, as sysconf(_SC_CLK_TCK) */
#define SIGNAL_FRAME_BASE 1024 /* a signal frame but for the extended state */

struct stack {
	u64 top; /* everything from here up is written */
};

static u64 push(struct stack *stack, const void *data, u64 size)
{
	stack->top -= size;
	if (copy_to_user(stack->top, data, size) < 0)
		panic("arguments don't fit the stack");
	return stack->top;
}

static void push_word(struct stack *stack, u64 word) { push(stack, &word, sizeof(word)); }

struct auxiliary {
	u64 type, value;
};

static u32 cpu_features(void)
{
	u32 eax = 1, ebx, ecx = 0, edx;

	__asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return edx;
}

/* getauxval(3) describes the entries. */
static u32 auxiliary_vector(struct auxiliary *vector, u64 random, u64 platform, u64 name)
{
	const struct airlock_boot *boot = &control_page()->boot;
	const struct auxiliary entries[] = {
		{AT_SYSINFO_EHDR, AIRLOCK_VDSO},
		{AT_MINSIGSTKSZ, SIGNAL_FRAME_BASE + extended_size},
		{AT_HWCAP, cpu_features()},
		{AT_PAGESZ, PAGE_SIZE},
		{AT_CLKTCK, CLOCK_TICKS},
		{AT_PHDR, boot->phdr_address},
		{AT_PHENT, boot->phdr_size},
		{AT_PHNUM, boot->phdr_count},
		{AT_BASE, 0},
		{AT_FLAGS, 0},
		{AT_ENTRY, boot->program_entry},
		{AT_UID, 0},
		{AT_EUID, 0},
		{AT_GID, 0},
		{AT_EGID, 0},
		{AT_SECURE, 0},
		{AT_RANDOM, random},
		{AT_HWCAP2, HWCAP2_FSGSBASE},
		{AT_EXECFN, name},
		{AT_PLATFORM, platform},
		{AT_NULL, 0},
	};

	_Static_assert(ARRAY_LENGTH(entries) <= AUXILIARY_LIMIT, "auxiliary vector");
	memcpy(vector, entries, sizeof(entries));
	return ARRAY_LENGTH(entries);
}

/* Pushes the addresses of count strings that stand one after another from *string, and a NULL; moves *string on. */
static void push_pointers(struct stack *stack, u64 *string, u32 count)
{
	u64 table = stack->top - (count + 1) * sizeof(u64);

	if (!user_writable(table, (count + 1) * sizeof(u64)))
		panic("arguments don't fit the stack");
	for (u32 i = 0; i < count; i++) {
		((u64 *)table)[i] = *string;
		*string += strlen((const char *)*string) + 1;
	}
	((u64 *)table)[count] = 0;
	stack->top = table;
}

/* Behind count strings that stand one after another. */
static u64 strings_end(u64 strings, u32 count)
{
	while (count-- > 0)
		strings += strlen((const char *)strings) + 1;
	return strings;
}

static u64 build_stack(void)
{
	const struct airlock_boot *boot = &control_page()->boot;
	struct auxiliary vector[AUXILIARY_LIMIT];
	struct stack stack = {.top = STACK_TOP};
	u64 strings, environment, platform, random, words;
	u8 bytes[16];
	u32 length;

	push_word(&stack, 0);
	strings = push(&stack, (const void *)(AIRLOCK_PHYSMAP + boot->input_gpa), boot->argument_bytes);
	proc_set_arguments(strings, strings_end(strings, boot->argument_count));
	platform = push(&stack, PLATFORM, sizeof(PLATFORM));
	kernel_random(bytes, sizeof(bytes));
	random = push(&stack, bytes, sizeof(bytes));
	length = auxiliary_vector(vector, random, platform, strings);

	/* RSP must be a multiple of 16 at the entry, so pad by what the words below leave over. */
	words = 2 * length + boot->environment_count + 1 + boot->argument_count + 1 + 1;
	stack.top &= ~15ull;
	if (words % 2 != 0)
		push_word(&stack, 0);
	push(&stack, vector, length * sizeof(vector[0]));

	/* Environment strings stand behind the arguments, their pointers above them. */
	environment = strings_end(strings, boot->argument_count);
	push_pointers(&stack, &environment, boot->environment_count);
	push_pointers(&stack, &strings, boot->argument_count);
	push_word(&stack, boot->argument_count);
	return stack.top;
}

void exec_program(void)
{
	struct thread *thread = thread_create(NULL);

	if (thread == NULL)
		panic("no memory for the first thread");
	current = thread;
	memcpy(thread->name, "guest", 6);
	thread->registers = (struct registers){
		.rip = control_page()->boot.program_entry,
		.cs = USER_CS,
		.ss = USER_SS,
		.rflags = RFLAGS_FIXED | RFLAGS_INTERRUPT | RFLAGS_IOPL,
		.rsp = build_stack(),
	};
	thread_start(thread);
	current = NULL;
}
