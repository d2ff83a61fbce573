// Package abi is the Go mirror of the contract between the host and the guest
// kernel, abi/airlock_abi.h.
//
// The constants and structs are in zabi.go, which is generated from the
// header; a test regenerates and compares it. What is read through these
// structs out of guest memory is untrusted: kinds may be out of range and
// lengths may lie.
package abi

import (
	"fmt"
	"unsafe"
)

//go:generate go run ./gen -header ../../abi/airlock_abi.h -o zabi.go

// Bytes is the memory of v: a view, not a copy.
func Bytes[T Layout](v *T) []byte {
	// Safety: T has no pointers and no padding that matters (Layout), and the
	// slice keeps v alive.
	return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v))
}

// Valid reports whether k is one of the kinds that a kernel may send.
func (k FaultKind) Valid() bool { return k > FaultInvalid && k <= FaultLast }

// String names the kind as error messages do.
func (k FaultKind) String() string {
	switch k {
	case FaultInvalid:
		return "invalid fault"
	case FaultPage:
		return "page fault"
	case FaultDivide:
		return "division by zero"
	case FaultOpcode:
		return "invalid instruction"
	case FaultProtection:
		return "general protection fault"
	case FaultBreakpoint:
		return "breakpoint"
	case FaultDebug:
		return "debug trap"
	case FaultFloat:
		return "floating-point exception"
	case FaultAlignment:
		return "misaligned access"
	case FaultMemory:
		return "out of memory"
	case FaultSignal:
		return "killed by a signal"
	}
	return fmt.Sprintf("unknown fault %d", uint32(k))
}

// BootOffsetSeed is where in Boot the seed is.
const BootOffsetSeed = uint64(unsafe.Offsetof(Boot{}.Seed))

// Valid reports whether a is one of the accesses that a kernel may send.
func (a Access) Valid() bool { return a <= AccessLast }

// String names the access as error messages do.
func (a Access) String() string {
	switch a {
	case AccessNone:
		return "none"
	case AccessRead:
		return "read"
	case AccessWrite:
		return "write"
	case AccessExec:
		return "execute"
	}
	return fmt.Sprintf("unknown access %d", uint32(a))
}

// Valid reports whether k is one of the kinds that a kernel may send.
func (k TraceKind) Valid() bool { return k > TraceInvalid && k <= TraceLast }

// String names the kind.
func (k TraceKind) String() string {
	switch k {
	case TraceInvalid:
		return "invalid"
	case TraceCall:
		return "call"
	case TraceUnknown:
		return "unknown"
	case TraceNoreturn:
		return "noreturn"
	case TraceSignal:
		return "signal"
	}
	return fmt.Sprintf("unknown trace %d", uint32(k))
}
