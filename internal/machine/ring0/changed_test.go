package ring0

import (
	"testing"

	"github.com/airlockvm/airlock/internal/machine/pagetable"
)

// set sets bits of the entry on a level that a kernel address goes through.
func (g *guest) set(to uint64, level int, bits uint64) {
	at := g.entry(to, level)
	g.write(at, g.word(at)|bits)
}

// copyTo copies a part of the kernel's memory, within pages, and returns where.
func (g *guest) copyTo(to, from, size uint64) uint64 {
	copy(g.page(gpa(to) &^ (PageSize - 1))[to%PageSize:], g.page(gpa(from) &^ (PageSize - 1))[from%PageSize:][:size])
	return to
}

const (
	idtSize = 16 * 33
	gdtSize = 8 * 10
	second  = tables + PageSize + 0x900 // free room in the second page of tables
)

// TestChangedOne makes changes that only one check can see: all else is as it was,
// or a good copy.
func TestChangedOne(t *testing.T) {
	t.Parallel()
	distrusted(t, map[string]func(g *guest){
		"another root with the same content": func(g *guest) {
			const other = 0x180000
			copy(g.page(other), g.page(g.tables.Root()))
			g.CPU.Sregs.CR3 = other
		},
		"stack segment":     func(g *guest) { g.CPU.Sregs.SS.DPL = 0 },
		"IDT behind tables": func(g *guest) { g.Kernel.IDT = g.copyTo(data, g.Kernel.IDT, idtSize) },
		"GDT behind tables": func(g *guest) { g.Kernel.GDT = g.copyTo(data, g.Kernel.GDT, gdtSize) },
		"IDT before tables": func(g *guest) {
			g.Kernel.GDT, g.Kernel.TablesStart = g.copyTo(second, g.Kernel.GDT, gdtSize), tables+PageSize
		},
		"GDT before tables": func(g *guest) {
			g.Kernel.IDT, g.Kernel.TablesStart = g.copyTo(second, g.Kernel.IDT, idtSize), tables+PageSize
		},
		"tables end in the IDT": func(g *guest) { g.Kernel.TablesEnd = g.Kernel.IDT + idtSize - 1 },
		"tables end in the GDT": func(g *guest) {
			g.Kernel.GDT = g.copyTo(second, g.Kernel.GDT, gdtSize)
			g.Kernel.TablesEnd = second + gdtSize - 1
		},
		"stubs in the tables":           func(g *guest) { g.Kernel.Ring0End = tables + 1 },
		"the last tables elsewhere":     func(g *guest) { g.write(g.leaf(tables+PageSize), 0x200000|present|writable) },
		"system calls before the stubs": func(g *guest) { g.Kernel.Ring0Start = g.Kernel.SyscallStub + 1 },
		"system calls behind the stubs": func(g *guest) { g.Kernel.SyscallStub = g.Kernel.Ring0End },
		"stubs that are not present":    func(g *guest) { g.write(g.leaf(stubs), gpa(stubs)) },
		"a large page of 1 GiB":         func(g *guest) { g.set(stubs, 3, large) },
		"a large page of 2 MiB":         func(g *guest) { g.set(stubs, 2, large) },
		"tables that reach out of memory": func(g *guest) {
			g.Kernel.TablesEnd = address(memory) + PageSize
			for at := uint64(data + PageSize); at < g.Kernel.TablesEnd; at += PageSize {
				if err := g.tables.Map(at, gpa(at), pagetable.Perm{Write: true}); err != nil {
					panic(err)
				}
			}
		},
	})
}

// TestUnchanged makes what is at the limits of TestChangedOne, and right.
func TestUnchanged(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(g *guest){
		"tables end behind the IDT": func(g *guest) { g.Kernel.TablesEnd = g.Kernel.IDT + idtSize },
		"tables end behind the GDT": func(g *guest) {
			g.Kernel.GDT = g.copyTo(second, g.Kernel.GDT, gdtSize)
			g.Kernel.TablesEnd = second + gdtSize
		},
		"tables begin with the IDT": func(g *guest) {
			g.Kernel.GDT = g.copyTo(second, g.Kernel.GDT, gdtSize)
			g.Kernel.IDT = g.copyTo(tables, g.Kernel.IDT, idtSize)
		},
		"a program's large page": func(g *guest) {
			const third = 0x180000
			g.write(address(third), memory|present|large)
			g.write(address(g.tables.Root()), third|present)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGuest(t)
			change(g)
			if Pages(&g.State) == nil {
				t.Error("it is not trusted")
			}
		})
	}
}

// TestLoop links page tables to each other in all entries: each page is looked
// at as a table at most once a level, and not 512 times for each that leads to it.
func TestLoop(t *testing.T) {
	t.Parallel()
	g := newGuest(t)
	w := newWalker(&g.State)
	root, visits := g.tables.Root(), 0
	const linked = 4
	for table := range uint64(linked) {
		for i := range uint64(entries) {
			g.write(address(root+table*PageSize+i*8), (root+(table+i)%linked*PageSize)|present)
		}
	}
	g.Page = func(gpa uint64) []byte {
		if visits++; visits > levels*linked {
			t.Fatalf("%d visits of %d pages", visits, linked)
		}
		return g.pages[gpa]
	}
	if !w.walk(root, levels) {
		t.Error("tables in memory are not taken")
	}
}
