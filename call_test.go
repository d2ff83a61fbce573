package airlock_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// buildGuest builds a Go package below testdata with the stock toolchain, once.
var buildGuest = func() func(tb testing.TB, name string) *airlock.Guest {
	var mu sync.Mutex
	built := map[string]*airlock.Guest{}
	return func(tb testing.TB, name string) *airlock.Guest {
		tb.Helper()
		mu.Lock()
		defer mu.Unlock()
		if g, ok := built[name]; ok {
			return g
		}
		out := filepath.Join(tb.TempDir(), name)
		cmd := exec.Command("go", "build", "-o", out, "./testdata/"+name)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
		if text, err := cmd.CombinedOutput(); err != nil {
			tb.Fatalf("go build: %v\n%s", err, text)
		}
		g, err := airlock.LoadGuest(out)
		if err != nil {
			tb.Fatal(err)
		}
		built[name] = g
		return g
	}
}()

// hosts are the host functions that callguest needs.
func hosts() airlock.HostFuncs {
	return airlock.HostFuncs{
		"Weekday": airlock.Func(func(context.Context) (string, error) { return "Monday", nil }),
		"Double":  airlock.Func(func(v int32) int32 { return 2 * v }),
		"Fails": airlock.Func(func(visible bool) error {
			if visible {
				return airlock.Visible(errors.New("what you may know"))
			}
			return errors.New("what you must not know")
		}),
		"Panics":  airlock.Func(func() { panic("secret of the host") }),
		"Sleeps":  airlock.Func(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }),
		"Reenter": airlock.Func(func() {}),
		"Large":   airlock.Func(func(n int64) []byte { return make([]byte, n) }),
	}
}

func newSandbox(tb testing.TB, name string, options airlock.Options) *airlock.Sandbox {
	tb.Helper()
	kvmtest.Require(tb)
	if options.HostFuncs == nil {
		options.HostFuncs = hosts()
	}
	sb, err := airlock.New(tb.Context(), buildGuest(tb, name), options)
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

// ready fails the test unless the sandbox still answers.
func ready(t *testing.T, sb *airlock.Sandbox) {
	t.Helper()
	if v, err := airlock.Call[int32](t.Context(), sb, "Int32", 7); v != 7 || err != nil {
		t.Fatalf("the sandbox is not usable: %d, %v", v, err)
	}
}

// poisoned fails the test unless the sandbox refuses to go on.
func poisoned(t *testing.T, sb *airlock.Sandbox) {
	t.Helper()
	if _, err := sb.Call(t.Context(), "Int32", 7); !errors.Is(err, airlock.ErrPoisoned) {
		t.Fatalf("the sandbox is not poisoned: %v", err)
	}
}

func TestCallTypes(t *testing.T) {
	t.Parallel()
	sb := newSandbox(t, "callguest", airlock.Options{})
	nan := math.Float64frombits(0x7ff8dead_beef0001)
	values := map[string][]any{
		"Int32":   {int32(math.MinInt32), int32(-1), int32(math.MaxInt32)},
		"Uint32":  {uint32(0), uint32(math.MaxUint32)},
		"Int64":   {int64(math.MinInt64), int64(math.MaxInt64)},
		"Uint64":  {uint64(0), uint64(math.MaxUint64)},
		"Float32": {float32(math.Inf(-1)), float32(math.SmallestNonzeroFloat32), float32(math.Copysign(0, -1))},
		"Float64": {math.MaxFloat64, math.Copysign(0, -1)},
		"Bool":    {true, false},
		"String":  {"", "Grüße\x00", strings.Repeat("x", 60000)},
		"Bytes":   {[]byte{}, []byte{0, 255, 128}},
	}
	for name, list := range values {
		for _, want := range list {
			got, err := sb.Call(t.Context(), name, want)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s(%.40v) = %.40v, %v", name, want, got, err)
			}
		}
	}
	if got, err := airlock.Call[float64](t.Context(), sb, "Float64", nan); err != nil ||
		math.Float64bits(got) != math.Float64bits(nan) {
		t.Errorf("a NaN came back as %x, %v", math.Float64bits(got), err)
	}
	if _, err := airlock.Call[struct{}](t.Context(), sb, "Void"); err != nil {
		t.Errorf("Void() = %v", err)
	}
	if got, err := airlock.Call[string](t.Context(), sb, "Mixed", -5, "b", []byte{1, 2}, 1.5, true); got != "-5b[1 2] 1.5 true" {
		t.Errorf("Mixed = %q, %v", got, err)
	}
	if got, err := airlock.Call[int64](t.Context(), sb, "Goroutines"); got != 4950 || err != nil {
		t.Errorf("Goroutines = %d, %v", got, err)
	}
}

