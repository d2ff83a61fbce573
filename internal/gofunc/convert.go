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
	switch v.Kind() { //nolint:exhaustive // ShapeOf has refused all others
	case reflect.Int32:
		return wire.Int32(int32(v.Int())) //nolint:gosec // G115: it is one
	case reflect.Uint32:
		return wire.Uint32(uint32(v.Uint())) //nolint:gosec // G115: it is one
	case reflect.Int, reflect.Int64:
		return wire.Int64(v.Int())
	case reflect.Uint64:
		return wire.Uint64(v.Uint())
	case reflect.Float32:
		return wire.Float32(float32Of(v))
	case reflect.Float64:
		return wire.Float64(v.Float())
	case reflect.Bool:
		return wire.Bool(v.Bool())
	case reflect.String:
		return wire.String(v.String())
	default:
		return wire.Bytes(v.Bytes())
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
// itself, a named type of it, or an int that is in range of another integer.
func Coerce(to *wire.Value, v any, kind wire.Kind) error {
	if to.Set(v, kind) {
		return nil
	}
	r := reflect.ValueOf(v)
	if r.IsValid() {
		if k, ok := kindOf(r.Type()); ok && k == kind {
			*to = fromGo(r)
			return nil
		}
		if r.Type() == reflect.TypeFor[int]() {
			if value, ok := integer(r.Int(), kind); ok {
				*to = value
				return nil
			}
		}
	}
	return fmt.Errorf("has the type %T and not %s", v, kind)
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

// As returns a value as a Go value of the type T, whose kind must be the
// value's.
func As[T any](v *wire.Value) (T, error) {
	var zero T
	if out := zero; assign(&out, v) {
		return out, nil
	}
	t := reflect.TypeFor[T]()
	kind, ok := kindOf(t)
	if !ok || kind != v.Kind() {
		return zero, fmt.Errorf("has the type %s and not %v", v.Kind(), t)
	}
	return toGo(*v, t).Interface().(T), nil //nolint:forcetypeassert,errcheck // toGo makes one
}
