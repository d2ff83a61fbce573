// Divides by zero.
// want: fault divide
#include "hostile.h"

int main(void)
{
	volatile int one = 1, zero = 0;
	return one / zero;
}
