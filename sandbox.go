package airlock

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"

	"github.com/airlockvm/airlock/internal/kvm"
	"github.com/airlockvm/airlock/internal/machine"
	"github.com/airlockvm/airlock/internal/wire"
)

// state is what a sandbox may be asked to do.
type state int

const (
	stateReady    state = iota // may run
	stateRunning               // runs; everything but Close fails
	statePoisoned              // its guest's state is unknown: may only be restored or closed
	stateClosed
)

// Sandbox is one virtual machine with one guest. All methods may be called from
// any goroutine; it runs one thing at a time.
type Sandbox struct {
	guest    *Guest // changes under mu, by who set stateRunning
	options  Options
	config   machine.Config // changes with Restore, by who set stateRunning
	memory   uint64         // bytes of it
	hostList wire.HostFunctions
	log      *slog.Logger

	mu      sync.Mutex
	state   state                   // guarded by mu
	closing bool                    // guarded by mu: Close waits for what runs
	stopped chan struct{}           // guarded by mu: if not nil, closed when what runs has ended
	caller  context.Context         // guarded by mu: of what runs
	stats   Stats                   // guarded by mu: made, as of the end of what ran last
	derived context.Context         // guarded by mu: see activity; nil until somebody wants it
	cancel  context.CancelCauseFunc // guarded by mu: of derived

	// The rest is used by who set stateRunning.
	made    Stats
	used    bool     // memory is no longer that of a new machine
	serving *serving // nil before the first call
	machine *machine.Machine
	shares  map[runner]share // of confined host functions; Close gives them back
}

// system opens /dev/kvm once for the whole process. A failure is not kept: the
// device may appear, or the user may get the permission.
var system struct {
	mu   sync.Mutex
	open *kvm.System
}

func openSystem() (*kvm.System, error) {
	system.mu.Lock()
	defer system.mu.Unlock()
	if system.open == nil {
		opened, err := kvm.Open(kvm.DefaultDevice)
		if err != nil {
			return nil, err
		}
		system.open = opened
	}
	return system.open, nil
}

// New makes a sandbox: a virtual machine whose memory holds the guest, ready to
// run. Close it when it is no longer needed. The context bounds the making, not
// the life of the sandbox.
//
// New fails with [ErrNoHypervisor] where virtual machines can't be run, and
// with [ErrOptions] for options that can't be met, such as too little memory
// for the program.
func New(ctx context.Context, guest *Guest, options Options) (*Sandbox, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("airlock: new sandbox: %w", err)
	}
	config, err := options.config()
	if err != nil {
		return nil, err
	}
	options.HostFuncs = maps.Clone(options.HostFuncs) // what is checked is what is used
	hostList, err := options.HostFuncs.check(config.InputSize)
	if err != nil {
		return nil, err
	}
	if err := guest.fits(config); err != nil {
		return nil, err
	}
	sys, err := openSystem()
	if err != nil {
		return nil, fmt.Errorf("airlock: new sandbox: %w", err)
	}
	image, err := guest.image()
	if err != nil {
		return nil, fmt.Errorf("airlock: new sandbox: %w", err)
	}
	m, err := machine.New(sys, image, config)
	if err != nil {
		return nil, fmt.Errorf("airlock: new sandbox: %w", err)
	}
	return newSandbox(guest, options, config, hostList, m), nil
}

func newSandbox(guest *Guest, options Options, config machine.Config, hostList wire.HostFunctions, m *machine.Machine) *Sandbox {
	return &Sandbox{
		guest: guest, options: options, config: config, memory: config.Memory,
		hostList: hostList, log: options.logger(), machine: m,
	}
}

// Guest returns the guest that the sandbox was made from, or that of the
// snapshot that it was restored to last.
func (sb *Sandbox) Guest() *Guest {
	sb.mu.Lock()
	defer sb.mu.Unlock()
	return sb.guest
}

