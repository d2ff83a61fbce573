// Package ring0 answers two questions about the memory of a guest that stands
// still: is what runs in ring 0 what the guest kernel made it, and which pages
// would have to be written to change that?
//
// Guests run in ring 3, where general registers, extended state, segment
// registers and, by single steps, DR6 are all that they can change. Everything
// else, from the breakpoints to the page-table root, takes ring 0; and into ring 0 lead only the gates of
// the kernel's tables, to the kernel's stubs. So a guest that has written to
// none of these pages can have changed nothing else. It is pure: it knows memory
// and register content, not machines.
package ring0

import (
	"encoding/binary"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/kvm"
	"github.com/airlockvm/airlock/internal/machine/bootstate"
)

// PageSize is the unit of everything here.
const PageSize = abi.PageSize

// State is a guest that stands still.
type State struct {
	// Page returns the page of memory at a GPA, or nil if it is zero or not there.
	//
	// Guest-controlled: the content.
	Page func(gpa uint64) []byte
	// Memory is the bytes of memory.
	Memory uint64
	// Pristine returns the page of memory at a GPA as it was before the guest's
	// first instruction, or nil if it was zero.
	Pristine func(gpa uint64) []byte
	// Kernel describes the guest kernel.
	Kernel abi.KernelInfo
	// CPU is the state of the processor, Boot the one that it started with.
	CPU, Boot bootstate.State
	// Debug are its debug registers.
	Debug kvm.DebugRegs
}

// Pages returns the pages that decide what runs in ring 0: the page tables, the
// kernel's read-only pages and its descriptor tables, as a bitmap. The result is
// nil if ring 0 is not as the kernel made it: then nothing can be concluded from
// what was written to.
func Pages(s *State) []uint64 {
	if !sameCPU(&s.CPU, &s.Boot) || !bootstate.DebugUnused(s.Debug) || !s.tables() {
		return nil
	}
	w := newWalker(s)
	if !w.kernel() || !w.walk(s.CPU.Sregs.CR3, levels) {
		return nil
	}
	return w.pages
}

// sameCPU reports whether all that ring 3 can't change is what it was.
func sameCPU(now, boot *bootstate.State) bool {
	a, b := &now.Sregs, &boot.Sregs
	if a.CR0 != b.CR0 || a.CR3 != b.CR3 || a.CR4 != b.CR4 || a.EFER != b.EFER ||
		a.GDT != b.GDT || a.IDT != b.IDT || a.TR != b.TR || a.CS != b.CS || a.SS != b.SS || now.XCR0 != boot.XCR0 {
		return false
	}
	// The kernel has no local descriptor table. One could have call gates.
	if a.LDT.Unusable == 0 && a.LDT.Present != 0 {
		return false
	}
	if len(now.MSRs) != len(boot.MSRs) {
		return false
	}
	for i := range now.MSRs {
		if now.MSRs[i] != boot.MSRs[i] {
			return false
		}
	}
	return true
}

// gpa is where the kernel's own address lies.
func gpa(address uint64) uint64 { return address - abi.KernelBase + abi.ImageGPA }

// Gates of the IDT, and descriptors (APM volume 2, "Segment Descriptors").
const (
	gateSize      = 16
	gateInterrupt = 0x8e
	gateProgram   = 0xee // that ring 3 may use with INT3 and INTO

	exceptions = 32
	breakpoint = 3
	overflow   = 4
)

// tables reports whether IDT and GDT say what the kernel wrote at its start.
func (s *State) tables() bool {
	k := &s.Kernel
	if k.TablesEnd <= k.TablesStart || k.TablesStart < abi.KernelBase ||
		k.IDT < k.TablesStart || k.IDT+gateSize*(exceptions+1) > k.TablesEnd ||
		k.GDT < k.TablesStart || k.GDT+descriptors*8 > k.TablesEnd {
		return false
	}
	for vector := range uint64(exceptions + 1) {
		target, kind := k.TrapStubs+vector*uint64(k.TrapStubSize), uint64(gateInterrupt)
		switch vector {
		case breakpoint, overflow:
			kind = gateProgram
		case exceptions:
			target = k.TickStub
		}
		low, high := s.word(k.IDT+vector*gateSize), s.word(k.IDT+vector*gateSize+8)
		want := target&0xffff | abi.Ring0CS<<16 | kind<<40 | target>>16&0xffff<<48
		const stack = 7 << 32 // which stack it uses does not matter
		if low&^stack != want || high != target>>32 {
			return false
		}
	}
	return s.gdt()
}

// descriptors is the number of entries of the GDT.
const descriptors = 10

// gdt reports whether the segments are what they were. What the task state segment
// says does not matter: it names stacks, and ports that ring 3 may use.
func (s *State) gdt() bool {
	base, limit := s.Kernel.TSS, uint64(s.Kernel.TSSLimit)
	want := [descriptors]uint64{
		abi.Ring0CS / 8: 0x00af9b000000ffff,
		abi.Ring0SS / 8: 0x00cf93000000ffff,
		abi.UserSS / 8:  0x00cff3000000ffff,
		abi.UserCS / 8:  0x00affb000000ffff,

		abi.TSSSelector / 8:   limit&0xffff | base&0xffffff<<16 | 0x8b<<40 | base>>24&0xff<<56,
		abi.TSSSelector/8 + 1: base >> 32,
	}
	for i, entry := range want {
		if s.word(s.Kernel.GDT+uint64(i)*8) != entry { //nolint:gosec // G115: an index
			return false
		}
	}
	return true
}

// word reads eight bytes, which lie in one page, at a kernel address.
func (s *State) word(address uint64) uint64 {
	page := s.Page(gpa(address) &^ (PageSize - 1))
	if page == nil {
		return 0
	}
	return binary.LittleEndian.Uint64(page[address%PageSize:])
}
