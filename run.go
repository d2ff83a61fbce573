package airlock

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Process says how a program is started.
type Process struct {
	// Args are the program's arguments after argument 0, which is the guest's name.
	// None contains a NUL byte.
	Args []string
	// Env is its environment, each "KEY=value". It starts with no other: nothing of
	// the host's environment is passed on.
	Env []string
	// Stdin is what the program reads from descriptor 0; nil is an empty one. Bytes
	// are taken as the program asks for them. A Read that blocks doesn't block the
	// program's other threads, but Go can't interrupt it: when Run ends while one
	// is in progress, that Read goes on, and the bytes that it gets are lost.
	Stdin io.Reader
	// Stdout and Stderr get what the program writes to descriptors 1 and 2, in the
	// order in which it wrote, in pieces of at most half of Options.MessageSize. A
	// nil one discards. When a Write fails, later writes of the program fail with
	// EPIPE. The program waits while a Write runs; if it should end in time, Write
	// must not block for ever.
	Stdout, Stderr io.Writer
}

// Run starts the guest's program and runs it to its end. It returns the
// program's exit code, 0 to 255.
//
// The program starts anew each time: nothing that an earlier Run left behind is
// there.
//
// When the context ends, the program is stopped within milliseconds, whatever
// it is doing, and the error satisfies errors.Is for the context's error. A
// program that faults, is killed by a signal or attacks the machine ends with a
// [*GuestFault]; one that sends what no guest kernel sends, with [ErrProtocol].
// In all of these cases the code is -1 and the sandbox is poisoned.
func (sb *Sandbox) Run(ctx context.Context, p Process) (code int, err error) {
	ctx, err = sb.begin(ctx)
	if err != nil {
		return -1, err
	}
	defer func() { sb.end(err) }()
	if err := sb.boot(p); err != nil {
		return -1, err
	}
	run := newProcess(sb, p)
	start := time.Now()
	code, err = run.run(ctx)
	sb.log.LogAttrs(ctx, slog.LevelDebug, "program ended",
		slog.String("guest", sb.guest.name), slog.Int("code", code), slog.Any("error", err),
		slog.Duration("duration", time.Since(start)))
	return code, err
}

// boot puts the machine at the start of the program.
func (sb *Sandbox) boot(p Process) error {
	var seed [32]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return fmt.Errorf("airlock: run: %w", err)
	}
	if sb.used {
		if err := sb.machine.Reset(); err != nil {
			return fmt.Errorf("airlock: run: %w", err)
		}
	}
	sb.used = true
	if err := sb.machine.Boot(append([]string{sb.guest.name}, p.Args...), p.Env, seed); err != nil {
		return fmt.Errorf("airlock: run: %w", err)
	}
	return nil
}
