package machine

import (
	"testing"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/kvm"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// countingRunner counts how often the guest was entered.
type countingRunner struct {
	runner
	runs int
}

func (r *countingRunner) run(c *kvm.VCPU) (kvm.ExitReason, error) {
	r.runs++
	return r.runner.run(c)
}

// TestTickInStub: a guest that is in a ring-0 stub is told that a tick is due, and
// gets no interrupt there.
func TestTickInStub(t *testing.T) {
	m := tkMachineOf(t, tkCode{
		entry: asm(func(c *code) { c.raw(0x0f, 0x05).spin() }), // syscall
		syscall: asm(func(c *code) {
			c.out(abi.PortExit)
			c.movRDI(abi.Physmap+abi.ControlOffsetTickPending).
				raw(0x83, 0x3f, abi.TickSoon, 0x75, 0xfb). // cmpl $2, (rdi); jne
				out(abi.PortExit).spin()
		}),
	})
	begin(t, m)
	hypercall(t, m, abi.PortExit)
	m.Notify(abi.EventInput)
	hypercall(t, m, abi.PortExit)
	if n := ticks(t, m); n != 0 {
		t.Errorf("%d ticks", n)
	}
}

// TestTickSoonIsLate: a guest that was told, and has done nothing about it, is
// interrupted.
func TestTickSoonIsLate(t *testing.T) {
	m := tkMachine(t, asm(func(c *code) {
		c.movRDI(abi.Physmap+abi.ControlOffsetTickPending).raw(0xc7, 0x07).imm32(abi.TickSoon) // movl $2, (rdi)
		c.movRDI(tkTicks)
		c.raw(0x83, 0x3f, 0x00, 0x74, 0xfb) // cmpl $0, (rdi); je
		c.out(abi.PortExit).spin()
	}))
	begin(t, m)
	hypercall(t, m, abi.PortExit)
	if n := ticks(t, m); n != 1 {
		t.Errorf("%d ticks", n)
	}
}

// TestTickBetweenCalls: a tick takes few exits of a guest that makes one system call
// after the other, wherever it finds that.
func TestTickBetweenCalls(t *testing.T) {
	const want = 20
	const frame = tkScratch + 0x100
	start := func(loop uint64) []byte {
		return asm(func(c *code) {
			c.movRDI(abi.Physmap+abi.ControlOffsetTickWanted).raw(0xc7, 0x07).imm32(1) // movl $1, (rdi)
			c.movRDI(frame)
			for _, v := range []uint64{loop, abi.UserCS, 0x3202, tkStack, abi.UserSS} {
				c.movRAX(v).stosq()
			}
		})
	}
	loop := asm(func(c *code) {
		c.movRDI(abi.Physmap+abi.ControlOffsetTickPending).raw(0x83, 0x3f, abi.TickSoon, 0x75, 18) // cmpl $2, (rdi); jne
		c.raw(0xc7, 0x07).imm32(0)                                                                 // movl $0, (rdi)
		c.movRDI(tkTicks).raw(0xff, 0x07)                                                          // incl (rdi)
		c.movRDI(tkTicks).raw(0x83, 0x3f, want, 0x73, 2)                                           // cmpl, jae
		c.raw(0x0f, 0x05).out(abi.PortExit).spin()                                                 // syscall
	})
	entry := append(start(tkText+uint64(len(start(0)))), loop...)
	stub := asm(func(c *code) { c.raw(0x48, 0xbc).imm64(frame).raw(0x48, 0xcf) }) // mov rsp; iretq
	sys := kvmtest.Require(t)
	r := &countingRunner{runner: chooseRunner(sys.KernelVersion())}
	m := tkMachineOn(t, sys, tkImage(t, tkCode{entry: entry, syscall: stub}), r)
	begin(t, m)
	hypercall(t, m, abi.PortExit)
	if n := ticks(t, m); n < want {
		t.Errorf("%d ticks", n)
	}
	// One to stop the guest, and one if it then has to wait for the end of something.
	if r.runs > 3*want {
		t.Errorf("%d ticks took %d exits", want, r.runs)
	}
}
