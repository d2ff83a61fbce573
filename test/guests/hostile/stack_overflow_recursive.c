// Recurses for ever.
// want: fault page-fault write
#include "hostile.h"

static __attribute__((noinline)) int dig(volatile int *up)
{
	volatile int frame[64];
	frame[0] = *up + 1;
	return frame[0] < 0 ? 0 : dig(frame) + frame[0];
}

int main(void)
{
	volatile int zero = 0;
	return dig(&zero);
}
