// Reads address 0.
// want: fault page-fault read
#include "hostile.h"

int main(void)
{
	return *(volatile int *)0;
}
