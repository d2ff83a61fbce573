// Writes single bytes to stderr for ever.
// want: timeout
#include "hostile.h"

int main(void)
{
	for (;;) {
		syscall(SYS_write, 2, "x", 1);
	}
}
