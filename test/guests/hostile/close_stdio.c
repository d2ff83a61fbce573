// Closes stdin, stdout and stderr, uses them all the same, and exits.
// want: exit 3
#include "hostile.h"

int main(void)
{
	char c;
	close(0);
	close(1);
	close(2);
	puts("to nobody");
	fputs("to nobody", stderr);
	return write(1, "x", 1) == -1 && write(2, "x", 1) == -1 && read(0, &c, 1) == -1 ? 3 : 1;
}
