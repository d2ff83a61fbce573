#include "signal_fake_frame.h"

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

int main(void)
{
	fake_memory();
	test_return();
	test_return_sanitises();
	test_return_without_note();
	test_return_bad();
	fake_reset();
	fake_thread_end(current);
	CHECK_EQUAL(slab_objects, 0);
	return 0;
}
