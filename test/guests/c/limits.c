// getrlimit, setrlimit and prlimit: limits are kept, the soft one stays below the hard one.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <sys/resource.h>

int main(void)
{
	struct rlimit limit, now;
	for (int resource = 0; resource < 16; resource++) {
		CHECK_EQ(getrlimit(resource, &limit), 0);
		CHECK(limit.rlim_cur <= limit.rlim_max);
	}
	CHECK_ERR(getrlimit(16, &limit), EINVAL);
	CHECK_EQ(getrlimit(RLIMIT_STACK, &limit), 0);
	CHECK(limit.rlim_cur >= 64 << 10);
	now = limit;
	now.rlim_cur = 1 << 20;
	CHECK_EQ(setrlimit(RLIMIT_STACK, &now), 0);
	CHECK_EQ(getrlimit(RLIMIT_STACK, &now), 0);
	CHECK(now.rlim_cur == 1 << 20 && now.rlim_max == limit.rlim_max);
	CHECK_EQ(prlimit(0, RLIMIT_STACK, &limit, &now), 0);
	CHECK(now.rlim_cur == 1 << 20);
	CHECK_EQ(prlimit(getpid(), RLIMIT_STACK, NULL, &now), 0);
	CHECK(now.rlim_cur == limit.rlim_cur);
	now = (struct rlimit){200, 100};
	CHECK_ERR(setrlimit(RLIMIT_NOFILE, &now), EINVAL);
	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
	CHECK(limit.rlim_cur >= 64);
	CHECK_EQ(sysconf(_SC_OPEN_MAX), (long)limit.rlim_cur);
	return success();
}
