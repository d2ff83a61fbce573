package airlock_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

func TestHostFunctions(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			testHostFunctions(t, guest)
		})
	}
}

func testHostFunctions(t *testing.T, guest string) {
	t.Helper()
	sb := newSandbox(t, guest, airlock.Options{})
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
		!bytes.Contains(panicked.Stack, []byte("callguest_test.go")) {
		t.Errorf("a host function that panics: %v", err)
	}
	if strings.Contains(fmt.Sprint(err), "callguest_test.go") {
		t.Errorf("the error's text has the stack: %v", err)
	}
	ready(t, sb)
}

// TestHostFunctionReenters: a host function can't use its own sandbox.
func TestHostFunctionReenters(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			var sb *airlock.Sandbox
			funcs := hosts()
			funcs["Reenter"] = airlock.Func(func(ctx context.Context) error {
				_, err := sb.Call(ctx, "Void")
				return airlock.Visible(err)
			})
			sb = newSandbox(t, guest, airlock.Options{HostFuncs: funcs})
			got, err := airlock.Call[string](t.Context(), sb, "HostReenters")
			if err != nil || !strings.Contains(got, airlock.ErrBusy.Error()) {
				t.Fatalf("HostReenters = %q, %v", got, err)
			}
			ready(t, sb)
		})
	}
}

func TestMissingHostFunctions(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			funcs := hosts()
			delete(funcs, "Weekday")
			funcs["Double"] = airlock.Func(func(v int64) int64 { return v })
			sb := newSandbox(t, guest, airlock.Options{HostFuncs: funcs})
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
		})
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
	many := hosts()
	for i := range 1000 {
		many[fmt.Sprintf("%0100d", i)] = airlock.Func(func() {})
	}
	_, err = airlock.New(t.Context(), buildGuest(t, "callguest"), airlock.Options{HostFuncs: many})
	if !errors.Is(err, airlock.ErrOptions) || !strings.Contains(err.Error(), "raise MessageSize") {
		t.Errorf("a list that is longer than a message: New = %v", err)
	}
	sb := newSandbox(t, "callguest", airlock.Options{HostFuncs: many, MessageSize: 1 << 20})
	if got, err := airlock.Call[string](t.Context(), sb, "Hello", "World"); err != nil || got != "Hello, World! Today is Monday." {
		t.Errorf("a list that fits: %q, %v", got, err)
	}
}

func repeat(t reflect.Type, n int) []reflect.Type {
	list := make([]reflect.Type, n)
	for i := range list {
		list[i] = t
	}
	return list
}

// TestHostPanicHidden: what a host function panicked with stays in the host, also
// if the guest keeps what it was told.
func TestHostPanicHidden(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			var told []string
			funcs := hosts()
			funcs["EchoString"] = airlock.Func(func(text string) string { told = append(told, text); return text })
			sb := newSandbox(t, guest, airlock.Options{HostFuncs: funcs})
			var panicked *airlock.HostPanicError
			if _, err := sb.Call(t.Context(), "HostPanicTold"); !errors.As(err, &panicked) {
				t.Fatalf("HostPanicTold = %v", err)
			}
			if len(told) != 1 || told[0] != "host function: panicked: the host function panicked" {
				t.Errorf("the guest was told %q", told)
			}
			ready(t, sb)
		})
	}
}

// TestHostFunctionTypes sends each type from the guest to the host and back.
func TestHostFunctionTypes(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			sb := newSandbox(t, guest, airlock.Options{})
			for name, list := range values() {
				for _, want := range list {
					if got, err := sb.Call(t.Context(), "Host"+name, want); err != nil || !reflect.DeepEqual(got, want) {
						t.Errorf("Host%s(%.40v) = %.40v, %v", name, want, got, err)
					}
				}
			}
			if got, err := sb.Call(t.Context(), "HostVoid"); got != nil || err != nil {
				t.Errorf("HostVoid() = %v, %v", got, err)
			}
		})
	}
}

// TestHostFunctionContext: the context of a host function ends with the call
// and carries the caller's values.
func TestHostFunctionContext(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			type key struct{}
			var seen context.Context //nolint:fatcontext // what is looked at is when it ends
			funcs := hosts()
			funcs["Weekday"] = airlock.Func(func(ctx context.Context) (string, error) {
				seen = ctx
				return fmt.Sprint(ctx.Value(key{})), ctx.Err()
			})
			sb := newSandbox(t, guest, airlock.Options{HostFuncs: funcs})
			ctx := context.WithValue(t.Context(), key{}, "Friday")
			for range 2 {
				got, err := airlock.Call[string](ctx, sb, "Hello", "Ann")
				if want := "Hello, Ann! Today is Friday."; got != want || err != nil {
					t.Fatalf("Hello = %q, %v; want %q", got, err, want)
				}
				if seen.Err() == nil {
					t.Error("the context of a host function outlives the call")
				}
			}
			if ctx.Err() != nil {
				t.Error("the caller's context has ended")
			}
		})
	}
}

