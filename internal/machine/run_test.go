package machine

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/kvm"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// runners are the ways to run a processor; tests of the run loop use both.
var runners = map[string]func() runner{
	"inline": func() runner { return inlineRunner{} },
	"thread": func() runner { return newThreadRunner() },
}

// onRunners runs a test with a machine on each kind of runner.
func onRunners(t *testing.T, entry []byte, test func(t *testing.T, m *Machine)) {
	t.Helper()
	for name, r := range runners {
		t.Run(name, func(t *testing.T) {
			sys := kvmtest.Require(t)
			test(t, tkMachineOn(t, sys, tkImage(t, tkCode{entry: entry}), r()))
		})
	}
}

func TestChooseRunner(t *testing.T) {
	for _, test := range []struct {
		version kvm.Version
		inline  bool
	}{
		{kvm.Version{Major: 5, Minor: 15}, false},
		{kvm.Version{Major: 6, Minor: 12}, false},
		{kvm.Version{Major: 6, Minor: 13}, true},
		{kvm.Version{Major: 7, Minor: 0}, true},
	} {
		r := chooseRunner(test.version)
		if _, inline := r.(inlineRunner); inline != test.inline {
			t.Errorf("Linux %v: %T", test.version, r)
		}
		r.close()
	}
}

// spinning is a guest that makes one hypercall and then runs forever.
func spinning() []byte { return asm(func(c *code) { c.out(abi.PortExit).spin() }) }

// TestCancel stops a guest that runs forever. That it takes less than 10 ms is
// for BenchmarkCancel: a loaded machine may take longer without a fault of ours.
func TestCancel(t *testing.T) {
	onRunners(t, spinning(), func(t *testing.T, m *Machine) {
		t.Helper()
		for range 5 {
			ctx, cancel := context.WithCancel(context.Background())
			m.Begin(ctx)
			time.AfterFunc(2*time.Millisecond, cancel)
			if m.incomplete = false; enter(t, m).Kind == ExitHypercall {
				if e := enter(t, m); e.Kind != ExitCanceled {
					t.Errorf("Enter() = %v", e)
				}
			}
			// It stays canceled.
			if e := enter(t, m); e.Kind != ExitCanceled {
				t.Errorf("Enter() = %v", e)
			}
			m.End()
		}
	})
}

func TestCancelBefore(t *testing.T) {
	onRunners(t, spinning(), func(t *testing.T, m *Machine) {
		t.Helper()
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		m.Begin(ctx)
		defer m.End()
		if e := enter(t, m); e.Kind != ExitCanceled {
			t.Errorf("Enter() = %v: the guest ran", e)
		}
	})
}

// TestCancelAfter: a context that ends after its call does not stop the next.
func TestCancelAfter(t *testing.T) {
	onRunners(t, asm(func(c *code) { c.out(abi.PortExit).loop() }), func(t *testing.T, m *Machine) {
		t.Helper()
		for range 100 {
			ctx, cancel := context.WithCancel(context.Background())
			m.Begin(ctx)
			hypercall(t, m, abi.PortExit)
			go cancel() // before, during or after end
			m.End()
			m.Begin(context.Background())
			hypercall(t, m, abi.PortExit)
			m.End()
		}
	})
}

func TestEnterOutsideBegin(t *testing.T) {
	m := tkMachine(t, spinning())
	if _, err := m.Enter(); !errors.Is(err, errNotBegun) {
		t.Errorf("Enter() before Begin: %v", err)
	}
	m.Begin(context.Background())
	m.End()
	if _, err := m.Enter(); !errors.Is(err, errNotBegun) {
		t.Errorf("Enter() after the end: %v", err)
	}
}

// TestSignals sends the thread signals all the time. The guest must not notice.
func TestSignals(t *testing.T) {
	// Each round: count to five million, then report.
	entry := asm(func(c *code) {
		c.raw(0xb9).imm32(5000000).raw(0xff, 0xc9, 0x75, 0xfc) // mov ecx, n; dec ecx; jnz
		c.out(abi.PortExit).loop()
	})
	onRunners(t, entry, func(t *testing.T, m *Machine) {
		t.Helper()
		begin(t, m)
		stop := storm(t, m.session.tid)
		for range 50 {
			hypercall(t, m, abi.PortExit)
		}
		t.Logf("%d signals", stop())
	})
}

// storm sends a thread signals until the function that it returns is called,
// which says how many.
func storm(t *testing.T, tid int) (stop func() int) {
	t.Helper()
	var wg sync.WaitGroup
	var n int
	ctx, cancel := context.WithCancel(t.Context())
	wg.Go(func() {
		for ctx.Err() == nil {
			if err := kvm.SignalThread(tid); err != nil {
				t.Error(err)
				return
			}
			n++
			// Where entering a guest is slow, it must get time to run at all.
			time.Sleep(50 * time.Microsecond)
		}
	})
	stop = func() int {
		cancel()
		wg.Wait()
		return n
	}
	t.Cleanup(func() { stop() })
	return stop
}

