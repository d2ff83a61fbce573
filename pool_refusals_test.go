package airlock_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/leak"
)

// counts fails the test unless the pool is as it should be when nobody uses it.
func counts(t *testing.T, pool *airlock.Pool, idle int, discarded uint64) {
	t.Helper()
	s := pool.Stats()
	if s.Idle != idle || s.Busy != 0 || s.Waiting != 0 || s.Discarded != discarded {
		t.Errorf("%+v, want %d idle, %d discarded", s, idle, discarded)
	}
}

// TestPoolUseRefused: a snapshot that the pool's sandboxes can't be restored to is
// refused, and uses go on from the one before.
func TestPoolUseRefused(t *testing.T) {
	t.Parallel()
	pool := newPool(t, newSnapshot(t, nil), airlock.PoolOptions{Size: 1, Sandbox: airlock.Options{MessageSize: 64 << 10}})
	for name, test := range map[string]struct {
		guest   string
		options airlock.Options
		want    error // nil for missing host functions
	}{
		"host functions":  {"callguest", airlock.Options{}, nil},
		"memory":          {"snapguest", airlock.Options{Memory: 32 << 20, HostFuncs: snapHosts()}, airlock.ErrOptions},
		"message buffers": {"snapguest", airlock.Options{MessageSize: 128 << 10, HostFuncs: snapHosts()}, airlock.ErrOptions},
		"trace":           {"snapguest", airlock.Options{Trace: new(bytes.Buffer), HostFuncs: snapHosts()}, airlock.ErrOptions},
	} {
		sb := newSandbox(t, test.guest, test.options)
		snap, err := sb.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer snap.Close() //nolint:errcheck // checked elsewhere
		err = pool.Use(snap)
		_, missing := errors.AsType[*airlock.MissingHostFunctionError](err)
		if missing != (test.want == nil) || !errors.Is(err, test.want) && !missing {
			t.Errorf("%s: Use = %v", name, err)
		}
		if got, err := airlock.Call[int64](t.Context(), pool, "Count"); err != nil || got != 1 {
			t.Errorf("%s: Count = %d, %v", name, got, err)
		}
	}
	counts(t, pool, 1, 0)
}

