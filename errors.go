package airlock

import (
	"errors"
	"fmt"
	"strings"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/elf"
	"github.com/airlockvm/airlock/internal/kvm"
)

// Errors that callers tell apart with [errors.Is].
var (
	// ErrNoHypervisor means that this machine can't run virtual machines, or that
	// this process may not: the error says why and what to do. "airlock doctor"
	// says more.
	ErrNoHypervisor = kvm.ErrNotAvailable
	// ErrClosed means that the sandbox or guest was closed.
	ErrClosed = errors.New("airlock: closed")
	// ErrPoisoned means that an earlier run ended in a fault, was cancelled or
	// broke the protocol, so that the state of the guest is unknown.
	ErrPoisoned = errors.New("airlock: sandbox is poisoned by an earlier failure")
	// ErrBusy means that the sandbox is running: it does one thing at a time.
	ErrBusy = errors.New("airlock: sandbox is busy")
	// ErrProtocol means that the guest sent something that no guest kernel sends.
	ErrProtocol = errors.New("airlock: guest broke the protocol")
	// ErrOutOfMemory means that the guest used up the memory of its sandbox. It
	// comes with a [*GuestFault]. Options.Memory gives more.
	ErrOutOfMemory = errors.New("out of memory")
	// ErrOptions means that the options given to [New] or [Sandbox.Run] can't be met.
	ErrOptions = errors.New("airlock: invalid options")
)

// GuestFormatError says why a guest file was refused. Its Reason is one of a
// fixed list, for errors.Is; its text says what is wrong, where, and what to do.
type GuestFormatError = elf.FormatError

// FaultKind is why a guest was stopped.
type FaultKind int

// The kinds of fault. Those up to FaultSignal happen to a program and are
// reported by the guest kernel; the others are seen by the host itself, when a
// guest goes around its kernel or breaks it.
const (
	// FaultInvalid is the zero FaultKind. No fault has it.
	FaultInvalid FaultKind = iota
	// FaultPage is an access to memory that is not mapped or not allowed: Access, Addr.
	FaultPage
	// FaultDivide is a division by zero, or one whose quotient is too large.
	FaultDivide
	// FaultOpcode is an instruction that doesn't exist.
	FaultOpcode
	// FaultProtection is a privileged instruction or a non-canonical address.
	FaultProtection
	// FaultBreakpoint is a breakpoint instruction without a debugger.
	FaultBreakpoint
	// FaultDebug is a single step without a debugger.
	FaultDebug
	// FaultFloat is an unmasked floating-point exception.
	FaultFloat
	// FaultAlignment is a misaligned access while the program asked to be told.
	FaultAlignment
	// FaultOutOfMemory means that the memory of the sandbox is used up.
	FaultOutOfMemory
	// FaultSignal means that the program was killed by a signal that it sent to
	// itself, for instance by abort(3): Signal.
	FaultSignal
	// FaultPort is a use of an I/O port that is no hypercall: Addr is the port.
	FaultPort
	// FaultPhysical is an access outside the memory buffer through page tables
	// that the guest changed: Addr is the guest-physical address.
	FaultPhysical
	// FaultTriple is a fault that the guest's own tables could not handle.
	FaultTriple
	// FaultHalt is a halt instruction in ring 0, where only the guest kernel's
	// stubs ever run.
	FaultHalt
	// FaultKernel means that the guest kernel found itself broken: a bug of it, or
	// a program that wrote over it. Detail says more.
	FaultKernel
	// FaultHypervisor means that KVM could not go on with the guest. Detail has
	// its reason.
	FaultHypervisor
)

var faultNames = map[FaultKind]string{
	FaultInvalid:     "invalid fault",
	FaultPage:        "page fault",
	FaultDivide:      "division by zero",
	FaultOpcode:      "invalid instruction",
	FaultProtection:  "general protection fault",
	FaultBreakpoint:  "breakpoint",
	FaultDebug:       "debug trap",
	FaultFloat:       "floating-point exception",
	FaultAlignment:   "misaligned access",
	FaultOutOfMemory: "out of memory",
	FaultSignal:      "killed by a signal",
	FaultPort:        "use of a forbidden I/O port",
	FaultPhysical:    "access outside guest memory",
	FaultTriple:      "triple fault",
	FaultHalt:        "halt",
	FaultKernel:      "guest kernel panic",
	FaultHypervisor:  "hypervisor failure",
}

