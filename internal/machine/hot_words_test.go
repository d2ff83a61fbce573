package machine

import (
	"context"
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// What the host makes of the words that it shares with a guest is decided by what it
// has noted itself. These tests play the guest's part by hand, at each step.

// announce puts a message into the outbox as a guest does, and takes it.
func announce(t *testing.T, m *Machine, sequence uint32) {
	t.Helper()
	m.hot.sequence.Store(sequence)
	if seen, _ := m.Watch(nil, math.MaxUint64, 0); seen != SawMessage || !m.Watching() {
		t.Fatalf("Watch() = %v, watching: %t", seen, m.Watching())
	}
}

// TestAgain: a guest that leaves with a message gets the answer to that one, once, and
// never the answer to another.
func TestAgain(t *testing.T) {
	const first, second = 1<<abi.OperationBits | uint32(abi.OperationHost), 2<<abi.OperationBits | uint32(abi.OperationNext)
	for name, test := range map[string]struct {
		before       func(t *testing.T, m *Machine)
		leaves       uint32 // the sequence that it leaves with
		again, waits bool
		answer       uint64 // where it stands now
	}{
		"nothing was taken":  {func(*testing.T, *Machine) {}, 0, false, true, 0},
		"taken, no answer":   {func(t *testing.T, m *Machine) { t.Helper(); announce(t, m, first) }, first, true, true, 0},
		"taken and answered": {func(t *testing.T, m *Machine) { t.Helper(); announce(t, m, first); answer(t, m, 77) }, first, true, false, 77},
		"another one":        {func(t *testing.T, m *Machine) { t.Helper(); announce(t, m, first); answer(t, m, 77) }, second, false, true, 0},
		"the one before": {func(t *testing.T, m *Machine) {
			t.Helper()
			announce(t, m, first)
			answer(t, m, 77)
			announce(t, m, second)
		}, first, false, true, 0},
		"not answered, unlike the one before": {func(t *testing.T, m *Machine) {
			t.Helper()
			announce(t, m, first)
			answer(t, m, 77)
			announce(t, m, second)
		}, second, true, true, 0},
		"of the time before a restore": {func(t *testing.T, m *Machine) {
			t.Helper()
			announce(t, m, first)
			answer(t, m, 77)
			m.forget()
		}, first, false, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			m := hollow(t)
			test.before(t, m)
			again, waits, err := m.Again(abi.Message{Sequence: test.leaves})
			if again != test.again || waits != test.waits || err != nil || m.ReadMessage().Answer != test.answer {
				t.Errorf("Again() = %t, %t, %v, with an answer of %d; want %t, %t, %d",
					again, waits, err, m.ReadMessage().Answer, test.again, test.waits, test.answer)
			}
			// It has left: from here on it finds answers where it stands, and what it left
			// with is no longer what was taken.
			m.hot.answered.Store(0)
			answer(t, m, 55)
			if m.ReadMessage().Answer != 55 || m.hot.answered.Load() != 0 || m.Watching() {
				t.Errorf("the next answer: %+v, inbox %#x, watching: %t", m.ReadMessage(), m.hot.answered.Load(), m.Watching())
			}
			if again, _, _ := m.Again(abi.Message{Sequence: test.leaves}); again {
				t.Error("the same message is an old one twice")
			}
		})
	}
}

func answer(t *testing.T, m *Machine, length uint64) {
	t.Helper()
	taken := m.hot.taken
	if err := m.Answer(length); err != nil {
		t.Fatal(err)
	}
	if taken != 0 && m.hot.answered.Load() != taken {
		t.Errorf("the inbox says %#x, and %#x was answered", m.hot.answered.Load(), taken)
	}
}

// TestWatchOnce: a message is taken once, whatever else the guest does not do.
func TestWatchOnce(t *testing.T) {
	m := hollow(t)
	announce(t, m, 1<<abi.OperationBits|uint32(abi.OperationNext))
	for range 3 {
		m.Idle()
		if seen, _ := m.Watch(nil, 0, 0); seen != SawNothing {
			t.Errorf("Watch() = %v of a message that was taken", seen)
		}
		if m.hot.idle != 0 {
			t.Error("the guest counts as idle, though it was waited for")
		}
	}
}

// TestTakeOnce: what was seen in the outbox is what is taken, whatever is there a moment
// later.
func TestTakeOnce(t *testing.T) {
	kvmtest.RequireTwoProcessors(t)
	const message, none = 1<<abi.OperationBits | uint32(abi.OperationHost), 2<<abi.OperationBits | uint32(abi.OperationHost) - 2
	m := hollow(t)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				for range 100 {
					m.hot.sequence.Store(message)
					m.hot.sequence.Store(none)
				}
			}
		}
	}()
	for start := time.Now(); time.Since(start) < 300*time.Millisecond && !t.Failed(); {
		for range 1000 {
			if took := m.hot.take(); took && m.Taken() != abi.PortHost {
				t.Errorf("%#x was taken, a message of port %#x", m.hot.taken, m.Taken())
				break
			}
		}
	}
	close(stop)
	<-stopped
}

