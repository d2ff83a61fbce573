package guestmem

import "unsafe"

// Peek reads the host's memory at an offset from the buffer's start, inside or
// not.
//
//go:noinline
func Peek(m *Memory, offset int) byte {
	return *(*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(m.buf)), offset))
}