// String names the kind in a few words.
func (k FaultKind) String() string {
	if name, ok := faultNames[k]; ok {
		return name
	}
	return fmt.Sprintf("unknown fault %d", int(k))
}

// faultKinds translates what the guest kernel reports.
var faultKinds = map[abi.FaultKind]FaultKind{
	abi.FaultInvalid:    FaultInvalid,
	abi.FaultPage:       FaultPage,
	abi.FaultDivide:     FaultDivide,
	abi.FaultOpcode:     FaultOpcode,
	abi.FaultProtection: FaultProtection,
	abi.FaultBreakpoint: FaultBreakpoint,
	abi.FaultDebug:      FaultDebug,
	abi.FaultFloat:      FaultFloat,
	abi.FaultAlignment:  FaultAlignment,
	abi.FaultMemory:     FaultOutOfMemory,
	abi.FaultSignal:     FaultSignal,
}

// Access is what a guest wanted to do with memory.
type Access int

// The ways to access memory.
const (
	// AccessNone means that the fault is not about memory.
	AccessNone Access = iota
	// AccessRead is a read.
	AccessRead
	// AccessWrite is a write.
	AccessWrite
	// AccessExec is an instruction fetch.
	AccessExec
)

// String returns "read", "write", "execute" or "none".
func (a Access) String() string {
	switch a {
	case AccessRead:
		return "read"
	case AccessWrite:
		return "write"
	case AccessExec:
		return "execute"
	case AccessNone:
	}
	return "none"
}

// GuestFault is the error of a guest that was stopped by what it did. All of it
// but Kind is what the guest's state said, for people to read: a hostile guest
// can make it say anything.
type GuestFault struct {
	// Kind is why the guest was stopped.
	Kind FaultKind
	// Access is what it wanted to do, if the fault is about memory.
	Access Access
	// Addr is the address, guest-physical address or port that it is about.
	Addr uint64
	// RIP is the address of the instruction, or 0 if it is not known.
	RIP uint64
	// Symbol is the function that RIP lies in and the offset there, such as
	// "main.main+0x1d", or empty if the guest's file has no symbols.
	Symbol string
	// Signal is the Linux signal that killed the program, or 0.
	Signal int
	// Thread is the guest's id of the thread, or 0.
	Thread int
	// Detail is more about it, in words, or empty.
	Detail string
}

// Error says what happened and where.
func (f *GuestFault) Error() string {
	var b strings.Builder
	b.WriteString("airlock: guest fault: ")
	b.WriteString(f.Kind.String())
	switch {
	case f.Kind == FaultPage || f.Kind == FaultPhysical:
		fmt.Fprintf(&b, ": %s of address %#x", f.Access, f.Addr)
	case f.Kind == FaultPort:
		fmt.Fprintf(&b, " %#x", f.Addr)
	case f.Kind == FaultSignal:
		fmt.Fprintf(&b, ": %s", signalName(f.Signal))
	}
	if f.Detail != "" {
		fmt.Fprintf(&b, ": %s", f.Detail)
	}
	if f.RIP != 0 {
		fmt.Fprintf(&b, " at %#x", f.RIP)
	}
	if f.Symbol != "" {
		fmt.Fprintf(&b, " in %s", f.Symbol)
	}
	return b.String()
}

// Is makes the fault of an exhausted memory equal to [ErrOutOfMemory].
func (f *GuestFault) Is(target error) bool {
	return target == ErrOutOfMemory && f.Kind == FaultOutOfMemory
}

var signalNames = [...]string{
	1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE",
	9: "SIGKILL", 10: "SIGUSR1", 11: "SIGSEGV", 12: "SIGUSR2", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM",
	16: "SIGSTKFLT", 17: "SIGCHLD", 18: "SIGCONT", 19: "SIGSTOP", 20: "SIGTSTP", 21: "SIGTTIN", 22: "SIGTTOU",
	23: "SIGURG", 24: "SIGXCPU", 25: "SIGXFSZ", 26: "SIGVTALRM", 27: "SIGPROF", 28: "SIGWINCH", 29: "SIGIO",
	30: "SIGPWR", 31: "SIGSYS",
}

func signalName(number int) string {
	if number > 0 && number < len(signalNames) {
		return signalNames[number]
	}
	return fmt.Sprintf("signal %d", number)
}
