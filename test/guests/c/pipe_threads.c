// Blocking pipes between threads: readers and writers wait for each other, and close wakes both.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>

enum { writers = 4, records = 5000 };
static int p[2];
static atomic_int state;

struct record {
	uint32_t writer, number, sum;
};

static void *write_records(void *arg)
{
	for (uint32_t i = 0; i < records; i++) {
		struct record r = {(uint32_t)(uintptr_t)arg, i, (uint32_t)(uintptr_t)arg * 1000003 + i};
		CHECK_EQ(write(p[1], &r, sizeof r), sizeof r); // atomic: smaller than PIPE_BUF
	}
	return arg;
}

static void *write_block(void *arg)
{
	CHECK_EQ(write(p[1], arg, 1 << 20), 1 << 20); // far more than fits
	CHECK_EQ(close(p[1]), 0);
	return arg;
}

static void *read_to_end(void *arg)
{
	char c;
	state = 1;
	CHECK_EQ(read(p[0], &c, 1), 0);
	state = 2;
	return arg;
}

static void *write_until_closed(void *arg)
{
	static char block[1 << 18];
	state = 1;
	ssize_t rc = write(p[1], block, sizeof block);
	CHECK(rc > 0 || errno == EPIPE);
	CHECK(rc < (ssize_t)sizeof block);
	CHECK_ERR(write(p[1], block, 1), EPIPE);
	state = 2;
	return arg;
}

int main(void)
{
	pthread_t t[writers];
	uint32_t next[writers] = {0};
	CHECK_EQ(pipe(p), 0);
	for (uintptr_t i = 0; i < writers; i++) {
		CHECK_EQ(pthread_create(&t[i], NULL, write_records, (void *)i), 0);
	}
	for (int i = 0; i < writers * records; i++) {
		struct record r;
		CHECK_EQ(read(p[0], &r, sizeof r), sizeof r);
		CHECK(r.writer < writers && r.number == next[r.writer]++ && r.sum == r.writer * 1000003 + r.number);
	}
	for (int i = 0; i < writers; i++) {
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	}

	static char block[1 << 20], got[1 << 20];
	for (size_t i = 0; i < sizeof block; i++) {
		block[i] = (char)(i % 251);
	}
	CHECK_EQ(pthread_create(&t[0], NULL, write_block, block), 0);
	size_t total = 0;
	ssize_t n;
	while ((n = read(p[0], got + total, 10007 < sizeof got - total ? 10007 : sizeof got - total + 1)) > 0) {
		total += n;
	}
	CHECK_EQ(total, sizeof block);
	CHECK_EQ(memcmp(got, block, sizeof block), 0);
	CHECK_EQ(pthread_join(t[0], NULL), 0);
	close(p[0]);

	CHECK_EQ(pipe(p), 0);
	CHECK_EQ(pthread_create(&t[0], NULL, read_to_end, NULL), 0);
	while (state == 0) {
		sleep_ms(1);
	}
	sleep_ms(10);
	CHECK_EQ(state, 1);
	CHECK_EQ(close(p[1]), 0); // wakes the reader
	CHECK_EQ(pthread_join(t[0], NULL), 0);
	close(p[0]);

	signal(SIGPIPE, SIG_IGN);
	CHECK_EQ(pipe(p), 0);
	CHECK_EQ(pthread_create(&t[0], NULL, write_until_closed, NULL), 0);
	while (state != 1) {
		sleep_ms(1);
	}
	sleep_ms(20);
	CHECK_EQ(state, 1);
	CHECK_EQ(close(p[0]), 0); // wakes the writer
	CHECK_EQ(pthread_join(t[0], NULL), 0);
	return success();
}