func TestCallRefused(t *testing.T) {
	t.Parallel()
	sb := newSandbox(t, "callguest", airlock.Options{})
	tests := map[string]struct {
		function string
		args     []any
		want     error
		text     string
	}{
		"unknown":      {"Nope", nil, airlock.ErrUnknownFunction, `"Nope"`},
		"empty name":   {"", nil, airlock.ErrUnknownFunction, `""`},
		"wrong type":   {"Int32", []any{"7"}, airlock.ErrArguments, "Int32(int32) int32: argument 1 is a string, not a int32"},
		"out of range": {"Int32", []any{1 << 40}, airlock.ErrArguments, "argument 1"},
		"negative":     {"Uint64", []any{-1}, airlock.ErrArguments, "argument 1"},
		"too few":      {"Int32", nil, airlock.ErrArguments, "takes 1, got 0"},
		"too many":     {"Void", []any{1}, airlock.ErrArguments, "takes 0, got 1"},
		"nil":          {"Bytes", []any{nil}, airlock.ErrArguments, "argument 1"},
		"bad UTF-8":    {"String", []any{"\xff"}, airlock.ErrArguments, ""},
		"too large":    {"Bytes", []any{make([]byte, 64<<10)}, airlock.ErrTooLarge, "65536"},
	}
	for name, test := range tests {
		_, err := sb.Call(t.Context(), test.function, test.args...)
		if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: %v; want %v with %q", name, err, test.want, test.text)
		}
	}
	if _, err := airlock.Call[string](t.Context(), sb, "Int32", 7); !errors.Is(err, airlock.ErrArguments) {
		t.Errorf("a result of the wrong type: %v", err)
	}
	ready(t, sb)
}

func TestHostFunctions(t *testing.T) {
	t.Parallel()
	sb := newSandbox(t, "callguest", airlock.Options{})
	tests := []struct {
		function string
		args     []any
		want     any
	}{
		{"Hello", []any{"World"}, "Hello, World! Today is Monday."},
		{"Double", []any{21}, int32(42)},
		{"HostFails", []any{true}, "host function: failed: what you may know"},
		{"HostFails", []any{false}, "host function: failed: the host function failed"},
		{"HostLarge", []any{60000}, int64(60000)},
	}
	for _, test := range tests {
		got, err := sb.Call(t.Context(), test.function, test.args...)
		if err != nil || got != test.want {
			t.Errorf("%s = %q, %v; want %q", test.function, got, err, test.want)
		}
	}
	var guestError *airlock.GuestError
	if _, err := sb.Call(t.Context(), "HostLarge", 1<<20); !errors.As(err, &guestError) {
		t.Errorf("a host function's result that is too large: %v", err)
	}
	var panicked *airlock.HostPanicError
	_, err := sb.Call(t.Context(), "HostPanics")
	if !errors.As(err, &panicked) || panicked.Function != "Panics" || panicked.Value != "secret of the host" ||
		!bytes.Contains(panicked.Stack, []byte("call_test.go")) {
		t.Errorf("a host function that panics: %v", err)
	}
	ready(t, sb)
}

// TestHostFunctionReenters: a host function can't use its own sandbox.
func TestHostFunctionReenters(t *testing.T) {
	t.Parallel()
	var sb *airlock.Sandbox
	funcs := hosts()
	funcs["Reenter"] = airlock.Func(func(ctx context.Context) error {
		_, err := sb.Call(ctx, "Void")
		return airlock.Visible(err)
	})
	sb = newSandbox(t, "callguest", airlock.Options{HostFuncs: funcs})
	got, err := airlock.Call[string](t.Context(), sb, "HostReenters")
	if err != nil || !strings.Contains(got, airlock.ErrBusy.Error()) {
		t.Fatalf("HostReenters = %q, %v", got, err)
	}
	ready(t, sb)
}

func TestMissingHostFunctions(t *testing.T) {
	t.Parallel()
	funcs := hosts()
	delete(funcs, "Weekday")
	funcs["Double"] = airlock.Func(func(v int64) int64 { return v })
	sb := newSandbox(t, "callguest", airlock.Options{HostFuncs: funcs})
	var missing *airlock.MissingHostFunctionError
	_, err := sb.Call(t.Context(), "Void")
	if !errors.As(err, &missing) || len(missing.Functions) != 2 ||
		!strings.Contains(err.Error(), "Weekday() string, Double(int32) int32") {
		t.Fatalf("Call = %v", err)
	}
	list, err := sb.Functions(t.Context())
	if err != nil || len(list.Imports) < 2 || len(list.Exports) < 10 {
		t.Fatalf("Functions without all host functions = %v, %v", list, err)
	}
}

