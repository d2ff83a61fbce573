#include "textflag.h"

// func TSC() uint64
//
// LFENCE keeps RDTSC from running ahead of the loads before it.
TEXT ·TSC(SB), NOSPLIT, $0-8
	LFENCE
	RDTSC
	SHLQ $32, DX
	ORQ  DX, AX
	MOVQ AX, ret+0(FP)
	RET

// func hostCPUID(function, index uint32) (eax, ebx, ecx, edx uint32)
TEXT ·hostCPUID(SB), NOSPLIT, $0-24
	MOVL function+0(FP), AX
	MOVL index+4(FP), CX
	CPUID
	MOVL AX, eax+8(FP)
	MOVL BX, ebx+12(FP)
	MOVL CX, ecx+16(FP)
	MOVL DX, edx+20(FP)
	RET
