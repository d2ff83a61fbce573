package airlock

import (
	"context"
	"sync"
	"sync/atomic"
)

// state is what a sandbox may be asked to do.
type state = uint32

const (
	stateReady    state = iota // may run
	stateRunning               // runs; everything but close fails
	stateEnding                // runs, and close waits for its end
	statePoisoned              // its guest's state is unknown: may only be restored or closed
	stateClosed
)

// turn decides who uses a sandbox. One thing runs at a time, between begin and end.
// Both are on the way of each call, so where nobody interferes they take one atomic
// operation each.
type turn struct {
	state atomic.Uint32 // a state

	caller context.Context //nolint:containedctx // of what runs, which alone uses it

	mu      sync.Mutex
	closing bool                    // guarded by mu: close was called
	ended   chan struct{}           // guarded by mu: if not nil, closed when what runs has ended
	derived context.Context         //nolint:containedctx // guarded by mu, changed by what runs: see activity; nil until somebody wants it
	cancel  context.CancelCauseFunc // guarded by mu: of derived
}

// begin takes the sandbox for something that runs until end is called.
func (t *turn) begin(ctx context.Context) error { return t.take(ctx, ErrPoisoned) }

// beginRestore is begin for what a poisoned sandbox may be asked to do as well.
func (t *turn) beginRestore(ctx context.Context) error { return t.take(ctx, nil) }

// take is begin. Poisoned is the error of a sandbox that is, or nil.
func (t *turn) take(ctx context.Context, poisoned error) error {
	for {
		now := t.state.Load()
		switch {
		case now == stateRunning, now == stateEnding:
			return ErrBusy
		case now == stateClosed:
			return ErrClosed
		case now == statePoisoned && poisoned != nil:
			return poisoned
		}
		if t.state.CompareAndSwap(now, stateRunning) {
			t.caller = ctx
			return nil
		}
	}
}

// end gives the sandbox back, poisoned if err says that the guest's state is
// unknown.
func (t *turn) end(err error) {
	t.caller = nil
	if err == nil && t.derived == nil && t.state.CompareAndSwap(stateRunning, stateReady) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cancel != nil {
		t.cancel(nil)
	}
	t.derived, t.cancel = nil, nil
	if err != nil {
		t.state.Store(statePoisoned)
	} else {
		t.state.Store(stateReady)
	}
	if t.ended != nil {
		close(t.ended)
		t.ended = nil
	}
}

// activity is the context of what runs: it ends with the caller's, and with close.
// It is made when something needs it, because most calls don't.
func (t *turn) activity() context.Context {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.derived == nil {
		t.derived, t.cancel = context.WithCancelCause(t.caller)
		if t.closing {
			t.cancel(ErrClosed)
		}
	}
	return t.derived
}

// close ends what runs, with the help of stop, waits for that, and then calls finish,
// once: closing again does nothing.
func (t *turn) close(stop func(), finish func() error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closing = true
	for {
		now := t.state.Load()
		switch {
		case now == stateClosed:
			return nil
		case now == stateRunning && t.state.CompareAndSwap(now, stateEnding), now == stateEnding:
			t.await(stop)
		case now != stateRunning && t.state.CompareAndSwap(now, stateClosed):
			return finish()
		}
	}
}

// await ends what runs and waits for that. Preconditions: mu is held, and the state
// is ending.
func (t *turn) await(stop func()) {
	if t.ended == nil {
		t.ended = make(chan struct{})
	}
	ended := t.ended
	// In this order: a host function that ends because of the context must find the
	// guest stopped, or that would be told that the function has failed.
	stop()
	if t.cancel != nil {
		t.cancel(ErrClosed)
	}
	t.mu.Unlock()
	<-ended
	t.mu.Lock()
}
