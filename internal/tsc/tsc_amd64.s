#include "textflag.h"

// func Read() uint64
//
// LFENCE keeps RDTSC from running ahead of the loads before it.
TEXT ·Read(SB), NOSPLIT, $0-8
	LFENCE
	RDTSC
	SHLQ $32, DX
	ORQ  DX, AX
	MOVQ AX, ret+0(FP)
	RET

// func Pause()
TEXT ·Pause(SB), NOSPLIT, $0-0
	PAUSE
	RET
