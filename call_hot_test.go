package airlock_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// Hot calls take two processors. These tests do not run in parallel with others,
// which would take them away; on a busy machine calls may still turn out plain,
// so that each test goes on until enough of them were hot.

const testSpin = 2 * time.Millisecond

// untilHot calls do until so many calls of the sandbox were hot.
func untilHot(t *testing.T, sb *airlock.Sandbox, want uint64, do func()) {
	t.Helper()
	goal := sb.Stats().Hot + want
	for deadline := time.Now().Add(time.Minute); sb.Stats().Hot < goal; {
		if time.Now().After(deadline) {
			t.Fatalf("%+v: too few calls were hot", sb.Stats())
		}
		do()
	}
}

// TestHotCalls: what calls do doesn't depend on whether they are hot.
func TestHotCalls(t *testing.T) {
	kvmtest.RequireTwoProcessors(t)
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			var out bytes.Buffer
			sb := newSandbox(t, guest, airlock.Options{Spin: testSpin, Stdout: &out})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			count := int64(0)
			untilHot(t, sb, 2000, func() {
				n, err := airlock.Call[int64](ctx, sb, "Count")
				if count++; err != nil || n != count {
					t.Fatalf("call %d: %d, %v", count, n, err)
				}
				text := strings.Repeat("é", rand.IntN(2000))
				if got, err := airlock.Call[string](ctx, sb, "String", text); err != nil || got != text {
					t.Fatalf("String of %d bytes: %d bytes, %v", len(text), len(got), err)
				}
				if got, err := airlock.Call[string](ctx, sb, "Hello", "World"); err != nil || got != "Hello, World! Today is Monday." {
					t.Fatalf("Hello = %q, %v", got, err)
				}
				var failed *airlock.GuestError
				if _, err := sb.Call(ctx, "Error", "no"); !errors.As(err, &failed) || failed.Message != "no" {
					t.Fatalf("Error = %v", err)
				}
				if _, err := sb.Call(ctx, "String", 1); !errors.Is(err, airlock.ErrArguments) {
					t.Fatalf("wrong argument: %v", err)
				}
			})
			// What is printed in a call is there when it returns.
			for i := range 100 {
				text := fmt.Sprint("line ", i)
				if _, err := sb.Call(ctx, "Print", text); err != nil || !strings.HasSuffix(out.String(), strings.ToUpper(text)) {
					t.Fatalf("Print: %v, output ends with %q", err, out.String()[max(0, out.Len()-20):])
				}
				ready(t, sb)
			}
		})
	}
}

// TestHotHostFunctions: panics, errors and slow functions of the host in a hot
// call.
func TestHotHostFunctions(t *testing.T) {
	kvmtest.RequireTwoProcessors(t)
	sb := newSandbox(t, "callguest", airlock.Options{Spin: testSpin, HostFuncs: func() airlock.HostFuncs {
		funcs := hosts()
		funcs["Weekday"] = airlock.Func(func(context.Context) (string, error) {
			time.Sleep(2 * testSpin) // the guest leaves meanwhile
			return "Monday", nil
		})
		return funcs
	}()})
	for range 20 {
		untilHot(t, sb, 5, func() { ready(t, sb) })
		var panicked *airlock.HostPanicError
		if _, err := sb.Call(t.Context(), "HostPanics"); !errors.As(err, &panicked) {
			t.Fatalf("HostPanics = %v", err)
		}
		ready(t, sb)
		if got, err := airlock.Call[string](t.Context(), sb, "Hello", "World"); err != nil || got != "Hello, World! Today is Monday." {
			t.Fatalf("Hello = %q, %v", got, err)
		}
	}
}

// TestHotEnds ends streams of hot calls in every way, at moments that differ.
func TestHotEnds(t *testing.T) {
	kvmtest.RequireTwoProcessors(t)
	base := newSandbox(t, "callguest", airlock.Options{Spin: testSpin})
	if _, err := airlock.Call[int64](t.Context(), base, "Count"); err != nil {
		t.Fatal(err)
	}
	snap, err := base.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close() //nolint:errcheck // nothing can fail
	ends := map[string]func(ctx context.Context, cancel context.CancelFunc, sb *airlock.Sandbox){
		"cancel":  func(_ context.Context, cancel context.CancelFunc, _ *airlock.Sandbox) { cancel() },
		"close":   func(_ context.Context, _ context.CancelFunc, sb *airlock.Sandbox) { _ = sb.Close() },
		"restore": func(ctx context.Context, _ context.CancelFunc, sb *airlock.Sandbox) { _ = sb.Restore(ctx, snap) },
		"snapshot": func(ctx context.Context, _ context.CancelFunc, sb *airlock.Sandbox) {
			_ = closeSnapshot(sb.Snapshot(ctx))
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			for range rounds(100) {
				hotStream(t, snap, end)
			}
		})
	}
}

func closeSnapshot(snap *airlock.Snapshot, err error) error {
	if err != nil {
		return err
	}
	return snap.Close()
}

