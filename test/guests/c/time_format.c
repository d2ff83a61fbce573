// gmtime, timegm, strftime, strptime, localtime without zone files, mktime.
// want: exit 0
// stdout: SUCCESS
// env: TZ=UTC0
#include "check.h"

int main(void)
{
	time_t t = 1709251199; // 2024-02-29 23:59:59 UTC
	struct tm tm;
	char buf[64];
	CHECK(gmtime_r(&t, &tm) == &tm);
	CHECK(tm.tm_year == 124 && tm.tm_mon == 1 && tm.tm_mday == 29 && tm.tm_wday == 4 && tm.tm_yday == 59);
	CHECK(strftime(buf, sizeof buf, "%Y-%m-%dT%H:%M:%SZ %a %b %j", &tm) > 0);
	CHECK(strcmp(buf, "2024-02-29T23:59:59Z Thu Feb 060") == 0);
	CHECK_EQ(timegm(&tm), t);
	tm.tm_sec++; // normalises over the end of February
	CHECK_EQ(timegm(&tm), t + 1);
	CHECK(tm.tm_mon == 2 && tm.tm_mday == 1);
	CHECK(localtime_r(&t, &tm) == &tm && tm.tm_hour == 23 && tm.tm_isdst == 0);
	CHECK_EQ(mktime(&tm), t);
	memset(&tm, 0, sizeof tm);
	char *rest = strptime("1999-12-31 08:30:00 x", "%Y-%m-%d %H:%M:%S", &tm);
	CHECK(rest != NULL && strcmp(rest, " x") == 0);
	CHECK_EQ(timegm(&tm), 946629000);
	for (t = -3000000000; t < 5000000000; t += 12345678) {
		CHECK(gmtime_r(&t, &tm) != NULL && timegm(&tm) == t);
	}
	t = time(NULL);
	CHECK(gmtime_r(&t, &tm) != NULL && tm.tm_year >= 124 && tm.tm_year < 200);
	setenv("TZ", "EST5EDT,M3.2.0,M11.1.0", 1);
	tzset();
	t = 1720000000; // 2024-07-03 09:46:40 UTC
	CHECK(localtime_r(&t, &tm) == &tm && tm.tm_hour == 5 && tm.tm_isdst == 1);
	CHECK(difftime(10, 4) == 6.0);
	return success();
}
