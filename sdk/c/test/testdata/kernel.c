/*
 * The kernel of tests that run guests natively, under sanitizers: what a guest
 * sends goes to descriptor 4, what it gets comes from descriptor 3. The Go test
 * is the host.
 *
 * To the host: operation, length, message. From it: result, generation, length,
 * message. AIRLOCK_TEST_INFO has the fields of struct info that differ: ABI
 * version, serve, size of each buffer.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../../../abi/airlock_abi.h"

int64_t raw_system_call(int64_t number, const int64_t *arguments);

static uint8_t *output, *input;
static size_t buffer_size;
static uint64_t generation = 1;

static void transfer(ssize_t (*move)(int, void *, size_t), int descriptor, void *data, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = move(descriptor, (char *)data + done, size - done);

		if (n <= 0)
			_exit(77); /* the test has gone */
		done += (size_t)n;
	}
}

static ssize_t write_some(int descriptor, void *data, size_t size) { return write(descriptor, data, size); }

static int64_t exchange(int64_t operation, int64_t argument)
{
	uint32_t header[2] = {(uint32_t)operation, (uint32_t)argument};
	struct {
		int64_t result;
		uint64_t generation;
		uint64_t length;
	} answer;

	if (argument < 0 || (uint64_t)argument > buffer_size)
		abort();
	transfer(write_some, 4, header, sizeof(header));
	transfer(write_some, 4, output, (size_t)argument);
	transfer(read, 3, &answer, sizeof(answer));
	if (answer.length > buffer_size)
		abort();
	/* Whatever a guest still has of an earlier message is gone. */
	memset(output, 0xee, buffer_size);
	memset(input, 0xee, buffer_size);
	transfer(read, 3, input, answer.length);
	generation = answer.generation;
	return answer.result;
}

static int64_t give_info(struct airlock_info *info)
{
	unsigned int version = AIRLOCK_ABI_VERSION, serve = 1;
	const char *text = getenv("AIRLOCK_TEST_INFO");

	buffer_size = 64 << 10;
	if (text != NULL && sscanf(text, "%u %u %zu", &version, &serve, &buffer_size) != 3)
		return -38;                 /* as Linux answers */
	if (version != AIRLOCK_ABI_VERSION) /* a later kernel may have more to say */
		memset(info + 1, 0xee, 256 - sizeof(*info));
	output = malloc(buffer_size);
	input = malloc(buffer_size);
	info->abi_version = version;
	info->serve = serve;
	info->output = (uintptr_t)output;
	info->output_size = buffer_size;
	info->input = (uintptr_t)input;
	info->input_size = buffer_size;
	info->generation = (uintptr_t)&generation;
	return 0;
}

int64_t raw_system_call(int64_t number, const int64_t *a)
{
	if (number == AIRLOCK_SYSCALL && a[0] == AIRLOCK_OPERATION_INFO)
		return give_info((struct airlock_info *)(uintptr_t)a[1]);
	if (number == AIRLOCK_SYSCALL)
		return exchange(a[0], a[1]);
	if (number == SYS_mmap) /* where a sanitizer sees who goes beyond it */
		return (int64_t)(uintptr_t)calloc(1, (size_t)a[1]);
	return syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
