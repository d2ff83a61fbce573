package airlock_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// FuzzGuest lets a guest make random system calls and hypercalls, and write
// random values to everything that it shares with the host, in a sandbox of its
// own. Whatever it does, the call returns soon after its deadline, with an error
// of a known kind, and the same machine works again when it is restored.
func FuzzGuest(f *testing.F) {
	kvmtest.Require(f)
	for kinds := range uint32(8) {
		f.Add(int64(kinds), uint16(200), uint8(1<<kinds))
	}
	f.Add(int64(99), uint16(1000), uint8(0xff))
	sb := newSandbox(f, "chaosguest", airlock.Options{Stdout: io.Discard, Stderr: io.Discard})
	snap, err := sb.Snapshot(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = snap.Close() })
	f.Fuzz(func(t *testing.T, seed int64, n uint16, kinds uint8) { play(t, snap, seed, n, kinds) })
}

const (
	chaosTime = 100 * time.Millisecond
	// chaosSlack is how long a call may take beyond its deadline on a machine with
	// other things to do.
	chaosSlack = 5 * time.Second
)

// play lets the guest do its worst once.
func play(t *testing.T, snap *airlock.Snapshot, seed int64, n uint16, kinds uint8) {
	t.Helper()
	sb, err := snap.New(context.Background(), airlock.Options{Stdout: io.Discard, Stderr: io.Discard, HostFuncs: hosts()})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, sb)
	ctx, cancel := context.WithTimeout(context.Background(), chaosTime)
	defer cancel()
	start := time.Now()
	_, err = sb.Call(ctx, "Play", seed, int64(n), uint32(kinds))
	if took := time.Since(start); took > chaosTime+chaosSlack {
		t.Errorf("it took %v", took)
	}
	if err != nil && !known(err) {
		t.Errorf("an error of no known kind: %v", err)
	}
	// The same machine again, as if nothing had happened.
	if err := sb.Restore(context.Background(), snap); err != nil {
		t.Fatalf("Restore after %v: %v", err, err)
	}
	if _, err := sb.Call(context.Background(), "Play", int64(1), int64(0), uint32(0)); err != nil {
		t.Errorf("the call after the restore: %v", err)
	}
}

// known reports whether an error is one that guests can cause.
func known(err error) bool {
	for _, sentinel := range []error{
		airlock.ErrProtocol, airlock.ErrArguments, airlock.ErrUnknownFunction, airlock.ErrNotServing, context.DeadlineExceeded,
	} {
		if errors.Is(err, sentinel) {
			return true
		}
	}
	_, failed := errors.AsType[*airlock.GuestError](err)
	_, aborted := errors.AsType[*airlock.GuestAbortError](err)
	_, exited := errors.AsType[*airlock.GuestExitError](err)
	_, fault := errors.AsType[*airlock.GuestFault](err)
	return failed || aborted || exited || fault
}

// TestChaos plays some hundred games, of each kind, on all processors.
func TestChaos(t *testing.T) {
	sb := newSandbox(t, "chaosguest", airlock.Options{Stdout: io.Discard, Stderr: io.Discard})
	snap, err := sb.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close() //nolint:errcheck // checked elsewhere
	games := int64(400)
	if testing.Short() {
		games = 60
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for seed := next.Add(1); seed <= games; seed = next.Add(1) {
				kinds := uint8(1) << (seed % 8)
				if seed%3 == 0 {
					kinds = 0xff
				}
				play(t, snap, seed, uint16(50+seed*7%2000), kinds)
			}
		})
	}
	wg.Wait()
}
