/* A thread that gets signals, for the tests of what it finds on its stack. */
#ifndef SIGNAL_FAKE_FRAME_H
#define SIGNAL_FAKE_FRAME_H

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

static inline void on(u32 number, u64 handler, u64 flags, u64 mask)
{
	*signal_action(number) = (struct kernel_sigaction){
		.handler = handler,
		.flags = flags | SA_RESTORER,
		.restorer = RESTORER,
		.mask = mask,
	};
}

/* A thread in the middle of its work, with a different value in each register. */
static inline void start(void)
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

static inline void send(u32 number)
{
	const struct siginfo info = {.number = (i32)number, .code = CODE_TKILL, .sender.pid = 2, .sender.value = 77};

	CHECK_EQUAL(signal_send_thread(current, &info), 0);
}

static inline struct signal_frame *frame(void) { return (struct signal_frame *)current->registers.rsp; }

static inline void check_saved(const struct signal_registers *saved, const struct registers *want)
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
static inline i64 handler_returns(void)
{
	current->registers.rsp += 8;
	return sys_rt_sigreturn((const u64[6]){0});
}

#endif
