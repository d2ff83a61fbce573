// Raises every interrupt vector by a software interrupt, and tries the other ways into a kernel.
// want: any
// native: no
#include "hostile.h"

#define VECTOR(n) (void)SURVIVES(__asm__ volatile("int %0" ::"i"(n) : "rax", "rcx", "r11", "memory"))
#define EIGHT(n) VECTOR(n); VECTOR(n + 1); VECTOR(n + 2); VECTOR(n + 3); VECTOR(n + 4); VECTOR(n + 5); VECTOR(n + 6); VECTOR(n + 7)
#define SIXTY_FOUR(n) EIGHT(n); EIGHT(n + 8); EIGHT(n + 16); EIGHT(n + 24); EIGHT(n + 32); EIGHT(n + 40); EIGHT(n + 48); EIGHT(n + 56)

int main(void)
{
	sandbox_only();
	catch_faults();
	SIXTY_FOUR(0);
	SIXTY_FOUR(64);
	SIXTY_FOUR(128);
	SIXTY_FOUR(192);
	use_kernel();
	(void)SURVIVES(__asm__ volatile("sysenter" ::: "rcx", "rdx", "memory"));
	(void)SURVIVES(__asm__ volatile("vmcall" ::"a"(1), "b"(2), "c"(3), "d"(4) : "memory"));
	(void)SURVIVES(__asm__ volatile("vmmcall" ::"a"(1), "b"(2), "c"(3), "d"(4) : "memory"));
	(void)SURVIVES(__asm__ volatile("sysretq" ::: "rcx", "r11", "memory"));
	(void)SURVIVES(__asm__ volatile("mov %0, %%dr7" ::"r"(0x400L)));
	(void)SURVIVES(__asm__ volatile("invd"));
	(void)SURVIVES(__asm__ volatile("clts"));
	(void)SURVIVES(__asm__ volatile("rdpmc" ::"c"(0) : "rax", "rdx"));
	(void)SURVIVES(__asm__ volatile("monitor" ::"a"(fault_back), "c"(0), "d"(0)));
	(void)SURVIVES(__asm__ volatile("rsm"));
	use_kernel();
	return 0;
}
