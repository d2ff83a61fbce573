/* A guest whose threads call the host and log, while its handler returns a text piece by piece. */
#include <pthread.h>
#include <string.h>

#include "airlock_guest.h"

enum {
	THREADS = 4,
	ROUNDS = 200
};

static const struct airlock_import echo = {"Echo.string", AIRLOCK_STRING, {AIRLOCK_STRING}};
static int failures;

static void *work(void *argument)
{
	const char *word = (const char *)argument;
	struct airlock_value result, value = airlock_value_string(airlock_text(word));
	char memory[32];

	for (int i = 0; i < ROUNDS; i++) {
		if (airlock_call_host(&echo, &value, &result, memory, sizeof(memory)) != AIRLOCK_OK ||
		    strcmp(result.as.string.data, word) != 0)
			__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
		if (i % 10 == 0 && !airlock_log(AIRLOCK_LOG_INFO, "threads", word))
			__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void run(struct airlock_call *call)
{
	static char words[THREADS][16] = {"first", "second, longer", "third", "fourth"};
	struct airlock_string text = airlock_argument_string(call, 0);
	pthread_t threads[THREADS];

	for (size_t i = 0; i < THREADS; i++) {
		if (pthread_create(&threads[i], NULL, work, words[i]) != 0) {
			airlock_return_error(call, "pthread_create");
			return;
		}
	}
	airlock_return_string(call, airlock_text(""));
	for (int i = 0; i < ROUNDS; i++)
		airlock_append_string(call, text);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	if (__atomic_load_n(&failures, __ATOMIC_RELAXED) != 0)
		airlock_return_error(call, "a thread failed");
}

int main(void)
{
	static const struct airlock_function functions[] = {{"Run", AIRLOCK_STRING, {AIRLOCK_STRING}, run}};
	static const struct airlock_import *const imports[] = {&echo};
	static const struct airlock_program program = {functions, 1, imports, 1, NULL};

	airlock_serve(&program);
}
