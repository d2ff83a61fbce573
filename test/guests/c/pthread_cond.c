// Condition variables: a bounded queue between producers and consumers, and broadcast.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <pthread.h>

enum { producers = 3, consumers = 5, each = 5000, room = 4 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER, not_empty = PTHREAD_COND_INITIALIZER;
static pthread_cond_t gate = PTHREAD_COND_INITIALIZER;
static int queue[room], used, head, taken, arrived, opened;
static long long sum;

static void *produce(void *arg)
{
	for (int i = 1; i <= each; i++) {
		pthread_mutex_lock(&lock);
		while (used == room) {
			CHECK_EQ(pthread_cond_wait(&not_full, &lock), 0);
		}
		queue[(head + used++) % room] = i;
		pthread_cond_signal(&not_empty);
		pthread_mutex_unlock(&lock);
	}
	return arg;
}

static void *consume(void *arg)
{
	pthread_mutex_lock(&lock);
	for (;;) {
		while (used == 0 && taken < producers * each) {
			CHECK_EQ(pthread_cond_wait(&not_empty, &lock), 0);
		}
		if (used == 0) {
			break;
		}
		sum += queue[head];
		head = (head + 1) % room;
		used--;
		if (++taken == producers * each) {
			pthread_cond_broadcast(&not_empty);
		}
		pthread_cond_signal(&not_full);
	}
	pthread_mutex_unlock(&lock);
	return arg;
}

static void *wait_for_gate(void *arg)
{
	pthread_mutex_lock(&lock);
	arrived++;
	while (!opened) {
		CHECK_EQ(pthread_cond_wait(&gate, &lock), 0);
	}
	arrived--;
	pthread_mutex_unlock(&lock);
	return arg;
}

int main(void)
{
	pthread_t t[32];
	for (int i = 0; i < producers + consumers; i++) {
		CHECK_EQ(pthread_create(&t[i], NULL, i < producers ? produce : consume, NULL), 0);
	}
	for (int i = 0; i < producers + consumers; i++) {
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	}
	CHECK_EQ(taken, producers * each);
	CHECK_EQ(sum, producers * (long long)each * (each + 1) / 2);

	for (int i = 0; i < 32; i++) {
		CHECK_EQ(pthread_create(&t[i], NULL, wait_for_gate, NULL), 0);
	}
	for (int ready = 0; !ready;) {
		sleep_ms(1);
		pthread_mutex_lock(&lock);
		ready = arrived == 32;
		pthread_mutex_unlock(&lock);
	}
	pthread_mutex_lock(&lock);
	opened = 1;
	pthread_cond_broadcast(&gate);
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < 32; i++) {
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	}
	CHECK_EQ(arrived, 0);
	return success();
}
