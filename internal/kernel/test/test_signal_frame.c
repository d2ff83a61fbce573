#include "signal_fake_kill.h"

#include "airlock_abi.h"
#include "signal/codes.h"
#include "signal/frame.h"
#include "signal/syscalls.h"

#define HANDLER 0x401000ull
#define SEGV_HANDLER 0x402000ull
#define RESTORER 0x403000ull
#define STACK (MEMORY + 0x20000)
#define ALTSTACK (MEMORY + 0x30000)
#define ALTSTACK_SIZE 0x4000ull

static void on(u32 number, u64 handler, u64 flags, u64 mask)
{
	*signal_action(number) = (struct kernel_sigaction){
		.handler = handler,
		.flags = flags | SA_RESTORER,
		.restorer = RESTORER,
		.mask = mask,
	};
}

/* A thread in the middle of its work, with a different value in each register. */
static void start(void)
{
	u64 *words;

	fake_reset();
	words = (u64 *)&current->registers;
	for (size_t i = 0; i < sizeof(current->registers) / 8; i++)
		words[i] = 0x1111111111111111ull * (i + 1);
	current->registers.rip = 0x404000;
	current->registers.cs = AIRLOCK_USER_CS;
	current->registers.ss = AIRLOCK_USER_SS;
	current->registers.rflags = RFLAGS_FIXED | RFLAGS_INTERRUPT | RFLAGS_IOPL | RFLAGS_CARRY | 0x400 | RFLAGS_TRAP;
	current->registers.rsp = STACK + 0x123;
	for (size_t i = 0; i < extended_size; i++)
		cpu_state[i] = (u8)(i * 7 + 3);
	memset(cpu_state + 512, 0, 64);
	cpu_state[512] = 4; /* AVX is in use, x87 and SSE are in their initial state */
	memset((void *)(MEMORY + MEMORY_GUARD), 0xaa, MEMORY_SIZE - MEMORY_GUARD);
	traced = 0;
}

static void send(u32 number)
{
	const struct siginfo info = {.number = (i32)number, .code = CODE_TKILL, .sender.pid = 2, .sender.value = 77};

	CHECK_EQUAL(signal_send_thread(current, &info), 0);
}

static struct signal_frame *frame(void) { return (struct signal_frame *)current->registers.rsp; }

static void check_saved(const struct signal_registers *saved, const struct registers *want)
{
	CHECK_EQUAL(saved->r8, want->r8);
	CHECK_EQUAL(saved->r9, want->r9);
	CHECK_EQUAL(saved->r10, want->r10);
	CHECK_EQUAL(saved->r11, want->r11);
	CHECK_EQUAL(saved->r12, want->r12);
	CHECK_EQUAL(saved->r13, want->r13);
	CHECK_EQUAL(saved->r14, want->r14);
	CHECK_EQUAL(saved->r15, want->r15);
	CHECK_EQUAL(saved->rdi, want->rdi);
	CHECK_EQUAL(saved->rsi, want->rsi);
	CHECK_EQUAL(saved->rbp, want->rbp);
	CHECK_EQUAL(saved->rbx, want->rbx);
	CHECK_EQUAL(saved->rdx, want->rdx);
	CHECK_EQUAL(saved->rax, want->rax);
	CHECK_EQUAL(saved->rcx, want->rcx);
	CHECK_EQUAL(saved->rsp, want->rsp);
	CHECK_EQUAL(saved->rip, want->rip);
	CHECK_EQUAL(saved->rflags, want->rflags);
	CHECK_EQUAL(saved->cs, AIRLOCK_USER_CS);
	CHECK_EQUAL(saved->ss, AIRLOCK_USER_SS);
	CHECK_EQUAL(saved->gs, 0);
	CHECK_EQUAL(saved->fs, 0);
}

/* rt_sigreturn as the restorer calls it: the handler's RET has taken the return address. */
static i64 handler_returns(void)
{
	current->registers.rsp += 8;
	return sys_rt_sigreturn((const u64[6]){0});
}

