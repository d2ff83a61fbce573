package machine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/faults"
	"github.com/airlockvm/airlock/internal/guestmem"
	"github.com/airlockvm/airlock/internal/kvm"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// trusted makes a snapshot one whose restores are quick: pages has those that decide
// over ring 0.
func trusted(t *testing.T, m *Machine, s *Snapshot, pages ...uint64) {
	t.Helper()
	s.ring0 = make([]uint64, guestmem.Words(s.config.Memory))
	for _, gpa := range pages {
		s.ring0[gpa/abi.PageSize/64] |= 1 << (gpa / abi.PageSize % 64)
	}
	for _, want := range []bool{true, false} { // the first one learns what the memory is
		if full, err := m.Restore(s, [32]byte{}); full != want || err != nil {
			t.Fatalf("Restore() = %t, %v; want %t", full, err, want)
		}
	}
}

// TestRestoreSuspect: a guest that was in ring 0, or has written to what decides over it,
// may have changed what no other can, and that is restored as well.
func TestRestoreSuspect(t *testing.T) {
	const page = tkData - abi.KernelBase + abi.ImageGPA // its own, which the entry writes to
	for name, test := range map[string]struct {
		pages   []uint64
		suspect bool
	}{
		"it was in ring 0":                     {nil, true},
		"it wrote to what decides over ring 0": {[]uint64{page}, false},
	} {
		t.Run(name, func(t *testing.T) {
			m := tkMachine(t, asm(func(c *code) {
				c.out(abi.PortNext).movRDI(tkData+0x400).raw(0xc7, 0x07).imm32(7) // movl $7, (rdi)
				c.out(abi.PortExit).spin()
			}))
			s := atSnapshot(t, m)
			trusted(t, m, s, test.pages...)
			for range 3 {
				m.Begin(context.Background())
				hypercall(t, m, abi.PortExit)
				m.End()
				dirty := s.cpu
				dirty.MSRs = append([]kvm.MSR(nil), s.cpu.MSRs...)
				dirty.MSRs[len(dirty.MSRs)-1].Data = 9
				dirty.Debug.DB = [4]uint64{1, 2, 3, 4}
				if err := errors.Join(m.writeCPU(&dirty, true), m.settle()); err != nil {
					t.Fatal(err)
				}
				m.suspect = test.suspect
				if _, err := m.Restore(s, [32]byte{}); err != nil || m.suspect {
					t.Fatal(err, m.suspect)
				}
				compare(t, m, s)
			}
		})
	}
}

