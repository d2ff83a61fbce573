/* Memory ahead of its first touch. */
#ifndef MM_PREPARE_H
#define MM_PREPARE_H

#include "mm/regions.h"

/* The program waits for calls from now on: gives pages to memory that it will soon use, now and at later faults. */
void memory_prepare(void);
/* The program will need [start, end), which is mapped (MADV_WILLNEED). */
void memory_advised(u64 start, u64 end);
/* A page of the region was touched for the first time: gives pages to what will be touched next. */
void memory_touched(const struct region *region, u64 page);

#endif
