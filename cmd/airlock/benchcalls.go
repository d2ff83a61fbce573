package main

import (
	"context"
	"runtime"
	"strings"
	"time"

	"github.com/airlockvm/airlock"

	"github.com/airlockvm/airlock/cmd/airlock/internal/echo"
)

// The names of the figures of calls.
const (
	figureClone   = "Airlock: clone of a snapshot, first call, Close"
	figureCall    = "Airlock: call, 64 bytes there and back"
	figureRestore = "Airlock: call and Restore"
	figureHot     = "Airlock: hot call (Spin)"
)

const (
	benchSpin  = 200 * time.Microsecond
	benchCalls = 20  // in one measurement
	benchHot   = 500 // of hot ones
)

// callee is a guest to be called, in the states that are measured.
type callee struct {
	snap *airlock.Snapshot
	warm *airlock.Sandbox
	hot  *airlock.Sandbox
}

func newCallee(ctx context.Context) (c *callee, err error) {
	c = &callee{}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	guest, err := airlock.NewGuest("echo", echo.Guest)
	if err != nil {
		return c, err
	}
	if c.warm, err = airlock.New(ctx, guest, airlock.Options{Memory: benchMemory}); err != nil {
		return c, err
	}
	if err = call(ctx, c.warm, 1); err != nil {
		return c, err
	}
	if c.snap, err = c.warm.Snapshot(ctx); err != nil {
		return c, err
	}
	c.hot, err = c.snap.New(ctx, airlock.Options{Spin: benchSpin})
	return c, err
}

// close lets go of what there is: nothing is in it that could be lost.
func (c *callee) close() {
	for _, sb := range []*airlock.Sandbox{c.warm, c.hot} {
		if sb != nil {
			_ = sb.Close()
		}
	}
	if c.snap != nil {
		_ = c.snap.Close()
	}
}

// call calls the guest a number of times.
func call(ctx context.Context, sb *airlock.Sandbox, times int) error {
	text := strings.Repeat("0123456789abcdef", 4)
	for range times {
		if _, err := airlock.Call[string](ctx, sb, "Echo", text); err != nil {
			return err
		}
	}
	return nil
}

// calls measures clones and calls.
func (b *bench) calls(ctx context.Context, exit measurement) error {
	c, err := newCallee(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	clone := func() error {
		sb, err := c.snap.New(ctx, airlock.Options{})
		if err != nil {
			return err
		}
		defer sb.Close() //nolint:errcheck // there is nothing in it that could be lost
		return call(ctx, sb, 1)
	}
	restore := func() error {
		if err := call(ctx, c.warm, 1); err != nil {
			return err
		}
		return c.warm.Restore(ctx, c.snap)
	}
	list := []measurement{
		exit,
		{figureCall, each(benchCalls, func() error { return call(ctx, c.warm, benchCalls) })},
		{figureRestore, timed(restore)},
		{figureClone, timed(clone)},
	}
	if err := b.measure(ctx, list...); err != nil {
		return err
	}
	if min(runtime.NumCPU(), runtime.GOMAXPROCS(0)) < 2 {
		b.Missing = append(b.Missing, figureHot+": it takes two processors")
		return nil
	}
	hot := func() (time.Duration, error) {
		if err := call(ctx, c.hot, benchHot); err != nil { // until the guest watches
			return 0, err
		}
		return each(benchHot, func() error { return call(ctx, c.hot, benchHot) })()
	}
	return b.measure(ctx, measurement{figureHot, hot})
}

// each makes a measurement of something that does a number of things alike.
func each(n int, f func() error) func() (time.Duration, error) {
	return func() (time.Duration, error) {
		taken, err := timed(f)()
		return taken / time.Duration(n), err
	}
}
