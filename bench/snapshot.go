package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/wire"
)

// What is promised of snapshots.
const (
	cloneShare   = 1.3 // a clone's first answer, of the same calls into the kernel and faults by hand
	restoreCalls = 1.5 // a call and a restore, in plain calls
	workCalls    = 2   // the same of a call that allocates
	cloneKiB     = 600 // private memory of an idle clone of a Go guest
)

const echoText = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// The calls of withSnapshot, for machines without the library.
var (
	firstTouches = &wire.Call{Name: "Dirty", Args: []wire.Value{wire.Int64(1)}}
	echoCall     = &wire.Call{Name: "Echo", Args: []wire.Value{wire.String(echoText)}}
)

func snapshotExperiments() []experiment {
	return []experiment{
		{sectionSnapshots, "clones", clones},
		{sectionSnapshots, "call and restore", callAndRestore},
		{sectionSnapshots, "restore by dirtied pages", restoreByPages},
		{sectionSnapshots, "restore by memory", restoreByMemory},
		{sectionSnapshots, "memory of idle clones", cloneMemory},
		{sectionSnapshots, "pool", poolThroughput},
	}
}

// withSnapshot takes a snapshot of the benchmark's guest, after a call, for the
// length of a call of use.
func (b *bench) withSnapshot(ctx context.Context, options airlock.Options, use func(snap *airlock.Snapshot, sb *airlock.Sandbox) error) error {
	p := &b.programs.snapshotGo
	if err := p.build(ctx, b.temp); err != nil {
		return err
	}
	sb, err := airlock.New(ctx, p.guest, options)
	if err != nil {
		return err
	}
	defer sb.Close() //nolint:errcheck // there is nothing in it that could be lost
	// As one who cares for speed would: what a first call maps is mapped.
	if _, err := airlock.Call[struct{}](ctx, sb, "Dirty", int64(1)); err != nil {
		return err
	}
	if err := echo(echoText)(ctx, sb); err != nil {
		return err
	}
	snap, err := sb.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snap.Close() //nolint:errcheck // as above
	return use(snap, sb)
}

// clones measures how soon a new sandbox answers, beside the same by hand.
func clones(ctx context.Context, b *bench) (rows []row, err error) {
	const rounds = 150
	k, err := newRawKit()
	if err != nil {
		return nil, err
	}
	defer k.close()
	err = b.withSnapshot(ctx, airlock.Options{}, func(snap *airlock.Snapshot, sb *airlock.Sandbox) error {
		raw, err := newRawClone(k, b.programs.snapshotGo.path, firstTouches, echoCall)
		if err != nil {
			return err
		}
		defer raw.close()
		var made series
		clone := func() (float64, error) {
			start := time.Now()
			sb, err := snap.New(ctx, airlock.Options{})
			if err != nil {
				return 0, err
			}
			made = append(made, float64(time.Since(start)))
			err = echo(echoText)(ctx, sb)
			elapsed := float64(time.Since(start))
			_ = sb.Close()
			return elapsed, err
		}
		if err := b.programs.lineGo.build(ctx, b.temp); err != nil {
			return err
		}
		list, err := interleave(b.times(rounds), rested(clone), rested(raw.first), rested(timed(func() error { return b.line(ctx) })))
		if err != nil {
			return err
		}
		taken, err := interleave(b.times(rounds/5), timed(func() error {
			snap, err := sb.Snapshot(ctx)
			if err == nil {
				_ = snap.Close()
			}
			return err
		}))
		if err != nil {
			return err
		}
		rows = []row{
			alone(fmt.Sprintf("Snapshot of a Go guest, %d KiB of content", snap.Size()>>10), taken[0]),
			against("New from it to the first answer", list[0], list[1], ratios(list[0], list[1]), atMost(cloneShare)),
			alone("  of it New", made[1:]),
			against("  the same beside a Go process: fork, exec, a line by pipes", list[0], list[2], ratios(list[0], list[2]), nil),
		}
		return nil
	})
	return rows, err
}

// line runs the process that one would have instead of a sandbox, for one answer.
func (b *bench) line(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, b.programs.lineGo.path) //nolint:gosec // G204: a program of this directory
	cmd.Stdin = strings.NewReader(echoText + "\n")
	out, err := cmd.Output()
	return expect(string(out) == echoText+"\n", err)
}

