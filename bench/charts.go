package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/airlockvm/airlock"
)

// chart, chartLine and chartPoint are what plots/main.go says they are.
type chart struct {
	File  string      `json:"file"`
	Title string      `json:"title"`
	X     string      `json:"x"`
	Y     string      `json:"y"`
	LogX  bool        `json:"log_x"`
	LogY  bool        `json:"log_y"`
	Lines []chartLine `json:"lines"`
}

type chartLine struct {
	Name   string       `json:"name"`
	Points []chartPoint `json:"points"`
}

type chartPoint struct {
	X float64 `json:"x"`
	spread
}

// draw measures what the charts show, and has them drawn in a directory.
func (b *bench) draw(ctx context.Context, dir string) (err error) {
	if b.temp, err = os.MkdirTemp("", "airlock-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.temp) //nolint:errcheck // it lies in the system's directory for such
	var charts []chart
	for _, measure := range []func(context.Context) (chart, error){b.restoreChart, b.parallelChart} {
		c, err := measure(ctx)
		if err != nil {
			return err
		}
		charts = append(charts, c)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	text, err := json.Marshal(charts)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // G301: it is for everybody to look at
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "run", "-C", "plots", ".", dir) //nolint:gosec // G204: a program of this directory
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(text), b.progress, b.progress
	return cmd.Run()
}

// restoreChart measures Restore after calls that wrote to so many pages, in turn.
func (b *bench) restoreChart(ctx context.Context) (c chart, err error) {
	const rounds = 100
	_, _ = fmt.Fprintln(b.progress, "chart: restore by dirtied pages ...")
	c = chart{
		File: "restore.svg", Title: "Restore after writing to memory (" + cpuModel() + ")",
		X: "pages written to", Y: "µs", LogX: true, LogY: true,
	}
	counts := []int{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000}
	err = b.withSnapshot(ctx, airlock.Options{}, func(snap *airlock.Snapshot, _ *airlock.Sandbox) error {
		sb, err := snap.New(ctx, airlock.Options{})
		if err != nil {
			return err
		}
		defer sb.Close() //nolint:errcheck // there is nothing in it that could be lost
		var takes []sample
		for _, pages := range counts {
			takes = append(takes, restoreAfter(ctx, sb, snap, pages))
		}
		list, err := interleave(b.times(rounds), takes...)
		if err != nil {
			return err
		}
		l := chartLine{Name: "Restore, guest in Go"}
		for i, s := range list {
			l.Points = append(l.Points, chartPoint{float64(counts[i]), s.in(time.Microsecond).spread()})
		}
		c.Lines = []chartLine{l}
		return nil
	})
	return c, err
}

// in is the series in another unit than nanoseconds.
func (s series) in(unit time.Duration) series {
	list := make(series, len(s))
	for i, ns := range s {
		list[i] = ns / float64(unit)
	}
	return list
}

// parallelChart measures calls in a second, of so many sandboxes at once.
func (b *bench) parallelChart(ctx context.Context) (c chart, err error) {
	_, _ = fmt.Fprintln(b.progress, "chart: calls of sandboxes in parallel ...")
	c = chart{
		File: "parallel.svg", Title: fmt.Sprintf("Sandboxes called in parallel (%s, %d cores)", cpuModel(), describeMachine("").Cores),
		X: "sandboxes", Y: "calls of 64 bytes in a second", LogX: true, LogY: true,
	}
	for _, l := range b.languages() {
		if err := l.called.build(ctx, b.temp); err != nil {
			return c, err
		}
		err := b.withReady(ctx, l, func(snap *airlock.Snapshot) error {
			for _, w := range airlockWays() {
				for _, restore := range []bool{false, true} {
					if restore && w.hot {
						continue
					}
					line, err := b.parallelLine(ctx, snap, w, restore)
					if err != nil {
						return err
					}
					line.Name += ", guest in " + l.name
					c.Lines = append(c.Lines, line)
				}
			}
			return nil
		})
		if err != nil {
			return c, err
		}
	}
	return c, nil
}

// parallelLine measures one way to call sandboxes, for all numbers of them.
func (b *bench) parallelLine(ctx context.Context, snap *airlock.Snapshot, w airlockWay, restore bool) (l chartLine, err error) {
	const rounds, most = 10, 32
	l.Name = w.who + ": call"
	if restore {
		l.Name += " and Restore"
	}
	options := w.options
	options.HostFuncs = askFunction()
	var made []*airlock.Sandbox
	defer func() {
		for _, sb := range made {
			err = errors.Join(err, sb.Close())
		}
	}()
	for range most {
		sb, err := snap.New(ctx, options)
		if err != nil {
			return l, err
		}
		made = append(made, sb)
	}
	call := func(sb *airlock.Sandbox) error {
		err := echo(echoText)(ctx, sb)
		if err == nil && restore {
			err = sb.Restore(ctx, snap)
		}
		return err
	}
	var counts []int
	var takes []sample
	for n := 1; n <= most; n *= 2 {
		counts = append(counts, n)
		takes = append(takes, func() (float64, error) { return perSecond(made[:n], call) })
	}
	list, err := interleave(b.times(rounds), takes...)
	for i, s := range list {
		l.Points = append(l.Points, chartPoint{float64(counts[i]), s.spread()})
	}
	return l, err
}

// perSecond counts how often something can be done in a second with all of some
// sandboxes at once.
func perSecond(list []*airlock.Sandbox, do func(*airlock.Sandbox) error) (float64, error) {
	const length = 100 * time.Millisecond
	var wg sync.WaitGroup
	var done atomic.Int64
	errs := make(chan error, len(list))
	start := time.Now()
	for _, sb := range list {
		wg.Go(func() {
			n := int64(0)
			for time.Since(start) < length {
				if err := do(sb); err != nil {
					errs <- err
					return
				}
				n++
			}
			done.Add(n)
		})
	}
	wg.Wait()
	elapsed := time.Since(start)
	close(errs)
	return float64(done.Load()) / elapsed.Seconds(), <-errs
}
