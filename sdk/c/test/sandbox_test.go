package test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/kvmtest"
	"github.com/airlockvm/airlock/internal/wire"
)

// builds are the ways in which users build guests, by the name of what is linked.
var builds = map[string][]string{
	"glibc":        {"gcc", "-static"},
	"glibc-pie":    {"gcc", "-static-pie", "-fPIE"},
	"musl":         {"musl-gcc", "-static"},
	"freestanding": {"gcc", "-static", "-ffreestanding", "-nostdlib", "-DAIRLOCK_FREESTANDING"},
	"unoptimized":  {"gcc", "-O0", "-static", "-ffreestanding", "-nostdlib", "-DAIRLOCK_FREESTANDING"},
	"clang":        {"clang", "-static", "-ffreestanding", "-nostdlib", "-DAIRLOCK_FREESTANDING"},
}

func buildGuest(tb testing.TB, source string, command []string) *airlock.Guest {
	tb.Helper()
	program := compile(tb, command[0], "-std=c99", "-O2", strict, command[1:], "-I../..", source, sdk)
	guest, err := airlock.LoadGuest(program)
	if err != nil {
		tb.Fatal(err)
	}
	return guest
}

// hosts are the host functions that guest.c needs.
func hosts() airlock.HostFuncs {
	return airlock.HostFuncs{
		"Echo.int32":   airlock.Func(func(v int32) int32 { return v }),
		"Echo.uint32":  airlock.Func(func(v uint32) uint32 { return v }),
		"Echo.int64":   airlock.Func(func(v int64) int64 { return v }),
		"Echo.uint64":  airlock.Func(func(v uint64) uint64 { return v }),
		"Echo.float32": airlock.Func(func(v float32) float32 { return v }),
		"Echo.float64": airlock.Func(func(v float64) float64 { return v }),
		"Echo.bool":    airlock.Func(func(v bool) bool { return v }),
		"Echo.string":  airlock.Func(func(v string) string { return v }),
		"Echo.bytes":   airlock.Func(func(v []byte) []byte { return v }),
		"Echo.void":    airlock.Func(func() {}),
		"Sum": airlock.Func(func(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z,
			a1, b1, c1, d1, e1, f1 int32,
		) int64 {
			return int64(a + b + c + d + e + f + g + h + i + j + k + l + m + n + o + p + q + r + s + t + u + v + w + x + y + z +
				a1 + b1 + c1 + d1 + e1 + f1)
		}),
		"Fails": airlock.Func(func(visible bool) error {
			if visible {
				return airlock.Visible(errors.New("what you may know"))
			}
			return errors.New("what you must not know")
		}),
		"Panics": airlock.Func(func() { panic("secret of the host") }),
		"Large":  airlock.Func(func(n int64) []byte { return make([]byte, n) }),
	}
}

