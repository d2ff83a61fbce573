// All registers that ring 3 has, as call_secrets leaves them behind and finds them: it asks for the
// next call itself, with every register loaded just before and stored just behind the OUT.
#ifndef SECRETS_H
#define SECRETS_H
#include "attack.h"

// struct registers has what the assembly below loads and stores; its offsets are in there.
struct registers {
	uint64_t general[13]; // RBX RCX RSI RDI RBP R8 to R15; RAX and RDX are the OUT's
	uint64_t fs, gs;
	uint64_t red_zone[16];
	uint64_t padding;
	uint8_t extended[16384 - 256] __attribute__((aligned(64)));
} __attribute__((aligned(64)));

_Static_assert(offsetof(struct registers, extended) == 256, "the assembly knows this");

static struct registers loaded, found;

// exchange makes the hypercall NEXT with the registers of loaded, and stores them in found.
void exchange(void);
__asm__(".text\n.type exchange, @function\nexchange:\n"
        "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15; sub $136, %rsp\n"
        "rdfsbase %rax; mov %rax, saved_fs(%rip)\n"
        "mov loaded+104(%rip), %rax; wrfsbase %rax; mov loaded+112(%rip), %rax; wrgsbase %rax\n"
        "mov $-1, %eax; mov $-1, %edx; xrstor64 loaded+256(%rip)\n"
        ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
        "mov loaded+120+8*\\n(%rip), %rax; mov %rax, -128+8*\\n(%rsp)\n.endr\n"
        "mov loaded(%rip), %rbx; mov loaded+8(%rip), %rcx; mov loaded+16(%rip), %rsi\n"
        "mov loaded+24(%rip), %rdi; mov loaded+32(%rip), %rbp; mov loaded+40(%rip), %r8\n"
        "mov loaded+48(%rip), %r9; mov loaded+56(%rip), %r10; mov loaded+64(%rip), %r11\n"
        "mov loaded+72(%rip), %r12; mov loaded+80(%rip), %r13; mov loaded+88(%rip), %r14\n"
        "mov loaded+96(%rip), %r15; xor %eax, %eax; mov $0xa109, %edx\n"
        "out %eax, %dx\n"
        "mov %rbx, found(%rip); mov %rcx, found+8(%rip); mov %rsi, found+16(%rip)\n"
        "mov %rdi, found+24(%rip); mov %rbp, found+32(%rip); mov %r8, found+40(%rip)\n"
        "mov %r9, found+48(%rip); mov %r10, found+56(%rip); mov %r11, found+64(%rip)\n"
        "mov %r12, found+72(%rip); mov %r13, found+80(%rip); mov %r14, found+88(%rip)\n"
        "mov %r15, found+96(%rip)\n"
        "rdfsbase %rax; mov %rax, found+104(%rip); rdgsbase %rax; mov %rax, found+112(%rip)\n"
        ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
        "mov -128+8*\\n(%rsp), %rax; mov %rax, found+120+8*\\n(%rip)\n.endr\n"
        "mov $-1, %eax; mov $-1, %edx; xsave64 found+256(%rip)\n"
        "mov saved_fs(%rip), %rax; wrfsbase %rax\n"
        "add $136, %rsp; pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx; ret\n"
        ".size exchange, . - exchange\n.local saved_fs\n.comm saved_fs, 8, 8\n");

// vectors calls each part of the extended state that holds vectors or masks.
static void vectors(void (*each)(size_t offset, size_t size, uint64_t word), uint64_t word)
{
	unsigned low, high;
	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	each(160, 256, word); // XMM
	for (unsigned i = 2; i < 8; i++) {
		unsigned size = 13, offset = 0, c = i, d;
		__asm__("cpuid" : "+a"(size), "=b"(offset), "+c"(c), "=d"(d));
		if ((low >> i & 1) && i != 3 && i != 4) {
			each(offset, size, word);
		}
	}
}

static void set_vectors(size_t offset, size_t size, uint64_t word)
{
	for (size_t at = 0; at < size; at += 8) {
		memcpy(&loaded.extended[offset + at], &word, 8);
	}
}

// load_with fills all registers with a word, and the control registers with odd values if they are.
static void load_with(uint64_t word, int odd)
{
	unsigned low, high;
	memset(loaded.extended, 0, sizeof loaded.extended);
	for (int i = 0; i < 13; i++) {
		loaded.general[i] = word;
	}
	for (int i = 0; i < 16; i++) {
		loaded.red_zone[i] = word;
	}
	loaded.fs = word & 0x7fffffffffff;
	loaded.gs = (word >> 8) & 0x7fffffffffff;
	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	for (int i = 0; i < 8; i++) { // the mantissas of the x87 registers, and a fitting exponent
		memcpy(&loaded.extended[32 + 16 * i], &word, 8);
		loaded.extended[32 + 16 * i + 8] = (uint8_t)word;
	}
	vectors(set_vectors, word);
	*(uint16_t *)&loaded.extended[0] = odd ? 0x0c7f : 0x037f;
	loaded.extended[4] = 0xff; // all of them in use
	*(uint32_t *)&loaded.extended[24] = odd ? 0xffff : 0x1f80;
	*(uint64_t *)&loaded.extended[512] = low & 0xe7;
}

static size_t wrong_vectors;

static void compare_vectors(size_t offset, size_t size, uint64_t word)
{
	(void)word;
	wrong_vectors += memcmp(&loaded.extended[offset], &found.extended[offset], size) != 0;
}

// differences names the registers that are not as they were loaded.
static void differences(char *report)
{
	size_t general = 0;
	for (int i = 0; i < 13; i++) {
		general += loaded.general[i] != found.general[i];
	}
	wrong_vectors = 0;
	vectors(compare_vectors, 0);
	sprintf(report, "%s%s%s%s%s%s%s", general ? " general" : "", loaded.fs != found.fs ? " fs" : "",
	        loaded.gs != found.gs ? " gs" : "",
	        memcmp(loaded.red_zone, found.red_zone, sizeof found.red_zone) ? " redzone" : "",
	        wrong_vectors ? " vectors" : "",
	        memcmp(&loaded.extended[24], &found.extended[24], 4) ? " mxcsr" : "",
	        memcmp(&loaded.extended[0], &found.extended[0], 2) || memcmp(&loaded.extended[32], &found.extended[32], 128) ? " x87" : "");
}

#endif
