package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/airlockvm/airlock"
	"github.com/spf13/cobra"
)

// callMessageSize is that of the buffers for calls: files are given as
// arguments, and memory that isn't touched costs nothing.
const callMessageSize = 1 << 20

// callOptions are the flags of "airlock call".
type callOptions struct {
	sandboxFlags
	hosts       hostList
	asJSON      bool
	messageSize memorySize
	snapshot    string
}

func newCallCommand() *cobra.Command {
	o := &callOptions{sandboxFlags: newSandboxFlags(), messageSize: callMessageSize}
	cmd := &cobra.Command{
		Use:   "call [FLAG...] {GUEST | --snapshot DIR[:TAG]} FUNCTION [ARG...]",
		Short: "Call a function of a guest in a sandbox",
		Long: `Call a function that a guest exports, in a micro-VM of its own, and print what it
returns. GUEST is a program that was written with a guest SDK, or the directory
of such a Go main package, which is built first; 'airlock inspect GUEST' lists
its functions. Flags come before GUEST. With --snapshot there is no GUEST: the
function is called in a sandbox that is made from a snapshot, which 'airlock
snapshot create' has saved, and which says how much memory there is.

Each ARG is read as the type that the guest has declared for it:

  int32, uint32, int64, uint64   as in Go: 42, -1, 0x1f, 0b101, 1_000; 010 is 8
  float32, float64               as in Go: 1.5, 6e23, 0x1p-2; inf, -inf, nan
  bool                           true or false
  string                         the text itself
  bytes                          the text itself, or hex:00ff

A string or bytes may also be @FILE, the content of a file, or @-, that of stdin.
A text that begins with @ has another @ before it: @@me is @me. Bytes that begin
with hex: are written as hex: or in a file.

A number or string is printed with a newline, bytes as they are, and nothing if
the function returns nothing. Text that would control the terminal is not
printed there. What the guest itself prints and logs goes to stderr.

With --json, ARG is one JSON array of all arguments, or - for one on stdin.
Integers are numbers without fraction or exponent, kept exactly; floats are
numbers, "NaN", "Infinity" or "-Infinity"; bytes are strings in base64. What is
printed is, in one line, {"result":VALUE}, where VALUE is null for nothing, or
{"error":{"kind":KIND,"code":CODE,"message":TEXT}}. KIND is guest, for an error
that the function returned, usage, refused, fault, timeout, interrupted or
failed; guest and fault have a CODE, which says more.

--host gives the guest a function of the host that it needs. Whatever its
arguments are, it returns VALUE, which is written as an ARG without --json is,
and empty if it returns nothing.

Exit status: 1 when the function returned an error; 2 for a wrong command line or
wrong arguments; 3 when the guest was refused, was stopped or timed out, or when
this machine can't run it.`,
		Example: `  airlock call ./math Add 40 0x2
  airlock call ./image Thumbnail @photo.jpg 128 > small.jpg
  airlock call --host GetWeekday=Monday ./examples/hello/guest SayHello World
  airlock call --json ./math Divide '[1, 3]' | jq .result`,
		DisableFlagsInUseLine: true,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case o.snapshot == "":
				return someFunction(cmd, args)
			case len(args) == 0:
				return usageError{"FUNCTION is missing: 'airlock snapshot inspect DIR:TAG' lists those that the guest exports"}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	flags := cmd.Flags()
	flags.SetInterspersed(false)
	flags.SortFlags = false
	flags.Var(&o.hosts, "host", "give the guest a host function that returns VALUE; may be repeated")
	flags.BoolVar(&o.asJSON, "json", false, "read arguments and print the result as JSON")
	flags.Var(&o.messageSize, "message-size", "how large a call and its result may be")
	flags.StringVar(&o.snapshot, "snapshot", "", "call the guest of the snapshot `DIR[:TAG]`")
	o.add(cmd)
	return cmd
}

// run calls the function and prints how that went.
func (o *callOptions) run(cmd *cobra.Command, args []string) error {
	var result any
	var err error
	if o.snapshot != "" {
		result, err = o.callSnapshot(cmd, args[0], args[1:])
	} else {
		result, err = o.call(cmd, args[0], args[1], args[2:])
	}
	stdout := cmd.OutOrStdout()
	switch {
	case o.asJSON:
		return errors.Join(err, printOutcome(stdout, result, err))
	case err != nil:
		return err
	}
	return printResult(stdout, result)
}

// check refuses what the flags themselves have let pass.
func (o *callOptions) check() error {
	if err := checkMessageSize(o.memory, o.messageSize); err != nil {
		return err
	}
	return o.sandboxFlags.check()
}

func checkMessageSize(memory, messageSize memorySize) error {
	if messageSize >= memory/2 {
		return usageError{fmt.Sprintf("--memory is %s, which does not hold the guest and two messages of %s",
			formatSize(memory), formatSize(messageSize))}
	}
	return nil
}

// call does all of it but printing.
func (o *callOptions) call(cmd *cobra.Command, guestArg, function string, args []string) (any, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	in := &inputs{limit: o.messageSize}
	if err := in.readStdin(cmd.Context(), cmd.InOrStdin(), o.stdinUses(args)); err != nil {
		return nil, err
	}
	guest, err := loadGuest(cmd.Context(), cmd.ErrOrStderr(), guestArg)
	if err != nil {
		return nil, err
	}
	ctx, cancel := o.limit(cmd.Context())
	defer cancel()
	c := &caller{callOptions: o, guest: guest, function: function, args: args, in: in}
	result, err := c.callTraced(ctx, &stoppableWriter{ctx, cmd.ErrOrStderr()})
	return result, o.explain(guest.Name(), err)
}

// explain adds to the error of a call what only the command line knows.
func (o *callOptions) explain(guest string, err error) error {
	var returned *airlock.GuestError
	switch {
	case errors.Is(err, airlock.ErrNotServing):
		return explainNotServing(guest, err)
	case errors.Is(err, airlock.ErrTooLarge),
		errors.As(err, &returned) && returned.Code == airlock.CodeTooLarge:
		return failure{fmt.Sprintf("%s; --message-size gives more", plain(err)), err}
	}
	return o.sandboxFlags.explain(guest, err)
}

// explainNotServing adds to the error of a guest that serves no calls what it may
// be good for.
func explainNotServing(guest string, err error) error {
	if !errors.Is(err, airlock.ErrNotServing) {
		return err
	}
	return failure{fmt.Sprintf("%s: %s; 'airlock run' runs it", name(guest), plain(err)), err}
}

// caller makes one call.
type caller struct {
	*callOptions
	guest    *airlock.Guest
	snap     *airlock.Snapshot      // instead of a guest to start, or nil
	change   func(*airlock.Options) // for it
	function string
	args     []string
	in       *inputs
}

// callTraced makes the call and writes the trace that was asked for.
func (c *caller) callTraced(ctx context.Context, stderr io.Writer) (result any, err error) {
	trace, closeTrace, err := c.openTrace(stderr)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeTrace()) }()
	if c.snap != nil {
		return c.callClone(ctx, stderr, trace)
	}
	return c.callSandbox(ctx, stderr, trace)
}