func newSandbox(tb testing.TB, guest *airlock.Guest, options airlock.Options) *airlock.Sandbox {
	tb.Helper()
	if options.HostFuncs == nil {
		options.HostFuncs = hosts()
	}
	sb, err := airlock.New(tb.Context(), guest, options)
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

// guests returns guest.c, built in every way that this machine has compilers
// for. In CI it has all.
func guests(t *testing.T) map[string]*airlock.Guest {
	t.Helper()
	kvmtest.Require(t)
	list := map[string]*airlock.Guest{}
	for name, command := range builds {
		if _, err := exec.LookPath(command[0]); err != nil && os.Getenv("CI") != "true" {
			t.Logf("without %s: %v", name, err)
			continue
		}
		list[name] = buildGuest(t, "guest.c", command)
	}
	if len(list) == 0 {
		kvmtest.Skip(t, "needs a C compiler")
	}
	return list
}

// TestSandboxTypes: each type goes there and back bit by bit, through the guest and
// through the guest and the host.
func TestSandboxTypes(t *testing.T) {
	t.Parallel()
	for name, guest := range guests(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sb := newSandbox(t, guest, airlock.Options{})
			values := map[string][]any{
				"Int32":  {int32(math.MinInt32), int32(-1), int32(0), int32(math.MaxInt32)},
				"Uint32": {uint32(0), uint32(math.MaxUint32)},
				"Int64":  {int64(math.MinInt64), int64(math.MaxInt64)},
				"Uint64": {uint64(0), uint64(math.MaxUint64)},
				"Float32": {
					float32(math.Inf(-1)), float32(math.SmallestNonzeroFloat32), float32(math.Copysign(0, -1)),
					math.Float32frombits(0x7fc12345), math.Float32frombits(0x7f800001), math.Float32frombits(0xffa0beef),
				},
				"Float64": {
					math.MaxFloat64, math.Copysign(0, -1), math.Float64frombits(0x7ff8dead_beef0001), math.Float64frombits(0xfff00000_00000001),
				},
				"Bool":   {true, false},
				"String": {"", "Grüße\x00, 火 🚀", strings.Repeat("x", 60000)},
				"Bytes":  {[]byte{}, []byte{0, 255, 128}, bytes.Repeat([]byte{0xc3}, 60000)},
			}
			for name, list := range values {
				for _, want := range list {
					for _, function := range []string{name, "Host" + name} {
						got, err := sb.Call(t.Context(), function, want)
						if err != nil || !sameBits(got, want) {
							t.Errorf("%s(%.40v) = %.40v, %v", function, want, got, err)
						}
					}
				}
			}
			for _, function := range []string{"Void", "HostVoid", "Grüße, 火!", strings.Repeat("n", 255)} {
				if got, err := sb.Call(t.Context(), function); got != nil || err != nil {
					t.Errorf("%s = %v, %v", function, got, err)
				}
			}
			if got, err := sb.Call(t.Context(), "Sum", repeated(32)...); got != int64(496) || err != nil {
				t.Errorf("Sum = %v, %v", got, err)
			}
			if got, err := sb.Call(t.Context(), "HostSum"); got != int64(496) || err != nil {
				t.Errorf("HostSum = %v, %v", got, err)
			}
			if got, err := sb.Call(t.Context(), "Mixed", 5, "b", []byte("in: "), 1.5, false); got != "b5in: 1500no" || err != nil {
				t.Errorf("Mixed = %v, %v", got, err)
			}
		})
	}
}

func sameBits(a, b any) bool {
	switch x := a.(type) {
	case float32:
		y, ok := b.(float32)
		return ok && math.Float32bits(x) == math.Float32bits(y)
	case float64:
		y, ok := b.(float64)
		return ok && math.Float64bits(x) == math.Float64bits(y)
	}
	return reflect.DeepEqual(a, b)
}

// TestSandboxErrors: a function that fails leaves the sandbox usable.
func TestSandboxErrors(t *testing.T) {
	t.Parallel()
	for name, guest := range guests(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sb := newSandbox(t, guest, airlock.Options{})
			for _, test := range []struct {
				function string
				args     []any
				code     airlock.GuestErrorCode
				message  string
			}{
				{"Error", []any{"it didn't work\n"}, airlock.CodeFailed, "no: it didn't work\n"},
				{"Error", []any{strings.Repeat("x", 5000)}, airlock.CodeFailed, "no: " + strings.Repeat("x", 4089) + "…"},
				{"BadText", nil, airlock.CodeFailed, "the result is a string that is not valid UTF-8"},
				{"LateError", nil, airlock.CodeFailed, "late"},
				{"Large", []any{70000}, airlock.CodeTooLarge, "the result does not fit into the message buffer"},
			} {
				_, err := sb.Call(t.Context(), test.function, test.args...)
				guestError, ok := errors.AsType[*airlock.GuestError](err)
				if !ok || guestError.Code != test.code || guestError.Message != test.message {
					t.Errorf("%s: %.200v; want %s: %.200s", test.function, err, test.code, test.message)
				}
			}
			for function, want := range map[string]any{"Twice": "third", "Local": "local", "SplitText": "ü", "LateLog": int32(42)} {
				if got, err := sb.Call(t.Context(), function); got != want || err != nil {
					t.Errorf("%s = %v, %v; want %v", function, got, err, want)
				}
			}
			if got, err := airlock.Call[[]byte](t.Context(), sb, "Keep", "text", []byte{1}); string(got) != "text\x00\x01overwrites" || err != nil {
				t.Errorf("Keep = %q, %v", got, err)
			}
			if got, err := airlock.Call[string](t.Context(), sb, "Stream", "piece", 3); got != "[piecepiecepiece]" || err != nil {
				t.Errorf("Stream = %q, %v", got, err)
			}
		})
	}
}

