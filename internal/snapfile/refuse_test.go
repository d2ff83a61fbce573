package snapfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/ocilayout"
)

// refusals are configs that differ from the sample in one thing.
var refusals = []struct {
	name  string
	spoil func(c *Config)
	want  string // in the error
}{
	{"no name", func(c *Config) { c.Guest = "" }, "guest: the name"},
	{"long name", func(c *Config) { c.Guest = strings.Repeat("x", 256) }, "guest: the name"},
	{"memory 0", func(c *Config) { c.Memory.Size = 0 }, "memory.size"},
	{"memory odd", func(c *Config) { c.Memory.Size += 4096 }, "memory.size"},
	{"memory huge", func(c *Config) { c.Memory.Size = 1 << 63 }, "memory.size"},
	{"memory above the most", func(c *Config) { c.Memory.Size = 4 << 30 }, "memory.size"},
	{"buffer 0", func(c *Config) { c.Memory.InputSize = 0 }, "message buffer of 0"},
	{"buffer odd", func(c *Config) { c.Memory.OutputSize = 100 }, "message buffer of 100"},
	{"buffer huge", func(c *Config) { c.Memory.InputSize = 1 << 63 }, "message buffer"},
	{"buffers too large", func(c *Config) { c.Memory.InputSize, c.Memory.OutputSize = 2<<20, 2<<20 }, "don't fit"},
	{"input elsewhere", func(c *Config) { c.Memory.Input -= 4096 }, "must be at"},
	{"output outside", func(c *Config) { c.Memory.Output = 1 << 40 }, "must be at"},
	{"stdio elsewhere", func(c *Config) { c.Memory.Stdio = 0 }, "must be at"},
	{"no runs", func(c *Config) { c.Memory.Runs = nil }, "memory.runs"},
	{"many runs", func(c *Config) { c.Memory.Runs = make([]Run, MaxRuns+1) }, "memory.runs"},
	{"empty run", func(c *Config) { c.Memory.Runs[1].Pages = 0 }, "number 1 is empty"},
	{"overlapping runs", func(c *Config) { c.Memory.Runs[0].Pages = 33 }, "number 1, from page 32, overlaps"},
	{"runs out of order", func(c *Config) { slices.Reverse(c.Memory.Runs) }, "out of order"},
	{"run outside", func(c *Config) { c.Memory.Runs[2].Page = 1024 }, "outside memory"},
	{"run across the end", func(c *Config) { c.Memory.Runs[2].Pages = 2 }, "outside memory"},
	{"run that wraps", func(c *Config) { c.Memory.Runs[2].Pages = 1<<64 - 1 }, "outside memory"},
	{"run far away", func(c *Config) { c.Memory.Runs[2].Page = 1<<64 - 1 }, "outside memory"},
	{"page table odd", func(c *Config) { c.PageTable++ }, "pageTable"},
	{"page table outside", func(c *Config) { c.PageTable = 4 << 20 }, "pageTable"},
	{"page table below the image", func(c *Config) { c.PageTable = 0 }, "pageTable"},
	{"kernel stack", func(c *Config) { c.Kernel.Stack = 0 }, "kernel.stack"},
	{"kernel GDT", func(c *Config) { c.Kernel.GDT = kernelEnd }, "kernel.gdt"},
	{"kernel GDT across the end", func(c *Config) { c.Kernel.GDT = kernelEnd - 8 }, "kernel.gdt"},
	{"kernel IDT long", func(c *Config) { c.Kernel.IDTLimit = 1 << 16 }, "64 KiB"},
	{"kernel TSS", func(c *Config) { c.Kernel.TSSLimit = 1<<32 - 1 }, "kernel.tss"},
	{"kernel stubs", func(c *Config) { c.Kernel.TrapStubSize = 1<<32 - 1 }, "kernel.trapStubs"},
	{"kernel ring 0 backwards", func(c *Config) { c.Kernel.Ring0End = sampleKernel }, "ends before it starts"},
	{"kernel tables backwards", func(c *Config) { c.Kernel.TablesEnd = sampleKernel }, "ends before it starts"},
	{"kernel tables odd", func(c *Config) { c.Kernel.TablesEnd -= 8 }, "not aligned"},
	{"kernel IDT odd", func(c *Config) { c.Kernel.IDT += 4 }, "not aligned"},
	{"segment bit", func(c *Config) { c.Registers.DS.AVL = 2 }, "segment register"},
	{"segment type", func(c *Config) { c.Registers.FS.Unusable, c.Registers.FS.Type = 0, 16 }, "segment register"},
	{"segment unusable with content", func(c *Config) { c.Registers.ES.Limit = 1 }, "segment register"},
	{"xsave short", func(c *Config) { c.Registers.XSave = c.Registers.XSave[1:] }, "4095 bytes"},
	{"xsave long", func(c *Config) { c.Registers.XSave = append(c.Registers.XSave, 0) }, "4097 bytes"},
	{"RFLAGS.VM", func(c *Config) { c.Registers.General.RFLAGS |= 1 << 17 }, "rflags"},
	{"RFLAGS.VIF", func(c *Config) { c.Registers.General.RFLAGS |= 1 << 19 }, "rflags"},
	{"RFLAGS high", func(c *Config) { c.Registers.General.RFLAGS |= 1 << 63 }, "rflags"},
	{"RFLAGS 0", func(c *Config) { c.Registers.General.RFLAGS = 0 }, "no processor would take them"},
	{"RIP", func(c *Config) { c.Registers.General.RIP = 1 << 47 }, "no processor would take them"},
	{"FS base", func(c *Config) { c.Registers.FS.Base = 1 << 47 }, "no processor would take them"},
	{"DS not accessed", func(c *Config) { c.Registers.DS = c.Registers.SS; c.Registers.DS.Type = 2 }, "no processor would take them"},
	{"breakpoint", func(c *Config) { c.Registers.DR7 |= 1 }, "debug registers"},
	{"DR0", func(c *Config) { c.Registers.DR[0] = 1 }, "debug registers"},
	{"DR6", func(c *Config) { c.Registers.DR6 = 1 << 32 }, "debug registers"},
	{"ring 0", func(c *Config) { c.Registers.CS.Selector, c.Registers.CS.DPL = 0x10, 0 }, "registers.cs"},
	{"stack of ring 0", func(c *Config) { c.Registers.SS.DPL = 0 }, "registers.ss"},
	{"TR", func(c *Config) { c.Registers.TR.Base++ }, "registers.tr"},
	{"LDT", func(c *Config) { c.Registers.LDT = c.Registers.TR; c.Registers.LDT.Type = 2 }, "registers.ldt"},
	{"GDT", func(c *Config) { c.Registers.GDT.Limit++ }, "registers.gdt"},
	{"IDT", func(c *Config) { c.Registers.IDT.Base = 0x10000 }, "registers.idt"},
	{"CR0", func(c *Config) { c.Registers.CR0 &^= 1 << 16 }, "registers.cr0"},
	{"CR3", func(c *Config) { c.Registers.CR3 = 4 << 20 }, "registers.cr3"},
	{"CR4", func(c *Config) { c.Registers.CR4 |= 1 << 13 }, "registers.cr4"},
	{"CR8", func(c *Config) { c.Registers.CR8 = 1 }, "registers.cr8"},
	{"EFER", func(c *Config) { c.Registers.EFER |= 1 << 12 }, "registers.efer"},
	{"APIC", func(c *Config) { c.Registers.APICBase = 0 }, "registers.apicBase"},
	{"MSR value", func(c *Config) { c.Registers.MSRs[1].Value++ }, "registers.msrs"},
	{"MSR number", func(c *Config) { c.Registers.MSRs[0].Index |= 1 << 32 }, "registers.msrs"},
	{"no MSRs", func(c *Config) { c.Registers.MSRs = nil }, "registers.msrs"},
	{"XCR0 0", func(c *Config) { c.Registers.XCR0 = 0 }, "no processor would take them"},
	{"XCR0 AMX", func(c *Config) { c.Registers.XCR0 |= 3 << 17 }, "no processor would take them"},
	{"MXCSR", func(c *Config) { c.Registers.XSave[26] = 1 }, "MXCSR"},
	{"MXCSR of AMD", func(c *Config) { c.Registers.XSave[26] = 2 }, "MXCSR"},
	{"MXCSR mask", func(c *Config) { c.Registers.XSave[28] = 1 }, "between 28 and 32"},
	{"xsave software", func(c *Config) { c.Registers.XSave[511] = 1 }, "between 464 and 512"},
	{"xstate_bv", func(c *Config) { setXSave(c, 512, 1<<9) }, "XSTATE_BV"},
	{"xcomp_bv", func(c *Config) { setXSave(c, 520, 1<<63) }, "XCOMP_BV"},
	{"xsave header", func(c *Config) { setXSave(c, 528, 1) }, "between 528 and 576"},
	{"xsave behind its end", func(c *Config) { c.Registers.XSave[4095] = 1 }, "between 832 and 4096"},
	{"xsave between components", func(c *Config) { wide(c); c.CPU.XSave[1].Offset, c.CPU.XSave[1].Size = 840, 8; setXSave(c, 832, 1) }, "between 832 and 840"},
	{"component missing", func(c *Config) { c.CPU.XSave = []Component{} }, "0 components"},
	{"component unknown", func(c *Config) { c.CPU.XSave[0].Number = 9 }, "component 9"},
	{"component far", func(c *Config) { c.CPU.XSave[0].Number = 1<<32 - 1 }, "component 4294967295"},
	{"component of x87", func(c *Config) { c.CPU.XSave[0].Number = 0 }, "component 0"},
	{"component twice", func(c *Config) { wide(c); c.CPU.XSave[1] = c.CPU.XSave[0] }, "component 2"},
	{"component in the header", func(c *Config) { c.CPU.XSave[0].Offset = 512 }, "overlaps"},
	{"component outside", func(c *Config) { c.CPU.XSave[0].Offset = 4000 }, "overlaps"},
	{"component that wraps", func(c *Config) { c.CPU.XSave[0].Size = 1<<32 - 1 }, "overlaps"},
	{"component empty", func(c *Config) { c.CPU.XSave[0].Size = 0 }, "overlaps"},
	{"features out of order", func(c *Config) { slices.Reverse(c.CPU.Features) }, "out of order"},
	{"feature twice", func(c *Config) { c.CPU.Features[1] = "avx" }, "out of order"},
	{"feature name", func(c *Config) { c.CPU.Features[0] = "\x1b[2J" }, "not the name of a feature"},
	{"feature long", func(c *Config) { c.CPU.Features[0] = strings.Repeat("a", 41) }, "not the name of a feature"},
	{"features many", func(c *Config) { c.CPU.Features = make([]string, maxFeatures+1) }, "the most is"},
	{"time", func(c *Config) { c.Clock.Monotonic = 1<<62 + 1 }, "clock"},
	{"wall time", func(c *Config) { c.Clock.Wall = 1 << 63 }, "clock"},
	{"generation", func(c *Config) { c.Clock.Generation = 1<<64 - 1 }, "clock"},
	{"no declaration", func(c *Config) { c.Declaration = []byte{} }, "declaration"},
	{"bad declaration", func(c *Config) { c.Declaration[0] ^= 0xff }, "declaration"},

	// Each of these is refused by one check and passes all the others, or has words in
	// its error that no other check has.
	{"buffers that wrap", func(c *Config) {
		m := &c.Memory
		m.InputSize, m.OutputSize = 1<<63, 1<<63
		m.Input, m.Output, m.Stdio = Hex(m.Size-1<<63), Hex(m.Size), Hex(m.Size-abi.StdioSize)
	}, "up to half of memory"},
	{"one run too many", func(c *Config) {
		c.Memory.Runs = nil
		for i := range uint64(MaxRuns + 1) {
			c.Memory.Runs = append(c.Memory.Runs, Run{Page: 2 * i, Pages: 1})
		}
	}, "there are 65"},
	{"kernel stack behind the end", func(c *Config) { c.Kernel.Stack = kernelEnd }, "kernel.stack"},
	{"kernel stack far away", func(c *Config) { c.Kernel.Stack = 1<<64 - 8 }, "kernel.stack"},
	{"kernel tables far away", func(c *Config) { c.Kernel.TablesEnd = 1<<64 - 4096 }, "kernel.tablesEnd"},
	{"kernel TSS across the end by one", func(c *Config) { c.Kernel.TSS = Hex(kernelEnd - uint64(c.Kernel.TSSLimit)) }, "kernel.tss"},
	{"segment bit 2", func(c *Config) { c.Registers.DS = c.Registers.SS; c.Registers.DS.AVL = 2 }, "segment register"},
	{"segment DPL 4", func(c *Config) { c.Registers.DS = c.Registers.SS; c.Registers.DS.DPL = 4 }, "segment register"},
	{"feature empty", func(c *Config) { c.CPU.Features[0] = "" }, "not the name of a feature"},
	{"component twice, in two places", func(c *Config) { wide(c); c.CPU.XSave[1].Number = 2 }, "out of order"},
	{"component behind the end", func(c *Config) { c.CPU.XSave[0].Offset = 4097 }, "overlaps another or the end"},
	{"component that reaches behind the end", func(c *Config) { c.CPU.XSave[0].Offset = 4096 - 255 }, "overlaps another or the end"},
}

// TestRefusals expects them of both sides: what can't be read is not written.
func TestRefusals(t *testing.T) {
	for _, row := range refusals {
		t.Run(row.name, func(t *testing.T) {
			c := sample(t)
			row.spoil(c)
			_, err := c.Encode()
			refused(t, err, row.want)
			text, err := c.marshal()
			if err != nil {
				t.Fatal(err)
			}
			_, err = Decode(text)
			refused(t, err, row.want)
		})
	}
}

func refused(t *testing.T, err error, want string) {
	t.Helper()
	var format *ocilayout.FormatError
	if !errors.As(err, &format) || !errors.Is(err, ocilayout.ErrFormat) || !strings.Contains(err.Error(), want) {
		t.Errorf("the error is %v, want one with %q", err, want)
	}
	if n := len(fmt.Sprint(err)); n > 2000 {
		t.Errorf("an error of %d bytes", n)
	}
}
