// long double arithmetic, math functions and formatting use the x87 unit.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <float.h>
#include <math.h>

int main(void)
{
	char buf[80];
	volatile long double third = 1.0L / 3, big = 1e4000L, tiny = 1e-4940L;
	CHECK_EQ(LDBL_MANT_DIG, 64);
	snprintf(buf, sizeof buf, "%.25Lf", third);
	CHECK(strcmp(buf, "0.3333333333333333333423684") == 0);
	snprintf(buf, sizeof buf, "%Lg %La", big, (long double)1.5L);
	CHECK(strcmp(buf, "1e+4000 0xcp-3") == 0 || strcmp(buf, "1e+4000 0x1.8p+0") == 0);
	CHECK(big * 1e900L < LDBL_MAX && isinf(big * big) && tiny > 0 && tiny / 1e20L == 0);
	CHECK(fabsl(sqrtl(2.0L) * sqrtl(2.0L) - 2.0L) <= 2 * LDBL_EPSILON);
	CHECK(fabsl(sinl(1.0L) - 0.841470984807896506652502321630298999622563L) < 2 * LDBL_EPSILON);
	CHECK(fabsl(expl(1.0L) - 2.718281828459045235360287471352662497757L) < 8 * LDBL_EPSILON);
	CHECK(fabsl(powl(2.0L, 0.5L) - sqrtl(2.0L)) < 4 * LDBL_EPSILON);
	CHECK(strtold("0.1", NULL) == 0.1L && (double)strtold("0.1", NULL) == 0.1);
	CHECK(sscanf("2.5e10", "%Lf", (long double *)&third) == 1 && third == 2.5e10L);
	volatile long long n = 0x7fffffffffffffff;
	CHECK_EQ((long long)(long double)n, n); // 64 bits of mantissa hold it
	long double sum = 0;
	for (int i = 1; i <= 1000000; i++) {
		sum += 1.0L / i;
	}
	CHECK(fabsl(sum - 14.392726722865723631381127493188587676L) < 1e-15L);
	return success();
}
