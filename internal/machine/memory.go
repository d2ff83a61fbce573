package machine

import (
	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/machine/pagetable"
)

// The pages that a guest touches for the first time are what starting it costs
// most: on KVM-PVM 5 µs each, of which 4 are the host's fault. This file saves
// those where it is known beforehand that a page will be touched.

// span is a range of guest-physical memory.
type span struct{ gpa, size uint64 }

const (
	// warmPool is how much of the pool every guest uses: the smallest C program takes
	// 15 pages.
	warmPool = 16 * abi.PageSize

	// warmData is the largest writable part of a program's file that is worth having
	// present: programs change most of a small one, and little of a large one.
	warmData = 16 * abi.PageSize

	// smallPool is how much of the pool lies before its first large page. Small
	// programs need no more and should not wait for 2 MiB to be zeroed; for large
	// ones a fault is ten times cheaper in large pages.
	smallPool = 256 << 10

	// roomyMemory is the memory from which on less than 2 MiB may be given up for
	// that.
	roomyMemory = 32 << 20
)

// poolStart returns where the pool begins, given where the image and the tables
// behind it end.
func poolStart(end, memory uint64) uint64 {
	if memory < roomyMemory {
		return end
	}
	boundary := (end + abi.MemoryUnit - 1) &^ (abi.MemoryUnit - 1)
	return max(end, boundary-smallPool)
}

// warm makes the pages present that every guest writes to.
func (m *Machine) warm() error {
	for _, s := range m.image.written {
		if err := m.memory.Prefault(s.gpa, s.size); err != nil {
			return err
		}
	}
	return m.memory.Prefault(m.boot.PoolStart, warmPool)
}

// writePhysmap completes the page tables of the image with what depends on the
// memory's size.
func (m *Machine) writePhysmap() error {
	tables := m.image.Size()
	if err := m.memory.CopyIn(tables, pagetable.Linear(m.config.Memory)); err != nil {
		return err
	}
	n := pagetable.LinearTables(m.config.Memory)
	if n == 1 {
		return nil // the image links the first
	}
	return m.memory.CopyIn(m.image.physmap, pagetable.Links(tables, n))
}
