package snapfile

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/kvm"
	"github.com/airlockvm/airlock/internal/machine/bootstate"
)

// check refuses what no machine may be made of, whatever the host.
//
// Guest-controlled: all of c.
func (c *Config) check() error {
	if c.Version != Version || c.ABI != abi.ABIVersion {
		return malformed("version", "version %d, ABI version %d", c.Version, c.ABI)
	}
	if !ValidName(c.Guest) {
		return malformed("guest", "the name %.40q is not 1 to %d bytes of UTF-8", c.Guest, MaxName)
	}
	for _, check := range []func() error{
		c.Memory.check, c.Kernel.check, c.checkPageTable, c.checkRegisters, c.CPU.check, c.checkXSave, c.Clock.check,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	_, err := c.Functions()
	return err
}

// ValidName reports whether a text may be the name of a guest.
func ValidName(name string) bool { return name != "" && len(name) <= MaxName && utf8.ValidString(name) }

func (m *Memory) check() error {
	if m.Size == 0 || m.Size > MaxMemory || m.Size%abi.MemoryUnit != 0 {
		return malformed("memory.size", "%d bytes are not a multiple of %d up to %d", m.Size, uint64(abi.MemoryUnit), uint64(MaxMemory))
	}
	for _, size := range []uint64{m.OutputSize, m.InputSize} {
		// Half of memory each at most, so that no sum below can wrap.
		if size == 0 || size%abi.PageSize != 0 || size > m.Size/2 {
			return malformed("memory", "a message buffer of %d bytes is not whole pages up to half of memory", size)
		}
	}
	if m.OutputSize+m.InputSize+abi.StdioSize+abi.ImageGPA > m.Size {
		return malformed("memory", "message buffers of %d and %d bytes don't fit into %d", m.OutputSize, m.InputSize, m.Size)
	}
	input := m.Size - m.InputSize
	output := input - m.OutputSize
	stdio := output - abi.StdioSize
	if uint64(m.Input) != input || uint64(m.Output) != output || uint64(m.Stdio) != stdio {
		return malformed("memory", "the buffers are at %#x, %#x and %#x, they must be at %#x, %#x and %#x",
			uint64(m.Stdio), uint64(m.Output), uint64(m.Input), stdio, output, input)
	}
	return m.checkRuns()
}

func (m *Memory) checkRuns() error {
	if n := len(m.Runs); n == 0 || n > MaxRuns {
		return malformed("memory.runs", "there are %d, not 1 to %d", n, MaxRuns)
	}
	pages, end := m.Size/abi.PageSize, uint64(0)
	for i, r := range m.Runs {
		switch {
		case r.Pages == 0:
			return malformed("memory.runs", "number %d is empty", i)
		case r.Page < end:
			return malformed("memory.runs", "number %d, from page %d, overlaps the one before, which ends at %d, or is out of order", i, r.Page, end)
		case r.Page >= pages || r.Pages > pages-r.Page:
			return malformed("memory.runs", "number %d, %d pages from page %d, lies outside memory of %d pages", i, r.Pages, r.Page, pages)
		}
		end = r.Page + r.Pages
	}
	return nil
}

// kernelEnd is the end of the addresses that a kernel may have.
const kernelEnd = abi.KernelBase + 16<<20

func (k *Kernel) check() error {
	// From where to how many bytes behind it the kernel must reach.
	for _, r := range []struct {
		name        string
		start, size uint64
	}{
		{"stack", uint64(k.Stack), 0},
		{"syscallStub", uint64(k.SyscallStub), 1},
		{"ring0Start", uint64(k.Ring0Start), 1},
		{"ring0End", uint64(k.Ring0End), 0},
		{"gdt", uint64(k.GDT), uint64(k.GDTLimit) + 1},
		{"idt", uint64(k.IDT), uint64(k.IDTLimit) + 1},
		{"tss", uint64(k.TSS), uint64(k.TSSLimit) + 1},
		{"trapStubs", uint64(k.TrapStubs), uint64(k.TrapStubSize) * 32},
		{"tickStub", uint64(k.TickStub), 1},
		{"tablesStart", uint64(k.TablesStart), 0},
		{"tablesEnd", uint64(k.TablesEnd), 0},
	} {
		if r.start < abi.KernelBase || r.start >= kernelEnd || r.size > kernelEnd-r.start {
			return malformed("kernel."+r.name, "%d bytes at %#x are not among the kernel's addresses", r.size, r.start)
		}
	}
	switch {
	case max(k.GDTLimit, k.IDTLimit) > 0xffff:
		return malformed("kernel", "descriptor tables are longer than 64 KiB")
	case k.Ring0Start > k.Ring0End || k.TablesStart > k.TablesEnd:
		return malformed("kernel", "a range ends before it starts")
	case (k.GDT|k.IDT)%8 != 0 || (k.TablesStart|k.TablesEnd)%abi.PageSize != 0:
		return malformed("kernel", "descriptor tables are not aligned")
	}
	return nil
}

func (c *Config) checkPageTable() error {
	if p := uint64(c.PageTable); p < abi.ImageGPA || p >= c.Memory.Size || p%abi.PageSize != 0 {
		return malformed("pageTable", "%#x is not a page of memory", p)
	}
	return nil
}

// programFlags are the RFLAGS bits that ring 3 can set: CF PF AF ZF SF TF IF DF
// OF IOPL NT RF AC ID, and bit 1, which is always set.
const programFlags = 0x257fd7

// checkRegisters demands that all registers that take ring 0 hold what a guest
// starts with. What can't differ can't be wrong in a way that only some
// processor notices.
func (c *Config) checkRegisters() error {
	r := &c.Registers
	for _, s := range []Segment{r.CS, r.DS, r.ES, r.FS, r.GS, r.SS, r.TR, r.LDT} {
		if max(s.S, s.Present, s.AVL, s.L, s.DB, s.G, s.Unusable) > 1 || s.DPL > 3 || s.Type > 15 || newSegment(s.kvm()) != s {
			return malformed("registers", "%+v is not the content of a segment register", s)
		}
	}
	if len(r.XSave) != len(kvm.XSave{}) {
		return malformed("registers.xsave", "it has %d bytes, not %d", len(r.XSave), len(kvm.XSave{}))
	}
	if uint64(r.General.RFLAGS)&^programFlags != 0 {
		return malformed("registers.general.rflags", "%#x has bits that a program can't set", uint64(r.General.RFLAGS))
	}
	now := r.Processor()
	if !bootstate.DebugUnused(now.Debug) {
		return malformed("registers", "debug registers are in use")
	}
	if err := c.checkUnchanged(&now.State); err != nil {
		return err
	}
	if broken := bootstate.Violations(&now.State); len(broken) > 0 {
		return malformed("registers", "no processor would take them: %s", broken[0].Text)
	}
	return nil
}

// checkUnchanged compares the registers with those of a guest at its start.
func (c *Config) checkUnchanged(now *bootstate.State) error {
	r := &c.Registers
	boot := bootstate.New(bootstate.Params{Kernel: c.Kernel.Info(), PageTable: uint64(c.PageTable), XCR0: now.XCR0})
	b := NewRegisters(&Processor{State: boot})
	for _, pair := range []struct {
		name      string
		got, want any
	}{
		{"cs", r.CS, b.CS},
		{"ss", r.SS, b.SS},
		{"tr", r.TR, b.TR},
		{"ldt", r.LDT, b.LDT},
		{"gdt", r.GDT, b.GDT},
		{"idt", r.IDT, b.IDT},
		{"cr0", r.CR0, b.CR0},
		{"cr3", r.CR3, b.CR3},
		{"cr4", r.CR4, b.CR4},
		{"cr8", r.CR8, b.CR8},
		{"efer", r.EFER, b.EFER},
		{"apicBase", r.APICBase, b.APICBase},
	} {
		if pair.got != pair.want {
			return malformed("registers."+pair.name, "it is %+v, in a guest that kept to ring 3 it is %+v", pair.got, pair.want)
		}
	}
	// Which flags system calls clear depends on the kind of KVM; see Portable.
	onPVM := bootstate.New(bootstate.Params{Kernel: c.Kernel.Info(), KeepInterrupts: true})
	p := NewRegisters(&Processor{State: onPVM})
	if !slices.Equal(r.MSRs, b.MSRs) && !slices.Equal(r.MSRs, p.MSRs) {
		return malformed("registers.msrs", "they are not those of a guest that kept to ring 3")
	}
	return nil
}

func (c *CPU) check() error {
	if n := len(c.Features); n > maxFeatures {
		return malformed("cpu.features", "there are %d, the most is %d", n, maxFeatures)
	}
	for i, f := range c.Features {
		if f == "" || len(f) > maxFeature || strings.Trim(f, "abcdefghijklmnopqrstuvwxyz0123456789_.") != "" {
			return malformed("cpu.features", "%.40q is not the name of a feature", f)
		}
		if i > 0 && f <= c.Features[i-1] {
			return malformed("cpu.features", "%q is out of order", f)
		}
	}
	return nil
}

func (c *Clock) check() error {
	if max(c.Monotonic, c.Wall, c.Generation) > maxTime {
		return malformed("clock", "a number is larger than %d", uint64(maxTime))
	}
	return nil
}