// wantTicks makes the guest ask for ticks, and report when it has had n.
func wantTicks(n uint32) []byte {
	return asm(func(c *code) {
		c.movRDI(abi.Physmap+abi.ControlOffsetTickWanted).raw(0xc7, 0x07).imm32(1) // movl $1, (rdi)
		c.movRDI(tkTicks)
		c.raw(0x81, 0x3f).imm32(n).raw(0x72, 0xf8) // cmpl $n, (rdi); jb
		c.out(abi.PortExit).spin()
	})
}

func ticks(tb testing.TB, m *Machine) uint32 {
	tb.Helper()
	w, err := m.memory.Word32(tkTickTotal)
	if err != nil {
		tb.Fatal(err)
	}
	return w.Load()
}

func TestTick(t *testing.T) {
	onRunners(t, wantTicks(5), func(t *testing.T, m *Machine) {
		t.Helper()
		start := time.Now()
		begin(t, m)
		hypercall(t, m, abi.PortExit)
		if n := ticks(t, m); n < 5 {
			t.Errorf("%d ticks", n)
		}
		if d := time.Since(start); d < 4*tickPeriod {
			t.Errorf("5 ticks in %v", d)
		}
		if m.tickPending.Load() != 0 {
			t.Error("the last tick is pending, though the guest handled it")
		}
	})
}

// TestNoTick: a guest that does not ask for ticks gets none.
func TestNoTick(t *testing.T) {
	m := tkMachine(t, spinning())
	ctx, cancel := context.WithTimeout(context.Background(), 5*tickPeriod)
	defer cancel()
	m.Begin(ctx)
	defer m.End()
	hypercall(t, m, abi.PortExit)
	if e := enter(t, m); e.Kind != ExitCanceled {
		t.Fatal(e)
	}
	if n := ticks(t, m); n != 0 {
		t.Errorf("%d ticks", n)
	}
}

// TestTickPending: while the guest has yet to handle a tick, it gets no other.
func TestTickPending(t *testing.T) {
	m := tkMachine(t, asm(func(c *code) {
		c.movRDI(abi.Physmap+abi.ControlOffsetTickWanted).raw(0x48, 0xb8).imm64(1<<32 | 1).stosq()
		c.out(abi.PortExit).spin()
	}))
	ctx, cancel := context.WithTimeout(context.Background(), 5*tickPeriod)
	defer cancel()
	m.Begin(ctx)
	defer m.End()
	hypercall(t, m, abi.PortExit)
	m.Notify(abi.EventInput)
	if e := enter(t, m); e.Kind != ExitCanceled {
		t.Fatal(e)
	}
	if n := ticks(t, m); n != 0 {
		t.Errorf("%d ticks", n)
	}
}

// TestNotify wakes a running guest up with an event.
func TestNotify(t *testing.T) {
	entry := asm(func(c *code) {
		c.movRDI(tkTicks)
		c.raw(0x83, 0x3f, 0x00, 0x74, 0xfb) // cmpl $0, (rdi); je
		c.raw(0xc7, 0x07).imm32(0)
		c.out(abi.PortExit).loop()
	})
	onRunners(t, entry, func(t *testing.T, m *Machine) {
		t.Helper()
		begin(t, m)
		for i := range 20 {
			time.AfterFunc(time.Duration(i%5)*time.Millisecond, func() { m.Notify(1 << i) })
			hypercall(t, m, abi.PortExit)
			if got := m.events.Load(); got != 1<<(i+1)-1 {
				t.Errorf("events = %#x after number %d", got, i)
			}
		}
	})
}

// TestNotifyAnytime: before, between, after, and when the machine is gone.
func TestNotifyAnytime(t *testing.T) {
	m := tkMachine(t, asm(func(c *code) { c.out(abi.PortExit).loop() }))
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 3 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					m.Notify(abi.EventInput)
				}
			}
		})
	}
	for range 100 {
		m.Begin(context.Background())
		hypercall(t, m, abi.PortExit)
		m.End()
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	time.Sleep(time.Millisecond)
	close(stop)
	wg.Wait()
}

// TestManyMachines runs machines on all goroutines at once, with ticks, events
// and cancellation.
func TestManyMachines(t *testing.T) {
	sys := kvmtest.Require(t)
	im := tkImage(t, tkCode{entry: wantTicks(1)})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 10 {
				r := runner(inlineRunner{})
				if (g+i)%2 == 0 {
					r = newThreadRunner()
				}
				m := tkMachineOn(t, sys, im, r)
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i)*3*time.Millisecond)
				m.Begin(ctx)
				go m.Notify(1)
				e, err := m.Enter()
				if err != nil || e.Kind != ExitCanceled && e.Kind != ExitHypercall {
					t.Errorf("Enter() = %v, %v", e, err)
				}
				m.End()
				cancel()
				if err := m.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
