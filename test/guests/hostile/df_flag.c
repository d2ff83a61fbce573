// Makes system calls that copy memory while the direction flag is set.
// want: exit 0
// stdout: SUCCESS
#include "hostile.h"
#include <sys/utsname.h>

static long down(long nr, long a, long b, long c)
{
	__asm__ volatile("std; syscall; cld" : "+a"(nr) : "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return nr;
}

static volatile int handled;

static void handler(int sig)
{
	long flags;
	__asm__ volatile("pushfq; pop %0" : "=r"(flags));
	CHECK_EQ(flags & 0x400, 0); // handlers start with it clear
	handled = sig;
}

int main(void)
{
	struct utsname before, after;
	char text[] = "written downwards?\n", in[32], out[32];
	int fds[2];
	CHECK_EQ(uname(&before), 0);
	memset(&after, 0, sizeof after);
	CHECK_EQ(pipe(fds), 0);
	for (int i = 0; i < 1000; i++) {
		CHECK_EQ(down(SYS_uname, (long)&after, 0, 0), 0);
		CHECK_EQ(memcmp(before.sysname, after.sysname, sizeof before.sysname), 0);
		memset(in, i, sizeof in);
		CHECK_EQ(down(SYS_write, fds[1], (long)in, sizeof in), sizeof in);
		CHECK_EQ(down(SYS_read, fds[0], (long)out, sizeof out), sizeof out);
		CHECK_EQ(memcmp(in, out, sizeof in), 0);
	}
	CHECK_EQ(down(SYS_write, 1, (long)text, sizeof text - 1), sizeof text - 1);
	signal(SIGUSR1, handler);
	CHECK_EQ(down(SYS_kill, getpid(), SIGUSR1, 0), 0);
	CHECK_EQ(handled, SIGUSR1);
	return success();
}
