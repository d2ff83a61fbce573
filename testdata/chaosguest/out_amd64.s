#include "textflag.h"

// func out32(port uint16, value uint32)
TEXT ·out32(SB), NOSPLIT, $0-8
	MOVWLZX port+0(FP), DX
	MOVL value+4(FP), AX
	BYTE $0xef // OUT DX, EAX
	RET

// func out16(port uint16, value uint32)
TEXT ·out16(SB), NOSPLIT, $0-8
	MOVWLZX port+0(FP), DX
	MOVL value+4(FP), AX
	BYTE $0x66 // operand size
	BYTE $0xef // OUT DX, AX
	RET

// func out8(port uint16, value uint32)
TEXT ·out8(SB), NOSPLIT, $0-8
	MOVWLZX port+0(FP), DX
	MOVL value+4(FP), AX
	BYTE $0xee // OUT DX, AL
	RET
