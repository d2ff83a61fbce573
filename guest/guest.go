package guest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/airlockvm/airlock/internal/gofunc"
	"github.com/airlockvm/airlock/internal/wire"
)

// sdkName and sdkVersion are what the guest declares it was built with.
const (
	sdkName    = "go"
	sdkVersion = "0.1"
)

// registry is what the program has exported and imported so far.
var registry struct {
	mu          sync.Mutex
	serving     bool
	declaration wire.Declaration
	exports     map[string]*export
	onRestore   []func()
	onSnapshot  []func()
}

// export is a function that the host can call.
type export struct {
	*gofunc.Func
	form *wire.Form
}

// Export makes a function callable by the host under a name of 1 to 255 bytes, of
// which those that begin with "airlock." are the SDK's. It panics if the function or
// the name can't be exported, or if Serve has begun: these are mistakes of the
// program.
//
// A panic in the function ends the guest: its stack is written to stderr, and the
// host's call fails with a GuestAbortError that has what was panicked with.
func Export(name string, fn any) {
	if strings.HasPrefix(name, wire.ReservedNames) {
		panic(fmt.Sprintf("guest.Export(%q): names that begin with %q are reserved", name, wire.ReservedNames))
	}
	register(name, fn)
}

func register(name string, fn any) {
	f, err := gofunc.New(fn)
	if err != nil {
		panic(fmt.Sprintf("guest.Export(%q): %v", name, err))
	}
	registry.mu.Lock()
	defer registry.mu.Unlock()
	if _, ok := registry.exports[name]; ok || registry.serving {
		panic(fmt.Sprintf("guest.Export(%q): the name is taken, or the guest serves already", name))
	}
	if registry.exports == nil {
		registry.exports = map[string]*export{}
	}
	registry.exports[name] = &export{f, wire.NewForm(name, f.Params)}
	registry.declaration.Exports = append(registry.declaration.Exports,
		wire.Function{Name: name, Params: f.Params, Return: f.Return})
}

// Import returns a function of type F that calls the host function of that
// name. The host is told that the guest needs it, and refuses a guest whose
// needs it does not meet. Call Import before Serve, for instance to initialise a
// variable. The function it returns may be called only while the host calls the
// guest; it must return an error, or panics when the call fails. Import panics
// if F is not a type that can be called through messages.
func Import[F any](name string) F {
	shape, err := gofunc.ShapeOf(reflect.TypeFor[F]())
	if err != nil {
		panic(fmt.Sprintf("guest.Import(%q): %v", name, err))
	}
	registry.mu.Lock()
	defer registry.mu.Unlock()
	if registry.serving {
		panic(fmt.Sprintf("guest.Import(%q): the guest serves already", name))
	}
	registry.declaration.Imports = append(registry.declaration.Imports,
		wire.Function{Name: name, Params: shape.Params, Return: shape.Return})
	form := wire.NewForm(name, shape.Params)
	return gofunc.Stub[F](&shape, func(_ context.Context, args []wire.Value) (wire.Value, error) {
		return callHost(form, args, shape.Return)
	})
}

// OnRestore registers a function that Serve calls before the first call after
// the sandbox was restored or made from a snapshot. Randomness, identifiers and
// connections that the program keeps in its memory are then also those of every
// other copy: this is where it makes new ones. crypto/rand needs nothing: it
// draws from the guest kernel, which the host gives a new seed. Functions are
// called in the order in which they were registered; OnRestore panics once Serve
// has begun.
func OnRestore(fn func()) {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	if registry.serving {
		panic("guest.OnRestore: the guest serves already")
	}
	registry.onRestore = append(registry.onRestore, fn)
}

// ErrorCode is a kind of error of a host function.
type ErrorCode uint8

// The kinds of errors of host functions.
const (
	// CodeFailed: the function returned an error.
	CodeFailed = ErrorCode(wire.CodeFailed)
	// CodeUnknownFunction: the host has not registered it.
	CodeUnknownFunction = ErrorCode(wire.CodeUnknownFunction)
	// CodeWrongParameters: it has other parameters.
	CodeWrongParameters = ErrorCode(wire.CodeWrongParameters)
	// CodePanicked: it panicked.
	CodePanicked = ErrorCode(wire.CodePanicked)
	// CodeTooLarge: its result does not fit the message buffer.
	CodeTooLarge = ErrorCode(wire.CodeTooLarge)
	// CodeDenied: it tried what its confinement does not allow.
	CodeDenied = ErrorCode(wire.CodeDenied)
)

// String returns a word or two in English.
func (c ErrorCode) String() string { return wire.ErrorCode(c).String() }

// HostError is the error of a host function.
type HostError struct {
	// Code says what kind of error it is.
	Code ErrorCode
	// Message is what the host wants the guest to know.
	Message string
}

// Error returns the message.
func (e *HostError) Error() string { return "host function: " + e.Code.String() + ": " + e.Message }

// answerRoom is for the text of the host's answers. It belongs to who makes an exchange.
var answerRoom wire.Room

