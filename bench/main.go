// Command bench measures Airlock on this machine and prints one table: the floor
// that KVM itself sets, sandboxes beside that floor, programs in a sandbox
// beside the same programs run natively. SPEC.md says what is promised, and how
// each figure is taken.
//
//	go run . [-check] [-json] [-short] [-run SECTIONS] [-setup] [-plots DIRECTORY]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"slices"
)

// The sections of the table.
const (
	sectionFloor   = "KVM alone"
	sectionCreate  = "creation"
	sectionBoot    = "boot to exit"
	sectionCompute = "compute"
	sectionKernel  = "system calls and faults"
	sectionCalls   = "calls"
	sectionHot     = "hot calls"

	sectionSnapshots = "snapshots"
	sectionBeside    = "beside others"
)

// experiment measures what becomes one or more rows of a section.
type experiment struct {
	section string
	name    string
	run     func(context.Context, *bench) ([]row, error)
}

// bench is what experiments share.
type bench struct {
	temp     string
	programs *programs
	// scale is what numbers of samples are multiplied with.
	scale    float64
	progress io.Writer

	modules *modules
	// The WebAssembly runtimes are measured by a program of their own.
	peers                *peers
	noPeers, peersFailed bool
	versions             map[string]string

	// computed are the parts of native speed, by piece of work.
	computed      map[string]float64
	computeJudged bool

	comparisons []*comparison
	// What could not be measured, and why.
	lacks   []string
	lacking map[string]bool
}

func newBench(progress io.Writer) *bench {
	return &bench{
		programs: newPrograms(), modules: newModules(), scale: 1, progress: progress,
		computed: make(map[string]float64), lacking: make(map[string]bool),
	}
}

// times returns how many samples to take instead of the usual number.
func (b *bench) times(usual int) int { return max(5, int(float64(usual)*b.scale)) }

func experiments() []experiment {
	return slices.Concat(floorExperiments(), createExperiments(), bootExperiments(), computeExperiments(), kernelExperiments(),
		callExperiments(), hotExperiments(), snapshotExperiments(), besideExperiments())
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is main without the process. It returns the exit code: 1 if a target was
// missed or something failed, 2 for wrong usage.
func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	check := flags.Bool("check", false, "exit with code 1 if a target is missed, twice")
	asJSON := flags.Bool("json", false, "print JSON")
	short := flags.Bool("short", false, "take a quarter of the samples, and leave WebAssembly runtimes out")
	only := flags.String("run", "", "run only what the regular `expression` matches, as \"section: name\"")
	setup := flags.Bool("setup", os.Getenv("CI") == "true", "run scripts/setup-bench.sh first, unless -short is given; the default where CI=true")
	plots := flags.String("plots", "", "measure what the plots show, nothing else, and draw them in a `directory`")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 {
		return 2
	}
	match, err := regexp.Compile(*only)
	if err != nil {
		_ = failed(err, stderr)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	b := newBench(stderr)
	if *short {
		b.scale, b.noPeers = 0.25, true
	}
	if *plots != "" {
		return failed(b.draw(ctx, *plots), stderr)
	}
	if *setup && !*short {
		b.setUp(ctx)
	}
	report, err := b.measure(ctx, match, *check)
	if err != nil {
		return failed(err, stderr)
	}
	write := report.writeText
	if *asJSON {
		write = report.writeJSON
	}
	code := failed(write(stdout), stderr)
	if *check && code == 0 {
		code = verdict(report, stderr)
	}
	return code
}

// failed is the exit code that an error leads to.
func failed(err error, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	_, _ = fmt.Fprintln(stderr, "bench:", err)
	return 1
}

// setUp installs what a comparison needs, or says what that would be. What then
// still is missing, the report says.
func (b *bench) setUp(ctx context.Context) {
	cmd := exec.CommandContext(ctx, "../scripts/setup-bench.sh")
	cmd.Stdout, cmd.Stderr = b.progress, b.progress
	_ = cmd.Run()
}

// verdict lists the targets that were missed or could not be measured.
func verdict(r *report, stderr io.Writer) int {
	code := 0
	for _, one := range r.Rows {
		if one.missed() {
			_, _ = fmt.Fprintf(stderr, "bench: missed: %s: %s is %.3g, promised is %s\n", one.Section, one.Name, one.Ratio.Median, one.Target)
			code = 1
		}
	}
	if len(r.Missing) > 0 {
		_, _ = fmt.Fprintln(stderr, "bench: not everything could be measured")
		code = 1
	}
	return code
}

// measure runs the experiments that match. With retry, one that misses a target
// is run once more: its first run may have met something else that the machine
// had to do, and a promise that is broken is broken twice.
func (b *bench) measure(ctx context.Context, match *regexp.Regexp, retry bool) (*report, error) {
	temp, err := os.MkdirTemp("", "airlock-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp) //nolint:errcheck // it lies in the system's directory for such
	b.temp = temp
	samples := "all"
	if b.scale < 1 {
		samples = "a quarter, and no WebAssembly runtimes (-short)"
	}
	defer b.stopPeers()
	r := &report{Machine: describeMachine(samples)}
	for _, e := range experiments() {
		if !match.MatchString(e.section + ": " + e.name) {
			continue
		}
		rows, err := b.measureOne(ctx, e, retry)
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case errors.Is(err, errNoCompiler):
			b.lack(err)
		case err != nil:
			return nil, fmt.Errorf("%s: %s: %w", e.section, e.name, err)
		}
		r.Rows = append(r.Rows, rows...)
	}
	r.Comparisons, r.Missing, r.Machine.Peers = b.comparisons, b.lacks, b.versions
	return r, nil
}

func (b *bench) measureOne(ctx context.Context, e experiment, retry bool) ([]row, error) {
	_, _ = fmt.Fprintf(b.progress, "%s: %s ...\n", e.section, e.name)
	rows, err := e.run(ctx, b)
	again := retry && slices.ContainsFunc(rows, row.missed)
	if err == nil && again {
		_, _ = fmt.Fprintf(b.progress, "%s: %s, once more ...\n", e.section, e.name)
		rows, err = e.run(ctx, b)
	}
	for i := range rows {
		rows[i].Section, rows[i].Again = e.section, again
	}
	return rows, err
}