static void test_frame(void)
{
	struct registers before;
	struct extended_note note;
	u8 *area;
	u32 end;
	u64 present;

	start();
	on(SIGUSR1, HANDLER, SA_SIGINFO, signal_bit(SIGTERM));
	signal_set_blocked(current, signal_bit(SIGHUP));
	before = current->registers;
	send(SIGUSR1);
	signal_deliver();

	CHECK_EQUAL(current->registers.rip, HANDLER);
	CHECK_EQUAL(current->registers.rsp % 16, 8);
	CHECK_EQUAL(current->registers.rdi, SIGUSR1);
	CHECK_EQUAL(current->registers.rsi, (u64)&frame()->info);
	CHECK_EQUAL(current->registers.rdx, (u64)&frame()->context);
	CHECK_EQUAL(current->registers.rax, 0);
	CHECK_EQUAL(current->registers.rflags, RFLAGS_FIXED | RFLAGS_INTERRUPT | RFLAGS_IOPL | RFLAGS_CARRY);
	CHECK_EQUAL(current->signals_blocked, signal_bit(SIGHUP) | signal_bit(SIGTERM) | signal_bit(SIGUSR1));
	CHECK_EQUAL(traced, SIGUSR1);

	CHECK_EQUAL(frame()->return_address, RESTORER);
	CHECK_EQUAL(frame()->context.flags, 7);
	CHECK_EQUAL(frame()->context.link, 0);
	CHECK_EQUAL(frame()->context.stack.flags, SS_DISABLE);
	CHECK_EQUAL(frame()->context.mask, signal_bit(SIGHUP));
	CHECK_EQUAL(frame()->context.registers.old_mask, signal_bit(SIGHUP));
	CHECK_EQUAL(frame()->context.registers.trap, 0);
	check_saved(&frame()->context.registers, &before);
	CHECK_EQUAL(frame()->info.number, SIGUSR1);
	CHECK_EQUAL(frame()->info.sender.value, 77);

	area = (u8 *)frame()->context.registers.extended;
	CHECK_EQUAL((u64)area % 64, 0);
	CHECK((u64)area >= (u64)(frame() + 1));
	CHECK((u64)area + extended_size + 4 <= before.rsp - 128);
	for (size_t i = 0; i < 128; i++) /* the red zone, and what is above the stack pointer */
		CHECK_EQUAL(((u8 *)before.rsp)[(i64)i - 128], 0xaa);
	memcpy(&note, area + EXTENDED_NOTE, sizeof(note));
	memcpy(&end, area + extended_size, 4);
	memcpy(&present, area + 512, 8);
	CHECK_EQUAL(note.magic, 0x46505853);
	CHECK_EQUAL(note.extended_size, extended_size + 4);
	CHECK_EQUAL(note.xstate_size, extended_size);
	CHECK_EQUAL(note.features & 3, 3);
	CHECK_EQUAL(end, 0x46505845);
	CHECK_EQUAL(present, 7);
	CHECK_EQUAL(area[600], (u8)(600 * 7 + 3));
	CHECK_EQUAL(cpu_state[600], 0); /* the handler has fresh state */
	CHECK_EQUAL(cpu_state[25], 0x1f);
}

static void test_return(void)
{
	struct registers before;

	start();
	on(SIGUSR1, HANDLER, 0, 0);
	before = current->registers;
	send(SIGUSR1);
	signal_deliver();
	memset(&current->registers, 0x77, offsetof(struct registers, rip));
	sanitized = 0;
	CHECK_EQUAL(handler_returns(), CALL_RESUMED);
	CHECK(memcmp(&before, &current->registers, sizeof(before)) == 0);
	CHECK_EQUAL(current->signals_blocked, 0);
	CHECK_EQUAL(sanitized, 1);
	CHECK_EQUAL(cpu_state[600], (u8)(600 * 7 + 3));
	CHECK_EQUAL(cpu_state[160], (u8)(160 * 7 + 3));
	CHECK_EQUAL(cpu_state[512], 7);
}