// TestSandboxHostErrors: a guest learns what the host lets it know.
func TestSandboxHostErrors(t *testing.T) {
	t.Parallel()
	for name, guest := range guests(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sb := newSandbox(t, guest, airlock.Options{})
			for _, test := range []struct {
				function string
				args     []any
				want     string
			}{
				{"HostFails", []any{true}, "1:what you may know"},
				{"HostFails", []any{false}, "1:the host function failed"},
				{"HostMissing", nil, "2:there is no such host function"},
				{"HostOther", nil, "3:the host function has other parameters"},
				{"HostOtherResult", nil, "6:the host's result has another type than the import"},
				{"HostWrong", nil, "3:the arguments are not those of the import"},
				{"HostBadText", nil, "6:an argument is a string that is not valid UTF-8"},
				{"HostLarge", []any{60000, 60000}, "0:60000"},
				{"HostLarge", []any{60000, 50}, "5:the result does not fit into the buffer that was "},
				{"HostLarge", []any{1 << 20, 60000}, "5:the host function's result can't be sent"},
				{"HostText", []any{"four", 5}, "0:four"},
				{"SendLarge", []any{60000}, "0:60000"},
				{"SendLarge", []any{65536}, "5:the arguments do not fit into the message buffer"},
			} {
				got, err := airlock.Call[string](t.Context(), sb, test.function, test.args...)
				if got != test.want || err != nil {
					t.Errorf("%s%v = %q, %v; want %q", test.function, test.args, got, err, test.want)
				}
			}
			if _, err := sb.Call(t.Context(), "HostPanics"); !isType[*airlock.HostPanicError](err) {
				t.Errorf("HostPanics: %v", err)
			}
			if got, err := sb.Call(t.Context(), "Int32", 7); got != int32(7) || err != nil {
				t.Errorf("the sandbox is not usable: %v, %v", got, err)
			}
		})
	}
}