func TestHostFunctionRegistry(t *testing.T) {
	t.Parallel()
	kvmtest.Require(t)
	tests := map[string]any{
		"not a func": 5, "nil": nil, "nil func": (func())(nil), "variadic": func(...string) {},
		"bad parameter": func(map[string]int) {}, "bad result": func() chan int { return nil },
		"two results": func() (int32, int32) { return 1, 2 }, "late context": func(int32, context.Context) {},
		"33 parameters": reflect.Zero(reflect.FuncOf(repeat(reflect.TypeFor[int32](), 33), nil, false)).Interface(),
	}
	for name, fn := range tests {
		_, err := airlock.New(t.Context(), buildGuest(t, "callguest"),
			airlock.Options{HostFuncs: airlock.HostFuncs{"F": airlock.Func(fn)}})
		if !errors.Is(err, airlock.ErrOptions) || !strings.Contains(err.Error(), `"F"`) {
			t.Errorf("%s: New = %v", name, err)
		}
	}
	_, err := airlock.New(t.Context(), buildGuest(t, "callguest"),
		airlock.Options{HostFuncs: airlock.HostFuncs{strings.Repeat("n", 256): airlock.Func(func() {})}})
	if !errors.Is(err, airlock.ErrOptions) {
		t.Errorf("a long name: New = %v", err)
	}
}

func repeat(t reflect.Type, n int) []reflect.Type {
	list := make([]reflect.Type, n)
	for i := range list {
		list[i] = t
	}
	return list
}

func TestGuestFailures(t *testing.T) {
	t.Parallel()
	t.Run("error", func(t *testing.T) {
		t.Parallel()
		sb := newSandbox(t, "callguest", airlock.Options{})
		var guestError *airlock.GuestError
		if _, err := sb.Call(t.Context(), "Error", "it didn't work\n"); !errors.As(err, &guestError) ||
			guestError.Message != "it didn't work\n" || strings.Contains(err.Error(), "\n") {
			t.Fatalf("Call = %v", err)
		}
		if _, err := sb.Call(t.Context(), "Large", 70000); !errors.As(err, &guestError) {
			t.Fatalf("a result that is too large: %v", err)
		}
		ready(t, sb)
	})
	as := map[string]struct {
		function string
		args     []any
		want     func(error) bool
	}{
		"abort": {"Abort", []any{strings.Repeat("x", 10000)}, func(err error) bool {
			abort, ok := errors.AsType[*airlock.GuestAbortError](err)
			return ok && strings.HasPrefix(abort.Message, "xxx") && len(abort.Message) <= 4096
		}},
		"panic": {"Panic", []any{"oh"}, func(err error) bool {
			abort, ok := errors.AsType[*airlock.GuestAbortError](err)
			return ok && abort.Message == "Panic panicked: oh"
		}},
		"exit": {"Exit", []any{3}, func(err error) bool {
			exit, ok := errors.AsType[*airlock.GuestExitError](err)
			return ok && exit.Code == 3
		}},
		"fault": {"Fault", nil, func(err error) bool {
			exit, ok := errors.AsType[*airlock.GuestExitError](err)
			return ok && exit.Code == 2 // Go's runtime reports it and exits
		}},
	}
	for name, test := range as {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sb := newSandbox(t, "callguest", airlock.Options{})
			ready(t, sb)
			if _, err := sb.Call(t.Context(), test.function, test.args...); !test.want(err) {
				t.Fatalf("Call = %T %v", err, err)
			}
			poisoned(t, sb)
		})
	}
}

func TestCallCanceled(t *testing.T) {
	t.Parallel()
	for _, function := range []string{"Spin", "HostSleeps"} {
		t.Run(function, func(t *testing.T) {
			t.Parallel()
			sb := newSandbox(t, "callguest", airlock.Options{})
			ready(t, sb)
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if _, err := sb.Call(ctx, function); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("Call = %v", err)
			}
			poisoned(t, sb)
		})
	}
	t.Run("before", func(t *testing.T) {
		t.Parallel()
		sb := newSandbox(t, "callguest", airlock.Options{})
		ready(t, sb)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := sb.Call(ctx, "Void"); !errors.Is(err, context.Canceled) {
			t.Fatalf("Call = %v", err)
		}
	})
	t.Run("close", func(t *testing.T) {
		t.Parallel()
		sb := newSandbox(t, "callguest", airlock.Options{})
		ready(t, sb)
		time.AfterFunc(50*time.Millisecond, func() { _ = sb.Close() })
		if _, err := sb.Call(t.Context(), "Spin"); !errors.Is(err, airlock.ErrClosed) {
			t.Fatalf("Call = %v", err)
		}
	})
}

