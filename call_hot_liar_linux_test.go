package airlock_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// TestHotIdle: when calls end, so does what they take of the processors, whatever
// the guest makes of it.
func TestHotIdle(t *testing.T) {
	kvmtest.RequireTwoProcessors(t)
	honest := newSandbox(t, "callguest", airlock.Options{Spin: testSpin})
	untilHot(t, honest, 10, func() { ready(t, honest) })
	rests(t)

	// Of a guest that never leaves, the host takes the processor away.
	sb := hotNever(t)
	rests(t)
	// Nor can a snapshot be taken of it.
	if _, err := sb.Snapshot(t.Context()); !errors.Is(err, airlock.ErrProtocol) {
		t.Errorf("Snapshot of a guest that does not listen: %v", err)
	}
	poisoned(t, sb)
	rests(t)

	// Nor does it hear a call.
	sb = hotNever(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := sb.Call(ctx, "Truth"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a call of a guest that does not listen: %v", err)
	}
	rests(t)
}

// hotNever returns a sandbox whose guest has answered a hot call and never looks
// at anything again.
func hotNever(t *testing.T) *airlock.Sandbox {
	t.Helper()
	for left := 20; ; left-- {
		sb, _ := liar(t, "honest", airlock.Options{Spin: testSpin})
		hotTruth(t, sb)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, err := airlock.Call[string](ctx, sb, "HotNever")
		cancel()
		if err == nil {
			return sb
		}
		if left == 0 || !errors.Is(err, context.DeadlineExceeded) { // of a plain call, which nobody answers
			t.Fatalf("HotNever: %v", err)
		}
	}
}

// hotTruth makes calls so that the next one is tried hot.
func hotTruth(t *testing.T, sb *airlock.Sandbox) {
	t.Helper()
	for range 3 {
		truth(t, sb)
	}
}

// rests fails the test unless the process does next to nothing after a moment.
func rests(t *testing.T) {
	t.Helper()
	const period, most = 100 * time.Millisecond, 20 * time.Millisecond
	used := most
	for range 10 {
		time.Sleep(period / 2)
		before := processorTime(t)
		time.Sleep(period)
		if used = processorTime(t) - before; used < most {
			return
		}
	}
	t.Errorf("%v of %v are used by nobody's calls", used, period)
}

// processorTime is what all threads of the process have taken so far. To ask for it
// takes next to none, however many threads there are.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &now); err != nil {
		t.Fatal(err)
	}
	return time.Duration(now.Nano())
}

// TestHotLiars: whatever is in the outbox, the host takes what is a message, once,
// and runs nothing that is not asked for in a call.
func TestHotLiars(t *testing.T) {
	kvmtest.RequireTwoProcessors(t)
	for lie, broken := range map[string]bool{
		"HotGarbage": true, "HotLength": true, "HotShort": true, "HotWrongType": true,
		"HotNothing": false, "HotTwice": false, "HotOutside": false, "HotLeaves": false,
	} {
		t.Run(lie, func(t *testing.T) {
			for range 5 {
				sb, calls := liar(t, "honest", airlock.Options{Spin: airlock.SpinAlways})
				ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
				got, err := airlock.Call[string](ctx, sb, lie)
				cancel()
				switch {
				case broken && sb.Stats().Calls > 0 && errors.Is(err, airlock.ErrProtocol):
					poisoned(t, sb)
				case broken && errors.Is(err, context.DeadlineExceeded): // it was not hot, and nobody has looked
				case broken || err != nil:
					t.Fatalf("%s = %q, %v", lie, got, err)
				}
				before := calls.Load()
				time.Sleep(2 * time.Millisecond)
				if n := calls.Load() - before; n != 0 {
					t.Errorf("%d calls of host functions while nothing was called", n)
				}
				ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
				_, err = sb.Call(ctx, "Truth") // any end will do
				cancel()
				if err != nil && !typedError(err) {
					t.Errorf("Truth: %v", err)
				}
				if err := sb.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func typedError(err error) bool {
	for _, known := range []error{airlock.ErrProtocol, airlock.ErrPoisoned, context.DeadlineExceeded} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

// TestHotRace: a message that changes while it is copied is one or another, or
// none.
func TestHotRace(t *testing.T) {
	kvmtest.RequireTwoProcessors(t)
	sb, _ := liar(t, "honest", airlock.Options{Spin: airlock.SpinAlways})
	truth(t, sb)
	snap, err := sb.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close() //nolint:errcheck // nothing can fail
	refused := 0
	for range rounds(2000) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		got, err := airlock.Call[string](ctx, sb, "HotRace")
		cancel()
		if err == nil && len(got) > 100 || err != nil && !typedError(err) {
			if _, ok := errors.AsType[*airlock.GuestError](err); !ok {
				t.Fatalf("HotRace = %q, %v", got, err)
			}
		}
		if err != nil {
			refused++
			if err := sb.Restore(t.Context(), snap); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%+v, %d refused", sb.Stats(), refused)
	if sb.Stats().Hot == 0 {
		t.Error("no call was hot")
	}
}

// TestIdleSandboxes: sandboxes that nobody calls take no processor time, and no
// threads.
func TestIdleSandboxes(t *testing.T) {
	base := newSandbox(t, "callguest", airlock.Options{})
	ready(t, base)
	snap, err := base.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close() //nolint:errcheck // nothing can fail
	for range rounds(300) {
		sb, err := snap.New(t.Context(), airlock.Options{HostFuncs: hosts(), Spin: testSpin})
		if err != nil {
			t.Fatal(err)
		}
		defer sb.Close() //nolint:errcheck // nothing can fail
		for range 3 {
			ready(t, sb)
		}
	}
	rests(t)
	if n, most := threads(t), 40; n > most {
		t.Errorf("%d threads", n)
	}
}

// threads counts the threads of this process, but for those that the kernel has
// for each virtual machine.
func threads(t *testing.T) (n int) {
	t.Helper()
	names, err := filepath.Glob("/proc/self/task/*/comm")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if comm, err := os.ReadFile(name); err == nil && !strings.HasPrefix(string(comm), "kvm-") {
			n++
		}
	}
	return n
}
