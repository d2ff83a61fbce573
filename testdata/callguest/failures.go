package main

import (
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"github.com/airlockvm/airlock/guest"
)

// In fault_amd64.s.
func divide()
func opcode()
func privileged()
func out(port uint32)
func load(address uintptr)
func store(address uintptr)
func jump(address uintptr)
func recurse(stack uintptr)
func frame(stack uintptr)

var data = [16]byte{0xc3} // RET, where nothing may be executed

// exportFailures exports the ways to end badly that a program in any language
// has.
func exportFailures() {
	guest.Export("Abort", func(text string) { guest.Abort(text) })
	guest.Export("Panic", func(text string) { panic(text) })
	guest.Export("Exit", exit)
	for _, end := range []struct {
		name string
		fn   func()
	}{
		{"Divide", divide},
		{"Opcode", opcode},
		{"Privileged", privileged},
		{"Port", func() { out(0x3f8) }},
		{"ReadNull", func() { load(0) }},
		{"ReadUnmapped", func() { load(0x123456789000) }},
		{"ReadLastPage", func() { load(0x7ffffffff000) }},
		{"ReadUpperHalf", func() { load(0xfffffffffffff000) }},
		{"WriteCode", func() { store(**(**uintptr)(unsafe.Pointer(&codeOf))) }},
		{"ExecuteData", func() { jump(uintptr(unsafe.Pointer(&data))) }},
		{"StackRecursion", func() { recurse(newStack()) }},
		{"StackFrame", func() { frame(newStack()) }},
		{"Memory", func() { eat(0) }},
		{"Signal", func() { _ = syscall.Kill(syscall.Getpid(), syscall.SIGABRT) }},
	} {
		guest.Export(end.name, func() { undressed(end.fn) })
	}
	// With next to no memory left the end must still be told.
	guest.Export("AbortFull", func() { eat(keep); guest.Abort("no memory left") })
}

var codeOf = divide

// undressed calls fn without the signal handlers of Go's runtime, which make of
// a fault a panic or an exit code: so that the guest kernel sees what it sees of
// a program in C.
func undressed(fn func()) {
	runtime.LockOSThread()
	var none [4]uintptr // SIG_DFL, no flags, no restorer, no mask
	for _, sig := range []syscall.Signal{
		syscall.SIGILL, syscall.SIGTRAP, syscall.SIGABRT, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGSEGV,
	} {
		_, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&none)), 0, 8, 0, 0)
		if errno != 0 {
			guest.Abort("rt_sigaction: " + errno.Error())
		}
	}
	fn()
}

const (
	page  = 4096
	chunk = 1 << 20
	keep  = 512 << 10
)

// newStack returns the top of a stack of 64 KiB, below which 2 MiB can't be
// touched: what a thread library makes.
func newStack() uintptr {
	const size, guard = 64 << 10, 2 << 20
	start := mmap(guard+size, syscall.PROT_NONE)
	if _, _, errno := syscall.RawSyscall(syscall.SYS_MPROTECT, start+guard, size, syscall.PROT_READ|syscall.PROT_WRITE); errno != 0 {
		guest.Abort("mprotect: " + errno.Error())
	}
	return start + guard + size
}

func mmap(size, protection uintptr) uintptr {
	start, _, errno := syscall.RawSyscall6(syscall.SYS_MMAP, 0, size, protection,
		syscall.MAP_PRIVATE|syscall.MAP_ANONYMOUS, ^uintptr(0), 0)
	if errno != 0 {
		guest.Abort(fmt.Sprintf("mmap of %d bytes: %v", size, errno))
	}
	return start
}

// eat uses up memory, past Go's heap, until not more than rest bytes are left.
func eat(rest uint64) {
	for {
		start := mmap(chunk, syscall.PROT_READ|syscall.PROT_WRITE)
		for offset := uintptr(0); offset < chunk; offset += page {
			var info syscall.Sysinfo_t
			if err := syscall.Sysinfo(&info); rest > 0 && (err != nil || info.Freeram <= rest) {
				return
			}
			store(start + offset)
		}
	}
}
