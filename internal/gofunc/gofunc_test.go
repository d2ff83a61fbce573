package gofunc

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/airlockvm/airlock/internal/wire"
)

type (
	named      string
	namedFloat float32
	namedBytes []byte
	namedByte  byte
)

func TestShapeOf(t *testing.T) {
	t.Parallel()
	tests := []struct {
		fn     any
		params []wire.Kind
		result wire.Kind
		fails  bool
	}{
		{func() {}, nil, wire.KindVoid, false},
		{func() error { return nil }, nil, wire.KindVoid, true},
		{func(context.Context) string { return "" }, nil, wire.KindString, false},
		{
			func(int, named, []byte) (bool, error) { return false, nil },
			[]wire.Kind{wire.KindInt64, wire.KindString, wire.KindBytes},
			wire.KindBool, true,
		},
		{
			func(int32, uint32, int64, uint64, float32, float64, bool, string, []byte) []byte { return nil },
			[]wire.Kind{
				wire.KindInt32, wire.KindUint32, wire.KindInt64, wire.KindUint64, wire.KindFloat32,
				wire.KindFloat64, wire.KindBool, wire.KindString, wire.KindBytes,
			},
			wire.KindBytes, false,
		},
	}
	for _, test := range tests {
		s, err := ShapeOf(reflect.TypeOf(test.fn))
		if err != nil || !slices.Equal(s.Params, test.params) || s.Return != test.result || s.Fails() != test.fails {
			t.Errorf("%T: %v, %v, %v, %v", test.fn, s.Params, s.Return, s.Fails(), err)
		}
	}
	for _, fn := range []any{
		nil, 1, func(...int32) {}, func(int8) {}, func([]string) {}, func(int32, context.Context) {},
		func() (int32, int32) { return 0, 0 }, func() any { return nil },
	} {
		if _, err := ShapeOf(reflect.TypeOf(fn)); !errors.Is(err, ErrSignature) {
			t.Errorf("%T: %v", fn, err)
		}
	}
}

func TestCall(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	tests := []struct {
		fn   any
		args []wire.Value
		want wire.Value
		err  error
	}{
		{func(a string) (string, error) { return a + "!", nil }, []wire.Value{wire.String("x")}, wire.String("x!"), nil},
		{func(a string) (string, error) { return "", boom }, []wire.Value{wire.String("x")}, wire.Value{}, boom},
		{func(a string) string { return a }, []wire.Value{wire.String("x")}, wire.String("x"), nil},
		{func(a []byte) []byte { return a }, []wire.Value{wire.Bytes([]byte{1})}, wire.Bytes([]byte{1}), nil},
		{func(a []byte) ([]byte, error) { return a, nil }, []wire.Value{wire.Bytes([]byte{1})}, wire.Bytes([]byte{1}), nil},
		{func() (string, error) { return "y", nil }, nil, wire.String("y"), nil},
		{func() {}, nil, wire.Void(), nil},
		{func() error { return nil }, nil, wire.Void(), nil},
		{func() error { return boom }, nil, wire.Value{}, boom},
		{
			func(ctx context.Context, a string) (string, error) { return a, ctx.Err() },
			[]wire.Value{wire.String("c")},
			wire.String("c"), nil,
		},
		{
			func(ctx context.Context, a []byte) ([]byte, error) { return a, ctx.Err() },
			[]wire.Value{wire.Bytes([]byte{2})},
			wire.Bytes([]byte{2}), nil,
		},
		{
			func(_ context.Context, a int, b named) (named, error) { return b, nil },
			[]wire.Value{wire.Int64(1), wire.String("n")},
			wire.String("n"), nil,
		},
		{func(a float32) error { return boom }, []wire.Value{wire.Float32(1)}, wire.Value{}, boom},
	}
	for _, test := range tests {
		f, err := New(test.fn)
		if err != nil || !f.Accepts(test.args) {
			t.Fatalf("%T: %v", test.fn, err)
		}
		var got wire.Value
		err = f.Call(t.Context, test.args, &got)
		if !errors.Is(err, test.err) || err == nil && !got.Equal(test.want) {
			t.Errorf("%T: %v, %v; want %v, %v", test.fn, got.Any(), err, test.want.Any(), test.err)
		}
		stub := f.reflected(func(ctx context.Context, args []wire.Value) (result wire.Value, err error) {
			err = f.Call(func() context.Context { return ctx }, args, &result)
			return result, err
		})
		if stub.Type() != reflect.TypeOf(test.fn) {
			t.Errorf("a stub for %T is a %v", test.fn, stub.Type())
		}
	}
}

