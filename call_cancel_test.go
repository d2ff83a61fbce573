package airlock_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
)

// rounds is the length of a test that tries its luck.
func rounds(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

// callEnd is a way to end a call, and what the call's error then is.
type callEnd struct {
	end  func(ctx context.Context, sb *airlock.Sandbox) (context.Context, func())
	want []error
}

// callEnds are the ways to end a call that is 20 ms old.
func callEnds() map[string]callEnd {
	const age = 20 * time.Millisecond
	cause := errors.New("the user has left")
	return map[string]callEnd{
		"cancel": {func(ctx context.Context, _ *airlock.Sandbox) (context.Context, func()) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(age, cancel)
			return ctx, cancel
		}, []error{context.Canceled}},
		"cause": {func(ctx context.Context, _ *airlock.Sandbox) (context.Context, func()) {
			ctx, cancel := context.WithCancelCause(ctx)
			time.AfterFunc(age, func() { cancel(cause) })
			return ctx, func() { cancel(nil) }
		}, []error{context.Canceled, cause}},
		"deadline": {func(ctx context.Context, _ *airlock.Sandbox) (context.Context, func()) {
			return context.WithTimeout(ctx, age)
		}, []error{context.DeadlineExceeded}},
		"close": {func(ctx context.Context, sb *airlock.Sandbox) (context.Context, func()) {
			time.AfterFunc(age, func() { _ = sb.Close() })
			return ctx, func() {}
		}, []error{airlock.ErrClosed, context.Canceled}},
	}
}

// TestCallCanceled ends calls in a guest that spins, in one that sleeps and in a
// host function, by each of the ways to end one. A restore undoes it.
func TestCallCanceled(t *testing.T) {
	t.Parallel()
	calls := map[string][]any{"Spin": nil, "HostSleeps": nil, "Sleep": {60_000}}
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			for function, args := range calls {
				for name, end := range callEnds() {
					t.Run(function+"/"+name, func(t *testing.T) {
						t.Parallel()
						funcs, ended := hosts(), make(chan error, 1)
						funcs["Sleeps"] = airlock.Func(func(ctx context.Context) error {
							<-ctx.Done()
							ended <- context.Cause(ctx)
							return ctx.Err()
						})
						sb := newSandbox(t, guest, airlock.Options{HostFuncs: funcs})
						err := endCall(t, sb, end, function, args)
						if function == "HostSleeps" {
							if got := <-ended; !errors.Is(err, got) {
								t.Errorf("the host function was told %v, the caller %v", got, err)
							}
						}
					})
				}
			}
		})
	}
}

// endCall makes a call, ends it and returns its error.
func endCall(t *testing.T, sb *airlock.Sandbox, end callEnd, function string, args []any) error {
	t.Helper()
	ready(t, sb)
	snap, err := sb.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close() //nolint:errcheck // nothing can fail
	ctx, stop := end.end(t.Context(), sb)
	defer stop()
	_, ended := sb.Call(ctx, function, args...)
	for _, want := range end.want {
		if !errors.Is(ended, want) {
			t.Errorf("Call = %v; want %v", ended, want)
		}
	}
	if errors.Is(ended, airlock.ErrClosed) {
		_, err := sb.Call(t.Context(), "Void")
		if !errors.Is(err, airlock.ErrClosed) && !errors.Is(err, airlock.ErrPoisoned) {
			t.Errorf("Call after Close = %v", err)
		}
		return ended
	}
	poisoned(t, sb)
	if err := sb.Restore(t.Context(), snap); err != nil {
		t.Fatal(err)
	}
	ready(t, sb)
	return ended
}

// slowContext is a context that is not of package context: contexts that are
// derived from it end a moment after it.
type slowContext struct {
	context.Context
	done  chan struct{}
	ended atomic.Bool
}

func (c *slowContext) Done() <-chan struct{} { return c.done }

func (c *slowContext) Err() error {
	if c.ended.Load() {
		return context.Canceled
	}
	return nil
}

// TestCallCanceledByOtherContext: the error says why a call was ended, also when
// only the caller's own context knows that yet.
func TestCallCanceledByOtherContext(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			for range rounds(50) {
				ctx := &slowContext{Context: t.Context(), done: make(chan struct{})}
				funcs := hosts()
				funcs["Weekday"] = airlock.Func(func(context.Context) string {
					ctx.ended.Store(true)
					close(ctx.done)
					return "Monday"
				})
				sb := newSandbox(t, guest, airlock.Options{HostFuncs: funcs})
				if _, err := sb.Call(ctx, "Hello", "Ann"); !errors.Is(err, context.Canceled) {
					t.Fatalf("Hello = %v", err)
				}
				if err := sb.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestCallCanceledBefore: with a context that has ended the guest doesn't run.
func TestCallCanceledBefore(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			for _, started := range []bool{false, true} {
				funcs := hosts()
				funcs["EchoVoid"] = airlock.Func(func() { t.Error("the guest has run") })
				sb := newSandbox(t, guest, airlock.Options{HostFuncs: funcs})
				if started {
					ready(t, sb)
				}
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				if _, err := sb.Call(ctx, "HostVoid"); !errors.Is(err, context.Canceled) {
					t.Errorf("Call = %v", err)
				}
			}
		})
	}
}

