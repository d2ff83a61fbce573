// Package pagetable builds x86-64 four-level page tables in a byte slice that
// will become guest-physical memory. It is pure: it knows no machine.
//
// All entries are for ring 3, because all guest code runs there, and have their
// accessed and dirty bits set, so that the processor never has to write to a
// table just to set them.
package pagetable

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Sizes of what one entry maps at each level, and of a table.
const (
	PageSize  = 1 << 12
	LargePage = 1 << 21
	HugePage  = 1 << 30

	tableSize  = PageSize
	entrySize  = 8
	entryCount = tableSize / entrySize
)

// Bits of an entry.
const (
	present   = 1 << 0
	writable  = 1 << 1
	user      = 1 << 2
	accessed  = 1 << 5
	dirty     = 1 << 6
	largePage = 1 << 7
	noExecute = 1 << 63

	addressMask = 0x000f_ffff_ffff_f000
	tableBits   = present | writable | user | accessed
)

// lowerHalfEnd is the end of the addresses that Map takes.
const lowerHalfEnd = 1 << 47

// Perm says what may be done with a mapped page beside reading it.
type Perm struct {
	Write, Exec bool
}

func (p Perm) bits() uint64 {
	bits := uint64(present | user | accessed | dirty)
	if p.Write {
		bits |= writable
	}
	if !p.Exec {
		bits |= noExecute
	}
	return bits
}

// ErrMapped means that an address is mapped already.
var ErrMapped = errors.New("pagetable: already mapped")

// Tables is a tree of page tables in physical memory.
type Tables struct {
	memory func(gpa uint64) []byte
	alloc  func() (gpa uint64)
	root   uint64
}

// New makes an empty tree. The function alloc returns the address of a zeroed
// page for a table, and memory the bytes of such a page.
func New(memory func(gpa uint64) []byte, alloc func() uint64) *Tables {
	return &Tables{memory: memory, alloc: alloc, root: alloc()}
}

// Root returns the address of the top-level table, for CR3.
func (t *Tables) Root() uint64 { return t.root }

// Map maps one page.
func (t *Tables) Map(address, gpa uint64, perm Perm) error {
	if address%PageSize != 0 || gpa%PageSize != 0 || address >= lowerHalfEnd || gpa&^addressMask != 0 {
		return fmt.Errorf("pagetable: can't map %#x to %#x", address, gpa)
	}
	table := t.root
	for level := 3; level > 0; level-- {
		next, err := t.descend(table, index(address, level))
		if err != nil {
			return fmt.Errorf("%w: %#x", err, address)
		}
		table = next
	}
	e := t.entry(table, index(address, 0))
	if binary.LittleEndian.Uint64(e) != 0 {
		return fmt.Errorf("%w: %#x", ErrMapped, address)
	}
	binary.LittleEndian.PutUint64(e, gpa|perm.bits())
	return nil
}

// Table returns the address of the third-level table (of whose entries each is
// for 1 GiB) that serves an address, and makes it if need be.
func (t *Tables) Table(address uint64) (uint64, error) {
	return t.descend(t.root, index(address, 3))
}

func (t *Tables) descend(table, i uint64) (uint64, error) {
	v := binary.LittleEndian.Uint64(t.entry(table, i))
	if v&largePage != 0 {
		return 0, ErrMapped
	}
	if v == 0 {
		v = t.alloc() | tableBits
		// The entry's bytes are asked for again: alloc may have moved them.
		binary.LittleEndian.PutUint64(t.entry(table, i), v)
	}
	return v & addressMask, nil
}

func (t *Tables) entry(table, i uint64) []byte {
	return t.memory(table)[i*entrySize:][:entrySize]
}

// index returns which entry of a table serves an address; level 0 is the table
// of pages.
func index(address uint64, level int) uint64 {
	return address >> (12 + 9*level) & (entryCount - 1)
}

// LinearTables returns how many second-level tables, one after the other in
// physical memory, map an area of the given size with Linear.
func LinearTables(size uint64) uint64 { return (size + HugePage - 1) / HugePage }

// Linear returns the entries of those tables, which map the area to
// guest-physical address 0 and up, with large pages that can be written and not
// executed. The size must be a multiple of LargePage.
func Linear(size uint64) []byte {
	b := make([]byte, size/LargePage*entrySize)
	bits := Perm{Write: true}.bits() | largePage
	for gpa := uint64(0); gpa < size; gpa += LargePage {
		binary.LittleEndian.PutUint64(b[gpa/LargePage*entrySize:], gpa|bits)
	}
	return b
}

// Links returns the entries of a third-level table that lead to count tables of
// Linear, the first of which is at gpa. They belong at the table's start if the
// area begins at a multiple of 512 GiB.
func Links(gpa, count uint64) []byte {
	b := make([]byte, count*entrySize)
	for i := range count {
		binary.LittleEndian.PutUint64(b[i*entrySize:], gpa+i*tableSize|tableBits)
	}
	return b
}

// Mapping is what one address is mapped to.
type Mapping struct {
	GPA  uint64
	Size uint64 // of the page: PageSize or LargePage
	Perm Perm
}

// Walk translates an address as the processor does.
func Walk(memory func(gpa uint64) []byte, root, address uint64) (Mapping, bool) {
	perm := Perm{Write: true, Exec: true}
	table := root
	for level := 3; level >= 0; level-- {
		v := binary.LittleEndian.Uint64(memory(table)[index(address, level)*entrySize:])
		if v&present == 0 || v&user == 0 {
			return Mapping{}, false
		}
		perm.Write = perm.Write && v&writable != 0
		perm.Exec = perm.Exec && v&noExecute == 0
		if level == 0 || v&largePage != 0 {
			size := uint64(1) << (12 + 9*level)
			return Mapping{GPA: v&addressMask&^(size-1) + address&(size-1), Size: size, Perm: perm}, true
		}
		table = v & addressMask
	}
	return Mapping{}, false
}