func TestAccepts(t *testing.T) {
	t.Parallel()
	f, err := New(func(int32, string) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]wire.Value{
		nil,
		{wire.Int32(1)},
		{wire.Int64(1), wire.String("")},
		{wire.Int32(1), wire.Bytes(nil)},
		{wire.Int32(1), wire.String(""), wire.Void()},
	} {
		if f.Accepts(args) {
			t.Errorf("accepts %v", args)
		}
	}
}

func TestCoerce(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in   any
		kind wire.Kind
		want wire.Value
		ok   bool
	}{
		{int32(5), wire.KindInt32, wire.Int32(5), true},
		{5, wire.KindInt32, wire.Int32(5), true},
		{5, wire.KindInt64, wire.Int64(5), true},
		{5, wire.KindUint32, wire.Uint32(5), true},
		{5, wire.KindUint64, wire.Uint64(5), true},
		{-5, wire.KindUint32, wire.Value{}, false},
		{-5, wire.KindUint64, wire.Value{}, false},
		{1 << 40, wire.KindInt32, wire.Value{}, false},
		{1 << 40, wire.KindUint32, wire.Value{}, false},
		{5, wire.KindFloat64, wire.Value{}, false},
		{named("n"), wire.KindString, wire.String("n"), true},
		{namedBytes("b"), wire.KindBytes, wire.Bytes([]byte("b")), true},
		{[]namedByte("b"), wire.KindBytes, wire.Bytes([]byte("b")), true},
		{namedFloat(1.5), wire.KindFloat32, wire.Float32(1.5), true},
		{"s", wire.KindBytes, wire.Value{}, false},
		{nil, wire.KindBytes, wire.Value{}, false},
		{int32(5), wire.KindInt64, wire.Value{}, false},
	}
	for _, test := range tests {
		var got wire.Value
		err := Coerce(&got, test.in, test.kind)
		if (err == nil) != test.ok || test.ok && !got.Equal(test.want) {
			t.Errorf("Coerce(%v, %v) = %v, %v", test.in, test.kind, got.Any(), err)
		}
	}
}

func TestTo(t *testing.T) {
	t.Parallel()
	text := wire.String("n")
	var name named
	if err := To(&name, &text); name != "n" || err != nil {
		t.Errorf("To a named type: %q, %v", name, err)
	}
	if err := To(new(int32), &text); err == nil {
		t.Error("a string is an int32")
	}
	if err := To(new(chan int), &text); err == nil {
		t.Error("a string is a channel")
	}
}

// TestCoerceKeepsNothing: what Coerce gets need not be allocated.
func TestCoerceKeepsNothing(t *testing.T) {
	text, data, value := strings.Repeat("t", 64), namedBytes("data"), wire.Value{}
	for name, test := range map[string]struct {
		call func() error
		want float64
	}{
		"text":        {func() error { return Coerce(&value, text, wire.KindString) }, 0},
		"named text":  {func() error { return Coerce(&value, named(text), wire.KindString) }, 0},
		"int":         {func() error { return Coerce(&value, len(text)+1000, wire.KindInt64) }, 0},
		"named bytes": {func() error { return Coerce(&value, data, wire.KindBytes) }, 2}, // the copy, and reflect's header of it
	} {
		var err error
		if n := testing.AllocsPerRun(100, func() { err = errors.Join(err, test.call()) }); n != test.want || err != nil {
			t.Errorf("%s: %v objects, want %v; %v", name, n, test.want, err)
		}
	}
}

