package airlock_test

import (
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// liar makes a sandbox for testdata/liarguest, which finds in its name how to
// start. Its host functions count how often they are called.
func liar(t *testing.T, start string, options airlock.Options) (*airlock.Sandbox, *atomic.Int64) {
	t.Helper()
	kvmtest.Require(t)
	calls := new(atomic.Int64)
	options.HostFuncs = airlock.HostFuncs{
		"Double":    airlock.Func(func(v int32) int32 { calls.Add(1); return 2 * v }),
		"EchoInt32": airlock.Func(func(v int32) int32 { calls.Add(1); return v }),
		"EchoString": airlock.Func(func(v string) string {
			calls.Add(1)
			return v
		}),
	}
	guest, err := airlock.NewGuest(start, builtGuests.file(t, "liarguest"))
	if err != nil {
		t.Fatal(err)
	}
	return sandboxOf(t, guest, options), calls
}

func truth(t *testing.T, sb *airlock.Sandbox) {
	t.Helper()
	if got, err := airlock.Call[string](t.Context(), sb, "Truth"); got != "fine" || err != nil {
		t.Fatalf("Truth = %q, %v", got, err)
	}
}

// liarReasons has what the error must say where another check, later on, would refuse
// what came of the lie: it is to be refused by the check that is for it.
var liarReasons = map[string]string{
	"DeclareNothing": "declaration:", "DeclareGarbage": "declaration:", "DuplicateExport": "declaration:", "OneTooMany": "declaration:",
	"NextFirst": "serves before it has declared", "ResultFirst": "a result without a call", "LengthFirst": "impossible length",
	"DeclareTwice": "declared twice", "Garbage": "result:", "GarbageLog": "log record:", "GarbageAbort": "abort:",
	"GarbageHostCall": "host function call:", "LengthMax": "impossible length", "LengthOver": "impossible length",
}

// TestLiars: what no SDK sends during a call is a broken protocol. Nothing of it
// is used, no host function runs, and the sandbox is poisoned.
func TestLiars(t *testing.T) {
	t.Parallel()
	lies := []string{
		// Results.
		"WrongType", "VoidResult", "NoResult", "Garbage", "Truncated", "OtherMessage", "WholeBuffer", "SizePrefix",
		"RootOffset", "BackPointer", "BackForward", "BackItself", "ResultType", "ResultUTF8", "NoError", "UnknownError", "LongError", "DeclareTwice",
		// Logs and aborts.
		"GarbageLog", "LogLevel", "LogNoLevel", "LogLong", "LogUTF8", "LogAttributes",
		"GarbageAbort", "EmptyAbort", "AbortNoCode", "AbortLong", "AbortUTF8",
		// Calls of host functions.
		"GarbageHostCall", "EmptyHostCall", "HostParams", "HostType", "HostVoid", "HostTypeOnly", "HostValueOnly",
		"HostOtherValue", "HostNoName", "HostLongName", "HostLength", "HostNegative", "HostBarely", "HostDeep", "HostShared",
		// Lengths in the control page.
		"LengthMax", "LengthWraps", "LengthSigned", "LengthInt32", "LengthOver", "LengthAgain",
	}
	for _, lie := range lies {
		t.Run(lie, func(t *testing.T) {
			t.Parallel()
			sink := &logSink{level: slog.LevelDebug - 4}
			sb, calls := liar(t, "liarguest", airlock.Options{Logger: slog.New(sink), MessageSize: 128 << 10})
			truth(t, sb)
			if _, err := sb.Call(t.Context(), lie); !errors.Is(err, airlock.ErrProtocol) || !strings.Contains(err.Error(), liarReasons[lie]) {
				t.Fatalf("Call = %T %v, want %q", err, err, liarReasons[lie])
			}
			poisoned(t, sb)
			if n, records := calls.Load(), sink.take(); n != 0 || len(records) != 0 {
				t.Errorf("%d host calls and %d log records came of it", n, len(records))
			}
		})
	}
	t.Run("ControlPage", func(t *testing.T) {
		t.Parallel()
		sb, _ := liar(t, "liarguest", airlock.Options{})
		truth(t, sb)
		_, err := sb.Call(t.Context(), "ControlPage")
		if _, fault := errors.AsType[*airlock.GuestFault](err); !fault && !errors.Is(err, airlock.ErrProtocol) {
			t.Fatalf("Call = %T %v", err, err)
		}
		poisoned(t, sb)
	})
	for function, code := range map[string]int{
		"Exit":  5,
		"Input": 2, // of Go's runtime, after SIGSEGV: what the host writes can only be read
	} {
		t.Run(function, func(t *testing.T) {
			t.Parallel()
			sb, _ := liar(t, "liarguest", airlock.Options{})
			if _, err := sb.Call(t.Context(), function); !exited(code)(err) {
				t.Fatalf("Call = %T %v", err, err)
			}
			poisoned(t, sb)
		})
	}
}

// TestLiarsStart: lies before the first call, most of them in what the guest
// declares.
func TestLiarsStart(t *testing.T) {
	t.Parallel()
	is := func(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }
	protocol := is(airlock.ErrProtocol)
	lies := map[string]func(error) bool{
		"DeclareNothing": protocol, "DeclareGarbage": protocol, "DeclareCall": protocol, "DuplicateExport": protocol,
		"DuplicateImport": protocol, "EmptyName": protocol, "NoName": protocol, "LongName": protocol, "NULName": protocol,
		"BadName": protocol, "TenThousand": protocol, "OneTooMany": protocol, "ManyParams": protocol, "VoidParam": protocol,
		"UnknownParam": protocol, "NoReturn": protocol, "ErrorReturn": protocol, "LongSDK": protocol, "NextFirst": protocol,
		"ResultFirst": protocol, "LengthFirst": protocol,
		"AbortFirst": aborted(airlock.CodeAborted, "before it began"),
		"ExitFirst":  is(airlock.ErrNotServing),
		"FaultFirst": faulted(airlock.GuestFault{Kind: airlock.FaultPort, Addr: 0x3f8}),
	}
	for lie, want := range lies {
		t.Run(lie, func(t *testing.T) {
			t.Parallel()
			sb, calls := liar(t, lie, airlock.Options{MessageSize: 1 << 20})
			if _, err := sb.Call(t.Context(), "Truth"); !want(err) || !strings.Contains(err.Error(), liarReasons[lie]) || calls.Load() != 0 {
				t.Fatalf("Call = %T %.300v, want %q; %d host calls", err, err, liarReasons[lie], calls.Load())
			}
			poisoned(t, sb)
		})
	}
	t.Run("Functions", func(t *testing.T) {
		t.Parallel()
		sb, _ := liar(t, "DuplicateExport", airlock.Options{})
		if list, err := sb.Functions(t.Context()); !errors.Is(err, airlock.ErrProtocol) || len(list.Exports) != 0 {
			t.Fatalf("Functions = %v, %v", list, err)
		}
		poisoned(t, sb)
	})
	t.Run("HostFirst", func(t *testing.T) {
		t.Parallel()
		sb, calls := liar(t, "HostFirst", airlock.Options{})
		got, err := airlock.Call[string](t.Context(), sb, "Truth")
		if want := "bad message, bad message"; got != want || err != nil || calls.Load() != 0 {
			t.Errorf("host functions before a call: %q, %v; want %q; %d host calls", got, err, want, calls.Load())
		}
	})
	t.Run("LogFirst", func(t *testing.T) {
		t.Parallel()
		sb, _ := liar(t, "LogFirst", airlock.Options{})
		truth(t, sb)
	})
}

// TestHonestMistakes: what a guest may get wrong, and is told.
func TestHonestMistakes(t *testing.T) {
	t.Parallel()
	sb, calls := liar(t, "liarguest", airlock.Options{})
	for function, want := range map[string]string{
		"HostUnknown":    "unknown function: there is no such host function",
		"HostWrongType":  "wrong parameters: the host function has other parameters",
		"HostWrongWidth": "wrong parameters: the host function has other parameters",
		"HostTooFew":     "wrong parameters: the host function has other parameters",
		"HostTooMany":    "wrong parameters: the host function has other parameters",
		"TooLong":        "message too long",
		"NoOperation":    "invalid argument",
		"Answer":         "fine",
	} {
		if got, err := airlock.Call[string](t.Context(), sb, function); got != want || err != nil {
			t.Errorf("%s = %q, %v; want %q", function, got, err, want)
		}
		truth(t, sb)
	}
	if n := calls.Load(); n != 0 {
		t.Errorf("a host function ran %d times", n)
	}
	if got, err := airlock.Call[string](t.Context(), sb, "HostRight"); got != "42" || err != nil || calls.Load() != 1 {
		t.Errorf("HostRight = %q, %v", got, err)
	}
}

// TestLiarsRace: a thread of the guest changes messages after they were written.
// What the host makes of them is one thing or the other: a message that is as
// the schema says, or a broken protocol.
//
// A guest has one processor, which stands still while the host reads. So what
// the thread changes is changed before, also behind the kernel's back, and would
// be changed amid reading only if a guest had two.
func TestLiarsRace(t *testing.T) {
	t.Parallel()
	t.Run("text", func(t *testing.T) {
		t.Parallel()
		sb, calls := liar(t, "liarguest", airlock.Options{})
		got, err := airlock.Call[string](t.Context(), sb, "RaceText")
		if changed, _ := strconv.Atoi(got); err != nil || changed < 100 || calls.Load() != 3000 {
			t.Errorf("RaceText = %q, %v, after %d host calls", got, err, calls.Load())
		}
		truth(t, sb)
	})
	for _, lie := range []string{"RaceAny", "RaceLength"} {
		t.Run(lie, func(t *testing.T) {
			t.Parallel()
			var total int64
			for range rounds(100) {
				sb, calls := liar(t, "liarguest", airlock.Options{})
				if _, err := sb.Call(t.Context(), lie); !errors.Is(err, airlock.ErrProtocol) {
					t.Errorf("Call = %T %v", err, err)
				}
				poisoned(t, sb)
				total += calls.Load()
				if err := sb.Close(); err != nil {
					t.Error(err)
				}
			}
			t.Logf("%d changed messages were still good", total)
		})
	}
}
