package airlock

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"runtime"

	"github.com/airlockvm/airlock/internal/machine"
	"github.com/airlockvm/airlock/internal/wire"
)

// Snapshot is the state of a sandbox between two calls: its memory and its
// processor. Any number of sandboxes can be made from it, and brought back to
// it, from several goroutines at once. What a snapshot holds is only the memory
// that the guest had used, and all sandboxes made from it share that until they
// write to it.
//
// A snapshot contains what the guest knew at that moment, such as secrets that
// it was sent and the state of random number generators of its own. The guest
// kernel's generator gets a new seed in each sandbox and at each restore, so
// that getrandom(2), and with it Go's crypto/rand, never repeats itself; see
// guest.OnRestore for the rest. Go's math/rand draws from a generator in the
// program's memory, which nobody can seed from outside: sandboxes made from one
// snapshot get the same numbers from it.
//
// Close a snapshot when no more sandboxes are to be made from it, or leave that
// to the garbage collector. Sandboxes that exist live on.
type Snapshot struct {
	state       *machine.Snapshot
	guest       *Guest
	declaration wire.Declaration
	cleanup     runtime.Cleanup
}

// ErrSnapshotClosed means that a snapshot was closed.
var ErrSnapshotClosed = errors.New("airlock: snapshot is closed")

// Snapshot captures the sandbox, which must be between calls. A guest that has
// not been called yet is started first, as the first call does it. Then the guest is
// told, if it wants to be (guest.OnSnapshot): what it returns or does wrong there is
// Snapshot's error, as it would be that of a call. Host functions may be missing.
func (sb *Sandbox) Snapshot(ctx context.Context) (*Snapshot, error) {
	return sb.capture(ctx, (*serving).announce)
}

// capture is Snapshot. Before is called while the guest can still be called: its
// second error poisons the sandbox.
func (sb *Sandbox) capture(ctx context.Context, before func(*serving, context.Context) (refused, fatal error)) (*Snapshot, error) {
	if err := sb.turn.begin(ctx); err != nil {
		return nil, err
	}
	fatal := errUnfinished
	defer func() {
		if fatal != nil {
			sb.machine.Pause()
		}
		sb.turn.end(fatal)
	}()
	if sb.serving == nil {
		if fatal = sb.start(ctx); fatal != nil {
			return nil, fatal
		}
		fatal = errUnfinished
	}
	refused, fatal := before(sb.serving, ctx)
	if refused != nil || fatal != nil {
		return nil, fmt.Errorf("airlock: snapshot: %w", errors.Join(refused, fatal))
	}
	if fatal = sb.serving.park(ctx); fatal != nil {
		return nil, fmt.Errorf("airlock: snapshot: %w", fatal)
	}
	fatal = errUnfinished
	state, err := sb.machine.Snapshot()
	fatal = err
	if err != nil {
		return nil, fmt.Errorf("airlock: snapshot: %w", err)
	}
	return newSnapshot(state, sb.guest, sb.serving.declaration), nil
}

// announce tells the guest that a snapshot is about to be taken, if it has a function
// for that. The first error is what that function returned, the second one poisons.
func (s *serving) announce(ctx context.Context) (refused, fatal error) {
	f := s.exports[wire.FunctionSnapshot]
	if f == nil || len(f.Params) != 0 || f.Return != wire.KindVoid {
		return nil, nil
	}
	none := func(list []wire.Value, _ *export) ([]wire.Value, error) { return list, nil }
	if f, refused = s.prepare(wire.FunctionSnapshot, none); refused != nil {
		return refused, nil
	}
	if fatal = s.run(ctx); fatal == nil {
		fatal = s.typed(f)
	}
	if fatal != nil {
		return nil, fatal
	}
	return s.outcome(func(*wire.Value) error { return nil }), nil
}

func newSnapshot(state *machine.Snapshot, guest *Guest, declaration wire.Declaration) *Snapshot {
	snap := &Snapshot{state: state, guest: guest, declaration: declaration}
	snap.cleanup = runtime.AddCleanup(snap, func(state *machine.Snapshot) { _ = state.Close() }, state)
	return snap
}

// Guest returns the guest that the snapshot was taken of.
func (snap *Snapshot) Guest() *Guest { return snap.guest }

// Memory returns the bytes of memory that sandboxes of the snapshot have.
func (snap *Snapshot) Memory() int64 { return int64(snap.state.Memory()) } //nolint:gosec // G115: at most MaxMemory

// Size returns the bytes of memory content that the snapshot holds.
func (snap *Snapshot) Size() int64 { return int64(snap.state.Size()) } //nolint:gosec // G115: at most MaxMemory

// Functions returns what the guest exports and needs.
func (snap *Snapshot) Functions() FunctionList { return functionList(&snap.declaration) }

// Close lets go of the snapshot. Sandboxes that were made from it, or restored
// to it, stay as they are. Closing again does nothing.
func (snap *Snapshot) Close() error {
	snap.cleanup.Stop()
	return snap.state.Close()
}

