// Package machine is one virtual machine with a guest in it: its memory and
// page tables, the state it boots with, and the loop that runs its processor
// until something happens that the host must see to.
//
// An [Image] is a kernel and a program laid out in memory, made once; a
// [Machine] is made from it with [New], started with [Machine.Boot], and run
// between [Machine.Begin] and [Machine.End] by calls of [Machine.Enter], each of
// which ends in an [Exit]. What an exit means for the
// guest is for the caller to decide: this package knows the ports but not what
// they are for.
package machine

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/guestmem"
	"github.com/airlockvm/airlock/internal/kvm"
	"github.com/airlockvm/airlock/internal/machine/bootstate"
	"github.com/airlockvm/airlock/internal/machine/cpuid"
	"github.com/airlockvm/airlock/internal/machine/pagetable"
)

// Config says what a machine is like.
type Config struct {
	// Memory is the bytes of memory, a multiple of abi.MemoryUnit.
	Memory uint64
	// OutputSize and InputSize are the bytes of the two message buffers at the end
	// of memory, multiples of abi.PageSize.
	OutputSize, InputSize uint64
	// JIT allows the guest to make anonymous memory executable.
	JIT bool
	// Trace asks the kernel to report system calls.
	Trace bool
}

// MaxMemory is the most memory that a machine may have: what fits below the
// addresses, from 4 GiB down, that KVM on Intel processors keeps for itself.
const MaxMemory = 0xfe000000

// tssAddr is where those are: the address that everyone uses.
const tssAddr = 0xfeffd000

// minPool is the least number of bytes that must be left for the guest.
const minPool = 256 << 10

var errConfig = errors.New("machine: invalid configuration")

// Machine is a virtual machine. Notify and Stop may be called from any goroutine; all
// other methods are for one goroutine at a time.
type Machine struct {
	image  *Image // nil if it was made from a snapshot
	config Config
	boot   abi.Boot // what Boot completes
	kernel abi.KernelInfo
	entry  uint64          // the kernel's first instruction; 0 if it was made from a snapshot
	state  bootstate.State // with which a guest starts
	tscKHz uint64

	memory *guestmem.Memory
	vm     *kvm.VM
	vcpu   *kvm.VCPU
	runner runner
	clock  clock

	// Guest-controlled: the words that host and guest share.
	tickWanted, tickPending, events guestmem.Word32

	begun  bool        // between Begin and End
	detach func() bool // ends the watch over the context; nil if it can't end

	hot  hot
	sent sent

	tracker    tracker
	generation uint64 // of the clock page: how often the guest was restored
	// suspect says that the guest did what takes ring 0.
	suspect bool
	// incomplete says that the last exit has to be completed by a run before the
	// registers are consistent.
	incomplete bool
	// replaceable says that registers may be replaced although it is incomplete. On
	// KVM-PVM a hypercall leaves nothing to complete, because its OUT was emulated to
	// the end; with hardware virtualisation the next run may still move RIP. The
	// run that would make sure costs as much there as a tenth of a call.
	replaceable bool
	pvm         bool
	// tripleFaults says that KVM can be told that none is pending.
	tripleFaults bool
	nested       bool // paging: see kvm.System.NestedPaging

	mu      sync.Mutex
	session session     // guarded by mu
	stopped bool        // guarded by mu: Stop was called
	closed  bool        // guarded by mu
	timer   *time.Timer // of the tick
	ticking bool        // guarded by mu: the timer runs

	// canceled and pause ask Enter to return.
	canceled, pause atomic.Bool

	// running says that a thread is in KVM_RUN or about to be.
	running atomic.Bool
	// tick asks Enter to inject the tick interrupt.
	tick atomic.Bool
}

// New makes a machine whose memory holds the image.
func New(sys *kvm.System, im *Image, config Config) (*Machine, error) {
	return newMachine(sys, im, config, chooseRunner(sys.KernelVersion()))
}

func newMachine(sys *kvm.System, im *Image, config Config, r runner) (*Machine, error) {
	m := &Machine{image: im, config: config, boot: im.boot, kernel: im.kernel, entry: im.entry, runner: r}
	if err := m.create(sys); err != nil {
		m.runner.close()
		return nil, errors.Join(err, m.destroy())
	}
	return m, nil
}