// TestRestoreHostWrites: what the host has written for the guest is gone as well.
func TestRestoreHostWrites(t *testing.T) {
	m := tkMachine(t, asm(func(c *code) { c.out(abi.PortNext).out(abi.PortExit).spin() }))
	s := atSnapshot(t, m)
	for range 4 {
		if _, err := m.Restore(s, [32]byte{}); err != nil {
			t.Fatal(err)
		}
		compare(t, m, s)
		secret := slices.Repeat([]byte("secret"), 2000)
		if err := errors.Join(m.WriteMessage(secret), m.WriteStdin(secret)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRestoreLost lets each system call of a restore fail. Nothing is known of such a
// machine, so the next restore does all that there is to do; the one behind it need not.
func TestRestoreLost(t *testing.T) {
	m := tkMachine(t, asm(func(c *code) {
		c.out(abi.PortNext).movRDI(tkData+0x400).raw(0xc7, 0x07).imm32(7)
		c.out(abi.PortExit).spin()
	}))
	s := atSnapshot(t, m)
	trusted(t, m, s)
	for n := int64(1); ; n++ {
		m.Begin(context.Background())
		hypercall(t, m, abi.PortExit)
		m.End()
		if err := m.settle(); err != nil { // what fails before anything is touched loses nothing
			t.Fatal(err)
		}
		stop := faults.FailNth(n)
		full, err := m.Restore(s, [32]byte{})
		if !stop() {
			if full || err != nil || n < 3 {
				t.Errorf("with no failure: %t, %v; %d system calls", full, err, n-1)
			}
			return
		}
		if !errors.Is(err, faults.Err) {
			t.Fatalf("failure %d: %v", n, err)
		}
		for _, want := range []bool{true, false} {
			if full, err := m.Restore(s, [32]byte{}); full != want || err != nil {
				t.Errorf("behind failure %d: full %t, want %t; %v", n, full, want, err)
			}
			compare(t, m, s)
		}
	}
}

// TestTracker: which pages stay in the log, and what is said of ring 0.
func TestTracker(t *testing.T) {
	const a, b, ring0 = 1, 1 << 63, 1 << 7
	newTracker := func() *tracker {
		all := make([]uint64, 12)
		return &tracker{dirty: all[:3], hot: all[3:6], once: all[6:9], clean: all[9:]}
	}
	decides := []uint64{0, 0, ring0}
	for name, test := range map[string]struct {
		ring0 []uint64
		steps [][3]uint64 // what is dirty
		fresh int
		in    bool
		words string // of the last step
		clean [3]uint64
	}{
		"nothing":               {decides, [][3]uint64{{}}, 0, false, "[]", [3]uint64{}},
		"for the first time":    {decides, [][3]uint64{{a | b, 0, a}}, 3, false, "[0 2]", [3]uint64{a | b, 0, a}},
		"again":                 {decides, [][3]uint64{{a | b, 0, a}, {a, b, a}}, 1, false, "[0 1 2]", [3]uint64{0, b, 0}},
		"again and again":       {decides, [][3]uint64{{a, 0, 0}, {a, 0, 0}, {a | b, 0, 0}}, 1, false, "[0]", [3]uint64{b, 0, 0}},
		"with a pause":          {decides, [][3]uint64{{a, 0, 0}, {0, a, 0}, {a, 0, 0}}, 0, false, "[0]", [3]uint64{}},
		"ring 0":                {decides, [][3]uint64{{0, 0, ring0}}, 1, true, "[2]", [3]uint64{0, 0, ring0}},
		"ring 0 again":          {decides, [][3]uint64{{0, 0, ring0 | a}, {0, 0, ring0 | a}, {a, 0, ring0 | a}}, 2, true, "[0 2]", [3]uint64{a, 0, ring0}},
		"beside ring 0":         {decides, [][3]uint64{{0, 0, ring0}, {ring0, 0, a}}, 2, false, "[0 2]", [3]uint64{ring0, 0, a}},
		"not known of ring 0":   {nil, [][3]uint64{{a, 0, 0}, {a, 0, 0}}, 0, true, "[0]", [3]uint64{}},
		"not known, not dirty":  {nil, [][3]uint64{{}}, 0, false, "[]", [3]uint64{}},
		"everything, and again": {decides, [][3]uint64{{^uint64(0), 0, 0}, {^uint64(0), 0, 0}}, 0, false, "[0]", [3]uint64{}},
	} {
		u := newTracker()
		var fresh int
		var in bool
		for _, step := range test.steps {
			clear(u.clean) // as revert leaves it
			copy(u.dirty, step[:])
			fresh, in = u.sort(test.ring0)
		}
		if fresh != test.fresh || in != test.in || fmt.Sprint(u.words) != test.words || [3]uint64(u.clean) != test.clean {
			t.Errorf("%s: %d fresh, ring 0: %t, words %v, out of the log %#x", name, fresh, in, u.words, u.clean)
		}
	}
	// Neither does the log grow without bound, nor for ever.
	for name, change := range map[string]func(u *tracker){
		"copied too often": func(u *tracker) { u.copies = relearn },
		"too many":         func(u *tracker) { u.hotCount = maxHot + 1 },
	} {
		u := newTracker()
		for range 3 {
			copy(u.dirty, []uint64{a, 0, 0})
			u.sort(decides)
		}
		change(u)
		if fresh, _ := u.sort(decides); fresh != 1 || u.hotCount != 0 || u.copies != 0 || u.hot[0] != 0 {
			t.Errorf("%s: %d fresh, %d hot, %d copies", name, fresh, u.hotCount, u.copies)
		}
	}
}

// TestRestoreLeftTick: a tick that was due in the time before a restore is not for the
// guest behind it, which may not have asked for any.
func TestRestoreLeftTick(t *testing.T) {
	m := tkMachine(t, asm(func(c *code) { c.out(abi.PortNext).out(abi.PortExit).spin() }))
	s := atSnapshot(t, m)
	for range 3 {
		m.tick.Store(true)
		if _, err := m.Restore(s, [32]byte{}); err != nil {
			t.Fatal(err)
		}
		m.Begin(t.Context())
		hypercall(t, m, abi.PortExit)
		m.End()
		if n := ticks(t, m); n != 0 {
			t.Errorf("%d ticks", n)
		}
	}
}

// TestGenerations: whenever memory becomes that of a snapshot, its guest finds another
// generation in the clock page than it can have seen before, because that is how it
// knows that its random numbers must be others. A snapshot of a clone has seen that of
// the clone.
func TestGenerations(t *testing.T) {
	sys := kvmtest.Require(t)
	m := tkMachine(t, asm(func(c *code) { c.out(abi.PortNext).loop() }))
	generation := func(m *Machine) uint64 {
		var c abi.Clock
		if err := m.memory.CopyOut(abi.Bytes(&c), abi.ClockGPA); err != nil {
			t.Fatal(err)
		}
		return c.Generation
	}
	s, last := atSnapshot(t, m), generation(m)
	for range 4 {
		clone, err := NewFromSnapshot(sys, s, [32]byte{1})
		if err != nil {
			t.Fatal(err)
		}
		defer clone.Close() //nolint:errcheck // it never fails
		for range 2 {
			if got := generation(clone); got <= last {
				t.Fatalf("the generation is %d, and the snapshot's guest has seen %d", got, last)
			}
			if got := clone.ReadControl().Boot.Seed; got != [32]byte{1} {
				t.Errorf("the seed is %x", got)
			}
			if _, err := clone.Restore(s, [32]byte{1}); err != nil {
				t.Fatal(err)
			}
		}
		s, last = atSnapshot(t, clone), generation(clone)
	}
}

// TestRestoreEvents: what is masked in a snapshot is masked behind a restore to it.
func TestRestoreEvents(t *testing.T) {
	m := tkMachine(t, asm(func(c *code) { c.out(abi.PortNext).out(abi.PortExit).spin() }))
	s := atSnapshot(t, m)
	s.cpu.Events.NMIMasked = 1
	for range 2 {
		if _, err := m.Restore(s, [32]byte{}); err != nil {
			t.Fatal(err)
		}
		compare(t, m, s)
		m.Begin(context.Background())
		hypercall(t, m, abi.PortExit)
		m.End()
	}
}

// TestRestoreAnswered: an answer of the time before a restore is not one to what the
// guest asks behind it, though it asks with the same number.
func TestRestoreAnswered(t *testing.T) {
	const sequence = 1<<abi.OperationBits | uint32(abi.OperationNext)
	m := tkMachine(t, asm(func(c *code) { c.out(abi.PortNext).out(abi.PortExit).spin() }))
	s := atSnapshot(t, m)
	for range 3 {
		announce(t, m, sequence)
		answer(t, m, 77)
		m.hot.grant(1000)
		if _, err := m.Restore(s, [32]byte{}); err != nil {
			t.Fatal(err)
		}
		if m.Watching() || m.hot.granted.Load() != 0 {
			t.Errorf("watching: %t, with a patience of %d", m.Watching(), m.hot.granted.Load())
		}
		if again, _, err := m.Again(abi.Message{Sequence: sequence}); again || err != nil {
			t.Errorf("it gets an old answer: %v", err)
		}
		m.hot.seen = 0
	}
}
