// The initial stack: alignment, argv, envp and the auxiliary vector with what C libraries need of it.
// want: exit 0
// stdout: SUCCESS
// args: one two
// env: A=1 B=2
// pie: yes
#include "check.h"
#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <sys/auxv.h>

int main(int argc, char **argv, char **envp)
{
	// argv, envp and the vector lie behind each other, with argc before them.
	CHECK_EQ(argc, 3);
	CHECK_EQ(*(long *)((char *)argv - 8), 3);
	CHECK_EQ(((uintptr_t)argv - 8) % 16, 0);
	CHECK(envp == argv + argc + 1);
	char **p = envp;
	while (*p) {
		p++;
	}
	CHECK_EQ(p - envp, 2);
	const Elf64_auxv_t *aux = (const Elf64_auxv_t *)(p + 1);
	int entries = 0;
	for (; aux[entries].a_type != AT_NULL; entries++) {
		if (aux[entries].a_type != AT_HWCAP && aux[entries].a_type != AT_HWCAP2) { // glibc edits these
			CHECK_EQ(getauxval(aux[entries].a_type), aux[entries].a_un.a_val);
		}
	}
	CHECK(entries >= 8);

	CHECK_EQ(getauxval(AT_PAGESZ), 4096);
	CHECK_EQ(getauxval(AT_CLKTCK), 100);
	CHECK_EQ(getauxval(AT_SECURE), 0);
	CHECK(getauxval(AT_UID) == getuid() && getauxval(AT_EUID) == geteuid());
	CHECK(getauxval(AT_GID) == getgid() && getauxval(AT_EGID) == getegid());
	const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
	int nonzero = 0;
	CHECK(random != NULL);
	for (int i = 0; i < 16; i++) {
		nonzero += random[i] != 0;
	}
	CHECK(nonzero >= 8);
	const char *platform = (const char *)getauxval(AT_PLATFORM);
	CHECK(platform == NULL || strcmp(platform, "x86_64") == 0);

	const ElfW(Phdr) *phdr = (const void *)getauxval(AT_PHDR);
	size_t count = getauxval(AT_PHNUM);
	CHECK(phdr != NULL && count > 0 && getauxval(AT_PHENT) == sizeof *phdr);
	const ElfW(Ehdr) *ehdr = (const void *)((uintptr_t)phdr - sizeof *ehdr);
	CHECK(memcmp(ehdr->e_ident, ELFMAG, SELFMAG) == 0 && ehdr->e_phnum == count);
	uintptr_t base = getauxval(AT_ENTRY) - ehdr->e_entry; // 0 unless PIE
	int text = 0;
	for (size_t i = 0; i < count; i++) {
		uintptr_t from = base + phdr[i].p_vaddr;
		if (phdr[i].p_type == PT_LOAD && (uintptr_t)main >= from && (uintptr_t)main < from + phdr[i].p_memsz) {
			text = phdr[i].p_flags;
		}
	}
	CHECK_EQ(text, PF_R | PF_X);
	const char *vdso = (const char *)getauxval(AT_SYSINFO_EHDR);
	CHECK(vdso == NULL || memcmp(vdso, ELFMAG, SELFMAG) == 0);
	CHECK(getauxval(12345) == 0 && errno == ENOENT);
	return success();
}
