// printf, scanf, fgets and getline from stdin, buffering modes, memory streams, stderr.
// want: exit 0
// stdout: SUCCESS
// stdin: 12 -34 hello\nsecond line\n3.25 0x1f\nrest of it
// pie: yes
#include "check.h"

int main(void)
{
	int a, b;
	unsigned h;
	char word[32], line[64];
	double d;
	CHECK_EQ(scanf("%d %d %31s", &a, &b, word), 3);
	CHECK(a == 12 && b == -34 && strcmp(word, "hello") == 0);
	CHECK_EQ(getchar(), '\n');
	CHECK_EQ(ungetc('X', stdin), 'X');
	CHECK(fgets(line, sizeof line, stdin) != NULL && strcmp(line, "Xsecond line\n") == 0);
	CHECK_EQ(scanf("%lf %x ", &d, &h), 2);
	CHECK(d == 3.25 && h == 0x1f);
	char *last = NULL;
	size_t room = 0;
	CHECK_EQ(getline(&last, &room, stdin), 10);
	CHECK(strcmp(last, "rest of it") == 0);
	CHECK_EQ(getline(&last, &room, stdin), -1);
	CHECK(feof(stdin) && !ferror(stdin));
	free(last);

	char buf[200];
	volatile size_t four = 4;
	int n = snprintf(buf, sizeof buf, "%5d|%-5s|%05.1f|%#x|%c|%%|%lld|%zu|%p", 42, "ab", 2.25, 255,
	                 'z', -5000000000LL, sizeof buf, (void *)0x1000);
	CHECK(strcmp(buf, "   42|ab   |002.2|0xff|z|%|-5000000000|200|0x1000") == 0);
	CHECK_EQ(n, (int)strlen(buf));
	CHECK_EQ(snprintf(buf, four, "%s", "truncated"), 9);
	CHECK(strcmp(buf, "tru") == 0);
	CHECK(sscanf("2024-02-29T23:59", "%d-%d-%dT%[0-9:]", &a, &b, &n, word) == 4 && n == 29);

	char *text;
	size_t length;
	FILE *memory = open_memstream(&text, &length);
	for (int i = 0; i < 20000; i++) {
		fprintf(memory, "%d,", i);
	}
	CHECK_EQ(fclose(memory), 0);
	CHECK_EQ(length, 108890);
	FILE *in = fmemopen(text, length, "r");
	for (int i = 0; i < 20000; i++) {
		CHECK(fscanf(in, "%d,", &n) == 1 && n == i);
	}
	fclose(in);
	free(text);

	CHECK_EQ(setvbuf(stdout, NULL, _IOFBF, 1 << 16), 0);
	for (int i = 0; i < 5000; i++) {
		CHECK(printf("line %d of a longer output\n", i) > 0);
	}
	CHECK_EQ(fputs("to stderr, unbuffered\n", stderr) >= 0, 1);
	CHECK_EQ(fflush(NULL), 0);
	CHECK_EQ(dprintf(1, "%s\n", "unbuffered"), 11);
	CHECK(!isatty(0));
	return success();
}
