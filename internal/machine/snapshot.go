package machine

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/guestmem"
	"github.com/airlockvm/airlock/internal/kvm"
	"github.com/airlockvm/airlock/internal/machine/bootstate"
	"github.com/airlockvm/airlock/internal/machine/ring0"
)

// Snapshot is the whole state of a machine at a moment. It doesn't change, and
// any number of machines may be made from it or brought back to it, at the same
// time too.
//
// Guest-controlled: the content of memory and registers, as far as the kernel
// lets a guest set them.
type Snapshot struct {
	memory *guestmem.File
	closed atomic.Bool
	config Config
	boot   abi.Boot
	kernel abi.KernelInfo
	cpu    CPU
	clock  clockBase
	// generation is that of the clock page in memory.
	generation uint64
	stored     *stored // nil unless it is from disk
	// ring0 are the pages that decide what runs in ring 0, or nil if that is not
	// what the kernel made it.
	ring0 []uint64

	// warm are the pages that machines of it write to first; nil until one has.
	warm atomic.Pointer[[]uint64]
}

// CPU is the state of a virtual processor.
type CPU struct {
	bootstate.State
	Events kvm.VCPUEvents
	XSave  kvm.XSave
	Debug  kvm.DebugRegs
}

// Memory returns the bytes of memory that machines of this snapshot have.
func (s *Snapshot) Memory() uint64 { return s.config.Memory }

// Config returns what the snapshot's machines are like.
func (s *Snapshot) Config() Config { return s.config }

// Size returns the bytes of memory content that the snapshot holds.
func (s *Snapshot) Size() uint64 { return s.memory.Size() }

// Close lets go of the snapshot. Machines that were made from it live on.
// Closing again does nothing.
func (s *Snapshot) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	return s.memory.Close()
}

// ErrSnapshotClosed means that no machine can be made from a snapshot, or
// restored to it, any more.
var ErrSnapshotClosed = errors.New("machine: the snapshot is closed")

// hold keeps the snapshot's memory until the function that it returns is called.
func (s *Snapshot) hold() (release func(), err error) {
	if s.closed.Load() || !s.memory.Retain() {
		return nil, ErrSnapshotClosed
	}
	return func() { _ = s.memory.Close() }, nil
}

// Snapshot captures the machine. Not between Begin and End.
func (m *Machine) Snapshot() (*Snapshot, error) {
	if err := m.settle(); err != nil {
		return nil, err
	}
	s := &Snapshot{config: m.config, boot: m.boot, kernel: m.kernel, clock: m.clock.clockBase}
	if err := m.readCPU(&s.cpu); err != nil {
		return nil, err
	}
	if broken := bootstate.Violations(&s.cpu.State); len(broken) > 0 {
		return nil, fmt.Errorf("machine: the guest's registers are not a state that every processor takes: %s", broken[0].Text)
	}
	var err error
	if s.memory, err = m.memory.Capture("airlock-snapshot"); err != nil {
		return nil, err
	}
	s.generation = m.generation
	s.findRing0(m.pristine, &m.state)
	return s, nil
}

// findRing0 looks what decides over ring 0.
func (s *Snapshot) findRing0(pristine func(gpa uint64) []byte, boot *bootstate.State) {
	s.ring0 = ring0.Pages(&ring0.State{
		Page:     s.memory.Page,
		Memory:   s.config.Memory,
		Pristine: pristine,
		Kernel:   s.kernel,
		CPU:      s.cpu.State,
		Boot:     *boot,
		Debug:    s.cpu.Debug,
	})
}

// Trusted reports whether ring 0 of the snapshot is as the guest kernel made it,
// so that restoring it can be quick.
func (s *Snapshot) Trusted() bool { return s.ring0 != nil }

// readCPU reads the processor's state. Preconditions: settled.
func (m *Machine) readCPU(c *CPU) error {
	c.MSRs = append([]kvm.MSR(nil), m.state.MSRs...) // their numbers
	var err error
	c.XCR0, err = m.vcpu.XCR0()
	defer useLegacy(&c.XSave)
	return errors.Join(err, m.vcpu.GetRegs(&c.Regs), m.vcpu.GetSregs(&c.Sregs), m.vcpu.GetMSRs(c.MSRs),
		m.vcpu.GetEvents(&c.Events), m.vcpu.GetXSave(&c.XSave), m.vcpu.GetDebugRegs(&c.Debug))
}

// dr6SingleStep is the one bit of a debug register that a guest can set from
// ring 3, by a single step, and only ring 0 can clear.
const dr6SingleStep = 1 << 14

