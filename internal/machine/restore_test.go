package machine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/guestmem"
	"github.com/airlockvm/airlock/internal/kvm"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// atSnapshot runs a machine to its first hypercall and captures it there.
func atSnapshot(t *testing.T, m *Machine) *Snapshot {
	t.Helper()
	m.Begin(context.Background())
	hypercall(t, m, abi.PortNext)
	m.End()
	s, err := m.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// compare fails unless the machine is where the snapshot was taken, but for the
// control and clock pages, which the host writes to.
func compare(t *testing.T, m *Machine, s *Snapshot) {
	t.Helper()
	if err := m.settle(); err != nil {
		t.Fatal(err)
	}
	var cpu CPU
	if err := m.readCPU(&cpu); err != nil {
		t.Fatal(err)
	}
	for _, part := range []struct {
		name      string
		got, want any
	}{
		{"general registers", cpu.Regs, s.cpu.Regs},
		{"special registers", cpu.Sregs, s.cpu.Sregs},
		{"events", cpu.Events, s.cpu.Events},
		{"debug registers", cpu.Debug, stepped(s.cpu.Debug)},
		{"XCR0", cpu.XCR0, s.cpu.XCR0},
		{"MSRs", fmt.Sprint(cpu.MSRs), fmt.Sprint(s.cpu.MSRs)},
	} {
		if part.got != part.want {
			t.Errorf("%s are %+v, want %+v", part.name, part.got, part.want)
		}
	}
	const inUse = 512 // which components aren't in their initial state; the processor may not notice that one is again
	for i := range cpu.XSave {
		if i != inUse && cpu.XSave[i] != s.cpu.XSave[i] {
			t.Errorf("byte %d of the extended state is %#x, want %#x", i, cpu.XSave[i], s.cpu.XSave[i])
		}
	}
	got := contents(t, m)
	for gpa := uint64(abi.ImageGPA); gpa < uint64(len(got)); gpa += abi.PageSize {
		want := s.memory.Page(gpa)
		if want == nil {
			want = make([]byte, abi.PageSize)
		}
		if !bytes.Equal(got[gpa:gpa+abi.PageSize], want) {
			t.Fatalf("the page at %#x differs", gpa)
		}
	}
}

// TestRestore spoils machines in every way a guest has, the one that the
// snapshot is of and one made from it, and expects them back, every time.
func TestRestore(t *testing.T) {
	sys := kvmtest.Require(t)
	for _, row := range spoilers(tkImage(t, tkCode{})) {
		t.Run(row.name, func(t *testing.T) {
			entry := asm(func(c *code) { row.code(c.out(abi.PortNext)) })
			original := tkMachineOn(t, sys, tkImage(t, tkCode{entry: entry}), chooseRunner(sys.KernelVersion()))
			s := atSnapshot(t, original)
			clone, err := NewFromSnapshot(sys, s, [32]byte{1})
			if err != nil {
				t.Fatal(err)
			}
			defer clone.Close() //nolint:errcheck // it never fails
			compare(t, clone, s)
			var first string
			for round := range 8 {
				for _, m := range []*Machine{original, clone} {
					m.Begin(context.Background())
					end := fmt.Sprint(enter(t, m))
					m.End()
					if first == "" {
						first = end
					}
					if end != first {
						t.Errorf("round %d: it ended with %q, the first time with %q", round, end, first)
					}
					if _, err := m.Restore(s, [32]byte{2}); err != nil {
						t.Fatal(err)
					}
					compare(t, m, s)
				}
			}
		})
	}
}

// TestRestoreTripleFault: one that a signal has kept KVM from reporting is not the next
// use's.
func TestRestoreTripleFault(t *testing.T) {
	m := tkMachine(t, asm(func(c *code) { c.out(abi.PortNext).out(abi.PortExit).spin() }))
	if !m.tripleFaults {
		t.Log("this kernel doesn't tell of triple faults")
		return
	}
	s := atSnapshot(t, m)
	for _, restore := range []bool{false, true} {
		events := noEvents
		events.Flags |= kvm.EventsTripleFault
		events.TripleFaultPending = 1
		m.vcpu.SetAtRun(&s.cpu.Regs, &s.cpu.Sregs, &events)
		m.vcpu.RequestExit()
		if reason, err := m.runner.run(m.vcpu); reason != kvm.ExitIntr || err != nil {
			t.Fatal(reason, err)
		}
		want := Exit{Kind: ExitShutdown}
		if restore {
			if _, err := m.Restore(s, [32]byte{}); err != nil {
				t.Fatal(err)
			}
			want = Exit{Kind: ExitHypercall, Port: abi.PortExit}
		}
		m.Begin(context.Background())
		if got := enter(t, m); got.Kind != want.Kind || got.Port != want.Port {
			t.Errorf("restored: %t: %v, want %v", restore, got, want)
		}
		m.End()
	}
}

// TestRestoreRegisters gives a machine what another one has left in registers
// of every kind.
func TestRestoreRegisters(t *testing.T) {
	m := tkMachine(t, asm(func(c *code) { c.out(abi.PortNext).out(abi.PortExit).spin() }))
	s := atSnapshot(t, m)
	for range 3 {
		dirty := s.cpu
		for i := 160; i < 2600; i++ { // all vector registers that there are
			dirty.XSave[i] = 0x5a
		}
		copy(dirty.XSave[512:], s.cpu.XSave[512:576]) // but for the header
		dirty.XSave[512] |= byte(s.cpu.XCR0)
		dirty.Debug.DB = [4]uint64{1, 2, 3, 4}
		dirty.Sregs.FS.Base, dirty.Sregs.GS.Base, dirty.Sregs.CR2, dirty.Sregs.CR8 = 5, 6, 7, 0
		dirty.Regs.R15, dirty.Regs.RFLAGS = 8, dirty.Regs.RFLAGS|0x801
		dirty.XCR0 = 3
		dirty.MSRs = append([]kvm.MSR(nil), s.cpu.MSRs...)
		dirty.MSRs[len(dirty.MSRs)-1].Data = 9
		dirty.XSave[512] &= 3
		if err := m.writeCPU(&dirty, true); err != nil {
			t.Fatal(err)
		}
		if err := m.settle(); err != nil {
			t.Fatal(err)
		}
		m.suspect = true
		if _, err := m.Restore(s, [32]byte{}); err != nil {
			t.Fatal(err)
		}
		compare(t, m, s)
	}
}

// stepped returns debug registers in which a single step changes nothing.
func stepped(d kvm.DebugRegs) kvm.DebugRegs {
	d.DR6 |= dr6SingleStep
	return d
}

// TestRestoreSingleStep lets a guest step, which would set a bit of DR6 from ring
// 3 if it weren't set. The snapshot is one whose ring 0 is trusted, so that least
// is written.
func TestRestoreSingleStep(t *testing.T) {
	m := tkMachine(t, asm(func(c *code) {
		c.out(abi.PortNext)
		c.raw(0x9c, 0x81, 0x0c, 0x24).imm32(0x100).raw(0x9d, 0x90) // pushf; or [rsp], TF; popf; nop
		c.out(abi.PortExit).spin()
	}))
	s := atSnapshot(t, m)
	s.ring0 = make([]uint64, guestmem.Words(s.config.Memory))
	if _, err := m.Restore(s, [32]byte{}); err != nil { // from now on the quick way
		t.Fatal(err)
	}
	for range 3 {
		m.Begin(context.Background())
		end := enter(t, m)
		m.End()
		m.suspect = false
		var left kvm.DebugRegs
		if err := m.vcpu.GetDebugRegs(&left); err != nil {
			t.Fatal(err)
		}
		t.Logf("%v, DR6 %#x", end, left.DR6)
		if left != stepped(s.cpu.Debug) {
			t.Errorf("the guest has changed its debug registers to %+v", left)
		}
		if _, err := m.Restore(s, [32]byte{}); err != nil {
			t.Fatal(err)
		}
		compare(t, m, s)
	}
}

// TestRestoreManyPages dirties more than are copied at a time.
func TestRestoreManyPages(t *testing.T) {
	const from, pages = 4 << 20, 3 * maxCopied / 2
	sys, large := kvmtest.Require(t), tkConfig
	large.Memory = 16 << 20
	m, err := New(sys, tkImage(t, tkCode{entry: asm(func(c *code) {
		c.out(abi.PortNext)
		c.movRDI(abi.Physmap + from).movEAX(0xa5a5a5a5)
		c.raw(0xb9).imm32(pages*abi.PageSize/4).raw(0xf3, 0xab) // rep stosd
		c.out(abi.PortExit).spin()
	})}), large)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close() //nolint:errcheck // it never fails
	if err := m.Boot(Start{}); err != nil {
		t.Fatal(err)
	}
	s := atSnapshot(t, m)
	for range 5 {
		m.Begin(context.Background())
		hypercall(t, m, abi.PortExit)
		m.End()
		if _, err := m.Restore(s, [32]byte{}); err != nil {
			t.Fatal(err)
		}
		compare(t, m, s)
	}
}

// TestRestoreRefuses says no before anything has changed.
func TestRestoreRefuses(t *testing.T) {
	sys := kvmtest.Require(t)
	m := tkMachine(t, asm(func(c *code) { c.out(abi.PortNext).out(abi.PortExit).spin() }))
	s := atSnapshot(t, m)
	large := tkConfig
	large.Memory += abi.MemoryUnit
	other, err := newMachine(sys, m.image, large, inlineRunner{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close() //nolint:errcheck // it never fails
	if _, err := other.Restore(s, [32]byte{}); !errors.Is(err, ErrMemorySize) {
		t.Errorf("Restore to another size of memory = %v", err)
	}
	if _, err := m.Restore(s, [32]byte{}); err != nil {
		t.Fatal(err)
	}
	if err := m.Reset(); !errors.Is(err, ErrNoImage) {
		t.Errorf("Reset = %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Restore(s, [32]byte{}); !errors.Is(err, ErrSnapshotClosed) {
		t.Errorf("Restore to a closed snapshot = %v", err)
	}
	if _, err := NewFromSnapshot(sys, s, [32]byte{}); !errors.Is(err, ErrSnapshotClosed) {
		t.Errorf("NewFromSnapshot of a closed snapshot = %v", err)
	}
}

// TestRestoreTick: a tick that is due when the first run after a restore begins is not
// lost with the registers that are replaced at that run, and the ones behind it come.
func TestRestoreTick(t *testing.T) {
	m := tkMachine(t, asm(func(c *code) {
		c.movRDI(abi.Physmap+abi.ControlOffsetTickWanted).raw(0xc7, 0x07).imm32(1)
		c.out(abi.PortNext)
		c.movRDI(tkTicks)
		c.raw(0x81, 0x3f).imm32(1).raw(0x72, 0xf8) // cmpl $1, (rdi); jb
		c.out(abi.PortExit).spin()
	}))
	s := atSnapshot(t, m)
	for range 3 {
		if _, err := m.Restore(s, [32]byte{}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		m.Begin(ctx)
		m.mu.Lock() // as when onTick comes right behind Enter's beginning
		m.tick.Store(true)
		m.kick()
		m.mu.Unlock()
		hypercall(t, m, abi.PortExit)
		if m.tickPending.Load() != 0 {
			t.Error("the tick is pending, though the guest handled it")
		}
		m.End()
		cancel()
	}
}
