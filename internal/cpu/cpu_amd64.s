#include "textflag.h"

// func Ticks() uint64
//
// LFENCE keeps RDTSC from running ahead of the loads before it.
TEXT ·Ticks(SB), NOSPLIT, $0-8
	LFENCE
	RDTSC
	SHLQ $32, DX
	ORQ  DX, AX
	MOVQ AX, ret+0(FP)
	RET

// func RoughTicks() uint64
TEXT ·RoughTicks(SB), NOSPLIT, $0-8
	RDTSC
	SHLQ $32, DX
	ORQ  DX, AX
	MOVQ AX, ret+0(FP)
	RET

// func Pause()
TEXT ·Pause(SB), NOSPLIT, $0-0
	PAUSE
	RET

// func Publish(word *uint32, v uint32)
//
// Stores are seen in the order of the program (Intel SDM volume 3, 9.2.2).
TEXT ·Publish(SB), NOSPLIT, $0-12
	MOVQ word+0(FP), AX
	MOVL v+8(FP), CX
	MOVL CX, (AX)
	RET

// func Barrier()
TEXT ·Barrier(SB), NOSPLIT, $0-0
	MFENCE
	RET

// func Fetch(address *byte, lines int)
TEXT ·Fetch(SB), NOSPLIT, $0-16
	MOVQ address+0(FP), AX
	MOVQ lines+8(FP), CX
fetch:
	DECQ CX
	JLT  done
	PREFETCHT0 (AX)
	ADDQ $64, AX
	JMP  fetch
done:
	RET

// func Claim(address *byte, lines int)
TEXT ·Claim(SB), NOSPLIT, $0-16
	MOVQ address+0(FP), AX
	MOVQ lines+8(FP), CX
claim:
	DECQ CX
	JLT  done
	BYTE $0x0f; BYTE $0x0d; BYTE $0x08 // PREFETCHW [RAX]
	ADDQ $64, AX
	JMP  claim
done:
	RET
