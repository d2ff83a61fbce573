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

// func Publish64(word *uint64, v uint64)
TEXT ·Publish64(SB), NOSPLIT, $0-16
	MOVQ word+0(FP), AX
	MOVQ v+8(FP), CX
	MOVQ CX, (AX)
	RET

// func Barrier()
TEXT ·Barrier(SB), NOSPLIT, $0-0
	MFENCE
	RET

// EACH_LINE does something with each cache line, of 64 bytes, that has one of the CX
// bytes at AX: by its address in AX.
#define EACH_LINE(INSTRUCTION) \
	ADDQ AX, CX;           \
	ANDQ $-64, AX;         \
next:                          \
	CMPQ AX, CX;           \
	JCC  done;             \
	INSTRUCTION;           \
	ADDQ $64, AX;          \
	JMP  next;             \
done:                          \
	RET

#define PREFETCHW_AX BYTE $0x0f; BYTE $0x0d; BYTE $0x08

// func Fetch(b []byte)
TEXT ·Fetch(SB), NOSPLIT, $0-24
	MOVQ b_base+0(FP), AX
	MOVQ b_len+8(FP), CX
	EACH_LINE(PREFETCHT0 (AX))

// func Claim(b []byte)
TEXT ·Claim(SB), NOSPLIT, $0-24
	MOVQ b_base+0(FP), AX
	MOVQ b_len+8(FP), CX
	EACH_LINE(PREFETCHW_AX)

// IS_ASCII returns whether the CX bytes at SI are ASCII: 16 of them at a time, the last
// of which may have been looked at before; of less than that the first and the last 8,
// 4, or 1.
#define IS_ASCII(RESULT)              \
	CMPQ CX, $16;                 \
	JCS  short;                   \
	MOVOU -16(SI)(CX*1), X0;      \
more:                                 \
	PMOVMSKB X0, AX;              \
	TESTL AX, AX;                 \
	JNE  no;                      \
	SUBQ $16, CX;                 \
	JLS  yes;                     \
	MOVOU (SI), X0;               \
	ADDQ $16, SI;                 \
	JMP  more;                    \
short:                                \
	CMPQ CX, $8;                  \
	JCS  shorter;                 \
	MOVQ (SI), AX;                \
	ORQ  -8(SI)(CX*1), AX;        \
	MOVQ $0x8080808080808080, DX; \
	TESTQ DX, AX;                 \
	JNE  no;                      \
	JMP  yes;                     \
shorter:                              \
	CMPQ CX, $4;                  \
	JCS  byte;                    \
	MOVL (SI), AX;                \
	ORL  -4(SI)(CX*1), AX;        \
	TESTL $0x80808080, AX;        \
	JNE  no;                      \
	JMP  yes;                     \
byte:                                 \
	DECQ CX;                      \
	JMI  yes;                     \
	CMPB (SI)(CX*1), $0;          \
	JGE  byte;                    \
no:                                   \
	MOVB $0, RESULT;              \
	RET;                          \
yes:                                  \
	MOVB $1, RESULT;              \
	RET

// func IsASCII(b []byte) bool
TEXT ·IsASCII(SB), NOSPLIT, $0-25
	MOVQ b_base+0(FP), SI
	MOVQ b_len+8(FP), CX
	IS_ASCII(ret+24(FP))

// func IsASCIIString(s string) bool
TEXT ·IsASCIIString(SB), NOSPLIT, $0-17
	MOVQ s_base+0(FP), SI
	MOVQ s_len+8(FP), CX
	IS_ASCII(ret+16(FP))
