package airlock

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"

	"golang.org/x/net/bpf"

	"github.com/airlockvm/airlock/internal/gofunc"
	"github.com/airlockvm/airlock/internal/seccomp"
	"github.com/airlockvm/airlock/internal/wire"
)

// ErrNoSeccomp means that host functions can't be confined here, because the
// kernel has no seccomp filters with supervision, or something above this
// process, such as a container's own filter, refuses them. [New] reports it: a
// function that is to be confined never runs without.
var ErrNoSeccomp = errors.New("airlock: host functions can't be confined here")

// Syscalls says which system calls a confined host function may use, beyond
// those that Go's runtime needs for memory, locks, timers and its own signals.
// The zero value allows no others: such a function computes.
//
// A filter sees numbers. It can tell descriptor 1 from descriptor 2, but not a
// file from a socket or one path from another.
type Syscalls struct {
	// ReadFiles allows opening files and directories for reading, and reading and
	// closing any descriptor.
	ReadFiles bool
	// WriteTo are the descriptors that may be written to. A function that is to
	// say why Go's runtime ends the process needs 2.
	WriteTo []int
	// Sockets are the address families, such as syscall.AF_UNIX, of which sockets
	// may be made and connected. It allows reading and writing any descriptor.
	Sockets []int
	// Names are system calls that may be used with any arguments.
	Names []string
	// Rules allow system calls with certain arguments only.
	Rules []SyscallRule
	// Kill ends the worker at the first system call that is refused, instead of
	// failing that call with EPERM. Only functions of [Isolate] can have it: a
	// thread of Go's can't be ended without the process.
	Kill bool
}

// SyscallRule allows one system call if its arguments are as they must be. Of
// several rules for one call any will do.
type SyscallRule struct {
	// Name is that of the system call on x86-64.
	Name string
	// Args must all hold.
	Args []SyscallArg
}

// SyscallArg is a condition on one argument, taken as an unsigned number of 64
// bits. What a pointer points to can't be seen.
type SyscallArg struct {
	// Index is 0 for the first argument, and at most 5.
	Index int
	// Op says how the argument is compared with Value.
	Op SyscallOp
	// Value is what it is compared with.
	Value uint64
}

// SyscallOp is a comparison of an argument with a value.
type SyscallOp uint8

// The comparisons.
const (
	// ArgEqual holds for the value.
	ArgEqual = SyscallOp(seccomp.Equal)
	// ArgNotEqual holds for all but the value.
	ArgNotEqual = SyscallOp(seccomp.NotEqual)
	// ArgAtMost holds for the value and what is less.
	ArgAtMost = SyscallOp(seccomp.AtMost)
	// ArgAtLeast holds for the value and what is more.
	ArgAtLeast = SyscallOp(seccomp.AtLeast)
	// ArgAnyBits holds for what has one of the value's bits at least.
	ArgAnyBits = SyscallOp(seccomp.AnyBits)
	// ArgNoBits holds for what has none of the value's bits.
	ArgNoBits = SyscallOp(seccomp.NoBits)
)

// SyscallDeniedError is the error of a call during which a confined host
// function used a system call that it may not. The call was not made: the
// function saw EPERM, and whatever it returned, the guest is told that it failed.
// The sandbox stays usable.
type SyscallDeniedError struct {
	// Function is the host function's name.
	Function string
	// Name is the first system call that was refused.
	Name string
	// Nr is its number on x86-64.
	Nr int
	// Err is what else went wrong, such as a [*HostPanicError], or nil.
	Err error
}

// Error names the function and the system call.
func (e *SyscallDeniedError) Error() string {
	return fmt.Sprintf("airlock: host function %q may not use the system call %s (%d)", e.Function, e.Name, e.Nr)
}

// Unwrap returns Err.
func (e *SyscallDeniedError) Unwrap() error { return e.Err }

// Confined returns the function as one that runs under a filter for system
// calls. It runs on a thread of its own then, which is kept for more calls while
// a sandbox that has used it is open; functions with equal rules share threads.
// A system call that is not allowed fails with EPERM, and the call of the guest
// with a [*SyscallDeniedError]. [New] fails with [ErrNoSeccomp] where this can't
// be had, and with [ErrOptions] for rules that are none.
//
// The filter limits what mistakes of the function can do. It is no wall against
// code that wants to get out: goroutines that the function starts run on other
// threads, without a filter, and it shares the memory of the process. [Isolate]
// has neither gap.
//
// Some packages look at the system once and keep what they found for the whole
// process: crypto/x509 the certificates, net what protocols there are, os/user the
// user. Where the first use of such a package is under a filter that it can't work
// with, the application has it like that for ever: use it once before. The time zone
// is loaded by this package.
func (f HostFunc) Confined(allow Syscalls) HostFunc {
	f.runner = &confinement{allow: allow}
	return f
}

// Confined returns the functions, each as [HostFunc.Confined] does.
func (fs HostFuncs) Confined(allow Syscalls) HostFuncs {
	confined := make(HostFuncs, len(fs))
	runner := &confinement{allow: allow}
	for name, f := range fs {
		f.runner = runner
		confined[name] = f
	}
	return confined
}

