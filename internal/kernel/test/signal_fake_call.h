/* A thread that makes system calls, with memory for what it passes and gets. */
#ifndef SIGNAL_FAKE_CALL_H
#define SIGNAL_FAKE_CALL_H

#include "signal_fake_kill.h"

#include <asm/errno.h>
#include <linux/time_types.h>

#include "signal/codes.h"
#include "signal/frame.h"
#include "signal/syscalls.h"
#include "sys/time.h"

#define HANDLER 0x401000ull
#define SYSCALL_RIP 0x404002ull /* behind the instruction */
#define STACK (MEMORY + 0x20000)
#define BUFFER (MEMORY + 0x8000) /* for arguments */
#define RESULT (MEMORY + 0x9000)
#define BAD 0x1000ull

static inline void start(void)
{
	fake_reset();
	memset((void *)BUFFER, 0, 0x2000);
	current->registers.rsp = STACK;
	current->registers.rip = current->registers.rcx = SYSCALL_RIP;
}

static inline u64 put(u64 value)
{
	*(u64 *)BUFFER = value;
	return BUFFER;
}

static inline u64 got(void) { return *(u64 *)RESULT; }

static inline struct siginfo *got_info(void) { return (struct siginfo *)RESULT; }

static inline void on(u32 number, u64 handler, u64 flags)
{
	*signal_action(number) = (struct kernel_sigaction){
		.handler = handler,
		.flags = flags | SA_RESTORER,
		.restorer = 0x403000,
	};
}

/* As sched/sched.c does when a call has ended. */
static inline void end_call(u32 number, i64 result)
{
	current->call.number = number;
	current->registers.rax = (u64)result;
	signal_deliver();
}

static inline const struct signal_frame *frame(void) { return (const struct signal_frame *)current->registers.rsp; }

#endif
