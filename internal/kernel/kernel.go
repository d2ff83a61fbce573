package kernel

import _ "embed"

// Image is the guest kernel: an ELF file linked at the address that
// abi/airlock_abi.h gives it. It is built from src by build.sh and committed,
// so that users need no C compiler.
//
//go:embed kernel.elf
var Image []byte
