package airlock

import (
	"context"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/machine"
)

// Asked is a run of a program whose hypercalls a test makes.
type Asked struct{ run *process }

// Ask takes the sandbox for a run, until the function that it returns is called.
func Ask(ctx context.Context, sb *Sandbox, p Process) (asked Asked, end func(), err error) {
	if err := sb.turn.begin(ctx); err != nil {
		return asked, nil, err
	}
	run := newProcess(sb, p)
	return Asked{run}, func() { run.input.stop(); sb.turn.end(nil) }, nil
}

// Write does what the guest kernel asks for, and returns what the guest is told.
func (a Asked) Write(out abi.Output) (result int32, err error) {
	const leftover = 1234
	if err := a.run.machine.SetOutputResult(leftover); err != nil {
		return 0, err
	}
	err = a.run.write(out)
	return a.run.machine.ReadOutput().Result, err
}

// Read is Write for stdin.
func (a Asked) Read(in abi.Input) (result int32, err error) {
	err = a.run.read(in)
	return a.run.machine.ReadInput().Result, err
}

// Wait, Trace, Fault, Panic and Exit do what a guest asks for or has come to.
func (a Asked) Wait(w abi.Wait) error        { return a.run.wait(w) }
func (a Asked) Trace(t abi.Trace) error      { return a.run.printTrace(t) }
func (a Asked) Fault(f abi.Fault) error      { return a.run.reportedFault(f) }
func (a Asked) Panic(k abi.Panic) error      { return a.run.kernelPanic(k) }
func (a Asked) Exit(exit machine.Exit) error { return a.run.handle(exit) }
func (a Asked) Hypercall(port uint16) error  { return a.run.hypercall(port) }
func (a Asked) Buffer() int                  { return cap(a.run.buffer) }
func (a Asked) Now() uint64                  { return a.run.machine.Now() }
