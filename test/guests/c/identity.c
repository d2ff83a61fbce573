// Process, user and group ids, uname, sysinfo, prctl, umask, getcwd, scheduling calls.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

int main(void)
{
	CHECK(getpid() > 0 && getppid() >= 0);
	CHECK_EQ(syscall(SYS_gettid), getpid());
	CHECK(getpgrp() >= 0 && getpgid(0) == getpgrp() && getsid(0) >= 0);
	uid_t r, e, s;
	CHECK_EQ(getresuid(&r, &e, &s), 0);
	CHECK(r == getuid() && e == geteuid() && r == e && e == s);
	CHECK_EQ(getresgid(&r, &e, &s), 0);
	CHECK(r == getgid() && e == getegid());
	CHECK(getgroups(0, NULL) >= 0);

	struct utsname uts;
	CHECK_EQ(uname(&uts), 0);
	CHECK(strcmp(uts.sysname, "Linux") == 0 && strcmp(uts.machine, "x86_64") == 0);
	int major = 0, minor = 0;
	CHECK_EQ(sscanf(uts.release, "%d.%d", &major, &minor), 2);
	CHECK(major >= 4 && uts.nodename[0] != 0 && uts.version[0] != 0);
	char name[65];
	CHECK_EQ(gethostname(name, sizeof name), 0);
	CHECK(strcmp(name, uts.nodename) == 0);

	struct sysinfo info;
	CHECK_EQ(sysinfo(&info), 0);
	CHECK(info.uptime < 1000000000 && info.totalram > 0 && info.freeram <= info.totalram && info.mem_unit > 0);
	CHECK((unsigned long long)info.totalram * info.mem_unit >= 4 << 20);
	CHECK(info.procs >= 1);

	char comm[16] = "";
	CHECK_EQ(prctl(PR_SET_NAME, "a-long-thread-name", 0, 0, 0), 0);
	CHECK_EQ(prctl(PR_GET_NAME, comm, 0, 0, 0), 0);
	CHECK(strcmp(comm, "a-long-thread-n") == 0);
	int number = -1;
	CHECK_EQ(prctl(PR_SET_PDEATHSIG, SIGUSR1), 0);
	CHECK(prctl(PR_GET_PDEATHSIG, &number) == 0 && number == SIGUSR1);
	CHECK_ERR(prctl(PR_SET_PDEATHSIG, 65), EINVAL);
	CHECK_EQ(prctl(PR_SET_DUMPABLE, 0), 0);
	CHECK_EQ(prctl(PR_GET_DUMPABLE), 0);
	CHECK_EQ(prctl(PR_SET_DUMPABLE, 1), 0);
	CHECK_EQ(prctl(PR_GET_DUMPABLE), 1);
	CHECK_ERR(prctl(PR_SET_DUMPABLE, 3), EINVAL);
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	CHECK_ERR(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
	CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	CHECK_EQ(prctl(PR_SET_TIMERSLACK, 1000), 0);
	CHECK_EQ(prctl(PR_GET_TIMERSLACK), 1000);
	CHECK_EQ(prctl(PR_SET_TIMERSLACK, 0), 0);
	CHECK_EQ(prctl(PR_GET_TIMERSLACK), 50000);
	CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
	CHECK_EQ(prctl(PR_GET_KEEPCAPS), 0);
	CHECK_ERR(prctl(PR_CAPBSET_READ, 1000), EINVAL);
	CHECK_ERR(prctl(99999, 0, 0, 0, 0), EINVAL);
	mode_t old = umask(027);
	CHECK_EQ(umask(old), 027);
	char cwd[4096];
	CHECK(getcwd(cwd, sizeof cwd) != NULL && cwd[0] == '/');
	errno = 0;
	CHECK(getcwd(cwd, 1) == NULL && errno == ERANGE);

	cpu_set_t set;
	CPU_ZERO(&set);
	CHECK_EQ(sched_getaffinity(0, sizeof set, &set), 0);
	CHECK(CPU_COUNT(&set) >= 1);
	CHECK_EQ(sched_setaffinity(0, sizeof set, &set), 0);
	CHECK(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
	CHECK_EQ(sysconf(_SC_PAGESIZE), 4096);
	CHECK_EQ(sched_yield(), 0);
	CHECK_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_OTHER);
	unsigned cpu = 99999, node = 99999;
	CHECK_EQ(syscall(SYS_getcpu, &cpu, &node, NULL), 0);
	CHECK(cpu < 4096 && node < 1024);
	CHECK(CPU_ISSET(cpu, &set));
	CHECK(sched_getcpu() >= 0);
	return success();
}
