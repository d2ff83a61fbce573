package airlock_test

import (
	"errors"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/faults"
	"github.com/airlockvm/airlock/internal/kvmtest"
	"github.com/airlockvm/airlock/internal/leak"
)

// The tests of this file let every system call fail once: the ioctls of KVM and
// what makes memory. They must not run beside others.

// attempt is something that is tried while a system call fails. prepare and check
// run while none does.
type attempt struct {
	prepare func()
	do      func() error
	check   func(err error) // optional
}

// eachFailure makes attempts with the first system call of do failing, then the
// second, and so on, until none is reached any more. It returns how many there
// were.
func eachFailure(t *testing.T, a attempt) int {
	t.Helper()
	const most = 500
	for n := int64(1); n < most; n++ {
		if a.prepare != nil {
			a.prepare()
		}
		stop := faults.FailNth(n)
		err := a.do()
		reached := stop()
		if a.check != nil {
			a.check(err)
		}
		// Where the kernel only helps (large pages, prefaulting, its page map), a
		// failure may be of no consequence.
		if err != nil && (!reached || !errors.Is(err, faults.Err)) {
			t.Errorf("failure %d: %v", n, err)
		}
		if !reached {
			return int(n - 1)
		}
	}
	t.Fatalf("still failing after %d", most)
	return 0
}

// settled waits until what was closed is gone, and fails if more is left than
// there was.
func settled(t *testing.T, open int) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); leak.Count() > open; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d resources are open, %d were: %v", leak.Count(), open, leak.Report())
		}
	}
}

func TestNewFails(t *testing.T) {
	kvmtest.Require(t)
	g := buildGuest(t, "snapguest")
	newSandbox(t, "snapguest", airlock.Options{HostFuncs: snapHosts()}) // the device is open, the image made
	open := leak.Count()
	var sb *airlock.Sandbox
	n := eachFailure(t, attempt{
		do: func() (err error) {
			sb, err = airlock.New(t.Context(), g, airlock.Options{HostFuncs: snapHosts()})
			return err
		},
		check: func(err error) {
			if err == nil {
				closed(t, sb)
			}
		},
	})
	settled(t, open)
	t.Logf("%d system calls", n)
	if n < 8 {
		t.Errorf("only %d system calls failed", n)
	}
}

func closed(t *testing.T, sb *airlock.Sandbox) {
	t.Helper()
	if err := sb.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// poisonedBy expects that an error has poisoned the sandbox, and no error has not.
func poisonedBy(t *testing.T, sb *airlock.Sandbox, err error) {
	t.Helper()
	if _, again := sb.Call(t.Context(), "Count"); errors.Is(again, airlock.ErrPoisoned) != (err != nil) {
		t.Errorf("after %v: %v", err, again)
	}
}

// TestFirstCallFails lets what boots and runs a guest fail. The sandbox is
// poisoned then, and can be closed.
func TestFirstCallFails(t *testing.T) {
	var sb *airlock.Sandbox
	newSandbox(t, "snapguest", airlock.Options{HostFuncs: snapHosts()}) // from here on the image and the device are open
	open := leak.Count()
	g := buildGuest(t, "snapguest")
	eachFailure(t, attempt{
		prepare: func() {
			var err error
			if sb, err = airlock.New(t.Context(), g, airlock.Options{HostFuncs: snapHosts()}); err != nil {
				t.Fatal(err)
			}
		},
		do: func() error {
			_, err := sb.Call(t.Context(), "Count")
			return err
		},
		check: func(err error) {
			poisonedBy(t, sb, err)
			closed(t, sb)
		},
	})
	settled(t, open)
}

// TestSnapshotFails lets what takes a snapshot fail. The sandbox is poisoned then.
func TestSnapshotFails(t *testing.T) {
	sb := newSandbox(t, "snapguest", airlock.Options{HostFuncs: snapHosts()})
	call[int64](t, sb, "Count")
	first, err := sb.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close() //nolint:errcheck // checked elsewhere
	open := leak.Count()
	var snap *airlock.Snapshot
	n := eachFailure(t, attempt{
		do: func() (err error) {
			snap, err = sb.Snapshot(t.Context())
			return err
		},
		check: func(err error) {
			if err == nil {
				if err := snap.Close(); err != nil {
					t.Error(err)
				}
			}
			poisonedBy(t, sb, err)
			if err := sb.Restore(t.Context(), first); err != nil {
				t.Fatal(err)
			}
		},
	})
	settled(t, open)
	t.Logf("%d system calls", n)
	if n < 8 {
		t.Errorf("only %d system calls failed", n)
	}
	if got := call[int64](t, sb, "Count"); got != 2 {
		t.Errorf("Count = %d", got)
	}
}

func TestCloneFails(t *testing.T) {
	snap := newSnapshot(t, func(sb *airlock.Sandbox) { call[int64](t, sb, "Count") })
	call[int64](t, clone(t, snap), "Count") // the next ones get pages beforehand
	open := leak.Count()
	var sb *airlock.Sandbox
	n := eachFailure(t, attempt{
		do: func() (err error) {
			sb, err = snap.New(t.Context(), airlock.Options{HostFuncs: snapHosts()})
			return err
		},
		check: func(err error) {
			if err == nil {
				closed(t, sb)
			}
		},
	})
	settled(t, open)
	t.Logf("%d system calls", n)
	if n < 10 {
		t.Errorf("only %d system calls failed", n)
	}
}

// TestRestoreFails lets restores fail, to the snapshot that the sandbox is of and
// to another one: it is poisoned then, and a restore that doesn't fail brings it
// back.
func TestRestoreFails(t *testing.T) {
	own := newSnapshot(t, func(sb *airlock.Sandbox) { call[int64](t, sb, "Count") })
	other := newSnapshot(t, func(sb *airlock.Sandbox) { call[struct{}](t, sb, "Set", "other") })
	sb, blocks := clone(t, own), manyBlocks(t)
	open := leak.Count()
	for name, to := range map[string]*airlock.Snapshot{"own": own, "other": other} {
		n := eachFailure(t, attempt{
			prepare: func() {
				// Some calls after the snapshot, with page tables changed.
				if err := sb.Restore(t.Context(), own); err != nil {
					t.Fatal(err)
				}
				if got := call[int64](t, sb, "Count"); got != 2 {
					t.Errorf("Count = %d", got)
				}
				call[int64](t, sb, "Grow", blocks, int64(1))
			},
			do:    func() error { return sb.Restore(t.Context(), to) },
			check: func(err error) { poisonedBy(t, sb, err) },
		})
		t.Logf("%s: %d system calls", name, n)
		if n < 4 {
			t.Errorf("only %d system calls failed", n)
		}
	}
	settled(t, open)
	changedTables(t, sb.Stats().FullRestores)
}