// writeCPU makes the next run start from a state. Unless all is set, only what a
// guest in ring 3 can change is written. That doesn't include the debug
// registers, because what it could set in them is set already.
func (m *Machine) writeCPU(c *CPU, all bool) error {
	if all {
		debug := c.Debug
		debug.DR6 |= dr6SingleStep
		if err := errors.Join(m.vcpu.SetXCR0(c.XCR0), m.vcpu.SetMSRs(c.MSRs), m.vcpu.SetDebugRegs(&debug)); err != nil {
			return err
		}
	}
	if err := m.vcpu.SetXSave(&c.XSave); err != nil {
		return err
	}
	m.setAtRun(&c.Regs, &c.Sregs, c.Events)
	m.incomplete, m.replaceable = true, true // the next run takes them over
	m.tick.Store(false)
	m.vcpu.RequestInterruptWindow(false)
	return nil
}

// NewFromSnapshot makes a machine that stands where the snapshot was taken. The
// seed is randomness that nobody else gets.
func NewFromSnapshot(sys *kvm.System, s *Snapshot, seed [32]byte) (*Machine, error) {
	release, err := s.hold()
	if err != nil {
		return nil, err
	}
	defer release()
	m := &Machine{config: s.config, boot: s.boot, kernel: s.kernel, runner: chooseRunner(sys.KernelVersion())}
	if err := m.createFrom(sys, s, seed); err != nil {
		m.runner.close()
		return nil, errors.Join(err, m.destroy())
	}
	return m, nil
}

func (m *Machine) createFrom(sys *kvm.System, s *Snapshot, seed [32]byte) error {
	memory, err := guestmem.New(s.config.Memory, s.memory)
	if err != nil {
		return err
	}
	m.memory = memory
	m.follow(s)
	if err := m.shareWords(); err != nil {
		return err
	}
	if warm := s.warmPages(); warm != nil {
		if err := m.memory.PrefaultPages(*warm); err != nil {
			return err
		}
	}
	if err := m.createVM(sys); err != nil {
		return err
	}
	if err := m.createVCPU(sys); err != nil {
		return err
	}
	if err := m.writeCPU(&s.cpu, true); err != nil {
		return err
	}
	return m.awake(s, seed)
}

const seedGPA = abi.ControlGPA + abi.ControlOffsetBoot + abi.BootOffsetSeed

// awake makes the guest notice, before it runs, that it was restored: it gets
// the time, and a new seed with the next generation. It writes to the control and
// the clock page, so that the next restore reverts these in any case, also where
// the host has stored single words in them, which nobody notes.
func (m *Machine) awake(s *Snapshot, seed [32]byte) error {
	m.clock.clockBase = s.clockOn(m.tscKHz)
	m.generation = s.generation + 1
	m.clock.generation = m.generation
	if err := m.memory.CopyIn(seedGPA, seed[:]); err != nil {
		return err
	}
	return m.clock.write()
}

func (s *Snapshot) warmPages() *[]uint64 { return s.warm.Load() }

// Difference says in what two snapshots differ, but for the control and clock
// pages, which the host writes to. It is empty if in nothing. It is for tests.
func (s *Snapshot) Difference(other *Snapshot) string {
	for gpa := uint64(abi.ImageGPA); gpa < s.config.Memory; gpa += abi.PageSize {
		if !bytes.Equal(pageOrZero(s.memory, gpa), pageOrZero(other.memory, gpa)) {
			return fmt.Sprintf("the page at %#x", gpa)
		}
	}
	a, b := s.cpu, other.cpu
	// Which components of the extended state aren't in their initial state: the
	// processor may not notice that one is again.
	const inUse = 512
	a.XSave[inUse], b.XSave[inUse] = 0, 0
	a.Debug.DR6, b.Debug.DR6 = a.Debug.DR6|dr6SingleStep, b.Debug.DR6|dr6SingleStep // see writeCPU
	if a.Regs != b.Regs || a.Sregs != b.Sregs || a.XSave != b.XSave || a.Debug != b.Debug || a.XCR0 != b.XCR0 || !slices.Equal(a.MSRs, b.MSRs) {
		return "registers"
	}
	return ""
}

var zeroPage [abi.PageSize]byte

func pageOrZero(f *guestmem.File, gpa uint64) []byte {
	if page := f.Page(gpa); page != nil {
		return page
	}
	return zeroPage[:]
}

// Content returns what a machine by hand needs to stand where the snapshot was
// taken: memory and the state of the processor. It is for benchmarks, which
// compare this package with the bare calls into the kernel.
func (s *Snapshot) Content() (memory *guestmem.File, cpu *CPU) { return s.memory, &s.cpu }
