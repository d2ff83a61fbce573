package airlock_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// What is done before a snapshot is taken, so that its uses need not.

// TestRestoreFirstTouch: calls find memory that nothing has touched before, so that
// restores need not bring back page tables. The guest has allocated a little of the
// kind before: what Go's runtime keeps account of that with comes in pieces, and it
// depends on the program when the next one is due.
func TestRestoreFirstTouch(t *testing.T) {
	t.Parallel()
	sb := clone(t, newSnapshot(t, func(*airlock.Sandbox) {}))
	if n := call[int64](t, sb, "Resident"); n != 63 {
		t.Errorf("%d of 63 pages that a call may touch have memory", n)
	}
	const rounds = 10
	snap := newSnapshot(t, func(sb *airlock.Sandbox) { call[struct{}](t, sb, "Garbage", int64(16)) })
	sb = clone(t, snap)
	for range rounds {
		call[struct{}](t, sb, "Garbage", int64(2048))
		if err := sb.Restore(t.Context(), snap); err != nil {
			t.Fatal(err)
		}
	}
	if s := sb.Stats(); s.Restores != rounds || s.FullRestores > 1 {
		t.Errorf("%+v: first touches of two MiB changed page tables", s)
	}
	for range rounds {
		call[uint64](t, sb, "Map", uint64(1))
		if err := sb.Restore(t.Context(), snap); err != nil {
			t.Fatal(err)
		}
	}
	full := uint64(rounds)
	if kvmtest.Require(t).NestedPaging() {
		full = 0 // nothing keeps a copy of page tables
	}
	if s := sb.Stats(); s.Restores != 2*rounds || s.FullRestores < full || s.FullRestores > full+1 {
		t.Errorf("%+v: mmap made %d restores slow", s, full)
	}
	pool, err := airlock.NewPool(t.Context(), snap, airlock.PoolOptions{Size: 1, Sandbox: airlock.Options{HostFuncs: snapHosts()}})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close() //nolint:errcheck // nothing to lose
	for _, function := range []string{"Garbage", "Map"} {
		for range rounds {
			arg := any(int64(100))
			if function == "Map" {
				arg = uint64(1)
			}
			if _, err := pool.Call(t.Context(), function, arg); err != nil {
				t.Fatal(err)
			}
		}
	}
	if s := pool.Stats(); s.Restored != 2*rounds || s.FullRestores < full || s.FullRestores > full+1 {
		t.Errorf("a pool: %+v", s)
	}
}

// TestSnapshotAnnounced: a guest that wants to be told of a snapshot is told, and may
// call the host then.
func TestSnapshotAnnounced(t *testing.T) {
	t.Parallel()
	hosts := snapHosts()
	doomsday := false
	hosts["Weekday"] = airlock.Func(func() string {
		if doomsday {
			return "Doomsday"
		}
		return "Monday"
	})
	sb := newSandbox(t, "snapguest", airlock.Options{HostFuncs: hosts})
	snap, err := sb.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close() //nolint:errcheck // checked elsewhere
	if n, m := call[int64](t, clone(t, snap), "Notified"), call[int64](t, sb, "Notified"); n != 1 || m != 1 {
		t.Errorf("the copy was told %d times, the sandbox %d times", n, m)
	}
	list, err := sb.Functions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list.Exports {
		if strings.HasPrefix(f.Name, "airlock.") {
			t.Errorf("%v is listed", f)
		}
	}
	if stats := sb.Stats(); stats.Calls != 1 {
		t.Errorf("%+v after one call", stats)
	}

	doomsday = true
	var abort *airlock.GuestAbortError
	if _, err := sb.Snapshot(t.Context()); !errors.As(err, &abort) || abort.Message != "no snapshot on Doomsday" {
		t.Errorf("the guest aborts: %v", err)
	}
	if _, err := sb.Snapshot(t.Context()); !errors.Is(err, airlock.ErrPoisoned) {
		t.Errorf("after that: %v", err)
	}
	if err := sb.Restore(t.Context(), snap); err != nil {
		t.Fatal(err)
	}
	if n := call[int64](t, sb, "Notified"); n != 1 {
		t.Errorf("restored, it was told %d times", n)
	}
}

// TestSnapshotRefused: what a guest returns for a snapshot is its error, and the
// sandbox stays ready.
func TestSnapshotRefused(t *testing.T) {
	t.Parallel()
	sb := newSandbox(t, "callguest-c", airlock.Options{})
	call[struct{}](t, sb, "CRefuseSnapshots", true)
	var refused *airlock.GuestError
	if _, err := sb.Snapshot(t.Context()); !errors.As(err, &refused) || refused.Message != "not now" {
		t.Errorf("refused: %v", err)
	}
	call[struct{}](t, sb, "CRefuseSnapshots", false)
	snap, err := sb.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := snap.Close(); err != nil {
		t.Error(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sb.Snapshot(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
}
