package airlock_test

import (
	"bytes"
	"errors"
	"log/slog"
	"math"
	"strings"
	"syscall"
	"testing"

	"github.com/airlockvm/airlock"
)

// The tests here are for one of callGuests each: for the functions that only it
// has, which languageFunctions lists.

// TestGoGuestFailures: what Go's runtime makes of a failure before the guest
// kernel sees it: panics, which the SDK turns into an abort, and exit code 2.
func TestGoGuestFailures(t *testing.T) {
	t.Parallel()
	testFailures(t, "callguest", []failure{
		{"Panic", []any{"oh"}, aborted(airlock.CodePanicked, "Panic panicked: oh")},
		{"GoNil", nil, aborted(airlock.CodePanicked,
			"GoNil panicked: runtime error: invalid memory address or nil pointer dereference")},
		{"GoDivide", []any{0}, aborted(airlock.CodePanicked, "GoDivide panicked: runtime error: integer divide by zero")},
		{"Fault", nil, exited(2)},
		{"GoGoroutinePanic", nil, exited(2)},
		{"GoGoexit", nil, exited(2)},
		{"GoDeadlock", nil, exited(2)},
		{"GoStack", nil, exited(2)},
		// Either the runtime is told that there is no memory, or it finds out.
		{"GoHeap", nil, func(err error) bool { return errors.Is(err, airlock.ErrOutOfMemory) || exited(2)(err) }},
	})
}

// TestGoPanicStack: a guest that panics says where, and the host's log that a call
// failed, and which.
func TestGoPanicStack(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	sink := &logSink{level: slog.LevelDebug}
	sb := newSandbox(t, "callguest", airlock.Options{Stderr: &stderr, Logger: slog.New(sink)})
	if _, err := sb.Call(t.Context(), "GoDivide", 0); !aborted(airlock.CodePanicked, "GoDivide panicked: runtime error: integer divide by zero")(err) {
		t.Fatal(err)
	}
	if text := stderr.String(); !strings.HasPrefix(text, "panic: runtime error: integer divide by zero\n") || !strings.Contains(text, "main.go:") {
		t.Errorf("stderr: %s", text)
	}
	sink.mu.Lock()
	defer sink.mu.Unlock()
	last := sink.records[len(sink.records)-1]
	if last.Message != "call failed" || attr(last, "function") != "GoDivide" || !strings.Contains(attr(last, "error"), "divide by zero") {
		t.Errorf("log: %v", last)
	}
}

// TestCGuestFailures: ends that a C library and compiler make of mistakes, those
// of other threads than the one that is called, and the SDK's own.
func TestCGuestFailures(t *testing.T) {
	t.Parallel()
	abrt := faulted(airlock.GuestFault{Kind: airlock.FaultSignal, Signal: int(syscall.SIGABRT)})
	testFailures(t, "callguest-c", []failure{
		{"CThreadStack", nil, faulted(airlock.GuestFault{
			Kind: airlock.FaultPage, Access: airlock.AccessWrite, Signal: int(syscall.SIGSEGV),
		})},
		{"CThreadAbort", nil, aborted(airlock.CodeAborted, "of another thread")},
		{"CThreadExit", nil, exited(0)},
		{"CDoubleFree", nil, abrt},
		{"CStackSmash", nil, abrt},
		{"CHeap", nil, func(err error) bool {
			return errors.Is(err, airlock.ErrOutOfMemory) || aborted(airlock.CodeAborted, "malloc failed")(err)
		}},
		{"CWrongType", []any{"text"}, aborted(airlock.CodePanicked, "CWrongType: argument 0 was read as int32 and is string")},
		{"CNoResult", nil, aborted(airlock.CodePanicked, "CNoResult: it returned nothing")},
	})
}

// TestCGuestHandlesFaults: a fault for which the program has a handler is its own
// affair.
func TestCGuestHandlesFaults(t *testing.T) {
	t.Parallel()
	sb := newSandbox(t, "callguest-c", airlock.Options{})
	for range 10 {
		if n, err := airlock.Call[int32](t.Context(), sb, "CHandled"); n != 3 || err != nil {
			t.Fatalf("%d faults were handled, %v", n, err)
		}
	}
	ready(t, sb)
}

// TestCGuestHostMistakes: a call of a host function that is not there, or not
// with these types, is the guest's error, and nothing runs in the host. Guests in
// Go can't make one: what they import they declare, and what doesn't fit is
// refused before the first call. TestHonestMistakes makes them without the SDK.
func TestCGuestHostMistakes(t *testing.T) {
	t.Parallel()
	ran := 0
	funcs := hosts()
	funcs["Double"] = airlock.Func(func(v int32) int32 { ran++; return 2 * v })
	sb := newSandbox(t, "callguest-c", airlock.Options{HostFuncs: funcs})
	for function, want := range map[string]string{
		"CHostUnknown":    "host function: unknown function: there is no such host function",
		"CHostWrongType":  "host function: wrong parameters: the host function has other parameters",
		"CHostWrongCount": "host function: wrong parameters: the host function has other parameters",
	} {
		if got, err := airlock.Call[string](t.Context(), sb, function); got != want || err != nil {
			t.Errorf("%s = %q, %v; want %q", function, got, err, want)
		}
		ready(t, sb)
	}
	if ran != 0 {
		t.Errorf("the host function ran %d times", ran)
	}
}

// TestGuestFloatBits: a guest gets all bits of a float, those of a signalling NaN
// too.
func TestGuestFloatBits(t *testing.T) {
	t.Parallel()
	for guest, function := range map[string]string{"callguest": "GoFloat32Bits", "callguest-c": "CFloat32Bits"} {
		sb := newSandbox(t, guest, airlock.Options{})
		for _, want := range float32Bits {
			got, err := airlock.Call[uint32](t.Context(), sb, function, math.Float32frombits(want))
			if got != want || err != nil {
				t.Errorf("%s: %#x arrived as %#x, %v", guest, want, got, err)
			}
		}
	}
}

// TestGuestThreads: a call may use threads, as many as there are in its language.
func TestGuestThreads(t *testing.T) {
	t.Parallel()
	for guest, function := range map[string]string{"callguest": "Goroutines", "callguest-c": "CThreads"} {
		sb := newSandbox(t, guest, airlock.Options{})
		for range 5 {
			if sum, err := airlock.Call[int64](t.Context(), sb, function); sum != 99*100/2 || err != nil {
				t.Errorf("%s: the threads counted to %d, %v", guest, sum, err)
			}
		}
	}
}