// runner is where host functions run that don't run on the goroutine of the
// call.
type runner interface {
	// check says why they can't run, for New.
	check() error
	// join returns a share of one sandbox.
	join() share
}

// share is a sandbox's part in a runner.
type share interface {
	// call calls a function, sets result to what the guest gets, and returns the
	// error that the guest's caller gets, if there is one. A result of more than limit
	// bytes need not be kept: it doesn't fit the message buffer.
	call(activity func() context.Context, f *gofunc.Func, c *wire.Call, limit int, result *wire.Result) (failed error)
	// renew ends what a use of the sandbox could have left behind, for the next one.
	renew()
	// leave gives the share back.
	leave()
}

// confinement runs functions on filtered threads.
type confinement struct {
	allow Syscalls

	mu      sync.Mutex
	program []bpf.RawInstruction // guarded by mu; nil until check has succeeded
}

func (c *confinement) check() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.program != nil {
		return nil
	}
	if c.allow.Kill {
		return fmt.Errorf("%w: Kill is for functions of Isolate: a thread can't be ended without the process", ErrOptions)
	}
	if err := seccomp.Supported(); err != nil {
		return noSeccomp(err)
	}
	process, err := seccomp.FindRuntime()
	if err != nil {
		return noSeccomp(err)
	}
	rules, err := c.allow.rules(process)
	if err != nil {
		return err
	}
	program, err := seccomp.Compile(append(seccomp.Base(process), rules...))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrOptions, err)
	}
	c.program = program
	return nil
}

func noSeccomp(err error) error { return fmt.Errorf("%w: %w", ErrNoSeccomp, err) }

// rules translates what is allowed.
func (s *Syscalls) rules(process seccomp.Runtime) ([]seccomp.Rule, error) {
	for _, fd := range s.WriteTo {
		if fd < 0 || fd > math.MaxInt32 {
			return nil, fmt.Errorf("%w: Syscalls.WriteTo: there is no descriptor %d", ErrOptions, fd)
		}
	}
	for _, family := range s.Sockets {
		if family < 0 || family > math.MaxInt32 {
			return nil, fmt.Errorf("%w: Syscalls.Sockets: there is no address family %d", ErrOptions, family)
		}
	}
	rules := append(seccomp.WriteTo(s.WriteTo), seccomp.Sockets(process, s.Sockets)...)
	if s.ReadFiles {
		rules = append(rules, seccomp.ReadFiles(process)...)
	}
	rules = append(rules, seccomp.Allow(s.Names...)...)
	for _, rule := range s.Rules {
		args := make([]seccomp.Arg, 0, len(rule.Args))
		for _, arg := range rule.Args {
			if arg.Index < 0 || arg.Index > 5 {
				return nil, fmt.Errorf("%w: Syscalls.Rules: %s has no argument %d", ErrOptions, rule.Name, arg.Index)
			}
			args = append(args, seccomp.Arg{Index: uint8(arg.Index), Op: seccomp.Op(arg.Op), Value: arg.Value})
		}
		rules = append(rules, seccomp.Rule{Name: rule.Name, Args: args})
	}
	return rules, nil
}

func (c *confinement) join() share {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &confinedShare{seccomp.JoinThreads(c.program)}
}

type confinedShare struct{ threads *seccomp.Threads }

func (s *confinedShare) leave() { s.threads.Leave() }
func (s *confinedShare) renew() {} // a thread knows nothing that the process doesn't

func (s *confinedShare) call(activity func() context.Context, f *gofunc.Func, c *wire.Call, _ int, result *wire.Result) (failed error) {
	first, denied, err := s.threads.Do(func() { failed = invoke(activity, f, c, result) })
	switch {
	case errors.Is(err, seccomp.ErrEnded):
		// The function has ended its goroutine, which was to be that of the call.
		runtime.Goexit()
	case err != nil:
		*result = failure(wire.CodeFailed, hiddenFailure)
		return fmt.Errorf("airlock: host function %q: %w", c.Name, noSeccomp(err))
	case denied > 0:
		*result = failure(wire.CodeFailed, hiddenFailure)
		return denial(c.Name, first, failed)
	}
	return failed
}

func denial(function string, d seccomp.Denial, other error) error {
	return &SyscallDeniedError{Function: function, Name: seccomp.Name(d.Nr), Nr: d.Nr, Err: other}
}

// share returns the sandbox's share in a runner. The caller has set stateRunning.
func (sb *Sandbox) share(r runner) share {
	s, ok := sb.shares[r]
	if !ok {
		if sb.shares == nil {
			sb.shares = map[runner]share{}
		}
		s = r.join()
		sb.shares[r] = s
	}
	return s
}

// renew renews the shares.
func (sb *Sandbox) renew() {
	for _, s := range sb.shares {
		s.renew()
	}
}

// leave gives the shares back.
func (sb *Sandbox) leave() {
	for _, s := range sb.shares {
		s.leave()
	}
	sb.shares = nil
}
