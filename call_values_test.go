package airlock_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/kvmtest"
	"github.com/airlockvm/airlock/internal/wire"
)

// values are arguments for the functions that return what they get, by name.
func values() map[string][]any {
	return map[string][]any{
		"Int32":   {int32(math.MinInt32), int32(-1), int32(0), int32(math.MaxInt32)},
		"Uint32":  {uint32(0), uint32(math.MaxUint32)},
		"Int64":   {int64(math.MinInt64), int64(0), int64(math.MaxInt64)},
		"Uint64":  {uint64(0), uint64(math.MaxUint64)},
		"Float32": {float32(math.Inf(-1)), float32(math.SmallestNonzeroFloat32), float32(math.MaxFloat32)},
		"Float64": {math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(1)},
		"Bool":    {true, false},
		"String":  {"", "Grüße\x00", "\U0010ffff", strings.Repeat("x", 60000)},
		"Bytes":   {[]byte{}, []byte{0, 255, 128}, bytes.Repeat([]byte{0xff}, 60000)},
	}
}

func TestCallTypes(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			sb := newSandbox(t, guest, airlock.Options{})
			for name, list := range values() {
				for _, want := range list {
					got, err := sb.Call(t.Context(), name, want)
					if err != nil || !reflect.DeepEqual(got, want) {
						t.Errorf("%s(%.40v) = %.40v, %v", name, want, got, err)
					}
				}
			}
			if _, err := airlock.Call[struct{}](t.Context(), sb, "Void"); err != nil {
				t.Errorf("Void() = %v", err)
			}
			if got, err := sb.Call(t.Context(), "Void"); got != nil || err != nil {
				t.Errorf("Void() = %v, %v", got, err)
			}
			got, err := airlock.Call[string](t.Context(), sb, "Mixed", -5, "b", []byte{1, 2}, 1.5, true)
			if want := "-5b[1 2] 1.5 true"; got != want || err != nil {
				t.Errorf("Mixed = %q, %v; want %q", got, err, want)
			}
		})
	}
}

// TestCallFloatBits: floats are bits, all of which come back: the sign of a
// zero, and what a NaN carries.
func TestCallFloatBits(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			sb := newSandbox(t, guest, airlock.Options{})
			for _, want := range float64Bits {
				for _, function := range []string{"Float64", "HostFloat64"} {
					got, err := airlock.Call[float64](t.Context(), sb, function, math.Float64frombits(want))
					if bits := math.Float64bits(got); bits != want || err != nil {
						t.Errorf("%s(%#x) = %#x, %v", function, want, bits, err)
					}
				}
			}
			for _, want := range float32Bits {
				for _, function := range []string{"Float32", "HostFloat32"} {
					got, err := airlock.Call[float32](t.Context(), sb, function, math.Float32frombits(want))
					if bits := math.Float32bits(got); bits != want || err != nil {
						t.Errorf("%s(%#x) = %#x, %v", function, want, bits, err)
					}
				}
			}
		})
	}
}

var (
	float64Bits = []uint64{
		0, 1 << 63, // zeros
		0x7ff8_0000_0000_0000, 0xfff8_dead_beef_0001, // quiet NaNs
		0x7ff0_0000_0000_0001, 0xfff4_dead_beef_0001, // signalling ones
	}
	float32Bits = []uint32{
		0, 1 << 31, // zeros
		0x7fc0_0000, 0xffc0_beef, // quiet NaNs
		0x7f80_0001, 0xffa0_beef, // signalling ones
	}
)

