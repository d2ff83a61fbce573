package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/spf13/cobra"
)

// sandboxFlags are the flags of all commands that do with a guest what the user
// wants of it.
type sandboxFlags struct {
	memory    memorySize
	timeout   time.Duration
	trace     bool
	traceFile string
	jit       bool
	verbose   bool
}

func newSandboxFlags() sandboxFlags { return sandboxFlags{memory: airlock.DefaultMemory} }

// add adds the flags to those of a command.
func (o *sandboxFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.Var(&o.memory, "memory", "memory of the sandbox, all that the guest will ever have")
	flags.DurationVar(&o.timeout, "timeout", 0, "stop the guest after `TIME`, such as 5s (default never)")
	flags.BoolVar(&o.trace, "trace", false, "print the guest's system calls to stderr")
	flags.StringVar(&o.traceFile, "trace-file", "", "print the guest's system calls to `FILE`")
	flags.BoolVar(&o.jit, "jit", false, "let the guest generate code")
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "log what happens to the sandbox to stderr")
}

// check refuses what the flags themselves have let pass.
func (o *sandboxFlags) check() error {
	if o.timeout < 0 {
		return usageError{fmt.Sprintf("--timeout is negative: %v", o.timeout)}
	}
	return nil
}

// limit returns the context for the guest, which is not that for building it:
// the timeout begins.
func (o *sandboxFlags) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if o.timeout > 0 {
		return context.WithTimeout(ctx, o.timeout)
	}
	return context.WithCancel(ctx)
}

// options returns the options of the sandbox.
func (o *sandboxFlags) options(trace io.Writer) airlock.Options {
	return airlock.Options{Memory: int64(o.memory), AllowJIT: o.jit, Trace: trace}
}

func newLogger(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}

// explain adds to the error of a guest what only the command line knows.
func (o *sandboxFlags) explain(guest string, err error) error {
	var stopped interrupted
	switch {
	case errors.As(err, &stopped): // also when the guest noticed later than a timeout
		return stopped
	case errors.Is(err, context.DeadlineExceeded):
		return failure{fmt.Sprintf("%s timed out after %v", name(guest), o.timeout), err}
	case errors.Is(err, airlock.ErrOutOfMemory):
		return failure{fmt.Sprintf("%s; it had %s, --memory gives more", plain(err), formatSize(o.memory)), err}
	}
	return err
}

// openTrace returns where the trace goes, nil for nowhere, and what must be
// called at the end.
func (o *sandboxFlags) openTrace(stderr io.Writer) (trace io.Writer, closeTrace func() error, err error) {
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
