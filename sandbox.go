package airlock

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/airlockvm/airlock/internal/cpu"
	"github.com/airlockvm/airlock/internal/kvm"
	"github.com/airlockvm/airlock/internal/machine"
	"github.com/airlockvm/airlock/internal/wire"
)

// Sandbox is one virtual machine with one guest. All methods may be called from
// any goroutine; it runs one thing at a time.
type Sandbox struct {
	guest    *Guest // changes under mu, by who has the turn
	options  Options
	config   machine.Config // changes with Restore, by who has the turn
	memory   uint64         // bytes of it
	hostList wire.HostFunctions
	log      *slog.Logger

	turn     turn
	activity func() context.Context // turn.activity, made once because to make it allocates
	mu       sync.Mutex             // guards changes of guest
	made     counts                 // changed by who has the turn

	// The rest is used by who has the turn.
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
	if guest == nil {
		return nil, fmt.Errorf("%w: there is no guest: it is nil", ErrOptions)
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
	sb := &Sandbox{
		guest: guest, options: options, config: config, memory: config.Memory,
		hostList: hostList, log: options.logger(), machine: m,
	}
	sb.activity = sb.turn.activity
	return sb
}

// Guest returns the guest that the sandbox was made from, or that of the
// snapshot that it was restored to last.
func (sb *Sandbox) Guest() *Guest {
	sb.mu.Lock()
	defer sb.mu.Unlock()
	return sb.guest
}

// Stats counts what a sandbox has done.
type Stats struct {
	// Calls is how many calls were made to the guest, Hot how many of them were
	// answered without leaving the virtual machine: see Options.Spin.
	Calls, Hot uint64
	// Restores is how often it was restored, FullRestores how many of these took ten
	// times as long, and made the next use slower too, because the guest had changed
	// its page tables: by a first touch of memory as a rule. Calls made before the
	// snapshot is taken are a cure. It doesn't happen where KVM has nested paging, but
	// for restores to another snapshot than the one before.
	Restores, FullRestores uint64
}

// Stats returns what the sandbox has done so far.
func (sb *Sandbox) Stats() Stats {
	// Parts first, so that they are never more than the whole.
	hot, full := sb.made.hot.load(), sb.made.full.load()
	return Stats{Calls: sb.made.calls.load(), Hot: hot, Restores: sb.made.restores.load(), FullRestores: full}
}

// counts are what Stats tells.
type counts struct{ calls, hot, restores, full counter }

// counter is a number that one goroutine at a time changes, without an atomic
// operation, and all may read.
type counter struct{ n uint64 }

func (c *counter) add()         { cpu.Publish64(&c.n, c.n+1) }
func (c *counter) load() uint64 { return atomic.LoadUint64(&c.n) }

// errUnfinished is what has happened to something that runs until it has
// returned. It is what turn.end gets when code of the application panics or
// ends its goroutine in the middle.
var errUnfinished = errors.New("airlock: did not return")

// Close ends what runs in the sandbox, as if its context were cancelled, waits
// for that, and gives the virtual machine and its memory back to the system,
// which may take a moment longer than Close. Closing again does nothing.
func (sb *Sandbox) Close() error {
	return sb.turn.close(sb.machine.Stop, func() error {
		sb.leave()
		return sb.machine.Close()
	})
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
