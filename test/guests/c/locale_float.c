// setlocale, strtod and printf of floats: exact round trips, rounding, limits, special values.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <wchar.h>

int main(void)
{
	char buf[64];
	CHECK(setlocale(LC_ALL, "C") != NULL);
	CHECK(strcmp(localeconv()->decimal_point, ".") == 0);
	const struct {
		const char *format, *want;
		double value;
	} table[] = {
		{"%f", "0.100000", 0.1},           {"%.17g", "0.10000000000000001", 0.1},
		{"%.0f", "2", 2.5},                {"%.0f", "4", 3.5},
		{"%e", "1.797693e+308", DBL_MAX},  {"%.3g", "4.94e-324", 4.94e-324},
		{"%a", "0x1.8p+1", 3.0},           {"%10.3f|", "    -3.142|", -3.14159},
		{"%+.1e", "+1.0e+10", 9.96e9},     {"%g", "1e-05", 0.00001},
		{"%f", "inf", INFINITY},           {"%F", "-INF", -INFINITY},
		{"%.20f", "0.10000000000000000555", 0.1},
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		snprintf(buf, sizeof buf, table[i].format, table[i].value);
		if (strcmp(buf, table[i].want) != 0) {
			fprintf(stderr, "%s gave %s, want %s\n", table[i].format, buf, table[i].want);
			return 1;
		}
	}
	unsigned seed = 4242;
	for (int i = 0; i < 20000; i++) {
		uint64_t bits = (uint64_t)random32(&seed) << 32 | random32(&seed);
		double value, back;
		memcpy(&value, &bits, 8);
		if (isfinite(value)) {
			snprintf(buf, sizeof buf, "%.17g", value);
			back = strtod(buf, NULL);
			CHECK_EQ(memcmp(&back, &value, 8), 0);
		}
	}
	char *end;
	CHECK(strtod("  -1.5e3xyz", &end) == -1500 && strcmp(end, "xyz") == 0);
	CHECK(strtod("0x1.fp3", NULL) == 15.5);
	CHECK(isnan(strtod("nan", NULL)) && strtod("-infinity", NULL) == -INFINITY);
	errno = 0;
	CHECK(strtod("1e999", NULL) == HUGE_VAL && errno == ERANGE);
	CHECK(strtof("16777217", NULL) == 16777216.0f);
	CHECK(strtol("-9223372036854775808", NULL, 10) == INT64_MIN && strtoul("ff", NULL, 16) == 255);
	CHECK(fabs(sin(1e6) + 0.34999350217129294) < 1e-15 && pow(2, 0.5) == sqrt(2));
	CHECK(nearbyint(2.5) == 2 && lround(2.5) == 3 && fmod(7.5, 2) == 1.5);
	wchar_t wide[16];
	CHECK(swprintf(wide, 16, L"%ls %.1f", L"wide", 1.5) == 8 && wcscmp(wide, L"wide 1.5") == 0);
	return success();
}