/* What a program must not get by writing it into its frame. */
static void test_return_sanitises(void)
{
	struct signal_frame *made;

	start();
	on(SIGUSR1, HANDLER, 0, 0);
	send(SIGUSR1);
	signal_deliver();
	made = frame();
	made->context.registers.rflags = ~0ull;
	made->context.registers.cs = 0x10;
	made->context.registers.ss = 0;
	made->context.mask = ~0ull;
	((u8 *)made->context.registers.extended)[512] = 0xff;
	((u8 *)made->context.registers.extended)[520] = 0xff;
	CHECK_EQUAL(handler_returns(), CALL_RESUMED);
	CHECK_EQUAL(current->registers.rflags, RFLAGS_PROGRAM | RFLAGS_FIXED | RFLAGS_INTERRUPT | RFLAGS_IOPL);
	CHECK_EQUAL(current->registers.cs, AIRLOCK_USER_CS);
	CHECK_EQUAL(current->registers.ss, AIRLOCK_USER_SS);
	CHECK_EQUAL(current->signals_blocked, ~SIGNALS_ABSOLUTE);
	CHECK_EQUAL(cpu_state[520], 0);

	/* An interrupt flag that is missing comes back. */
	start();
	on(SIGUSR1, HANDLER, 0, 0);
	send(SIGUSR1);
	signal_deliver();
	frame()->context.registers.rflags = 0;
	CHECK_EQUAL(handler_returns(), CALL_RESUMED);
	CHECK_EQUAL(current->registers.rflags, RFLAGS_FIXED | RFLAGS_INTERRUPT | RFLAGS_IOPL);
}

static void test_return_without_note(void)
{
	static const u32 spoiled[] = {EXTENDED_NOTE, EXTENDED_NOTE + 16, 832};
	u8 *area;

	for (size_t i = 0; i < ARRAY_LENGTH(spoiled); i++) {
		start();
		on(SIGUSR1, HANDLER, 0, 0);
		send(SIGUSR1);
		signal_deliver();
		area = (u8 *)frame()->context.registers.extended;
		area[spoiled[i]] ^= 1;
		CHECK_EQUAL(handler_returns(), CALL_RESUMED);
		CHECK_EQUAL(cpu_state[512], 3);
		CHECK_EQUAL(cpu_state[160], (u8)(160 * 7 + 3));
		CHECK_EQUAL(cpu_state[600], 0);
	}

	/* No area at all: the initial state. */
	start();
	on(SIGUSR1, HANDLER, 0, 0);
	send(SIGUSR1);
	signal_deliver();
	cpu_state[160] = 9;
	frame()->context.registers.extended = 0;
	CHECK_EQUAL(handler_returns(), CALL_RESUMED);
	CHECK_EQUAL(cpu_state[160], 0);
}

static void check_bad_return(u64 bad)
{
	start();
	on(SIGUSR1, HANDLER, 0, 0);
	send(SIGUSR1);
	signal_deliver();
	frame()->context.registers.rip = bad;
	CHECK_KILLS(SIGSEGV, handler_returns());
	CHECK_EQUAL(killed_at.vector, VECTOR_PROTECTION);

	start();
	current->registers.rsp = bad;
	CHECK_KILLS(SIGSEGV, sys_rt_sigreturn((const u64[6]){0}));

	start();
	on(SIGUSR1, HANDLER, 0, 0);
	send(SIGUSR1);
	signal_deliver();
	frame()->context.registers.extended = bad;
	CHECK_KILLS(SIGSEGV, handler_returns());
	CHECK_EQUAL(killed_at.address, bad);
}

