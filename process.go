package airlock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/machine"
	"github.com/airlockvm/airlock/internal/strace"
)

// Error numbers of Linux, as the guest kernel wants them.
const (
	errnoAgain = 11 // EAGAIN
	errnoPipe  = 32 // EPIPE
)

// process serves the hypercalls of one run of a program.
type process struct {
	sandbox *Sandbox
	machine *machine.Machine
	what    string       // it does, for errors: run or call
	output  [3]io.Writer // by descriptor; none for 0
	input   *inputPump
	trace   *strace.Printer // nil without a trace
	// messages serves the ports for messages; nil for a program that is run.
	messages func(port uint16) error
	buffer   []byte
	exits    int // that the guest has made, but for those of messages that can be hot
}

func newProcess(sb *Sandbox, p Process) *process {
	run := &process{sandbox: sb, machine: sb.machine, what: "run"}
	run.output[1], run.output[2] = p.Stdout, p.Stderr
	run.input = newInputPump(p.Stdin, func() { sb.machine.Notify(abi.EventInput) })
	if sb.options.Trace != nil {
		run.trace = strace.NewPrinter(sb.options.Trace)
	}
	return run
}

// errEnded is how a hypercall says that the program has ended with a code.
type errEnded struct{ code int }

func (e errEnded) Error() string { return fmt.Sprintf("ended with code %d", e.code) }

// run runs the program to its end.
func (p *process) run(ctx context.Context) (int, error) {
	p.machine.Begin(ctx)
	defer p.machine.End()
	defer p.input.stop()
	err := p.loop(nil)
	p.printRest()
	if ended, ok := errors.AsType[errEnded](err); ok {
		return ended.code, nil
	}
	return -1, err
}

// loop enters the guest again and again until something ends that. The error
// says what. If there is an exit already, it begins with that.
func (p *process) loop(first *machine.Exit) error {
	if first != nil {
		if err := p.handle(*first); err != nil {
			return err
		}
	}
	for {
		exit, err := p.machine.Enter()
		if err != nil {
			return fmt.Errorf("airlock: %s: %w", p.what, err)
		}
		if err := p.handle(exit); err != nil {
			return err
		}
	}
}

func (p *process) handle(exit machine.Exit) error {
	p.exits++
	if exit.Kind == machine.ExitHypercall {
		return p.hypercall(exit.Port)
	}
	if exit.Kind == machine.ExitPaused {
		return nil
	}
	return p.fault(exit)
}

// printRest prints what the guest kernel has recorded and not handed over.
func (p *process) printRest() {
	if p.trace != nil {
		// If the records are nonsense, there is a better error already.
		_ = p.printTrace(p.machine.ReadTrace())
		p.trace.Summary()
	}
}

// hypercall does what the guest kernel asks for. An error ends the run.
func (p *process) hypercall(port uint16) error {
	switch port {
	case abi.PortExit:
		// Guest-controlled: Linux keeps eight bits of a status, and so does this.
		return errEnded{int(p.machine.ReadExit().Status & 0xff)}
	case abi.PortFault:
		return p.reportedFault(p.machine.ReadFault())
	case abi.PortPanic:
		return p.kernelPanic(p.machine.ReadPanic())
	case abi.PortOutput:
		return p.write(p.machine.ReadOutput())
	case abi.PortInput:
		return p.read(p.machine.ReadInput())
	case abi.PortWait:
		return p.wait(p.machine.ReadWait())
	case abi.PortTrace:
		return p.printTrace(p.machine.ReadTrace())
	}
	if p.messages != nil {
		return p.messages(port)
	}
	return fmt.Errorf("%w: hypercall %#x", ErrProtocol, port)
}

