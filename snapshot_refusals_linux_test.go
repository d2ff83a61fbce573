package airlock_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/kvmtest"
	"github.com/airlockvm/airlock/internal/leak"
)

// snapshotOf is a snapshot of a new sandbox of the guest snapguest.
func snapshotOf(t *testing.T, options airlock.Options) *airlock.Snapshot {
	t.Helper()
	options.HostFuncs = snapHosts()
	snap, err := newSandbox(t, "snapguest", options).Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = snap.Close() })
	return snap
}

// missingFunctions reports whether an error says that host functions are missing.
func missingFunctions(err error) bool {
	_, ok := errors.AsType[*airlock.MissingHostFunctionError](err)
	return ok
}

// TestRestoreRefused: what is refused leaves the sandbox as it was, in the middle of
// what it has been called for, or poisoned.
func TestRestoreRefused(t *testing.T) {
	t.Parallel()
	plain, traced := snapshotOf(t, airlock.Options{}), snapshotOf(t, airlock.Options{Trace: new(bytes.Buffer)})
	small := snapshotOf(t, airlock.Options{Memory: 32 << 20})
	bare := newSandbox(t, "callguest", airlock.Options{HostFuncs: airlock.HostFuncs{}})
	if _, err := bare.Functions(t.Context()); err != nil {
		t.Fatal(err)
	}
	full := newSandbox(t, "snapguest", airlock.Options{HostFuncs: snapHosts()})
	tracing := newSandbox(t, "snapguest", airlock.Options{HostFuncs: snapHosts(), Trace: new(bytes.Buffer)})
	options := func(err error) bool { return errors.Is(err, airlock.ErrOptions) }
	for _, test := range []struct {
		name    string
		sb      *airlock.Sandbox
		ctx     context.Context
		snap    *airlock.Snapshot
		refused func(error) bool
	}{
		{"a context that has ended", full, canceledContext(t), plain, func(err error) bool { return errors.Is(err, context.Canceled) }},
		{"host functions", bare, t.Context(), plain, missingFunctions},
		{"memory", full, t.Context(), small, options},
		{"a trace", full, t.Context(), traced, options},
		{"no trace", tracing, t.Context(), plain, options},
	} {
		poison := test.sb != bare
		if poison {
			call[struct{}](t, test.sb, "Set", "mine")
		}
		for _, poisonedBefore := range []bool{false, poison} {
			if poisonedBefore {
				_, err := test.sb.Call(t.Context(), "Fault")
				poisonedBy(t, test.sb, err)
			}
			if err := test.sb.Restore(test.ctx, test.snap); !test.refused(err) {
				t.Errorf("%s: Restore = %v", test.name, err)
			}
			switch list, err := test.sb.Functions(t.Context()); {
			case poisonedBefore != errors.Is(err, airlock.ErrPoisoned):
				t.Errorf("%s: poisoned before: %t, now: %v", test.name, poisonedBefore, err)
			case !poisonedBefore && len(list.Exports) == 0:
				t.Errorf("%s: it exports nothing any more", test.name)
			}
			if poison && !poisonedBefore && call[string](t, test.sb, "Get") != "mine" {
				t.Errorf("%s: it knows something else", test.name)
			}
		}
		if poison { // for the next row
			own := plain
			if test.sb == tracing {
				own = traced
			}
			if err := test.sb.Restore(t.Context(), own); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestRestoreClosed: a sandbox that was to be restored to a closed snapshot is neither
// here nor there.
func TestRestoreClosed(t *testing.T) {
	t.Parallel()
	closedOne, open := snapshotOf(t, airlock.Options{}), snapshotOf(t, airlock.Options{})
	sb := newSandbox(t, "snapguest", airlock.Options{HostFuncs: snapHosts()})
	call[int64](t, sb, "Count")
	if err := closedOne.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		err := sb.Restore(t.Context(), closedOne)
		if !errors.Is(err, airlock.ErrSnapshotClosed) || !strings.HasPrefix(err.Error(), "airlock: restore: ") {
			t.Errorf("Restore = %v", err)
		}
		poisonedBy(t, sb, err)
	}
	if err := sb.Restore(t.Context(), open); err != nil {
		t.Fatal(err)
	}
	call[int64](t, sb, "Count")
	if s := sb.Stats(); s.Restores != 1 {
		t.Errorf("%+v", s)
	}
}

// TestCloneRefused: options that are none, and those that a snapshot's sandbox can't
// have, whatever else they say.
func TestCloneRefused(t *testing.T) {
	t.Parallel()
	snap, traced := snapshotOf(t, airlock.Options{}), snapshotOf(t, airlock.Options{Trace: new(bytes.Buffer)})
	if _, err := snap.New(canceledContext(t), airlock.Options{HostFuncs: snapHosts()}); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
	wrong := snapHosts()
	wrong["More"] = airlock.Func(5)
	for name, test := range map[string]struct {
		snap    *airlock.Snapshot
		options airlock.Options
	}{
		"memory":        {snap, airlock.Options{Memory: -1}},
		"spin":          {snap, airlock.Options{Spin: -1}},
		"no function":   {snap, airlock.Options{HostFuncs: wrong}},
		"without trace": {traced, airlock.Options{}},
	} {
		if test.options.HostFuncs == nil {
			test.options.HostFuncs = snapHosts()
		}
		sb, err := test.snap.New(t.Context(), test.options)
		if !errors.Is(err, airlock.ErrOptions) {
			t.Errorf("%s: New = %v", name, err)
		}
		if err == nil {
			closed(t, sb)
		}
	}
	funcs := snapHosts()
	sb, err := snap.New(t.Context(), airlock.Options{HostFuncs: funcs})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, sb)
	funcs["Weekday"] = airlock.Func(func() string { return "Doomsday" })
	if got := call[string](t, sb, "Weekday"); got != "Monday" {
		t.Errorf("Weekday = %q: what the sandbox was made with has changed", got)
	}
}

// TestRestoreOtherBuffers: with a snapshot come the places and sizes of its buffers,
// also for what a worker may return.
func TestRestoreOtherBuffers(t *testing.T) {
	t.Parallel()
	const size = 400 << 10
	options := airlock.Options{HostFuncs: hosts()}
	maps.Copy(options.HostFuncs, isolated.HostFuncs())
	sb := newSandbox(t, "callguest", options)
	ready(t, sb)
	own, err := sb.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close() //nolint:errcheck // nothing can fail
	options.MessageSize = 1 << 20
	large, err := newSandbox(t, "callguest", options).Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer large.Close() //nolint:errcheck // nothing can fail
	data := bytes.Repeat([]byte("data"), size/4)
	for range 3 {
		if err := sb.Restore(t.Context(), large); err != nil {
			t.Fatal(err)
		}
		for _, function := range []string{"Bytes", "HostBytes"} {
			if got, err := airlock.Call[[]byte](t.Context(), sb, function, data); !bytes.Equal(got, data) || err != nil {
				t.Errorf("%s: %d bytes, %v", function, len(got), err)
			}
		}
		next, err := sb.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if next.MessageSize() != options.MessageSize {
			t.Errorf("a snapshot of it has buffers of %d bytes", next.MessageSize())
		}
		if err := errors.Join(next.Close(), sb.Restore(t.Context(), own)); err != nil {
			t.Fatal(err)
		}
		if _, err := sb.Call(t.Context(), "Bytes", data); !errors.Is(err, airlock.ErrTooLarge) {
			t.Errorf("a call that is larger than the buffer: %v", err)
		}
		ready(t, sb)
	}
}

// TestSnapshotUnfinished: a host function that ends its goroutine while the guest gets
// ready for a snapshot leaves a guest in the middle of something.
func TestSnapshotUnfinished(t *testing.T) {
	t.Parallel()
	for _, called := range []bool{false, true} {
		funcs := airlock.HostFuncs{"Weekday": airlock.Func(func() string { runtime.Goexit(); return "" })}
		sb := newSandbox(t, "snapguest", airlock.Options{HostFuncs: funcs})
		if called {
			call[int64](t, sb, "Count")
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			snap, err := sb.Snapshot(t.Context())
			t.Errorf("Snapshot = %v, %v", snap, err)
		}()
		<-ended
		poisoned(t, sb)
	}
}

// TestHotUnfinished: a hot guest that was left in the middle of something is stopped,
// though it may keep its processor for ever. Not parallel: it looks at the processors.
func TestHotUnfinished(t *testing.T) {
	kvmtest.RequireTwoProcessors(t)
	for name, use := range map[string]func(sb *airlock.Sandbox) error{
		"call":     func(sb *airlock.Sandbox) error { return last(sb.Call(t.Context(), "Weekday")) },
		"snapshot": func(sb *airlock.Sandbox) error { return closeSnapshot(sb.Snapshot(t.Context())) },
	} {
		leave := false
		funcs := airlock.HostFuncs{"Weekday": airlock.Func(func() string {
			if leave {
				runtime.Goexit()
			}
			return "Monday"
		})}
		sb := newSandbox(t, "snapguest", airlock.Options{Spin: airlock.SpinAlways, HostFuncs: funcs})
		untilHot(t, sb, 10, func() { call[string](t, sb, "Weekday") })
		leave = true
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			t.Errorf("%s: it returned %v", name, use(sb))
		}()
		<-ended
		poisoned(t, sb)
		rests(t)
	}
}

// TestSnapshotForgotten: a snapshot that nobody has any more is freed, though nobody
// has closed it. Not parallel: it counts.
func TestSnapshotForgotten(t *testing.T) {
	base := newSandbox(t, "snapguest", airlock.Options{HostFuncs: snapHosts()})
	call[int64](t, base, "Count")
	open := -1
	for open != leak.Count() { // what tests before have closed goes first
		open = leak.Count()
		runtime.GC()
		time.Sleep(50 * time.Millisecond)
	}
	for range 3 {
		snap, err := base.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sb, err := snap.New(t.Context(), airlock.Options{HostFuncs: snapHosts()})
		if err != nil {
			t.Fatal(err)
		}
		closed(t, sb)
		runtime.KeepAlive(snap)
	}
	for deadline := time.Now().Add(10 * time.Second); leak.Count() > open; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d resources are open, %d were: %v", leak.Count(), open, leak.Report())
		}
		runtime.GC()
	}
}
