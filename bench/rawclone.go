package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/elf"
	"github.com/airlockvm/airlock/internal/guestmem"
	"github.com/airlockvm/airlock/internal/kernel"
	"github.com/airlockvm/airlock/internal/kvm"
	"github.com/airlockvm/airlock/internal/machine"
	"github.com/airlockvm/airlock/internal/wire"
)

// rawClone is a snapshot of a guest that waits for its first call, and what it
// takes to make a machine of it and get an answer without the library: its calls
// into the kernel and the guest's page faults.
type rawClone struct {
	kit     *rawKit
	snap    *machine.Snapshot
	memory  *guestmem.File
	cpu     *machine.CPU
	input   uint64 // GPA of the message
	message []byte
	warm    []uint64 // the set of pages that the first machine wrote to
}

const rawBuffer = 64 << 10

// newRawClone runs a guest up to its first call, makes the calls, and takes the
// snapshot: what a guest does the first time is no longer to be done by the clones,
// which get the last call.
func newRawClone(k *rawKit, path string, calls ...*wire.Call) (*rawClone, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	program, err := elf.Parse(file, elf.Limits{UserStart: abi.UserStart, UserEnd: abi.ProgramEnd, PIEBase: abi.PIEBase})
	if err != nil {
		return nil, err
	}
	image, err := machine.NewImage(kernel.Image, program)
	if err != nil {
		return nil, err
	}
	defer image.Close() //nolint:errcheck // it never fails
	m, err := machine.New(k.sys, image, machine.Config{Memory: rawMemory, OutputSize: rawBuffer, InputSize: rawBuffer})
	if err != nil {
		return nil, err
	}
	defer m.Close() //nolint:errcheck // it never fails
	c := &rawClone{kit: k, input: rawMemory - rawBuffer}
	if err := c.prepare(m, calls); err != nil {
		return nil, err
	}
	if c.snap, err = m.Snapshot(); err != nil {
		return nil, err
	}
	c.memory, c.cpu = c.snap.Content()
	return c, c.learn()
}

// prepare boots a guest and makes the calls.
func (c *rawClone) prepare(m *machine.Machine, calls []*wire.Call) error {
	if err := m.Boot(machine.Start{Args: []string{"guest"}, Serve: true}); err != nil {
		return err
	}
	m.Begin(context.Background())
	defer m.End()
	err := untilNext(m)
	for _, call := range calls {
		if err == nil {
			c.message, err = wire.AppendCall(c.message[:0], call)
		}
		if err == nil {
			err = errors.Join(m.WriteMessage(c.message), m.Answer(uint64(len(c.message))))
		}
		if err == nil {
			err = untilNext(m)
		}
	}
	return err
}

// untilNext runs a guest until it waits for a call.
func untilNext(m *machine.Machine) error {
	hosts, err := wire.AppendHostFunctions(nil, &wire.HostFunctions{})
	if err != nil {
		return err
	}
	for {
		exit, err := m.Enter()
		switch {
		case err != nil:
			return err
		case exit.Kind == machine.ExitHypercall && exit.Port == abi.PortNext:
			return nil
		case exit.Kind == machine.ExitHypercall && exit.Port == abi.PortDeclare:
			if err := errors.Join(m.WriteMessage(hosts), m.Answer(uint64(len(hosts)))); err != nil {
				return err
			}
		case exit.Kind != machine.ExitHypercall || exit.Port != abi.PortWait:
			return fmt.Errorf("the guest does not serve: %v", exit)
		}
	}
}

// learn notes which pages a machine writes to, so that the next ones get them in one
// go, as the library's do: the faults that are left are those of a careful host.
func (c *rawClone) learn() error {
	m := &rawVM{}
	err := c.answer(m)
	if err == nil {
		warm := make([]uint64, rawMemory/abi.PageSize/64)
		if err = m.vm.DirtyLog(0, warm); err == nil {
			c.warm = warm
		}
	}
	return errors.Join(err, m.close())
}

func (c *rawClone) close() { _ = c.snap.Close() }

// first is the sample from nothing to the guest's answer.
func (c *rawClone) first() (float64, error) {
	start := time.Now()
	m := &rawVM{}
	err := c.answer(m)
	elapsed := time.Since(start)
	return float64(elapsed), errors.Join(err, m.close())
}

// answer makes a machine and runs it until the guest has answered.
func (c *rawClone) answer(m *rawVM) error {
	if err := c.make(m); err != nil {
		return err
	}
	return m.leave()
}

// make makes a machine that stands where the snapshot was taken, with a call for
// the guest.
func (c *rawClone) make(m *rawVM) (err error) {
	if m.memory, err = guestmem.New(rawMemory, c.memory); err != nil {
		return err
	}
	answer := abi.Message{Answer: uint64(len(c.message))}
	err = errors.Join(m.memory.CopyIn(c.input, c.message), m.memory.CopyIn(abi.ControlGPA+abi.ControlOffsetMessage, abi.Bytes(&answer)))
	if err := errors.Join(err, m.memory.PrefaultPages(c.warm)); err != nil {
		return err
	}
	if m.vm, err = c.kit.sys.CreateVM(); err != nil {
		return err
	}
	region := kvm.MemoryRegion{Size: rawMemory, HostAddr: m.memory.HostAddr(), Flags: kvm.MemLogDirtyPages}
	// The snapshot's events say that no triple fault is pending where KVM can be told so.
	_, keepErr := m.vm.KeepTripleFaults()
	if err := errors.Join(m.vm.DenyMSRs(), keepErr, m.vm.KeepDirtyLog(), m.vm.SetMemoryRegion(&region)); err != nil {
		return err
	}
	if m.vcpu, err = m.vm.CreateVCPU(0); err != nil {
		return err
	}
	v := m.vcpu
	err = errors.Join(v.SetCPUID(c.kit.cpuid), v.SetTSCOffset(0), v.SetXCR0(c.cpu.XCR0), v.SetMSRs(c.cpu.MSRs),
		v.SetDebugRegs(&c.cpu.Debug), v.SetXSave(&c.cpu.XSave))
	v.SetAtRun(&c.cpu.Regs, &c.cpu.Sregs, &c.cpu.Events)
	return err
}
