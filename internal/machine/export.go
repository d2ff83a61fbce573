package machine

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/cpu"
	"github.com/airlockvm/airlock/internal/guestmem"
	"github.com/airlockvm/airlock/internal/kvm"
	"github.com/airlockvm/airlock/internal/machine/bootstate"
	"github.com/airlockvm/airlock/internal/machine/cpuid"
	"github.com/airlockvm/airlock/internal/snapfile"
)

// A machine has as much memory at most as a snapshot on disk may have, in as many runs.
var (
	_ = [1]struct{}{}[MaxMemory-snapfile.MaxMemory]
	_ = [1]struct{}{}[guestmem.MaxRuns-snapfile.MaxRuns]
)

// stored is what only snapshots from disk have.
type stored struct {
	clock snapfile.Clock // that of the file
	cpu   snapfile.CPU   // that of the processor that the snapshot was taken on
}

// ErrNotPortable means that a snapshot can't be written to disk, because it holds
// what can't be set on every processor.
var ErrNotPortable = errors.New("machine: the snapshot can't be saved")

// Export describes the snapshot for its way to disk. Guest and declaration are
// for the caller to fill in. The content of memory is passed to use, and is
// there only meanwhile.
func (s *Snapshot) Export(sys *kvm.System, use func(c *snapfile.Config, memory []byte) error) error {
	release, err := s.hold()
	if err != nil {
		return err
	}
	defer release()
	if !idle(&s.cpu.Events) {
		return fmt.Errorf("%w: an exception or interrupt is pending", ErrNotPortable)
	}
	c := &snapfile.Config{
		Version: snapfile.Version,
		ABI:     abi.ABIVersion,
		Memory: snapfile.Memory{
			Size: s.config.Memory, Stdio: snapfile.Hex(s.boot.StdioGPA),
			Output: snapfile.Hex(s.boot.OutputGPA), OutputSize: s.config.OutputSize,
			Input: snapfile.Hex(s.boot.InputGPA), InputSize: s.config.InputSize,
		},
		JIT:       s.config.JIT,
		Trace:     s.config.Trace,
		PageTable: snapfile.Hex(s.boot.PageTable),
		Kernel:    snapfile.NewKernel(&s.kernel),
		Registers: snapfile.NewRegisters(&snapfile.Processor{State: s.cpu.State, XSave: s.cpu.XSave, Debug: s.cpu.Debug}),
	}
	end := uint64(0)
	for _, r := range s.memory.Runs() {
		if r.Offset != end {
			return fmt.Errorf("%w: its memory has gaps in its file", ErrNotPortable)
		}
		end += r.Size
		c.Memory.Runs = append(c.Memory.Runs, snapfile.Run{Page: r.GPA / abi.PageSize, Pages: r.Size / abi.PageSize})
	}
	if s.stored != nil {
		c.Clock, c.CPU = s.stored.clock, s.stored.cpu
		return use(c, s.memory.Bytes())
	}
	host, err := exportHost(sys)
	if err != nil {
		return err
	}
	c.CPU = host.CPU
	// One that came from a smaller processor goes on with what that had.
	c.CPU.XSave = slices.DeleteFunc(c.CPU.XSave, func(p snapfile.Component) bool { return s.cpu.XCR0>>p.Number&1 == 0 })
	// Guest time goes on while a snapshot waits; so this moment is as good as that of
	// the capture.
	now := clock{clockBase: s.clock}
	c.Clock = snapfile.Clock{Monotonic: now.now(), Wall: uint64(time.Now().UnixNano()), Generation: s.generation} //nolint:gosec // G115: after 1970
	return use(c, s.memory.Bytes())
}

// idle reports whether nothing is pending, masked or in the shadow of an
// instruction.
func idle(e *kvm.VCPUEvents) bool {
	rest := *e
	rest.Flags = 0 // which fields count
	// What an event was that is not there any more.
	rest.ExceptionNr, rest.ExceptionHasErrorCode, rest.ExceptionErrorCode, rest.InterruptNr = 0, 0, 0, 0
	rest.ExceptionHasPayload, rest.ExceptionPayload, rest.InterruptSoft = 0, 0, 0
	return rest == kvm.VCPUEvents{}
}

// exportHost describes what guests get of this host's processor.
func exportHost(sys *kvm.System) (*snapfile.Host, error) {
	table, err := sys.GuestCPUID(cpuidFilter(sys))
	if err != nil {
		return nil, err
	}
	h := &snapfile.Host{CPU: snapfile.CPU{Features: cpuid.Features(table), XSave: []snapfile.Component{}}, XCR0: cpuid.GuestXCR0(table)}
	for _, p := range cpuid.Places(table) {
		h.XSave = append(h.XSave, snapfile.Component(p))
	}
	return h, nil
}