// begin takes the sandbox for something that runs until end is called.
func (sb *Sandbox) begin(ctx context.Context) error {
	sb.mu.Lock()
	defer sb.mu.Unlock()
	if sb.state == statePoisoned {
		return ErrPoisoned
	}
	return sb.take(ctx)
}

// beginRestore is begin for what a poisoned sandbox may be asked to do as well.
func (sb *Sandbox) beginRestore(ctx context.Context) error {
	sb.mu.Lock()
	defer sb.mu.Unlock()
	return sb.take(ctx)
}

// take makes the sandbox the caller's. Preconditions: mu is held.
func (sb *Sandbox) take(ctx context.Context) error {
	switch sb.state {
	case stateRunning:
		return ErrBusy
	case stateClosed:
		return ErrClosed
	case stateReady, statePoisoned:
	}
	sb.state = stateRunning
	sb.caller = ctx
	return nil
}

// Stats counts what a sandbox has done.
type Stats struct {
	// Calls is how many calls the guest has been sent, Hot how many of them were
	// answered without leaving the virtual machine: see Options.Spin.
	Calls, Hot uint64
}

// Stats returns what the sandbox has done so far.
func (sb *Sandbox) Stats() Stats {
	sb.mu.Lock()
	defer sb.mu.Unlock()
	return sb.stats
}

// errUnfinished is what has happened to something that runs until it has
// returned. It is what [Sandbox.end] gets when code of the application panics or
// ends its goroutine in the middle.
var errUnfinished = errors.New("airlock: did not return")

// end gives the sandbox back, poisoned if err says that the guest's state is
// unknown.
func (sb *Sandbox) end(err error) {
	sb.mu.Lock()
	defer sb.mu.Unlock()
	if sb.cancel != nil {
		sb.cancel(nil)
	}
	sb.caller, sb.derived, sb.cancel = nil, nil, nil
	sb.stats = sb.made
	sb.state = stateReady
	if err != nil {
		sb.state = statePoisoned
	}
	if sb.stopped != nil {
		close(sb.stopped)
		sb.stopped = nil
	}
}

// activity is the context of what runs: it ends with the caller's, and with
// Close. It is made when something needs it, because most calls don't.
func (sb *Sandbox) activity() context.Context {
	sb.mu.Lock()
	defer sb.mu.Unlock()
	if sb.derived == nil {
		sb.derived, sb.cancel = context.WithCancelCause(sb.caller)
		if sb.closing {
			sb.cancel(ErrClosed)
		}
	}
	return sb.derived
}

// Close ends what runs in the sandbox, as if its context were cancelled, waits
// for that, and gives the virtual machine and its memory back to the system,
// which may take a moment longer than Close. Closing again does nothing.
func (sb *Sandbox) Close() error {
	sb.mu.Lock()
	defer sb.mu.Unlock()
	sb.closing = true
	for sb.state == stateRunning {
		if sb.stopped == nil {
			sb.stopped = make(chan struct{})
		}
		stopped := sb.stopped
		if sb.cancel != nil {
			sb.cancel(ErrClosed)
		}
		sb.machine.Stop()
		sb.mu.Unlock()
		<-stopped
		sb.mu.Lock()
	}
	if sb.state == stateClosed {
		return nil
	}
	sb.state = stateClosed
	sb.leave()
	return sb.machine.Close()
}

// canceled is the error of something that was stopped because its context, or
// the sandbox, has come to an end.
func (sb *Sandbox) canceled(what string) error {
	ctx := sb.activity()
	// All that leads here ends this context, but one that is derived from another
	// may end a moment after it.
	<-ctx.Done()
	cause := context.Cause(ctx)
	if errors.Is(cause, ctx.Err()) {
		return fmt.Errorf("airlock: %s: %w", what, cause)
	}
	return fmt.Errorf("airlock: %s: %w: %w", what, ctx.Err(), cause)
}