static void test_return_bad(void)
{
	static const u64 bad[] = {AIRLOCK_USER_END, AIRLOCK_PHYSMAP, 0x0000800000000000ull, 0x8000000000000000ull,
	                          ~0ull};

	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
		check_bad_return(bad[i]);

	/* A handler for SIGSEGV gets to see it. */
	start();
	on(SIGSEGV, SEGV_HANDLER, 0, 0);
	on(SIGUSR1, HANDLER, 0, 0);
	send(SIGUSR1);
	signal_deliver();
	frame()->context.registers.rip = ~0ull;
	CHECK_EQUAL(handler_returns(), CALL_RESUMED);
	CHECK_EQUAL(current->registers.rip, SEGV_HANDLER);
	CHECK_EQUAL(frame()->info.code, CODE_KERNEL);
}

static void test_altstack(void)
{
	const struct signal_altstack stack = {.base = ALTSTACK, .size = ALTSTACK_SIZE};
	u64 first;

	start();
	on(SIGUSR1, HANDLER, SA_ONSTACK | SA_NODEFER, 0);
	on(SIGUSR2, HANDLER, SA_NODEFER, 0);
	current->altstack = stack;
	send(SIGUSR1);
	signal_deliver();
	CHECK(current->registers.rsp > ALTSTACK && current->registers.rsp < ALTSTACK + ALTSTACK_SIZE);
	CHECK_EQUAL(frame()->context.stack.base, ALTSTACK);
	CHECK_EQUAL(frame()->context.stack.size, ALTSTACK_SIZE);
	CHECK_EQUAL(frame()->context.stack.flags, 0);

	/* Already on it: the next frame goes below. */
	first = current->registers.rsp;
	send(SIGUSR1);
	signal_deliver();
	CHECK(current->registers.rsp < first - 128 && current->registers.rsp > ALTSTACK);
	/* A handler without SA_ONSTACK stays where the thread is. */
	first = current->registers.rsp;
	send(SIGUSR2);
	signal_deliver();
	CHECK(current->registers.rsp < first - 128 && current->registers.rsp > ALTSTACK);

	/* It must not overflow, though the memory below could be written. */
	while (current->registers.rsp - ALTSTACK > 1600) {
		send(SIGUSR1);
		signal_deliver();
	}
	send(SIGUSR1);
	CHECK_KILLS(SIGSEGV, signal_deliver());

	start();
	on(SIGUSR1, HANDLER, SA_ONSTACK, 0);
	current->altstack = (struct signal_altstack){.base = ALTSTACK, .size = 512};
	send(SIGUSR1);
	CHECK_KILLS(SIGSEGV, signal_deliver());
}

static void test_autodisarm(void)
{
	start();
	on(SIGUSR1, HANDLER, SA_ONSTACK, 0);
	current->altstack = (struct signal_altstack){.base = ALTSTACK, .size = ALTSTACK_SIZE, .flags = SS_AUTODISARM};
	send(SIGUSR1);
	signal_deliver();
	CHECK(current->registers.rsp > ALTSTACK && current->registers.rsp < ALTSTACK + ALTSTACK_SIZE);
	CHECK_EQUAL(current->altstack.flags, SS_DISABLE);
	CHECK_EQUAL(current->altstack.size, 0);
	CHECK_EQUAL(frame()->context.stack.flags, SS_AUTODISARM);
	CHECK_EQUAL(handler_returns(), CALL_RESUMED);
	CHECK_EQUAL(current->altstack.flags, SS_AUTODISARM);
	CHECK_EQUAL(current->altstack.base, ALTSTACK);
	CHECK_EQUAL(current->altstack.size, ALTSTACK_SIZE);
}

