// What the guests share that serve calls and attack in one of them. Such a guest has in its
// first comment a line "// call: Attack" and defines attack. It also exports an honest function,
// with which the host looks whether the sandbox is itself again. Where nobody calls, it attacks
// at once and makes its kernel work afterwards: "// run: WANT" says what must come of that.
#ifndef ATTACK_H
#define ATTACK_H
#include "hostile.h"
#include "../../../abi/airlock_abi.h"
#include "../../../sdk/c/airlock_guest.h"

static const struct airlock_import echo_import = {"Echo", AIRLOCK_STRING, {AIRLOCK_STRING}};
static const struct airlock_import bytes_import = {"Bytes", AIRLOCK_BYTES, {AIRLOCK_BYTES}};
static const struct airlock_import fail_import = {"Fail", AIRLOCK_VOID, {0}};
static const struct airlock_import nested_import = {"Nested", AIRLOCK_STRING, {0}};
static const struct airlock_import *const imports[] = {&echo_import, &bytes_import, &fail_import, &nested_import};

// attack is what the guest does when it is called, or run, with its arguments in one string; its
// result is the result of the call, or NULL if it has returned one itself. There is no call if it is
// run.
static const char *attack(struct airlock_call *call, const char *how);

// The control page, the clock page and the kernel, as the kernel itself sees them.
#define CONTROL ((volatile struct airlock_control *)AIRLOCK_PHYSMAP)
#define CLOCK ((volatile struct airlock_clock *)(AIRLOCK_PHYSMAP + AIRLOCK_CLOCK_GPA))
#define KERNEL_INFO ((const struct airlock_kernel_info *)AIRLOCK_KERNEL_BASE)

// touch writes to an address that the compiler knows nothing of.
static inline void touch(uint64_t address)
{
	volatile uint64_t at = address;
	*(volatile int *)at = 0;
}

// hypercall does what only the kernel should.
static inline void hypercall(uint16_t port)
{
	__asm__ volatile("outl %0, %1" ::"a"(0), "d"(port) : "memory");
}

// message_info says where the message buffers are.
static inline struct airlock_info message_info(void)
{
	union {
		struct airlock_info info;
		char room[256];
	} answer;
	memset(&answer, 0, sizeof answer);
	syscall(AIRLOCK_SYSCALL, AIRLOCK_OPERATION_INFO, &answer);
	return answer.info;
}

// echo calls a function of the host and looks at its answer.
static inline int echo(const char *text)
{
	char buffer[4096];
	struct airlock_value argument = airlock_value_string(airlock_text(text)), result;
	return airlock_call_host(&echo_import, &argument, &result, buffer, sizeof buffer) == AIRLOCK_OK &&
	       result.as.string.size == strlen(text) && memcmp(result.as.string.data, text, strlen(text)) == 0;
}

static void call_attack(struct airlock_call *call)
{
	struct airlock_string how = airlock_argument_string(call, 0);
	const char *said = attack(call, how.data);
	if (said) { // otherwise it has returned something itself
		airlock_return_string(call, airlock_text(said));
	}
}

// call_honest uses memory, the kernel and the host, and says whether all of that is right.
static void call_honest(struct airlock_call *call)
{
	static volatile uint64_t counter;
	struct timespec start, end, pause = {0, 1000};
	double third = airlock_argument_int32(call, 0) / 3.0;
	char *page = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED || page[4097] != 0 || ++counter != 1 || !echo("honest")) {
		airlock_return_error(call, "not as it was");
		return;
	}
	memset(page, 1, 65536);
	munmap(page, 65536);
	clock_gettime(CLOCK_MONOTONIC, &start);
	nanosleep(&pause, NULL);
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (end.tv_sec < start.tv_sec || (end.tv_sec == start.tv_sec && end.tv_nsec < start.tv_nsec + 1000)) {
		airlock_return_error(call, "the clock is wrong");
		return;
	}
	airlock_return_int32(call, (int32_t)(third * 6 + 1.25));
}

int main(int argc, char **argv)
{
	static const struct airlock_function functions[] = {
		{"Attack", AIRLOCK_STRING, {AIRLOCK_STRING}, call_attack},
		{"Honest", AIRLOCK_INT32, {AIRLOCK_INT32}, call_honest},
	};
	const struct airlock_program program = {functions, AIRLOCK_COUNT(functions), imports, AIRLOCK_COUNT(imports), NULL};
	sandbox_only();
	if (message_info().serve) {
		airlock_serve(&program);
	}
	char how[256] = "";
	for (int i = 1; i < argc; i++) {
		strcat(strcat(how, i > 1 ? " " : ""), argv[i]);
	}
	const char *said = attack(NULL, how);
	use_kernel();
	puts(said);
	return 0;
}

// is compares the first word of an argument.
static inline int is(const char *how, const char *word)
{
	size_t n = strlen(word);
	return strncmp(how, word, n) == 0 && (how[n] == 0 || how[n] == ' ');
}

// number is the last word of an argument.
static inline uint64_t number(const char *how)
{
	const char *last = strrchr(how, ' ');
	return strtoull(last ? last + 1 : how, NULL, 0);
}

// The page tables, of which all entries can be written through the direct map.
static inline volatile uint64_t *table_at(uint64_t entry)
{
	return (volatile uint64_t *)(AIRLOCK_PHYSMAP + (entry & 0x000ffffffffff000ull));
}

// entry_of is the entry of the page tables for an address, at a level from 4 (the root) to 1, or
// the last one above that.
static inline volatile uint64_t *entry_of(uint64_t address, int level)
{
	volatile uint64_t *entry = &table_at(CONTROL->boot.page_table)[address >> 39 & 511];
	for (int at = 4; at > level && (*entry & 1) && !(at < 4 && (*entry & 0x80)); at--) {
		entry = &table_at(*entry)[address >> (12 + 9 * (at - 2)) & 511];
	}
	return entry;
}

// physical_of is where an address is in physical memory.
static inline uint64_t physical_of(uint64_t address)
{
	for (int level = 4; level >= 1; level--) {
		uint64_t entry = *entry_of(address, level), size = 1ull << (12 + 9 * (level - 1));
		if (level == 1 || (level < 4 && (entry & 0x80))) {
			return (entry & 0x000ffffffffff000ull & -size) | (address & (size - 1));
		}
	}
	return 0;
}

// writable is the same byte as at an address, through the direct map.
static inline void *writable(uint64_t address) { return (void *)(AIRLOCK_PHYSMAP + physical_of(address)); }

#endif
