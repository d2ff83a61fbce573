/* From the first instruction to the program's. */
#include "airlock_abi.h"
#include "arch/descriptors.h"
#include "arch/fpu.h"
#include "arch/hypercall.h"
#include "exec.h"
#include "file/file.h"
#include "mm/pagetable.h"
#include "mm/pool.h"
#include "mm/space.h"
#include "sched/sched.h"
#include "signal/signal.h"
#include "sys/random.h"

_Noreturn void kernel_main(void);

void kernel_main(void)
{
	struct airlock_boot *boot = &control_page()->boot;

	descriptors_init();
	if (boot->magic != AIRLOCK_BOOT_MAGIC || boot->abi_version != AIRLOCK_ABI_VERSION)
		panic("the host speaks another ABI version");
	pool_init(&kernel_pool, boot->pool_start, boot->pool_end);
	pagetable_init(boot->page_table);
	extended_init();
	kernel_random_init();
	sched_init();
	space_init();
	signals_init();
	files_init();
	exec_program();
	sched_resume();
}
