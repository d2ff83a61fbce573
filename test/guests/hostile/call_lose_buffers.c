// Unmaps, protects, replaces or moves the message buffers, and returns.
// call: Attack
// want: any
// args: unmap
// args: protect
// args: replace
// args: move
// args: everything
#include "attack.h"

static const char *attack(struct airlock_call *call, const char *how)
{
	struct airlock_info info = message_info();
	char *at = (char *)info.output;
	size_t size = info.output_size + info.input_size;
	(void)call;
	if (is(how, "unmap")) {
		munmap(at, size);
	} else if (is(how, "protect")) {
		mprotect(at, size, PROT_NONE);
	} else if (is(how, "replace")) {
		mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	} else if (is(how, "move")) {
		mremap(at, size, 2 * size, MREMAP_MAYMOVE);
	} else {
		munmap((void *)0x10000, 0x7f6f00000000);
	}
	return "done";
}
