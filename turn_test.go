package airlock

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// TestTurn: what a sandbox may be asked to do in each state.
func TestTurn(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	bad := errors.New("bad")
	var u turn
	check := func(step string, got, want error) {
		t.Helper()
		if !errors.Is(got, want) || want == nil && got != nil {
			t.Errorf("%s: %v, want %v", step, got, want)
		}
	}
	check("begin", u.begin(ctx), nil)
	check("begin while it runs", u.begin(ctx), ErrBusy)
	check("restore while it runs", u.beginRestore(ctx), ErrBusy)
	u.end(nil)
	check("begin again", u.begin(ctx), nil)
	u.end(bad)
	check("begin when poisoned", u.begin(ctx), ErrPoisoned)
	check("restore when poisoned", u.beginRestore(ctx), nil)
	u.end(nil)
	check("begin when restored", u.begin(ctx), nil)
	u.end(bad)
	check("close when poisoned", u.close(func() { t.Error("nothing runs") }, func() error { return bad }), bad)
	check("close again", u.close(nil, nil), nil)
	check("begin when closed", u.begin(ctx), ErrClosed)
	check("restore when closed", u.beginRestore(ctx), ErrClosed)
}

// TestTurnActivity: the context of what runs ends with it, with the caller's and with
// close, and is not that of the next.
func TestTurnActivity(t *testing.T) {
	t.Parallel()
	var u turn
	ctx, cancel := context.WithCancel(t.Context())
	begin := func(ctx context.Context) context.Context {
		if err := u.begin(ctx); err != nil {
			t.Fatal(err)
		}
		return u.activity()
	}
	first := begin(t.Context())
	if first.Err() != nil || u.activity() != first {
		t.Error("the first has ended, or there are two")
	}
	u.end(nil)
	if first.Err() == nil {
		t.Error("the first goes on behind its end")
	}
	second := begin(ctx)
	cancel()
	<-second.Done()
	u.end(second.Err())

	if err := u.beginRestore(t.Context()); err != nil {
		t.Fatal(err)
	}
	third := u.activity()
	closed := make(chan error)
	go func() {
		closed <- u.close(func() {
			if third.Err() != nil {
				t.Error("a host function may end with its context before the guest is stopped")
			}
		}, func() error { return nil })
	}()
	<-third.Done()
	if !errors.Is(context.Cause(third), ErrClosed) {
		t.Errorf("the cause is %v", context.Cause(third))
	}
	select {
	case <-closed:
		t.Error("closed while something runs")
	default:
	}
	u.end(nil)
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// TestTurnRace: one at a time, whoever else begins and closes. What a turn guards is
// not atomic, for the race detector to see.
func TestTurnRace(t *testing.T) {
	t.Parallel()
	const goroutines, rounds = 4, 2000
	for range 20 {
		var u turn
		var wg sync.WaitGroup
		var stopped atomic.Bool
		inside, finished := 0, 0
		for g := range goroutines {
			wg.Go(func() {
				for n := range rounds {
					if err := u.begin(t.Context()); errors.Is(err, ErrClosed) {
						return
					} else if err != nil {
						continue
					}
					inside++
					if inside != 1 {
						t.Error("two at a time")
					}
					if n%16 == g {
						_ = u.activity()
					}
					inside--
					u.end(nil)
				}
			})
		}
		for range 2 {
			wg.Go(func() {
				runtime.Gosched()
				_ = u.close(func() { stopped.Store(true) }, func() error { finished++; return nil })
				if err := u.begin(t.Context()); !errors.Is(err, ErrClosed) {
					t.Errorf("begin behind close: %v", err)
				}
			})
		}
		wg.Wait()
		if finished != 1 || u.ended != nil || u.derived != nil {
			t.Errorf("finished %d times, %v, %v", finished, u.ended, u.derived)
		}
	}
}

// TestTurnCloseRace closes turns at the moment in which something begins or ends, many
// times: what runs is never beside what close does last, and nothing runs behind that.
func TestTurnCloseRace(t *testing.T) {
	t.Parallel()
	const turns = 400
	type round struct {
		turn   turn
		inside atomic.Bool
		closed atomic.Bool
	}
	rounds := make([]round, turns)
	var user, closer atomic.Int64 // the round that each is in
	meet := func(mine, other *atomic.Int64, i int) {
		for mine.Store(int64(i)); other.Load() < int64(i); {
			runtime.Gosched()
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range rounds {
			r := &rounds[i]
			meet(&user, &closer, i)
			for r.turn.begin(t.Context()) == nil {
				r.inside.Store(true)
				if r.closed.Load() {
					t.Errorf("round %d: it runs and was closed", i)
					r.turn.end(nil)
					break
				}
				r.inside.Store(false)
				r.turn.end(nil)
			}
		}
		user.Store(turns)
	})
	wg.Go(func() {
		for i := range rounds {
			r := &rounds[i]
			meet(&closer, &user, i)
			for range i % 64 { // at another moment each time
				_ = r.turn.state.Load()
			}
			_ = r.turn.close(func() {}, func() error {
				r.closed.Store(true)
				if r.inside.Load() {
					t.Errorf("round %d: it was closed and runs", i)
				}
				return nil
			})
		}
		closer.Store(turns)
	})
	wg.Wait()
}
