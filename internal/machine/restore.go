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
	maxHot = 4096
	// relearn is after how many such copies, each of less than half a microsecond, it
	// is found out anew which pages those are. To find out costs two faults for each.
	relearn = 1 << 16
	// maxCopied is how many pages at a time are copied. If there are more, the host's
	// copies of them are given back.
	maxCopied = 1024
)

// tracker knows which pages of a machine differ from its snapshot.
type tracker struct {
	base  *Snapshot
	dirty []uint64 // scratch: what was written to
	words []int    // scratch: where dirty isn't zero, so that the rest of a large memory costs nothing
	hot   []uint64 // pages that stay in the log
	once  []uint64 // pages that were in it once
	clean []uint64 // pages to take out of the log; zero between restores

	hotCount, copies int

	logging bool // the dirty log is on
	// lost says that a restore has failed half-way: nothing is known of memory and
	// registers, and the next one has to do everything.
	lost bool
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
	t.hotCount, t.copies = 0, 0
}

// ErrMemorySize means that a snapshot is of a machine with another size of
// memory.
var ErrMemorySize = errors.New("machine: the snapshot is of a machine with another size of memory")

// Restore brings the machine to where the snapshot was taken, whatever has
// happened to it. The seed is randomness that nobody else gets. Not between
// Begin and End. If it fails, the machine's state is unknown, until a restore
// succeeds. Full says that KVM had to forget what it knew of the guest's page tables:
// these may have changed, or the snapshot is another one.
func (m *Machine) Restore(s *Snapshot, seed [32]byte) (full bool, err error) {
	if s.config.Memory != m.config.Memory {
		return false, ErrMemorySize
	}
	m.Pause() // whatever comes of this
	release, err := s.hold()
	if err != nil {
		return false, err
	}
	defer release()
	m.forget()
	if !m.replaceable {
		if err := m.settle(); err != nil {
			return false, err
		}
	}
	known := m.tracker.base == s && !m.tracker.lost
	m.tracker.lost = true
	all := true // that ring 0 can change may have been changed
	full = true
	if known {
		all, full, err = m.revert(s)
	} else {
		err = m.rebase(s)
	}
	if err != nil {
		return false, err
	}
	if err := m.writeCPU(&s.cpu, all); err != nil {
		return false, err
	}
	if err := m.awake(s, seed); err != nil {
		return false, err
	}
	m.suspect, m.tracker.lost = false, false
	return full, nil
}

// revert undoes what was written to since the machine was in the state of the
// snapshot. All says that the guest may have been in ring 0, full that KVM has
// forgotten what it knew of the guest's page tables.
func (m *Machine) revert(s *Snapshot) (all, full bool, err error) {
	t := &m.tracker
	if err := m.vm.DirtyLog(0, t.dirty); err != nil {
		return true, true, err
	}
	m.memory.Written(t.dirty)
	fresh, ring0 := t.sort(s.ring0)
	all = ring0 || m.suspect
	if fresh > maxCopied {
		// clean are those that are taken out of the log: not hot.
		if err := m.memory.Drop(t.clean); err != nil {
			return true, true, err
		}
		for _, i := range t.words {
			t.dirty[i] &^= t.clean[i]
		}
	}
	m.memory.Revert(t.dirty, t.words)
	// With nested paging there is no copy, and the processor's walks of page tables
	// count as writes to them, so that they are in the log always. What the processor
	// itself has cached goes when pages are taken out of the log, which these are: KVM
	// flushes the guest's translations then.
	flushed := m.nested && s.ring0 != nil && ring0
	if full = all && !flushed; full {
		if err := m.flushShadow(); err != nil {
			return true, true, err
		}
	}
	err = m.watch(t.clean, t.words)
	for _, i := range t.words {
		t.clean[i] = 0
	}
	return all, full, err
}

// sort decides which of the dirty pages stay in the log, and puts the others into
// clean. It returns how many these are, and whether any page decides over ring 0.
func (t *tracker) sort(ring0 []uint64) (fresh int, inRing0 bool) {
	if t.copies += t.hotCount; t.copies > relearn || t.hotCount > maxHot {
		t.forget()
	}
	t.words = t.words[:0]
	for i, w := range t.dirty {
		if w == 0 {
			continue
		}
		t.words = append(t.words, i)
		again := w & t.once[i] &^ t.hot[i]
		if ring0 == nil || w&ring0[i] != 0 {
			inRing0 = true
		}
		if ring0 != nil {
			again &^= ring0[i] // of these it must be known each time
		}
		t.hotCount += bits.OnesCount64(again)
		t.hot[i] |= again
		t.once[i] |= w
		t.clean[i] = w &^ t.hot[i]
		fresh += bits.OnesCount64(t.clean[i])
	}
	return fresh, inRing0
}

// maxSpan is how many words of the log are cleared at a time, at most: the kernel
// looks at each.
const maxSpan = 512

// watch takes pages out of the dirty log. words, in order, are where there are any.
func (m *Machine) watch(pages []uint64, words []int) error {
	const pagesPerWord = 64
	total := m.config.Memory / guestmem.PageSize
	for n := 0; n < len(words); {
		first := words[n]
		last := first
		found := uint64(0)
		for ; n < len(words) && words[n] < first+maxSpan; n++ {
			last = words[n]
			found |= pages[last]
		}
		if found == 0 {
			continue
		}
		if err := m.vm.ClearDirtyLog(0, total, uint64(first)*pagesPerWord, pages[first:last+1]); err != nil { //nolint:gosec // G115: an index
			return err
		}
	}
	return nil
}

// rebase replaces the machine's memory by that of another snapshot.
func (m *Machine) rebase(s *Snapshot) error {
	m.config, m.boot, m.kernel = s.config, s.boot, s.kernel
	if err := m.memory.Remap(s.memory); err != nil {
		return err
	}
	m.follow(s)
	if !m.tracker.logging {
		if err := m.attachMemory(); err != nil { // turns the dirty log on
			return err
		}
	}
	if err := m.flushShadow(); err != nil {
		return err
	}
	t := &m.tracker
	t.words = t.words[:0]
	for i := range t.clean {
		t.clean[i] = ^uint64(0)
		t.words = append(t.words, i)
	}
	err := m.watch(t.clean, t.words)
	clear(t.clean)
	return err
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
