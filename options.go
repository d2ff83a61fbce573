package airlock

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/machine"
)

const (
	// DefaultMemory is the memory of a sandbox whose options don't say: 64 MiB.
	DefaultMemory = 64 << 20
	// MaxMemory is the most memory that a sandbox may have, in bytes: 32 MiB less
	// than 4 GiB.
	MaxMemory = machine.MaxMemory / abi.MemoryUnit * abi.MemoryUnit
	// DefaultMessageSize is the size of a message buffer whose options don't say: 64 KiB.
	DefaultMessageSize = 64 << 10

	// minMemory is what the guest kernel, its page tables, the message buffers and
	// a small stack need beside the program.
	minMemory = 1 << 20
)

// Options says what a sandbox is like. The zero value is a safe default.
type Options struct {
	// Memory is all the memory that the guest will ever have, in bytes, for its
	// program, stacks, heap and the guest kernel. It is rounded up to 2 MiB. The
	// host gives real memory only to what the guest touches. 0 means DefaultMemory.
	Memory int64

	// MessageSize is the size in bytes of each of the two buffers through which
	// host and guest exchange messages. It is part of Memory, and rounded up to
	// 8 KiB. The list of host functions has to fit into one as well, and so have the
	// arguments and the environment of a program that is run. 0 means
	// DefaultMessageSize.
	MessageSize int64

	// AllowJIT lets the program generate code: make anonymous memory executable.
	// Without it memory that was ever writable is never executable.
	AllowJIT bool

	// HostFuncs are what the guest may call, and nothing else. Each is checked by
	// New; the map must not change afterwards.
	HostFuncs HostFuncs

	// Stdout and Stderr get what a guest writes to its descriptors 1 and 2 while it
	// serves calls; see [Process] for what they must do. nil discards. For a
	// program that is run, Process says it.
	Stdout, Stderr io.Writer

	// Spin is how long host and guest may each keep a processor busy to wait for the
	// other one's next message: the guest for the next call, and both for each other
	// during one. Calls that follow each other within this time then take a
	// microsecond or so instead of the tens that it takes to leave the virtual
	// machine and enter it again; see [Sandbox.Call]. 50 µs is a good value. 0 means
	// never, [SpinAlways] that the guest keeps a processor until Close. Nothing spins
	// on a machine with one processor, nor for more sandboxes at a time than half of
	// GOMAXPROCS.
	Spin time.Duration

	// Trace gets one line of text for each Linux system call of the program, as
	// strace prints them, and a summary of the calls that the guest kernel does not
	// have. Tracing costs time. nil means no trace.
	Trace io.Writer

	// Logger gets what the guest logs, at the guest's levels, a warning if that is
	// too much, and the ends of runs and of calls that poison the sandbox, at debug
	// level. nil means no logs.
	Logger *slog.Logger
}

// config checks the options and translates them.
func (o Options) config() (machine.Config, error) {
	memory, err := size("Memory", o.Memory, DefaultMemory, abi.MemoryUnit)
	if err != nil {
		return machine.Config{}, err
	}
	message, err := size("MessageSize", o.MessageSize, DefaultMessageSize, 2*abi.PageSize)
	if err != nil {
		return machine.Config{}, err
	}
	if o.Spin < 0 {
		return machine.Config{}, fmt.Errorf("%w: Spin is negative: %v", ErrOptions, o.Spin)
	}
	return machine.Config{
		Memory:     memory,
		InputSize:  message,
		OutputSize: message,
		JIT:        o.AllowJIT,
		Trace:      o.Trace != nil,
	}, nil
}

// size checks one number of bytes and rounds it up.
func size(name string, n, missing int64, unit uint64) (uint64, error) {
	switch {
	case n < 0:
		return 0, fmt.Errorf("%w: %s is negative: %d", ErrOptions, name, n)
	case n > MaxMemory:
		return 0, fmt.Errorf("%w: %s is %d bytes, the most is %d", ErrOptions, name, n, int64(MaxMemory))
	case n == 0:
		n = missing
	}
	return roundUp(uint64(n), unit), nil
}

func (o Options) logger() *slog.Logger {
	if o.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.Logger
}