// TestCallParams passes 0 to 32 parameters; there is no function with 33.
func TestCallParams(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			sb := newSandbox(t, guest, airlock.Options{})
			var args []any
			var want int64
			for n := range 33 {
				name := fmt.Sprintf("Params%d", n)
				if got, err := airlock.Call[int64](t.Context(), sb, name, args...); got != want || err != nil {
					t.Errorf("%s = %d, %v; want %d", name, got, err, want)
				}
				args = append(args, 1000+n)
				want += int64(n+1) * int64(1000+n)
				if _, err := sb.Call(t.Context(), name, args...); !errors.Is(err, airlock.ErrArguments) {
					t.Errorf("%s with one more: %v", name, err)
				}
			}
			tooMany := reflect.FuncOf(repeat(reflect.TypeFor[int32](), 33), []reflect.Type{reflect.TypeFor[error]()}, false)
			funcs := airlock.HostFuncs{"F": airlock.Func(reflect.MakeFunc(tooMany, func([]reflect.Value) []reflect.Value {
				return nil
			}).Interface())}
			if _, err := airlock.New(t.Context(), sb.Guest(), airlock.Options{HostFuncs: funcs}); !errors.Is(err, airlock.ErrOptions) {
				t.Errorf("New with a host function of 33 parameters: %v", err)
			}
			ready(t, sb)
		})
	}
}

func TestCallRefused(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			sb := newSandbox(t, guest, airlock.Options{})
			tests := map[string]struct {
				function string
				args     []any
				want     error
				text     string
			}{
				"unknown":      {"Nope", nil, airlock.ErrUnknownFunction, `"Nope"`},
				"other case":   {"int32", []any{7}, airlock.ErrUnknownFunction, `"int32"`},
				"empty name":   {"", nil, airlock.ErrUnknownFunction, `""`},
				"long name":    {strings.Repeat("n", 1<<20), nil, airlock.ErrUnknownFunction, ""},
				"no text":      {"\xff\n", nil, airlock.ErrUnknownFunction, `"\xff\n"`},
				"wrong type":   {"Int32", []any{"7"}, airlock.ErrArguments, "Int32(int32) int32: argument 1 has the type string and not int32"},
				"wrong width":  {"Int32", []any{int64(7)}, airlock.ErrArguments, "argument 1"},
				"wrong sign":   {"Int32", []any{uint32(7)}, airlock.ErrArguments, "argument 1"},
				"out of range": {"Int32", []any{1 << 40}, airlock.ErrArguments, "argument 1"},
				"negative":     {"Uint64", []any{-1}, airlock.ErrArguments, "argument 1"},
				"too few":      {"Int32", nil, airlock.ErrArguments, "takes 1, got 0"},
				"too many":     {"Void", []any{1}, airlock.ErrArguments, "takes 0, got 1"},
				"far too many": {"Void", make([]any, 1000), airlock.ErrArguments, "takes 0, got 1000"},
				"nil":          {"Bytes", []any{nil}, airlock.ErrArguments, "argument 1"},
				"no value":     {"Bytes", []any{make(chan int)}, airlock.ErrArguments, "argument 1"},
				"second":       {"Mixed", []any{1, 2, []byte{}, 1.5, true}, airlock.ErrArguments, "argument 2"},
				"bad UTF-8":    {"String", []any{"\xff"}, airlock.ErrArguments, ""},
				"too large":    {"Bytes", []any{make([]byte, 64<<10)}, airlock.ErrTooLarge, "65536"},
			}
			for name, test := range tests {
				_, err := sb.Call(t.Context(), test.function, test.args...)
				if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
					t.Errorf("%s: %.200v; want %v with %q", name, err, test.want, test.text)
				}
				ready(t, sb)
			}
			if _, err := airlock.Call[string](t.Context(), sb, "Int32", 7); !errors.Is(err, airlock.ErrArguments) {
				t.Errorf("a result of the wrong type: %v", err)
			}
			ready(t, sb)
		})
	}
}

// largest is how many bytes an argument of the function Bytes may have for a
// message of that size.
func largest(t *testing.T, size int) int {
	t.Helper()
	message, err := wire.AppendCall(nil, &wire.Call{Name: "Bytes", Args: []wire.Value{wire.Bytes(nil)}})
	if err != nil {
		t.Fatal(err)
	}
	return size - len(message)
}

