#include "textflag.h"

// The supervisor of one filtered thread. It is a thread that Go's runtime does
// not know: it has no stack, blocks all signals, and executes nothing but what
// is below. thread_linux_amd64.go says why.
//
// Offsets into the arena, which R12 points to (struct arena):
#define arena_tid 0
#define arena_fd 4
#define arena_poll 8
#define arena_revents 14
#define arena_count 16
#define arena_response 32
#define arena_notif 64
#define arena_data 80
#define arena_log 192

#define SYS_poll 7
#define SYS_rt_sigprocmask 14
#define SYS_ioctl 16
#define SYS_clone 56
#define SYS_exit 60
#define SYS_futex 202

#define NOTIF_RECV 0xc0502100
#define NOTIF_SEND 0xc0182101
#define EPERM 1

// CLONE_VM|FS|FILES|SIGHAND|THREAD|SYSVSEM|PARENT_SETTID|CHILD_CLEARTID: a thread
// of this process, whose arena_tid becomes 0 when it has ended.
#define CLONE_FLAGS 0x350f00

// func startSupervisor(a *arena) (errno int32)
TEXT ·startSupervisor(SB), NOSPLIT, $16-12
	MOVQ a+0(FP), R12
	// All signals stay blocked in the new thread.
	MOVQ $-1, AX
	MOVQ AX, 0(SP)
	MOVL $2, DI // SIG_SETMASK
	LEAQ 0(SP), SI
	LEAQ 8(SP), DX
	MOVL $8, R10
	MOVL $SYS_rt_sigprocmask, AX
	SYSCALL
	MOVL $CLONE_FLAGS, DI
	XORL SI, SI // its stack pointer is copied, and never used
	LEAQ arena_tid(R12), DX
	LEAQ arena_tid(R12), R10
	XORL R8, R8
	MOVL $SYS_clone, AX
	SYSCALL
	TESTQ AX, AX
	JEQ  child
	MOVQ AX, R13
	MOVL $2, DI
	LEAQ 8(SP), SI
	XORL DX, DX
	MOVL $8, R10
	MOVL $SYS_rt_sigprocmask, AX
	SYSCALL
	XORL AX, AX
	TESTQ R13, R13
	JGT  started
	MOVL R13, AX
	NEGL AX
started:
	MOVL AX, errno+8(FP)
	RET

child:
	// Until the filter's descriptor is known. -1: not yet. -2: never.
	MOVL arena_fd(R12), R13
	CMPL R13, $-1
	JNE  known
	LEAQ arena_fd(R12), DI
	MOVL $0, SI // FUTEX_WAIT
	MOVL $-1, DX
	XORL R10, R10
	MOVL $SYS_futex, AX
	SYSCALL
	JMP  child
known:
	TESTL R13, R13
	JLT  end
	MOVL R13, arena_poll(R12)
	MOVL $1, (arena_poll+4)(R12) // POLLIN
next:
	LEAQ arena_poll(R12), DI
	MOVL $1, SI
	MOVL $-1, DX
	MOVL $SYS_poll, AX
	SYSCALL
	CMPQ AX, $-4 // EINTR: the process was stopped and continued
	JEQ  next
	TESTQ AX, AX
	JLT  end
	MOVWLZX arena_revents(R12), AX
	TESTL $1, AX
	JEQ  end // the thread has ended
	// "The structure must be zeroed out before the call", seccomp_unotify(2).
	LEAQ arena_notif(R12), DI
	XORL AX, AX
	MOVL $10, CX
	CLD
	REP
	STOSQ
	MOVL R13, DI
	MOVL $NOTIF_RECV, SI
	LEAQ arena_notif(R12), DX
	MOVL $SYS_ioctl, AX
	SYSCALL
	TESTQ AX, AX
	JNE  next // a signal has taken the call back; it will be made again
	MOVL arena_count(R12), AX
	ANDL $15, AX
	SHLL $6, AX
	LEAQ arena_log(R12)(AX*1), DI
	LEAQ arena_data(R12), SI
	MOVL $8, CX
	REP
	MOVSQ
	MOVQ arena_notif(R12), AX
	MOVQ AX, arena_response(R12)
	MOVQ $0, (arena_response+8)(R12)
	MOVL $-EPERM, (arena_response+16)(R12)
	MOVL $0, (arena_response+20)(R12)
	// Counted before it is answered: who goes on after the answer sees it.
	LOCK
	INCL arena_count(R12)
	MOVL R13, DI
	MOVL $NOTIF_SEND, SI
	LEAQ arena_response(R12), DX
	MOVL $SYS_ioctl, AX
	SYSCALL
	JMP  next
end:
	XORL DI, DI
	MOVL $SYS_exit, AX
	SYSCALL
	INT $3
