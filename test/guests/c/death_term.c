// A signal whose default is to end the program does so, when it comes from kill.
// want: signal SIGTERM
#include <signal.h>
#include <unistd.h>

int main(void)
{
	kill(getpid(), SIGTERM);
	for (;;) {
		pause();
	}
}
