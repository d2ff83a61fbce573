// What Go's compiler does not let a program do.

#include "textflag.h"

// func divide()
TEXT ·divide(SB), NOSPLIT, $0-0
	XORL CX, CX
	XORL DX, DX
	MOVL $1, AX
	DIVL CX
	RET

// func opcode()
TEXT ·opcode(SB), NOSPLIT, $0-0
	UD2
	RET

// func privileged()
TEXT ·privileged(SB), NOSPLIT, $0-0
	HLT
	RET

// func out(port uint32)
TEXT ·out(SB), NOSPLIT, $0-4
	MOVL port+0(FP), DX
	XORL AX, AX
	BYTE $0xef // OUT DX, EAX
	RET

// func load(address uintptr)
TEXT ·load(SB), NOSPLIT, $0-8
	MOVQ address+0(FP), AX
	MOVB (AX), AX
	RET

// func store(address uintptr)
TEXT ·store(SB), NOSPLIT, $0-8
	MOVQ address+0(FP), AX
	MOVB $1, (AX)
	RET

// func jump(address uintptr)
TEXT ·jump(SB), NOSPLIT, $0-8
	MOVQ address+0(FP), AX
	JMP  AX

// A function that calls itself without end. The call is written as bytes, for
// the linker refuses one that it sees.
// func recurse(stack uintptr)
TEXT ·recurse(SB), NOSPLIT, $0-8
	MOVQ stack+0(FP), AX
	MOVQ AX, SP
	BYTE $0xe8; LONG $0xfffffffb // CALL to itself
	RET

// A function whose frame is larger than the stack.
// func frame(stack uintptr)
TEXT ·frame(SB), NOSPLIT, $0-8
	MOVQ stack+0(FP), AX
	MOVQ AX, SP
	SUBQ $0x100000, AX
	MOVQ AX, SP
	MOVQ $1, 0(SP)
	RET
