package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/airlockvm/airlock"
)

// program is one static Linux program, which runs natively and in a sandbox:
// the same file.
type program struct {
	name   string
	path   string
	source string // a C file or a Go package, below guest/
	sdk    bool   // a C file that needs ../sdk/c
	memory int64  // of its sandbox; 0 is the default
	guest  *airlock.Guest
}

// programs are all there are.
type programs struct{ helloC, helloGo, computeC, computeGo, kernelC, callsC, callsGo, snapshotGo, lineGo, plainC, plainGo program }

func newPrograms() *programs {
	return &programs{
		helloC:    program{name: "hello-c", source: "hello.c"},
		helloGo:   program{name: "hello-go", source: "hello"},
		computeC:  program{name: "compute-c", source: "compute.c"},
		computeGo: program{name: "compute-go", source: "compute", memory: 256 << 20},
		kernelC:   program{name: "kernel-c", source: "kernel.c"},
		callsC:    program{name: "calls-c", source: "calls.c", sdk: true},
		callsGo:   program{name: "calls-go", source: "calls"},

		snapshotGo: program{name: "snapshot-go", source: "snapshot"},
		lineGo:     program{name: "line-go", source: "line"},
		plainC:     program{name: "plain-c", source: "plain.c"},
		plainGo:    program{name: "plain-go", source: "plain"},
	}
}

// errNoCompiler means that a program can't be built here.
var errNoCompiler = errors.New("not found")

// build makes the program's file in a directory, if that was not done before,
// and loads it as a guest. Sources are looked for below guest/ in the current
// directory.
func (p *program) build(ctx context.Context, dir string) error {
	if p.guest != nil {
		return nil
	}
	p.path = filepath.Join(dir, p.name)
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", p.path, "./guest/"+p.source) //nolint:gosec // G204: sources of this directory
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOFLAGS=")
	if strings.HasSuffix(p.source, ".c") {
		cmd = exec.CommandContext(ctx, "gcc", "-O2", "-static", "-pthread", "-o", p.path, "guest/"+p.source) //nolint:gosec // G204: as above
		if p.sdk {
			cmd.Args = append(cmd.Args, "-I../sdk/c", "../sdk/c/airlock_guest.c")
		}
	}
	if cmd.Err != nil {
		return fmt.Errorf("%s: %s: %w", p.name, cmd.Args[0], errNoCompiler)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	var err error
	p.guest, err = airlock.LoadGuest(p.path)
	return err
}

// inside runs the program in a new sandbox and returns what it printed.
func (p *program) inside(ctx context.Context, args ...string) (string, error) {
	var out, problems bytes.Buffer
	sb, err := airlock.New(ctx, p.guest, airlock.Options{Memory: p.memory})
	if err != nil {
		return "", err
	}
	code, err := sb.Run(ctx, airlock.Process{Args: args, Env: programEnv(), Stdout: &out, Stderr: &problems})
	err = errors.Join(err, sb.Close())
	if err == nil && code != 0 {
		err = fmt.Errorf("exit code %d: %.200q", code, problems.String())
	}
	if err != nil {
		return "", fmt.Errorf("%s %v in a sandbox: %w", p.name, args, err)
	}
	return out.String(), nil
}

// native runs the program as a process and returns what it printed.
func (p *program) native(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, p.path, args...) //nolint:gosec // G204: a program that build made
	cmd.Env = programEnv()
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %v: %w", p.name, args, err)
	}
	return string(out), nil
}

// programEnv is the environment of programs. A sandbox has one processor: a
// native Go program may not collect garbage on a second one meanwhile.
func programEnv() []string { return []string{"GOMAXPROCS=1"} }

// numbers are what a program printed, one a line.
func numbers(text string) (series, error) {
	var list series
	for line := range strings.Lines(text) {
		n, err := strconv.ParseFloat(strings.TrimSpace(line), 64)
		if err != nil {
			return nil, fmt.Errorf("a guest printed %.40q instead of a number", line)
		}
		list = append(list, n)
	}
	if len(list) < 2 {
		return nil, errors.New("a guest printed too few numbers")
	}
	return list, nil
}
