package main

import (
	"bytes"
	"encoding/binary"
)

// tinyText is what the tiny guest writes.
const tinyText = "ok\n"

// tinyCode is the tiny guest: the shortest program that shows that a sandbox
// works. Its text follows the code.
var tinyCode = []byte{
	0xb8, 0x01, 0x00, 0x00, 0x00, // mov  $1, %eax        write
	0x89, 0xc7, //                   mov  %eax, %edi      to stdout
	0x48, 0x8d, 0x35, 0x10, 0, 0, 0, // lea 16(%rip), %rsi  the text
	0xba, 0x03, 0x00, 0x00, 0x00, // mov  $3, %edx        all of it
	0x0f, 0x05, //                   syscall
	0xb8, 0xe7, 0x00, 0x00, 0x00, // mov  $231, %eax      exit_group
	0x31, 0xff, //                   xor  %edi, %edi      with code 0
	0x0f, 0x05, //                   syscall
}

// tinyGuest returns the file of the tiny guest. It needs no compiler, and is as
// good a Linux program as a guest.
func tinyGuest() []byte { return smallELF(append(bytes.Clone(tinyCode), tinyText...)) }

// smallELF makes a program of position-independent code: one segment that holds
// the whole file, headers and all.
func smallELF(code []byte) []byte {
	const (
		base       = 0x400000
		headerSize = 64
		progSize   = 56
		progCount  = 2
		entry      = headerSize + progCount*progSize
		load       = 1
		gnuStack   = 0x6474e551
		read       = 4
		write      = 2
		exec       = 1
	)
	type header struct {
		Ident                           [16]byte
		Type, Machine                   uint16
		Version                         uint32
		Entry, ProgOff, SectionOff      uint64
		Flags                           uint32
		Size, ProgSize, ProgCount       uint16
		SectionSize, SectionCount, Name uint16
	}
	type prog struct {
		Type, Flags                        uint32
		Off, Addr, Phys, File, Memory, Pad uint64
	}
	size := uint64(entry + len(code))
	var b bytes.Buffer
	for _, part := range []any{
		header{
			Ident: [16]byte{0x7f, 'E', 'L', 'F', 2, 1, 1}, // 64-bit, little-endian, version 1
			Type:  2, Machine: 62, Version: 1,             // an executable for x86-64
			Entry: base + entry, ProgOff: headerSize,
			Size: headerSize, ProgSize: progSize, ProgCount: progCount,
		},
		prog{Type: load, Flags: read | exec, Addr: base, Phys: base, File: size, Memory: size, Pad: 0x1000},
		prog{Type: gnuStack, Flags: read | write, Pad: 16},
		code,
	} {
		_ = binary.Write(&b, binary.LittleEndian, part) // a Buffer takes everything
	}
	return b.Bytes()
}
