// Package gofunc connects ordinary Go functions with messages: it says which
// signature a function has in terms of package wire, calls it with values, and
// makes functions that send their arguments somewhere else. Host and guest use
// it alike, each for the functions that it offers and for those that it calls.
//
// A function may have a leading [context.Context], then up to
// [wire.MaxParams] parameters; it may return a value, an error, both in this
// order, or nothing. Parameters and results have one of nine types: int32,
// uint32, int64, uint64, float32, float64, bool, string, []byte; int passes as
// int64. Named types of these kinds do too.
package gofunc

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/airlockvm/airlock/internal/wire"
)

// ErrSignature means that a function can't be called through messages. The
// error that wraps it says why.
var ErrSignature = errors.New("not a function that can be called through messages")

var (
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
	bytesType   = reflect.TypeFor[[]byte]()
	float32Type = reflect.TypeFor[float32]()
)

// Shape is what a Go function type looks like from outside.
type Shape struct {
	Params []wire.Kind
	Return wire.Kind

	goType     reflect.Type
	hasContext bool
	hasError   bool
}

// ShapeOf returns the shape of a function type, or ErrSignature.
func ShapeOf(t reflect.Type) (Shape, error) {
	if t == nil || t.Kind() != reflect.Func {
		return Shape{}, fmt.Errorf("%w: %v is not a func", ErrSignature, t)
	}
	s := Shape{goType: t, Return: wire.KindVoid}
	if t.IsVariadic() {
		return Shape{}, fmt.Errorf("%w: %v is variadic", ErrSignature, t)
	}
	for i := range t.NumIn() {
		if i == 0 && t.In(0) == contextType {
			s.hasContext = true
			continue
		}
		kind, ok := kindOf(t.In(i))
		if !ok {
			return Shape{}, fmt.Errorf("%w: parameter %d of %v has the type %v", ErrSignature, i+1, t, t.In(i))
		}
		s.Params = append(s.Params, kind)
	}
	if len(s.Params) > wire.MaxParams {
		return Shape{}, fmt.Errorf("%w: %v has %d parameters, the most is %d", ErrSignature, t, len(s.Params), wire.MaxParams)
	}
	return s, s.results(t)
}

// results fills in what the function returns.
func (s *Shape) results(t reflect.Type) error {
	n := t.NumOut()
	if n > 0 && t.Out(n-1) == errorType {
		s.hasError = true
		n--
	}
	if n > 1 {
		return fmt.Errorf("%w: %v returns more than a value and an error", ErrSignature, t)
	}
	if n == 1 {
		kind, ok := kindOf(t.Out(0))
		if !ok {
			return fmt.Errorf("%w: %v returns a %v", ErrSignature, t, t.Out(0))
		}
		s.Return = kind
	}
	return nil
}

func kindOf(t reflect.Type) (wire.Kind, bool) {
	switch t.Kind() { //nolint:exhaustive // all others can't be passed
	case reflect.Int32:
		return wire.KindInt32, true
	case reflect.Uint32:
		return wire.KindUint32, true
	case reflect.Int, reflect.Int64:
		return wire.KindInt64, true
	case reflect.Uint64:
		return wire.KindUint64, true
	case reflect.Float32:
		return wire.KindFloat32, true
	case reflect.Float64:
		return wire.KindFloat64, true
	case reflect.Bool:
		return wire.KindBool, true
	case reflect.String:
		return wire.KindString, true
	case reflect.Slice:
		return wire.KindBytes, t.Elem().Kind() == reflect.Uint8
	}
	return wire.KindInvalid, false
}

// Fails reports whether the function returns an error.
func (s *Shape) Fails() bool { return s.hasError }

// Func is a Go function that messages can call.
type Func struct {
	Shape
	value reflect.Value
	fast  direct // nil if there is none for its type
}

// New examines a Go function.
func New(fn any) (*Func, error) {
	value := reflect.ValueOf(fn)
	shape, err := ShapeOf(reflect.TypeOf(fn))
	if err != nil {
		return nil, err
	}
	if value.IsNil() {
		return nil, fmt.Errorf("%w: nil", ErrSignature)
	}
	return &Func{Shape: shape, value: value, fast: directly(fn)}, nil
}

// Accepts reports whether values of these kinds are the function's parameters.
func (s *Shape) Accepts(args []wire.Value) bool {
	if len(args) != len(s.Params) {
		return false
	}
	for i := range args {
		if args[i].Kind() != s.Params[i] {
			return false
		}
	}
	return true
}

// Call calls the function, with the context that ctx returns if it has one. The
// arguments must be what Accepts accepts. Bytes that it gets are those of the
// Values. With an error the result is anything.
func (f *Func) Call(ctx func() context.Context, args []wire.Value, result *wire.Value) error {
	if f.fast != nil {
		return f.fast(ctx, args, result)
	}
	in := make([]reflect.Value, 0, len(args)+1)
	if f.hasContext {
		in = append(in, reflect.ValueOf(ctx()))
	}
	for i := range args {
		in = append(in, toGo(args[i], f.goType.In(len(in))))
	}
	return f.setResult(result, f.value.Call(in))
}

func (f *Func) setResult(result *wire.Value, out []reflect.Value) error {
	if f.hasError {
		if err, ok := reflect.TypeAssert[error](out[len(out)-1]); ok && err != nil {
			return err
		}
	}
	*result = wire.Void()
	if f.Return != wire.KindVoid {
		*result = fromGo(out[0])
	}
	return nil
}
