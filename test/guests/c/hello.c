// Prints the traditional greeting.
// want: exit 0
// stdout: Hello, World!
// pie: yes
#include <stdio.h>

int main(void)
{
	puts("Hello, World!");
	return 0;
}
