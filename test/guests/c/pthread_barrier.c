// A barrier keeps eight threads in step for 500 rounds; semaphores and spin locks beside it.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

enum { threads = 8, rounds = 500 };
static pthread_barrier_t barrier;
static pthread_spinlock_t spin;
static sem_t sem;
static atomic_int serials;
static int arrivals[rounds], in_section;

static void *work(void *arg)
{
	for (int r = 0; r < rounds; r++) {
		pthread_spin_lock(&spin);
		arrivals[r]++;
		pthread_spin_unlock(&spin);
		int rc = pthread_barrier_wait(&barrier);
		CHECK(rc == 0 || rc == PTHREAD_BARRIER_SERIAL_THREAD);
		serials += rc != 0;
		CHECK_EQ(arrivals[r], threads);
		CHECK_EQ(sem_wait(&sem), 0);
		pthread_spin_lock(&spin);
		CHECK(++in_section <= 2);
		pthread_spin_unlock(&spin);
		pthread_spin_lock(&spin);
		in_section--;
		pthread_spin_unlock(&spin);
		CHECK_EQ(sem_post(&sem), 0);
	}
	return arg;
}

int main(void)
{
	pthread_t t[threads];
	CHECK_EQ(pthread_barrier_init(&barrier, NULL, threads), 0);
	CHECK_EQ(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE), 0);
	CHECK_EQ(sem_init(&sem, 0, 2), 0);
	for (int i = 0; i < threads; i++) {
		CHECK_EQ(pthread_create(&t[i], NULL, work, NULL), 0);
	}
	for (int i = 0; i < threads; i++) {
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	}
	CHECK_EQ(serials, rounds);
	int value;
	CHECK(sem_getvalue(&sem, &value) == 0 && value == 2);
	CHECK_EQ(sem_trywait(&sem), 0);
	CHECK_EQ(sem_trywait(&sem), 0);
	CHECK_ERR(sem_trywait(&sem), EAGAIN);
	CHECK_EQ(pthread_barrier_destroy(&barrier), 0);
	return success();
}
