package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/spf13/cobra"
)

// runOptions are the flags of "airlock run".
type runOptions struct {
	memory    memorySize
	timeout   time.Duration
	env       envList
	trace     bool
	traceFile string
	jit       bool
	verbose   bool
}

func newRunCommand() *cobra.Command {
	o := &runOptions{memory: airlock.DefaultMemory}
	cmd := &cobra.Command{
		Use:   "run [FLAG...] GUEST [ARG...]",
		Short: "Run a program in a sandbox",
		Long: `Run a static Linux program to its end in a micro-VM of its own. Its stdin,
stdout, stderr and exit code are passed through; it gets no files, no network
and none of your environment.

GUEST is a program, or the directory of a Go main package, which is built first.
Everything after it is for the guest.`,
		Example: `  airlock run ./hello
  airlock run --timeout 5s --memory 256MiB --env LANG=C ./sort -r < words.txt
  airlock run --trace ./cmd/mytool --help`,
		DisableFlagsInUseLine: true,
		Args:                  someGuest,
		RunE:                  func(cmd *cobra.Command, args []string) error { return o.run(cmd, args[0], args[1:]) },
	}
	flags := cmd.Flags()
	flags.SetInterspersed(false)
	flags.SortFlags = false
	flags.Var(&o.memory, "memory", "memory of the sandbox, all that the guest will ever have")
	flags.DurationVar(&o.timeout, "timeout", 0, "stop the guest after `TIME`, such as 5s (default never)")
	flags.Var(&o.env, "env", "give the guest an environment variable; may be repeated")
	flags.BoolVar(&o.trace, "trace", false, "print the guest's system calls to stderr")
	flags.StringVar(&o.traceFile, "trace-file", "", "print the guest's system calls to `FILE`")
	flags.BoolVar(&o.jit, "jit", false, "let the guest generate code")
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "log what happens to the sandbox to stderr")
	return cmd
}

func (o *runOptions) run(cmd *cobra.Command, guestArg string, args []string) error {
	if o.timeout < 0 {
		return usageError{fmt.Sprintf("--timeout is negative: %v", o.timeout)}
	}
	ctx := cmd.Context()
	program, err := findProgram(ctx, cmd.ErrOrStderr(), guestArg)
	if err != nil {
		return err
	}
	guest, _, err := program.load()
	program.remove() // it is in memory now
	if err != nil {
		return err
	}
	if o.timeout > 0 { // which is for the guest, not for building it
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.timeout)
		defer cancel()
	}
	code, err := o.runTraced(ctx, guest, airlock.Process{
		Args:   args,
		Env:    o.env,
		Stdin:  cmd.InOrStdin(),
		Stdout: &stoppableWriter{ctx, cmd.OutOrStdout()},
		Stderr: &stoppableWriter{ctx, cmd.ErrOrStderr()},
	})
	if err == nil && code != 0 {
		return guestExit(code)
	}
	return o.explain(guest.Name(), err)
}

// runTraced runs the guest and writes the trace that was asked for.
func (o *runOptions) runTraced(ctx context.Context, guest *airlock.Guest, p airlock.Process) (code int, err error) {
	trace, closeTrace, err := o.openTrace(p.Stderr)
	if err != nil {
		return -1, err
	}
	defer func() { err = errors.Join(err, closeTrace()) }()
	return o.runSandbox(ctx, guest, trace, p)
}

// runSandbox runs the guest once, in a sandbox of its own.
func (o *runOptions) runSandbox(ctx context.Context, guest *airlock.Guest, trace io.Writer, p airlock.Process) (code int, err error) {
	options := airlock.Options{Memory: int64(o.memory), AllowJIT: o.jit, Trace: trace}
	if o.verbose {
		options.Logger = slog.New(slog.NewTextHandler(p.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	sb, err := airlock.New(ctx, guest, options)
	if err != nil {
		return -1, err
	}
	defer func() { err = errors.Join(err, sb.Close()) }()
	return sb.Run(ctx, p)
}

// explain adds to the error of a run what only the command line knows.
func (o *runOptions) explain(guest string, err error) error {
	var stopped interrupted
	switch {
	case errors.As(err, &stopped): // also when the guest noticed later than a timeout
		return stopped
	case errors.Is(err, context.DeadlineExceeded):
		return failf("%s timed out after %v", name(guest), o.timeout)
	case errors.Is(err, airlock.ErrOutOfMemory):
		return failf("%s; it had %s, --memory gives more", plain(err), formatSize(o.memory))
	}
	return err
}

// openTrace returns where the trace goes, nil for nowhere, and what must be
// called at the end.
func (o *runOptions) openTrace(stderr io.Writer) (trace io.Writer, closeTrace func() error, err error) {
	closeTrace = func() error { return nil }
	if o.trace {
		trace = stderr
	}
	if o.traceFile == "" {
		return trace, closeTrace, nil
	}
	f, err := os.Create(o.traceFile)
	if err != nil {
		return nil, nil, pathFailure(o.traceFile, err)
	}
	buffer := bufio.NewWriter(f)
	closeTrace = func() error {
		if err := errors.Join(buffer.Flush(), f.Close()); err != nil {
			return pathFailure(o.traceFile, err)
		}
		return nil
	}
	if trace == nil {
		return buffer, closeTrace, nil
	}
	return io.MultiWriter(trace, buffer), closeTrace, nil
}

// stoppableWriter is a writer whose Write ends when the context does, so that a
// reader that doesn't read can't hold up the end of a guest.
type stoppableWriter struct {
	ctx context.Context // that of one run, which is the life of the writer
	w   io.Writer
}

// Write writes all of p, or until the context ends. Then it is unknown how much
// was written.
func (s *stoppableWriter) Write(p []byte) (int, error) {
	if s.ctx.Err() != nil {
		return 0, context.Cause(s.ctx)
	}
	type result struct {
		n   int
		err error
	}
	done := make(chan result, 1)
	p = bytes.Clone(p) // which is the caller's again when Write has ended
	go func() {
		n, err := s.w.Write(p)
		done <- result{n, err}
	}()
	select {
	case r := <-done:
		return r.n, r.err
	case <-s.ctx.Done():
		return 0, context.Cause(s.ctx)
	}
}

// envList is a flag's value: environment variables, one for each use of the
// flag. It implements pflag.Value.
type envList []string

// Set adds a variable.
func (e *envList) Set(text string) error {
	if key, _, ok := strings.Cut(text, "="); !ok || key == "" {
		return errors.New("a variable is written NAME=VALUE")
	}
	*e = append(*e, text)
	return nil
}

// String returns the default, which is none.
func (e *envList) String() string { return "" }

// Type is what help texts call the value.
func (e *envList) Type() string { return "NAME=VALUE" }
