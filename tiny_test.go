package airlock_test

import (
	"bytes"
	"encoding/binary"
)

// tinyExit is the smallest guest: an ELF file with one segment, whose code is
// exit_group(0).
var tinyExit = func() []byte {
	const base = 0x400000
	code := []byte{0x31, 0xff, 0xb8, 231, 0, 0, 0, 0x0f, 0x05} // xor edi,edi; mov eax,231; syscall
	size := uint64(64 + 56 + len(code))
	var b bytes.Buffer
	b.WriteString("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	for _, field := range []any{
		uint16(2), uint16(62), uint32(1), uint64(base + 64 + 56), uint64(64), uint64(0), uint32(0),
		uint16(64), uint16(56), uint16(1), uint16(64), uint16(0), uint16(0),
		uint32(1), uint32(5), uint64(0), uint64(base), uint64(base), size, size, uint64(4096),
	} {
		_ = binary.Write(&b, binary.LittleEndian, field) // a bytes.Buffer takes all
	}
	b.Write(code)
	return b.Bytes()
}()
