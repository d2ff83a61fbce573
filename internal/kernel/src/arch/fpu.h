/* Extended state: x87, SSE, AVX, AVX-512, in XSAVE's standard format. */
#ifndef ARCH_FPU_H
#define ARCH_FPU_H

#include "lib/types.h"

extern u32 extended_size; /* bytes of the XSAVE area, at most 2752 */

void extended_init(void);                  /* reads the size from CPUID */
void extended_save(void *area);            /* 64-byte aligned */
void extended_restore(const void *area);   /* area must come from extended_save or extended_sanitize */
void extended_reset(void *area);           /* the state of a new program */
/* Makes an area that a program wrote safe for extended_restore: XRSTOR faults on reserved bits. */
void extended_sanitize(void *area);

#endif
