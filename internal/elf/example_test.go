package elf_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/airlockvm/airlock/internal/elf"
)

// tinyProgram is a whole static program: two headers and code that exits.
func tinyProgram() []byte {
	code := []byte("\xb8\x3c\x00\x00\x00\x31\xff\x0f\x05") // mov $60, %eax; xor %edi, %edi; syscall
	const base, codeOff = 0x400000, 64 + 56
	size := uint64(codeOff + len(code))
	var file bytes.Buffer
	for _, field := range []any{
		[]byte("\x7fELF\x02\x01\x01"), make([]byte, 9), // 64-bit, little-endian
		uint16(2), uint16(62), uint32(1), uint64(base + codeOff), // executable, x86-64, entry point
		uint64(64), uint64(0), uint32(0), // one program header follows, no sections
		uint16(64), uint16(56), uint16(1), uint16(0), uint16(0), uint16(0),
		uint32(1), uint32(5), uint64(0), uint64(base), uint64(base), size, size, uint64(4096), // load, r-x
		code,
	} {
		if err := binary.Write(&file, binary.LittleEndian, field); err != nil {
			panic(err)
		}
	}
	return file.Bytes()
}

func ExampleParse() {
	im, err := elf.Parse(tinyProgram(), elf.Limits{UserEnd: 1 << 40})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%v, entry %#x, %d bytes of memory\n", im.Kind, im.Entry, im.Memory())
	for _, seg := range im.Segments {
		fmt.Printf("%#x-%#x %v, %d bytes from the file\n", seg.PageStart(), seg.PageEnd(), seg.Perm, len(seg.Data))
	}
	// Output:
	// exec, entry 0x400078, 4096 bytes of memory
	// 0x400000-0x401000 r-x, 129 bytes from the file
}

func ExampleParse_refused() {
	_, err := elf.Parse([]byte("MZ\x90\x00"), elf.Limits{UserEnd: 1 << 40})
	fmt.Println(errors.Is(err, elf.ErrMagic))
	fmt.Println(err)
	// Output:
	// true
	// elf: the file is not ELF but looks like a PE program for Windows; build with GOOS=linux GOARCH=amd64
}
