package test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// A guest with a line "// call: NAME" in its first comment serves calls, and
// attacks when that function is called. It exports the function Honest as well.

const (
	// callDeadline is how long an attack gets that may come to any end. Most need
	// milliseconds, or would go on for ever.
	callDeadline = 250 * time.Millisecond
	// hotDeadline is the same for the attacks that come one after the other.
	hotDeadline = 80 * time.Millisecond
	// maxLogRecords is how many log records of one call the host passes on, with
	// the one that says that there were more.
	maxLogRecords = 1001
)

// victim is a sandbox with a guest that attacks, and what the host sees of it.
type victim struct {
	sandbox *airlock.Sandbox
	nested  atomic.Pointer[airlock.Sandbox] // the same, for Nested
	broken  atomic.Bool                     // a host function got what is no text
	records atomic.Int64
	out     *output
	spin    time.Duration // Options.Spin
}

// hosts are the host functions that such guests can use.
func (v *victim) hosts() airlock.HostFuncs {
	return airlock.HostFuncs{
		"Echo": airlock.Func(func(s string) string {
			if !utf8.ValidString(s) {
				v.broken.Store(true)
			}
			return s
		}),
		"Bytes": airlock.Func(func(b []byte) []byte { return b }),
		"Fail":  airlock.Func(func() error { return errors.New("a secret of the host") }),
		"Nested": airlock.Func(func(ctx context.Context) string {
			if _, err := v.nested.Load().Call(ctx, "Honest", 1); !errors.Is(err, airlock.ErrBusy) {
				return fmt.Sprint("not busy: ", err)
			}
			return "busy"
		}),
	}
}

func (v *victim) options(h header) airlock.Options {
	return airlock.Options{
		Memory: h.memory, AllowJIT: h.jit, HostFuncs: v.hosts(), Stdout: v.out, Stderr: v.out, Spin: v.spin,
		Logger: slog.New(countingHandler{&v.records}),
	}
}

func (v *victim) use(sb *airlock.Sandbox) { v.sandbox = sb; v.nested.Store(sb) }

// countingHandler counts log records.
type countingHandler struct{ n *atomic.Int64 }

func (c countingHandler) Enabled(context.Context, slog.Level) bool { return true }

func (c countingHandler) Handle(context.Context, slog.Record) error { c.n.Add(1); return nil }

func (c countingHandler) WithAttrs([]slog.Attr) slog.Handler { return c }

func (c countingHandler) WithGroup(string) slog.Handler { return c }

// testCall lets a guest attack when it is called: in the sandbox that a snapshot
// was taken of, and in one that was made from the snapshot. After each attack the
// sandbox is ready or poisoned, as it should be, and the snapshot brings it back.
func testCall(t *testing.T, b binary, how string) {
	t.Helper()
	slots <- struct{}{}
	defer func() { <-slots }()
	guest, err := airlock.LoadGuest(b.path)
	if err != nil {
		t.Fatal(err)
	}
	v := &victim{out: newOutput()}
	defer v.report(t)
	sb, err := airlock.New(t.Context(), guest, v.options(b.header))
	if err != nil {
		t.Fatal(err)
	}
	v.use(sb)
	snap, err := sb.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v.attack(t, b, how, snap)
	v.close(t)
	v.attackClone(t, b, how, snap)
	if err := snap.Close(); err != nil {
		t.Error(err)
	}
}

// attackClone lets the guest attack in a sandbox that is made of the snapshot.
func (v *victim) attackClone(t *testing.T, b binary, how string, snap *airlock.Snapshot) {
	t.Helper()
	sb, err := snap.New(t.Context(), v.options(b.header))
	if err != nil {
		t.Fatal(err)
	}
	v.use(sb)
	v.attack(t, b, how, snap)
	v.close(t)
}

// report logs what the guest has printed, if the test has failed.
func (v *victim) report(t *testing.T) {
	t.Helper()
	if t.Failed() {
		t.Logf("its output ends with:\n%.2000s", v.out)
	}
}

// TestHotCalls is TestGuests for the attacks in calls, with calls that are hot:
// the guest attacks while the host watches the memory that they share. There can
// be one such sandbox for two processors, so they come one after the other.
func TestHotCalls(t *testing.T) {
	kvmtest.Require(t)
	list, err := builtGuests()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range list {
		if b.header.call == "" || b.missing != "" {
			continue
		}
		t.Run(b.name, func(t *testing.T) { testHotCall(t, b) })
	}
}

// testHotCall makes all attacks of a guest.
func testHotCall(t *testing.T, b binary) {
	t.Helper()
	v := &victim{out: newOutput(), spin: airlock.SpinAlways}
	defer v.report(t)
	sb, err := airlock.New(t.Context(), load(t, b.path), v.options(b.header))
	if err != nil {
		t.Fatal(err)
	}
	v.use(sb)
	if got, err := v.honest(t.Context()); got != 43 || err != nil { // now it is hot
		t.Fatalf("Honest = %d, %v", got, err)
	}
	v.close(t)
	if sb, err = airlock.New(t.Context(), load(t, b.path), v.options(b.header)); err != nil {
		t.Fatal(err)
	}
	v.use(sb)
	snap, err := sb.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v.close(t)
	args := b.header.args
	if testing.Short() {
		args = every(args, 5)
	}
	for _, words := range args {
		t.Log(words)
		v.attackClone(t, b, strings.Join(words, " "), snap)
	}
	if err := snap.Close(); err != nil {
		t.Error(err)
	}
}

