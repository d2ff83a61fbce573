package elf

import (
	"cmp"
	"slices"
	"sync"
)

// PageSize is the granule in which segments get their permissions.
const PageSize = 4096

// Perm is a set of access permissions of a segment.
type Perm uint8

// The permissions.
const (
	// PermRead allows the program to read.
	PermRead Perm = 1 << iota
	// PermWrite allows the program to write.
	PermWrite
	// PermExec allows the program to execute.
	PermExec
)

// String returns the permissions in the style of /proc/self/maps, as "r-x".
func (p Perm) String() string {
	text := []byte("---")
	if p&PermRead != 0 {
		text[0] = 'r'
	}
	if p&PermWrite != 0 {
		text[1] = 'w'
	}
	if p&PermExec != 0 {
		text[2] = 'x'
	}
	return string(text)
}

// Segment is one range of the guest's memory to be filled before the program
// starts.
type Segment struct {
	// Addr is the address of the first byte, as the program will see it. It need
	// not be the start of a page.
	Addr uint64
	// MemSize is the size in memory. The bytes after Data are zero.
	MemSize uint64
	// Data holds the bytes from the file. It aliases the slice given to Parse and
	// is at most MemSize long.
	Data []byte
	// Perm is what the program may do with the segment's pages: never both write
	// and execute.
	Perm Perm
}

// End returns the address after the segment's last byte.
func (s *Segment) End() uint64 { return s.Addr + s.MemSize }

// PageStart returns the address of the segment's first page.
func (s *Segment) PageStart() uint64 { return pageFloor(s.Addr) }

// PageEnd returns the address after the segment's last page. For a segment from
// Parse it can't wrap.
func (s *Segment) PageEnd() uint64 { return alignUp(s.End(), PageSize) }

// FileEnd returns the address after the last page that has bytes of the file, or
// PageStart if the file has none for the segment.
func (s *Segment) FileEnd() uint64 {
	if len(s.Data) == 0 {
		return s.PageStart()
	}
	return alignUp(s.Addr+uint64(len(s.Data)), PageSize)
}

// contains reports whether addr lies in the segment.
func (s *Segment) contains(addr uint64) bool {
	return addr >= s.Addr && addr-s.Addr < s.MemSize
}

// pageFloor returns the start of the page that holds addr.
func pageFloor(addr uint64) uint64 { return addr &^ (PageSize - 1) }

// alignUp rounds v up to a multiple of align, a power of two. The caller knows v
// to be far from wrapping.
func alignUp(v, align uint64) uint64 { return (v + align - 1) &^ (align - 1) }

// Kind is how an executable wants to be placed in memory.
type Kind int

// The kinds of executable.
const (
	// KindInvalid is the zero Kind. No Image from Parse has it.
	KindInvalid Kind = iota
	// KindExec is an executable with fixed addresses (ET_EXEC).
	KindExec
	// KindPIE is a static position-independent executable (ET_DYN).
	KindPIE
)

// String returns "exec", "pie" or "invalid".
func (k Kind) String() string {
	switch k {
	case KindExec:
		return "exec"
	case KindPIE:
		return "pie"
	case KindInvalid:
	}
	return "invalid"
}

// Image is a checked plan for loading one guest program. Make it with Parse. Its
// methods may be called concurrently. An Image must not be copied.
type Image struct {
	// Kind says whether the addresses were fixed by the linker.
	Kind Kind
	// Bias is what was added to the addresses in the file: zero for KindExec, and
	// for KindPIE the PIEBase of the limits, rounded up to the greatest alignment
	// that a segment asks for.
	Bias uint64
	// Entry is the address of the first instruction. It lies in an executable
	// segment.
	Entry uint64
	// Segments are what to load, at least one, sorted by address. No two of them
	// share a page.
	Segments []Segment
	// PhdrAddr is where the program finds its own program headers (AT_PHDR), or
	// zero if no segment holds the whole table.
	PhdrAddr uint64
	// PhdrCount is the number of program headers (AT_PHNUM).
	PhdrCount int
	// PhdrSize is the size of one program header (AT_PHENT).
	PhdrSize int
	// ExecStack reports whether the program asks for an executable stack
	// (PT_GNU_STACK). It is a wish, for the caller to grant or ignore.
	ExecStack bool

	// Guest-controlled: file is unchecked outside the ranges that Parse verified.
	// Symbol reads it again, with checks of its own.
	file  []byte
	hdr   header
	notes []noteSegment

	symOnce sync.Once
	syms    symbolIndex
}

// Memory returns the sum of the segments' sizes in memory, each rounded to whole
// pages.
func (im *Image) Memory() uint64 {
	// Segments are disjoint and below lowerHalfEnd, so the sum can't wrap.
	var total uint64
	for i := range im.Segments {
		s := &im.Segments[i]
		total += s.PageEnd() - s.PageStart()
	}
	return total
}

// execSegment returns the executable segment that holds addr, or nil.
func (im *Image) execSegment(addr uint64) *Segment {
	i, found := slices.BinarySearchFunc(im.Segments, addr, func(s Segment, addr uint64) int {
		return cmp.Compare(s.Addr, addr)
	})
	if !found {
		i--
	}
	if i < 0 || im.Segments[i].Perm&PermExec == 0 || !im.Segments[i].contains(addr) {
		return nil
	}
	return &im.Segments[i]
}
