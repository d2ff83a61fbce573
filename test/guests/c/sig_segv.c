// SIGSEGV has the right si_code, si_addr, trap number and error code; the handler skips the instruction.
// want: exit 0
// stdout: SUCCESS
// pie: yes
#include "check.h"
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>

extern char read_at[], read_end[], write_at[], write_end[], call_back[];
static volatile struct {
	int count, code, trapno;
	uintptr_t addr, rip, cr2;
	unsigned err;
} seen;
static uintptr_t go_on;

static void handler(int sig, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	CHECK_EQ(sig, SIGSEGV);
	CHECK_EQ(info->si_signo, SIGSEGV);
	seen.count++;
	seen.code = info->si_code;
	seen.addr = (uintptr_t)info->si_addr;
	seen.rip = regs[REG_RIP];
	seen.trapno = regs[REG_TRAPNO];
	seen.err = regs[REG_ERR];
	seen.cr2 = regs[REG_CR2];
	regs[REG_RIP] = go_on;
}

static __attribute__((noinline)) void fault_read(uintptr_t addr)
{
	go_on = (uintptr_t)read_end;
	__asm__ volatile(".globl read_at, read_end\nread_at: movb (%0), %%al\nread_end:" ::"r"(addr) : "rax", "memory");
}

static __attribute__((noinline)) void fault_write(uintptr_t addr)
{
	go_on = (uintptr_t)write_end;
	__asm__ volatile(".globl write_at, write_end\nwrite_at: movb $1, (%0)\nwrite_end:" ::"r"(addr) : "memory");
}

static __attribute__((noinline)) void fault_jump(uintptr_t addr)
{
	go_on = (uintptr_t)call_back;
	__asm__ volatile(".globl call_back\njmp *%0\ncall_back:" ::"r"(addr) : "memory");
}

// page_fault checks the last fault; PF error code bits: 1 present, 2 write, 4 user, 16 fetch.
static void page_fault(int code, uintptr_t addr, void *rip, unsigned bits)
{
	static int count;
	CHECK_EQ(seen.count, ++count);
	CHECK_EQ(seen.code, code);
	CHECK_EQ(seen.addr, addr);
	CHECK_EQ(seen.rip, (uintptr_t)rip);
	CHECK_EQ(seen.trapno, 14);
	CHECK_EQ(seen.cr2, addr);
	CHECK_EQ(seen.err & (2 | 4 | 16), bits | 4);
}

int main(void)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	CHECK_EQ(sigaction(SIGSEGV, &sa, NULL), 0);
	uintptr_t page = (uintptr_t)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(page != (uintptr_t)MAP_FAILED);

	for (int round = 0; round < 50; round++) {
		fault_read(0);
		page_fault(SEGV_MAPERR, 0, read_at, 0);
		fault_write(0x10);
		page_fault(SEGV_MAPERR, 0x10, write_at, 2);
		fault_read(0x123456789abc);
		page_fault(SEGV_MAPERR, 0x123456789abc, read_at, 0);
		fault_jump(0x20);
		page_fault(SEGV_MAPERR, 0x20, (void *)0x20, 16);
		fault_read(page); // no fault
		fault_write(page + 100);
		page_fault(SEGV_ACCERR, page + 100, write_at, 2);
		fault_jump(page + 8);
		page_fault(SEGV_ACCERR, page + 8, (void *)(page + 8), 16);
		CHECK_EQ(mprotect((void *)page, 4096, PROT_NONE), 0);
		fault_read(page + 4095);
		page_fault(SEGV_ACCERR, page + 4095, read_at, 0);
		CHECK_EQ(mprotect((void *)page, 4096, PROT_READ), 0);
		fault_write((uintptr_t)main & ~7);
		page_fault(SEGV_ACCERR, (uintptr_t)main & ~7, write_at, 2);
	}

	int count = seen.count;
	fault_read(0x8000000000000000); // not canonical: a general protection fault
	CHECK_EQ(seen.count, count + 1);
	CHECK_EQ(seen.code, 0x80); // SI_KERNEL
	CHECK_EQ(seen.addr, 0);
	CHECK_EQ(seen.trapno, 13);
	CHECK_EQ(seen.rip, (uintptr_t)read_at);
	return success();
}
