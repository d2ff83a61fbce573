package airlock_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

func snapHosts() airlock.HostFuncs {
	return airlock.HostFuncs{"Weekday": airlock.Func(func() string { return "Monday" })}
}

// call is Call that must succeed.
func call[T any](tb testing.TB, sb *airlock.Sandbox, name string, args ...any) T {
	tb.Helper()
	v, err := airlock.Call[T](tb.Context(), sb, name, args...)
	if err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	return v
}

// newSnapshot makes a snapshot of the guest snapguest after some calls.
func newSnapshot(tb testing.TB, prepare func(sb *airlock.Sandbox)) *airlock.Snapshot {
	tb.Helper()
	sb := newSandbox(tb, "snapguest", airlock.Options{HostFuncs: snapHosts()})
	if prepare != nil {
		prepare(sb)
	}
	snap, err := sb.Snapshot(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := snap.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	return snap
}

func clone(tb testing.TB, snap *airlock.Snapshot) *airlock.Sandbox {
	tb.Helper()
	sb, err := snap.New(tb.Context(), airlock.Options{HostFuncs: snapHosts()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := sb.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	return sb
}

func TestSnapshotKeepsState(t *testing.T) {
	t.Parallel()
	snap := newSnapshot(t, func(sb *airlock.Sandbox) {
		call[struct{}](t, sb, "Set", "before")
		call[int64](t, sb, "Count")
	})
	t.Logf("%d bytes of content in %d of memory", snap.Size(), snap.Memory())
	sb := clone(t, snap)
	for round := range 5 {
		if got := call[string](t, sb, "Get"); got != "before" {
			t.Fatalf("round %d: Get = %q", round, got)
		}
		if got := call[int64](t, sb, "Count"); got != 2 {
			t.Fatalf("round %d: Count = %d", round, got)
		}
		call[struct{}](t, sb, "Set", "after")
		if got := call[int64](t, sb, "Restored"); got != int64(1) {
			t.Fatalf("round %d: the hook ran %d times", round, got)
		}
		if err := sb.Restore(t.Context(), snap); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSnapshotOfNew starts the guest.
func TestSnapshotOfNew(t *testing.T) {
	t.Parallel()
	snap := newSnapshot(t, nil)
	if got := call[string](t, clone(t, snap), "Weekday"); got != "Monday" {
		t.Errorf("Weekday = %q", got)
	}
}

// TestRestoreOriginal restores the sandbox that the snapshot was taken of.
func TestRestoreOriginal(t *testing.T) {
	t.Parallel()
	sb := newSandbox(t, "snapguest", airlock.Options{HostFuncs: snapHosts()})
	call[int64](t, sb, "Count")
	snap, err := sb.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close() //nolint:errcheck // checked elsewhere
	for round := range 10 {
		if got := call[int64](t, sb, "Count"); got != 2 {
			t.Fatalf("round %d: Count = %d", round, got)
		}
		call[int64](t, sb, "Grow", int64(round), int64(3))
		if err := sb.Restore(t.Context(), snap); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRestorePoisoned makes sandboxes that ended in every way usable again.
func TestRestorePoisoned(t *testing.T) {
	t.Parallel()
	snap := newSnapshot(t, func(sb *airlock.Sandbox) { call[int64](t, sb, "Count") })
	sb := clone(t, snap)
	for _, end := range []func() error{
		func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
			defer cancel()
			_, err := sb.Call(ctx, "Spin")
			return err
		},
		func() error {
			_, err := sb.Call(t.Context(), "Fault")
			return err
		},
	} {
		for range 3 {
			if err := end(); err == nil {
				t.Fatal("it did not end")
			}
			if _, err := sb.Call(t.Context(), "Count"); !errors.Is(err, airlock.ErrPoisoned) {
				t.Fatalf("Count = %v", err)
			}
			if err := sb.Restore(t.Context(), snap); err != nil {
				t.Fatal(err)
			}
			if got := call[int64](t, sb, "Count"); got != 2 {
				t.Fatalf("Count = %d", got)
			}
		}
	}
}

// TestClonesAreApart lets many sandboxes of one snapshot change their state.
func TestClonesAreApart(t *testing.T) {
	t.Parallel()
	snap := newSnapshot(t, nil)
	var list []*airlock.Sandbox
	for i := range 8 {
		sb := clone(t, snap)
		call[struct{}](t, sb, "Set", fmt.Sprint(i))
		list = append(list, sb)
	}
	for i, sb := range list {
		if got := call[string](t, sb, "Get"); got != fmt.Sprint(i) {
			t.Errorf("sandbox %d: Get = %q", i, got)
		}
	}
}

// TestRestoreOrder restores several snapshots in any order, into several
// sandboxes.
func TestRestoreOrder(t *testing.T) {
	t.Parallel()
	sb := newSandbox(t, "snapguest", airlock.Options{HostFuncs: snapHosts()})
	var snaps []*airlock.Snapshot
	var sums []int64
	for i := range 4 {
		sums = append(sums, call[int64](t, sb, "Grow", int64(i*5), int64(i)))
		snap, err := sb.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer snap.Close() //nolint:errcheck // checked elsewhere
		snaps = append(snaps, snap)
	}
	other := clone(t, snaps[2])
	random, blocks := rand.New(rand.NewPCG(3, 4)), manyBlocks(t)
	for range 60 {
		target := sb
		if random.IntN(2) == 0 {
			target = other
		}
		i := random.IntN(len(snaps))
		if err := target.Restore(t.Context(), snaps[i]); err != nil {
			t.Fatal(err)
		}
		if got := call[int64](t, target, "Grow", int64(0), int64(0)); got != sums[i] {
			t.Fatalf("snapshot %d: the sum is %d, want %d", i, got, sums[i])
		}
		if random.IntN(3) == 0 {
			call[int64](t, target, "Grow", random.Int64N(blocks), int64(1))
		}
		if random.IntN(5) == 0 {
			call[int64](t, target, "Threads", int64(50))
		}
	}
	changedTables(t, sb.Stats().FullRestores)
	changedTables(t, other.Stats().FullRestores)
}

// manyBlocks of 64 KiB are more than a guest in Go has mapped when a snapshot is taken
// of it: a call that touches them changes page tables. With nested paging that makes no
// difference, and they are few, because such tests run on an emulated processor.
func manyBlocks(tb testing.TB) int64 {
	tb.Helper()
	if kvmtest.Require(tb).NestedPaging() {
		return 40
	}
	return 120
}

// changedTables expects that some call has changed page tables before a restore, given
// how many restores had these to bring back. With nested paging none has: there page
// tables are memory like any other.
func changedTables(t *testing.T, fullRestores uint64) {
	t.Helper()
	if !kvmtest.Require(t).NestedPaging() && fullRestores == 0 {
		t.Error("no restore had page tables to bring back")
	}
}

// TestRestoreOtherGuest restores a sandbox to a snapshot of another guest.
func TestRestoreOtherGuest(t *testing.T) {
	t.Parallel()
	funcs := hosts()
	funcs["Weekday"] = airlock.Func(func() string { return "Monday" })
	sb := newSandbox(t, "callguest", airlock.Options{HostFuncs: funcs})
	call[int64](t, sb, "Count")
	own, err := sb.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close() //nolint:errcheck // checked elsewhere
	foreign := newSnapshot(t, func(sb *airlock.Sandbox) { call[struct{}](t, sb, "Set", "foreign") })
	for range 4 {
		if err := sb.Restore(t.Context(), foreign); err != nil {
			t.Fatal(err)
		}
		if got := call[string](t, sb, "Get"); got != "foreign" || sb.Guest().Name() != "snapguest" {
			t.Fatalf("Get = %q of %s", got, sb.Guest().Name())
		}
		if err := sb.Restore(t.Context(), own); err != nil {
			t.Fatal(err)
		}
		if got := call[int64](t, sb, "Count"); got != 2 {
			t.Fatalf("Count = %d", got)
		}
	}
}

// TestRestoreUnique draws numbers in clones and after restores.
func TestRestoreUnique(t *testing.T) {
	t.Parallel()
	snap := newSnapshot(t, func(sb *airlock.Sandbox) { call[string](t, sb, "Random") })
	seen := map[string]bool{}
	for range 3 {
		sb := clone(t, snap)
		for range 5 {
			number := call[string](t, sb, "Random")
			if seen[number] {
				t.Fatalf("%s was drawn twice", number)
			}
			seen[number] = true
			if err := sb.Restore(t.Context(), snap); err != nil {
				t.Fatal(err)
			}
		}
	}
	// What the program keeps in its memory is the same in all.
	if a, b := call[int64](t, clone(t, snap), "Drawn"), call[int64](t, clone(t, snap), "Drawn"); a != b {
		t.Errorf("a generator in the program's memory gives %d and %d", a, b)
	}
}

// TestRestoreTime expects clocks that never go back and are right.
func TestRestoreTime(t *testing.T) {
	t.Parallel()
	var before int64
	snap := newSnapshot(t, func(sb *airlock.Sandbox) { before = call[int64](t, sb, "Elapsed") })
	start := time.Now()
	sb := clone(t, snap)
	for range 3 {
		time.Sleep(20 * time.Millisecond)
		now := call[int64](t, sb, "Elapsed")
		if now < before+int64(20*time.Millisecond) || now > before+int64(time.Since(start)+time.Second) {
			t.Errorf("the guest's clock went from %d to %d in %v", before, now, time.Since(start))
		}
		wall := time.Unix(0, call[int64](t, sb, "Wall"))
		if off := time.Since(wall); off < -50*time.Millisecond || off > time.Second {
			t.Errorf("the guest's wall clock is off by %v", off)
		}
		if err := sb.Restore(t.Context(), snap); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSnapshotRefusals(t *testing.T) {
	t.Parallel()
	snap := newSnapshot(t, nil)
	var missing *airlock.MissingHostFunctionError
	if _, err := snap.New(t.Context(), airlock.Options{}); !errors.As(err, &missing) {
		t.Errorf("New without host functions = %v", err)
	}
	for _, options := range []airlock.Options{{Memory: 128 << 20}, {MessageSize: 1 << 20}, {AllowJIT: true}, {Trace: t.Output()}} {
		options.HostFuncs = snapHosts()
		if _, err := snap.New(t.Context(), options); !errors.Is(err, airlock.ErrOptions) {
			t.Errorf("New(%+v) = %v", options, err)
		}
	}
	small := newSandbox(t, "snapguest", airlock.Options{Memory: 32 << 20, HostFuncs: snapHosts()})
	if err := small.Restore(t.Context(), snap); !errors.Is(err, airlock.ErrOptions) {
		t.Errorf("Restore to another size of memory = %v", err)
	}
	call[int64](t, small, "Count")
	bare := newSandbox(t, "callguest", airlock.Options{HostFuncs: hosts()})
	if err := bare.Restore(t.Context(), snap); err != nil && !errors.As(err, &missing) {
		t.Errorf("Restore without host functions = %v", err)
	}
	sb := clone(t, snap)
	if _, err := sb.Run(t.Context(), airlock.Process{}); !errors.Is(err, airlock.ErrOptions) {
		t.Errorf("Run of a clone = %v", err)
	}
	call[int64](t, sb, "Count")
	if err := snap.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := snap.New(t.Context(), airlock.Options{HostFuncs: snapHosts()}); !errors.Is(err, airlock.ErrSnapshotClosed) {
		t.Errorf("New of a closed snapshot = %v", err)
	}
	call[int64](t, sb, "Count") // lives on
}

// TestSnapshotDuringCall is refused from inside a host function.
func TestSnapshotDuringCall(t *testing.T) {
	t.Parallel()
	snap := newSnapshot(t, nil)
	var sb *airlock.Sandbox
	funcs := airlock.HostFuncs{"Weekday": airlock.Func(func(ctx context.Context) string {
		_, err := sb.Snapshot(ctx)
		return fmt.Sprint(errors.Is(err, airlock.ErrBusy), errors.Is(sb.Restore(ctx, snap), airlock.ErrBusy))
	})}
	sb, err := snap.New(t.Context(), airlock.Options{HostFuncs: funcs})
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close() //nolint:errcheck // checked elsewhere
	if got := call[string](t, sb, "Weekday"); got != "true true" {
		t.Errorf("both are busy: %s", got)
	}
}

// TestSnapshotOfClone goes on from a clone.
func TestSnapshotOfClone(t *testing.T) {
	t.Parallel()
	snap := newSnapshot(t, nil)
	for i := range 5 {
		sb := clone(t, snap)
		call[int64](t, sb, "Count")
		call[int64](t, sb, "Grow", int64(i), int64(i))
		next, err := sb.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer next.Close() //nolint:errcheck // checked elsewhere
		snap = next
	}
	if got := call[int64](t, clone(t, snap), "Count"); got != 6 {
		t.Errorf("Count = %d", got)
	}
}

// TestSnapshotAtOnce takes snapshots of sandboxes that have not run since they
// were made or restored.
func TestSnapshotAtOnce(t *testing.T) {
	t.Parallel()
	first := newSnapshot(t, func(sb *airlock.Sandbox) { call[struct{}](t, sb, "Set", "first") })
	other := newSnapshot(t, func(sb *airlock.Sandbox) { call[int64](t, sb, "Threads", int64(20)) })
	sb := clone(t, first)
	for range 3 {
		second, err := sb.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer second.Close() //nolint:errcheck // checked elsewhere
		if got := call[string](t, clone(t, second), "Get"); got != "first" {
			t.Fatalf("Get = %q", got)
		}
		if err := errors.Join(sb.Restore(t.Context(), other), sb.Restore(t.Context(), second)); err != nil {
			t.Fatal(err)
		}
	}
	if got := call[string](t, sb, "Get"); got != "first" {
		t.Errorf("Get = %q", got)
	}
}
