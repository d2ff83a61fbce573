// Faults become panics that recover catches, with the right runtime.Error texts and addresses.
// want: exit 0
// stdout: SUCCESS
package main

import (
	"errors"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"unsafe"

	"github.com/airlockvm/airlock/test/guests/internal/check"
)

const badMemory = "invalid memory address or nil pointer dereference"

type big struct {
	pad   [3 << 20]byte
	field int
}

var (
	sink   int
	zero   int
	nilPtr *int
	nilBig *big
	nilMap map[string]int
	slice      = []int{1, 2, 3}
	any1   any = "text"
)

// at returns the address as a pointer, out of the sight of go vet.
func at(addr uintptr) *int {
	return *(**int)(unsafe.Pointer(&addr))
}

// catch runs f and returns what it panicked with.
func catch(f func()) (err runtime.Error) {
	defer func() {
		e, ok := recover().(error)
		check.That(ok, "no error was panicked with")
		check.That(errors.As(e, &err), "%v is not a runtime.Error", e)
	}()
	f()
	return nil
}

// faultAt checks that f panics with the given fault address.
func faultAt(addr uintptr, f func()) {
	err := catch(f)
	check.That(strings.Contains(err.Error(), badMemory), "%v", err)
	addressed, ok := err.(interface{ Addr() uintptr })
	check.That(ok, "%v has no address", err)
	check.Equal(addressed.Addr(), addr)
}

func main() {
	for _, c := range []struct {
		f    func()
		want string
	}{
		{func() { sink = *nilPtr }, badMemory},
		{func() { *nilPtr = 1 }, badMemory},
		{func() { sink = nilBig.field }, badMemory},
		{func() { var f func(); f() }, badMemory},
		{func() { sink = 1 / zero }, "integer divide by zero"},
		{func() { sink = 1 % zero }, "integer divide by zero"},
		{func() { nilMap["x"] = 1 }, "assignment to entry in nil map"},
		{func() { sink = slice[zero+3] }, "index out of range [3] with length 3"},
		{func() { slice = slice[:zero+9] }, "slice bounds out of range [:9] with capacity 3"},
		{func() { sink = any1.(int) }, "interface conversion: interface {} is string, not int"},
	} {
		for range 10 {
			err := catch(c.f)
			check.That(strings.Contains(err.Error(), c.want), "got %q, want %q", err, c.want)
		}
	}

	debug.SetPanicOnFault(true)
	const unmapped = 0x123456789000
	faultAt(unmapped, func() { sink = *at(unmapped) })
	faultAt(unmapped+8, func() { *at(unmapped + 8) = 1 })
	err := catch(func() { sink = *at(0x8000_0000_0000_0000) })
	check.That(strings.Contains(err.Error(), badMemory), "non-canonical: %v", err)

	page, mapErr := syscall.Mmap(-1, 0, 4096, syscall.PROT_READ, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	check.OK(mapErr)
	start := uintptr(unsafe.Pointer(&page[0]))
	faultAt(start+100, func() { page[100] = 1 })
	check.OK(syscall.Mprotect(page, syscall.PROT_NONE))
	faultAt(start+200, func() { sink = int(page[200]) })
	check.OK(syscall.Mprotect(page, syscall.PROT_READ|syscall.PROT_WRITE))
	page[100] = 1

	done := make(chan runtime.Error)
	go func() { done <- catch(func() { *nilPtr = 2 }) }()
	check.That(strings.Contains((<-done).Error(), badMemory), "fault in a goroutine")
	check.Success()
}
