package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"

	"github.com/airlockvm/airlock"
	"github.com/spf13/cobra"
)

// runOptions are the flags of "airlock run".
type runOptions struct {
	sandboxFlags
	env envList
}

func newRunCommand() *cobra.Command {
	o := &runOptions{sandboxFlags: newSandboxFlags()}
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
	flags.Var(&o.env, "env", "give the guest an environment variable; may be repeated")
	o.add(cmd)
	return cmd
}

func (o *runOptions) run(cmd *cobra.Command, guestArg string, args []string) error {
	if err := o.check(); err != nil {
		return err
	}
	guest, err := loadGuest(cmd.Context(), cmd.ErrOrStderr(), guestArg)
	if err != nil {
		return err
	}
	ctx, cancel := o.limit(cmd.Context())
	defer cancel()
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
	options := o.options(trace)
	if o.verbose {
		options.Logger = newLogger(p.Stderr, slog.LevelDebug)
	}
	sb, err := airlock.New(ctx, guest, options)
	if err != nil {
		return -1, err
	}
	defer func() { err = errors.Join(err, sb.Close()) }()
	return sb.Run(ctx, p)
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
