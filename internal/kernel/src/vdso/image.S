/* The vDSO as built from vdso.c, on pages of its own: programs get these pages mapped. */
	.section .vdso, "a"
	.balign	4096
	.globl	vdso_start, vdso_end
vdso_start:
	.incbin	"vdso.so"
	.balign	4096
vdso_end:

	.section .note.GNU-stack, "", @progbits