func (v *victim) close(tb testing.TB) {
	tb.Helper()
	if err := v.sandbox.Close(); err != nil {
		tb.Errorf("Close: %v", err)
	}
}

// attack lets the guest attack once and restores its sandbox.
func (v *victim) attack(t *testing.T, b binary, how string, snap *airlock.Snapshot) {
	t.Helper()
	h := b.header
	deadline := h.want.callDeadline()
	if v.spin != 0 && h.want.what == "any" {
		deadline = hotDeadline
	}
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	v.records.Store(0)
	start := time.Now()
	result, err := airlock.Call[string](ctx, v.sandbox, h.call, how)
	took := time.Since(start)
	if took > deadline+hang {
		t.Errorf("it took %v", took)
	}
	if err := h.want.checkCall(result, err); err != nil {
		t.Errorf("after %v: %v", took, err)
	}
	form := "call"
	if v.spin != 0 {
		form = "hot call"
	}
	attacks.note(b.name, form, err)
	if n := v.records.Load(); n > maxLogRecords {
		t.Errorf("%d log records of one call", n)
	}
	if v.broken.Load() {
		t.Error("a host function got a string that is not UTF-8")
	}
	v.checkState(t, &h, err)
	if err := v.sandbox.Restore(t.Context(), snap); err != nil {
		t.Fatalf("Restore after %v: %v", err, err)
	}
	if got, err := v.honest(t.Context()); err != nil || got != 43 {
		t.Errorf("after the restore, Honest = %d, %v", got, err)
	}
}

// honest calls the guest's honest function, which gives 43.
func (v *victim) honest(ctx context.Context) (int32, error) {
	ctx, cancel := context.WithTimeout(ctx, hang)
	defer cancel()
	return airlock.Call[int32](ctx, v.sandbox, "Honest", 21)
}

// checkState expects the sandbox to be ready or poisoned after the error of a
// call, as the documentation of [airlock.Sandbox.Call] says.
func (v *victim) checkState(t *testing.T, h *header, err error) {
	t.Helper()
	_, failed := errors.AsType[*airlock.GuestError](err)
	if err != nil && !failed {
		if _, err := v.sandbox.Call(t.Context(), "Honest", 21); !errors.Is(err, airlock.ErrPoisoned) {
			t.Errorf("a sandbox that should be poisoned: %v", err)
		}
		if _, err := v.sandbox.Snapshot(t.Context()); !errors.Is(err, airlock.ErrPoisoned) {
			t.Errorf("a snapshot of it: %v", err)
		}
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), h.want.callDeadline())
	defer cancel()
	got, err := v.honest(ctx)
	if errors.Is(err, airlock.ErrPoisoned) {
		t.Errorf("a sandbox that should be ready: %v", err)
	}
	if h.want.what != "any" && (err != nil || got != 43) {
		t.Errorf("in a sandbox that is ready, Honest = %d, %v", got, err)
	}
	if err := documentedCall(err); err != nil {
		t.Errorf("the call after the attack: %v", err)
	}
}

// callDeadline is how long a call gets that should end in this way.
func (e expectation) callDeadline() time.Duration {
	switch e.what {
	case "timeout":
		return 100 * time.Millisecond
	case "any":
		return callDeadline
	}
	return hang
}

// checkCall returns an error unless a call ended as it should.
func (e expectation) checkCall(result string, err error) error {
	if err := documentedCall(err); err != nil {
		return err
	}
	var ok bool
	switch e.what {
	case "any":
		return nil
	case "result":
		ok = err == nil && result == e.detail
	case "guest-error":
		_, ok = errors.AsType[*airlock.GuestError](err)
	case "abort":
		_, ok = errors.AsType[*airlock.GuestAbortError](err)
	case "exit":
		exit, is := errors.AsType[*airlock.GuestExitError](err)
		ok = is && strconv.Itoa(exit.Code) == e.detail
	default:
		ok = err != nil && e.matches(err)
	}
	if !ok {
		return fmt.Errorf("result %q, error %w (%T); want %s", result, orNone(err), err, e)
	}
	return nil
}

// documentedCall returns an error unless that of a call is one that guests can
// cause by the documentation of [airlock.Sandbox.Call].
func documentedCall(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*airlock.GuestError](err); ok {
		return nil
	}
	if _, ok := errors.AsType[*airlock.GuestAbortError](err); ok {
		return nil
	}
	if exit, ok := errors.AsType[*airlock.GuestExitError](err); ok {
		return documented(exit.Code, nil)
	}
	return documented(-1, err)
}