func (m *Machine) create(sys *kvm.System) error {
	if err := m.plan(); err != nil {
		return err
	}
	memory, err := guestmem.New(m.config.Memory, m.image.file)
	if err != nil {
		return err
	}
	m.memory = memory
	if err := m.shareWords(); err != nil {
		return err
	}
	if err := m.memory.PreferLargePages(m.boot.PoolStart, m.boot.PoolEnd); err != nil {
		return err
	}
	if err := m.writePhysmap(); err != nil {
		return err
	}
	if err := m.createVM(sys); err != nil {
		return err
	}
	if err := m.createVCPU(sys); err != nil {
		return err
	}
	return m.setState()
}

// plan checks the configuration and decides where in memory everything is.
func (m *Machine) plan() error {
	c := m.config
	switch {
	case c.Memory == 0 || c.Memory%abi.MemoryUnit != 0 || c.Memory > MaxMemory:
		return fmt.Errorf("%w: %d bytes of memory are not a multiple of %d up to %d",
			errConfig, c.Memory, uint64(abi.MemoryUnit), uint64(MaxMemory))
	case c.OutputSize == 0 || c.OutputSize%abi.PageSize != 0 || c.InputSize == 0 || c.InputSize%abi.PageSize != 0:
		return fmt.Errorf("%w: message buffers of %d and %d bytes are not whole pages", errConfig, c.OutputSize, c.InputSize)
	}
	start := m.image.Size() + pagetable.LinearTables(c.Memory)*abi.PageSize
	// Each is compared alone first, so that no sum can wrap.
	if c.OutputSize > c.Memory || c.InputSize > c.Memory || start+abi.StdioSize+c.OutputSize+c.InputSize+minPool > c.Memory {
		return fmt.Errorf("%w: %d bytes of memory are too few for the program (%d bytes) and its message buffers (%d)",
			errConfig, c.Memory, start, c.OutputSize+c.InputSize)
	}
	b := &m.boot
	b.MemorySize = c.Memory
	b.PoolStart = poolStart(start, c.Memory)
	b.InputSize = c.InputSize
	b.InputGPA = c.Memory - c.InputSize
	b.OutputSize = c.OutputSize
	b.OutputGPA = b.InputGPA - c.OutputSize
	b.StdioGPA = b.OutputGPA - abi.StdioSize
	b.PoolEnd = b.StdioGPA
	if c.JIT {
		b.Flags |= abi.BootJIT
	}
	if c.Trace {
		b.Flags |= abi.BootTrace
	}
	return nil
}

func (m *Machine) shareWords() error {
	var err error
	word := func(offset uint64) guestmem.Word32 {
		w, e := m.memory.Word32(abi.ControlGPA + offset)
		err = errors.Join(err, e)
		return w
	}
	m.tickWanted = word(abi.ControlOffsetTickWanted)
	m.tickPending = word(abi.ControlOffsetTickPending)
	m.events = word(abi.ControlOffsetEvents)
	m.clock.share(m.memory, word)
	m.hot.share(word)
	return err
}

func (m *Machine) createVM(sys *kvm.System) error {
	vm, err := sys.CreateVM()
	if err != nil {
		return err
	}
	m.vm = vm
	if sys.Flavour() == kvm.FlavourVMX {
		if err := vm.SetTSSAddr(tssAddr); err != nil {
			return err
		}
	}
	if err := vm.DenyMSRs(); err != nil {
		return err
	}
	if m.tripleFaults, err = vm.KeepTripleFaults(); err != nil {
		return err
	}
	return m.attachMemory()
}

func (m *Machine) attachMemory() error {
	r := kvm.MemoryRegion{Size: m.config.Memory, HostAddr: m.memory.HostAddr()}
	if m.tracker.base != nil {
		if err := m.vm.KeepDirtyLog(); err != nil {
			return err
		}
		r.Flags = kvm.MemLogDirtyPages
	}
	if err := m.vm.SetMemoryRegion(&r); err != nil {
		return err
	}
	m.tracker.logging = m.tracker.base != nil
	return nil
}

func (m *Machine) detachMemory() error { return m.vm.SetMemoryRegion(&kvm.MemoryRegion{}) }

