package machine

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/elf"
	"github.com/airlockvm/airlock/internal/machine/pagetable"
)

// layout builds an image as NewImage does, and keeps the bytes.
func layout(tb testing.TB, kernel []byte, program *elf.Image) *builder {
	tb.Helper()
	k, err := parseKernel(kernel)
	if err != nil {
		tb.Fatal(err)
	}
	b := newBuilder()
	b.addKernel(k)
	if err := errors.Join(b.addProgram(program), b.mapAll()); err != nil {
		tb.Fatal(err)
	}
	return b
}

// read returns what the guest sees at a range of addresses of an image, and
// whether all of it is mapped with the permissions.
func (b *builder) read(tb testing.TB, address, size uint64, want pagetable.Perm) []byte {
	tb.Helper()
	memory := make([]byte, b.size())
	for _, p := range b.pieces {
		copy(memory[p.Offset:], p.Data)
	}
	var out []byte
	for ; size > 0; size-- {
		m, ok := pagetable.Walk(b.table, b.tables.Root(), address)
		if !ok || m.Perm != want {
			tb.Fatalf("%#x is mapped %+v, %v, want %+v", address, m, ok, want)
		}
		out = append(out, memory[m.GPA])
		address++
	}
	return out
}

func TestImageLayout(t *testing.T) {
	text := bytes.Repeat([]byte("code"), 3000) // 12000 bytes: three pages
	data := []byte("data that starts in the middle of a page")
	file := elfFile(0x400000, []elfSegment{
		{0x400000, text, 5},
		{0x500000, []byte("constants"), 4},
		{0x600800, data, 6},
	})
	// The data segment has more memory than bytes in the file.
	phdr := file[64+2*56:]
	binary.LittleEndian.PutUint64(phdr[40:], 0x5000)
	program, err := elf.Parse(file, elf.Limits{UserEnd: abi.UserEnd})
	if err != nil {
		t.Fatal(err)
	}
	kernel := tkKernel(tkCode{entry: []byte("the kernel's entry")})
	b := layout(t, kernel, program)

	rx, ro, rw := pagetable.Perm{Exec: true}, pagetable.Perm{}, pagetable.Perm{Write: true}
	for _, c := range []struct {
		address uint64
		want    []byte
		perm    pagetable.Perm
	}{
		{0x400000, text, rx},
		{0x400000 + uint64(len(text)), make([]byte, 0x3000-len(text)), rx},
		{0x500000, []byte("constants\x00"), ro},
		{0x600000, make([]byte, 0x800), rw},
		{0x600800, append(data, 0), rw},
		{tkText, []byte("the kernel's entry"), rx},
		{abi.KernelBase, binary.LittleEndian.AppendUint64(nil, abi.KernelMagic), ro},
		{tkData, make([]byte, 4), rw},
	} {
		if got := b.read(t, c.address, uint64(len(c.want)), c.perm); !bytes.Equal(got, c.want) {
			t.Errorf("at %#x there is %.40q, want %.40q", c.address, got, c.want)
		}
	}
	for _, address := range []uint64{0, 0x3ff000, 0x403000, 0x501000, 0x5ff000, 0x601000, 0x605000, tkDataEnd, abi.VVAR, abi.Physmap} {
		if m, ok := pagetable.Walk(b.table, b.tables.Root(), address); ok {
			t.Errorf("%#x is mapped: %+v", address, m)
		}
	}
	wantRegions := []abi.Region{
		{Start: 0x400000, End: 0x403000, Prot: abi.ProtRead | abi.ProtExec, FileEnd: 0x403000},
		{Start: 0x500000, End: 0x501000, Prot: abi.ProtRead, FileEnd: 0x501000},
		{Start: 0x600000, End: 0x606000, Prot: abi.ProtRead | abi.ProtWrite, FileEnd: 0x601000},
	}
	if b.boot.RegionCount != 3 || [3]abi.Region(b.boot.Regions[:3]) != [3]abi.Region(wantRegions) {
		t.Errorf("regions %+v", b.boot.Regions[:b.boot.RegionCount])
	}
	if b.boot.ProgramEnd != 0x605800 || b.boot.ProgramEntry != 0x400000 || b.boot.ProgramBase != 0 {
		t.Errorf("boot %+v", b.boot)
	}
	// The kernel's addresses and GPAs differ by a constant.
	for address := uint64(abi.KernelBase); address < tkDataEnd; address += abi.PageSize {
		if m, ok := pagetable.Walk(b.table, b.tables.Root(), address); ok && m.GPA != address-abi.KernelBase+abi.ImageGPA {
			t.Errorf("kernel address %#x is at %#x", address, m.GPA)
		}
	}
}

