#include "signal_fake_frame.h"

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

int main(void)
{
	fake_memory();
	test_frame();
	test_altstack();
	test_autodisarm();
	test_flags();
	test_no_stack();
	fake_reset();
	fake_thread_end(current);
	CHECK_EQUAL(slab_objects, 0);
	return 0;
}
