package pagetable

import (
	"encoding/binary"
	"errors"
	"testing"
)

// physical is memory from address base up for tests.
type physical struct {
	base uint64
	b    []byte
}

func (p *physical) page(gpa uint64) []byte { return p.b[gpa-p.base:][:PageSize] }

func (p *physical) alloc() uint64 {
	p.b = append(p.b, make([]byte, PageSize)...)
	return p.base + uint64(len(p.b)) - PageSize
}

func TestMap(t *testing.T) {
	p := &physical{base: 0x7000}
	tables := New(p.page, p.alloc)
	mappings := []struct {
		address, gpa uint64
		perm         Perm
	}{
		{0x400000, 0x10000, Perm{Exec: true}},
		{0x401000, 0x11000, Perm{}},
		{0x600000, 0x12000, Perm{Write: true}},
		{0x7f7fffff0000, 0x13000, Perm{}},
		{0x7fc000000000, 0xffffffff000, Perm{Exec: true}},
		{0, 0x14000, Perm{Write: true, Exec: true}},
	}
	for _, m := range mappings {
		if err := tables.Map(m.address, m.gpa, m.perm); err != nil {
			t.Fatal(err)
		}
	}
	mapped := make(map[uint64]bool)
	for _, m := range mappings {
		mapped[m.address] = true
		got, ok := Walk(p.page, tables.Root(), m.address+0x123)
		want := Mapping{GPA: m.gpa + 0x123, Size: PageSize, Perm: m.perm}
		if !ok || got != want {
			t.Errorf("Walk(%#x) = %+v, %v, want %+v", m.address, got, ok, want)
		}
	}
	for _, m := range mappings {
		for _, neighbour := range []uint64{m.address - PageSize, m.address + PageSize, m.address ^ LargePage, m.address ^ HugePage} {
			if got, ok := Walk(p.page, tables.Root(), neighbour); ok != mapped[neighbour] {
				t.Errorf("Walk(%#x) = %+v, %v", neighbour, got, ok)
			}
		}
	}
}

// TestEntryBits checks what Walk does not look at: the bits that keep the
// processor from writing to the tables.
func TestEntryBits(t *testing.T) {
	p := &physical{}
	tables := New(p.page, p.alloc)
	if err := tables.Map(0x1000, 0x5000, Perm{Write: true}); err != nil {
		t.Fatal(err)
	}
	for gpa := uint64(0); gpa < uint64(len(p.b)); gpa += 8 {
		e := binary.LittleEndian.Uint64(p.b[gpa:])
		if e != 0 && (e&user == 0 || e&accessed == 0) {
			t.Errorf("entry %#x at %#x", e, gpa)
		}
	}
}

func TestMapErrors(t *testing.T) {
	p := &physical{}
	tables := New(p.page, p.alloc)
	if err := tables.Map(0x1000, 0x5000, Perm{}); err != nil {
		t.Fatal(err)
	}
	if err := tables.Map(0x1000, 0x6000, Perm{}); !errors.Is(err, ErrMapped) {
		t.Errorf("mapping twice: %v", err)
	}
	for _, bad := range []struct{ address, gpa uint64 }{
		{0x1001, 0x5000}, {0x2000, 0x5001}, {1 << 47, 0x5000}, {0x2000, 1 << 52},
	} {
		if err := tables.Map(bad.address, bad.gpa, Perm{}); err == nil {
			t.Errorf("Map(%#x, %#x) succeeded", bad.address, bad.gpa)
		}
	}
}

func TestLinear(t *testing.T) {
	const area = 0x7f8000000000
	for _, size := range []uint64{LargePage, 32 << 20, HugePage, HugePage + LargePage, 3*HugePage - LargePage} {
		p := &physical{}
		tables := New(p.page, p.alloc)
		table, err := tables.Table(area)
		if err != nil {
			t.Fatal(err)
		}
		gpa := uint64(len(p.b))
		for range LinearTables(size) {
			p.alloc()
		}
		copy(p.b[gpa:], Linear(size))
		copy(p.page(table), Links(gpa, LinearTables(size)))

		for address := uint64(0); address < size+2*LargePage; address += LargePage / 2 {
			got, ok := Walk(p.page, tables.Root(), area+address)
			want := Mapping{GPA: address, Size: LargePage, Perm: Perm{Write: true}}
			if ok != (address < size) || ok && got != want {
				t.Fatalf("size %#x: Walk(+%#x) = %+v, %v", size, address, got, ok)
			}
		}
	}
}