func isType[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// TestSandboxSizes: messages that fill a buffer to its last byte, in all directions,
// and such that are a byte longer.
func TestSandboxSizes(t *testing.T) {
	t.Parallel()
	for name, guest := range guests(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, size := range []int{8 << 10, 64 << 10, 1 << 20} {
				sb := newSandbox(t, guest, airlock.Options{MessageSize: int64(size)})
				largestCall := func(name string, value func(n int) wire.Value) int {
					return largest(t, size, func(n int) ([]byte, error) {
						return wire.AppendCall(nil, &wire.Call{Name: name, Args: []wire.Value{value(n)}})
					})
				}
				largestResult := largest(t, size, func(n int) ([]byte, error) {
					return wire.AppendResult(nil, &wire.Result{Value: zeros(n)})
				})

				n := largestCall("Error", func(n int) wire.Value { return wire.String(strings.Repeat("x", n)) })
				if _, err := sb.Call(t.Context(), "Error", strings.Repeat("x", n)); !isType[*airlock.GuestError](err) {
					t.Errorf("a call that fills %d bytes: %v", size, err)
				}
				if _, err := sb.Call(t.Context(), "Error", strings.Repeat("x", n+1)); !errors.Is(err, airlock.ErrTooLarge) {
					t.Errorf("a call of more than %d bytes: %v", size, err)
				}
				if got, err := airlock.Call[[]byte](t.Context(), sb, "Large", largestResult); len(got) != largestResult || err != nil {
					t.Errorf("a result that fills %d bytes: %d, %v", size, len(got), err)
				}
				_, err := sb.Call(t.Context(), "Large", largestResult+1)
				if guestError, ok := errors.AsType[*airlock.GuestError](err); !ok || guestError.Code != airlock.CodeTooLarge {
					t.Errorf("a result of more than %d bytes: %v", size, err)
				}
				if size > 64<<10 {
					continue // what the guest has for the host's answers
				}
				n = largestCall("Echo.bytes", zeros)
				for _, test := range []struct {
					function string
					args     []any
					want     string
				}{
					{"SendLarge", []any{n}, fmt.Sprint("0:", n)},
					{"SendLarge", []any{n + 1}, "5:the arguments do not fit into the message buffer"},
					{"HostLarge", []any{largestResult, size}, fmt.Sprint("0:", largestResult)},
					{"HostLarge", []any{largestResult + 1, size}, "5:the host function's result can't be sent"},
				} {
					if got, err := sb.Call(t.Context(), test.function, test.args...); got != test.want || err != nil {
						t.Errorf("%s%v with %d bytes = %v, %v; want %s", test.function, test.args, size, got, err, test.want)
					}
				}
			}
		})
	}
}

func zeros(n int) wire.Value { return wire.Bytes(make([]byte, n)) }

// largest returns the largest n of which the message fits.
func largest(t *testing.T, size int, message func(n int) ([]byte, error)) int {
	t.Helper()
	for n := size; ; n-- {
		text, err := message(n)
		if err != nil {
			t.Fatal(err)
		}
		if len(text) <= size {
			return n
		}
	}
}

// TestSandboxLogs: records get to the application's logger, with all they have.
func TestSandboxLogs(t *testing.T) {
	t.Parallel()
	for name, guest := range guests(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug - 4}))
			sb := newSandbox(t, guest, airlock.Options{Logger: logger})
			for level, word := range map[int32]string{1: "DEBUG-4", 2: "DEBUG", 3: "INFO", 4: "WARN", 5: "ERROR"} {
				if got, err := sb.Call(t.Context(), "Log", level, "line\nbreak"); got != true || err != nil {
					t.Fatalf("Log = %v, %v", got, err)
				}
				if want := "level=" + word + ` msg="line\nbreak" guest=` + guest.Name() + ` source=test file=guest.c:`; !strings.Contains(out.String(), want) ||
					!strings.Contains(out.String(), `guest.length=many guest.text="line\nbreak"`) {
					t.Errorf("the log lacks %s:\n%s", want, &out)
				}
				out.Reset()
			}
			if got, err := sb.Call(t.Context(), "Log", 6, "no level"); got != false || err != nil {
				t.Errorf("Log with no level = %v, %v", got, err)
			}
		})
	}
}

// TestSandboxState: the program's memory lives from call to call, and without a
// restore no hook runs.
func TestSandboxState(t *testing.T) {
	t.Parallel()
	for name, guest := range guests(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sb := newSandbox(t, guest, airlock.Options{})
			for want := range int64(5) {
				if got, err := airlock.Call[int64](t.Context(), sb, "Count"); got != want+1 || err != nil {
					t.Fatalf("Count = %d, %v; want %d", got, err, want+1)
				}
			}
			if got, err := airlock.Call[int64](t.Context(), sb, "Restored"); got != 0 || err != nil {
				t.Errorf("the hook ran %d times, %v", got, err)
			}
		})
	}
}