static void test_flags(void)
{
	start();
	on(SIGUSR1, HANDLER, SA_NODEFER | SA_RESETHAND, 0);
	send(SIGUSR1);
	signal_deliver();
	CHECK_EQUAL(current->signals_blocked, 0);
	CHECK_EQUAL(signal_action(SIGUSR1)->handler, HANDLER_DEFAULT);
	send(SIGUSR1);
	CHECK_KILLS(SIGUSR1, signal_deliver());
	CHECK_EQUAL(killed_at.vector, 0xffffffff);

	/* The program must bring a restorer. */
	start();
	on(SIGUSR1, HANDLER, 0, 0);
	signal_action(SIGUSR1)->flags = 0;
	send(SIGUSR1);
	CHECK_KILLS(SIGSEGV, signal_deliver());

	/* A handler that is no address of the program. */
	start();
	on(SIGUSR1, 0xffff800000000000ull, 0, 0);
	send(SIGUSR1);
	CHECK_KILLS(SIGSEGV, signal_deliver());
	CHECK_EQUAL(killed_at.error_code, PAGE_FAULT_EXEC);

	/* Two at once: the frame of the second lies on that of the first, and the first to run is the second. */
	start();
	on(SIGUSR1, HANDLER, 0, 0);
	on(SIGUSR2, SEGV_HANDLER, 0, 0);
	send(SIGUSR2);
	send(SIGUSR1);
	signal_deliver();
	CHECK_EQUAL(current->registers.rip, SEGV_HANDLER);
	CHECK_EQUAL(frame()->context.registers.rip, HANDLER);
	CHECK_EQUAL(frame()->context.mask, signal_bit(SIGUSR1));
}

static void check_no_stack(u64 stack)
{
	const struct trap trap = {.vector = VECTOR_PAGE, .error_code = PAGE_FAULT_WRITE, .address = 0x1234};

	start();
	on(SIGUSR1, HANDLER, 0, 0);
	current->registers.rsp = stack;
	send(SIGUSR1);
	CHECK_KILLS(SIGSEGV, signal_deliver());
	CHECK_EQUAL(killed_at.vector, VECTOR_PAGE);

	/* A stack overflow is reported as the fault that it began with. */
	start();
	on(SIGSEGV, SEGV_HANDLER, 0, 0);
	current->registers.rsp = stack;
	CHECK_KILLS(SIGSEGV, signal_fault(&trap, true));
	CHECK_EQUAL(killed_at.address, 0x1234);

	/* With a stack of its own the handler of SIGSEGV runs. */
	start();
	on(SIGUSR1, HANDLER, 0, 0);
	on(SIGSEGV, SEGV_HANDLER, SA_ONSTACK, 0);
	current->altstack = (struct signal_altstack){.base = ALTSTACK, .size = ALTSTACK_SIZE};
	current->registers.rsp = stack;
	send(SIGUSR1);
	signal_deliver();
	CHECK_EQUAL(current->registers.rip, SEGV_HANDLER);
	CHECK_EQUAL(frame()->info.code, CODE_KERNEL);
	CHECK_EQUAL(frame()->context.registers.rsp, stack);
}

static void test_no_stack(void)
{
	static const u64 stacks[] = {
		0,    64, MEMORY + MEMORY_GUARD, MEMORY + MEMORY_GUARD + 1000, AIRLOCK_USER_END, 0x8000000000000000ull,
		~0ull};

	for (size_t i = 0; i < ARRAY_LENGTH(stacks); i++)
		check_no_stack(stacks[i]);
}

struct fault_case {
	u32 vector;
	bool mapped;
	u32 number;
	i32 code;
	u64 address;
};

