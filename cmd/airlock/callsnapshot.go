package main

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"github.com/airlockvm/airlock"
	"github.com/spf13/cobra"
)

// callSnapshot does for a guest that was saved what call does for one that is
// started.
func (o *callOptions) callSnapshot(cmd *cobra.Command, function string, args []string) (any, error) {
	if err := o.sandboxFlags.check(); err != nil {
		return nil, err
	}
	snap, err := loadSnapshot(cmd.Context(), cmd.ErrOrStderr(), o.snapshot)
	if err != nil {
		return nil, err
	}
	defer snap.Close() //nolint:errcheck // it was only read
	in := &inputs{limit: memorySize(snap.MessageSize())}
	if err := in.readStdin(cmd.Context(), cmd.InOrStdin(), o.stdinUses(args)); err != nil {
		return nil, err
	}
	ctx, cancel := o.limit(cmd.Context())
	defer cancel()
	c := &caller{callOptions: o, guest: snap.Guest(), function: function, args: args, in: in}
	memory, message := cmd.Flags().Changed("memory"), cmd.Flags().Changed("message-size")
	if !memory {
		o.memory = memorySize(snap.Memory()) // for who reads that it was used up
	}
	c.change = func(options *airlock.Options) {
		// What was not given is as the snapshot has it.
		if !memory {
			options.Memory = 0
		}
		if !message {
			options.MessageSize = 0
		}
	}
	c.snap = snap
	result, err := c.callTraced(ctx, &stoppableWriter{ctx, cmd.ErrOrStderr()})
	return result, o.explain(snap.Guest().Name(), err)
}

// callClone makes the call in a sandbox of the snapshot.
func (c *caller) callClone(ctx context.Context, stderr, trace io.Writer) (result any, err error) {
	args, hosts, err := c.prepare(c.snap.Functions())
	if err != nil {
		return nil, err
	}
	options := c.options(trace)
	options.MessageSize = int64(c.messageSize)
	c.change(&options)
	options.HostFuncs = hosts
	options.Stdout, options.Stderr = stderr, stderr
	options.Logger = newLogger(stderr, slog.LevelInfo)
	if c.verbose {
		options.Logger = newLogger(stderr, slog.LevelDebug)
	}
	sb, err := c.snap.New(ctx, options)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, sb.Close()) }()
	return sb.Call(ctx, c.function, args...)
}