// TestCallLargest fills message buffers to the last byte, and beyond.
func TestCallLargest(t *testing.T) {
	t.Parallel()
	tests := []struct {
		option int64
		size   int // of the buffer
	}{
		{0, 64 << 10},
		{1, 8 << 10},
		{8<<10 + 1, 16 << 10},
		{2 << 20, 2 << 20},
	}
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			for _, test := range tests {
				sb := newSandbox(t, guest, airlock.Options{MessageSize: test.option})
				n := largest(t, test.size)
				data := bytes.Repeat([]byte("0123456789abcdef"), test.size/16+1)
				got, err := airlock.Call[[]byte](t.Context(), sb, "Bytes", data[:n])
				if err != nil || !bytes.Equal(got, data[:n]) {
					t.Errorf("MessageSize %d: %d bytes: got %d, %v", test.option, n, len(got), err)
				}
				if _, err := sb.Call(t.Context(), "Bytes", data[:n+1]); !errors.Is(err, airlock.ErrTooLarge) {
					t.Errorf("MessageSize %d: one byte more: %v", test.option, err)
				}
				// To the host and back. The name is longer, so that less fits.
				fit := n - len("EchoBytes") - len("HostBytes")
				if got, err := airlock.Call[[]byte](t.Context(), sb, "HostBytes", data[:fit]); err != nil || len(got) != fit {
					t.Errorf("MessageSize %d: %d bytes to the host: got %d, %v", test.option, fit, len(got), err)
				}
				// A result, and one of a host function, that does not fit.
				for _, function := range []string{"Large", "HostLarge"} {
					_, err := sb.Call(t.Context(), function, test.size)
					guestError, ok := errors.AsType[*airlock.GuestError](err)
					if !ok || function == "Large" && guestError.Code != airlock.CodeTooLarge {
						t.Errorf("MessageSize %d: %s of %d bytes: %v", test.option, function, test.size, err)
					}
				}
				ready(t, sb)
			}
		})
	}
}

func TestParallelSandboxes(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			var wg sync.WaitGroup
			for i := range 8 {
				sb := newSandbox(t, guest, airlock.Options{})
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
		})
	}
}

// TestCallTooLargeIsNotCopied: what does not fit is refused for its size alone.
//
//nolint:paralleltest // it counts what the whole process allocates
func TestCallTooLargeIsNotCopied(t *testing.T) {
	for guest := range callGuests {
		data := make([]byte, 64<<20)
		funcs := hosts()
		funcs["Large"] = airlock.Func(func(int64) []byte { return data })
		sb := newSandbox(t, guest, airlock.Options{HostFuncs: funcs})
		ready(t, sb)
		for what, call := range map[string]func() error{
			"argument": func() error { return last(sb.Call(t.Context(), "Bytes", data)) },
			"result":   func() error { return last(sb.Call(t.Context(), "HostLarge", 0)) },
		} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := call()
			runtime.ReadMemStats(&after)
			if n := after.TotalAlloc - before.TotalAlloc; err == nil || n > 1<<20 {
				t.Errorf("%s: %s: a refusal allocated %d bytes: %v", guest, what, n, err)
			}
			ready(t, sb)
		}
	}
}

// TestMessageSizeBeyondMemory: message buffers are part of the memory.
func TestMessageSizeBeyondMemory(t *testing.T) {
	t.Parallel()
	kvmtest.Require(t)
	guest := buildGuest(t, "callguest")
	made := 0
	for size := int64(1 << 20); size <= airlock.DefaultMemory; size += 1<<20 - 8<<10 {
		sb, err := airlock.New(t.Context(), guest, airlock.Options{MessageSize: size, HostFuncs: hosts()})
		switch {
		case err == nil:
			made++
			if err := sb.Close(); err != nil {
				t.Error(err)
			}
		case !errors.Is(err, airlock.ErrOptions) || !strings.Contains(err.Error(), strconv.FormatInt(size, 10)) ||
			!strings.Contains(err.Error(), strconv.Itoa(airlock.DefaultMemory)):
			t.Errorf("MessageSize %d: %v", size, err)
		}
	}
	if made < 25 || made > 32 {
		t.Errorf("%d sandboxes had room for their buffers", made)
	}
}
