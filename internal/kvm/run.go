package kvm

import (
	"encoding/binary"
	"errors"
	"sync/atomic"
	"unsafe"
)

// Run runs the guest until something happens that the host must handle, and
// returns what. A signal to the calling thread, which the Go runtime sends for
// its own reasons too, and RequestExit both give ExitIntr: look whether there
// is something to do, else run again.
//
// "The userspace must re-enter the guest with KVM_RUN" to complete ExitIO and
// ExitMMIO: until then the registers are between two instructions.
func (c *VCPU) Run() (ExitReason, error) {
	if _, err := ioctlOnce(c.fd, reqRun, 0); err != nil {
		if errors.Is(err, errInterrupted) {
			return ExitIntr, nil
		}
		return ExitUnknown, &Error{"KVM_RUN", err}
	}
	return ExitReason(c.run.exitReason), nil
}

// SetAtRun sets general registers, special registers and pending events, all at
// the start of the next Run, which fails if the kernel refuses them. It spares
// the three ioctls: each takes microseconds, because the kernel loads the
// virtual CPU's state for it.
func (c *VCPU) SetAtRun(regs *Regs, sregs *Sregs, events *VCPUEvents) {
	c.run.synced = syncRegs{*regs, *sregs, *events}
	c.run.dirtyRegs = syncX86Regs | syncX86Sregs | syncX86Events
	// What was said of the registers before. An interrupt that is injected now would be
	// replaced by the pending events.
	c.run.readyForIRQ = 0
}

// RequestExit makes Run return ExitIntr instead of entering the guest, until
// ClearExitRequest. It does not stop a guest that runs already: for that, send
// its thread a signal afterwards. Any goroutine may call it, but not after
// Close.
func (c *VCPU) RequestExit() { atomic.OrUint32(&c.run.in, runImmediateExit) }

// ClearExitRequest takes RequestExit back.
func (c *VCPU) ClearExitRequest() { atomic.AndUint32(&c.run.in, ^uint32(runImmediateExit)) }

// RequestInterruptWindow chooses whether Run returns ExitIRQWindowOpen as soon
// as the guest can take an interrupt.
func (c *VCPU) RequestInterruptWindow(on bool) {
	if on {
		atomic.OrUint32(&c.run.in, runRequestInterruptWindow)
		return
	}
	atomic.AndUint32(&c.run.in, ^uint32(runRequestInterruptWindow))
}

// ReadyForInterrupt reports whether the guest could take an interrupt when Run
// returned last: "userspace can inject".
func (c *VCPU) ReadyForInterrupt() bool { return c.run.readyForIRQ != 0 }

// InterruptFlag reports whether the guest had interrupts enabled when Run
// returned last.
func (c *VCPU) InterruptFlag() bool { return c.run.interruptFlag != 0 }

// Interrupt delivers an interrupt vector at the next Run. Only for a guest that
// is ReadyForInterrupt: the kernel does not check.
func (c *VCPU) Interrupt(vector uint8) error {
	i := interrupt{vector: uint32(vector)}
	return c.ioctl("KVM_INTERRUPT", reqInterrupt, unsafe.Pointer(&i))
}

// PortAccess is what ExitIO reports: an IN or OUT instruction.
type PortAccess struct {
	Port  uint16
	Size  uint8 // bytes: 1, 2 or 4
	Out   bool
	Count uint32 // repetitions of a string instruction, else 1
	Value uint32 // the first value of an OUT
}

// PortAccess decodes ExitIO.
func (c *VCPU) PortAccess() PortAccess {
	e := (*io)(unsafe.Pointer(&c.run.exit)) // Safety: io mirrors this union's member and is smaller
	p := PortAccess{Port: e.port, Size: e.size, Out: e.direction == ioOut, Count: e.count}
	if offset := e.dataOffset; p.Out && offset <= uint64(len(c.page)) {
		var value [4]byte
		copy(value[:min(int(p.Size), len(value))], c.page[offset:])
		p.Value = binary.LittleEndian.Uint32(value[:])
	}
	return p
}

// MemoryAccess is what ExitMMIO reports: an access to guest-physical memory
// that no slot backs.
type MemoryAccess struct {
	GPA   uint64
	Size  uint32
	Write bool
}

// MemoryAccess decodes ExitMMIO.
func (c *VCPU) MemoryAccess() MemoryAccess {
	e := (*mmio)(unsafe.Pointer(&c.run.exit)) // Safety: mmio mirrors this union's member and is smaller
	return MemoryAccess{GPA: e.physAddr, Size: e.length, Write: e.isWrite != 0}
}

// InternalError is what ExitInternalError reports: KVM could not go on.
type InternalError struct {
	// Suberror is one of the KVM_INTERNAL_ERROR_ constants: 1 is an instruction that
	// KVM can't emulate.
	Suberror uint32
	// Data is for people who know KVM's source.
	Data []uint64
}

// InternalError decodes ExitInternalError.
func (c *VCPU) InternalError() InternalError {
	e := (*internalError)(unsafe.Pointer(&c.run.exit)) // Safety: internalError mirrors this union's member and is smaller
	n := min(int(e.count), len(e.data))
	return InternalError{Suberror: e.suberror, Data: append([]uint64(nil), e.data[:n]...)}
}

// HardwareReason decodes ExitFailEntry and ExitUnknown: the processor's own
// code for what it did not like.
func (c *VCPU) HardwareReason() uint64 {
	e := (*failEntry)(unsafe.Pointer(&c.run.exit)) // Safety: failEntry mirrors this union's member and is smaller
	return e.reason
}
