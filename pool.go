package airlock

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"sync"
)

// PoolOptions says what a pool is like. The zero value is a default for programs
// that compute.
type PoolOptions struct {
	// Size is the most sandboxes that there are at a time. 0 means one for each
	// processor that Go uses.
	Size int
	// Warm is how many sandboxes NewPool makes, one at least; the others are made
	// when they are wanted. It is at most Size.
	Warm int
	// Sandbox says what the sandboxes are like, as for [Snapshot.New]. Their host
	// functions may be called from several goroutines at once.
	Sandbox Options
}

// Pool keeps sandboxes of one snapshot ready. Each use of one begins where the
// snapshot was taken: nothing of what one use has done can be seen by the next.
// All methods may be called from any goroutine.
type Pool struct {
	options PoolOptions

	// tokens has one for each sandbox that may be in use; who holds one may take
	// an idle sandbox or make one.
	tokens   chan struct{}
	draining chan struct{} // has an entry while somebody takes all tokens
	done     chan struct{} // closed by Close

	mu     sync.Mutex
	snap   *Snapshot             // guarded by mu: what sandboxes are made from from now on
	idle   []*Sandbox            // guarded by mu: restored to some snapshot, the latest last
	busy   map[*Sandbox]struct{} // guarded by mu
	closed bool                  // guarded by mu
	stats  PoolStats             // guarded by mu: the counters of it
}

// PoolStats says how a pool is doing. The last five only grow.
type PoolStats struct {
	// Size is the most sandboxes that there may be. Idle and Busy are how many
	// there are, Waiting how many callers wait for one.
	Size, Idle, Busy, Waiting int
	// Uses is how often a sandbox was used and given back, Made how many were made for that,
	// Restored how often one was restored, FullRestores how many of these took long, as
	// [Stats] says, Discarded how many were closed because they could not be.
	Uses, Made, Restored, FullRestores, Discarded uint64
}

// ErrPoolClosed means that a pool was closed.
var ErrPoolClosed = errors.New("airlock: pool is closed")

// NewPool makes a pool of sandboxes of a snapshot. The context bounds the making
// of the first ones. The pool uses the snapshot as long as it lives.
func NewPool(ctx context.Context, snap *Snapshot, options PoolOptions) (*Pool, error) {
	if options.Size == 0 {
		options.Size = runtime.GOMAXPROCS(0)
	}
	if options.Size < 0 || options.Warm < 0 || options.Warm > options.Size {
		return nil, fmt.Errorf("%w: a pool of %d sandboxes, %d of them warm", ErrOptions, options.Size, options.Warm)
	}
	options.Sandbox.HostFuncs = maps.Clone(options.Sandbox.HostFuncs)
	p := &Pool{
		options: options, snap: snap,
		tokens:   make(chan struct{}, options.Size),
		draining: make(chan struct{}, 1),
		done:     make(chan struct{}),
		busy:     map[*Sandbox]struct{}{},
	}
	for range options.Size {
		p.tokens <- struct{}{}
	}
	// One is made at least, so that options that can't be met are found here.
	for range max(options.Warm, 1) {
		sb, err := snap.New(ctx, options.Sandbox)
		if err != nil {
			return nil, errors.Join(err, p.Close())
		}
		p.idle = append(p.idle, sb)
		p.stats.Made++
	}
	return p, nil
}

// Use makes the pool's next uses start from another snapshot, of the same guest
// or another one, with the same size of memory. Uses in progress are not
// affected.
func (p *Pool) Use(snap *Snapshot) error {
	if _, err := snap.config(p.options.Sandbox); err != nil {
		return err
	}
	if missing := p.options.Sandbox.HostFuncs.missing(snap.declaration.Imports); len(missing) > 0 {
		return &MissingHostFunctionError{Functions: missing}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if have, want := p.snap.Memory(), snap.Memory(); have != want {
		return fmt.Errorf("%w: the pool's sandboxes have %d bytes of memory, the snapshot %d", ErrOptions, have, want)
	}
	p.snap = snap
	return nil
}

// Call calls a function of the guest in a sandbox of its own, as
// [Sandbox.Call] does, and waits for one if all are in use.
func (p *Pool) Call(ctx context.Context, name string, args ...any) (any, error) {
	sb, err := p.forCall(ctx)
	if err != nil {
		return nil, err
	}
	defer p.afterCall(sb)
	return sb.Call(ctx, name, args...)
}

// Do calls use with a sandbox that stands where the snapshot was taken, and
// waits for one if all are in use. The sandbox may be used in any way until use
// returns, and not after. The error is that of use, or says why there was no
// sandbox: the context's end, or [ErrPoolClosed].
func (p *Pool) Do(ctx context.Context, use func(sb *Sandbox) error) error {
	sb, err := p.forCall(ctx)
	if err != nil {
		return err
	}
	defer p.afterCall(sb)
	return use(sb)
}

// forCall gives a sandbox away until afterCall, with a token.
func (p *Pool) forCall(ctx context.Context) (*Sandbox, error) {
	if err := p.acquire(ctx); err != nil {
		return nil, err
	}
	sb, err := p.take(ctx)
	if err != nil {
		p.tokens <- struct{}{}
		return nil, err
	}
	return sb, nil
}

func (p *Pool) afterCall(sb *Sandbox) {
	defer func() { p.tokens <- struct{}{} }()
	p.giveBack(sb)
}

// acquire waits for a token.
func (p *Pool) acquire(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("airlock: pool: %w", err)
	}
	select {
	case <-p.done:
		return ErrPoolClosed
	default:
	}
	select {
	case <-p.tokens:
		return nil
	default:
	}
	p.count(func(s *PoolStats) { s.Waiting++ })
	defer p.count(func(s *PoolStats) { s.Waiting-- })
	select {
	case <-p.tokens:
		return nil
	case <-p.done:
		return ErrPoolClosed
	case <-ctx.Done():
		return fmt.Errorf("airlock: wait for a sandbox of the pool: %w", context.Cause(ctx))
	}
}

