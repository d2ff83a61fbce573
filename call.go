package airlock

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"

	"github.com/airlockvm/airlock/internal/gofunc"
	"github.com/airlockvm/airlock/internal/machine"
	"github.com/airlockvm/airlock/internal/wire"
)

// Callee is what [Call] can call: a [*Sandbox], or a [*Pool], which uses a
// sandbox of its own for each call.
type Callee interface {
	// forCall returns the sandbox for a call, afterCall is the end of that. The call
	// itself is not made through an interface, because all its arguments would be
	// allocated for that.
	forCall(ctx context.Context) (*Sandbox, error)
	afterCall(sb *Sandbox)
}

func (sb *Sandbox) forCall(context.Context) (*Sandbox, error) { return sb, nil }
func (sb *Sandbox) afterCall(*Sandbox)                        {}

// Call calls a function that the guest exports and returns its result as a T:
// one of the types that [Func] names, or struct{} for a function that returns
// nothing.
//
//	greeting, err := airlock.Call[string](ctx, sb, "SayHello", "World")
//
// See [Sandbox.Call] for arguments and errors.
func Call[T any](ctx context.Context, to Callee, name string, args ...any) (T, error) {
	var result T
	sb, err := to.forCall(ctx)
	if err != nil {
		return result, err
	}
	defer to.afterCall(sb)
	err = sb.callValues(ctx, name,
		func(list []wire.Value, f *export) ([]wire.Value, error) { return f.arguments(list, args) },
		func(v *wire.Value) error {
			if _, void := any(&result).(*struct{}); void && v.Kind() == wire.KindVoid {
				return nil
			}
			if err := gofunc.To(&result, v); err != nil {
				return fmt.Errorf("%w: the result of %q %w", ErrArguments, name, err)
			}
			return nil
		})
	return result, err
}

// Call calls a function that the guest exports. The arguments have the types
// that the guest has declared; an int passes as any integer that it is in range
// of. The result is one of the types that [Func] names, or nil.
//
// The first call starts the guest's program and waits until it serves. One call
// runs at a time; another one meanwhile fails with [ErrBusy].
//
// A [*GuestError] is what the guest function returned: the sandbox stays ready,
// as it does after [ErrUnknownFunction], [ErrArguments], [ErrTooLarge] and
// [*HostPanicError]. Whatever else goes wrong poisons it: a fault, an abort, an
// exit of the program, a broken protocol, the end of the context.
func (sb *Sandbox) Call(ctx context.Context, name string, args ...any) (result any, err error) {
	err = sb.callValues(ctx, name,
		func(list []wire.Value, f *export) ([]wire.Value, error) { return f.arguments(list, args) },
		func(v *wire.Value) error {
			result = v.Any()
			return nil
		})
	return result, err
}

// Bind makes a function of the type F that calls the guest's function. F is as
// [Func] describes it and returns an error; a leading context is that of the
// call. Its types are compared with the guest's at each call.
//
//	sayHello, err := airlock.Bind[func(context.Context, string) (string, error)](sb, "SayHello")
func Bind[F any](sb *Sandbox, name string) (F, error) {
	var zero F
	shape, err := gofunc.ShapeOf(reflect.TypeFor[F]())
	if err != nil {
		return zero, fmt.Errorf("%w: %w", ErrArguments, err)
	}
	if !shape.Fails() {
		return zero, fmt.Errorf("%w: %v returns no error, and calls can fail", ErrArguments, reflect.TypeFor[F]())
	}
	return gofunc.Stub[F](&shape, func(ctx context.Context, args []wire.Value) (result wire.Value, err error) {
		err = sb.callValues(ctx, name,
			func(list []wire.Value, f *export) ([]wire.Value, error) {
				if !slices.Equal(shape.Params, f.Params) || f.Return != shape.Return {
					return list, fmt.Errorf("%w: it is %s, and was bound as %v", ErrArguments, signature(*f.Function), reflect.TypeFor[F]())
				}
				return append(list, args...), nil
			},
			func(v *wire.Value) error {
				result = *v
				return nil
			})
		return result, err
	}), nil
}

// arguments appends those of a call to list, or says why they don't fit the
// function.
func (f *export) arguments(list []wire.Value, args []any) ([]wire.Value, error) {
	if len(args) != len(f.Params) {
		return list, fmt.Errorf("%w: %s takes %d, got %d", ErrArguments, signature(*f.Function), len(f.Params), len(args))
	}
	n := len(list)
	list = slices.Grow(list, len(args))[:n+len(args)]
	for i, arg := range args {
		if err := gofunc.Coerce(&list[n+i], arg, f.Params[i]); err != nil {
			return list, fmt.Errorf("%w: %s: argument %d %w", ErrArguments, signature(*f.Function), i+1, err)
		}
	}
	return list, nil
}

type (
	// giveArguments appends the arguments of a call of a function to list.
	giveArguments func(list []wire.Value, f *export) ([]wire.Value, error)
	// takeResult gets the result of a call, which it must not keep a pointer to.
	takeResult func(*wire.Value) error
)