// TestWatchEnds: how long the host watches, and what then is the guest's patience.
func TestWatchEnds(t *testing.T) {
	ended := make(chan struct{})
	close(ended)
	for name, test := range map[string]struct {
		done  <-chan struct{}
		ticks func(m *Machine) uint64
		extra time.Duration
		after time.Duration // the message comes
		want  Sighting
		least time.Duration
	}{
		"at once":               {nil, func(*Machine) uint64 { return 0 }, 0, time.Hour, SawNothing, 0},
		"the context":           {ended, func(*Machine) uint64 { return math.MaxUint64 }, 0, time.Hour, SawNothing, 0},
		"ticks":                 {nil, func(m *Machine) uint64 { return m.Ticks(5 * time.Millisecond) }, 0, time.Hour, SawNothing, 4 * time.Millisecond},
		"more":                  {nil, func(*Machine) uint64 { return 0 }, 5 * time.Millisecond, time.Hour, SawNothing, 4 * time.Millisecond},
		"for ever":              {nil, func(*Machine) uint64 { return math.MaxUint64 }, 0, 5 * time.Millisecond, SawMessage, 4 * time.Millisecond},
		"for ever, and more":    {nil, func(*Machine) uint64 { return math.MaxUint64 }, time.Millisecond, 5 * time.Millisecond, SawMessage, 4 * time.Millisecond},
		"almost, and more":      {nil, func(*Machine) uint64 { return math.MaxUint64 - 1 }, time.Millisecond, 5 * time.Millisecond, SawMessage, 4 * time.Millisecond},
		"more than there could": {nil, func(*Machine) uint64 { return math.MaxUint64 }, math.MaxInt64, 5 * time.Millisecond, SawMessage, 4 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			m := hollow(t)
			m.tscKHz = hostKHz(t)
			m.hot.grant(1000)
			start := time.Now()
			late := time.AfterFunc(test.after, func() { m.hot.sequence.Store(1<<abi.OperationBits | uint32(abi.OperationNext)) })
			defer late.Stop()
			seen, _ := m.Watch(test.done, test.ticks(m), test.extra)
			if took := time.Since(start); seen != test.want || took < test.least {
				t.Errorf("Watch() = %v after %v; want %v, not before %v", seen, took, test.want, test.least)
			}
			want := uint32(1000)
			if seen == SawNothing {
				want = 0 // it leaves with its message, because nobody watches for it
			}
			if got := m.hot.patience.Load(); got != want || m.hot.granted.Load() != want {
				t.Errorf("the guest's patience is %d, want %d", got, want)
			}
		})
	}
}

// hostKHz is the frequency of the counter that Watch measures time with.
func hostKHz(t *testing.T) uint64 {
	t.Helper()
	return tkMachine(t, spinning()).tscKHz
}

// TestPatienceNoted: what a guest was granted is what the host has noted, whatever the
// guest writes to the word for it.
func TestPatienceNoted(t *testing.T) {
	m := hollow(t)
	for _, forged := range []uint32{0, 1, 500, PatienceForever} {
		m.hot.grant(1000)
		m.hot.patience.Store(forged)
		for _, patience := range []uint32{forged, 0} {
			m.hot.grant(patience)
			if got := m.hot.granted.Load(); got != patience {
				t.Errorf("granted %d after the guest wrote %d, want %d", got, forged, patience)
			}
		}
	}
	m.hot.grant(1000)
	m.forget() // memory is that of another time, in which nothing was granted
	m.hot.patience.Store(0)
	m.hot.grant(1000)
	if got := m.hot.patience.Load(); got != 1000 {
		t.Errorf("the guest's word is %d, though 1000 was granted anew", got)
	}
}

// TestEnough: when the tick takes the processor from a guest that nobody waits for.
func TestEnough(t *testing.T) {
	m := hollow(t)
	m.tscKHz = hostKHz(t)
	enough := func(time uint32) bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.pause.Store(false)
		m.enough(time)
		return m.pause.Load()
	}
	idle := func(patience time.Duration) uint32 {
		m.hot.grant(m.Patience(patience))
		before := m.hot.idle
		if m.Idle(); m.hot.idle == 0 || m.hot.idle == before {
			t.Errorf("idle for the %dth time, before for the %dth", m.hot.idle, before)
		}
		return m.hot.idle
	}
	number := idle(10 * time.Minute)
	if first, second := enough(number), enough(number); first || second {
		t.Error("a guest was paused before its patience is over")
	}
	time.Sleep(5 * time.Millisecond)
	if enough(number) {
		t.Error("a guest was paused long before its patience is over")
	}
	number = idle(time.Microsecond)
	if enough(number) {
		t.Error("a guest was paused when it was first seen idle: that may have begun just now")
	}
	time.Sleep(5 * time.Millisecond)
	m.hot.patience.Store(PatienceForever) // as the guest would have it
	if !enough(number) {
		t.Error("a guest goes on, though its patience is over")
	}
	number = idle(time.Microsecond)
	if enough(number) {
		t.Error("a guest was paused for what it did in the idle time before")
	}
	m.hot.grant(PatienceForever)
	m.hot.noteAt -= 1 << 50 // days ago
	if enough(number) {
		t.Error("a guest was paused that may go on for ever")
	}
	m.hot.times = math.MaxUint32
	idle(time.Microsecond)
}

