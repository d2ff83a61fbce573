// Overwrites the control page that it shares with the host, then writes output and exits.
// want: any
// native: no
// args: 0x00
// args: 0xff
// args: 0x01
// args: 0x7f
// args: 0xaa
// args: random
// args: random 2
// args: random 3
#include "hostile.h"

int main(int argc, char **argv)
{
	sandbox_only();
	catch_faults();
	unsigned seed = argc > 2 ? strtoul(argv[2], NULL, 0) * 77773 : 4711;
	// Word by word first, so that each field is wrong while the others are right.
	for (volatile int word = 0; word < 512; word++) {
		volatile uint64_t *at = (uint64_t *)DIRECT_MAP + word, before = 0;
		if (SURVIVES(before = *at; fill_words(at, 8, argc > 1 ? argv[1] : "0xff", &seed))) {
			if (word % 16 == 0) {
				syscall(SYS_write, 1, "still there\n", 12);
			}
			(void)SURVIVES(*at = before);
		}
	}
	(void)SURVIVES(fill_words((void *)DIRECT_MAP, 4096, argc > 1 ? argv[1] : "0xff", &seed));
	syscall(SYS_write, 1, "output after the attack\n", 24);
	syscall(SYS_write, 2, "error after the attack\n", 23);
	char c;
	syscall(SYS_read, 0, &c, 1);
	syscall(SYS_exit_group, 77);
	return 0;
}
