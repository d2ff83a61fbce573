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

// TestPauseOnce: one request for a pause is one pause, whenever it comes.
func TestPauseOnce(t *testing.T) {
	onRunners(t, asm(func(c *code) { c.out(abi.PortExit).loop() }), func(t *testing.T, m *Machine) {
		t.Helper()
		m.Begin(context.Background())
		defer m.End()
		m.pause.Store(true) // as by a timer that has looked a moment before Begin
		if e := enter(t, m); e.Kind != ExitPaused {
			t.Errorf("Enter() = %v", e)
		}
		hypercall(t, m, abi.PortExit)
	})
}

// TestLaunch lets a guest run on a thread of its own, and ends that in each way.
func TestLaunch(t *testing.T) {
	kvmtest.RequireTwoProcessors(t)
	onRunners(t, spinning(), func(t *testing.T, m *Machine) {
		t.Helper()
		launch := func() {
			t.Helper()
			if !m.Launch(PatienceForever) || !m.Launched() {
				t.Fatal("it was not launched")
			}
		}
		launch()
		if exit, err := m.Wait(context.Background()); err != nil || exit.Kind != ExitHypercall || exit.Port != abi.PortExit {
			t.Fatalf("Wait() = %v, %v", exit, err)
		}
		for range 20 {
			launch()
			if sighting, _ := m.Watch(nil, m.Ticks(100*time.Microsecond), 0); sighting != SawNothing {
				t.Errorf("Watch() = %v", sighting)
			}
			m.Pause()
			if m.Launched() {
				t.Error("launched after Pause")
			}
			m.Pause() // does nothing

			launch()
			ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
			if exit, err := m.Wait(ctx); err != nil || exit.Kind != ExitCanceled {
				t.Errorf("Wait() = %v, %v", exit, err)
			}
			cancel()
		}
		// A guest that nobody waits for loses its processor.
		launch()
		m.hot.grant(1)
		m.Idle()
		if exit, err := m.Wait(context.Background()); err != nil || exit.Kind != ExitPaused {
			t.Errorf("Wait() = %v, %v", exit, err)
		}
		launch() // for the end of the test to close
	})
}

// TestLaunchLimit: no more guests run aside than processors allow.
func TestLaunchLimit(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	m := tkMachine(t, spinning())
	if m.Launch(1) || m.Launched() {
		t.Error("a guest was launched on the only processor")
	}
}

// TestSightings: what is in the outbox is a message only if it says so.
func TestSightings(t *testing.T) {
	m := tkMachine(t, spinning())
	for sequence, port := range map[uint32]uint16{
		0:              0,
		8:              0,
		8 | 3:          abi.PortNext,
		8 | 4:          abi.PortHost,
		1<<32 - 8 | 3:  abi.PortNext,
		16 | 2:         0,
		16 | 5:         0,
		^uint32(0):     0,
		3:              abi.PortNext,
		0x80000000 | 4: abi.PortHost,
	} {
		m.hot.forget()
		m.hot.sequence.Store(sequence)
		if got := m.hot.take(); got != (port != 0) || got && m.Taken() != port || m.hot.seen != sequence {
			t.Errorf("sequence %#x: %v, port %#x", sequence, got, m.Taken())
		}
		again, waits, err := m.Again(abi.Message{Sequence: sequence})
		if again != (port != 0) || !waits || err != nil {
			t.Errorf("sequence %#x: Again() = %v, %v, %v", sequence, again, waits, err)
		}
	}
}

// TestTicksLong: a longer time is more ticks, up to ten years.
func TestTicksLong(t *testing.T) {
	m, last := hollow(t), uint64(0)
	for d := time.Hour; d < 10*365*24*time.Hour; d *= 2 {
		now := m.Ticks(d)
		if now != 2*last && last != 0 || now == 0 {
			t.Errorf("%v are %d ticks, half of that %d", d, now, last)
		}
		last = now
	}
	if got := m.Ticks(math.MaxInt64); got <= last {
		t.Errorf("the longest time is %d ticks, less than ten years %d", got, last)
	}
}