// TestSandboxEnds: whatever ends the program ends the call, with what is known of it.
func TestSandboxEnds(t *testing.T) {
	t.Parallel()
	for name, guest := range guests(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			aborted := func(code airlock.GuestErrorCode, message string) func(error) bool {
				return func(err error) bool {
					abort, ok := errors.AsType[*airlock.GuestAbortError](err)
					return ok && abort.Code == code && abort.Message == message
				}
			}
			for function, test := range map[string]struct {
				args []any
				want func(error) bool
			}{
				"Abort": {[]any{"enough"}, aborted(airlock.CodeAborted, "enough")},
				"Exit": {[]any{3}, func(err error) bool {
					exit, ok := errors.AsType[*airlock.GuestExitError](err)
					return ok && exit.Code == 3
				}},
				"Fault": {nil, func(err error) bool {
					fault, ok := errors.AsType[*airlock.GuestFault](err)
					return ok && fault.Kind == airlock.FaultPage && fault.Addr == 0x123456789000
				}},
				"WrongArgument": {[]any{1}, aborted(airlock.CodePanicked, "WrongArgument: argument 0 was read as string and is int32")},
				"WrongResult":   {nil, aborted(airlock.CodePanicked, "WrongResult: int32 was returned, and is declared to be string")},
				"NoResult":      {nil, aborted(airlock.CodePanicked, "NoResult: it returned nothing")},
			} {
				sb := newSandbox(t, guest, airlock.Options{})
				if _, err := sb.Call(t.Context(), function, test.args...); !test.want(err) {
					t.Errorf("%s: %T %v", function, err, err)
				}
				if _, err := sb.Call(t.Context(), "Void"); !errors.Is(err, airlock.ErrPoisoned) {
					t.Errorf("%s: the sandbox is not poisoned: %v", function, err)
				}
			}
		})
	}
}

// TestSandboxRefused: the host library knows what the guest has declared.
func TestSandboxRefused(t *testing.T) {
	t.Parallel()
	for name, guest := range guests(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sb := newSandbox(t, guest, airlock.Options{})
			for name, test := range map[string]struct {
				function string
				args     []any
				want     error
			}{
				"unknown":    {"Nope", nil, airlock.ErrUnknownFunction},
				"wrong type": {"Int32", []any{"7"}, airlock.ErrArguments},
				"too few":    {"Int32", nil, airlock.ErrArguments},
				"too many":   {"Sum", repeated(33), airlock.ErrArguments},
				"bad UTF-8":  {"String", []any{"\xff"}, airlock.ErrArguments},
			} {
				if _, err := sb.Call(t.Context(), test.function, test.args...); !errors.Is(err, test.want) {
					t.Errorf("%s: %v; want %v", name, err, test.want)
				}
			}
			if got, err := sb.Call(t.Context(), "Int32", 7); got != int32(7) || err != nil {
				t.Errorf("the sandbox is not usable: %v, %v", got, err)
			}
		})
	}
}

// TestSandboxDeclaration: the host knows what a guest exports and needs.
func TestSandboxDeclaration(t *testing.T) {
	t.Parallel()
	for name, guest := range guests(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			funcs := hosts()
			delete(funcs, "Echo.void")
			funcs["Echo.int32"] = airlock.Func(func(v int64) int64 { return v })
			sb := newSandbox(t, guest, airlock.Options{HostFuncs: funcs})
			_, err := sb.Call(t.Context(), "Void")
			missing, ok := errors.AsType[*airlock.MissingHostFunctionError](err)
			if !ok || fmt.Sprint(missing.Functions) != "[Echo.int32(int32) int32 Echo.void()]" {
				t.Errorf("without two host functions: %v", err)
			}
			list, err := sb.Functions(t.Context())
			if err != nil || list.SDK != "c 0.1" || len(list.Imports) != 14 || list.Exports[22].String() !=
				"Mixed(int32, string, bytes, float64, bool) string" {
				t.Errorf("Functions = %+v, %v", list, err)
			}
		})
	}
}