func TestRegionsMerge(t *testing.T) {
	b := newBuilder()
	add := func(start, file, end uint64, perm elf.Perm) error {
		return b.addRegion(&elf.Segment{Addr: start, Data: make([]byte, file-start), MemSize: end - start, Perm: perm})
	}
	const rw, rx = elf.PermRead | elf.PermWrite, elf.PermRead | elf.PermExec
	for _, err := range []error{
		add(0x1000, 0x1700, 0x1800, rw), add(0x2000, 0x3000, 0x3000, rw), // all of the file
		add(0x3000, 0x3001, 0x5001, rw), add(0x6000, 0x6000, 0x7000, rw), // its end, and zeroes
		add(0x7000, 0x7001, 0x8000, rw),                                  // the file again
		add(0x8000, 0x9000, 0x9000, rx), add(0xa000, 0xb000, 0xb000, rx), // another kind, with a hole
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	const protRW, protRX = abi.ProtRead | abi.ProtWrite, abi.ProtRead | abi.ProtExec
	want := []abi.Region{
		{Start: 0x1000, End: 0x7000, Prot: protRW, FileEnd: 0x4000},
		{Start: 0x7000, End: 0x8000, Prot: protRW, FileEnd: 0x8000},
		{Start: 0x8000, End: 0x9000, Prot: protRX, FileEnd: 0x9000},
		{Start: 0xa000, End: 0xb000, Prot: protRX, FileEnd: 0xb000},
	}
	if got := b.boot.Regions[:b.boot.RegionCount]; !slices.Equal(got, want) {
		t.Errorf("regions %+v, want %+v", got, want)
	}
	for i := b.boot.RegionCount; i < abi.MaxRegions; i++ {
		at := uint64(i) << 20
		if err := add(at, at, at+1, rw); err != nil {
			t.Fatal(err)
		}
	}
	if err := add(1<<40, 1<<40, 1<<40+1, rw); err == nil {
		t.Error("too many regions were accepted")
	}
}

func TestBadKernels(t *testing.T) {
	spoil := func(f func(i *abi.KernelInfo)) []byte { return tkKernel(tkCode{info: f}) }
	for _, test := range []struct {
		name   string
		kernel []byte
		want   string
	}{
		{"empty", nil, "kernel"},
		{"not ELF", []byte("#!/bin/sh\n"), "kernel"},
		{"program", elfFile(0x400000, []elfSegment{{0x400000, make([]byte, 4096), 5}}), "kernel"},
		{"other base", elfFile(tkText, []elfSegment{{tkText, make([]byte, 4096), 5}}), "starts at"},
		{"short", elfFile(abi.KernelBase, []elfSegment{{abi.KernelBase, make([]byte, 8), 5}}), "magic"},
		{"magic", spoil(func(i *abi.KernelInfo) { i.Magic++ }), "magic"},
		{"version", spoil(func(i *abi.KernelInfo) { i.ABIVersion = 4711 }), "version 4711, this library has 3"},
		{"stack", spoil(func(i *abi.KernelInfo) { i.Stack = 0x1000 }), "address 0x1000"},
		{"LSTAR", spoil(func(i *abi.KernelInfo) { i.SyscallStub = 1 << 63 }), "address 0x8000000000000000"},
		{"ring 0", spoil(func(i *abi.KernelInfo) { i.Ring0End = 0 }), "address 0x0"},
		{"GDT", spoil(func(i *abi.KernelInfo) { i.GDT = abi.Physmap }), "address 0x7f8000000000"},
		{"IDT", spoil(func(i *abi.KernelInfo) { i.IDT = kernelEnd }), "address 0x7fc001000000"},
		{"TSS", spoil(func(i *abi.KernelInfo) { i.TSS = 0 }), "address 0x0"},
		{"GDT limit", spoil(func(i *abi.KernelInfo) { i.GDTLimit = 0x10000 }), "64 KiB"},
		{"IDT limit", spoil(func(i *abi.KernelInfo) { i.IDTLimit = 1 << 31 }), "64 KiB"},
	} {
		im, err := NewImage(test.kernel, tkProgram(t))
		if err == nil {
			_ = im.Close()
		}
		if !errors.Is(err, errKernel) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestPlan(t *testing.T) {
	im := tkImage(t, tkCode{})
	const mib = 1 << 20
	for _, test := range []struct {
		name   string
		config Config
		ok     bool
	}{
		{"least", Config{2 * mib, 4096, 4096, false, false}, true},
		{"most", Config{MaxMemory, 64 << 10, 64 << 10, false, false}, true},
		{"no memory", Config{0, 4096, 4096, false, false}, false},
		{"odd memory", Config{3 * mib, 4096, 4096, false, false}, false},
		{"too much memory", Config{4096 * mib, 4096, 4096, false, false}, false},
		{"huge memory", Config{1<<64 - 2*mib, 4096, 4096, false, false}, false},
		{"no output", Config{2 * mib, 0, 4096, false, false}, false},
		{"no input", Config{2 * mib, 4096, 0, false, false}, false},
		{"odd output", Config{2 * mib, 4097, 4096, false, false}, false},
		{"odd input", Config{2 * mib, 4096, 1, false, false}, false},
		{"buffers as large as memory", Config{2 * mib, mib, mib, false, false}, false},
		{"output larger than memory", Config{2 * mib, 1<<64 - 4096, 8192, false, false}, false},
		{"input larger than memory", Config{2 * mib, 8192, 1<<64 - 4096, false, false}, false},
		{"no room for the pool", Config{2 * mib, mib, mib - 256<<10, false, false}, false},
	} {
		m := &Machine{image: im, config: test.config}
		err := m.plan()
		if (err == nil) != test.ok || err != nil && !errors.Is(err, errConfig) {
			t.Errorf("%s: %v", test.name, err)
		}
		if err != nil {
			continue
		}
		b := m.boot
		if b.PoolStart < im.Size()+abi.PageSize || b.PoolEnd <= b.PoolStart || b.StdioGPA != b.PoolEnd ||
			b.OutputGPA != b.StdioGPA+abi.StdioSize ||
			b.InputGPA != b.OutputGPA+b.OutputSize || b.InputGPA+b.InputSize != b.MemorySize || b.MemorySize != test.config.Memory {
			t.Errorf("%s: %+v", test.name, b)
		}
	}
}

// TestPhysmap checks the page tables of whole machines of several sizes: every
// byte of memory is mapped, and nothing else.
func TestPhysmap(t *testing.T) {
	im := tkImage(t, tkCode{})
	for _, memory := range []uint64{4 << 20, 1 << 30, 1<<30 + 2<<20, MaxMemory} {
		m := &Machine{image: im, config: tkConfig}
		m.config.Memory = memory
		if err := m.plan(); err != nil {
			t.Fatal(err)
		}
		start := make([]byte, m.boot.PoolStart)
		physical := func(gpa uint64) []byte { return start[gpa:][:abi.PageSize] }
		mem := fakeMemory(t, m)
		if err := mem.CopyOut(start, 0); err != nil {
			t.Fatal(err)
		}
		for gpa := uint64(0); gpa < 1<<33; gpa += abi.MemoryUnit / 2 {
			got, ok := pagetable.Walk(physical, im.boot.PageTable, abi.Physmap+gpa)
			want := pagetable.Mapping{GPA: gpa, Size: abi.MemoryUnit, Perm: pagetable.Perm{Write: true}}
			if ok != (gpa < memory) || ok && got != want {
				t.Fatalf("%#x bytes: physmap + %#x is mapped %+v, %v", memory, gpa, got, ok)
			}
		}
	}
}

func TestPoolStart(t *testing.T) {
	const mib = 1 << 20
	for _, test := range []struct{ end, memory, want uint64 }{
		{mib, 16 * mib, mib},
		{mib, 32 * mib, 2*mib - smallPool},
		{2*mib - smallPool, 32 * mib, 2*mib - smallPool},
		{2*mib - 4096, 32 * mib, 2*mib - 4096},
		{2 * mib, 32 * mib, 2 * mib},
		{2*mib + 4096, 64 * mib, 4*mib - smallPool},
	} {
		if got := poolStart(test.end, test.memory); got != test.want {
			t.Errorf("poolStart(%#x, %#x) = %#x, want %#x", test.end, test.memory, got, test.want)
		}
	}
}

func TestWritten(t *testing.T) {
	b := layout(t, tkKernel(tkCode{}), tkProgram(t))
	covered := func(gpa uint64) bool {
		for _, s := range b.written() {
			if gpa >= s.gpa && gpa < s.gpa+s.size {
				return true
			}
		}
		return false
	}
	for _, gpa := range []uint64{abi.ControlGPA, abi.ClockGPA, tkData - abi.KernelBase + abi.ImageGPA, b.tables.Root(), b.size() - 1} {
		if !covered(gpa) {
			t.Errorf("%#x is not among %+v", gpa, b.written())
		}
	}
	if covered(tkText - abi.KernelBase + abi.ImageGPA) {
		t.Error("the kernel's text is among what guests write to")
	}
}
