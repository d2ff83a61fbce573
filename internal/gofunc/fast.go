package gofunc

import (
	"context"

	"github.com/airlockvm/airlock/internal/wire"
)

// What is called through reflection takes a microsecond more, and in a guest,
// which finds no page at hand after a way to the host, several. Functions of the
// commonest types are called without.

// direct is a call of a Go function of one type.
type direct func(ctx func() context.Context, args []wire.Value, result *wire.Value) error

// directly returns a way to call a function without reflection, or nil.
func directly(fn any) direct {
	switch f := fn.(type) {
	case func():
		return func(_ func() context.Context, _ []wire.Value, result *wire.Value) error {
			f()
			*result = wire.Void()
			return nil
		}
	case func() error:
		return func(_ func() context.Context, _ []wire.Value, result *wire.Value) error {
			*result = wire.Void()
			return f()
		}
	case func() (string, error):
		return func(_ func() context.Context, _ []wire.Value, result *wire.Value) error {
			out, err := f()
			result.SetText(out)
			return err
		}
	case func(string) string:
		return func(_ func() context.Context, args []wire.Value, result *wire.Value) error {
			result.SetText(f(text(args)))
			return nil
		}
	case func(string) (string, error):
		return func(_ func() context.Context, args []wire.Value, result *wire.Value) error {
			out, err := f(text(args))
			result.SetText(out)
			return err
		}
	case func(context.Context, string) (string, error):
		return func(ctx func() context.Context, args []wire.Value, result *wire.Value) error {
			out, err := f(ctx(), text(args))
			result.SetText(out)
			return err
		}
	case func([]byte) []byte:
		return func(_ func() context.Context, args []wire.Value, result *wire.Value) error {
			result.SetBytes(f(data(args)))
			return nil
		}
	case func([]byte) ([]byte, error):
		return func(_ func() context.Context, args []wire.Value, result *wire.Value) error {
			out, err := f(data(args))
			result.SetBytes(out)
			return err
		}
	case func(context.Context, []byte) ([]byte, error):
		return func(ctx func() context.Context, args []wire.Value, result *wire.Value) error {
			out, err := f(ctx(), data(args))
			result.SetBytes(out)
			return err
		}
	}
	return nil
}

func text(args []wire.Value) string {
	s, _ := args[0].Text()
	return s
}

func data(args []wire.Value) []byte {
	b, _ := args[0].Bytes()
	return b
}

// Caller is where the arguments of a [Stub] go, and where its result comes from.
// The result has the kind that the stub's type says.
type Caller func(ctx context.Context, args []wire.Value) (wire.Value, error)

// Stub makes a function of type F, whose shape is s, that passes its arguments
// to call and returns what that returns. An error that the type has no room for
// is a panic: it is for functions that say they can't fail.
func Stub[F any](s *Shape, call Caller) F {
	var stub F
	if call.direct(&stub) {
		return stub
	}
	return s.reflected(call).Interface().(F) //nolint:forcetypeassert,errcheck // it makes one
}

// direct sets the function that a pointer leads to, if that can be done without
// reflection.
func (call Caller) direct(stub any) bool {
	switch f := stub.(type) {
	case *func() error:
		*f = func() error {
			_, err := call(context.Background(), nil)
			return err
		}
	case *func() (string, error):
		*f = func() (string, error) { return asText(call(context.Background(), nil)) }
	case *func(string) (string, error):
		*f = func(s string) (string, error) {
			return asText(call(context.Background(), []wire.Value{wire.String(s)}))
		}
	case *func(context.Context, string) (string, error):
		*f = func(ctx context.Context, s string) (string, error) {
			return asText(call(ctx, []wire.Value{wire.String(s)}))
		}
	case *func([]byte) ([]byte, error):
		*f = func(b []byte) ([]byte, error) {
			return asBytes(call(context.Background(), []wire.Value{wire.Bytes(b)}))
		}
	case *func(context.Context, []byte) ([]byte, error):
		*f = func(ctx context.Context, b []byte) ([]byte, error) {
			return asBytes(call(ctx, []wire.Value{wire.Bytes(b)}))
		}
	default:
		return false
	}
	return true
}

func asText(v wire.Value, err error) (string, error) {
	if err != nil {
		return "", err
	}
	s, _ := v.Text()
	return s, nil
}

func asBytes(v wire.Value, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	b, _ := v.Bytes()
	return b, nil
}

// assign sets what a pointer leads to, if that has the very type of the value.
// Unlike an assertion on [wire.Value.Any] it allocates nothing.
func assign(to any, v *wire.Value) (ok bool) {
	switch to := to.(type) {
	case *int32:
		*to, ok = v.Int32()
	case *uint32:
		*to, ok = v.Uint32()
	case *int64:
		*to, ok = v.Int64()
	case *uint64:
		*to, ok = v.Uint64()
	case *float32:
		*to, ok = v.Float32()
	case *float64:
		*to, ok = v.Float64()
	case *bool:
		*to, ok = v.Bool()
	case *string:
		*to, ok = v.Text()
	case *[]byte:
		if *to, ok = v.Bytes(); ok && *to == nil {
			*to = []byte{} // as Any has it
		}
	case *any:
		*to = v.Any()
		ok = *to != nil
	}
	return ok
}
