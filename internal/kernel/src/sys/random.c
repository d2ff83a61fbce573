/* getrandom(2), from the generator that the host has seeded. */
#include "sys/random.h"

#include <linux/random.h>

#include "arch/hypercall.h"
#include "lib/random.h"
#include "mm/user.h"

#define CALL_LIMIT (32u << 20) /* bytes of one call; longer ones end short */

static struct random generator;
static u64 seeded; /* the clock's generation when the generator got its last seed */

void kernel_random_init(void)
{
	const struct airlock_boot *boot = &control_page()->boot;

	random_seed(&generator, boot->seed);
	seeded = clock_page()->generation;
}

/*
 * A copy of this memory draws the same numbers, from the moment of the copy
 * until it gets a seed of its own. The host gives it one before it lets it run.
 */
void kernel_random(void *to, size_t size)
{
	if (seeded != clock_page()->generation)
		kernel_random_init();
	random_bytes(&generator, to, size);
}

i64 sys_getrandom(const u64 *arg)
{
	u64 size = MIN(arg[1], (u64)CALL_LIMIT);
	u32 flags = (u32)arg[2];

	if ((flags & ~(u32)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)) != 0 ||
	    (flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	if (!user_writable(arg[0], size))
		return -EFAULT;
	kernel_random((void *)arg[0], size);
	return (i64)size;
}