// TestStub calls stubs of types that need no reflection and of one that does.
func TestStub(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	type key struct{}
	ctx := context.WithValue(t.Context(), key{}, "from the context")
	// Returns its argument, or what the context says.
	var fails error
	echo := func(ctx context.Context, args []wire.Value) (wire.Value, error) {
		if len(args) > 0 {
			return args[0], fails
		}
		if v, ok := ctx.Value(key{}).(string); ok {
			return wire.String(v), fails
		}
		return wire.String("no context"), fails
	}
	for _, fails = range []error{nil, boom} {
		got := map[string]func() (any, error){
			"func() error":  func() (any, error) { return "-", stubOf[func() error](t, echo)() },
			"func() string": func() (any, error) { return first(stubOf[func() (string, error)](t, echo)()) },
			"string":        func() (any, error) { return first(stubOf[func(string) (string, error)](t, echo)("-")) },
			"bytes":         func() (any, error) { return first(stubOf[func([]byte) ([]byte, error)](t, echo)([]byte("-"))) },
			"context, string": func() (any, error) {
				return first(stubOf[func(context.Context, string) (string, error)](t, echo)(ctx, "-"))
			},
			"context, bytes": func() (any, error) {
				return first(stubOf[func(context.Context, []byte) ([]byte, error)](t, echo)(ctx, []byte("-")))
			},
			"reflected": func() (any, error) { return first(stubOf[func(named) (named, error)](t, echo)("-")) },
			"context": func() (any, error) {
				return first(stubOf[func(context.Context) (named, error)](t, echo)(ctx))
			},
		}
		for name, call := range got {
			want := map[string]string{"func() string": "no context", "context": "from the context"}[name]
			if want == "" {
				want = "-"
			}
			v, err := call()
			if !errors.Is(err, fails) || fails == nil && fmt.Sprintf("%s", v) != want {
				t.Errorf("%s: %s, %v; want %q, %v", name, v, err, want, fails)
			}
		}
	}
}

func stubOf[F any](t *testing.T, call Caller) F {
	t.Helper()
	shape, err := ShapeOf(reflect.TypeFor[F]())
	if err != nil {
		t.Fatal(err)
	}
	return Stub[F](&shape, call)
}

func first[T any](v T, err error) (any, error) { return v, err }

// TestFloat32Bits: a float32 keeps all its bits, those of a signalling NaN too,
// which the way through a float64 would change.
func TestFloat32Bits(t *testing.T) {
	t.Parallel()
	for _, bits := range []uint32{1 << 31, 0x7fc0_0000, 0x7f80_0001, 0xffa0_beef} {
		want := wire.Float32(math.Float32frombits(bits))
		for _, fn := range []any{
			func(a float32) float32 { return a },
			func(a namedFloat) (namedFloat, error) { return a, nil },
		} {
			f, err := New(fn)
			if err != nil {
				t.Fatal(err)
			}
			var got wire.Value
			if err := f.Call(t.Context, []wire.Value{want}, &got); err != nil || !got.Equal(want) {
				t.Errorf("%T of %#x = %v, %v", fn, bits, got, err)
			}
		}
		var got wire.Value
		if err := Coerce(&got, math.Float32frombits(bits), wire.KindFloat32); err != nil || !got.Equal(want) {
			t.Errorf("Coerce of %#x = %v, %v", bits, got, err)
		}
		quiet := wire.Float32(float32(float64(math.Float32frombits(bits))))
		if err := Coerce(&got, namedFloat(math.Float32frombits(bits)), wire.KindFloat32); err != nil || !got.Equal(quiet) {
			t.Errorf("Coerce of a named %#x = %v, %v", bits, got, err)
		}
		var back namedFloat
		if err := To(&back, &want); err != nil || math.Float32bits(float32(back)) != bits {
			t.Errorf("To of %#x = %v, %v", bits, back, err)
		}
	}
}
