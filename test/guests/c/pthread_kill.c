// pthread_kill reaches the thread that it names; a signal to the process one that does not block it.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

enum { threads = 8 };
static pthread_t t[threads];
static atomic_int hits[threads], stop, ready;
static _Atomic pthread_t last;

static void handler(int sig)
{
	(void)sig;
	for (int i = 0; i < threads; i++) {
		if (pthread_equal(pthread_self(), t[i])) {
			hits[i]++;
		}
	}
	last = pthread_self();
}

static void *work(void *arg)
{
	size_t id = (size_t)arg;
	ready++;
	while (!stop) {
		if (id % 2) {
			sleep_ms(1);
		} // the others spin
	}
	return arg;
}

static void *sleeper(void *arg)
{
	struct timespec ts = {100, 0};
	ready++;
	CHECK_ERR(nanosleep(&ts, NULL), EINTR);
	return arg;
}

static void *taker(void *arg)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	CHECK_EQ(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
	ready++;
	while (!stop) {
		sleep_ms(1);
	}
	return arg;
}

int main(void)
{
	struct sigaction sa = {.sa_handler = handler};
	CHECK_EQ(sigaction(SIGUSR1, &sa, NULL), 0);
	CHECK_EQ(sigaction(SIGUSR2, &sa, NULL), 0);
	for (size_t i = 0; i < threads; i++) {
		CHECK_EQ(pthread_create(&t[i], NULL, work, (void *)i), 0);
	}
	while (ready < threads) {
		sleep_ms(1);
	}
	for (int round = 1; round <= 5; round++) {
		for (int i = 0; i < threads; i++) {
			CHECK_EQ(pthread_kill(t[i], SIGUSR1), 0);
		}
		for (int i = 0; i < threads; i++) {
			while (hits[i] < round) {
				sleep_ms(1);
			}
			CHECK_EQ(hits[i], round);
		}
	}
	stop = 1;
	for (int i = 0; i < threads; i++) {
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	}

	pthread_t s; // a long sleep ends early
	ready = 0;
	long long start = now_ms();
	CHECK_EQ(pthread_create(&s, NULL, sleeper, NULL), 0);
	while (!ready) {
		sleep_ms(1);
	}
	sleep_ms(5);
	CHECK_EQ(pthread_kill(s, 0), 0);
	CHECK_EQ(pthread_kill(s, SIGUSR1), 0);
	CHECK_EQ(pthread_join(s, NULL), 0);
	CHECK(now_ms() - start < 50000);

	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	CHECK_EQ(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
	ready = stop = 0;
	CHECK_EQ(pthread_create(&s, NULL, taker, NULL), 0);
	while (!ready) {
		sleep_ms(1);
	}
	last = pthread_self();
	CHECK_EQ(kill(getpid(), SIGUSR2), 0);
	while (pthread_equal(last, pthread_self())) {
		sleep_ms(1);
	}
	CHECK(pthread_equal(last, s));
	stop = 1;
	CHECK_EQ(pthread_join(s, NULL), 0);
	return success();
}
