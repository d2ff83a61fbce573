package ring0

import (
	"bytes"
	"encoding/binary"

	"github.com/airlockvm/airlock/internal/abi"
)

// Page-table entries (APM volume 2, "Long-Mode Page Translation").
const (
	levels      = 4
	entries     = 512
	present     = 1 << 0
	writable    = 1 << 1
	large       = 1 << 7
	addressMask = 0x000f_ffff_ffff_f000
	noExecute   = 1 << 63
)

// walker collects the pages.
type walker struct {
	state *State
	pages []uint64
	// tables are the page tables seen so far, by level.
	tables [levels + 1][]uint64
}

func newWalker(s *State) *walker {
	words := (s.Memory/PageSize + 63) / 64
	w := &walker{state: s, pages: make([]uint64, words)}
	for level := 1; level <= levels; level++ {
		w.tables[level] = make([]uint64, words)
	}
	return w
}

func (w *walker) has(gpa uint64) bool { return w.pages[gpa/PageSize/64]>>(gpa/PageSize%64)&1 != 0 }

func (w *walker) add(gpa uint64) { w.pages[gpa/PageSize/64] |= 1 << (gpa / PageSize % 64) }

// kernel adds the kernel's read-only pages, which must be as they were, and its
// descriptor tables, and checks that the kernel's addresses lead to them.
func (w *walker) kernel() bool {
	s := w.state
	for address := uint64(abi.KernelBase); ; address += PageSize {
		at, perm, ok := w.translate(address)
		if !ok || at != gpa(address) {
			return false
		}
		if perm&writable != 0 {
			break // behind the read-only pages
		}
		if !bytes.Equal(orZero(s.Page(at)), orZero(s.Pristine(at))) {
			return false
		}
		w.add(at)
	}
	if s.Kernel.Ring0End > s.Kernel.TablesStart { // the stubs must be among them
		return false
	}
	for address := s.Kernel.TablesStart; address < s.Kernel.TablesEnd; address += PageSize {
		at, _, ok := w.translate(address)
		if !ok || at != gpa(address) {
			return false
		}
		w.add(at)
	}
	if stub := s.Kernel.SyscallStub; stub < s.Kernel.Ring0Start || stub >= s.Kernel.Ring0End {
		return false
	}
	for address := s.Kernel.Ring0Start &^ (PageSize - 1); address < s.Kernel.Ring0End; address += PageSize {
		if stub, _, ok := w.translate(address); !ok || !w.has(stub) {
			return false
		}
	}
	return true
}

var zero [PageSize]byte

func orZero(page []byte) []byte {
	if page == nil {
		return zero[:]
	}
	return page
}

// translate finds the page that an address leads to, and the entry's bits.
//
// Guest-controlled: the tables.
func (w *walker) translate(address uint64) (gpa, bits uint64, ok bool) {
	table := w.state.CPU.Sregs.CR3 & addressMask
	for level := levels; ; level-- {
		if table >= w.state.Memory {
			return 0, 0, false
		}
		page := w.state.Page(table)
		if page == nil {
			return 0, 0, false
		}
		index := address >> (12 + 9*(level-1)) % entries
		entry := binary.LittleEndian.Uint64(page[index*8:])
		if entry&present == 0 || level > 1 && entry&large != 0 {
			return 0, 0, false
		}
		table = entry & addressMask
		if level == 1 {
			return table, entry, table < w.state.Memory
		}
	}
}

// walk adds a table and those below it. It reports false for tables that lie
// outside memory. Each page is visited once a level at most, whatever the guest
// has linked to what.
//
// Guest-controlled: the tables.
func (w *walker) walk(table uint64, level int) bool {
	table &= addressMask
	if table >= w.state.Memory {
		return false
	}
	word, bit := table/PageSize/64, uint64(1)<<(table/PageSize%64)
	if w.tables[level][word]&bit != 0 {
		return true
	}
	w.tables[level][word] |= bit
	w.add(table)
	page := w.state.Page(table)
	if level == 1 || page == nil {
		return true
	}
	for i := range entries {
		entry := binary.LittleEndian.Uint64(page[i*8:])
		if entry&present == 0 || entry&large != 0 {
			continue
		}
		if !w.walk(entry, level-1) {
			return false
		}
	}
	return true
}