func callHost(form *wire.Form, args []wire.Value, want wire.Kind) (wire.Value, error) {
	var result wire.Result
	err := exchange(operationHost, func(buffer []byte) (int, error) {
		return form.Put(buffer, args)
	}, func(answer []byte) (err error) {
		err = result.Decode(answer, &answerRoom)
		result.Value.Own()
		return err
	}, &answerRoom)
	switch {
	case err != nil:
		return wire.Value{}, fmt.Errorf("host function %q: %w", form.Name(), err)
	case result.Err != nil:
		return wire.Value{}, &HostError{Code: ErrorCode(result.Err.Code), Message: result.Err.Message}
	case result.Value.Kind() != want:
		return wire.Value{}, fmt.Errorf("host function %q returned a %s", form.Name(), result.Value.Kind())
	}
	return result.Value, nil
}

// Serve tells the host what the program exports and needs, and then answers
// calls, for ever. It ends the program if nobody is there to call: when the
// program runs outside a sandbox, or is run for its own sake.
func Serve() {
	register(wire.FunctionSnapshot, beforeSnapshot)
	registry.mu.Lock()
	registry.serving = true
	registry.mu.Unlock()
	fmt.Fprintf(os.Stderr, "this program serves function calls: %v\n", serve())
	os.Exit(1)
}

// serve returns why there is nobody to serve.
func serve() error {
	if err := connect(); err != nil {
		return err
	}
	err := exchange(operationDeclare, func(buffer []byte) (int, error) {
		registry.declaration.SDKName, registry.declaration.SDKVersion = sdkName, sdkVersion
		return wire.PutDeclaration(buffer, &registry.declaration)
	}, ignore, nil)
	if err != nil {
		return err
	}
	r := newRequest()
	err = exchange(operationNext, func([]byte) (int, error) { return 0, nil }, r.read, nil)
	for err == nil {
		r.answer()
		err = exchange(operationNext, r.write, r.read, &r.call.Room)
	}
	return err
}

// request is what the host asks for: one at a time, each in the place of the one
// before. The pages that a call touches are what it costs, because after the way
// to the host and back none of them is at hand; fresh ones cost most.
type request struct {
	call      *wire.Reader
	malformed error
	export    *export // that was called last, but for a snapshot; or nil
	result    wire.Result
}

func newRequest() *request {
	return &request{call: wire.NewReader(func(name string) *wire.Form {
		if f := registry.exports[name]; f != nil && name != wire.FunctionSnapshot {
			return f.form
		}
		return nil
	})}
}

// read reads a request out of the message buffer. Bytes are copied, since the
// function that gets them may keep them.
func (r *request) read(message []byte) error {
	r.malformed = r.call.Read(message)
	for i := range r.call.Args {
		r.call.Args[i].Own()
	}
	return nil
}

// write writes the result into the message buffer.
func (r *request) write(buffer []byte) (int, error) {
	n, err := wire.PutResult(buffer, &r.result)
	if err != nil {
		r.result = failure(wire.CodeFailed, "the result can't be sent: "+err.Error())
		if errors.Is(err, wire.ErrTooLarge) {
			r.result.Err.Code = wire.CodeTooLarge
		}
		n, err = wire.PutResult(buffer, &r.result)
	}
	return n, err
}

// answer runs the function that is asked for, and sets result.
func (r *request) answer() {
	r.result.Clear()
	if r.malformed != nil {
		r.result = failure(wire.CodeMalformed, r.malformed.Error())
		return
	}
	call := r.call
	f := r.export
	if f == nil || f.form.Name() != call.Name {
		f = registry.exports[call.Name]
		if call.Name != wire.FunctionSnapshot {
			r.export = f
		}
	}
	switch {
	case f == nil:
		r.result = failure(wire.CodeUnknownFunction, call.Name)
		return
	case !f.Accepts(call.Args):
		r.result = failure(wire.CodeWrongParameters, call.Name)
		return
	}
	defer func() {
		if v := recover(); v != nil {
			_, _ = fmt.Fprintf(os.Stderr, "panic: %v\n\n%s", v, debug.Stack())
			abort(wire.CodePanicked, fmt.Sprintf("%s panicked: %v", call.Name, v))
		}
	}()
	if restored() {
		for _, fn := range registry.onRestore {
			fn()
		}
	}
	if err := f.Call(context.Background, call.Args, &r.result.Value); err != nil {
		r.result = failure(wire.CodeFailed, err.Error())
	}
}

func failure(code wire.ErrorCode, text string) wire.Result {
	return wire.Result{Err: &wire.ErrorInfo{Code: code, Message: text}}
}

// Abort ends the guest at once. The call that it is in fails with the message,
// and the host uses the sandbox no more.
func Abort(message string) { abort(wire.CodeAborted, message) }

func abort(code wire.ErrorCode, message string) {
	_ = exchange(operationAbort, func(buffer []byte) (int, error) {
		return wire.PutError(buffer, &wire.ErrorInfo{Code: code, Message: message})
	}, ignore, nil)
	os.Exit(1) // only if the host did not listen
}
