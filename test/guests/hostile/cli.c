// Clears the interrupt flag, and spins: only the host can end this.
// want: any
// native: no
#include "hostile.h"

int main(void)
{
	__asm__ volatile("cli");
	for (;;) {
	}
}
