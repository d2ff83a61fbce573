package snapfile

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/airlockvm/airlock/internal/kvm"
	"github.com/airlockvm/airlock/internal/ocilayout"
	"github.com/airlockvm/airlock/internal/wire"
)

var update = flag.Bool("update", false, "write the golden files anew")

const golden = "testdata/config.json"

// TestFormat pins what must not change while there are snapshots on disks.
func TestFormat(t *testing.T) {
	for _, row := range []struct{ got, want any }{
		{Version, 1},
		{ArtifactType, "application/vnd.airlock.snapshot.v1"},
		{ConfigType, "application/vnd.airlock.snapshot.config.v1+json"},
		{MemoryType, "application/vnd.airlock.snapshot.memory.v1"},
		{DefaultTag, "latest"},
		{MaxConfig, 1 << 20},
	} {
		if row.got != row.want {
			t.Errorf("%v is not %v: snapshots on disk would not be read any more", row.got, row.want)
		}
	}
}

// TestGolden compares with a config that was written once. A change of it needs
// another Version.
func TestGolden(t *testing.T) {
	text, err := sample(t).Encode()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, want) {
		t.Errorf("the config has another form than that of version %d:\n%s", Version, text)
	}
	c, err := Decode(want)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(c, sample(t)) {
		t.Errorf("it was read as %+v", c)
	}
}

func TestRoundTrip(t *testing.T) {
	c := sample(t)
	p := c.Registers.Processor()
	if again := NewRegisters(&p); !reflect.DeepEqual(again, c.Registers) {
		t.Errorf("registers\n%+v became\n%+v", c.Registers, again)
	}
	info := c.Kernel.Info()
	if NewKernel(&info) != c.Kernel {
		t.Errorf("kernel %+v became %+v", c.Kernel, NewKernel(&info))
	}
	if size := c.ContentSize(); size != 4*4096 {
		t.Errorf("ContentSize() = %d", size)
	}
	if got := c.Created(); !got.Equal(time.Unix(1_700_000_000, 0)) {
		t.Errorf("Created() = %v", got)
	}
	d, err := c.Functions()
	if err != nil || len(d.Exports) != 1 || d.Exports[0].Name != "Add" {
		t.Errorf("Functions() = %+v, %v", d, err)
	}
	wide(c)
	if _, err := c.Encode(); err != nil {
		t.Errorf("with AVX-512: %v", err)
	}
	c.CPU.Features = []string{"misalignsse"}
	setXSave(c, 24, 0x21f80)
	if _, err := c.Encode(); err != nil {
		t.Errorf("with AMD's bit of MXCSR: %v", err)
	}
}

// TestEveryRegister sets each register of KVM's structs to another number, and
// expects them back: none may be forgotten.
func TestEveryRegister(t *testing.T) {
	var p Processor
	n := uint64(0)
	fill(reflect.ValueOf(&p.Regs).Elem(), &n)
	fill(reflect.ValueOf(&p.Sregs).Elem(), &n)
	for _, s := range []*kvm.Segment{&p.Sregs.CS, &p.Sregs.DS, &p.Sregs.ES, &p.Sregs.FS, &p.Sregs.GS, &p.Sregs.SS, &p.Sregs.TR, &p.Sregs.LDT} {
		s.Unusable = 0 // else the rest is dropped
	}
	p.Sregs.InterruptBitmap = [4]uint64{} // always zero without an interrupt controller of KVM's
	p.MSRs = []kvm.MSR{{Index: 1, Data: 2}, {Index: 3, Data: 4}}
	p.XCR0 = 5
	fill(reflect.ValueOf(p.Debug.DB[:]), &n)
	p.Debug.DR6, p.Debug.DR7 = 6, 7
	for i := range p.XSave {
		p.XSave[i] = byte(i%255 + 1)
	}
	clear(p.XSave[28:32])
	clear(p.XSave[464:512])
	r := NewRegisters(&p)
	if again := r.Processor(); !reflect.DeepEqual(again, p) {
		t.Errorf("%+v\nbecame\n%+v", p, again)
	}
}

func fill(v reflect.Value, n *uint64) {
	if kind := v.Kind(); kind == reflect.Struct {
		for i := range v.NumField() {
			if v.Type().Field(i).Name != "_" {
				fill(v.Field(i), n)
			}
		}
		return
	} else if kind == reflect.Array || kind == reflect.Slice {
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
		return
	}
	*n++
	v.SetUint(*n)
}

func TestFits(t *testing.T) {
	host := func() *Host {
		return &Host{CPU: CPU{Features: []string{"avx", "avx512f", "fpu", "sse2"}, XSave: []Component{{2, 576, 256}, {5, 832, 64}, {6, 896, 512}, {7, 1408, 1024}}}, XCR0: 0xe7}
	}
	for _, row := range []struct {
		name   string
		change func(c *Config, h *Host)
		want   string // in the error, or empty
	}{
		{"the same", func(*Config, *Host) {}, ""},
		{"a larger guest", func(c *Config, _ *Host) { wide(c) }, ""},
		{"a smaller processor", func(c *Config, h *Host) { wide(c); h.Features = []string{"avx"} }, "lacks avx512f"},
		{"features", func(c *Config, _ *Host) { c.CPU.Features = []string{"aes", "sha_ni"} }, "lacks aes, sha_ni"},
		{"many features", func(_ *Config, h *Host) { h.Features = nil }, "avx, fpu, sse2"},
		{"extended state", func(_ *Config, h *Host) { h.XCR0 = 3 }, "XCR0 0x7"},
		{"places", func(c *Config, h *Host) { wide(c); h.XSave[1].Offset = 1088 }, "avx512 (masks)"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, h := sample(t), host()
			row.change(c, h)
			err := c.Fits(h)
			if row.want == "" {
				if err != nil {
					t.Errorf("Fits() = %v", err)
				}
				return
			}
			if !errors.Is(err, ErrIncompatible) || !strings.Contains(err.Error(), row.want) {
				t.Errorf("Fits() = %v, want one with %q", err, row.want)
			}
		})
	}
	c := sample(t)
	c.CPU.Features = slices.Repeat([]string{"f"}, 30)
	if err := c.Fits(host()); !strings.Contains(err.Error(), ", ...") {
		t.Errorf("a long list: %v", err)
	}
}

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

