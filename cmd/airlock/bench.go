package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/spf13/cobra"
)

const (
	// benchMemory is that of the sandboxes that are measured.
	benchMemory = airlock.DefaultMemory

	benchWarmups = 2    // runs before the first that counts
	benchMost    = 1000 // runs that count
	benchLeast   = 5
)

func newBenchCommand() *cobra.Command {
	asJSON, each := false, 500*time.Millisecond
	cmd := &cobra.Command{
		Use:   "bench [FLAG...]",
		Short: "Measure sandboxes on this machine",
		Long: `Measure on this machine, in one go: what KVM alone costs, what Airlock's sandboxes
cost, and what the same programs cost without one. A figure is the median of
many runs. It takes about ten seconds; other work on the machine disturbs it.`,
		Example: `  airlock bench
  airlock bench --json > today.json`,
		DisableFlagsInUseLine: true,
		Args:                  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if each <= 0 {
				return usageError{fmt.Sprintf("--time is not positive: %v", each)}
			}
			b := &bench{each: each, progress: progressWriter(cmd.ErrOrStderr())}
			if err := b.run(cmd.Context()); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), b, "  ")
			}
			return b.print(cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().DurationVar(&each, "time", each, "spend `TIME` on each figure")
	return cmd
}

// progressWriter returns where progress is shown: w, if a person watches it.
func progressWriter(w io.Writer) io.Writer {
	if isTerminal(w) {
		return w
	}
	return io.Discard
}

// figure is one measurement.
type figure struct {
	Name    string        `json:"name"`
	Median  time.Duration `json:"median_ns"`
	Samples int           `json:"samples"`
	// Against names the figure that Ratio compares this one with.
	Against string  `json:"against,omitempty"`
	Ratio   float64 `json:"ratio,omitempty"`
}

// bench is the measurements of one run of the command, and their form as JSON.
type bench struct {
	Figures []figure `json:"figures"`
	// Left out, and why.
	Missing []string `json:"missing,omitempty"`

	each     time.Duration
	progress io.Writer
}

// The names of the figures.
const (
	figureCreate     = "KVM: create and close a machine"
	figureExit       = "KVM: exit to the host and back"
	figureTouch      = "KVM: first write to a page"
	figureSandbox    = "Airlock: New and Close"
	figureTiny       = "Airlock: tiny guest, New to Close"
	figureTinyNative = "native: the same, fork and exec"
	figureGo         = "Airlock: Go hello, New to Close"
	figureGoNative   = "native: the same Go hello"
)

// run takes all measurements.
func (b *bench) run(ctx context.Context) error {
	defer func() { _, _ = fmt.Fprint(b.progress, "\r\x1b[K") }() // leaves the line empty
	temp, err := os.MkdirTemp("", "airlock-bench-")
	if err != nil {
		return failf("bench: %v", err)
	}
	defer func() { _ = os.RemoveAll(temp) }() // it lies in the system's directory for such

	if err := b.floor(ctx); err != nil {
		return err
	}
	tiny := filepath.Join(temp, "tiny")
	if err := os.WriteFile(tiny, tinyGuest(), 0o700); err != nil { //nolint:gosec // G306: it is a program
		return failf("bench: %v", err)
	}
	if err := b.program(ctx, tiny, figureTiny, figureTinyNative); err != nil {
		return err
	}
	hello, err := b.goHello(ctx, temp)
	if err != nil {
		return err
	}
	if hello == "" {
		return nil
	}
	return b.program(ctx, hello, figureGo, figureGoNative)
}

// floor measures KVM, and beside it what of Airlock runs no guest.
func (b *bench) floor(ctx context.Context) error {
	kit, err := newFloorKit()
	if err != nil {
		return err
	}
	defer kit.close()
	guest, err := airlock.NewGuest("tiny", tinyGuest())
	if err != nil {
		return err
	}
	sandbox := func() error {
		sb, err := airlock.New(ctx, guest, airlock.Options{Memory: benchMemory})
		if err != nil {
			return err
		}
		return sb.Close()
	}
	if err := b.calls(ctx, measurement{figureExit, kit.measureExit}); err != nil {
		return err
	}
	if err := b.measure(ctx, measurement{figureTouch, kit.measureTouch}); err != nil {
		return err
	}
	return b.measure(ctx, measurement{figureCreate, kit.measureCreate}, measurement{figureSandbox, timed(sandbox)})
}

