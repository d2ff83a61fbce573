// atexit functions run last to first, then buffered output is written; _exit skips both.
// want: exit 3
// stdout: 1
#include <stdio.h>
#include <stdlib.h>

static void one(void)
{
	printf("1");
}

static void two(void)
{
	printf("2\n");
}

static void three(void)
{
	printf("3\n");
	atexit(two);
}

int main(void)
{
	atexit(one);
	atexit(three);
	printf("main\n");
	exit(3);
}
