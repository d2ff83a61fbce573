// OUT and IN of one, two and four bytes and as string instructions, to ports that may be hypercalls.
// want: any
// native: no
// args: outb 0
// args: outw 0
// args: outl 0
// args: outsb 0
// args: insb 0
// args: inl 0
// args: outw 0x500
// args: outl 0x500
// args: outsb 0x500
// args: insb 0x500
// args: inl 0x500
#include "hostile.h"

int main(int argc, char **argv)
{
	sandbox_only();
	catch_faults();
	const char *op = argc > 1 ? argv[1] : "outb";
	static char buf[65536];
	volatile unsigned first = argc > 2 ? strtoul(argv[2], NULL, 0) : 0;
	for (volatile unsigned port = first; port < first + 64; port++) {
		unsigned value = 0xffffffff;
		void *si = buf, *di = buf;
		unsigned long count = sizeof buf / 2;
		if (strcmp(op, "outb") == 0) {
			(void)SURVIVES(__asm__ volatile("outb %b0, %w1" ::"a"(value), "d"(port)));
		} else if (strcmp(op, "outw") == 0) {
			(void)SURVIVES(__asm__ volatile("outw %w0, %w1" ::"a"(value), "d"(port)));
		} else if (strcmp(op, "outl") == 0) {
			(void)SURVIVES(__asm__ volatile("outl %0, %w1" ::"a"(value), "d"(port)));
		} else if (strcmp(op, "inl") == 0) {
			(void)SURVIVES(__asm__ volatile("inl %w1, %0" : "=a"(value) : "d"(port)));
		} else if (strcmp(op, "outsb") == 0) {
			(void)SURVIVES(__asm__ volatile("rep outsb" : "+S"(si), "+c"(count) : "d"(port) : "memory"));
		} else {
			(void)SURVIVES(__asm__ volatile("rep insb" : "+D"(di), "+c"(count) : "d"(port) : "memory"));
		}
	}
	return 0;
}