// program measures a program without a sandbox and in one.
func (b *bench) program(ctx context.Context, path, inside, native string) error {
	guest, err := airlock.LoadGuest(path)
	if err != nil {
		return err
	}
	list := []measurement{
		{native, timed(func() error { return exec.CommandContext(ctx, path).Run() })},
		{inside, timed(func() error { return bootToExit(ctx, guest, io.Discard) })},
	}
	// The directory for temporary files may be one from which nothing is run.
	if _, err := list[0].once(); errors.Is(err, os.ErrPermission) {
		b.Missing = append(b.Missing, fmt.Sprintf("%s: %v", native, err))
		list = list[1:]
	}
	return b.measure(ctx, list...)
}

const helloSource = `package main

import "fmt"

func main() { fmt.Println("hello") }
`

// goHello builds a Go program and returns its path, or "" if that can't be done
// here.
func (b *bench) goHello(ctx context.Context, temp string) (string, error) {
	b.show("building a Go program")
	dir, out := filepath.Join(temp, "hello"), filepath.Join(temp, "out")
	err := errors.Join(
		os.Mkdir(dir, 0o700),
		os.Mkdir(out, 0o700),
		os.WriteFile(filepath.Join(dir, "main.go"), []byte(helloSource), 0o600),
		os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module hello\n\ngo 1.21\n"), 0o600),
	)
	if err != nil {
		return "", failf("bench: %v", err)
	}
	var messages bytes.Buffer
	path, err := goBuild(ctx, &messages, dir, out)
	if err != nil && ctx.Err() == nil {
		b.Missing = append(b.Missing, fmt.Sprintf("%s: %s", figureGo, oneLine(plain(err)+messages.String())))
		return "", nil
	}
	return path, err
}

// timed makes a measurement of something that is timed as a whole.
func timed(f func() error) func() (time.Duration, error) {
	return func() (time.Duration, error) {
		start := time.Now()
		err := f()
		return time.Since(start), err
	}
}

// measurement is something to be measured, and how that is done once.
type measurement struct {
	name string
	once func() (time.Duration, error)
}

// measure takes measurements in turn, again and again, so that what else the
// machine does disturbs them alike, and adds a figure for each. The first is what
// the others are compared with.
func (b *bench) measure(ctx context.Context, list ...measurement) error {
	all := make([][]time.Duration, len(list))
	var end time.Time
	b.show(list[len(list)-1].name)
	for i := -benchWarmups; i < benchMost; i++ {
		if i == 0 {
			end = time.Now().Add(b.each * time.Duration(len(list)))
		}
		if i >= benchLeast && time.Now().After(end) {
			break
		}
		for j, m := range list {
			taken, err := m.once()
			switch {
			case ctx.Err() != nil:
				return context.Cause(ctx)
			case err != nil:
				return failf("%s: %s", m.name, plain(err))
			case i >= 0:
				all[j] = append(all[j], taken)
			}
		}
	}
	for j, m := range list {
		f := figure{Name: m.name, Median: median(all[j]), Samples: len(all[j])}
		if j > 0 {
			f.Against, f.Ratio = list[0].name, float64(f.Median)/float64(median(all[0]))
		}
		b.Figures = append(b.Figures, f)
	}
	return nil
}

// show tells the person who waits what is being done.
func (b *bench) show(what string) { _, _ = fmt.Fprintf(b.progress, "\r\x1b[K%s ...", what) }

// print prints the figures for people.
func (b *bench) print(w io.Writer) error {
	var out bytes.Buffer
	t := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(t, "median\truns\tratio\t")
	for _, f := range b.Figures {
		ratio := ""
		if f.Against != "" {
			ratio = fmt.Sprintf("%.2f", f.Ratio)
		}
		_, _ = fmt.Fprintf(t, "%s\t%d\t%s\t  %s\n", round(f.Median), f.Samples, ratio, f.Name)
	}
	_ = t.Flush() // a Buffer takes everything
	out.WriteString("\nA ratio compares with an exit for calls, with KVM alone for New and Close, with native for programs.\n")
	for _, m := range b.Missing {
		_, _ = fmt.Fprintf(&out, "Left out: %s\n", m)
	}
	_, err := w.Write(out.Bytes())
	return err
}

// round shortens a duration to three or four digits.
func round(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d/unit >= 10000 {
		unit *= 10
	}
	return d.Round(unit)
}
