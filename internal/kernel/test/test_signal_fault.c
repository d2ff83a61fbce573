#include "signal_fake_frame.h"

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
	test_faults();
	test_float_faults();
	fake_reset();
	fake_thread_end(current);
	CHECK_EQUAL(slab_objects, 0);
	return 0;
}