func (m *Machine) createVCPU(sys *kvm.System) error {
	vcpu, err := m.vm.CreateVCPU(0)
	if err != nil {
		return err
	}
	m.vcpu = vcpu
	m.pvm, m.nested = sys.Flavour() == kvm.FlavourPVM, sys.NestedPaging()
	table, err := sys.GuestCPUID(cpuidFilter(sys))
	if err != nil {
		return err
	}
	if err := vcpu.SetCPUID(table); err != nil {
		return err
	}
	// The guest's time stamp counter is the host's, so that both compute the same
	// time from it.
	if err := vcpu.SetTSCOffset(0); err != nil {
		return err
	}
	if m.tscKHz, err = vcpu.TSCKHz(); err != nil {
		return err
	}
	m.boot.XCR0 = cpuid.GuestXCR0(table)
	m.state = bootstate.New(bootstate.Params{
		Kernel:    m.kernel,
		Entry:     m.entry,
		PageTable: m.boot.PageTable,
		XCR0:      m.boot.XCR0,
		// Its emulation of IRETQ in ring 0 restores all flags but this one.
		KeepInterrupts: m.pvm,
	})
	return nil
}

func cpuidFilter(sys *kvm.System) func([]kvm.CPUIDEntry) ([]kvm.CPUIDEntry, error) {
	if sys.Flavour() != kvm.FlavourPVM {
		return cpuid.Filter
	}
	return func(supported []kvm.CPUIDEntry) ([]kvm.CPUIDEntry, error) {
		return cpuid.Filter(cpuid.Native(supported, kvm.HostCPUID))
	}
}

// setState makes the next run start from the boot state.
func (m *Machine) setState() error {
	if err := m.vcpu.SetXCR0(m.state.XCR0); err != nil {
		return err
	}
	if err := m.vcpu.SetMSRs(m.state.MSRs); err != nil {
		return err
	}
	m.setAtRun(&m.state.Regs, &m.state.Sregs, noEvents)
	return nil
}

// setAtRun makes the next run begin with these registers and events.
func (m *Machine) setAtRun(regs *kvm.Regs, sregs *kvm.Sregs, events kvm.VCPUEvents) {
	// A triple fault may be pending that a signal has kept KVM from reporting.
	events.Flags &^= kvm.EventsTripleFault
	if events.TripleFaultPending = 0; m.tripleFaults {
		events.Flags |= kvm.EventsTripleFault
	}
	m.vcpu.SetAtRun(regs, sregs, &events)
}

// forget is for when memory has become that of another time.
func (m *Machine) forget() {
	m.hot.forget()
	m.sent.forget()
}

// noEvents says that nothing is pending or masked.
var noEvents = kvm.VCPUEvents{Flags: kvm.EventsNMIPending | kvm.EventsShadow}

// ErrNoImage means that a machine holds a snapshot, and no program to start.
var ErrNoImage = errors.New("machine: it holds a snapshot, not a program")

// Reset brings the machine back to what New made, whatever the guest did: its
// memory, its page tables and its registers. Not between Begin and End.
func (m *Machine) Reset() error {
	if m.image == nil || m.tracker.base != nil {
		return ErrNoImage
	}
	m.Pause()
	m.forget()
	if err := m.settle(); err != nil {
		return err
	}
	// Without nested paging KVM keeps its own copy of what the guest's page tables
	// say and does not see the host write to them. Only the slot's end throws the
	// copy away.
	if err := m.detachMemory(); err != nil {
		return err
	}
	if err := m.memory.Reset(); err != nil {
		return err
	}
	if err := m.writePhysmap(); err != nil {
		return err
	}
	if err := m.attachMemory(); err != nil {
		return err
	}
	// A guest that took over its ring 0 may have changed any register.
	debug := bootstate.Debug
	if err := m.vcpu.SetDebugRegs(&debug); err != nil {
		return err
	}
	if err := m.vcpu.SetXSave(&initialXSave); err != nil {
		return err
	}
	m.suspect = false
	m.tick.Store(false)
	m.vcpu.RequestInterruptWindow(false)
	return m.setState()
}

// pristine returns a page as it was before the guest's first instruction, as
// far as that is known.
func (m *Machine) pristine(gpa uint64) []byte {
	switch base := m.tracker.base; {
	case base == nil:
		return m.image.file.Page(gpa)
	case base.ring0 != nil:
		return base.memory.Page(gpa) // those that are asked for were checked
	}
	return nil
}

// Close ends the machine. Its memory and the kernel's part of it may outlive the
// call by a moment. Not between Begin and End.
func (m *Machine) Close() error {
	m.mu.Lock()
	done := m.closed
	m.closed = true
	if m.timer != nil {
		m.timer.Stop()
	}
	m.mu.Unlock()
	if done {
		return nil
	}
	m.Pause()
	m.runner.close()
	return m.destroyLater()
}
