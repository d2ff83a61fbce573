package ring0

import (
	"encoding/binary"
	"testing"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/kvm"
	"github.com/airlockvm/airlock/internal/machine/bootstate"
	"github.com/airlockvm/airlock/internal/machine/pagetable"
)

// A machine of 16 MiB. Its kernel has two read-only pages and two of descriptor
// tables; a page of data lies behind them.
const (
	memory    = 16 << 20
	stubs     = abi.KernelBase + PageSize
	tables    = abi.KernelBase + 2*PageSize
	data      = abi.KernelBase + 4*PageSize
	firstFree = 0x100000 // where page tables are
)

type guest struct {
	State
	pages  map[uint64][]byte
	tables *pagetable.Tables
	next   uint64
}

func (g *guest) page(gpa uint64) []byte {
	if g.pages[gpa] == nil {
		g.pages[gpa] = make([]byte, PageSize)
	}
	return g.pages[gpa]
}

// write changes eight bytes at a kernel address.
func (g *guest) write(address, value uint64) {
	binary.LittleEndian.PutUint64(g.page(gpa(address) &^ (PageSize - 1))[address%PageSize:], value)
}

func newGuest(tb testing.TB) *guest {
	tb.Helper()
	g := &guest{pages: map[uint64][]byte{}, next: firstFree}
	g.Kernel = abi.KernelInfo{
		SyscallStub: stubs, Ring0Start: stubs, Ring0End: stubs + 0x800, TrapStubs: stubs + 0x40, TrapStubSize: 32, TickStub: stubs + 0x700,
		GDT: tables, GDTLimit: 79, IDT: tables + 0x100, IDTLimit: 0x20f, TSS: tables + PageSize, TSSLimit: 0x800,
		TablesStart: tables, TablesEnd: tables + 2*PageSize,
	}
	g.tables = pagetable.New(g.page, func() uint64 { g.next += PageSize; return g.next })
	for address := uint64(abi.KernelBase); address <= data; address += PageSize {
		if err := g.tables.Map(address, gpa(address), pagetable.Perm{Write: address >= tables, Exec: address == stubs}); err != nil {
			tb.Fatal(err)
		}
	}
	for i, entry := range []uint64{2: 0x00af9b000000ffff, 3: 0x00cf93000000ffff, 5: 0x00cff3000000ffff, 6: 0x00affb000000ffff} {
		g.write(tables+uint64(i)*8, entry)
	}
	base, limit := g.Kernel.TSS, uint64(g.Kernel.TSSLimit)
	g.write(tables+64, limit&0xffff|base&0xffffff<<16|0x8b<<40|base>>24&0xff<<56)
	g.write(tables+72, base>>32)
	for vector := range uint64(33) {
		target, kind := g.Kernel.TrapStubs+32*vector, uint64(0x8e)
		if vector == 3 || vector == 4 {
			kind = 0xee
		}
		if vector == 32 {
			target = g.Kernel.TickStub
		}
		g.write(g.Kernel.IDT+16*vector, target&0xffff|abi.Ring0CS<<16|1<<32|kind<<40|target>>16&0xffff<<48)
		g.write(g.Kernel.IDT+16*vector+8, target>>32)
	}
	g.write(stubs, 0x1234)
	pristine := append([]byte(nil), g.page(gpa(stubs))...)
	g.Memory = memory
	g.Page = func(gpa uint64) []byte { return g.pages[gpa] }
	g.Pristine = func(at uint64) []byte {
		if at == gpa(stubs) {
			return pristine
		}
		return nil
	}
	g.Boot = bootstate.New(bootstate.Params{Kernel: g.Kernel, PageTable: g.tables.Root(), XCR0: 7})
	g.CPU = bootstate.New(bootstate.Params{Kernel: g.Kernel, PageTable: g.tables.Root(), XCR0: 7})
	g.Debug = bootstate.Debug
	g.Debug.DR6 |= 1 << 14 // a single step
	return g
}

func TestPages(t *testing.T) {
	t.Parallel()
	g := newGuest(t)
	got := Pages(&g.State)
	if got == nil {
		t.Fatal("a kernel that nobody has changed is not trusted")
	}
	want := make([]uint64, memory/PageSize/64)
	for _, at := range []uint64{gpa(abi.KernelBase), gpa(stubs), gpa(tables), gpa(tables + PageSize)} {
		want[at/PageSize/64] |= 1 << (at / PageSize % 64)
	}
	for at := uint64(firstFree + PageSize); at <= g.next; at += PageSize {
		want[at/PageSize/64] |= 1 << (at / PageSize % 64)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("word %d is %#x, want %#x", i, got[i], want[i])
		}
	}
}

// address is where write takes a GPA.
func address(gpa uint64) uint64 { return gpa - abi.ImageGPA + abi.KernelBase }

