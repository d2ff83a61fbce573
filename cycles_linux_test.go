package airlock_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/leak"
)

// holdings is what the process has.
type holdings struct {
	resources  int // that the library keeps account of
	files      int
	threads    int
	goroutines int
	guests     int // mappings of guest memory and of virtual processors
	resident   int // MiB
}

func hold(tb testing.TB) holdings {
	tb.Helper()
	count := func(dir string) int {
		list, err := os.ReadDir(dir)
		if err != nil {
			tb.Fatal(err)
		}
		return len(list)
	}
	h := holdings{
		resources: leak.Count(), files: count("/proc/self/fd"), threads: count("/proc/self/task"), goroutines: runtime.NumGoroutine(),
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		tb.Fatal(err)
	}
	h.guests = strings.Count(string(maps), "memfd:") + strings.Count(string(maps), "kvm")
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		tb.Fatal(err)
	}
	var size int
	if _, err := fmt.Sscan(string(statm), &size, &h.resident); err != nil {
		tb.Fatal(err)
	}
	h.resident = h.resident * os.Getpagesize() >> 20
	return h
}

// parallelSandboxes is how many there are at a time.
const parallelSandboxes = 24

// noMore reports whether there is no more than there was. Threads that once had
// work are kept by Go: how many depends on how many sandboxes run at a time. The
// race detector keeps memory.
func (h holdings) noMore(before holdings) bool {
	return h.resources <= before.resources && h.files <= before.files && h.goroutines <= before.goroutines &&
		h.guests <= before.guests && h.threads <= before.threads+parallelSandboxes && h.resident <= before.resident+128
}

// TestParallelCancels uses 24 sandboxes at a time, fresh ones and clones: calls
// of all kinds that are cancelled at random moments, restores, and new sandboxes
// in the place of old ones. In the end the process has what it had after the
// first round.
func TestParallelCancels(t *testing.T) {
	rounds := 120
	if testing.Short() {
		rounds = 48
	}
	snap := newSnapshot(t, func(sb *airlock.Sandbox) { call[int64](t, sb, "Count") })
	fresh := buildGuest(t, "snapguest")
	var tally cancelTally
	play := func(seed uint64, rounds int) {
		var wg sync.WaitGroup
		for i := range parallelSandboxes {
			wg.Go(func() {
				u := canceller{t: t, snap: snap, fresh: fresh, random: rand.New(rand.NewPCG(seed, uint64(i))), tally: &tally}
				for range 1 + rounds/4 {
					u.life(4)
				}
			})
		}
		wg.Wait()
	}
	play(1, rounds/4) // threads are made, caches filled
	before := hold(t)
	play(2, rounds)
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		runtime.GC()
		if after := hold(t); after.noMore(before) {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("before %+v\nafter  %+v\n%s", before, after, strings.Join(leak.Report(), "\n"))
		}
	}
	t.Logf("%d answered, %d stopped, %d aborts, %d restores", tally.answered.Load(), tally.stopped.Load(), tally.aborts.Load(), tally.restores.Load())
	if tally.answered.Load() == 0 || tally.stopped.Load() == 0 || tally.aborts.Load() == 0 {
		t.Error("not all kinds of ends have been seen")
	}
}

type cancelTally struct{ answered, stopped, aborts, restores atomic.Int64 }

// canceller uses one sandbox at a time.
type canceller struct {
	t      *testing.T
	snap   *airlock.Snapshot
	fresh  *airlock.Guest
	random *rand.Rand
	tally  *cancelTally
}

// life makes a sandbox, calls it some times, and closes it, sometimes while a
// call goes on.
func (c *canceller) life(calls int) {
	spins := []time.Duration{0, 50 * time.Microsecond, airlock.SpinAlways}
	options := airlock.Options{HostFuncs: snapHosts(), Spin: spins[c.random.IntN(len(spins))]}
	var sb *airlock.Sandbox
	var err error
	clone := c.random.IntN(6) != 0
	if clone {
		sb, err = c.snap.New(context.Background(), options)
	} else {
		sb, err = airlock.New(context.Background(), c.fresh, options)
	}
	if err != nil {
		c.t.Error(err)
		return
	}
	var closing sync.WaitGroup
	closed := c.random.IntN(5) == 0
	if closed {
		delay := c.moment()
		closing.Go(func() {
			time.Sleep(delay)
			closedOnce(c.t, sb)
		})
	}
	for range calls {
		c.use(sb, clone, closed)
	}
	closing.Wait()
	closedOnce(c.t, sb)
}

func closedOnce(t *testing.T, sb *airlock.Sandbox) {
	t.Helper()
	if err := sb.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func (c *canceller) moment() time.Duration {
	return time.Duration(c.random.Int64N(int64(6 * time.Millisecond)))
}

// use makes one call, cancelled in one way or the other, and restores the sandbox
// if it is poisoned.
func (c *canceller) use(sb *airlock.Sandbox, clone, closing bool) {
	ctx, cancel := context.WithTimeout(context.Background(), c.moment())
	defer cancel()
	if c.random.IntN(2) == 0 {
		cancel()
		ctx, cancel = context.WithCancel(context.Background())
		defer time.AfterFunc(c.moment(), cancel).Stop()
		defer cancel()
	}
	kinds := []struct {
		name string
		args []any
	}{{"Count", nil}, {"Spin", nil}, {"Grow", []any{int64(4), int64(1)}}, {"Weekday", nil}, {"Threads", []any{int64(6)}}, {"Fault", nil}}
	kind := kinds[c.random.IntN(len(kinds))]
	_, err := sb.Call(ctx, kind.name, kind.args...)
	_, aborted := errors.AsType[*airlock.GuestAbortError](err)
	switch {
	case err == nil:
		c.tally.answered.Add(1)
		return
	case aborted && kind.name == "Fault":
		c.tally.aborts.Add(1)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		c.tally.stopped.Add(1)
	case errors.Is(err, airlock.ErrPoisoned), closing && errors.Is(err, airlock.ErrClosed):
	default:
		c.t.Errorf("%s: %v", kind.name, err)
	}
	if !clone && c.random.IntN(2) == 0 {
		return // stays poisoned
	}
	switch err := sb.Restore(context.Background(), c.snap); {
	case err == nil:
		c.tally.restores.Add(1)
	case closing && errors.Is(err, airlock.ErrClosed):
	default:
		c.t.Errorf("Restore: %v", err)
	}
}
