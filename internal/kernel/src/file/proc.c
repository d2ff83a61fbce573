/* The texts of /proc, as far as runtimes and libcs read them: see proc(5). */
#include "file/proc.h"

#include <linux/mman.h>

#include "file/pseudo.h"
#include "lib/string.h"
#include "mm/pool.h"
#include "mm/space.h"
#include "mm/user.h"
#include "sched/thread.h"

static u64 arguments_start, arguments_end;

void proc_set_arguments(u64 start, u64 end)
{
	arguments_start = start;
	arguments_end = end;
}

void proc_cmdline(struct text *text)
{
	u64 size = arguments_end - arguments_start;

	if (size > 0 && user_readable(arguments_start, size))
		text_bytes(text, (const void *)arguments_start, size);
}

/* Nothing, if the thread has ended. */
static void put_name(struct text *text)
{
	const struct thread *thread = thread_find(text->thread);
	u64 length = 0;

	if (thread == NULL)
		return;
	while (length < sizeof(thread->name) && thread->name[length] != 0)
		length++;
	text_bytes(text, thread->name, length);
}

void proc_comm(struct text *text)
{
	put_name(text);
	text_put(text, "\n");
}

void proc_set_comm(u32 thread, const char *name, u64 length)
{
	struct thread *named = thread_find(thread);

	if (named == NULL)
		return;
	length = MIN(length, sizeof(named->name) - 1);
	memset(named->name, 0, sizeof(named->name));
	memcpy(named->name, name, length);
}

void proc_cpuinfo(struct text *text)
{
	text_put(text, "processor\t: 0\n"
	               "model name\t: Airlock virtual CPU\n"
	               "siblings\t: 1\n"
	               "cpu cores\t: 1\n"
	               "\n");
}

static u64 pages_in_use(void) { return kernel_pool.total_pages - pool_available(&kernel_pool); }

static void put_kilobytes(struct text *text, const char *label, u64 bytes)
{
	text_put(text, label);
	text_number(text, bytes / 1024);
	text_put(text, " kB\n");
}

void proc_meminfo(struct text *text)
{
	u64 available = pool_available(&kernel_pool) * PAGE_SIZE;

	put_kilobytes(text, "MemTotal:       ", kernel_pool.total_pages * PAGE_SIZE);
	put_kilobytes(text, "MemFree:        ", available);
	put_kilobytes(text, "MemAvailable:   ", available);
	put_kilobytes(text, "SwapTotal:      ", 0);
	put_kilobytes(text, "SwapFree:       ", 0);
}

void proc_status(struct text *text)
{
	text_put(text, "Name:\t");
	put_name(text);
	text_put(text, "\nState:\tR (running)\nTgid:\t");
	text_number(text, PROCESS_ID);
	text_put(text, "\nPid:\t");
	text_number(text, PROCESS_ID);
	text_put(text, "\nPPid:\t0\nTracerPid:\t0\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n");
	put_kilobytes(text, "VmSize:\t", user_regions.bytes);
	put_kilobytes(text, "VmRSS:\t", pages_in_use() * PAGE_SIZE);
	text_put(text, "Threads:\t");
	text_number(text, thread_count);
	text_put(text, "\n");
}

void proc_statm(struct text *text)
{
	text_number(text, user_regions.bytes / PAGE_SIZE);
	text_put(text, " ");
	text_number(text, pages_in_use());
	text_put(text, " 0 0 0 0 0\n");
}

/* 52 fields: those before num_threads, before vsize, and from rsslim on are of no use here. */
void proc_stat(struct text *text)
{
	text_number(text, PROCESS_ID);
	text_put(text, " (");
	put_name(text);
	text_put(text, ") R 0 2 2 0 -1 0 0 0 0 0 0 0 0 0 20 0 ");
	text_number(text, thread_count);
	text_put(text, " 0 0 ");
	text_number(text, user_regions.bytes);
	text_put(text, " ");
	text_number(text, pages_in_use());
	for (u32 i = 0; i < 28; i++)
		text_put(text, " 0");
	text_put(text, "\n");
}

static const char *name_of(const struct region *region)
{
	if (region->flags & REGION_STACK)
		return "[stack]";
	if (region->flags & REGION_FIXED)
		return region->prot & PROT_EXEC ? "[vdso]" : "[vvar]";
	if (region->flags & REGION_HEAP)
		return "[heap]";
	return region->flags & REGION_IMAGE ? PSEUDO_EXECUTABLE : "";
}

void proc_maps(struct text *text)
{
	struct region *region = regions_above(&user_regions, 0);

	for (; region != NULL && !text->done; region = regions_next(region)) {
		text_hex(text, region->start, 8);
		text_put(text, "-");
		text_hex(text, region->end, 8);
		text_put(text, region->prot & PROT_READ ? " r" : " -");
		text_put(text, region->prot & PROT_WRITE ? "w" : "-");
		text_put(text, region->prot & PROT_EXEC ? "x" : "-");
		text_put(text, region->flags & REGION_SHARED ? "s" : "p");
		text_put(text, " 00000000 00:00 0 ");
		text_put(text, name_of(region));
		text_put(text, "\n");
	}
}
