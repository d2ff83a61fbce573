package elf

import (
	"fmt"
	"strings"
)

// foreignFormats are files that people give by mistake, by how they begin.
var foreignFormats = []struct{ magic, hint string }{
	{"#!", "a script; build a static program, or make the interpreter the guest and pass the script to it"},
	{"\xfe\xed\xfa\xce", hintMachO},
	{"\xfe\xed\xfa\xcf", hintMachO},
	{"\xce\xfa\xed\xfe", hintMachO},
	{"\xcf\xfa\xed\xfe", hintMachO},
	{"\xca\xfe\xba\xbe", "a universal Mach-O program for macOS (or a Java class); build with GOOS=linux GOARCH=amd64"},
	{"MZ", "a PE program for Windows; build with GOOS=linux GOARCH=amd64"},
	{"\x00asm", "a WebAssembly module; build a native program with GOOS=linux GOARCH=amd64"},
	{"\x1f\x8b", "gzip data; unpack it first"},
	{"PK\x03\x04", "a zip archive; unpack it first"},
	{"\xfd7zXZ\x00", "xz data; unpack it first"},
	{"\x28\xb5\x2f\xfd", "zstd data; unpack it first"},
	{"!<arch>\n", "a static library (ar archive); link it into a program with gcc -static"},
}

const hintMachO = "a Mach-O program for macOS; build with GOOS=linux GOARCH=amd64"

// checkMagic refuses what is not ELF, and says what it is if it can tell.
func checkMagic(file []byte) error {
	start := string(file[:min(len(file), 8)])
	if strings.HasPrefix(start, elfMagic) {
		return nil
	}
	if strings.HasPrefix(elfMagic, start) {
		return truncated(file)
	}
	for _, f := range foreignFormats {
		if strings.HasPrefix(start, f.magic) {
			return refuse(ErrMagic, "the file is not ELF but looks like %s", f.hint)
		}
	}
	return refuse(ErrMagic, "the file is not ELF: it begins with the bytes % x, not % x; "+
		"give a static Linux program for x86-64", start[:min(len(start), len(elfMagic))], elfMagic)
}

// osabiName names the operating system of an EI_OSABI value.
func osabiName(abi byte) string {
	switch abi {
	case 1:
		return "HP-UX"
	case 2:
		return "NetBSD"
	case 6:
		return "Solaris"
	case 7:
		return "AIX"
	case 9:
		return "FreeBSD"
	case 12:
		return "OpenBSD"
	case 255:
		return "no operating system"
	}
	return fmt.Sprintf("the unknown operating system %d", abi)
}

// machineName names the processor of an e_machine value, in the words of the
// tools that people build with.
func machineName(machine uint16) string {
	switch machine {
	case 0:
		return "no machine"
	case 2, 18, 43:
		return "sparc"
	case 3:
		return "32-bit x86 (386)"
	case 8:
		return "mips"
	case 20:
		return "32-bit powerpc"
	case 21:
		return "powerpc64"
	case 22:
		return "s390x"
	case 40:
		return "32-bit arm"
	case 50:
		return "itanium"
	case 183:
		return "aarch64"
	case 243:
		return "riscv"
	case 247:
		return "bpf"
	case 258:
		return "loongarch"
	}
	return fmt.Sprintf("the unknown processor %d", machine)
}