// callSandbox makes the call. What the guest needs is known when it has begun to
// serve. If that are functions of the host, it begins again in a sandbox that has
// them, and what it prints until it serves, which has been printed, is dropped.
func (c *caller) callSandbox(ctx context.Context, stderr, trace io.Writer) (result any, err error) {
	muted := false
	options := c.options(nil)
	options.MessageSize = int64(c.messageSize)
	options.Stdout = &mutedWriter{&muted, stderr}
	options.Stderr = options.Stdout
	options.Logger = newLogger(options.Stderr, slog.LevelInfo)
	if c.verbose {
		options.Logger = newLogger(options.Stderr, slog.LevelDebug)
	}
	if trace != nil {
		options.Trace = &mutedWriter{&muted, trace}
	}
	sb, err := airlock.New(ctx, c.guest, options)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, sb.Close()) }()
	list, err := sb.Functions(ctx)
	if err != nil {
		return nil, err
	}
	args, hosts, err := c.prepare(list)
	if err != nil {
		return nil, err
	}
	if len(hosts) == 0 {
		return sb.Call(ctx, c.function, args...)
	}
	options.HostFuncs = hosts
	again, err := airlock.New(ctx, c.guest, options)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, again.Close()) }()
	muted = true
	_, err = again.Functions(ctx)
	muted = false
	if err != nil {
		return nil, err
	}
	return again.Call(ctx, c.function, args...)
}

// prepare makes what the call needs, from what the guest has declared.
func (c *caller) prepare(list airlock.FunctionList) (args []any, hosts airlock.HostFuncs, err error) {
	guest := name(c.guest.Name())
	function, err := findFunction(guest, c.function, list.Exports)
	if err != nil {
		return nil, nil, err
	}
	parse := parseArguments
	if c.asJSON {
		parse = parseJSONArguments
	}
	if args, err = parse(function, c.args, c.in); err != nil {
		return nil, nil, err
	}
	hosts, err = c.hosts.functions(guest, list.Imports, c.in)
	return args, hosts, err
}

// mutedWriter is a writer that can be told to drop what it gets.
type mutedWriter struct {
	muted *bool // changes only while nothing is written
	w     io.Writer
}

// Write writes p, or drops it.
func (m *mutedWriter) Write(p []byte) (int, error) {
	if *m.muted {
		return len(p), nil
	}
	return m.w.Write(p)
}
