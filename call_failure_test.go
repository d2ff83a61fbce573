package airlock_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/airlockvm/airlock"
)

// TestGuestErrors: an error that a function returns poisons nothing.
func TestGuestErrors(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			sb := newSandbox(t, guest, airlock.Options{})
			for _, text := range []string{"", "it didn't work\n", strings.Repeat("x", 4096)} {
				_, err := sb.Call(t.Context(), "Error", text)
				guestError, ok := errors.AsType[*airlock.GuestError](err)
				if !ok || guestError.Code != airlock.CodeFailed || guestError.Message != text || strings.Contains(err.Error(), "\n") {
					t.Errorf("Error(%.40q) = %.200v", text, err)
				}
			}
			_, err := sb.Call(t.Context(), "Error", strings.Repeat("ü", 10000))
			guestError, ok := errors.AsType[*airlock.GuestError](err)
			if !ok || len(guestError.Message) > 4096 || !strings.HasSuffix(guestError.Message, "ü…") {
				t.Errorf("a long error: %.200v", err)
			}
			ready(t, sb)
		})
	}
}

// failure is a way for a guest to end during a call.
type failure struct {
	function string
	args     []any
	want     func(error) bool
}

// faulted wants a fault. Addresses and the like are compared if they are given.
func faulted(want airlock.GuestFault) func(error) bool {
	return func(err error) bool {
		got, ok := errors.AsType[*airlock.GuestFault](err)
		return ok && got.Kind == want.Kind && got.Access == want.Access && got.Signal == want.Signal &&
			(want.Addr == 0 || got.Addr == want.Addr) && !errors.Is(err, airlock.ErrOutOfMemory)
	}
}

func aborted(code airlock.GuestErrorCode, text string) func(error) bool {
	return func(err error) bool {
		abort, ok := errors.AsType[*airlock.GuestAbortError](err)
		return ok && abort.Code == code && abort.Message == text
	}
}

func failed(text string) func(error) bool {
	return func(err error) bool {
		failure, ok := errors.AsType[*airlock.GuestError](err)
		return ok && failure.Code == airlock.CodeFailed && failure.Message == text
	}
}

func exited(code int) func(error) bool {
	return func(err error) bool {
		exit, ok := errors.AsType[*airlock.GuestExitError](err)
		return ok && exit.Code == code
	}
}

// testFailures makes a guest end in each way. Each ends the call with an error
// of its own and poisons the sandbox. A restore undoes it, and all that the guest
// did and said.
func testFailures(t *testing.T, guest string, failures []failure) {
	t.Helper()
	for _, test := range failures {
		t.Run(test.function, func(t *testing.T) {
			t.Parallel()
			sb := newSandbox(t, guest, airlock.Options{Memory: 32 << 20})
			ready(t, sb)
			snap, err := sb.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer snap.Close() //nolint:errcheck // nothing can fail
			if n, err := airlock.Call[int64](t.Context(), sb, "Count"); n != 1 || err != nil {
				t.Fatalf("Count = %d, %v", n, err)
			}
			_, err = sb.Call(t.Context(), test.function, test.args...)
			if !test.want(err) {
				t.Fatalf("Call = %T %.500v", err, err)
			}
			if strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("the error's text is not quoted: %v", err)
			}
			poisoned(t, sb)
			if err := sb.Restore(t.Context(), snap); err != nil {
				t.Fatal(err)
			}
			if n, err := airlock.Call[int64](t.Context(), sb, "Count"); n != 1 || err != nil {
				t.Errorf("after a restore: Count = %d, %v", n, err)
			}
			if _, err := sb.Call(t.Context(), "Error", ""); !failed("")(err) {
				t.Errorf("after a restore: Error = %v", err)
			}
			if _, err := sb.Call(t.Context(), "Abort", "short"); !aborted(airlock.CodeAborted, "short")(err) {
				t.Errorf("after a restore: Abort = %v", err)
			}
		})
	}
}