// TestLaunchAfresh: what was asked of a machine before Launch doesn't stop the guest,
// but for Stop.
func TestLaunchAfresh(t *testing.T) {
	kvmtest.RequireTwoProcessors(t)
	m := tkMachine(t, asm(func(c *code) { c.out(abi.PortExit).loop() }))
	want := func(what string, kind ExitKind) {
		t.Helper()
		m.clock.written = 0 // long ago
		told := m.clock.sequence.Load()
		if !m.Launch(PatienceForever) || m.clock.sequence.Load() == told {
			t.Fatal("it was not launched, or not told the time")
		}
		if got := m.hot.patience.Load(); got != PatienceForever {
			t.Errorf("%s: its patience is %d", what, got)
		}
		if seen, _ := m.Watch(nil, m.Ticks(time.Minute), 0); seen != SawExit || !m.Gone() {
			t.Errorf("%s: Watch() = %v of a guest that leaves", what, seen)
		}
		if exit, err := m.Wait(context.Background()); err != nil || exit.Kind != kind {
			t.Errorf("%s: Wait() = %v, %v", what, exit, err)
		}
		if m.hot.granted.Load() != 0 || m.hot.idle != 0 || m.Launched() {
			t.Errorf("%s: outside it has a patience of %d, is idle for the %dth time", what, m.hot.granted.Load(), m.hot.idle)
		}
	}
	want("new", ExitHypercall)
	m.pause.Store(true) // by a tick that came when the guest had left
	want("paused too late", ExitHypercall)
	ctx, cancel := context.WithCancel(t.Context())
	m.Begin(ctx)
	hypercall(t, m, abi.PortExit)
	cancel()
	for enter(t, m).Kind != ExitCanceled {
	}
	m.End()
	want("canceled before", ExitHypercall)
	m.Idle()
	want("idle before", ExitHypercall)
	m.Stop()
	want("stopped", ExitCanceled)
}

// TestLaunchNotCanceled: neither the end of an earlier call's context, however late it is
// noticed, nor an earlier message is something of the launched guest.
func TestLaunchNotCanceled(t *testing.T) {
	kvmtest.RequireTwoProcessors(t)
	m := tkMachine(t, spinning())
	m.Begin(t.Context())
	hypercall(t, m, abi.PortExit)
	number := m.session.number
	m.End()
	m.hot.sequence.Store(1<<abi.OperationBits | uint32(abi.OperationNext)) // of a call that was answered before
	if !m.Launch(PatienceForever) {
		t.Fatal("it was not launched")
	}
	for running := false; !running; runtime.Gosched() {
		m.mu.Lock()
		running = m.session.tid != 0
		m.mu.Unlock()
	}
	m.cancel(number)
	if seen, _ := m.Watch(nil, m.Ticks(5*time.Millisecond), 0); seen != SawNothing {
		t.Errorf("Watch() = %v", seen)
	}
	m.Pause()
}

// TestLaunchRefused: a guest that may not be launched leaves room for others.
func TestLaunchRefused(t *testing.T) {
	kvmtest.RequireTwoProcessors(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	one, other := tkMachine(t, spinning()), tkMachine(t, spinning())
	one.Begin(t.Context())
	hypercall(t, one, abi.PortExit) // from here on it doesn't leave by itself
	one.End()
	for range 3 {
		if !one.Launch(PatienceForever) {
			t.Fatal("it was not launched")
		}
		for range 5 {
			if other.Launch(PatienceForever) {
				t.Fatal("two guests were launched on two processors, and nobody could watch them")
			}
		}
		one.Pause()
	}
}

// TestIdleTicks: once somebody waits for a guest again, its threads are switched, also
// if it was idle before.
func TestIdleTicks(t *testing.T) {
	kvmtest.RequireTwoProcessors(t)
	m := tkMachine(t, wantTicks(3))
	if !m.Launch(1) {
		t.Fatal("it was not launched")
	}
	m.Idle()
	if exit, err := m.Wait(t.Context()); err != nil || exit.Kind != ExitPaused {
		t.Fatalf("Wait() = %v, %v", exit, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	m.Begin(ctx)
	defer m.End()
	hypercall(t, m, abi.PortExit)
}
