/*
 * The functions of calls.c for those that Airlock is compared with: exported by
 * a WebAssembly module, or served by a process that reads requests from a pipe.
 *
 * A message of the process is its length in four bytes, a letter, and content.
 * Requests are 'e' for echo and 'a' for ask, answers 'r'; 'h' calls the host.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bytes {
	char *data;
	uint32_t size;
};

static struct bytes ask_host(struct bytes text);

static struct bytes echo(struct bytes text) { return text; }

static struct bytes ask(struct bytes text) { return ask_host(text); }

#ifdef __wasm__

__attribute__((import_module("host"), import_name("ask"))) uint32_t host_ask(char *data, uint32_t size);

static struct bytes ask_host(struct bytes text)
{
	text.size = host_ask(text.data, text.size);
	return text;
}

/* Where a result is, and how large. */
static uint64_t result(struct bytes text) { return (uint64_t)(uintptr_t)text.data << 32 | text.size; }

__attribute__((export_name("alloc"))) char *export_alloc(uint32_t size) { return malloc(size); }

__attribute__((export_name("echo"))) uint64_t export_echo(char *data, uint32_t size)
{
	return result(echo((struct bytes){data, size}));
}

__attribute__((export_name("ask"))) uint64_t export_ask(char *data, uint32_t size)
{
	return result(ask((struct bytes){data, size}));
}

#else

#define HEADER 5
#define LARGEST (2 << 20)

static char buffer[HEADER + LARGEST];

static void must(int right)
{
	if (!right)
		_exit(1);
}

/* Reads what comes first in a pipe whose other side waits for the answer: never more than one message. */
static char receive(struct bytes *text)
{
	size_t have = 0, want = HEADER;
	uint32_t size = 0;

	while (have < want) {
		ssize_t n = read(0, buffer + have, sizeof(buffer) - have);

		if (n == 0 && have == 0)
			_exit(0);
		must(n > 0);
		have += (size_t)n;
		if (have < HEADER)
			continue;
		memcpy(&size, buffer, sizeof(size));
		must(size <= LARGEST);
		want = HEADER + size;
	}
	*text = (struct bytes){buffer + HEADER, size};
	return buffer[4];
}

/* Writes a message, the content of which is in the buffer already. */
static void answer(char kind, struct bytes text)
{
	size_t done = 0, size = HEADER + text.size;

	memcpy(buffer, &text.size, sizeof(text.size));
	buffer[4] = kind;
	while (done < size) {
		ssize_t n = write(1, buffer + done, size - done);

		must(n > 0);
		done += (size_t)n;
	}
}

static struct bytes ask_host(struct bytes text)
{
	answer('h', text);
	must(receive(&text) == 'r');
	return text;
}

int main(void)
{
	for (;;) {
		struct bytes text;
		char kind = receive(&text);

		must(kind == 'e' || kind == 'a');
		answer('r', kind == 'e' ? echo(text) : ask(text));
	}
}

#endif