// TestTextRefusals changes the text of a config.
func TestTextRefusals(t *testing.T) {
	text, err := sample(t).Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, from, to, want string }{
		{"unknown field", `{"version":1,`, `{"version":1,"more":1,`, `unknown field "more"`},
		{"field twice", `{"version":1,`, `{"version":1,"guest":"a",`, "not written as Airlock writes it"},
		{"other letters", `"guest":`, `"Guest":`, "not written as Airlock writes it"},
		{"space", `{"version"`, `{ "version"`, "not written as Airlock writes it"},
		{"missing field", `"jit":false,`, ``, "not written as Airlock writes it"},
		{"long run", `[32,1]`, `[32,1,5]`, "not written as Airlock writes it"},
		{"null", `"runs":[[0,2],[32,1],[1023,1]]`, `"runs":null`, "memory.runs"},
		{"run that is none", `[32,1]`, `"x"`, "cannot unmarshal"},
		{"negative", `[32,1]`, `[-32,1]`, "cannot unmarshal"},
		{"enormous", `[32,1]`, `[` + strings.Repeat("9", 100_000) + `,1]`, "cannot unmarshal"},
		{"enormous version", `{"version":1,`, `{"version":` + strings.Repeat("9", 100_000) + `,`, "cannot unmarshal"},
		{"number for an address", `"cr3":"0x20000"`, `"cr3":131072`, "cannot unmarshal"},
		{"decimal address", `"cr3":"0x20000"`, `"cr3":"131072"`, "hexadecimal"},
		{"long address", `"cr3":"0x20000"`, `"cr3":"0x10000000000020000"`, "hexadecimal"},
		{"base64", `"declaration":"`, `"declaration":"!`, "illegal base64"},
		{"version", `{"version":1,`, `{"version":2,`, "it is 2, this version of Airlock reads 1"},
		{"no object", string(text), `[]`, "cannot unmarshal"},
		{"nothing", string(text), ``, "unexpected end"},
		{"truncated", string(text), string(text[:len(text)/2]), "unexpected end"},
		{"more behind it", string(text), string(text) + "{}", "after top-level value"},
		{"newline behind it", string(text), string(text) + "\n", "not written as Airlock writes it"},
		{"too long", string(text), strings.Repeat(" ", MaxConfig+1), "the most is"},
		{"deep", string(text), strings.Repeat("[", 100_000), "exceeded max depth"},
	} {
		t.Run(row.name, func(t *testing.T) {
			changed := strings.Replace(string(text), row.from, row.to, 1)
			if changed == string(text) {
				t.Fatal("nothing was changed")
			}
			_, err := Decode([]byte(changed))
			refused(t, err, row.want)
		})
	}
	other := strings.Replace(string(text), `"abi":3`, `"abi":7`, 1)
	if _, err := Decode([]byte(other)); !errors.Is(err, ErrIncompatible) || !strings.Contains(err.Error(), "ABI version 7") {
		t.Errorf("another ABI version: %v", err)
	}
	c := sample(t)
	c.ABI = 7
	_, err = c.Encode()
	refused(t, err, "ABI version 7")
}

// TestLongest: with as many runs and functions as there may be a config is short enough.
func TestLongest(t *testing.T) {
	c := sample(t)
	c.Memory.Size = MaxMemory / (2 << 20) * (2 << 20)
	c.Memory.Input = Hex(c.Memory.Size - 64<<10)
	c.Memory.Output, c.Memory.Stdio = c.Memory.Input-64<<10, c.Memory.Input-128<<10
	c.Memory.Runs = nil
	for i := range uint64(MaxRuns) {
		c.Memory.Runs = append(c.Memory.Runs, Run{Page: 20 * i, Pages: 1})
	}
	var d wire.Declaration
	for i := range wire.MaxFunctions {
		f := wire.Function{Name: fmt.Sprintf("%0255d", i), Return: wire.KindVoid}
		d.Exports, d.Imports = append(d.Exports, f), append(d.Imports, f)
	}
	var err error
	if c.Declaration, err = wire.AppendDeclaration(nil, &d); err != nil {
		t.Fatal(err)
	}
	text, err := c.Encode()
	if err != nil || len(text) < MaxConfig/4 {
		t.Fatalf("%d bytes, %v", len(text), err)
	}
	if _, err := Decode(text); err != nil {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	text, err := sample(f).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"version":1,"abi":3}`))
	for _, row := range refusals {
		c := sample(f)
		row.spoil(c)
		if text, err := c.marshal(); err == nil && len(text) < 64<<10 {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Decode(text)
		if err != nil {
			if !errors.Is(err, ocilayout.ErrFormat) && !errors.Is(err, ErrIncompatible) {
				t.Errorf("an error without a name: %v", err)
			}
			return
		}
		again, err := c.Encode()
		if err != nil || !bytes.Equal(again, text) {
			t.Errorf("what was read can't be written as it was: %v", err)
		}
		if c.ContentSize() > MaxMemory {
			t.Errorf("content of %d bytes", c.ContentSize())
		}
		_ = c.Fits(&Host{})
	})
}
