package airlock_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
)

func newPool(t *testing.T, snap *airlock.Snapshot, options airlock.PoolOptions) *airlock.Pool {
	t.Helper()
	if options.Sandbox.HostFuncs == nil {
		options.Sandbox.HostFuncs = snapHosts()
	}
	pool, err := airlock.NewPool(t.Context(), snap, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pool.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return pool
}

// TestPoolUsesAreApart leaves secrets and poison behind. The next use must see
// neither.
func TestPoolUsesAreApart(t *testing.T) {
	t.Parallel()
	pool := newPool(t, newSnapshot(t, nil), airlock.PoolOptions{Size: 1})
	var only *airlock.Sandbox
	for round := range 20 {
		err := pool.Do(t.Context(), func(sb *airlock.Sandbox) error {
			only = sb
			if got := call[string](t, sb, "Get"); got != "" {
				t.Errorf("round %d: the guest knows %q", round, got)
			}
			call[struct{}](t, sb, "Set", "a secret")
			if round%3 == 0 {
				_, err := sb.Call(t.Context(), "Fault")
				return err
			}
			return nil
		})
		if (err != nil) != (round%3 == 0) {
			t.Fatalf("round %d: %v", round, err)
		}
	}
	if s := pool.Stats(); s.Made != 1 || s.Uses != 20 || s.Restored != 20 || s.Discarded != 0 || s.Idle != 1 || s.Busy != 0 {
		t.Errorf("stats %+v", s)
	} else if its := only.Stats(); its.Restores != s.Restored || its.FullRestores != s.FullRestores {
		t.Errorf("stats %+v, those of the sandbox %+v", s, its)
	}
}

func TestPoolCall(t *testing.T) {
	t.Parallel()
	pool := newPool(t, newSnapshot(t, nil), airlock.PoolOptions{})
	for range 5 {
		if got, err := airlock.Call[int64](t.Context(), pool, "Count"); err != nil || got != 1 {
			t.Fatalf("Count = %d, %v", got, err)
		}
		if got, err := pool.Call(t.Context(), "Echo", "text"); err != nil || got != "text" {
			t.Fatalf("Echo = %v, %v", got, err)
		}
	}
}

// TestPoolReplaces closes sandboxes in use, and expects others.
func TestPoolReplaces(t *testing.T) {
	t.Parallel()
	pool := newPool(t, newSnapshot(t, nil), airlock.PoolOptions{Size: 2})
	for range 5 {
		if err := pool.Do(t.Context(), func(sb *airlock.Sandbox) error { return sb.Close() }); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := airlock.Call[int64](t.Context(), pool, "Count"); err != nil || got != 1 {
		t.Fatalf("Count = %d, %v", got, err)
	}
	if s := pool.Stats(); s.Discarded != 5 || s.Made != 6 {
		t.Errorf("stats %+v", s)
	}
}

// TestPoolSnapshots changes the snapshot, and uses the same machines for it.
func TestPoolSnapshots(t *testing.T) {
	t.Parallel()
	var snaps []*airlock.Snapshot
	for i := range 3 {
		snaps = append(snaps, newSnapshot(t, func(sb *airlock.Sandbox) { call[struct{}](t, sb, "Set", fmt.Sprint(i)) }))
	}
	pool := newPool(t, snaps[0], airlock.PoolOptions{Size: 2, Warm: 2})
	for round := range 30 {
		i := round % len(snaps)
		if err := pool.Use(snaps[i]); err != nil {
			t.Fatal(err)
		}
		if got, err := airlock.Call[string](t.Context(), pool, "Get"); err != nil || got != fmt.Sprint(i) {
			t.Fatalf("Get = %q, %v, want %d", got, err, i)
		}
	}
	if s := pool.Stats(); s.Made != 2 {
		t.Errorf("stats %+v", s)
	}
}

func TestPoolWaits(t *testing.T) {
	t.Parallel()
	pool := newPool(t, newSnapshot(t, nil), airlock.PoolOptions{Size: 1})
	err := pool.Do(t.Context(), func(*airlock.Sandbox) error {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if _, err := pool.Call(ctx, "Count"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Call of a pool with no sandbox left = %v", err)
		}
		if _, err := pool.Call(canceledContext(t), "Count"); !errors.Is(err, context.Canceled) {
			t.Errorf("Call with a cancelled context = %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := airlock.Call[int64](t.Context(), pool, "Count"); err != nil || got != 1 {
		t.Fatalf("Count = %d, %v", got, err)
	}
}

func canceledContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// TestPoolClose closes a pool with a use in progress, one that waits, and none.
func TestPoolClose(t *testing.T) {
	t.Parallel()
	snap := newSnapshot(t, nil)
	for _, patient := range []bool{false, true} {
		pool := newPool(t, snap, airlock.PoolOptions{Size: 1})
		started, results := make(chan struct{}), make(chan error, 2)
		go func() {
			results <- pool.Do(t.Context(), func(sb *airlock.Sandbox) error {
				close(started)
				_, err := sb.Call(t.Context(), "Spin")
				return err
			})
		}()
		<-started
		go func() { results <- pool.Do(t.Context(), func(*airlock.Sandbox) error { return nil }) }()
		time.Sleep(5 * time.Millisecond)
		if patient {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			if err := pool.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Shutdown = %v", err)
			}
		} else if err := pool.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
		for range 2 {
			if err := <-results; !errors.Is(err, airlock.ErrClosed) && !errors.Is(err, airlock.ErrPoolClosed) {
				t.Errorf("Do = %v", err)
			}
		}
		if _, err := pool.Call(t.Context(), "Count"); !errors.Is(err, airlock.ErrPoolClosed) {
			t.Errorf("Call of a closed pool = %v", err)
		}
	}
	// Several at once, and one after all of them.
	pool := newPool(t, snap, airlock.PoolOptions{Size: 3, Warm: 3})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := pool.Shutdown(t.Context()); err != nil {
				t.Errorf("Shutdown = %v", err)
			}
		})
	}
	all.Wait()
	if err := pool.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown again = %v", err)
	}
}