func TestStateBetweenCalls(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	sb := newSandbox(t, "callguest", airlock.Options{Stdout: &out})
	for want := range int64(5) {
		if got, err := airlock.Call[int64](t.Context(), sb, "Count"); got != want+1 || err != nil {
			t.Fatalf("Count = %d, %v; want %d", got, err, want+1)
		}
	}
	if _, err := sb.Call(t.Context(), "Print", "printed"); err != nil || out.String() != "PRINTED" {
		t.Fatalf("stdout after a call that prints: %q, %v", &out, err)
	}
}

func TestGuestLogs(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo}))
	sb := newSandbox(t, "callguest", airlock.Options{Logger: logger})
	if _, err := sb.Call(t.Context(), "Log", 2, "line\nbreak"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`level=INFO msg="line\nbreak" guest=callguest source=test`, "guest.i=1"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, &out)
		}
	}
	out.Reset()
	if _, err := sb.Call(t.Context(), "Log", 1500, "flood"); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "msg=flood"); n != 1000 || strings.Count(out.String(), "level=WARN") != 1 {
		t.Errorf("%d records of a flood were passed on", n)
	}
}

func TestBind(t *testing.T) {
	t.Parallel()
	sb := newSandbox(t, "callguest", airlock.Options{})
	hello, err := airlock.Bind[func(context.Context, string) (string, error)](sb, "Hello")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := hello(t.Context(), "Ann"); got != "Hello, Ann! Today is Monday." || err != nil {
		t.Errorf("hello = %q, %v", got, err)
	}
	wrong, err := airlock.Bind[func(int32) (string, error)](sb, "Hello")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wrong(5); !errors.Is(err, airlock.ErrArguments) {
		t.Errorf("a function bound with other types: %v", err)
	}
	if _, err := airlock.Bind[func(string) string](sb, "Hello"); !errors.Is(err, airlock.ErrArguments) {
		t.Errorf("a function type that can't fail: %v", err)
	}
	ready(t, sb)
}

func TestNotServing(t *testing.T) {
	t.Parallel()
	kvmtest.Require(t)
	g, err := airlock.NewGuest("tiny", tinyExit)
	if err != nil {
		t.Fatal(err)
	}
	sb, err := airlock.New(t.Context(), g, airlock.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close()
	if _, err := sb.Call(t.Context(), "F"); !errors.Is(err, airlock.ErrNotServing) {
		t.Errorf("Call of a program that just ends: %v", err)
	}
	serving := newSandbox(t, "callguest", airlock.Options{})
	var stderr bytes.Buffer
	code, err := serving.Run(t.Context(), airlock.Process{Stderr: &stderr})
	if code != 1 || err != nil || !strings.Contains(stderr.String(), "airlock call") {
		t.Errorf("Run of a program that serves: %d, %v, %q", code, err, &stderr)
	}
}

func TestLiars(t *testing.T) {
	t.Parallel()
	lies := []string{
		"WrongType", "NoResult", "Garbage", "Truncated", "HugeLength", "SizePrefix", "DeclareTwice",
		"GarbageHostCall", "GarbageLog", "GarbageAbort", "ControlPage",
	}
	for _, lie := range lies {
		t.Run(lie, func(t *testing.T) {
			t.Parallel()
			sb := newSandbox(t, "liarguest", airlock.Options{})
			if got, err := airlock.Call[string](t.Context(), sb, "Truth"); got != "fine" || err != nil {
				t.Fatalf("Truth = %q, %v", got, err)
			}
			_, err := sb.Call(t.Context(), lie)
			fault, isFault := errors.AsType[*airlock.GuestFault](err)
			if !errors.Is(err, airlock.ErrProtocol) && !(lie == "ControlPage" && isFault) {
				t.Fatalf("Call = %v (%v)", err, fault)
			}
			if _, err := sb.Call(t.Context(), "Truth"); !errors.Is(err, airlock.ErrPoisoned) {
				t.Fatalf("the sandbox is not poisoned: %v", err)
			}
		})
	}
}

func TestParallelSandboxes(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for i := range 8 {
		sb := newSandbox(t, "callguest", airlock.Options{})
		wg.Go(func() {
			for j := range 50 {
				want := fmt.Sprintf("%d/%d", i, j)
				if got, err := airlock.Call[string](t.Context(), sb, "String", want); got != want || err != nil {
					t.Errorf("String = %q, %v; want %q", got, err, want)
					return
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkCall(b *testing.B) {
	g, err := airlock.LoadGuest(os.Getenv("AIRLOCK_CALLGUEST"))
	if err != nil {
		b.Skip("AIRLOCK_CALLGUEST names no built testdata/callguest: ", err)
	}
	sb, err := airlock.New(b.Context(), g, airlock.Options{HostFuncs: hosts()})
	if err != nil {
		b.Fatal(err)
	}
	defer sb.Close()
	text := strings.Repeat("x", 64)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := airlock.Call[string](b.Context(), sb, "String", text); err != nil {
			b.Fatal(err)
		}
	}
}