// New makes a sandbox that stands where the snapshot was taken: its next call
// goes on from there. It is ready at once, and shares the snapshot's memory
// until it writes to it.
//
// Of the options, Memory, MessageSize and AllowJIT are those of the snapshot:
// leave them zero or give the same. HostFuncs must have what the guest needs,
// else New fails with a [*MissingHostFunctionError]; they may do something else
// than those that the snapshot's sandbox had.
func (snap *Snapshot) New(ctx context.Context, options Options) (*Sandbox, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("airlock: new sandbox: %w", err)
	}
	config, err := snap.config(options)
	if err != nil {
		return nil, err
	}
	options.HostFuncs = maps.Clone(options.HostFuncs)
	hostList, err := options.HostFuncs.check(config.InputSize)
	if err != nil {
		return nil, err
	}
	if missing := options.HostFuncs.missing(snap.declaration.Imports); len(missing) > 0 {
		return nil, &MissingHostFunctionError{Functions: missing}
	}
	sys, err := openSystem()
	if err != nil {
		return nil, fmt.Errorf("airlock: new sandbox: %w", err)
	}
	m, err := machine.NewFromSnapshot(sys, snap.state, newSeed())
	if errors.Is(err, machine.ErrSnapshotClosed) {
		return nil, ErrSnapshotClosed
	}
	if err != nil {
		return nil, fmt.Errorf("airlock: new sandbox: %w", err)
	}
	sb := newSandbox(snap.guest, options, config, hostList, m)
	sb.resume(snap)
	return sb, nil
}

// config checks that the options are those of the snapshot.
func (snap *Snapshot) config(options Options) (machine.Config, error) {
	config := snap.state.Config()
	given, err := options.config()
	switch {
	case err != nil:
		return config, err
	case options.Memory != 0 && given.Memory != config.Memory:
		return config, fmt.Errorf("%w: Memory is %d bytes, the snapshot's %d", ErrOptions, given.Memory, config.Memory)
	case options.MessageSize != 0 && given.InputSize != config.InputSize:
		return config, fmt.Errorf("%w: MessageSize is %d bytes, the snapshot's %d", ErrOptions, given.InputSize, config.InputSize)
	case options.AllowJIT && !config.JIT:
		return config, fmt.Errorf("%w: AllowJIT was not given for the snapshot's sandbox", ErrOptions)
	case (options.Trace != nil) != config.Trace:
		return config, fmt.Errorf("%w: Trace must be given both for the snapshot's sandbox and for this one, or for neither", ErrOptions)
	}
	return config, nil
}

// Restore brings the sandbox back to where the snapshot was taken, whatever has
// happened since: a poisoned sandbox is ready again, and nothing of what it knew
// is left in it. The snapshot may be of another sandbox or another guest, if
// that had as much memory.
//
// Restore fails with [ErrBusy] during a call, with [ErrOptions] if the sizes of
// memory differ, and with a [*MissingHostFunctionError] if the sandbox lacks
// host functions that the guest needs: these leave the sandbox as it was, as does
// a context that has ended. After any other error it is poisoned, or closed.
func (sb *Sandbox) Restore(ctx context.Context, snap *Snapshot) error {
	_, err := sb.restore(ctx, snap)
	return err
}

// restore is Restore. Full says that it took long, as Stats has it.
func (sb *Sandbox) restore(ctx context.Context, snap *Snapshot) (full bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, fmt.Errorf("airlock: restore: %w", err)
	}
	if missing := sb.options.HostFuncs.missing(snap.declaration.Imports); len(missing) > 0 {
		return false, &MissingHostFunctionError{Functions: missing}
	}
	if have, want := sb.memory, snap.state.Memory(); have != want {
		return false, fmt.Errorf("%w: the sandbox has %d bytes of memory, the snapshot %d", ErrOptions, have, want)
	}
	if (sb.options.Trace != nil) != snap.state.Config().Trace {
		return false, fmt.Errorf("%w: either the sandbox or the snapshot has a trace", ErrOptions)
	}
	if err := sb.turn.beginRestore(ctx); err != nil {
		return false, err
	}
	fatal := errUnfinished
	defer func() { sb.turn.end(fatal) }()
	if sb.serving != nil && sb.machine.Launched() {
		sb.serving.heat.cut()
	}
	sb.renew()
	full, fatal = sb.machine.Restore(snap.state, newSeed())
	if errors.Is(fatal, machine.ErrSnapshotClosed) {
		fatal = ErrSnapshotClosed
	}
	if fatal != nil {
		return false, fmt.Errorf("airlock: restore: %w", fatal)
	}
	sb.mu.Lock()
	sb.guest = snap.guest
	sb.mu.Unlock()
	sb.config = snap.state.Config()
	sb.resume(snap)
	sb.made.restores.add()
	if full {
		sb.made.full.add()
	}
	return full, nil
}

// resume makes the sandbox, whose machine stands where the snapshot was taken, a
// serving one.
func (sb *Sandbox) resume(snap *Snapshot) {
	sb.used = true
	if sb.serving == nil || sb.serving.origin != snap {
		sb.serving = sb.newServing()
		sb.serving.adopt(snap.declaration)
		sb.serving.origin = snap
	}
	sb.serving.anew()
}

func newSeed() (seed [32]byte) {
	_, _ = rand.Read(seed[:]) // never fails: see its documentation
	return seed
}