// callAndRestore measures a call with the restore that makes the sandbox as new,
// beside a call alone.
func callAndRestore(ctx context.Context, b *bench) (rows []row, err error) {
	const rounds, batch = 60, 50
	err = b.withSnapshot(ctx, airlock.Options{}, func(snap *airlock.Snapshot, plain *airlock.Sandbox) error {
		restored, err := snap.New(ctx, airlock.Options{})
		if err != nil {
			return err
		}
		defer restored.Close() //nolint:errcheck // there is nothing in it that could be lost
		pool, err := airlock.NewPool(ctx, snap, airlock.PoolOptions{Size: 1})
		if err != nil {
			return err
		}
		defer pool.Close() //nolint:errcheck // as above
		call := echo(echoText)
		text, objects := manyObjects()
		decode := func(sb *airlock.Sandbox) error {
			n, err := airlock.Call[int64](ctx, sb, "Decode", text)
			return expect(n == objects, err)
		}
		worked, err := snap.New(ctx, airlock.Options{})
		if err != nil {
			return err
		}
		defer worked.Close() //nolint:errcheck // as above
		list, err := interleave(b.times(rounds),
			batched(batch, func() error { return call(ctx, plain) }),
			batched(batch, func() error {
				if err := call(ctx, restored); err != nil {
					return err
				}
				return restored.Restore(ctx, snap)
			}),
			batched(batch, func() error { return pool.Do(ctx, func(sb *airlock.Sandbox) error { return call(ctx, sb) }) }),
			batched(batch, func() error { return restored.Restore(ctx, snap) }),
			batched(batch, func() error { return decode(plain) }),
			batched(batch, func() error {
				if err := decode(worked); err != nil {
					return err
				}
				return worked.Restore(ctx, snap)
			}))
		if err != nil {
			return err
		}
		rows = []row{
			against("call and Restore", list[1], list[0], ratios(list[1], list[0]), atMost(restoreCalls)),
			against("the same through a pool", list[2], list[0], ratios(list[2], list[0]), atMost(restoreCalls)),
			alone("Restore after nothing", list[3]),
			against("call that decodes 2 KB of JSON, and Restore", list[5], list[4], ratios(list[5], list[4]), atMost(workCalls)),
		}
		return nil
	})
	return rows, err
}

// manyObjects is a list of objects as JSON, and how many they are.
func manyObjects() (text []byte, count int64) {
	const object = `{"name":"x","v":[1,2,3,4.5],"t":true}`
	count = 50
	return []byte("[" + strings.Repeat(object+",", int(count-1)) + object + "]"), count
}

// restoring measures Restore alone, after a call that writes to some pages.
func restoring(ctx context.Context, b *bench, name string, snap *airlock.Snapshot, pages int) (row, error) {
	const rounds = 100
	sb, err := snap.New(ctx, airlock.Options{})
	if err != nil {
		return row{}, err
	}
	defer sb.Close() //nolint:errcheck // there is nothing in it that could be lost
	list, err := interleave(b.times(rounds), restoreAfter(ctx, sb, snap, pages))
	if err != nil {
		return row{}, err
	}
	return alone(name, list[0]), nil
}

// restoreAfter is the sample of Restore after a call that wrote to some pages.
func restoreAfter(ctx context.Context, sb *airlock.Sandbox, snap *airlock.Snapshot, pages int) sample {
	return func() (float64, error) {
		if _, err := airlock.Call[struct{}](ctx, sb, "Dirty", int64(pages)); err != nil {
			return 0, err
		}
		return timed(func() error { return sb.Restore(ctx, snap) })()
	}
}

func restoreByPages(ctx context.Context, b *bench) (rows []row, err error) {
	err = b.withSnapshot(ctx, airlock.Options{}, func(snap *airlock.Snapshot, _ *airlock.Sandbox) error {
		for _, pages := range []int{1, 10, 100, 1000} {
			r, err := restoring(ctx, b, fmt.Sprintf("Restore after %d pages more were written to", pages), snap, pages)
			if err != nil {
				return err
			}
			rows = append(rows, r)
		}
		return nil
	})
	return rows, err
}

