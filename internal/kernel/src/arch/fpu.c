/*
 * Extended state by XSAVE and XRSTOR, which work in ring 3 (AMD64 Architecture
 * Programmer's Manual volume 1, section 11.5).
 */
#include "arch/fpu.h"

#include "lib/string.h"

/* Parts of the XSAVE area that the kernel looks into. */
struct extended_area {
	u16 control, status;
	u8 tags, reserved0;
	u16 opcode;
	u64 instruction, operand;
	u32 mxcsr, mxcsr_mask;
	u8 legacy[480];
	u64 present;   /* XSTATE_BV: components that are not in their initial state */
	u64 compacted; /* XCOMP_BV: 0 for the standard format */
	u64 reserved1[6];
	u8 rest[];
};

_Static_assert(offsetof(struct extended_area, present) == 512, "XSAVE header");

#define CONTROL_DEFAULT 0x37f /* all x87 exceptions masked, extended precision */
#define MXCSR_DEFAULT 0x1f80
#define PRESENT_SSE 2u
#define EXTENDED_LIMIT 2752u /* what struct thread has room for in its page */

u32 extended_size;
static u64 extended_mask;
static u32 mxcsr_valid;

void extended_init(void)
{
	u32 eax, ebx, ecx = 0, edx;

	__asm__("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
	extended_mask = (u64)edx << 32 | eax;
	__asm__("cpuid" : "=a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx) : "0"(13));
	ASSERT(ebx >= 576 && ebx <= EXTENDED_LIMIT);
	extended_size = ebx;

	static _Alignas(64) u8 scratch[EXTENDED_LIMIT];

	extended_save(scratch);
	mxcsr_valid = ((struct extended_area *)scratch)->mxcsr_mask;
	if (mxcsr_valid == 0)
		mxcsr_valid = 0xffbf; /* the default for CPUs that don't tell */
}

void extended_save(void *area)
{
	/* XSAVE writes the header's first word only; the rest must be zero for XRSTOR. */
	memset((u8 *)area + 512, 0, 64);
	__asm__ volatile("xsave64 (%0)"
			 :
			 : "r"(area), "a"((u32)extended_mask), "d"((u32)(extended_mask >> 32))
			 : "memory");
}

void extended_restore(const void *area)
{
	__asm__ volatile("xrstor64 (%0)"
			 :
			 : "r"(area), "a"((u32)extended_mask), "d"((u32)(extended_mask >> 32))
			 : "memory");
}

void extended_reset(void *area)
{
	struct extended_area *extended = area;

	memset(area, 0, extended_size);
	extended->control = CONTROL_DEFAULT;
	extended->mxcsr = MXCSR_DEFAULT;
	extended->present = PRESENT_SSE; /* so that MXCSR is loaded; every register that matters is zero */
}

void extended_sanitize(void *area)
{
	struct extended_area *extended = area;

	extended->present &= extended_mask;
	extended->compacted = 0;
	memset(extended->reserved1, 0, sizeof(extended->reserved1));
	extended->mxcsr &= mxcsr_valid;
}
