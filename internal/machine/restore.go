package machine

import (
	"errors"
	"math/bits"

	"github.com/airlockvm/airlock/internal/guestmem"
	"github.com/airlockvm/airlock/internal/kvm"
)

// What a restore costs is the pages that were written to since the last one.
// KVM's dirty log says which these are, and finds out by a fault at the first
// write to each, which costs more than to copy the page. So the pages that a
// guest writes to again and again stay in the log, writable, and are copied each
// time; only the others are watched.

const (
	// maxHot is how many pages may be copied without having been written to.
	maxHot = 256
	// relearn is after how many restores it is found out anew which pages those are.
	relearn = 1024
	// maxCopied is how many pages at a time are copied. If there are more, the host's
	// copies of them are given back.
	maxCopied = 1024
)

// tracker knows which pages of a machine differ from its snapshot.
type tracker struct {
	base  *Snapshot
	dirty []uint64 // scratch: what was written to
	hot   []uint64 // pages that stay in the log
	once  []uint64 // pages that were in it once
	clean []uint64 // scratch: pages to take out of the log

	hotCount, restores int
}

// follow makes the snapshot what the machine's memory is compared with.
func (m *Machine) follow(s *Snapshot) {
	m.tracker.base = s
	m.memory.TrackWrites()
	if words := guestmem.Words(m.config.Memory); uint64(len(m.tracker.dirty)) != words {
		all := make([]uint64, 4*words)
		m.tracker.dirty, m.tracker.hot, m.tracker.once, m.tracker.clean = all[:words:words],
			all[words:2*words:2*words], all[2*words:3*words:3*words], all[3*words:]
	}
	m.tracker.forget()
}

func (t *tracker) forget() {
	clear(t.hot)
	clear(t.once)
	t.hotCount, t.restores = 0, 0
}

// ErrMemorySize means that a snapshot is of a machine with another size of
// memory.
var ErrMemorySize = errors.New("machine: the snapshot is of a machine with another size of memory")

// Restore brings the machine to where the snapshot was taken, whatever has
// happened to it. The seed is randomness that nobody else gets. Not between
// Begin and End. If it fails, the machine's state is unknown.
func (m *Machine) Restore(s *Snapshot, seed [32]byte) error {
	if s.config.Memory != m.config.Memory {
		return ErrMemorySize
	}
	release, err := s.hold()
	if err != nil {
		return err
	}
	defer release()
	if !m.replaceable {
		if err := m.settle(); err != nil {
			return err
		}
	}
	all := true
	if m.tracker.base == s {
		all, err = m.revert(s)
	} else {
		err = m.rebase(s)
	}
	if err != nil {
		return err
	}
	if err := m.writeCPU(&s.cpu, all); err != nil {
		return err
	}
	m.suspect = false
	return m.awake(s, seed)
}

// revert undoes what was written to since the machine was in the state of the
// snapshot. It reports whether the guest may have been in ring 0.
func (m *Machine) revert(s *Snapshot) (all bool, err error) {
	t := &m.tracker
	if err := m.vm.DirtyLog(0, t.dirty); err != nil {
		return true, err
	}
	m.memory.Written(t.dirty)
	all = m.suspect || s.ring0 == nil || overlap(t.dirty, s.ring0)
	if fresh := t.sort(s.ring0); fresh > maxCopied {
		// clean are those that are taken out of the log: not hot.
		if err := m.memory.Drop(t.clean); err != nil {
			return true, err
		}
		remove(t.dirty, t.clean)
	}
	m.memory.Revert(t.dirty)
	if all {
		if err := m.flushShadow(); err != nil {
			return true, err
		}
	}
	return all, m.watch(t.clean)
}

// sort decides which of the dirty pages stay in the log, puts the others into
// clean and returns their number.
func (t *tracker) sort(ring0 []uint64) (fresh int) {
	if t.restores++; t.restores%relearn == 0 || t.hotCount > maxHot {
		t.forget()
	}
	for i, w := range t.dirty {
		again := w & t.once[i] &^ t.hot[i]
		if ring0 != nil {
			again &^= ring0[i] // of these it must be known each time
		}
		t.hotCount += bits.OnesCount64(again)
		t.hot[i] |= again
		t.once[i] |= w
		t.clean[i] = w &^ t.hot[i]
		fresh += bits.OnesCount64(t.clean[i])
	}
	return fresh
}

// watch takes pages out of the dirty log.
func (m *Machine) watch(pages []uint64) error {
	first, last := -1, -1
	for i, w := range pages {
		if w != 0 {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	if first < 0 {
		return nil
	}
	const pagesPerWord = 64
	return m.vm.ClearDirtyLog(0, m.config.Memory/guestmem.PageSize, uint64(first)*pagesPerWord, pages[first:last+1]) //nolint:gosec // G115: an index
}

// rebase replaces the machine's memory by that of another snapshot.
func (m *Machine) rebase(s *Snapshot) error {
	first := m.tracker.base == nil
	m.config, m.boot, m.kernel = s.config, s.boot, s.kernel
	if err := m.memory.Remap(s.memory); err != nil {
		return err
	}
	m.follow(s)
	if first {
		if err := m.attachMemory(); err != nil { // turns the dirty log on
			return err
		}
	}
	if err := m.flushShadow(); err != nil {
		return err
	}
	for i := range m.tracker.clean {
		m.tracker.clean[i] = ^uint64(0)
	}
	return m.watch(m.tracker.clean)
}

// flushShadow makes KVM forget what it knows of the guest's page tables. Without
// nested paging it keeps its own copy of what they say, and does not see the
// host write to them. Only the end of a memory slot throws the copy away, of any
// slot: so one is made for that, of a page that the guest has anyway, where no
// guest sees it, because none runs between the two calls.
func (m *Machine) flushShadow() error {
	const slot, outOfReach = 1, 1 << 32
	r := kvm.MemoryRegion{Slot: slot, GPA: outOfReach, Size: guestmem.PageSize, HostAddr: m.memory.HostAddr()}
	if err := m.vm.SetMemoryRegion(&r); err != nil {
		return err
	}
	return m.vm.SetMemoryRegion(&kvm.MemoryRegion{Slot: slot, GPA: outOfReach})
}

// maxWarm is how many pages of a first call new machines get beforehand: what a
// guest with a lot to do in its first call needs for that is of no use to others.
const maxWarm = 256

// learn notes which pages the first machine of a snapshot has written to in its
// first call. Those made later get them without a fault for each.
func (m *Machine) learn(s *Snapshot) {
	pages := make([]uint64, len(m.tracker.dirty))
	if err := m.vm.DirtyLog(0, pages); err != nil {
		return // it would have been an optimization
	}
	n := 0
	for _, w := range pages {
		n += bits.OnesCount64(w)
	}
	if n > maxWarm {
		clear(pages)
	}
	s.warm.CompareAndSwap(nil, &pages)
}

func overlap(a, b []uint64) bool {
	for i, w := range a {
		if w&b[i] != 0 {
			return true
		}
	}
	return false
}

func remove(from, set []uint64) {
	for i, w := range set {
		from[i] &^= w
	}
}