// TestGuestFailures: what a program in any language can die of.
func TestGuestFailures(t *testing.T) {
	t.Parallel()
	const ill, fpe, abrt, segv = 4, 8, 6, 11
	page := func(access airlock.Access, addr uint64) func(error) bool {
		return faulted(airlock.GuestFault{Kind: airlock.FaultPage, Access: access, Addr: addr, Signal: segv})
	}
	long := strings.Repeat("x", 10000)
	failures := []failure{
		{"Abort", []any{"the\nend"}, aborted(airlock.CodeAborted, "the\nend")},
		{"Abort", []any{""}, aborted(airlock.CodeAborted, "")},
		{"Abort", []any{long}, aborted(airlock.CodeAborted, long[:4096-len("…")]+"…")},
		{"Abort", []any{strings.Repeat("ü", 10000)}, aborted(airlock.CodeAborted, strings.Repeat("ü", (4096-len("…"))/2)+"…")},
		{"AbortFull", nil, aborted(airlock.CodeAborted, "no memory left")},
		{"Exit", []any{0}, exited(0)},
		{"Exit", []any{3}, exited(3)},
		{"Exit", []any{256 + 255}, exited(255)},
		{"Memory", nil, func(err error) bool {
			fault, ok := errors.AsType[*airlock.GuestFault](err)
			return ok && fault.Kind == airlock.FaultOutOfMemory && errors.Is(err, airlock.ErrOutOfMemory)
		}},
		{"StackRecursion", nil, page(airlock.AccessWrite, 0)},
		{"StackFrame", nil, page(airlock.AccessWrite, 0)},
		{"WriteCode", nil, page(airlock.AccessWrite, 0)},
		{"ExecuteData", nil, page(airlock.AccessExec, 0)},
		{"ReadNull", nil, page(airlock.AccessRead, 0)},
		{"ReadUnmapped", nil, page(airlock.AccessRead, 0x123456789000)},
		{"ReadLastPage", nil, page(airlock.AccessRead, 0x7ffffffff000)},
		{"ReadUpperHalf", nil, page(airlock.AccessRead, 0xfffffffffffff000)},
		{"Divide", nil, faulted(airlock.GuestFault{Kind: airlock.FaultDivide, Signal: fpe})},
		{"Opcode", nil, faulted(airlock.GuestFault{Kind: airlock.FaultOpcode, Signal: ill})},
		{"Privileged", nil, faulted(airlock.GuestFault{Kind: airlock.FaultProtection, Signal: segv})},
		{"Port", nil, faulted(airlock.GuestFault{Kind: airlock.FaultPort, Addr: 0x3f8})},
		{"Signal", nil, faulted(airlock.GuestFault{Kind: airlock.FaultSignal, Signal: abrt})},
	}
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			testFailures(t, guest, failures)
		})
	}
}

// TestGuestFailuresApart: what one guest says when it ends is not in the error of
// another, nor in that of a later call.
func TestGuestFailuresApart(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			for _, text := range []string{"the first, with a long text", "second", ""} {
				sb := newSandbox(t, guest, airlock.Options{})
				if _, err := sb.Call(t.Context(), "Abort", text); !aborted(airlock.CodeAborted, text)(err) {
					t.Errorf("Abort(%q) = %v", text, err)
				}
				_, err := sb.Call(t.Context(), "Void")
				if text != "" && strings.Contains(err.Error(), text) {
					t.Errorf("the error of the next call has the text: %v", err)
				}
			}
			sb := newSandbox(t, guest, airlock.Options{})
			for _, text := range []string{"a long text, which is the first", "b", ""} {
				_, err := sb.Call(t.Context(), "Error", text)
				if guestError, ok := errors.AsType[*airlock.GuestError](err); !ok || guestError.Message != text {
					t.Errorf("Error(%q) = %v", text, err)
				}
			}
		})
	}
}

// TestGuestResultUnfit: a result that can't be sent is an error, of the kind that
// says why.
func TestGuestResultUnfit(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			sb := newSandbox(t, guest, airlock.Options{})
			for text, code := range map[string]airlock.GuestErrorCode{
				"\xff": airlock.CodeFailed, strings.Repeat("x", 40000): airlock.CodeTooLarge,
			} {
				_, err := sb.Call(t.Context(), "Text", []byte(text), 2)
				if guestError, ok := errors.AsType[*airlock.GuestError](err); !ok || guestError.Code != code {
					t.Errorf("a result of %.10q: %v; want %v", text, err, code)
				}
			}
			ready(t, sb)
		})
	}
}

// panicWriter is a writer of an application that has a bug.
type panicWriter struct{}

func (panicWriter) Write([]byte) (int, error) { panic("no more") }

// TestApplicationPanics: a panic of a writer or logger goes to who called the
// guest, and the guest is left in the middle of something.
func TestApplicationPanics(t *testing.T) {
	t.Parallel()
	options := airlock.Options{
		Stdout: panicWriter{},
		Logger: slog.New(slog.NewTextHandler(panicWriter{}, nil)),
	}
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			for what, do := range map[string]func(*airlock.Sandbox) error{
				"stdout": func(sb *airlock.Sandbox) error { return last(sb.Call(t.Context(), "Print", "x")) },
				"logger": func(sb *airlock.Sandbox) error { return last(sb.Call(t.Context(), "Log", 1, "x")) },
				"run": func(sb *airlock.Sandbox) error {
					return last(sb.Run(t.Context(), airlock.Process{Stderr: panicWriter{}}))
				},
			} {
				sb := newSandbox(t, guest, options)
				ready(t, sb)
				func() {
					defer func() {
						if v := recover(); v != "no more" {
							t.Errorf("%s: the panic has come to %v", what, v)
						}
					}()
					t.Errorf("%s: returned %v", what, do(sb))
				}()
				poisoned(t, sb)
			}
		})
	}
}