func TestPoolOptions(t *testing.T) {
	t.Parallel()
	snap := newSnapshot(t, nil)
	for _, options := range []airlock.PoolOptions{{Size: -1}, {Size: 1, Warm: 2}, {Warm: -1}, {Sandbox: airlock.Options{Memory: 32 << 20}}} {
		options.Sandbox.HostFuncs = snapHosts()
		pool, err := airlock.NewPool(t.Context(), snap, options)
		if !errors.Is(err, airlock.ErrOptions) {
			t.Errorf("NewPool(%+v) = %v", options, err)
		}
		if err == nil {
			_ = pool.Close()
		}
	}
}

// TestPoolStress lets many goroutines use a pool, each call cancelled at some
// random moment or not at all.
func TestPoolStress(t *testing.T) {
	t.Parallel()
	snap := newSnapshot(t, nil)
	pool := newPool(t, snap, airlock.PoolOptions{Size: 4})
	var wg sync.WaitGroup
	var answered, stopped atomic.Int64
	rounds := 60
	if testing.Short() {
		rounds = 15
	}
	blocks := manyBlocks(t)
	for g := range 64 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(g), 1))
			for range rounds {
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(random.IntN(4000))*time.Microsecond)
				if random.IntN(2) == 0 {
					cancel()
					ctx, cancel = context.WithCancel(context.Background())
				}
				name, args := "Count", []any{}
				if random.IntN(8) == 0 {
					name, args = "Grow", []any{random.Int64N(blocks), int64(1)}
				}
				got, err := airlock.Call[int64](ctx, pool, name, args...)
				cancel()
				switch {
				case err == nil && name == "Count" && got != 1:
					t.Errorf("Count = %d: a sandbox was not restored", got)
				case err == nil:
					answered.Add(1)
				case errors.Is(err, context.DeadlineExceeded):
					stopped.Add(1)
				default:
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	wg.Wait()
	stats := pool.Stats()
	t.Logf("%d answered, %d stopped, %+v", answered.Load(), stopped.Load(), stats)
	if stats.Made > 4+stats.Discarded || stats.Idle > 4 || stats.Busy != 0 {
		t.Errorf("%+v: there were more sandboxes than there may be", stats)
	}
	changedTables(t, stats.FullRestores)
}