// callValues makes one call.
func (sb *Sandbox) callValues(ctx context.Context, name string, give giveArguments, take takeResult) error {
	if err := sb.turn.begin(ctx); err != nil {
		return err
	}
	fatal := errUnfinished
	defer func() {
		if fatal != nil {
			sb.machine.Pause()
			sb.log.LogAttrs(ctx, slog.LevelDebug, "call failed",
				slog.String("guest", sb.guest.name), slog.String("function", name), slog.Any("error", fatal))
		}
		sb.turn.end(fatal)
	}()
	if sb.serving == nil {
		if fatal = sb.start(ctx); fatal != nil {
			return fatal
		}
	}
	s := sb.serving
	if len(s.missing) > 0 {
		fatal = nil
		return &MissingHostFunctionError{Functions: s.missing}
	}
	if sb.machine.Launched() {
		s.claim()
	}
	f, err := s.prepare(name, give)
	if err != nil {
		fatal = nil // the guest was asked for nothing
		return err
	}
	sb.made.calls.add()
	if fatal = s.run(ctx); fatal == nil {
		fatal = s.typed(f)
	}
	if fatal != nil {
		return fatal
	}
	return s.outcome(take)
}

// prepare writes the message of a call to where the guest will find it.
func (s *serving) prepare(name string, give giveArguments) (*export, error) {
	f, err := s.export(name)
	if err != nil {
		return nil, err
	}
	if s.values, err = give(s.values[:0], f); err == nil {
		if err = s.put(s.putCall); err == nil {
			return f, nil
		}
		err = unsendable(err)
	}
	wire.Forget(s.values) // else run does it
	return nil, err
}

// unsendable is the error of a call whose message could not be written.
func unsendable(err error) error {
	if e, ok := errors.AsType[*wire.Error](err); ok && e.Reason == wire.ErrMessageSize {
		return fmt.Errorf("%w: a call of %d bytes for a buffer of %d", ErrTooLarge, e.Got, e.Limit)
	}
	return fmt.Errorf("%w: %w", ErrArguments, err)
}

// start boots the program and runs it until it serves.
func (sb *Sandbox) start(ctx context.Context) error {
	if err := sb.boot([]string{sb.guest.name}, nil, true); err != nil {
		return err
	}
	s := sb.newServing()
	err := s.plain(ctx, nil)
	if ended, ok := errors.AsType[errEnded](err); ok {
		return fmt.Errorf("%w: its program ended with code %d", ErrNotServing, ended.code)
	}
	if err == nil {
		sb.serving = s
	}
	return err
}

// run sends the call that was prepared and runs the guest until it has
// answered.
func (s *serving) run(ctx context.Context) error {
	s.calling, s.failed, s.logs, s.exits = true, nil, 0, 0
	err := s.exchange(ctx)
	s.calling = false
	if err == nil {
		return nil
	}
	if ended, ok := errors.AsType[errEnded](err); ok {
		return &GuestExitError{Code: ended.code}
	}
	return err
}

// exchange is run. Its error may be an errEnded.
func (s *serving) exchange(ctx context.Context) error {
	exit, err := s.collect(ctx)
	if err != nil {
		return err
	}
	launched := s.machine.Launched()
	if !launched {
		s.heat.begin()
	}
	if err := s.send(); err != nil {
		return err
	}
	// What need not be done before the guest has its call is done now.
	wire.Forget(s.values) // what the caller has passed is the caller's
	s.result.Clear()
	if launched {
		s.room.Prepare()
		s.asked.Room.Prepare()
	}
	switch {
	case launched:
		return s.meet(ctx, 0)
	case exit == nil && s.heat.wanted() && s.machine.Launch(s.heat.patience):
		s.heat.launched()
		return s.meet(ctx, launchTime)
	default:
		return s.plain(ctx, exit)
	}
}

// plain runs the guest on this thread until it waits for a call: nil. The error
// says what else it did. If there is an exit already, it begins with that.
func (s *serving) plain(ctx context.Context, exit *machine.Exit) error {
	s.ctx = ctx
	s.machine.Begin(ctx)
	defer s.machine.End()
	err := s.loop(exit)
	if errors.Is(err, errNext) {
		s.heat.end(s.machine, s.exits)
		return nil
	}
	s.printRest()
	return err
}

// outcome hands over the result that the guest has sent.
func (s *serving) outcome(take takeResult) error {
	switch {
	case s.failed != nil:
		return s.failed
	case s.result.Err != nil:
		return &GuestError{Code: GuestErrorCode(s.result.Err.Code), Message: s.result.Err.Message}
	}
	s.keep(&s.result.Value)
	return take(&s.result.Value)
}

// typed refuses a result of another type than the guest has declared.
func (s *serving) typed(f *export) error {
	if s.result.Err == nil && s.result.Value.Kind() != f.Return {
		return fmt.Errorf("%w: %q returned a %s, and declared %s", ErrProtocol, f.Name, s.result.Value.Kind(), f.Return)
	}
	return nil
}