// entry returns the address, as write takes it, of the entry on a level that a
// kernel address goes through.
func (g *guest) entry(to uint64, level int) uint64 {
	table := g.tables.Root()
	for l := levels; l > level; l-- {
		table = binary.LittleEndian.Uint64(g.page(table)[to>>(12+9*(l-1))%entries*8:]) & addressMask
	}
	return address(table + to>>(12+9*(level-1))%entries*8)
}

// leaf returns the same of the entry that maps the address.
func (g *guest) leaf(to uint64) uint64 { return g.entry(to, 1) }

// distrusted makes each change to a guest of its own, which must not be trusted then.
func distrusted(t *testing.T, changes map[string]func(g *guest)) {
	t.Helper()
	for name, spoil := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGuest(t)
			spoil(g)
			if Pages(&g.State) != nil {
				t.Error("it is trusted")
			}
		})
	}
}

func TestChanged(t *testing.T) {
	t.Parallel()
	distrusted(t, map[string]func(g *guest){
		"CR0":                    func(g *guest) { g.CPU.Sregs.CR0 ^= 1 << 16 },
		"CR3":                    func(g *guest) { g.CPU.Sregs.CR3 += PageSize },
		"CR4":                    func(g *guest) { g.CPU.Sregs.CR4 ^= 1 << 7 },
		"EFER":                   func(g *guest) { g.CPU.Sregs.EFER ^= 1 },
		"IDT register":           func(g *guest) { g.CPU.Sregs.IDT.Base += 16 },
		"GDT register":           func(g *guest) { g.CPU.Sregs.GDT.Limit++ },
		"task register":          func(g *guest) { g.CPU.Sregs.TR.Base++ },
		"a local table":          func(g *guest) { g.CPU.Sregs.LDT = kvm.Segment{Base: data, Limit: 15, Type: 2, Present: 1, Selector: 8} },
		"a breakpoint's address": func(g *guest) { g.Debug.DB[3] = 1 },
		"a breakpoint":           func(g *guest) { g.Debug.DR7 |= 1 },
		"code segment":           func(g *guest) { g.CPU.Sregs.CS.DPL = 0 },
		"XCR0":                   func(g *guest) { g.CPU.XCR0 = 3 },
		"an MSR":                 func(g *guest) { g.CPU.MSRs[4].Data = 1 },
		"an MSR less":            func(g *guest) { g.CPU.MSRs = g.CPU.MSRs[:4] },
		"a gate's target":        func(g *guest) { g.write(g.Kernel.IDT+16*7+8, 1) },
		"a gate's start":         func(g *guest) { g.write(g.Kernel.IDT+16*7, g.word(g.Kernel.IDT+16*7)+1) },
		"a gate for programs":    func(g *guest) { g.write(g.Kernel.IDT+16*7, g.word(g.Kernel.IDT+16*7)|0x60<<40) },
		"the lent gate":          func(g *guest) { g.write(g.Kernel.IDT+16*3, g.word(g.Kernel.IDT+16*3)+0x100) },
		"the tick's gate":        func(g *guest) { g.write(g.Kernel.IDT+16*32, 0) },
		"a call gate":            func(g *guest) { g.write(tables+8, 0xec<<40) },
		"another TSS":            func(g *guest) { g.write(tables+64, 0) },
		"the stubs":              func(g *guest) { g.write(stubs+0x7f8, 1) },
		"other read-only pages":  func(g *guest) { g.write(abi.KernelBase, 1) },
		"stubs elsewhere":        func(g *guest) { g.write(g.leaf(stubs), 0x200000|present) },
		"no stubs":               func(g *guest) { g.write(g.leaf(stubs), 0) },
		"stubs that are written": func(g *guest) { g.write(g.leaf(stubs), gpa(stubs)|present|writable) },
		"tables elsewhere":       func(g *guest) { g.write(g.leaf(tables), 0x200000|present|writable) },
		"no tables":              func(g *guest) { g.write(g.leaf(tables+PageSize), 0) },
		"a table outside memory": func(g *guest) { g.write(address(g.tables.Root()), memory|present) },
		"a root that is zero":    func(g *guest) { delete(g.pages, g.tables.Root()) },
		"a kernel without tables": func(g *guest) {
			g.Kernel.TablesStart, g.Kernel.TablesEnd = 0, 0
		},
		"a large page": func(g *guest) {
			g.write(g.entry(abi.KernelBase, 3), present|large)
		},
	})
}

// FuzzPages writes anything anywhere.
func FuzzPages(f *testing.F) {
	f.Add(uint16(1), uint64(present), uint64(3))
	f.Fuzz(func(t *testing.T, place uint16, value, step uint64) {
		g := newGuest(t)
		for i := range uint64(64) {
			at := (firstFree + PageSize + (uint64(place)+i*step)*8) % memory &^ 7
			if at < abi.ImageGPA {
				continue
			}
			g.write(address(at), value+i*PageSize)
		}
		Pages(&g.State)
	})
}