func restoreByMemory(ctx context.Context, b *bench) (rows []row, err error) {
	for _, memory := range []int64{16 << 20, 256 << 20, 1 << 30, airlock.MaxMemory} {
		err := b.withSnapshot(ctx, airlock.Options{Memory: memory}, func(snap *airlock.Snapshot, _ *airlock.Sandbox) error {
			r, err := restoring(ctx, b, fmt.Sprintf("Restore with %d MiB of memory", memory>>20), snap, 10)
			rows = append(rows, r)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// cloneMemory measures what the process has for itself alone, for each of many
// sandboxes that have answered a call and are idle.
func cloneMemory(ctx context.Context, b *bench) (rows []row, err error) {
	err = b.withSnapshot(ctx, airlock.Options{}, func(snap *airlock.Snapshot, _ *airlock.Sandbox) error {
		var list []*airlock.Sandbox
		defer func() {
			for _, sb := range list {
				_ = sb.Close()
			}
		}()
		grow := func(n int) error {
			for len(list) < n {
				sb, err := snap.New(ctx, airlock.Options{})
				if err != nil {
					return err
				}
				list = append(list, sb)
				if err := echo(echoText)(ctx, sb); err != nil {
					return err
				}
			}
			return nil
		}
		// The process's own heap and threads come first, so that they are not taken for
		// the sandboxes'.
		const first = 50
		if err := grow(first); err != nil {
			return err
		}
		before := settledKiB()
		for _, n := range []int{100, 1000} {
			if err := grow(first + n); err != nil {
				return err
			}
			each := (settledKiB() - before) / float64(n)
			if each <= 0 {
				return fmt.Errorf("%d sandboxes take %.0f KiB each: the process has given back memory of its own meanwhile", n, each)
			}
			rows = append(rows, counted(fmt.Sprintf("KiB of private memory for each of %d more idle sandboxes", n), each, 1, atMost(cloneKiB)))
		}
		return nil
	})
	return rows, err
}

// settledKiB is privateKiB once what was measured before has gone: the kernel takes
// machines apart after Close has returned, and Go's runtime gives memory back later.
func settledKiB() float64 {
	const tries, pause, same = 50, 100 * time.Millisecond, 256
	last := math.Inf(1)
	for range tries {
		debug.FreeOSMemory()
		now := privateKiB()
		if math.Abs(now-last) < same {
			return now
		}
		last = now
		time.Sleep(pause)
	}
	return last
}

// privateKiB is the memory that only this process has.
func privateKiB() (kib float64) {
	text, _ := os.ReadFile("/proc/self/smaps_rollup")
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) > 1 && (fields[0] == "Private_Dirty:" || fields[0] == "Private_Clean:") {
			n, _ := strconv.ParseFloat(fields[1], 64)
			kib += n
		}
	}
	return kib
}

// poolThroughput measures calls through a pool, each in a sandbox as new, from as
// many goroutines as there are processors.
func poolThroughput(ctx context.Context, b *bench) (rows []row, err error) {
	const rounds, calls = 10, 400
	workers := runtime.GOMAXPROCS(0)
	err = b.withSnapshot(ctx, airlock.Options{}, func(snap *airlock.Snapshot, _ *airlock.Sandbox) error {
		pool, err := airlock.NewPool(ctx, snap, airlock.PoolOptions{Warm: workers})
		if err != nil {
			return err
		}
		defer pool.Close() //nolint:errcheck // there is nothing in it that could be lost
		run := func(workers int) sample {
			return func() (float64, error) {
				var wg sync.WaitGroup
				errs := make(chan error, workers)
				start := time.Now()
				for range workers {
					wg.Go(func() {
						for range calls / workers {
							if got, err := airlock.Call[string](ctx, pool, "Echo", echoText); err != nil || got != echoText {
								errs <- expect(got == echoText, err)
								return
							}
						}
					})
				}
				wg.Wait()
				select {
				case err := <-errs:
					return 0, err
				default:
				}
				return float64(time.Since(start)) / float64(calls/workers*workers), nil
			}
		}
		list, err := interleave(b.times(rounds), run(workers), run(1))
		if err != nil {
			return err
		}
		rows = []row{
			against(fmt.Sprintf("a call through a pool, %d goroutines", workers), list[0], list[1], ratios(list[0], list[1]), nil),
		}
		return nil
	})
	return rows, err
}
