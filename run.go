package airlock

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/airlockvm/airlock/internal/machine"
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
	// order in which it wrote, in pieces of at most 32 KiB. A nil one discards. When a Write fails, later writes of the program fail with
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
// it is doing, and the error satisfies errors.Is for the context's error, and
// for [ErrClosed] if it was [Sandbox.Close] that ended it. A
// program that faults, is killed by a signal or attacks the machine ends with a
// [*GuestFault]; one that sends what no guest kernel sends, with [ErrProtocol].
// In all of these cases the code is -1 and the sandbox is poisoned. Arguments
// that can't be passed are refused with [ErrOptions], which poisons nothing.
func (sb *Sandbox) Run(ctx context.Context, p Process) (code int, err error) {
	if err := sb.turn.begin(ctx); err != nil {
		return -1, err
	}
	args := append([]string{sb.guest.name}, p.Args...)
	if err := checkStrings(args, p.Env, sb.config.InputSize); err != nil {
		sb.turn.end(nil)
		return -1, err
	}
	if sb.serving != nil && sb.serving.origin != nil {
		sb.turn.end(nil)
		return -1, fmt.Errorf("%w: the sandbox holds a snapshot of a guest that serves calls; Run needs one made with New", ErrOptions)
	}
	err = errUnfinished
	defer func() { sb.turn.end(err) }()
	if err := sb.boot(args, p.Env, false); err != nil {
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

// maxStrings is how many bytes of the program's stack its arguments and
// environment may take: a quarter, as on Linux.
const maxStrings = 2 << 20

// checkStrings checks arguments and environment, which reach the guest through
// its input buffer and end up on its stack, with a pointer each.
func checkStrings(args, env []string, buffer uint64) error {
	var size uint64
	for _, list := range [][]string{args, env} {
		for _, s := range list {
			if strings.IndexByte(s, 0) >= 0 {
				return fmt.Errorf("%w: an argument or environment string has a zero byte: %.40q", ErrOptions, s)
			}
			size += uint64(len(s)) + 1
		}
	}
	pointers := 8 * uint64(len(args)+len(env)+2)
	if size > buffer || size+pointers > maxStrings {
		return fmt.Errorf("%w: %d bytes of arguments and environment; the most is %d (MessageSize), and %d with pointers",
			ErrOptions, size, buffer, maxStrings)
	}
	return nil
}

// boot puts the machine at the start of the program.
func (sb *Sandbox) boot(args, env []string, serve bool) error {
	sb.renew()
	if sb.used {
		if err := sb.machine.Reset(); err != nil {
			return fmt.Errorf("airlock: run: %w", err)
		}
	}
	sb.used, sb.serving = true, nil
	if err := sb.machine.Boot(machine.Start{Args: args, Env: env, Seed: newSeed(), Serve: serve}); err != nil {
		return fmt.Errorf("airlock: run: %w", err)
	}
	return nil
}
