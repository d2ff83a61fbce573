// Package bootstate makes the register content with which a guest starts, and
// checks it against the rules of the processors' manuals.
//
// A guest starts where Linux would have brought it after booting: in 64-bit
// mode, paging on, in ring 3 at the guest kernel's entry. It is pure, because
// the checks are the point: KVM-PVM accepts nearly any state, Intel's
// processors accept only what follows dozens of rules.
package bootstate

import (
	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/kvm"
)

// State is everything about a virtual CPU that has to be set, beside CPUID.
type State struct {
	Regs  kvm.Regs
	Sregs kvm.Sregs
	MSRs  []kvm.MSR
	XCR0  uint64
}

// Debug are the debug registers of a guest at its start, which are those after a reset
// (SDM volume 3, "Processor State After Reset").
var Debug = kvm.DebugRegs{DR6: 0xffff0ff0, DR7: 0x400}

// causesDR6 are the bits of DR6 in which debug exceptions leave why they happened.
const causesDR6 = 0xe00f

// DebugUnused reports whether debug registers are as they were at the start, but for
// why there was a debug exception.
func DebugUnused(d kvm.DebugRegs) bool {
	d.DR6 &^= causesDR6
	return d == Debug
}

// Params are what differs between guests.
type Params struct {
	Kernel    abi.KernelInfo
	Entry     uint64 // first instruction
	PageTable uint64 // GPA of the top-level page table
	XCR0      uint64
	// KeepInterrupts says that SYSCALL must not disable interrupts, because IRETQ
	// would not enable them again: KVM-PVM, where both are emulated.
	KeepInterrupts bool
}

// RFLAGS bits.
const (
	flagReserved1 = 1 << 1 // always set
	flagIF        = 1 << 9
	flagIOPL3     = 3 << 12
)

// CR0, CR4 and EFER bits.
const (
	cr0PE = 1 << 0
	cr0MP = 1 << 1
	cr0ET = 1 << 4
	cr0NE = 1 << 5
	cr0WP = 1 << 16
	cr0AM = 1 << 18
	cr0NW = 1 << 29
	cr0CD = 1 << 30
	cr0PG = 1 << 31

	cr4PAE        = 1 << 5
	cr4OSFXSR     = 1 << 9
	cr4OSXMMEXCPT = 1 << 10
	cr4FSGSBASE   = 1 << 16
	cr4PCIDE      = 1 << 17
	cr4OSXSAVE    = 1 << 18
	cr4CET        = 1 << 23

	eferSCE  = 1 << 0
	eferLME  = 1 << 8
	eferLMA  = 1 << 10
	eferNXE  = 1 << 11
	eferSVME = 1 << 12
)

// Model-specific registers.
const (
	msrSTAR         = 0xc0000081
	msrLSTAR        = 0xc0000082
	msrCSTAR        = 0xc0000083
	msrSFMASK       = 0xc0000084
	msrKernelGSBase = 0xc0000102
)

// syscallFlagMask are the RFLAGS bits that SYSCALL clears, the same as on Linux:
// CF PF AF ZF SF TF IF DF OF IOPL NT RF AC ID. The stub runs without interrupts;
// the program's flags are in R11.
const syscallFlagMask = 0x257fd5

// apicBase is the reset value: where the (absent) APIC would be, enabled, this
// processor being the first.
const apicBase = 0xfee00000 | 1<<11 | 1<<8

// New makes the state of a guest that is about to execute its first
// instruction.
func New(p Params) State {
	var flagMask uint64 = syscallFlagMask
	if p.KeepInterrupts {
		flagMask &^= flagIF
	}
	return State{
		Regs: kvm.Regs{
			RIP:    p.Entry,
			RSP:    p.Kernel.Stack,
			RFLAGS: flagReserved1 | flagIF | flagIOPL3,
		},
		Sregs: sregs(p),
		MSRs: []kvm.MSR{
			{Index: msrSTAR, Data: starValue},
			{Index: msrLSTAR, Data: p.Kernel.SyscallStub},
			{Index: msrCSTAR},
			{Index: msrSFMASK, Data: flagMask},
			{Index: msrKernelGSBase},
		},
		XCR0: p.XCR0,
	}
}

// starValue is where SYSCALL and SYSRET take selectors from: the former CS from
// bits 32 and up and SS 8 above; the latter, which is not used, SS 8 and CS 16
// above what bits 48 and up hold.
const starValue = abi.Ring0CS<<32 | (abi.UserCS-16)<<48

// Segment descriptor types.
const (
	typeData = 3  // read, write, accessed
	typeCode = 11 // read, execute, accessed
	typeTSS  = 11 // 64-bit, busy
)

func sregs(p Params) kvm.Sregs {
	flat := kvm.Segment{Limit: 0xffffffff, Present: 1, DPL: 3, S: 1, G: 1}
	code, stack := flat, flat
	code.Selector, code.Type, code.L = abi.UserCS, typeCode, 1
	stack.Selector, stack.Type, stack.DB = abi.UserSS, typeData, 1

	// As in a Linux program, the other segment registers hold the null selector.
	null := kvm.Segment{Unusable: 1}

	s := kvm.Sregs{
		CS: code, SS: stack, DS: null, ES: null, FS: null, GS: null, LDT: null,
		TR: kvm.Segment{
			Selector: abi.TSSSelector, Base: p.Kernel.TSS, Limit: p.Kernel.TSSLimit,
			Type: typeTSS, Present: 1,
		},
		CR0:  cr0PE | cr0MP | cr0ET | cr0NE | cr0WP | cr0AM | cr0PG,
		CR3:  p.PageTable,
		CR4:  cr4PAE | cr4OSFXSR | cr4OSXMMEXCPT | cr4FSGSBASE | cr4OSXSAVE,
		EFER: eferSCE | eferLME | eferLMA | eferNXE,

		APICBase: apicBase,
	}
	s.GDT.Base, s.GDT.Limit = p.Kernel.GDT, uint16(p.Kernel.GDTLimit) //nolint:gosec // G115: checked by machine.NewImage
	s.IDT.Base, s.IDT.Limit = p.Kernel.IDT, uint16(p.Kernel.IDTLimit) //nolint:gosec // G115: checked by machine.NewImage
	return s
}
