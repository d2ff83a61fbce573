// A write to a pipe that nobody reads ends the program.
// want: signal SIGPIPE
#include <unistd.h>

int main(void)
{
	int fds[2];
	if (pipe(fds) != 0 || close(fds[0]) != 0) {
		return 1;
	}
	return write(fds[1], "x", 1) == 1;
}