static void check_fault(const struct fault_case *want)
{
	const struct trap trap = {
		.vector = want->vector,
		.error_code = 6,
		.address = want->vector == VECTOR_PAGE ? 0xdead000 : 0,
	};
	struct registers before;

	start();
	on(want->number, SEGV_HANDLER, 0, 0);
	before = current->registers;
	signal_fault(&trap, want->mapped);
	signal_deliver();
	CHECK_EQUAL(current->registers.rip, SEGV_HANDLER);
	CHECK_EQUAL(frame()->info.number, want->number);
	CHECK_EQUAL(frame()->info.code, want->code);
	CHECK_EQUAL(frame()->info.fault.address, want->address);
	CHECK_EQUAL(frame()->context.registers.trap, trap.vector);
	CHECK_EQUAL(frame()->context.registers.error_code, 6);
	CHECK_EQUAL(frame()->context.registers.fault_address, trap.address);
	check_saved(&frame()->context.registers, &before);

	/* Again in its own handler, where it is blocked. */
	CHECK_KILLS(want->number, signal_fault(&trap, want->mapped));
	CHECK_EQUAL(killed_at.vector, trap.vector);

	start();
	signal_action(want->number)->handler = HANDLER_IGNORE;
	CHECK_KILLS(want->number, signal_fault(&trap, want->mapped));
	start();
	CHECK_KILLS(want->number, signal_fault(&trap, want->mapped));
}

static void test_faults(void)
{
	static const struct fault_case cases[] = {
		{VECTOR_PAGE, false, SIGSEGV, CODE_NOT_MAPPED, 0xdead000},
		{VECTOR_PAGE, true, SIGSEGV, CODE_NOT_ALLOWED, 0xdead000},
		{VECTOR_DIVIDE, false, SIGFPE, CODE_INTEGER_DIVIDE, 0x404000},
		{VECTOR_OPCODE, false, SIGILL, CODE_ILLEGAL_OPERAND, 0x404000},
		{VECTOR_PROTECTION, false, SIGSEGV, CODE_KERNEL, 0},
		{VECTOR_STACK, false, SIGBUS, CODE_KERNEL, 0},
		{VECTOR_BREAKPOINT, false, SIGTRAP, CODE_KERNEL, 0},
		{VECTOR_DEBUG, false, SIGTRAP, CODE_TRACE, 0x404000},
		{VECTOR_ALIGNMENT, false, SIGBUS, CODE_ALIGNMENT, 0},
		{VECTOR_OVERFLOW, false, SIGSEGV, CODE_KERNEL, 0},
		{VECTOR_BOUND, false, SIGSEGV, CODE_KERNEL, 0},
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
		check_fault(&cases[i]);
}

static void test_float_faults(void)
{
	const struct trap x87 = {.vector = VECTOR_X87}, simd = {.vector = VECTOR_SIMD};
	const u32 divided = 0x1f80 & ~0x200u, initial = 0x1f80; /* division unmasked */
	const u32 raised = divided | 4;
	u16 unmasked = 0x37b, normal = 0x37f;

	start();
	on(SIGFPE, HANDLER, 0, 0);
	__asm__ volatile("ldmxcsr %0" : : "m"(raised));
	signal_fault(&simd, false);
	__asm__ volatile("ldmxcsr %0" : : "m"(initial));
	CHECK_EQUAL(frame()->info.code, CODE_FLOAT_DIVIDE);
	CHECK_EQUAL(frame()->info.fault.address, 0x404000);

	start();
	on(SIGFPE, HANDLER, 0, 0);
	__asm__ volatile("fninit; fld1; fldz; fdivrp; fldcw %0" : : "m"(unmasked)); /* 1/0, noted and then unmasked */
	signal_fault(&x87, false);
	__asm__ volatile("fnclex; fldcw %0; fninit" : : "m"(normal));
	CHECK_EQUAL(current->registers.rip, HANDLER);
	CHECK_EQUAL(frame()->info.code, CODE_FLOAT_DIVIDE);

	/* Nothing is raised: the program goes on. */
	start();
	__asm__ volatile("fninit");
	signal_fault(&x87, false);
	CHECK_EQUAL(current->registers.rip, 0x404000);
}

int main(void)
{
	fake_memory();
	test_frame();
	test_return();
	test_return_sanitises();
	test_return_without_note();
	test_return_bad();
	test_altstack();
	test_autodisarm();
	test_flags();
	test_no_stack();
	test_faults();
	test_float_faults();
	fake_reset();
	fake_thread_end(current);
	CHECK_EQUAL(slab_objects, 0);
	return 0;
}
