// A large zeroed section, an aligned one and a large initialised one are loaded right.
// want: exit 0
// stdout: SUCCESS
// memory: 64MiB
// pie: yes
#include "check.h"
#include <stdint.h>

static char zeroed[24 << 20];
static char tail_of_page[5000] = {1};
static char aligned[1 << 16] __attribute__((aligned(1 << 16)));
static int table[1 << 16] = {[0] = 5, [1 << 15] = 6, [(1 << 16) - 1] = 7};
static const int constants[1 << 16] = {[77] = 8};

int main(void)
{
	for (size_t i = 0; i < sizeof zeroed; i += 512) {
		CHECK_EQ(zeroed[i], 0);
	}
	for (size_t i = 0; i < sizeof zeroed; i += 4096) {
		zeroed[i] = (char)(i >> 12) | 1;
	}
	for (size_t i = 0; i < sizeof zeroed; i += 4096) {
		CHECK_EQ(zeroed[i], (char)((char)(i >> 12) | 1));
	}
	for (size_t i = 1; i < sizeof tail_of_page; i++) {
		CHECK_EQ(tail_of_page[i], 0);
	}
	CHECK_EQ((uintptr_t)aligned % (1 << 16), 0);
	CHECK(table[0] == 5 && table[1] == 0 && table[1 << 15] == 6 && table[(1 << 16) - 1] == 7);
	CHECK(constants[77] == 8 && constants[78] == 0);
	return success();
}
