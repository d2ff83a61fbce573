package gofunc

import (
	"context"
	"fmt"
	"math"
	"reflect"

	"github.com/airlockvm/airlock/internal/wire"
)

// toGo makes a Go value of a type whose kind fits.
func toGo(v wire.Value, t reflect.Type) reflect.Value {
	if t == bytesType {
		b, _ := v.Bytes()
		return reflect.ValueOf(b)
	}
	return reflect.ValueOf(v.Any()).Convert(t)
}

// fromGo is the reverse.
func fromGo(v reflect.Value) wire.Value {
	switch v.Kind() { //nolint:exhaustive // the others are scalars
	case reflect.Float32:
		return wire.Float32(float32Of(v))
	case reflect.Slice:
		return wire.Bytes(v.Bytes())
	}
	return scalar(v)
}

// scalar is fromGo for all types but two. It keeps nothing of v.
func scalar(v reflect.Value) wire.Value {
	switch v.Kind() { //nolint:exhaustive // ShapeOf has refused all others
	case reflect.Int32:
		return wire.Int32(int32(v.Int())) //nolint:gosec // G115: it is one
	case reflect.Uint32:
		return wire.Uint32(uint32(v.Uint())) //nolint:gosec // G115: it is one
	case reflect.Int, reflect.Int64:
		return wire.Int64(v.Int())
	case reflect.Uint64:
		return wire.Uint64(v.Uint())
	case reflect.Float64:
		return wire.Float64(v.Float())
	case reflect.Bool:
		return wire.Bool(v.Bool())
	default:
		return wire.String(v.String())
	}
}

// float32Of returns a float32 with all its bits. [reflect.Value.Float] is a
// float64, and a signalling NaN doesn't survive the way there and back.
func float32Of(v reflect.Value) float32 {
	if f, ok := reflect.TypeAssert[float32](v); ok {
		return f
	}
	// A type of its own with this kind: converting it changes no bits.
	f, _ := reflect.TypeAssert[float32](v.Convert(float32Type))
	return f
}

// reflected is Stub for any type.
func (s *Shape) reflected(call Caller) reflect.Value {
	return reflect.MakeFunc(s.goType, func(in []reflect.Value) []reflect.Value {
		ctx := context.Background()
		if s.hasContext {
			if given, ok := reflect.TypeAssert[context.Context](in[0]); ok {
				ctx = given
			}
			in = in[1:]
		}
		args := make([]wire.Value, len(in))
		for i := range in {
			args[i] = fromGo(in[i])
		}
		result, err := call(ctx, args)
		if err != nil && !s.hasError {
			panic(err)
		}
		return s.returns(result, err)
	})
}

func (s *Shape) returns(result wire.Value, err error) []reflect.Value {
	out := make([]reflect.Value, 0, 2)
	if s.Return != wire.KindVoid {
		if err != nil {
			out = append(out, reflect.Zero(s.goType.Out(0)))
		} else {
			out = append(out, toGo(result, s.goType.Out(0)))
		}
	}
	if s.hasError {
		value := reflect.New(errorType).Elem()
		if err != nil {
			value.Set(reflect.ValueOf(err))
		}
		out = append(out, value)
	}
	return out
}

// Coerce makes to the value of a kind from a Go value of a type that fits: the type
// itself, a named type of it, or an int that is in range of another integer. Bytes
// of a named type are copied, and a signalling NaN of one may become a quiet one.
//
// What it does not do is keep v, or give it to anything that might: the compiler
// then sees that callers need not allocate it.
func Coerce(to *wire.Value, v any, kind wire.Kind) error {
	if to.Set(v, kind) {
		return nil
	}
	if r := reflect.ValueOf(v); r.IsValid() {
		if k, ok := kindOf(r.Type()); ok && k == kind {
			*to = coerceNamed(r)
			return nil
		}
		if r.Type() == reflect.TypeFor[int]() {
			if value, ok := integer(r.Int(), kind); ok {
				*to = value
				return nil
			}
		}
	}
	return fmt.Errorf("has the type %s and not %s", typeName(reflect.TypeOf(v)), kind)
}

func typeName(t reflect.Type) string {
	if t == nil {
		return "<nil>" // as %T has it
	}
	return t.String()
}

// coerceNamed is fromGo that keeps nothing of v, but the bytes of its text.
func coerceNamed(v reflect.Value) wire.Value {
	switch v.Kind() { //nolint:exhaustive // the others are scalars
	case reflect.Float32:
		return wire.Float32(float32(v.Float()))
	case reflect.Slice:
		b := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(b, v)
		return wire.Bytes(b.Bytes())
	}
	return scalar(v)
}

func integer(n int64, kind wire.Kind) (wire.Value, bool) {
	switch kind { //nolint:exhaustive // the others are no integers
	case wire.KindInt32:
		return wire.Int32(int32(n)), n >= math.MinInt32 && n <= math.MaxInt32 //nolint:gosec // G115: checked beside
	case wire.KindUint32:
		return wire.Uint32(uint32(n)), n >= 0 && n <= math.MaxUint32 //nolint:gosec // G115: checked beside
	case wire.KindUint64:
		return wire.Uint64(uint64(n)), n >= 0 //nolint:gosec // G115: checked beside
	}
	return wire.Value{}, false
}

// To stores a value in a Go variable whose type's kind must be the value's.
func To[T any](to *T, v *wire.Value) error {
	if assign(to, v) {
		return nil
	}
	t := reflect.TypeFor[T]()
	kind, ok := kindOf(t)
	if !ok || kind != v.Kind() {
		return fmt.Errorf("has the type %s and not %v", v.Kind(), t)
	}
	*to = toGo(*v, t).Interface().(T) //nolint:forcetypeassert,errcheck // toGo makes one
	return nil
}
