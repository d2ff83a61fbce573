package machine

import (
	"fmt"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/kvm"
)

// ExitKind is why Enter returned.
type ExitKind int

// The kinds of exit.
const (
	// ExitInvalid is the zero ExitKind. No exit has it.
	ExitInvalid ExitKind = iota
	// ExitHypercall is a call of the guest kernel: Port, one of the abi's.
	ExitHypercall
	// ExitCanceled means that the context given to Begin has ended.
	ExitCanceled
	// ExitPaused means that Pause was called, or that a launched guest went on for
	// too long while nobody waited for it.
	ExitPaused
	// ExitShutdown is a triple fault: the guest's trap handling is broken.
	ExitShutdown
	// ExitPhysical is an access to guest-physical memory that doesn't exist: GPA,
	// Size, Write.
	ExitPhysical
	// ExitPort is an access to a port that is not a hypercall: Port, Size, Write,
	// Count.
	ExitPort
	// ExitHalt is a HLT instruction in ring 0.
	ExitHalt
	// ExitInternal means that KVM can't go on, as a rule for an instruction that it
	// can't emulate: Reason, Data.
	ExitInternal
	// ExitFailEntry means that the processor refuses the guest's state: Reason.
	ExitFailEntry
	// ExitUnknown is anything else: Reason.
	ExitUnknown
)

// String names the kind.
func (k ExitKind) String() string {
	switch k {
	case ExitInvalid:
		return "invalid"
	case ExitHypercall:
		return "hypercall"
	case ExitCanceled:
		return "canceled"
	case ExitPaused:
		return "paused"
	case ExitShutdown:
		return "triple fault"
	case ExitPhysical:
		return "access outside memory"
	case ExitPort:
		return "access to a port"
	case ExitHalt:
		return "halt"
	case ExitInternal:
		return "KVM internal error"
	case ExitFailEntry:
		return "entry refused"
	case ExitUnknown:
		return "unknown exit"
	}
	return fmt.Sprintf("exit %d", int(k))
}

// Exit is one reason for which Enter returned. Which fields count depends on
// the kind.
//
// Guest-controlled: all but Kind, Reason and Data.
type Exit struct {
	Kind  ExitKind
	Write bool // the access is a write, or an OUT
	Port  uint16
	Size  uint32 // bytes of the access
	Count uint32 // repetitions of a string instruction
	Value uint32 // what an OUT wrote
	GPA   uint64
	// RIP is where the guest was, when KVM knows: not for hypercalls and other port
	// accesses, where the flavours disagree, nor after a triple fault. Of an
	// instruction that writes outside memory it may be the next one.
	RIP uint64
	// Reason is KVM's or the processor's own number for what happened.
	Reason uint64
	// Data is for people who know KVM's source.
	Data []uint64
}

// String describes the exit for an error message or a log.
func (e Exit) String() string {
	switch e.Kind {
	case ExitHypercall:
		return fmt.Sprintf("hypercall %#x", e.Port)
	case ExitPhysical:
		return fmt.Sprintf("%s of %d bytes at guest-physical address %#x, outside memory, near %#x", readOrWrite(e.Write), e.Size, e.GPA, e.RIP)
	case ExitPort:
		return fmt.Sprintf("%s of %d times %d bytes at port %#x, which is no hypercall", readOrWrite(e.Write), e.Count, e.Size, e.Port)
	case ExitHalt:
		return fmt.Sprintf("halt near %#x", e.RIP)
	case ExitInternal:
		return fmt.Sprintf("%s %d at %#x %#x", e.Kind, e.Reason, e.RIP, e.Data)
	case ExitFailEntry, ExitUnknown:
		return fmt.Sprintf("%s: reason %#x", e.Kind, e.Reason)
	case ExitInvalid, ExitCanceled, ExitPaused, ExitShutdown:
	}
	return e.Kind.String()
}

func readOrWrite(write bool) string {
	if write {
		return "write"
	}
	return "read"
}

// isHypercall reports whether an access is exactly what the contract says: one
// OUT of a 32-bit zero to a port that it names.
func isHypercall(p kvm.PortAccess) bool {
	if !p.Out || p.Size != 4 || p.Count != 1 || p.Value != 0 {
		return false
	}
	switch p.Port {
	case abi.PortExit, abi.PortFault, abi.PortPanic, abi.PortOutput, abi.PortInput, abi.PortWait, abi.PortTrace,
		abi.PortDeclare, abi.PortNext, abi.PortHost, abi.PortLog, abi.PortAbort:
		return true
	}
	return false
}

// decode turns what Run returned into an Exit.
func (m *Machine) decode(reason kvm.ExitReason) (Exit, error) {
	switch reason {
	case kvm.ExitIO:
		p := m.vcpu.PortAccess()
		e := Exit{Kind: ExitPort, Port: p.Port, Size: uint32(p.Size), Count: p.Count, Write: p.Out, Value: p.Value}
		if isHypercall(p) {
			e.Kind = ExitHypercall
		}
		return e, nil
	case kvm.ExitMMIO:
		a := m.vcpu.MemoryAccess()
		return m.locate(Exit{Kind: ExitPhysical, GPA: a.GPA, Size: a.Size, Write: a.Write})
	case kvm.ExitHLT:
		return m.locate(Exit{Kind: ExitHalt})
	case kvm.ExitShutdown:
		return Exit{Kind: ExitShutdown}, nil
	case kvm.ExitInternalError:
		i := m.vcpu.InternalError()
		return m.locate(Exit{Kind: ExitInternal, Reason: uint64(i.Suberror), Data: i.Data})
	case kvm.ExitFailEntry:
		return Exit{Kind: ExitFailEntry, Reason: m.vcpu.HardwareReason()}, nil
	case kvm.ExitUnknown:
		return Exit{Kind: ExitUnknown, Reason: m.vcpu.HardwareReason()}, nil
	case kvm.ExitException, kvm.ExitDebug, kvm.ExitIRQWindowOpen, kvm.ExitIntr, kvm.ExitSystemEvent,
		kvm.ExitX86RDMSR, kvm.ExitX86WRMSR, kvm.ExitMemoryFault:
	}
	return Exit{Kind: ExitUnknown, Reason: uint64(reason)}, nil
}

// locate adds where the guest was.
func (m *Machine) locate(e Exit) (Exit, error) {
	var r kvm.Regs
	if err := m.vcpu.GetRegs(&r); err != nil {
		return Exit{}, err
	}
	e.RIP = r.RIP
	return e, nil
}
