/*
 * Finds symbols in a vDSO image, as the runtimes of programs do: by GNU hash
 * (Go's runtime/vdso_linux.go, glibc), by System V hash (older ones), and by
 * going through all of them (musl's src/internal/vdso.c).
 */
#ifndef VDSO_IMAGE_H
#define VDSO_IMAGE_H

#include <elf.h>

#include "test.h"

struct image {
	u8 *base;
	const Elf64_Sym *symbols;
	const char *strings;
	const u32 *hash, *gnu_hash;
	const Elf64_Versym *versions;
	const Elf64_Verdef *definitions;
};

static inline void read_dynamic(struct image *image, const Elf64_Dyn *entry)
{
	for (; entry->d_tag != DT_NULL; entry++) {
		const void *at = image->base + entry->d_un.d_ptr;

		switch (entry->d_tag) {
		case DT_SYMTAB:
			image->symbols = at;
			break;
		case DT_STRTAB:
			image->strings = at;
			break;
		case DT_HASH:
			image->hash = at;
			break;
		case DT_GNU_HASH:
			image->gnu_hash = at;
			break;
		case DT_VERSYM:
			image->versions = at;
			break;
		case DT_VERDEF:
			image->definitions = at;
			break;
		case DT_SONAME:
			break;
		case DT_NEEDED:
		case DT_RELA:
		case DT_REL:
		case DT_JMPREL:
		case DT_TEXTREL:
		case DT_INIT:
		case DT_INIT_ARRAY:
			test_fail(__FILE__, __LINE__, "the image needs a dynamic linker");
		}
	}
}

static inline struct image parse_image(u8 *base)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)base;
	const Elf64_Phdr *segments = (const Elf64_Phdr *)(base + header->e_phoff);
	struct image image = {.base = base};
	u32 loads = 0;

	CHECK(memcmp(header->e_ident, ELFMAG, SELFMAG) == 0);
	CHECK_EQUAL(header->e_type, ET_DYN);
	CHECK_EQUAL(header->e_machine, EM_X86_64);
	for (u32 i = 0; i < header->e_phnum; i++) {
		if (segments[i].p_type == PT_DYNAMIC)
			read_dynamic(&image, (const Elf64_Dyn *)(base + segments[i].p_offset));
		if (segments[i].p_type != PT_LOAD)
			continue;
		loads++;
		CHECK_EQUAL(segments[i].p_flags, PF_R | PF_X);
		CHECK_EQUAL(segments[i].p_offset, 0);
		CHECK_EQUAL(segments[i].p_vaddr, 0);
		CHECK_EQUAL(segments[i].p_memsz, segments[i].p_filesz);
	}
	CHECK_EQUAL(loads, 1);
	CHECK(image.symbols && image.strings && image.hash && image.gnu_hash && image.versions && image.definitions);
	return image;
}

static inline u32 sysv_hash(const char *name)
{
	u32 hash = 0;

	for (; *name; name++) {
		hash = (hash << 4) + (u8)*name;
		hash ^= (hash & 0xf0000000) >> 24;
		hash &= 0x0fffffff;
	}
	return hash;
}

static inline u32 gnu_hash(const char *name)
{
	u32 hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (u8)*name;
	return hash;
}

/* The index of a version, or -1. */
static inline int find_version(const struct image *image, const char *version)
{
	const Elf64_Verdef *definition = image->definitions;

	for (;;) {
		const Elf64_Verdaux *name = (const Elf64_Verdaux *)((const u8 *)definition + definition->vd_aux);

		if (!(definition->vd_flags & VER_FLG_BASE) && definition->vd_hash == sysv_hash(version) &&
		    strcmp(image->strings + name->vda_name, version) == 0)
			return definition->vd_ndx & 0x7fff;
		if (definition->vd_next == 0)
			return -1;
		definition = (const Elf64_Verdef *)((const u8 *)definition + definition->vd_next);
	}
}

/* The address of a symbol, if it is that name in that version. */
static inline void *match(const struct image *image, u32 index, const char *name, int version)
{
	const Elf64_Sym *symbol = &image->symbols[index];

	if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC || ELF64_ST_BIND(symbol->st_info) != STB_GLOBAL ||
	    symbol->st_shndx == SHN_UNDEF || strcmp(image->strings + symbol->st_name, name) != 0 ||
	    (image->versions[index] & 0x7fff) != version)
		return NULL;
	return image->base + symbol->st_value;
}

static inline void *find_by_gnu_hash(const struct image *image, const char *name, int version)
{
	u32 bucket_count = image->gnu_hash[0], first_symbol = image->gnu_hash[1], bloom_words = image->gnu_hash[2];
	const u32 *buckets = image->gnu_hash + 4 + bloom_words * 2;
	const u32 *chain = buckets + bucket_count;
	u32 hash = gnu_hash(name);

	for (u32 index = buckets[hash % bucket_count]; index >= first_symbol; index++) {
		u32 entry = chain[index - first_symbol];
		void *found = (entry | 1) == (hash | 1) ? match(image, index, name, version) : NULL;

		if (found || (entry & 1))
			return found;
	}
	return NULL;
}

static inline void *find_by_sysv_hash(const struct image *image, const char *name, int version)
{
	u32 bucket_count = image->hash[0];
	const u32 *buckets = image->hash + 2, *chain = buckets + bucket_count;

	for (u32 index = buckets[sysv_hash(name) % bucket_count]; index != 0; index = chain[index]) {
		void *found = match(image, index, name, version);

		if (found)
			return found;
	}
	return NULL;
}

/* musl goes through all symbols; their number is that of the chains. */
static inline void *find_by_scan(const struct image *image, const char *name, int version)
{
	for (u32 index = 0; index < image->hash[1]; index++) {
		void *found = match(image, index, name, version);

		if (found)
			return found;
	}
	return NULL;
}

#endif
