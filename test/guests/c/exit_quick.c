// _exit leaves buffered output unwritten and runs no atexit functions.
// want: exit 9
// stdout: written
#include "check.h"

static void never(void)
{
	CHECK_EQ(write(1, "wrong\n", 6), 6);
}

int main(void)
{
	atexit(never);
	setvbuf(stdout, NULL, _IOFBF, 4096);
	printf("flushed before\n");
	fflush(stdout);
	CHECK_EQ(write(1, "written\n", 8), 8);
	printf("lost\n");
	_exit(9);
}