// write passes on what the program wrote.
//
// Guest-controlled: all of out.
func (p *process) write(out abi.Output) error {
	if out.Descriptor != 1 && out.Descriptor != 2 {
		return fmt.Errorf("%w: output to descriptor %d", ErrProtocol, out.Descriptor)
	}
	if out.Length > abi.StdioOutputSize {
		return fmt.Errorf("%w: output of %d bytes in a buffer of %d", ErrProtocol, out.Length, abi.StdioOutputSize)
	}
	w := p.output[out.Descriptor]
	if w == nil {
		return p.machine.SetOutputResult(0)
	}
	data := p.scratch(out.Length)
	if err := p.machine.CopyStdout(data); err != nil {
		return fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	if _, err := w.Write(data); err != nil {
		// A writer that ends with the context must not look like a pipe that nobody
		// reads: the guest would die of it before it is stopped.
		if p.sandbox.activity().Err() != nil {
			return p.sandbox.canceled(p.what)
		}
		return p.machine.SetOutputResult(-errnoPipe)
	}
	return p.machine.SetOutputResult(0)
}

// read gives the program what there is of stdin.
//
// Guest-controlled: in.Want.
func (p *process) read(in abi.Input) error {
	if in.Want == 0 {
		n, status := p.input.peek()
		return p.machine.SetInputResult(inputResult(n, status))
	}
	data := p.scratch(min(in.Want, abi.StdioInputSize))
	n, status := p.input.read(data)
	if err := p.machine.WriteStdin(data[:n]); err != nil {
		return fmt.Errorf("airlock: %s: %w", p.what, err)
	}
	return p.machine.SetInputResult(inputResult(n, status))
}

func inputResult(n int, status inputStatus) int32 {
	switch status {
	case inputPending:
		return -errnoAgain
	case inputEnd:
		return 0
	case inputData:
	}
	return int32(min(n, 1<<30)) //nolint:gosec // G115: bounded
}

// scratch is a buffer for one copy, reused. Its size has been checked against
// that of a message buffer.
func (p *process) scratch(size uint32) []byte {
	if uint64(cap(p.buffer)) < uint64(size) {
		p.buffer = make([]byte, size)
	}
	return p.buffer[:size]
}

// wait sleeps until the guest has something to do.
//
// Guest-controlled: the deadline.
func (p *process) wait(w abi.Wait) error {
	var due <-chan time.Time
	if w.Deadline != ^uint64(0) {
		timer := time.NewTimer(p.machine.Until(w.Deadline))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-p.sandbox.activity().Done():
		return p.sandbox.canceled(p.what)
	case <-due:
	case <-p.input.ready():
	}
	return nil
}

// printTrace prints the records of system calls.
//
// Guest-controlled: the count and the records.
func (p *process) printTrace(t abi.Trace) error {
	if p.trace == nil {
		return fmt.Errorf("%w: a trace that nobody asked for", ErrProtocol)
	}
	records, err := p.machine.ReadTraceRecords(t.Count)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	for i := range records {
		p.trace.Print(&records[i])
	}
	return nil
}

// reportedFault is the error of a program that the guest kernel has stopped.
//
// Guest-controlled: all of f.
func (p *process) reportedFault(f abi.Fault) error {
	kind, access := faultKinds[abi.FaultKind(f.Kind)], abi.Access(f.Access)
	if kind == FaultInvalid || !access.Valid() || f.Signal > 64 {
		return fmt.Errorf("%w: fault of kind %d, access %d, signal %d", ErrProtocol, f.Kind, f.Access, f.Signal)
	}
	return &GuestFault{
		Kind:   kind,
		Access: Access(access), // the same numbers
		Addr:   f.Address,
		RIP:    f.RIP,
		Symbol: p.symbol(f.RIP),
		Signal: int(f.Signal),
		Thread: int(f.Thread),
	}
}

// kernelPanic is the error of a guest kernel that found itself broken.
//
// Guest-controlled: all of k.
func (p *process) kernelPanic(k abi.Panic) error {
	if k.Length > abi.PanicText {
		return fmt.Errorf("%w: panic text of %d bytes", ErrProtocol, k.Length)
	}
	detail := fmt.Sprintf("%q", k.Text[:k.Length])
	if k.Vector != ^uint32(0) {
		detail += fmt.Sprintf(", exception %d, address %#x", k.Vector, k.Address)
	}
	return &GuestFault{Kind: FaultKernel, RIP: k.RIP, Addr: k.Address, Detail: detail}
}

// fault is the error of a guest that did what no guest kernel does.
func (p *process) fault(exit machine.Exit) error {
	fault := &GuestFault{RIP: exit.RIP, Symbol: p.symbol(exit.RIP)}
	switch exit.Kind {
	case machine.ExitCanceled:
		return p.sandbox.canceled(p.what)
	case machine.ExitShutdown:
		fault.Kind = FaultTriple
	case machine.ExitPhysical:
		fault.Kind, fault.Addr, fault.Access = FaultPhysical, exit.GPA, AccessRead
		if exit.Write {
			fault.Access = AccessWrite
		}
	case machine.ExitPort:
		fault.Kind, fault.Addr, fault.Detail = FaultPort, uint64(exit.Port), exit.String()
	case machine.ExitHalt:
		fault.Kind = FaultHalt
	case machine.ExitInvalid, machine.ExitHypercall, machine.ExitPaused, machine.ExitInternal, machine.ExitFailEntry, machine.ExitUnknown:
		fault.Kind, fault.Detail = FaultHypervisor, exit.String()
	}
	return fault
}

// symbol names the function at an address, if the guest's file has symbols.
func (p *process) symbol(rip uint64) string {
	if p.sandbox.guest.file == nil {
		return "" // it is known from a snapshot only
	}
	name, offset, ok := p.sandbox.guest.file.Symbol(rip)
	if !ok {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s+%#x", name, offset)
	return b.String()
}
