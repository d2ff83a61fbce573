// setjmp and longjmp: values, nesting, registers and volatile locals.
// want: exit 0
// stdout: SUCCESS
// pie: yes
#include "check.h"
#include <setjmp.h>

static jmp_buf outer, inner;

static __attribute__((noinline)) void jump_from(int depth, int value)
{
	volatile char frame[512];
	frame[depth % 512] = 1;
	if (depth < 0) {
		return;
	}
	if (depth == 0) {
		longjmp(outer, value);
	}
	jump_from(depth - 1, value);
	CHECK(frame[depth % 512] == 1);
}

int main(void)
{
	volatile int rounds = 0;
	int value = setjmp(outer);
	if (value != 0) {
		CHECK_EQ(value, rounds);
	}
	if (rounds < 1000) {
		rounds++;
		jump_from(rounds % 50, rounds);
	}
	CHECK_EQ(rounds, 1000);

	volatile int zero_becomes_one = 0;
	if (setjmp(inner) == 0) {
		longjmp(inner, zero_becomes_one);
	} else {
		zero_becomes_one = 1;
	}
	CHECK_EQ(zero_becomes_one, 1);
	return success();
}