// TestHostFunctionIgnoresContext: a call waits for a host function that doesn't
// look at its context. Then it is over: the guest goes no further.
func TestHostFunctionIgnoresContext(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			funcs, returned := hosts(), false
			funcs["Panics"] = airlock.Func(func() {
				cancel()
				time.Sleep(20 * time.Millisecond)
				returned = true
			})
			funcs["EchoString"] = airlock.Func(func(text string) string { t.Error("the guest went on"); return text })
			sb := newSandbox(t, guest, airlock.Options{HostFuncs: funcs})
			if _, err := sb.Call(ctx, "HostPanicTold"); !errors.Is(err, context.Canceled) || !returned {
				t.Errorf("the call returned %v; the host function: %t", err, returned)
			}
			poisoned(t, sb)
		})
	}
}

// TestHostFunctionFailsCall: an error of a host function that the guest passes
// on is the guest's error, and has no more of the host's text than the guest had.
func TestHostFunctionFailsCall(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			funcs := hosts()
			funcs["Double"] = airlock.Func(func(int32) (int32, error) { return 0, errors.New("the password is wrong") })
			sb := newSandbox(t, guest, airlock.Options{HostFuncs: funcs})
			_, err := sb.Call(t.Context(), "Double", 1)
			guestError, ok := errors.AsType[*airlock.GuestError](err)
			if !ok || guestError.Code != airlock.CodeFailed || strings.Contains(err.Error(), "password") {
				t.Errorf("Double = %v", err)
			}
			ready(t, sb)
		})
	}
}

// TestHostFunctionEndsGoroutine: when a host function ends the goroutine that it
// runs on, nobody gets a result, and the guest is left in the middle of a call.
func TestHostFunctionEndsGoroutine(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			funcs := hosts()
			funcs["EchoVoid"] = airlock.Func(runtime.Goexit)
			sb := newSandbox(t, guest, airlock.Options{HostFuncs: funcs})
			ready(t, sb)
			ended := make(chan bool)
			go func() {
				defer close(ended)
				_, err := sb.Call(t.Context(), "HostVoid")
				t.Errorf("HostVoid returned %v", err)
			}()
			<-ended
			poisoned(t, sb)
		})
	}
}

// TestBytesAreKept: bytes that a host function gets and those that a call returns are
// their own, however long they and those of later messages are.
func TestBytesAreKept(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		for _, spin := range []time.Duration{0, airlock.SpinAlways} {
			t.Run(fmt.Sprint(guest, spin), func(t *testing.T) {
				t.Parallel()
				var kept, want [][]byte
				funcs := hosts()
				funcs["EchoBytes"] = airlock.Func(func(b []byte) []byte { kept = append(kept, b); return b })
				sb := newSandbox(t, guest, airlock.Options{HostFuncs: funcs, Spin: spin})
				for round, size := range []int{5, 5, 6000, 5, 700, 4096, 6000, 20, 9000, 6000, 300, 300} {
					data := bytes.Repeat([]byte{byte(round + 1)}, size)
					for _, function := range []string{"Bytes", "HostBytes"} {
						result, err := airlock.Call[[]byte](t.Context(), sb, function, data)
						if err != nil {
							t.Fatal(err)
						}
						kept, want = append(kept, result), append(want, data)
					}
					want = append(want, data) // of the host function
				}
				for i := range kept {
					if !bytes.Equal(kept[i], want[i]) {
						t.Errorf("value %d was %d times %d and begins with %v now", i, len(want[i]), want[i][0], kept[i][:5])
					}
				}
			})
		}
	}
}

// TestHostFunctionsFixed: what a sandbox was made with is what it has, whatever
// happens to the map.
func TestHostFunctionsFixed(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			funcs := hosts()
			sb := newSandbox(t, guest, airlock.Options{HostFuncs: funcs})
			delete(funcs, "Weekday")
			funcs["Double"] = airlock.Func(func(int32) int32 { return 0 })
			if _, err := sb.Call(t.Context(), "Hello", "Ann"); err != nil {
				t.Errorf("a function that was there when New returned: %v", err)
			}
			if got, err := airlock.Call[int32](t.Context(), sb, "Double", 21); got != 42 || err != nil {
				t.Errorf("Double(21) = %d, %v", got, err)
			}
		})
	}
}

// TestHostFunctionResultUnfit: a result that can't be sent is an error, of the
// kind that says why.
func TestHostFunctionResultUnfit(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			funcs, result := hosts(), ""
			funcs["EchoString"] = airlock.Func(func(string) string { return result })
			sb := newSandbox(t, guest, airlock.Options{HostFuncs: funcs})
			for text, kind := range map[string]string{"\xff": "failed", strings.Repeat("x", 64<<10): "too large"} {
				result = text
				_, err := sb.Call(t.Context(), "HostString", "")
				guestError, ok := errors.AsType[*airlock.GuestError](err)
				if !ok || !strings.Contains(guestError.Message, kind+": the host function's result can't be sent") {
					t.Errorf("a result of %.10q: %v; want %s", text, err, kind)
				}
			}
			ready(t, sb)
		})
	}
}
