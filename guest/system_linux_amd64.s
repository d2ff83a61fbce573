#include "textflag.h"

// func out(port uint16)
TEXT ·out(SB), NOSPLIT, $0-2
	MOVWLZX port+0(FP), DX
	XORL    AX, AX
	BYTE    $0xef              // OUT DX, EAX
	RET
