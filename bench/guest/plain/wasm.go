//go:build wasip1

package main

import (
	"strings"
	"unsafe"
)

// buffer is where the host puts arguments and finds results.
var buffer []byte

// address is where some bytes are in the module's memory, which has 32 bits.
func address(b []byte) uint32 { return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) } //nolint:gosec // G115: see above

//go:wasmimport host ask
func hostAsk(text unsafe.Pointer, size uint32) uint32

func askHost(text string) string {
	n := copy(buffer, text)
	answer := hostAsk(unsafe.Pointer(unsafe.SliceData(buffer)), uint32(n)) //nolint:gosec // G115: at most the buffer's size
	return string(buffer[:answer])
}

// result is where a result is, and how large.
func result(text string) uint64 {
	n := copy(buffer, text)
	return uint64(address(buffer))<<32 | uint64(n) //nolint:gosec // G115: a size
}

//go:wasmexport alloc
func exportAlloc(size uint32) uint32 {
	buffer = make([]byte, size)
	return address(buffer)
}

//go:wasmexport echo
func exportEcho(_, size uint32) uint64 { return result(echo(string(buffer[:size]))) }

//go:wasmexport ask
func exportAsk(_, size uint32) uint64 { return result(ask(string(buffer[:size]))) }

// settle allocates more than the heap holds before its first collection, as that
// of calls does.
//
//go:wasmexport settle
func exportSettle() {
	for range 16 << 20 / 64 {
		_ = strings.Repeat("x", 64)
	}
}

func main() {}