func (p *Pool) count(change func(s *PoolStats)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.stats)
}

// take returns an idle sandbox at the pool's snapshot, or makes one. The caller
// holds a token.
func (p *Pool) take(ctx context.Context) (*Sandbox, error) {
	for {
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return nil, ErrPoolClosed
		}
		snap := p.snap
		var sb *Sandbox
		if n := len(p.idle); n > 0 {
			// The one that was used last: its memory is in the processor's caches.
			sb = p.idle[n-1]
			p.idle = p.idle[:n-1]
			p.lend(sb)
		}
		p.mu.Unlock()
		if sb == nil {
			return p.make(ctx, snap)
		}
		if sb.serving.origin == snap {
			return sb, nil
		}
		full, err := sb.restore(ctx, snap)
		if err == nil {
			p.count(func(s *PoolStats) { s.restored(full) })
			return sb, nil
		}
		p.discard(sb)
		if ctx.Err() != nil {
			return nil, err
		}
	}
}

// lend notes that a sandbox is in use. Preconditions: mu is held.
func (p *Pool) lend(sb *Sandbox) {
	p.busy[sb] = struct{}{}
}

func (p *Pool) make(ctx context.Context, snap *Snapshot) (*Sandbox, error) {
	sb, err := snap.New(ctx, p.options.Sandbox)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	closed := p.closed
	if !closed {
		p.stats.Made++
		p.lend(sb)
	}
	p.mu.Unlock()
	if closed {
		return nil, errors.Join(ErrPoolClosed, sb.Close())
	}
	return sb, nil
}

// giveBack restores a sandbox after its use, whatever state that left it in.
func (p *Pool) giveBack(sb *Sandbox) {
	p.mu.Lock()
	snap, closed := p.snap, p.closed
	p.stats.Uses++
	p.mu.Unlock()
	full, err := false, ErrPoolClosed
	if !closed {
		full, err = sb.restore(context.Background(), snap)
	}
	if err != nil {
		// Whoever uses it on another goroutine has broken Do's rule, or the machine is
		// at an end: a new one takes its place.
		p.discard(sb)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return // Close has it
	}
	delete(p.busy, sb)
	p.idle = append(p.idle, sb)
	p.stats.restored(full)
}

func (s *PoolStats) restored(full bool) {
	s.Restored++
	if full {
		s.FullRestores++
	}
}

func (p *Pool) discard(sb *Sandbox) {
	_ = sb.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.busy, sb)
	p.stats.Discarded++
}

// Stats returns how the pool is doing.
func (p *Pool) Stats() PoolStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Size, s.Idle, s.Busy = p.options.Size, len(p.idle), len(p.busy)
	return s
}

// Shutdown closes the pool to new uses and waits for those in progress, then
// does what Close does. When the context ends first, it cancels them.
func (p *Pool) Shutdown(ctx context.Context) error {
	p.refuse()
	if err := p.drain(ctx); err != nil {
		return errors.Join(fmt.Errorf("airlock: shut down the pool: %w", err), p.Close())
	}
	return p.Close()
}

// drain waits until no sandbox is in use: it takes all tokens, and gives them back for
// who else waits for that.
func (p *Pool) drain(ctx context.Context) error {
	select {
	case p.draining <- struct{}{}:
		defer func() { <-p.draining }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for range p.options.Size {
		select {
		case <-p.tokens:
			defer func() { p.tokens <- struct{}{} }()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// refuse ends the waiting of those who wait and turns away who comes.
func (p *Pool) refuse() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.closed = true
		close(p.done)
	}
}

// Close cancels what runs in the pool's sandboxes and closes them. Closing again
// does nothing.
func (p *Pool) Close() error {
	p.refuse()
	p.mu.Lock()
	list := p.idle
	p.idle = nil
	for sb := range p.busy {
		list = append(list, sb)
	}
	clear(p.busy)
	p.mu.Unlock()
	var errs []error
	for _, sb := range list {
		errs = append(errs, sb.Close())
	}
	return errors.Join(errs...)
}
