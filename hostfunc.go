package airlock

import (
	"context"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"

	"github.com/airlockvm/airlock/internal/gofunc"
	"github.com/airlockvm/airlock/internal/wire"
)

// HostFunc is a function of the application that guests may call. Make it with
// [Func].
type HostFunc struct {
	fn     *gofunc.Func
	err    error  // why it can't be one; New reports it
	runner runner // where it runs; nil for the goroutine of the call
}

// HostFuncs are host functions by the name under which guests call them.
type HostFuncs map[string]HostFunc

// Func makes a host function of an ordinary Go function. It may have a leading
// [context.Context], which ends when the guest's call does, then up to 32
// parameters, and may return a value, an error, both in this order, or nothing.
// Parameters and results are int32, uint32, int64, uint64, float32, float64,
// bool, string or []byte; int passes as int64. A function that is anything else
// is reported by [New], with its name.
//
// A function runs on the goroutine of the call that the guest is in, and the
// guest stands still meanwhile. It must not use the sandbox that called it. Its
// arguments are what an untrusted guest sent; it may keep them. The text of its
// error stays in the host, unless the error is made with [Visible]; the guest is
// told that the function failed. If it panics, the guest is told that too, and
// the call ends with a [*HostPanicError].
func Func(fn any) HostFunc {
	f, err := gofunc.New(fn)
	return HostFunc{fn: f, err: err}
}

// visibleError is an error whose text guests may see.
type visibleError struct{ err error }

func (e visibleError) Error() string { return e.err.Error() }
func (e visibleError) Unwrap() error { return e.err }

// Visible marks an error of a host function: its text may be sent to the guest,
// which is not trusted.
func Visible(err error) error {
	if err == nil {
		return nil
	}
	return visibleError{err}
}

// HostPanicError is the error of a call during which a host function panicked.
// The sandbox stays usable.
type HostPanicError struct {
	// Function is the host function's name.
	Function string
	// Value is what it panicked with.
	Value any
	// Stack is the stack of the panic.
	Stack []byte
}

// Error names the function and the panic's value, without the stack. The value is in
// quotes, because a guest may have had a hand in it.
func (e *HostPanicError) Error() string {
	return fmt.Sprintf("airlock: host function %q panicked: %.1000q", e.Function, fmt.Sprint(e.Value))
}

// MissingHostFunctionError means that a guest needs host functions that the
// sandbox does not have, or has with other types.
type MissingHostFunctionError struct {
	// Functions are what the guest needs and doesn't have, each as name and
	// signature, quoted.
	Functions []string
}

// Error names the functions.
func (e *MissingHostFunctionError) Error() string {
	return fmt.Sprintf("airlock: the guest needs host functions that are not registered with these types: %s",
		joinNames(e.Functions))
}

// check examines the whole registry once, for New. The guest is sent its list, in a
// message of at most limit bytes.
func (fs HostFuncs) check(limit uint64) (wire.HostFunctions, error) {
	var list wire.HostFunctions
	for _, name := range slices.Sorted(maps.Keys(fs)) {
		f := fs[name]
		switch {
		case f.err != nil:
			return list, fmt.Errorf("%w: host function %q: %w", ErrOptions, name, f.err)
		case f.fn == nil:
			return list, fmt.Errorf("%w: host function %q is empty: make it with Func", ErrOptions, name)
		}
		if f.runner != nil {
			if err := f.runner.check(); err != nil {
				return list, fmt.Errorf("host function %q: %w", name, err)
			}
		}
		list.Functions = append(list.Functions, wire.Function{Name: name, Params: f.fn.Params, Return: f.fn.Return})
	}
	message, err := wire.AppendHostFunctions(nil, &list)
	if err != nil {
		return list, fmt.Errorf("%w: host functions: %w", ErrOptions, err)
	}
	if size := uint64(len(message)); size > limit {
		return list, fmt.Errorf("%w: the list of host functions takes %d bytes and a message buffer has %d: raise MessageSize",
			ErrOptions, size, limit)
	}
	return list, nil
}

// missing returns what of a guest's needs the registry does not meet.
//
// Guest-controlled: imports.
func (fs HostFuncs) missing(imports []wire.Function) []string {
	var missing []string
	for _, need := range imports {
		have, ok := fs[need.Name]
		if !ok || !slices.Equal(have.fn.Params, need.Params) || have.fn.Return != need.Return {
			missing = append(missing, signature(need))
		}
	}
	return missing
}

// call calls the host function, if it is one, for a guest, sets result to what the
// guest gets, and returns the error that the guest's caller gets, or nil. The sandbox
// is the guest's.
//
// Guest-controlled: the call.
func (f *HostFunc) call(sb *Sandbox, c *wire.Call, result *wire.Result) (failed error) {
	if f.fn == nil {
		*result = failure(wire.CodeUnknownFunction, "there is no such host function")
		return nil
	}
	if !f.fn.Accepts(c.Args) {
		*result = failure(wire.CodeWrongParameters, "the host function has other parameters")
		return nil
	}
	result.Clear()
	if f.runner != nil {
		return sb.share(f.runner).call(sb.activity, f.fn, c, int(sb.config.InputSize), result) //nolint:gosec // G115: at most MaxMemory
	}
	return invoke(sb.activity, f.fn, c, result)
}

// invoke calls a host function here. activity makes the function's context, if
// it has one. failed is a [*HostPanicError] or nil.
func invoke(activity func() context.Context, f *gofunc.Func, c *wire.Call, result *wire.Result) (failed error) {
	defer func() {
		if v := recover(); v != nil {
			failed = &HostPanicError{Function: c.Name, Value: v, Stack: debug.Stack()}
			*result = failure(wire.CodePanicked, "the host function panicked")
		}
	}()
	if err := f.Call(activity, c.Args, &result.Value); err != nil {
		*result = failure(wire.CodeFailed, publicText(err))
	}
	return nil
}

func failure(code wire.ErrorCode, text string) wire.Result {
	return wire.Result{Err: &wire.ErrorInfo{Code: code, Message: text}}
}