// TestCallCanceledAfter: a context that ends when its call has returned does
// nothing to the next one, which runs on the same thread.
func TestCallCanceledAfter(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			a, b := newSandbox(t, guest, airlock.Options{}), newSandbox(t, guest, airlock.Options{})
			for range rounds(1000) {
				ctx, cancel := context.WithCancel(t.Context())
				_, err := a.Call(ctx, "Void")
				if err != nil {
					t.Fatalf("the call before: %v", err)
				}
				go cancel()
				ready(t, a)
				ready(t, b)
			}
		})
	}
}

// TestCallCanceledAtRandom cancels a call at any moment of its life. It returns
// or is cancelled, and the sandbox is ready or poisoned, in step; a second
// sandbox, which is called on the same thread right afterwards, never notices.
func TestCallCanceledAtRandom(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			other := newSandbox(t, guest, airlock.Options{})
			ready(t, other)
			var sb *airlock.Sandbox
			defer func() {
				if sb != nil {
					_ = sb.Close()
				}
			}()
			canceled, total := 0, rounds(3000)
			for range total {
				if sb == nil {
					var err error
					if sb, err = airlock.New(t.Context(), buildGuest(t, guest), airlock.Options{HostFuncs: hosts()}); err != nil {
						t.Fatal(err)
					}
					ready(t, sb)
				}
				ctx, cancel := context.WithCancel(t.Context())
				// Most calls take less than this, so that most sandboxes live.
				delay := time.Duration(rand.IntN(400)) * time.Microsecond
				timer := time.AfterFunc(delay, cancel)
				got, err := airlock.Call[string](ctx, sb, "Hello", "Ann")
				ready(t, other)
				if timer.Stop() {
					cancel()
				}
				switch {
				case err == nil && got == "Hello, Ann! Today is Monday.":
					ready(t, sb)
				case errors.Is(err, context.Canceled):
					canceled++
					poisoned(t, sb)
					if err := sb.Close(); err != nil {
						t.Error(err)
					}
					sb = nil
				default:
					t.Fatalf("Hello = %q, %v", got, err)
				}
			}
			t.Logf("%d of %d calls were cancelled", canceled, total)
		})
	}
}

// TestCallMoves hands a sandbox from one goroutine, and thread, to the next,
// each with a context that ends when the next one has it.
func TestCallMoves(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			const movers = 4
			sb := newSandbox(t, guest, airlock.Options{})
			baton := make(chan int64, 1)
			var wg sync.WaitGroup
			total := int64(rounds(2000))
			for range movers {
				wg.Go(func() {
					runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
					for n := range baton {
						if n == total {
							close(baton)
							return
						}
						ctx, cancel := context.WithCancel(t.Context())
						got, err := airlock.Call[int64](ctx, sb, "Count")
						if got != n+1 || err != nil {
							t.Errorf("Count = %d, %v; want %d", got, err, n+1)
							n = total - 1
						}
						baton <- n + 1
						cancel()
					}
				})
			}
			baton <- 0
			wg.Wait()
		})
	}
}

// TestCallRacesClose: whatever comes first of a result, a cancellation and Close,
// each gets an answer.
func TestCallRacesClose(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			for i := range rounds(200) {
				sb, err := airlock.New(t.Context(), buildGuest(t, guest), airlock.Options{HostFuncs: hosts()})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				if i%2 == 0 {
					ready(t, sb) // else the guest is still booting
				}
				var wg sync.WaitGroup
				after := func(f func()) {
					delay := time.Duration(rand.IntN(3000)) * time.Microsecond
					wg.Go(func() { time.Sleep(delay); f() })
				}
				after(cancel)
				for range 2 {
					after(func() {
						if err := sb.Close(); err != nil {
							t.Errorf("Close: %v", err)
						}
					})
				}
				function := []string{"Spin", "HostSleeps", "Void", "Count"}[i%4]
				for range 2 {
					wg.Go(func() {
						_, err := sb.Call(ctx, function)
						switch {
						case err == nil, errors.Is(err, context.Canceled), errors.Is(err, airlock.ErrClosed),
							errors.Is(err, airlock.ErrBusy), errors.Is(err, airlock.ErrPoisoned):
						default:
							t.Errorf("%s: %v", function, err)
						}
					})
				}
				wg.Wait()
				if _, err := sb.Call(t.Context(), "Void"); !errors.Is(err, airlock.ErrClosed) {
					t.Errorf("Call after Close = %v", err)
				}
			}
		})
	}
}

// TestCallBusy: one call at a time.
func TestCallBusy(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			funcs, entered, leave := hosts(), make(chan bool), make(chan bool)
			funcs["EchoVoid"] = airlock.Func(func() { entered <- true; <-leave })
			sb := newSandbox(t, guest, airlock.Options{HostFuncs: funcs})
			result := make(chan error)
			go func() { _, err := sb.Call(t.Context(), "HostVoid"); result <- err }()
			<-entered
			for what, err := range map[string]error{
				"Call":      last(sb.Call(t.Context(), "Void")),
				"Functions": last(sb.Functions(t.Context())),
				"Run":       last(sb.Run(t.Context(), airlock.Process{})),
			} {
				if !errors.Is(err, airlock.ErrBusy) {
					t.Errorf("%s during a call: %v", what, err)
				}
			}
			leave <- true
			if err := <-result; err != nil {
				t.Errorf("the call: %v", err)
			}
			ready(t, sb)
		})
	}
}
