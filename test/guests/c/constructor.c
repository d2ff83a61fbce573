// Constructors run in order before main, destructors after it, ifuncs and TLS are resolved by then.
// want: exit 0
// stdout: SUCCESS
// pie: yes
#include "check.h"

static int order[4], steps;
static __thread int tls = 17;

static __attribute__((constructor(102))) void second(void)
{
	order[steps++] = 2;
}

static __attribute__((constructor(101))) void first(void)
{
	char buf[32];
	order[steps++] = 1;
	memset(buf, 'x', sizeof buf); // an ifunc in glibc
	CHECK(buf[31] == 'x' && tls == 17);
	tls++;
	free(malloc(100));
}

static __attribute__((constructor)) void third(void)
{
	order[steps++] = 3;
}

static __attribute__((destructor)) void last(void)
{
	CHECK_EQ(order[3], 4);
	CHECK_EQ(success(), 0);
}

int main(void)
{
	CHECK_EQ(steps, 3);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(order[i], i + 1);
	}
	CHECK_EQ(tls, 18);
	order[steps++] = 4;
	return 0;
}
