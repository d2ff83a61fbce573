/*
 * The model that the regions are tested against: one entry for each page.
 * Slow and obvious.
 */
#ifndef REGIONS_MODEL_H
#define REGIONS_MODEL_H

#include "mm/regions.h"

#include "test.h"

#define MODEL_PAGES 4096u

struct model_page {
	bool mapped;
	u32 prot, flags;
};

struct model {
	u64 low; /* address of the first page */
	u32 pages;
	struct model_page page[MODEL_PAGES];
};

static inline u64 model_address(const struct model *model, u32 page) { return model->low + page * PAGE_SIZE; }

static inline u64 model_high(const struct model *model) { return model_address(model, model->pages); }

static inline bool model_is_free(const struct model *model, u32 first, u32 end)
{
	for (u32 i = first; i < end; i++)
		if (model->page[i].mapped)
			return false;
	return true;
}

static inline bool model_is_covered(const struct model *model, u32 first, u32 end)
{
	for (u32 i = first; i < end; i++)
		if (!model->page[i].mapped)
			return false;
	return true;
}

static inline void model_map(struct model *model, u32 first, u32 end, u32 prot, u32 flags)
{
	for (u32 i = first; i < end; i++)
		model->page[i] = (struct model_page){.mapped = true, .prot = prot, .flags = flags};
}

static inline void model_unmap(struct model *model, u32 first, u32 end)
{
	for (u32 i = first; i < end; i++)
		model->page[i] = (struct model_page){0};
}

static inline void model_protect(struct model *model, u32 first, u32 end, u32 prot)
{
	for (u32 i = first; i < end; i++)
		if (model->page[i].mapped)
			model->page[i].prot = prot;
}

static inline u64 model_find_gap(const struct model *model, u64 size, u64 low, u64 limit)
{
	u64 pages = page_up(size) / PAGE_SIZE;

	if (size == 0 || pages > model->pages)
		return 0;
	for (u32 first = model->pages - (u32)pages + 1; first-- > 0;) {
		u64 address = model_address(model, first);

		if (address >= low && address + pages * PAGE_SIZE <= limit &&
		    model_is_free(model, first, first + (u32)pages))
			return address;
	}
	return 0;
}

/* The end of the run of equal pages that begins at first. */
static inline u32 model_run_end(const struct model *model, u32 first)
{
	const struct model_page *a = &model->page[first];
	u32 end = first + 1;

	while (end < model->pages && model->page[end].mapped == a->mapped && model->page[end].prot == a->prot &&
	       model->page[end].flags == a->flags)
		end++;
	return end;
}

#endif