// hotStream calls a clone again and again while something else happens to it.
func hotStream(t *testing.T, snap *airlock.Snapshot, end func(context.Context, context.CancelFunc, *airlock.Sandbox)) {
	t.Helper()
	spin := []time.Duration{testSpin, testSpin, 50 * time.Microsecond, airlock.SpinAlways}[rand.IntN(4)]
	sb, err := snap.New(t.Context(), airlock.Options{Spin: spin, HostFuncs: hosts()})
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close() //nolint:errcheck // it is what is tested
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var done sync.WaitGroup
	done.Go(func() {
		time.Sleep(time.Duration(rand.IntN(3000)) * time.Microsecond)
		end(ctx, cancel, sb)
	})
	for deadline := time.Now().Add(5 * time.Millisecond); time.Now().Before(deadline); {
		got, err := airlock.Call[string](ctx, sb, "Hello", "World")
		switch {
		case err == nil && got != "Hello, World! Today is Monday.":
			t.Fatalf("Hello = %q", got)
		case err == nil, errors.Is(err, airlock.ErrBusy):
		case errors.Is(err, context.Canceled), errors.Is(err, airlock.ErrClosed), errors.Is(err, airlock.ErrPoisoned):
		default:
			t.Fatalf("Hello: %v", err)
		}
	}
	done.Wait()
	if err := sb.Restore(t.Context(), snap); err != nil {
		if errors.Is(err, airlock.ErrClosed) {
			return
		}
		t.Fatal(err)
	}
	if n, err := airlock.Call[int64](t.Context(), sb, "Count"); n != 2 || err != nil {
		t.Fatalf("Count = %d, %v after a restore; want 2", n, err)
	}
}

// TestHotSnapshot: a snapshot of a guest that watches for calls is one of a guest
// that waits for them.
func TestHotSnapshot(t *testing.T) {
	kvmtest.RequireTwoProcessors(t)
	for _, spin := range []time.Duration{testSpin, airlock.SpinAlways} {
		sb := newSandbox(t, "callguest", airlock.Options{Spin: spin})
		count := int64(0)
		for range 10 {
			untilHot(t, sb, 3, func() {
				count++
				if n, err := airlock.Call[int64](t.Context(), sb, "Count"); n != count || err != nil {
					t.Fatal(n, err)
				}
			})
			snap, err := sb.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !snap.Trusted() {
				t.Error("the snapshot's restores are slow")
			}
			clone, err := snap.New(t.Context(), airlock.Options{HostFuncs: hosts()})
			if err != nil {
				t.Fatal(err)
			}
			if n, err := airlock.Call[int64](t.Context(), clone, "Count"); n != count+1 || err != nil {
				t.Fatalf("Count = %d, %v; want %d", n, err, count+1)
			}
			if err := errors.Join(clone.Close(), snap.Close()); err != nil {
				t.Fatal(err)
			}
		}
		if err := sb.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestHotOff: nothing is hot without Spin, nor on one processor.
func TestHotOff(t *testing.T) {
	for _, spin := range []time.Duration{0, airlock.SpinAlways} {
		sb := newSandbox(t, "callguest", airlock.Options{Spin: spin})
		if spin != 0 {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		}
		for range 50 {
			ready(t, sb)
		}
		if s := sb.Stats(); s.Hot != 0 || s.Calls != 50 {
			t.Errorf("Spin %v: %+v", spin, s)
		}
	}
}

// TestHotRestore: a sandbox that is restored after each call is called as one
// without Spin, but for a few attempts.
func TestHotRestore(t *testing.T) {
	kvmtest.RequireTwoProcessors(t)
	sb := newSandbox(t, "callguest", airlock.Options{Spin: airlock.SpinAlways})
	ready(t, sb)
	snap, err := sb.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close() //nolint:errcheck // nothing can fail
	before := sb.Stats()
	for range 500 {
		ready(t, sb)
		if err := sb.Restore(t.Context(), snap); err != nil {
			t.Fatal(err)
		}
	}
	if now := sb.Stats(); now.Hot-before.Hot > 20 || now.Calls-before.Calls != 500 {
		t.Errorf("%+v, then %+v", before, now)
	}
}

// TestHotPool: several calls in one use of a pool's sandbox are hot, and the next
// one finds nothing of it.
func TestHotPool(t *testing.T) {
	kvmtest.RequireTwoProcessors(t)
	sb := newSandbox(t, "callguest", airlock.Options{})
	snap, err := sb.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close() //nolint:errcheck // nothing can fail
	pool, err := airlock.NewPool(t.Context(), snap, airlock.PoolOptions{
		Size: 2, Sandbox: airlock.Options{Spin: testSpin, HostFuncs: hosts()},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close() //nolint:errcheck // nothing can fail
	for range 20 {
		err := pool.Do(t.Context(), func(sb *airlock.Sandbox) error {
			count := int64(0)
			untilHot(t, sb, 20, func() {
				count++
				if n, err := airlock.Call[int64](t.Context(), sb, "Count"); n != count || err != nil {
					t.Fatalf("Count = %d, %v; want %d", n, err, count)
				}
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