// TestPoolHostFuncsFixed: what a pool was made with is what its later sandboxes have.
func TestPoolHostFuncsFixed(t *testing.T) {
	t.Parallel()
	funcs := snapHosts()
	pool := newPool(t, newSnapshot(t, nil), airlock.PoolOptions{Size: 2, Sandbox: airlock.Options{HostFuncs: funcs}})
	delete(funcs, "Weekday")
	err := pool.Do(t.Context(), func(*airlock.Sandbox) error {
		got, err := airlock.Call[string](t.Context(), pool, "Weekday")
		if got != "Monday" {
			t.Errorf("Weekday = %q", got)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if s := pool.Stats(); s.Made != 2 {
		t.Errorf("%+v", s)
	}
}

// TestPoolCannotMake: a pool that can't make a sandbox says so to each who wants one,
// and goes on when it can.
func TestPoolCannotMake(t *testing.T) {
	t.Parallel()
	base := newSandbox(t, "snapguest", airlock.Options{HostFuncs: snapHosts()})
	snap, err := base.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pool := newPool(t, snap, airlock.PoolOptions{Size: 1})
	if err := snap.Close(); err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		_, err := airlock.Call[int64](ctx, pool, "Count") // the first can't be restored afterwards
		if round > 0 != errors.Is(err, airlock.ErrSnapshotClosed) || round == 0 && err != nil {
			t.Errorf("round %d: Count = %v", round, err)
		}
		cancel()
		counts(t, pool, 0, 1)
	}
	if err := pool.Use(newSnapshot(t, nil)); err != nil {
		t.Fatal(err)
	}
	if got, err := airlock.Call[int64](t.Context(), pool, "Count"); err != nil || got != 1 {
		t.Errorf("Count = %d, %v", got, err)
	}
	counts(t, pool, 1, 1)
}

// TestPoolGivenUp: whoever is gone before there is a sandbox doesn't use one, and costs
// the pool one at most.
func TestPoolGivenUp(t *testing.T) {
	t.Parallel()
	pool := newPool(t, newSnapshot(t, nil), airlock.PoolOptions{Size: 3, Warm: 3})
	use := func(*airlock.Sandbox) error {
		t.Error("a sandbox was used for nobody")
		return nil
	}
	if err := pool.Do(canceledContext(t), use); !errors.Is(err, context.Canceled) {
		t.Errorf("Do = %v", err)
	}
	counts(t, pool, 3, 0)
	if err := pool.Use(newSnapshot(t, nil)); err != nil {
		t.Fatal(err)
	}
	if err := pool.Do(&endingContext{Context: t.Context(), left: 1}, use); !errors.Is(err, context.Canceled) {
		t.Errorf("Do = %v", err)
	}
	counts(t, pool, 2, 1)
}

// endingContext ends when it has been looked at so often.
type endingContext struct {
	context.Context
	left int
}

func (c *endingContext) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// TestPoolWaitingEnds: those who wait are counted, and wait no longer than their
// context and the pool last, whatever they wait for.
func TestPoolWaitingEnds(t *testing.T) {
	t.Parallel()
	pool := newPool(t, newSnapshot(t, nil), airlock.PoolOptions{Size: 1})
	cause := errors.New("the user has left")
	err := pool.Do(t.Context(), func(*airlock.Sandbox) error {
		ctx, cancel := context.WithCancelCause(t.Context())
		results := make(chan error)
		wait := func() {
			results <- pool.Do(ctx, func(*airlock.Sandbox) error { return nil })
		}
		go wait()
		untilStats(t, pool, func(s airlock.PoolStats) bool { return s.Waiting == 1 && s.Busy == 1 })
		cancel(cause)
		if err := <-results; !errors.Is(err, cause) {
			t.Errorf("the context's end: %v", err)
		}
		ctx = t.Context()
		go wait()
		untilStats(t, pool, func(s airlock.PoolStats) bool { return s.Waiting == 1 })
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
		if err := <-results; !errors.Is(err, airlock.ErrPoolClosed) {
			t.Errorf("the pool's end: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	counts(t, pool, 0, 1)
}

func untilStats(t *testing.T, pool *airlock.Pool, ok func(s airlock.PoolStats) bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(pool.Stats()); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still %+v", pool.Stats())
		}
	}
}

// TestPoolClosedWhileMaking: a sandbox that is ready when the pool is closed is closed
// as well, and nobody gets it.
func TestPoolClosedWhileMaking(t *testing.T) {
	t.Parallel()
	snap := newSnapshot(t, nil)
	var pool *airlock.Pool
	funcs := snapHosts()
	funcs["Other"] = airlock.CheckedBy(airlock.Func(func() {}), func() error {
		if pool == nil {
			return nil
		}
		return pool.Close()
	})
	made, err := airlock.NewPool(t.Context(), snap, airlock.PoolOptions{Size: 2, Sandbox: airlock.Options{HostFuncs: funcs}})
	if err != nil {
		t.Fatal(err)
	}
	pool = made
	err = pool.Do(t.Context(), func(*airlock.Sandbox) error {
		return pool.Do(t.Context(), func(*airlock.Sandbox) error {
			t.Error("a sandbox of a closed pool was used")
			return nil
		})
	})
	if !errors.Is(err, airlock.ErrPoolClosed) {
		t.Errorf("Do = %v", err)
	}
	if s := pool.Stats(); s.Idle != 0 || s.Busy != 0 || s.Made != 1 {
		t.Errorf("%+v", s)
	}
}

// TestPoolCloseEndsAll: Close ends uses of sandboxes that were there from the start, of
// those made later and of those restored to another snapshot.
func TestPoolCloseEndsAll(t *testing.T) {
	t.Parallel()
	pool := newPool(t, newSnapshot(t, nil), airlock.PoolOptions{Size: 3, Warm: 2})
	started, results := make(chan struct{}), make(chan error)
	spin := func() {
		results <- pool.Do(t.Context(), func(sb *airlock.Sandbox) error {
			started <- struct{}{}
			_, err := sb.Call(t.Context(), "Spin")
			return err
		})
	}
	go spin()
	<-started
	if err := pool.Use(newSnapshot(t, nil)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		go spin()
		<-started
	}
	if s := pool.Stats(); s.Made != 3 || s.Restored != 1 || s.Busy != 3 || s.Idle != 0 {
		t.Errorf("%+v", s)
	}
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
	for range 3 {
		if err := <-results; !errors.Is(err, airlock.ErrClosed) {
			t.Errorf("Do = %v", err)
		}
	}
	counts(t, pool, 0, 3)
}

// TestPoolShutdowns: several who shut a pool down wait for the same uses, not for each
// other, and each no longer than its context lasts.
func TestPoolShutdowns(t *testing.T) {
	t.Parallel()
	snap := newSnapshot(t, nil)
	for _, patient := range []bool{true, false} {
		pool := newPool(t, snap, airlock.PoolOptions{Size: 3, Warm: 3})
		inside, leave, results := make(chan struct{}), make(chan struct{}), make(chan error)
		for range 2 {
			go func() {
				_ = pool.Do(t.Context(), func(*airlock.Sandbox) error {
					inside <- struct{}{}
					<-leave
					return nil
				})
			}()
			<-inside
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for range 3 {
			go func() { results <- pool.Shutdown(ctx) }()
		}
		time.Sleep(10 * time.Millisecond) // they all wait
		if _, err := pool.Call(t.Context(), "Count"); !errors.Is(err, airlock.ErrPoolClosed) {
			t.Errorf("Call while a pool is shut down = %v", err)
		}
		if !patient {
			hasty, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			if err := pool.Shutdown(hasty); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Shutdown = %v", err)
			}
			cancel()
		}
		for range 2 {
			leave <- struct{}{}
			time.Sleep(10 * time.Millisecond)
		}
		for range 3 {
			if err := <-results; err != nil {
				t.Errorf("Shutdown = %v", err)
			}
		}
		if s := pool.Stats(); s.Idle != 0 || s.Busy != 0 {
			t.Errorf("%+v", s)
		}
	}
}

// TestPoolFails lets what makes and restores the sandboxes of a pool fail. What can't
// be brought back is closed, and another one takes its place. Not beside other tests.
func TestPoolFails(t *testing.T) {
	own, other := newSnapshot(t, nil), newSnapshot(t, func(sb *airlock.Sandbox) { call[int64](t, sb, "Count") })
	open := leak.Count()
	var pool *airlock.Pool
	options := airlock.PoolOptions{Size: 2, Warm: 2, Sandbox: airlock.Options{HostFuncs: snapHosts()}}
	eachFailure(t, attempt{
		do: func() (err error) {
			pool, err = airlock.NewPool(t.Context(), own, options)
			return err
		},
		check: func(err error) {
			if err == nil {
				if err := pool.Close(); err != nil {
					t.Error(err)
				}
			}
		},
	})
	settled(t, open)
	pool = newPool(t, own, options)
	next, want := other, int64(2)
	n := eachFailure(t, attempt{
		prepare: func() {
			if err := pool.Use(next); err != nil {
				t.Fatal(err)
			}
		},
		do: func() error {
			_, err := airlock.Call[int64](t.Context(), pool, "Count")
			return err
		},
		check: func(error) {
			if s := pool.Stats(); s.Busy != 0 || s.Idle > 2 || s.Made != uint64(s.Idle)+s.Discarded {
				t.Errorf("%+v", s)
			}
			if got, err := airlock.Call[int64](t.Context(), pool, "Count"); err != nil || got != want {
				t.Errorf("Count = %d, %v; want %d", got, err, want)
			}
			if next == own {
				next, want = other, 2
			} else {
				next, want = own, 1
			}
		},
	})
	if s := pool.Stats(); n < 8 || s.Discarded == 0 {
		t.Errorf("%d system calls failed, %+v", n, s)
	}
}
