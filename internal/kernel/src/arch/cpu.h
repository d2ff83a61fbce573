/* Single instructions. */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include "lib/types.h"

static inline u64 read_tsc(void)
{
	u32 low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (u64)high << 32 | low;
}

static inline void cpu_relax(void) { __asm__ volatile("pause" : : : "memory"); }

static inline void write_fs_base(u64 base) { __asm__ volatile("wrfsbase %0" : : "r"(base)); }
static inline void write_gs_base(u64 base) { __asm__ volatile("wrgsbase %0" : : "r"(base)); }

static inline u64 read_fs_base(void)
{
	u64 base;

	__asm__ volatile("rdfsbase %0" : "=r"(base));
	return base;
}

static inline u64 read_gs_base(void)
{
	u64 base;

	__asm__ volatile("rdgsbase %0" : "=r"(base));
	return base;
}

#endif
