package airlock_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
)

// Hot calls take two processors. These tests do not run in parallel with others,
// which would take them away; on a busy machine calls may still turn out plain,
// so that each test goes on until enough of them were hot.

const testSpin = 2 * time.Millisecond

// needTwo skips a test where nothing can be hot.
func needTwo(t *testing.T) {
	t.Helper()
	if min(runtime.NumCPU(), runtime.GOMAXPROCS(0)) < 2 {
		t.Skip("hot calls need two processors")
	}
}

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
	needTwo(t)
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
	needTwo(t)
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
	needTwo(t)
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
	needTwo(t)
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

// TestHotIdle: when calls end, so does what they take of the processors, whatever
// the guest makes of it.
func TestHotIdle(t *testing.T) {
	needTwo(t)
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

// processorTime is what the threads that there are have taken (proc(5), schedstat).
func processorTime(t *testing.T) (sum time.Duration) {
	t.Helper()
	names, err := filepath.Glob("/proc/self/task/*/schedstat")
	if err != nil || len(names) == 0 {
		t.Fatal("no thread has a schedstat: ", err)
	}
	for _, name := range names {
		var ns int64
		if text, err := os.ReadFile(name); err == nil { // it may have ended
			if _, err := fmt.Sscan(string(text), &ns); err != nil {
				t.Fatal(err)
			}
		}
		sum += time.Duration(ns)
	}
	return sum
}

// TestHotLiars: whatever is in the outbox, the host takes what is a message, once,
// and runs nothing that is not asked for in a call.
func TestHotLiars(t *testing.T) {
	needTwo(t)
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
	needTwo(t)
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
			var told *airlock.GuestError
			if !errors.As(err, &told) {
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
	needTwo(t)
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
	needTwo(t)
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
