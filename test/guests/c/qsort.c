// qsort, bsearch, string functions at page borders, and ctype tables.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <ctype.h>
#include <sys/mman.h>

static int compare(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;
	return (x > y) - (x < y);
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(void)
{
	enum { n = 50000, page = 4096 };
	static int values[n];
	static char text[n / 10][12], *sorted[n / 10];
	unsigned seed = 7;
	long long sum = 0;
	for (int i = 0; i < n; i++) {
		values[i] = (int)random32(&seed);
		sum += values[i];
	}
	qsort(values, n, sizeof *values, compare);
	for (int i = 0; i < n; i++) {
		sum -= values[i];
		CHECK(i == 0 || values[i - 1] <= values[i]);
	}
	CHECK_EQ(sum, 0);
	CHECK(bsearch(&values[777], values, n, sizeof *values, compare) != NULL);
	for (int i = 0; i < n / 10; i++) {
		snprintf(text[i], sizeof text[i], "%u", random32(&seed));
		sorted[i] = text[i];
	}
	qsort(sorted, n / 10, sizeof *sorted, compare_strings);
	for (int i = 1; i < n / 10; i++) {
		CHECK(strcmp(sorted[i - 1], sorted[i]) <= 0);
	}

	// Vector code may read past a string, but never into the next page.
	char *p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED && mprotect(p + page, page, PROT_NONE) == 0);
	for (size_t length = 0; length < 300; length++) {
		char *s = p + page - length - 1, copy[301];
		memset(s, 'a', length);
		s[length] = 0;
		CHECK_EQ(strlen(s), length);
		CHECK(strchr(s, 'b') == NULL && memchr(s, 0, length + 1) == s + length);
		CHECK(strrchr(s, 'a') == (length ? s + length - 1 : NULL));
		strcpy(copy, s);
		CHECK(strcmp(copy, s) == 0 && memcmp(copy, s, length + 1) == 0 && strstr(s, "ab") == NULL);
		memmove(s - 1, s, length + 1);
		CHECK_EQ(strnlen(s - 1, length), length);
	}
	CHECK(isalpha('x') && !isalpha('1') && toupper('q') == 'Q' && isspace('\t') && isxdigit('f'));
	char list[] = "a,b,,c", *save, *token = strtok_r(list, ",", &save);
	CHECK(strcmp(token, "a") == 0 && strcmp(strtok_r(NULL, ",", &save), "b") == 0);
	return success();
}
