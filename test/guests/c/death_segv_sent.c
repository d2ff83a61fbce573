// A SIGSEGV that was sent is a death by signal and no fault.
// want: signal SIGSEGV
#include <signal.h>

int main(void)
{
	raise(SIGSEGV);
	return 0;
}
