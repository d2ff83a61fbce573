// Spins for ever without a system call.
// want: timeout
#include "hostile.h"

int main(void)
{
	for (;;) {
	}
}