// Import makes a snapshot of one from disk, whose config was checked, if it fits
// this host. The memory is that of the open file, and stays in it: it must never
// change. The kernel is the one that this library starts guests with.
//
// Guest-controlled: the config and the content.
func Import(sys *kvm.System, c *snapfile.Config, memory *os.File, kernel []byte) (*Snapshot, error) {
	host, err := exportHost(sys)
	if err != nil {
		return nil, err
	}
	if err := c.Fits(host); err != nil {
		return nil, err
	}
	runs := make([]guestmem.Run, 0, len(c.Memory.Runs))
	size := uint64(0)
	for _, r := range c.Memory.Runs {
		runs = append(runs, guestmem.Run{GPA: r.Page * abi.PageSize, Offset: size, Size: r.Pages * abi.PageSize})
		size += r.Pages * abi.PageSize
	}
	content, err := guestmem.OpenFile(memory, size, runs)
	if err != nil {
		return nil, err
	}
	p := c.Registers.Processor()
	s := &Snapshot{
		memory: content,
		config: Config{
			Memory: c.Memory.Size, OutputSize: c.Memory.OutputSize, InputSize: c.Memory.InputSize, JIT: c.JIT, Trace: c.Trace,
		},
		boot: abi.Boot{
			Magic: abi.BootMagic, ABIVersion: abi.ABIVersion, MemorySize: c.Memory.Size, PageTable: uint64(c.PageTable),
			StdioGPA: uint64(c.Memory.Stdio), PoolEnd: uint64(c.Memory.Stdio),
			OutputGPA: uint64(c.Memory.Output), OutputSize: c.Memory.OutputSize,
			InputGPA: uint64(c.Memory.Input), InputSize: c.Memory.InputSize,
		},
		kernel:     c.Kernel.Info(),
		cpu:        CPU{State: p.State, Events: noEvents, XSave: p.XSave, Debug: p.Debug},
		clock:      resumeClock(&c.Clock, time.Now()),
		generation: c.Clock.Generation,
		stored:     &stored{clock: c.Clock, cpu: c.CPU},
	}
	boot := bootstate.New(bootstate.Params{
		Kernel: s.kernel, PageTable: s.boot.PageTable, XCR0: s.cpu.XCR0, KeepInterrupts: sys.Flavour() == kvm.FlavourPVM,
	})
	useLegacy(&s.cpu.XSave)
	// Which flags system calls clear is this host's matter.
	s.cpu.MSRs = slices.Clone(boot.MSRs)
	info, pristine, err := kernelPages(kernel)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	// Of another kernel it can't be known what it made of ring 0. It runs, but is
	// restored the slow way.
	if info == s.kernel {
		s.findRing0(pristine, &boot)
	}
	return s, nil
}

// resumeClock is guest time that went on with the wall clock. The multiplier is
// for awake to find out.
func resumeClock(c *snapfile.Clock, now time.Time) clockBase {
	elapsed := max(now.UnixNano()-int64(c.Wall), 0)                               //nolint:gosec // G115: both are positive
	return clockBase{baseTSC: cpu.Ticks(), baseNS: c.Monotonic + uint64(elapsed)} //nolint:gosec // G115: not negative
}

// clockOn returns the snapshot's clock for a processor of this frequency.
func (s *Snapshot) clockOn(tscKHz uint64) clockBase {
	base := s.clock
	if base.multiplier == 0 { // it is from disk
		base.multiplier = clockMultiplier(tscKHz)
	}
	return base
}

// kernelPages returns what a kernel image says of itself, and its pages as they
// are in memory before a guest's first instruction.
func kernelPages(kernel []byte) (abi.KernelInfo, func(gpa uint64) []byte, error) {
	k, err := parseKernel(kernel)
	if err != nil {
		return abi.KernelInfo{}, nil, err
	}
	info, err := kernelInfo(k)
	if err != nil {
		return info, nil, err
	}
	b := newBuilder()
	b.addKernel(k)
	content := make([]byte, b.end)
	for _, p := range b.pieces {
		copy(content[p.Offset:], p.Data)
	}
	return info, func(gpa uint64) []byte {
		if gpa >= uint64(len(content)) {
			return nil
		}
		page := content[gpa : gpa+abi.PageSize : gpa+abi.PageSize]
		if bytes.Equal(page, make([]byte, abi.PageSize)) {
			return nil
		}
		return page
	}, nil
}
