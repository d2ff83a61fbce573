package airlock

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/airlockvm/airlock/internal/gofunc"
	"github.com/airlockvm/airlock/internal/seccomp"
	"github.com/airlockvm/airlock/internal/wire"
	"github.com/airlockvm/airlock/internal/worker"
)

// Isolated are host functions that run in worker processes. Make it with
// [Isolate].
type Isolated struct {
	name  string
	funcs HostFuncs
	allow Syscalls
	main  atomic.Bool // Main was called
	sound atomic.Bool // check has found nothing
}

// WorkerError is the error of a call whose host function ran in a worker process
// that came to an end, or broke its protocol. The sandbox stays usable, and the
// next call has a new worker.
type WorkerError struct {
	// Function is the host function's name.
	Function string
	// Err says how the worker ended.
	Err error
}

// Error names the function and says how its worker ended.
func (e *WorkerError) Error() string {
	return fmt.Sprintf("airlock: worker of host function %q: %v", e.Function, e.Err)
}

// Unwrap returns Err.
func (e *WorkerError) Unwrap() error { return e.Err }

// keepWorkers is how long a worker that nobody uses is kept.
const keepWorkers = 30 * time.Second

// Isolate makes host functions that run in worker processes: further processes
// of the application's own program, under a filter for system calls that holds
// for all of a worker's threads. What a function does there, it can't do to the
// application: it has other memory, no environment, no descriptors but two pipes
// to the application, and no way to make system calls that are not allowed. If a
// worker crashes or is killed, the call fails with a [*WorkerError]; when the
// call's context ends, the worker is killed. So is one that has a system call refused
// while nothing is called, or a thousand in one call: each takes the application's time.
//
// Each sandbox has a worker of its own, from its first call of such a function until
// it is closed, restored or runs its program anew, or has made no such call for half a
// minute: a guest that takes its worker over gets to know what it has passed itself.
// To start one takes some 12 ms. With Syscalls.ReadFiles it can't look into other
// processes by way of /proc: [New] fails with [ErrNoSeccomp] where the kernel has no
// Landlock, which that takes.
//
// Functions and rules are in the program, and so the same in both processes:
// call Isolate where a package variable is initialised, and [Isolated.Main] first
// thing in main. The name tells several of them apart. A function doesn't see
// what the application keeps in variables: it has the worker's, which may be a
// new one for each call.
func Isolate(name string, funcs HostFuncs, allow Syscalls) *Isolated {
	i := &Isolated{name: name, funcs: make(HostFuncs, len(funcs)), allow: allow}
	for fname, f := range funcs {
		f.runner = nil // the whole worker is confined
		i.funcs[fname] = f
	}
	return i
}

// Main must be called at the beginning of the program's main, or of TestMain. In
// a worker of these functions it serves calls and never returns. Otherwise it
// returns at once. What the program does before, such as initialising packages,
// workers do as well, and without a filter.
func (i *Isolated) Main() {
	i.main.Store(true)
	if name, ok := worker.Name(); !ok || name != i.name {
		return
	}
	worker.Serve(i.allow.rules, i.serve)
}

// serve makes a call in the worker.
func (i *Isolated) serve(c *wire.Call) (result wire.Result) {
	f, ok := i.funcs[c.Name]
	if !ok || f.fn == nil || !f.fn.Accepts(c.Args) {
		return failure(wire.CodeUnknownFunction, "the worker has no such function")
	}
	for i := range c.Args {
		c.Args[i].Own() // bytes are parts of a buffer that is used again, and functions may keep what they get
	}
	if failed := invoke(context.Background, f.fn, c, &result); failed != nil {
		return failure(wire.CodePanicked, panicText(failed))
	}
	return result
}

func panicText(err error) string {
	if p, ok := err.(*HostPanicError); ok { //nolint:errorlint // invoke returns no other
		return fmt.Sprint(p.Value)
	}
	return err.Error()
}

// HostFuncs returns the functions as the application gives them to sandboxes.
// [New] fails with [ErrOptions] if Main was not called, and with [ErrNoSeccomp]
// where filters can't be had.
func (i *Isolated) HostFuncs() HostFuncs {
	funcs := make(HostFuncs, len(i.funcs))
	for name, f := range i.funcs {
		f.runner = (*isolation)(i)
		funcs[name] = f
	}
	return funcs
}

// isolation is the runner of isolated functions.
type isolation Isolated

func (i *isolation) check() error {
	if !i.main.Load() {
		return fmt.Errorf("%w: Isolated.Main of %q must be called at the beginning of main", ErrOptions, i.name)
	}
	if _, ok := worker.Name(); ok {
		return fmt.Errorf("%w: this process is a worker", ErrOptions)
	}
	if i.sound.Load() {
		return nil
	}
	if err := seccomp.Supported(); err != nil {
		return noSeccomp(err)
	}
	if i.allow.ReadFiles && !worker.CanFence() {
		return fmt.Errorf("%w: without Landlock a worker that may read files could read the application's memory by way of /proc", ErrNoSeccomp)
	}
	process, err := seccomp.FindRuntime()
	if err != nil {
		return noSeccomp(err)
	}
	rules, err := i.allow.rules(process)
	if err != nil {
		return err
	}
	// The worker compiles its own. This finds the mistakes in them early.
	if _, err := seccomp.Compile(append(rules, seccomp.Base(process)...)); err != nil {
		return fmt.Errorf("%w: %w", ErrOptions, err)
	}
	i.sound.Store(true)
	return nil
}

func (i *isolation) join() share {
	s := &isolatedShare{seccomp.NewPool(keepWorkers, func(ctx context.Context) (*worker.Process, error) {
		return worker.Start(ctx, i.name, i.allow.Kill)
	})}
	s.workers.Join()
	return s
}

// isolatedShare are the workers of one sandbox: one that its guest has taken over must
// not get to know what others pass.
type isolatedShare struct {
	workers *seccomp.Pool[*worker.Process]
}

func (s *isolatedShare) leave() { s.workers.Leave() }

func (s *isolatedShare) renew() {
	s.workers.Leave()
	s.workers.Join()
}

func (s *isolatedShare) call(activity func() context.Context, f *gofunc.Func, c *wire.Call, limit int, result *wire.Result) (failed error) {
	*result = failure(wire.CodeFailed, hiddenFailure)
	ctx := activity()
	p, err := s.workers.Get(ctx)
	if err != nil {
		return &WorkerError{Function: c.Name, Err: err}
	}
	answer, denied, err := p.Call(ctx, c, f.Return, limit)
	s.workers.Put(p)
	if err != nil {
		err = &WorkerError{Function: c.Name, Err: err}
	}
	switch {
	case denied != nil:
		return denial(c.Name, *denied, err)
	case err != nil:
		return err
	case answer.Err != nil && answer.Err.Code == wire.CodePanicked:
		*result = failure(wire.CodePanicked, "the host function panicked")
		return &HostPanicError{Function: c.Name, Value: answer.Err.Message}
	}
	*result = answer
	return nil
}
